"""The sandbox as the kit serves it: requests in, the vendor's answers out, and the control verbs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from hub.connect.answers import decode, encode
from hub.connect.sandbox import FAULT, Operation, Record, SandboxApp, SandboxClock
from hub.connect.sandbox_hooks import Delivery

from ..seed import MODULES, seed_module
from . import problems
from .access import Accounts, Quota
from .batches import split_batch
from .bulk import BulkRead
from .data import fill
from .dispatch import Calls
from .lists import Limits, Lists
from .org import INTEGRATION, Org
from .problems import ApiProblem
from .records import Records, Refused
from .routes import Route, cost, counts_twice, recognise
from .search import Search
from .watch import Watch
from .writes import Writes

JSON = "application/json;charset=UTF-8"
FIELDS = "settings/fields"
"""Control resource through which a test plays the admin: ids are ``Module.Field``."""


WATCH = "watch"
"""Control resource: its records are the channels; ``edit`` of the id ``delivery`` sets how callbacks travel."""


class Request:
    """One request, taken apart."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.method = str(environ["REQUEST_METHOD"])
        self.path = unquote(str(environ["PATH_INFO"]).encode("latin-1").decode("utf-8"))
        self.params = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
        self.headers = {
            "Authorization": environ.get("HTTP_AUTHORIZATION"),
            "If-Modified-Since": environ.get("HTTP_IF_MODIFIED_SINCE"),
            "If-Unmodified-Since": environ.get("HTTP_IF_UNMODIFIED_SINCE"),
            "X-EXTERNAL": environ.get("HTTP_X_EXTERNAL"),
            "Content-Type": environ.get("CONTENT_TYPE"),
        }
        self.raw: bytes = environ["wsgi.input"].read()
        self.base_url = f"http://{environ.get('HTTP_HOST') or '127.0.0.1:' + str(environ['SERVER_PORT'])}"

    def json(self) -> Any:
        """The body as JSON, whatever its content type says. Raises ApiProblem."""
        try:
            return decode(self.raw)
        except msgspec.DecodeError:
            raise problems.bad_body() from None

    def form(self) -> dict[str, str]:
        """Form body and query together."""
        return {**self.params, **dict(parse_qsl(self.raw.decode("utf-8", "replace")))}


class ZohoSandbox(SandboxApp):
    """One Zoho org."""

    name = "zoho_crm"
    path = "/"
    fault_kinds = frozenset({"end_tokens", "half_batch", "partial_batch"})

    def __init__(
        self,
        *,
        sizes: dict[str, int],
        seed: int = 1,
        clock: SandboxClock | None = None,
        org: Org | None = None,
        accounts: dict[str, Any] | None = None,
        quota: dict[str, Any] | None = None,
        limits: Limits | None = None,
        search_delay: float = 2.0,
        strict_choices: bool = False,
    ) -> None:
        super().__init__(clock)
        self.lock = threading.RLock()
        self.org = org or Org()
        self.accounts = Accounts(self.clock.now, seed, **(accounts or {}))
        self.quota = Quota(self.clock.now, **(quota or {}))
        self.records_of = Records(self.org, self.clock.now, strict_choices)
        lists = Lists(self.records_of, limits or Limits())
        self.watch = Watch(self.records_of)
        writes = Writes(self.records_of, lists, self._told)
        search = Search(self.records_of, search_delay)
        self.calls = Calls(self.records_of, lists, writes, search, self.watch, BulkRead(self.records_of))
        fill(self.records_of, seed, sizes)

    # --- the API --------------------------------------------------------------------------------------

    @property
    def wsgi(self) -> Any:
        return self._answer

    def operation(self, method: str, path: str, body: bytes) -> Operation:
        try:
            route = recognise(method, path)
        except ApiProblem:
            return Operation(f"{method} {path}")
        return Operation(route.name, route.kind)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        fault = environ.get(FAULT) or {}
        if fault.get("kind") == "end_tokens":
            self.accounts.end_tokens()
        request = Request(environ)
        refused = split_batch(request, str(fault.get("kind")), str(fault.get("message") or ""))
        more: list[tuple[str, str]] = []
        try:
            status, body = self._reply(request, more)
        except ApiProblem as problem:
            status, body = problem.status, problem.body
        status, body = refused(status, body)
        headers = [("Date", self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")), *more]
        if body is None:
            start_response(f"{status} {_PHRASES.get(status, 'OK')}", headers)
            return []
        if isinstance(body, bytes):
            headers.append(("Content-Type", "application/zip"))
            payload = body
        else:
            headers += [("Content-Type", JSON), ("Content-Disposition", "attachment; filename=response.json")]
            payload = encode(body)
        start_response(f"{status} {_PHRASES.get(status, 'OK')}", headers)
        return [payload]

    def _reply(self, request: Request, more: list[tuple[str, str]]) -> tuple[int, Any]:
        route = recognise(request.method, request.path)
        if route.call in ("token", "revoke"):
            if request.method != "POST":
                raise problems.invalid_method()
            with self.lock:
                if route.call == "token":
                    return self.accounts.token(request.form(), request.base_url)
                return self.accounts.revoke(request.form())
        with self.lock:
            ends = self.accounts.check(request.headers["Authorization"], route.scopes)
        more.append(("X-ACCESSTOKEN-RESET", self.org.local(ends)))
        records = self._records_sent(route, request)
        with self.quota.call(cost(route, records, request.params), counts_twice(route, records, request.params)):
            more.extend(self.quota.headers())
            with self.lock:
                reply: tuple[int, Any] = self.calls.answer(route, request)
        return reply

    @staticmethod
    def _records_sent(route: Route, request: Request) -> int:
        if route.call not in ("insert", "update", "upsert"):
            return 0
        try:
            data = request.json().get("data")
        except (ApiProblem, AttributeError):
            return 0
        return len(data) if isinstance(data, list) else 0

    def _told(self, module: str, id: str, action: str, values: Record) -> None:
        self._note(module, id, action, values, INTEGRATION.name, "hub")

    def _note(self, module: str, id: str, action: str, values: Record, user: str, by: str) -> None:
        self.journal.add(at=self.clock.now(), resource=module, id=id, action=action, by=by, user=user, values=values)
        self.watch.note(module, id, action, values)

    def expire(self) -> None:
        with self.lock:
            self.accounts.end_tokens()

    def touch(self, resource: str, chance: random.Random) -> None:
        with self.lock:
            rows = self.records_of.tables[resource].rows if resource in self.records_of.tables else {}
            if rows and seed_module(resource).get("kind") != "subform":
                self.edit(resource, str(chance.choice(list(rows))), {}, INTEGRATION.name)

    def listing(self, operation: Operation, content: Any) -> tuple[list[Any], Callable[[Any], Any]] | None:
        rows = content.get("data") if operation.kind == "read" and isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
            return None
        return rows, itemgetter("id")

    # --- control verbs --------------------------------------------------------------------------------

    def credentials(self, base_url: str) -> Record:
        return {
            "client_id": self.accounts.client_id,
            "client_secret": self.accounts.client_secret,
            "refresh_token": self.accounts.refresh_token,
            "accounts_url": base_url,
        }

    def samples(self) -> Record:
        with self.lock:
            rows = {m: next(iter(self.records_of.tables[m].rows.values()), None) for m in MODULES}
            found: Record = {m.lower(): str(row.id) for m, row in rows.items() if row}
        return {**found, "tax": "VAT", "currency": "CNY", "user": INTEGRATION.id}

    def resources(self) -> list[str]:
        return [*MODULES, FIELDS, "workflow_runs", WATCH]

    def records(self, resource: str) -> list[Record]:
        with self.lock:
            if resource == FIELDS:
                return [{"id": f"{m}.{f['api_name']}", **f} for m in MODULES for f in self.org.fields[m]]
            if resource == WATCH:
                return [asdict(channel) for channel in self.watch.channels.values()]
            if resource == "workflow_runs":
                return list(self.records_of.workflow_runs)
            rows = self.records_of.tables[self._module(resource)].rows.values()
            return [
                {k: v for k, v in self.records_of.renderer.whole(resource, row).items() if not k.startswith("$")}
                for row in rows
            ]

    def create(self, resource: str, values: Record, user: str) -> Record:
        """Enter a record; one with the ``id`` of a deleted record brings that one back from the recycle bin."""
        with self.lock:
            if resource == FIELDS:
                return self.org.add_field(self._module(str(values.get("module", ""))), values)
            module, who = self._module(resource), self.org.user_named(user).id
            if values.get("id"):
                row = self.records_of.restore(module, str(values["id"]), who)
            else:
                row = self._try(lambda: self.records_of.insert(module, values, by=who))
            self._note(module, str(row.id), "create", values, user, "user")
            return self.records_of.renderer.whole(module, row)

    def edit(self, resource: str, id: str, values: Record, user: str) -> Record:
        """Change fields. Lines as the API takes them: with ``id`` changed, without added, ``_delete`` removed."""
        with self.lock:
            if resource == FIELDS:
                module, _, name = id.partition(".")
                return self.org.change_field(self._module(module), name, values)
            if resource == WATCH:
                self.watch.sender.delivery = Delivery(**values)
                return asdict(self.watch.sender.delivery)
            module, row = self._module(resource), self._row(resource, id)
            self._try(lambda: self.records_of.update(module, row, values, by=self.org.user_named(user).id))
            self._note(module, id, "update", values, user, "user")
            return self.records_of.renderer.whole(module, row)

    def delete(self, resource: str, id: str, user: str) -> None:
        with self.lock:
            if resource == FIELDS:
                module, _, name = id.partition(".")
                self.org.remove_field(self._module(module), name)
                return
            self.records_of.delete(self._module(resource), self._row(resource, id), self.org.user_named(user).id)
            self._note(resource, id, "delete", {}, user, "user")

    def _module(self, name: str) -> str:
        if name not in MODULES:
            raise LookupError(f"no module {name!r}; there are {', '.join(MODULES)}")
        return name

    def _row(self, module: str, id: str) -> Any:
        row = self.records_of.find(self._module(module), id)
        if row is None:
            raise LookupError(f"no record {id} in {module}")
        return row

    @staticmethod
    def _try(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Refused as refused:
            raise ValueError(str(refused)) from refused


_PHRASES = {201: "Created", 204: "No Content", 207: "Multi-Status", 304: "Not Modified", 400: "Bad Request",
            401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 412: "Precondition Failed",
            415: "Unsupported Media Type", 429: "Too Many Requests"}  # fmt: skip


def create_sandbox(records: int = 100, seed: int = 1, **options: Any) -> ZohoSandbox:
    """A sandbox with ``records`` accounts.

    Options: ``products``, ``orders``, ``invoices`` (how many; by default a fifth, as many as, and half as many as the
    accounts), ``time_zone`` of the token's user, ``token_seconds``, ``credits``, ``at_once``, ``sub_at_once``,
    ``scopes``, ``page_records`` and ``token_records`` (the ceilings of paging), ``search_delay`` (seconds),
    ``strict_choices`` (refuse picklist values that are not in the list), ``clock``.
    """
    sizes = {
        "accounts": int(records),
        "products": int(options.pop("products", max(16, int(records) // 5))),
        "orders": int(options.pop("orders", records)),
    }
    sizes["invoices"] = int(options.pop("invoices", sizes["orders"] // 2))
    org = Org(time_zone=str(options.pop("time_zone", "Asia/Shanghai")))
    accounts: dict[str, Any] = {
        name: kind(options.pop(name)) for name, kind in (("token_seconds", float), ("throttle", int), ("scopes", str))
        if name in options
    }  # fmt: skip
    quota: dict[str, Any] = {
        name: int(options.pop(name)) for name in ("credits", "at_once", "sub_at_once") if name in options
    }
    limits = Limits(**{n: int(options.pop(n)) for n in ("page_records", "token_records", "ids") if n in options})
    return ZohoSandbox(sizes=sizes, seed=int(seed), org=org, accounts=accounts, quota=quota, limits=limits, **options)
