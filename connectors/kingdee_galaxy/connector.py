"""The connector to 金蝶云星空 (Kingdee Cloud Galaxy): capabilities, each handed to the module that does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.connect.capabilities import Cost, Health, Page, Reading, Record, Remote, Resource, Result, Write, Writing
from hub.connect.services import Services
from hub.errors import ConfigurationError

from .client import Client
from .costs import Costs
from .metadata import Metadata, bundled, with_settings
from .queries import Queries, Shape
from .reading import Reader
from .settings import Settings, read_settings
from .writing import Writer

OFFERED = ("BD_Customer", "BD_MATERIAL", "SAL_SaleOrder", "AR_receivable")


def open_connector(settings: dict[str, Any], services: Services) -> KingdeeGalaxy:
    """A connector for one account set. Connects to nothing yet. Raises ConfigurationError for wrong settings."""
    return KingdeeGalaxy(read_settings(settings, services.system), services)


def resources() -> list[Resource]:
    """The bundled descriptions."""
    return list(bundled().values())


class KingdeeGalaxy:
    """One account set. Thread-safe."""

    name = "kingdee_galaxy"

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self._client = Client(settings, services)
        self._metadata = Metadata(self._client, settings)
        self._reader = Reader(Queries(self._client, settings.page_rows), self._metadata, settings, services)
        self._costs = Costs(self._reader, self._metadata, settings)
        self._writer = Writer(self._client, self._metadata, self._reader, settings, services.system)

    @property
    def usage(self) -> dict[str, int]:
        """Calls by operation since opening, ``calls`` in all (repeated ones counted each time they were sent)."""
        return {"calls": self._client.http.usage["calls"], **self._client.usage}

    def check(self) -> Health:
        """Logs in, and tries to read and to describe each form that is offered or set up."""
        problems: list[str] = []
        centre = self._client.data_centre()
        if not centre:
            problems.append(f"the server lists no data centre {self._settings.acct_id}")
        readable = []
        for form in dict.fromkeys((*OFFERED, *self._settings.forms)):
            try:
                next(self._reader.queries.drain(Shape(self._metadata.info(form), ()), "1=2"))
                live = self._metadata.live(form)
            except ConfigurationError as problem:
                problems.append(str(problem))
                continue
            readable.append(form)
            if self._settings.key_field and live.probe != "external":
                problems.append(
                    f"{form} has no field {self._settings.key_field}: records can only be created there with a number"
                )
        name = str(centre.get("Name") or self._settings.acct_id)
        return Health(
            identity=f"{self._settings.username} in {name}",
            details={"version": str(centre.get("Version") or ""), "readable": ", ".join(readable)},
            limits={"rows a query": str(self._settings.page_rows), "records a save": str(self._settings.batch)},
            problems=tuple(problems),
        )

    def describe(self, resource: str | None = None) -> list[Resource]:
        """See ``Connector``. Without a name: the offered forms and those in the settings."""
        if resource is not None:
            return [self._metadata.live(resource)]
        return [self._metadata.live(form) for form in dict.fromkeys((*OFFERED, *self._settings.forms))]

    def known(self, resource: str) -> Resource:
        """A resource as bundled, without asking the system where that is possible."""
        return with_settings(self._metadata.known(resource), self._settings)

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        return self._reader.changes(resource, cursor, fields, options)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        return self._reader.ids(resource, options)

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        return self._reader.get(resource, ids, fields, options)

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer.create(resource, writes, fields, options)

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer.update(resource, writes, fields, options)

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        return self._writer.delete(resource, writes, options)

    def finish(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer.finish(resource, writes, fields, options)

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        return self._reader.probe(resource, writes, fields, options)

    def read_cost(self, resource: str, reading: Reading) -> Cost:
        return self._costs.read(resource, reading)

    def ids_cost(self, resource: str, records: int, options: Record) -> Cost:
        return self._costs.ids(records)

    def write_cost(self, resource: str, writing: Writing) -> Cost:
        return self._costs.write(resource, writing)

    def close(self) -> None:
        self._client.close()
