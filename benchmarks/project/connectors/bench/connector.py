"""Speaks to ``benchmarks/server.py``. Settings: ``url`` (of one system on it) and ``resources``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.connect.capabilities import Health, Page, Part, Record, Remote, Resource, Result, Write
from hub.connect.http import Http
from hub.connect.services import Services
from hub.errors import ConfigurationError, Gone, HubError, RecordRejected, VersionConflict


def open_connector(settings: dict[str, Any], services: Services) -> Bench:
    try:
        return Bench(str(settings["url"]), list(settings.get("resources", ["customers"])), services)
    except KeyError:
        raise ConfigurationError("the setting 'url' is missing", where=services.system) from None


class Bench:
    """One system on the benchmark server. Write answers echo the stored record, so nothing is read back."""

    def __init__(self, url: str, resources: list[str], services: Services) -> None:
        self.name = services.system
        self.http = Http(url, services)
        self.resources = {name: Resource(name, probe="external", deletes="tombstones") for name in resources}

    def check(self) -> Health:
        for name in self.resources:
            self.http.get(name, params={"limit": 1})
        return Health(identity=self.http.base_url)

    def describe(self, resource: str | None = None) -> list[Resource]:
        if resource is None:
            return list(self.resources.values())
        if resource not in self.resources:
            raise ConfigurationError(f"no resource {resource!r}", cure=f"there are {', '.join(self.resources)}")
        return [self.resources[resource]]

    def close(self) -> None:
        self.http.close()

    def has_parts(self, resource: str, options: Record) -> bool:
        return True

    def list_part(
        self, resource: str, part: Part, cursor: str | None, fields: Sequence[str], options: Record
    ) -> Iterator[Page]:
        return self._pages(resource, cursor, {"part": str(part)})

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        return self._pages(resource, cursor, {})

    def _pages(self, resource: str, cursor: str | None, more: dict[str, str]) -> Iterator[Page]:
        params = {"changed_since": cursor or "0", "limit": "200", **more}
        while True:
            page = self.http.get(resource, params=params, where=f"{self.name}/{resource}").json()
            last = page["next"] is None
            yield Page([_remote(item) for item in page["records"]], page["cursor"], complete=last and cursor is None)
            if last:
                return
            params = {"page_token": page["next"], "limit": "200", **more}

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        return [_remote(item) for item in self._by(resource, "ids", ids)]

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        found = self._by(resource, "keys", [write.key for write in writes])
        return [None if item is None or item.get("deleted") else _remote(item) for item in found]

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._upsert(resource, [{"key": write.key, "values": write.values} for write in writes])

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        records = [{"id": w.id, "version": w.version, "values": w.values} for w in writes]
        return self._upsert(resource, records)

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        ids = ",".join(str(write.id) for write in writes)
        answer = self.http.request("DELETE", resource, params={"ids": ids}, idempotent=True)
        return [Result(_remote(item)) for item in answer.json()["records"]]

    def _by(self, resource: str, name: str, values: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(values), 100):
            params = {name: ",".join(values[start : start + 100])}
            found += self.http.get(resource, params=params, where=f"{self.name}/{resource}").json()["records"]
        return found

    def _upsert(self, resource: str, records: list[Record]) -> list[Result]:
        # By the writer's key or with a version, so sending it again does no harm.
        answer = self.http.post(
            f"{resource}/upsert",
            json={"records": records, "echo": True},
            idempotent=True,
            where=f"{self.name}/{resource}",
        )
        return [
            Result(error=_error(i["error"])) if "error" in i else Result(_remote(i)) for i in answer.json()["results"]
        ]


def _remote(item: Record) -> Remote:
    return Remote(
        id=item["id"],
        record=item.get("values"),
        version=item.get("version"),
        modified_at=item.get("modified_at"),
        key=item.get("key"),
        deleted=item.get("deleted", False),
    )


def _error(error: Record) -> HubError:
    match error["code"]:
        case "VERSION_CONFLICT":
            return VersionConflict(error["message"])
        case "NOT_FOUND":
            return Gone(error["message"])
    return RecordRejected(error["message"], field=error["field"], code=error["code"])
