"""The connector: one Singer tap, to read from. What a tap hands out is handed on as it comes, state and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec

from hub.connect.answers import decode, encode
from hub.connect.capabilities import Health, Page, Record, Remote, Resource
from hub.connect.moments import Moments, utc_text
from hub.connect.services import Services
from hub.connect.templates import as_text
from hub.errors import ConfigurationError, UnexpectedAnswer

from .catalog import JOINT, Catalog
from .process import Tap
from .settings import Settings, read_settings

_DELETED = "_sdc_deleted_at"
"""Field by which taps that see deletions tell them."""


class SingerConnector:
    """Implements Connector, ListChanges and ListIds. Each reading is a run of the tap."""

    name = "singer"

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self._tap = Tap(settings, services.system)
        self._catalog: Catalog | None = None

    def check(self) -> Health:
        """Runs the tap's discovery, which in most taps logs in."""
        catalog = self._discovered(fresh=True)
        unkeyed = [name for name in catalog.streams if not catalog.key(name)]
        cure = "say them under 'streams:' before mapping it"
        problems = [f"{name}: the catalog names no key properties; {cure}" for name in unkeyed]
        details = {"streams": str(len(catalog.streams))}
        return Health(identity=self._settings.tap[0], details=details, problems=tuple(problems))

    def describe(self, resource: str | None = None) -> list[Resource]:
        catalog = self._discovered(fresh=True)
        return catalog.resources() if resource is None else [catalog.resource(resource)]

    def close(self) -> None:
        """Nothing stays open between readings."""

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        """See ``ListChanges``. The cursor is the tap's own state: it covers the records that came before it."""
        self._no_options(options)
        catalog = self._discovered()
        names = {field.partition(".")[0] for field in fields}
        state = _state(cursor)
        held: list[Remote] = []
        covered: str | None = None
        with closing(self._tap.messages(catalog.only(resource), state)) as messages:
            key = catalog.key(resource)
            for message in messages:
                kind = message["type"]
                if kind == "SCHEMA" and message.get("stream") == self._stream(catalog, resource):
                    key = key or [str(one) for one in message.get("key_properties") or []]
                elif kind == "RECORD" and message.get("stream") == self._stream(catalog, resource):
                    held.append(self._remote(catalog, resource, key, names, message.get("record")))
                elif kind == "STATE":
                    covered = encode(message.get("value")).decode()
                    if held:
                        yield Page(held, covered)
                        held = []
                if len(held) >= self._settings.page:
                    # No cursor: the tap's state does not cover these yet, and reading begins again at the one before.
                    yield Page(held, None)
                    held = []
        yield Page(held, covered, complete=state is None)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        """See ``ListIds``: everything once more, since a tap knows no shorter way."""
        for page in self.list_changes(resource, None, [], options):
            live = [remote.id for remote in page.records if not remote.deleted]
            if live:
                yield live

    def _remote(self, catalog: Catalog, resource: str, key: list[str], names: set[str], record: Any) -> Remote:
        where = f"{self._services.system}/{resource}"
        if not isinstance(record, dict):
            raise UnexpectedAnswer("a RECORD without a record", where=where)
        if not key:
            raise ConfigurationError(
                f"the tap does not say what tells records of {resource!r} apart",
                where=where,
                cure=f"add 'streams: {{{resource}: {{id: [FIELD]}}}}' to the system in hub.yaml",
            )
        parts = [record.get(name) for name in key]
        if any(part in (None, "") for part in parts):
            raise UnexpectedAnswer(f"a record has no value of {', '.join(key)}", where=where)
        modified = catalog.modified(resource)
        moment = None
        if modified is not None:
            try:
                moment = Moments().parse(record.get(modified))
            except ValueError:
                moment = None
        gone = bool(record.get(_DELETED))
        at = utc_text(moment) if moment else None
        kept = None if gone else {name: value for name, value in record.items() if name in names or name in key}
        return Remote(JOINT.join(map(as_text, parts)), kept, version=at, modified_at=at, deleted=gone)

    def _stream(self, catalog: Catalog, resource: str) -> str:
        return str(catalog.streams[resource].get("stream") or resource)

    def _discovered(self, *, fresh: bool = False) -> Catalog:
        if self._catalog is None or fresh:
            self._catalog = Catalog(self._tap.discover(), self._settings, self._services.system)
        return self._catalog

    def _no_options(self, options: Record) -> None:
        if options:
            told = f"unknown read options: {', '.join(sorted(options))}"
            cure = "take the mapping's read section out: a tap is told what to read by its config"
            raise ConfigurationError(told, where=self._services.system, cure=cure)


def _state(cursor: str | None) -> Any:
    try:
        return decode(cursor.encode()) if cursor else None
    except msgspec.DecodeError:
        return None


def open_connector(settings: dict[str, Any], services: Services) -> SingerConnector:
    """A connector for one tap. Starts nothing yet. Raises ConfigurationError for wrong settings."""
    return SingerConnector(read_settings(settings, services.system), services)
