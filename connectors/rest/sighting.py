"""A row of an answer as a sighting: its id, version, moment of change and the hub's key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.connect.capabilities import Record, Remote
from hub.connect.moments import Moments, utc_text
from hub.connect.templates import as_text
from hub.connect.workflow import same
from hub.errors import UnexpectedAnswer

from .grammar import Fields, ResourceConfig
from .grammar_calls import TimeConfig
from .hooks import Steps
from .places import found


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records of one resource are looked at."""

    name: str
    config: ResourceConfig
    time: TimeConfig
    steps: Steps
    where: str

    @property
    def moments(self) -> Moments:
        """How answers write moments."""
        return Moments(self.time.format, self.time.zone, self.time.digits)

    @property
    def questions(self) -> Moments:
        """How questions write them."""
        return Moments(self.time.ask or self.time.format, self.time.zone, self.time.digits)

    def cleaned(self, rows: Iterable[Record]) -> list[Record]:
        """Rows after the manifest's own reading step, with amounts that come as text as the numbers that they are."""
        read = self.steps.read
        made = [read(row, self.name) for row in rows] if read else list(rows)
        for row in made:
            _exact(row, self.config.fields)
        return made

    def id(self, row: Record) -> str:
        """Raises UnexpectedAnswer for a row without one."""
        value = found(row, self.config.id)
        if value in (None, ""):
            told = f"a record has no id at {self.config.id!r}"
            raise UnexpectedAnswer(told, where=self.where, cure="correct 'id:' in the manifest")
        return as_text(value)

    def changed(self, row: Record) -> datetime | None:
        """The newest of its moments of change, in UTC."""
        try:
            moments = [self.moments.parse(found(row, at)) for at in self.config.modified]
        except ValueError as problem:
            cure = "correct 'time:' in the manifest"
            raise UnexpectedAnswer(str(problem), where=self.where, cure=cure) from None
        return max((m for m in moments if m is not None), default=None)

    def version(self, row: Record) -> str | None:
        """What tells that it moved on."""
        if self.config.version:
            parts = [as_text(found(row, at)) for at in self.config.version]
            return "/".join(parts) if any(parts) else None
        moment = self.changed(row)
        return utc_text(moment) if moment else None

    def gone(self, row: Record) -> bool:
        """Whether the row says that it is deleted."""
        deleted = self.config.deleted
        if deleted is None:
            return False
        value = found(row, deleted.at)
        return any(same(value, one) for one in deleted.is_) if deleted.is_ else value not in (None, "", False)

    def remote(self, row: Record, fields: Sequence[str]) -> Remote:
        """A sighting with the asked fields only, so that it looks the same whichever call it came from."""
        moment = self.changed(row)
        key = found(row, self.config.key)
        ref = found(row, self.config.ref)
        names = dict.fromkeys([self.config.id.partition(".")[0], *(f.partition(".")[0] for f in fields)])
        gone = self.gone(row)
        return Remote(
            id=self.id(row),
            record=None if gone else {name: row[name] for name in names if name in row},
            version=self.version(row),
            modified_at=utc_text(moment) if moment else None,
            modified_by=_word(found(row, self.config.modified_by)),
            ref=_word(ref),
            key=_word(key),
            deleted=gone,
        )


def _exact(row: Record, fields: Fields) -> None:
    """Declared decimals as numbers, at every depth; a text that is none stays as it is."""
    for name, field in fields.items():
        value = row.get(name)
        if field.type == "decimal" and isinstance(value, str):
            with suppress(InvalidOperation):
                number = Decimal(value)
                row[name] = number if number.is_finite() else value
        elif field.fields and value:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _exact(one, field.fields)


def _word(value: Any) -> str | None:
    return as_text(value) or None if not isinstance(value, (dict, list)) else None
