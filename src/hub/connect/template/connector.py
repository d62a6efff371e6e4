"""New Product: reads its people. What else it can do follows from what you add: see docs/connectors/guide.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.connect.capabilities import Field, Health, Page, Record, Remote, Resource
from hub.connect.http import Http
from hub.connect.services import Services
from hub.errors import ConfigurationError

PEOPLE = Resource(
    name="people",
    label="People",
    fields=(
        Field("id", "text", read_only=True, unique=True),
        Field("name", "text", required=True, max_length=60),
        Field("phone", "text"),
        Field("credit", "decimal", scale=2),
        Field("changed_at", "datetime", read_only=True),
    ),
    writable=False,
    deletes="listing",
)
NEEDED = {"url", "token"}
OPTIONAL = {"page_size"}


def open_connector(settings: dict[str, Any], services: Services) -> NewProduct:
    """Raises ConfigurationError for settings that are missing or unknown; connects to nothing yet."""
    missing, unknown = NEEDED - settings.keys(), settings.keys() - NEEDED - OPTIONAL
    if missing or unknown:
        raise ConfigurationError(
            f"missing settings: {sorted(missing)}, unknown ones: {sorted(unknown)}",
            where=services.system,
            cure=f"it takes {', '.join(sorted(NEEDED | OPTIONAL))}",
        )
    http = Http(settings["url"], services, auth=Bearer(settings["token"]))
    return NewProduct(http, services.system, int(settings.get("page_size", 200)))


class Bearer:
    """A token that never ends. A product that hands out tokens needs hub.connect.tokens instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self, method: str, path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def refused(self, headers: dict[str, str]) -> None:
        """There is nothing to renew."""


class NewProduct:
    """Implements Connector, ListChanges and Get. Thread-safe."""

    name = "new_product"

    def __init__(self, http: Http, system: str, page_size: int) -> None:
        self._http = http
        self._system = system
        self._page_size = page_size

    def check(self) -> Health:
        me = self._http.get("me").json()
        return Health(identity=str(me["user"]))

    def describe(self, resource: str | None = None) -> list[Resource]:
        if resource not in (None, "people"):
            raise ConfigurationError(f"there is no {resource!r}", where=self._system, cure="there is only people")
        return [PEOPLE]

    def close(self) -> None:
        self._http.close()

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        # Everything, every time: always right, and enough until the product tells what changed since a moment.
        after = ""
        while True:
            found = self._http.get("people", params={"after": after, "limit": self._page_size}).json()["people"]
            last = len(found) < self._page_size
            yield Page([_remote(one) for one in found], cursor=None, complete=last)
            if last:
                return
            after = found[-1]["id"]

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        found = []
        for id in ids:
            answer = self._http.get(f"people/{id}", accept={404})
            found.append(Remote(id, None, deleted=True) if answer.status == 404 else _remote(answer.json()))
        return found


def _remote(person: Record) -> Remote:
    changed = str(person["changed_at"])
    return Remote(str(person["id"]), person, version=changed, modified_at=changed)
