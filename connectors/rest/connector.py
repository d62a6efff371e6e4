"""The connector by declaration: a product's manifest, with the capabilities that it describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hub.connect.capabilities import Connector, Health, Page, Part, Record, Remote, Resource, Result, Write
from hub.connect.moments import utc_text
from hub.connect.positions import Problem
from hub.connect.services import Services
from hub.errors import ConfigurationError, HubError

from .calls import Client, Extra
from .describing import Describer, declared
from .feed import FUTURE, Feed
from .hooks import load_hooks
from .loading import Product, load, require
from .notices import Notices
from .places import text
from .reading import Reader
from .settings import read_settings
from .writing import Writer


class RestConnector:
    """Implements Connector, ListChanges, ListIds and Get. Thread-safe."""

    def __init__(self, product: Product, settings: dict[str, Any], services: Services) -> None:
        self.name = product.manifest.name
        steps = load_hooks(product)
        self._product = product
        self._services = services
        self._client = Client(product, read_settings(product.manifest, settings, services.system), services, steps)
        self._reader = Reader(product, self._client, steps)
        self._feed = Feed(self._reader, services)
        self._writer = Writer(self._client, self._reader, steps)
        self._notices = Notices(product, self._client)
        self._describer = Describer(product, self._reader)

    @property
    def usage(self) -> dict[str, int]:
        """``calls``, ``retries`` and ``errors`` so far."""
        return dict(self._client.http.usage)

    def check(self) -> Health:
        """Who we are there, and what is wrong with the set-up."""
        config = self._product.manifest.check
        identity, details = "unknown (the manifest has no 'check:')", {}
        if config is not None:
            answer = self._client.send(config, "check", {}, "", Extra()).json()
            held = answer if isinstance(answer, dict) else {"answer": answer}
            identity = text(config.identity).text(held)
            details = {name: text(one).text(held) for name, one in config.details.items()}
        problems = [problem for name in self._product.named if (problem := self._problem(name))]
        return Health(identity=identity, details=details, problems=tuple(problems))

    def describe(self, resource: str | None = None) -> list[Resource]:
        return self._describer.all() if resource is None else [self._describer.one(resource)]

    def close(self) -> None:
        self._client.close()

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        self._no_options(options)
        return self._feed.changes(resource, cursor, fields)

    def has_parts(self, resource: str, options: Record) -> bool:
        """Not where lines are watched: their changes bring up records of any part."""
        config = self._reader.shape(resource).config
        watched = any(lines.watch is not None for lines in config.lines.values())
        return config.list_ is not None and config.list_.parts is not None and not watched

    def list_part(
        self, resource: str, part: Part, cursor: str | None, fields: Sequence[str], options: Record
    ) -> Iterator[Page]:
        self._no_options(options)
        return self._feed.changes(resource, cursor, fields, part)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        return self._reader.ids(resource)

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        return self._reader.get(resource, ids, fields) if ids else []

    def _no_options(self, options: Record) -> None:
        if options:
            raise ConfigurationError(
                f"unknown read options: {', '.join(sorted(options))}",
                where=self._services.system,
                cure="take the mapping's read section out: what is read is said by the manifest",
            )

    def _problem(self, name: str) -> str | None:
        """What is wrong with reading a resource: its first page, and a filter that nothing should pass."""
        shape = self._reader.shape(name)
        try:
            walker = self._reader.walker(shape)
            first = next(iter(walker.walk({"resource": name})))
            rows = shape.cleaned(first.rows)[:2]
            for row in rows[:1]:
                shape.remote(row, [])
            if problem := self._reader.lookup_problem(shape, [row for row in rows if not shape.gone(row)]):
                return f"{name}: {problem}"
            if shape.config.list_ is not None and shape.config.list_.parts is not None and first.rows:
                parts = [next(iter(walker.walk(self._feed.asked(name, Part(n, 2))))).rows for n in (1, 2)]
                if both := {shape.id(row) for row in parts[0]} & {shape.id(row) for row in parts[1]}:
                    return f"{name}: {min(both)} is in both halves: the filter of 'parts' is ignored, or is none by key"
            if shape.config.list_ is not None and shape.config.list_.changes is not None and first.rows:
                later = self._services.now() + FUTURE
                if next(iter(walker.walk({"resource": name}, since=shape.questions.write(later)))).rows:
                    return (
                        f"{name}: asked for changes after {utc_text(later)}, it shows some: the filter of "
                        "'changes' is ignored, so every pass reads everything"
                    )
        except HubError as error:
            return f"{name}: {error}"
        return None


class Creates:
    """Adds Create."""

    _writer: Writer

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer.create(resource, writes, fields) if writes else []


class Updates:
    """Adds Update."""

    _writer: Writer

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer.update(resource, writes, fields) if writes else []


class Deletes:
    """Adds Delete."""

    _writer: Writer

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        return self._writer.delete(resource, writes) if writes else []


class Probes:
    """Adds Probe."""

    _reader: Reader

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        return self._reader.probe(resource, writes, fields) if writes else []


class Subscribes:
    """Adds Subscribe."""

    _notices: Notices

    def subscribe(self, resource: str, callback_url: str, secret: str) -> str | None:
        return self._notices.subscribe(resource, callback_url, secret)

    def hints(self, headers: dict[str, str], body: bytes, secret: str) -> list[tuple[str, str]]:
        return self._notices.hints(headers, body, secret)


def open_connector(settings: dict[str, Any], services: Services) -> Connector:
    """A connector for one system. ``settings["manifest"]`` is the path of the product's manifest; the registry puts it
    there for products that have a folder of their own. Connects to nothing yet.

    Raises ConfigurationError for a wrong manifest (with file:line:column) and for wrong settings.
    """
    given = dict(settings)
    path = given.pop("manifest", None)
    if not path:
        cure = "add 'manifest: my_product.yaml'"
        raise ConfigurationError("the system says no manifest", where=services.system, cure=cure)
    return connect(require(Path(str(path))), given, services)


def connect(product: Product, settings: dict[str, Any], services: Services) -> Connector:
    """A connector with exactly the capabilities that the manifest describes: the engine looks which are there."""
    some = [one for one in product.manifest.resources.values() if one is not None]
    parts: list[type] = []
    if any(one.create or one.upsert for one in some):
        parts.append(Creates)
    if any(one.update for one in some):
        parts.append(Updates)
    if any(one.delete or one.archive for one in some):
        parts.append(Deletes)
    if any(one.key or one.natural for one in some):
        parts.append(Probes)
    if product.manifest.webhooks is not None:
        parts.append(Subscribes)
    kind = type("RestConnector", (RestConnector, *parts), {"__doc__": RestConnector.__doc__})
    made: Connector = kind(product, settings, services)
    return made


def read_declared(manifest: Path) -> tuple[list[Resource], list[Problem]]:
    """The resources of a manifest, known without touching a system, and everything that is wrong with it."""
    product, problems = load(manifest)
    return (declared(product) if product is not None else []), problems
