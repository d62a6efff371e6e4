"""A local server that speaks the product's interface: write down here what you learn of the product."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from hub.connect.answers import encode
from hub.connect.sample_data import companies
from hub.connect.sandbox import Operation, SandboxApp

Record = dict[str, Any]


def create_sandbox(records: int = 100, seed: int = 1, token: str = "") -> NewProductSandbox:
    """``records`` people, the same for the same ``seed``."""
    return NewProductSandbox(records, seed, token)


class NewProductSandbox(SandboxApp):
    """One account."""

    name = "new_product"
    path = "/api/"

    def __init__(self, records: int, seed: int, token: str) -> None:
        super().__init__()
        self._token = token or f"token-{seed}"
        self._lock = threading.RLock()
        self._people: dict[str, Record] = {}
        for one in companies(seed, records):
            self._keep(
                self._next(), {"name": one["name"], "phone": one["phone"], "credit": one["credit_limit"]}, "seed"
            )

    # the product's interface

    @property
    def wsgi(self) -> Callable[..., Any]:
        return self._answer

    def _answer(self, environ: Any, start_response: Any) -> Any:
        asked = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        what = str(environ["PATH_INFO"]).removeprefix(self.path)
        with self._lock:
            known = environ.get("HTTP_AUTHORIZATION") == f"Bearer {self._token}"
            status, body = self._handle(what, asked) if known else ("401 Unauthorized", {"message": "who are you?"})
        start_response(status, [("Content-Type", "application/json")])
        return [encode(body)]

    def _handle(self, what: str, asked: dict[str, str]) -> tuple[str, Any]:
        if what == "me":
            return "200 OK", {"user": "integration"}
        if what == "people":
            after, limit = asked.get("after", ""), int(asked.get("limit", 100))
            return "200 OK", {"people": [self._people[id] for id in sorted(self._people) if id > after][:limit]}
        person = self._people.get(what.removeprefix("people/"))
        return ("200 OK", person) if person else ("404 Not Found", {"message": "not found"})

    # a person's hand, and what the kit asks

    def operation(self, method: str, path: str, body: bytes) -> Operation:
        return Operation(f"{method} {path.removeprefix(self.path).partition('/')[0]}", "read")

    def credentials(self, base_url: str) -> Record:
        return {"url": base_url + self.path, "token": self._token}

    def samples(self) -> Record:
        return {"people": next(iter(self._people), None)}

    def resources(self) -> list[str]:
        return ["people"]

    def records(self, resource: str) -> list[Record]:
        with self._lock:
            return [dict(person) for person in self._people.values()]

    def create(self, resource: str, values: Record, user: str) -> Record:
        with self._lock:
            return self._keep(self._next(), values, user)

    def edit(self, resource: str, id: str, values: Record, user: str) -> Record:
        with self._lock:
            if id not in self._people:
                raise LookupError(f"there is no person {id}")
            return self._keep(id, values, user)

    def delete(self, resource: str, id: str, user: str) -> None:
        with self._lock:
            if self._people.pop(id, None) is None:
                raise LookupError(f"there is no person {id}")
            self._note(id, "delete", user, {})

    def _next(self) -> str:
        return f"{len(self.journal) + 1:08d}"

    def _keep(self, id: str, values: Record, user: str) -> Record:
        blank = {"id": id, "name": None, "phone": None, "credit": None}
        changed = self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        action = "update" if id in self._people else "create"
        self._people[id] = {**self._people.get(id, blank), **values, "changed_at": changed}
        self._note(id, action, user, values)
        return dict(self._people[id])

    def _note(self, id: str, action: str, user: str, values: Record) -> None:
        self.journal.add(
            at=self.clock.now(), resource="people", id=id, action=action, by="user", user=user, values=values
        )
