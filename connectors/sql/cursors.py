"""Where a change feed stands, and from where the next one must start so that nothing is missed.

A row's time is set when its transaction runs and becomes visible when that commits, so rows appear a little behind the
newest one seen. A feed therefore starts ``overlap`` before the moment at which the last one looked; rows up to the
last one seen that are older than that have settled and are not read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from .keys import after
from .rows import instant_of
from .tables import Source, Table, cursor_of
from .values import time_in

_WORLD = timedelta(hours=14)
"""No zone is further ahead of UTC."""


@dataclass(slots=True)
class Position:
    """How far one feed has come: the last row's time and key, and when the feed began to look."""

    at: Any = None
    key: tuple[Any, ...] = ()
    seen: datetime | None = None


@dataclass(slots=True)
class Token:
    """The positions of a resource's own feed and of those of its lines."""

    main: Position = field(default_factory=Position)
    lines: dict[str, Position] = field(default_factory=dict)

    def text(self) -> str:
        positions = {"main": self.main, **{f"lines:{name}": position for name, position in self.lines.items()}}
        return json.dumps(
            {name: [_pack(p.at), [_pack(part) for part in p.key], _pack(p.seen)] for name, p in positions.items()},
            ensure_ascii=False,
            separators=(",", ":"),
        )


def parse(text: str | None) -> Token | None:
    """None when there is no cursor, or one of another version."""
    if not text:
        return None
    try:
        token = Token()
        for name, (at, key, seen) in json.loads(text).items():
            position = Position(_unpack(at), tuple(_unpack(part) for part in key), _unpack(seen))
            if name == "main":
                token.main = position
            else:
                token.lines[name.removeprefix("lines:")] = position
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return token


def _pack(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"number": str(value)} if isinstance(value, Decimal) else value


def _unpack(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, text), *_ = value.items()
    made: dict[str, Callable[[str], Any]] = {
        "time": datetime.fromisoformat, "date": date.fromisoformat, "number": Decimal,
    }  # fmt: skip
    return made[kind](text)


class Feed:
    """One change feed: a table with a cursor. ``parent``: columns that a line's key is unique together with."""

    def __init__(self, source: Source, table: Table, names: tuple[str, ...], parent: tuple[str, ...] = ()) -> None:
        self.source = source
        self.table = table
        self.identity = [table.column(name) for name in dict.fromkeys([*table.key, *parent])]
        self.column = table.columns[names[0]]
        expression = cursor_of(table, names)
        assert expression is not None
        self.expression: sa.ColumnElement[Any] = expression

    def order(self) -> list[sa.ColumnElement[Any]]:
        return [self.expression, *self.identity]

    def is_future(self, at: Any, now: datetime) -> bool:
        """Whether a row's time lies ahead of ``now``: such a row must not move the cursor, or whatever changes until
        then would be missed."""
        order, overlap = self.column.kind.order, timedelta(seconds=self.source.overlap)
        instant = instant_of(self.column, at, self.source)
        if instant is not None:
            return instant > now + overlap
        if order == "date" and isinstance(at, date | str):
            return str(at)[:10] > (now + _WORLD).date().isoformat()
        if order == "local" and isinstance(at, datetime):
            return at > (now + _WORLD).replace(tzinfo=None)
        if isinstance(at, str) and (moment := time_in(at)) is not None:
            return moment > (now + _WORLD).replace(tzinfo=None)
        return False

    def start(self, position: Position, now: datetime) -> sa.ColumnElement[bool]:
        """The condition for everything that may have changed since ``position``."""
        at, overlap = position.at, self.source.overlap
        order = self.column.kind.order
        if order == "integer":
            return self._from(at - overlap)
        if order == "date":
            day = date.fromisoformat(str(at)[:10]) - timedelta(days=1 + overlap // 86400)
            return self._from(day.isoformat() if isinstance(at, str) else day)
        instant = instant_of(self.column, at, self.source)
        if instant is None or position.seen is None:
            return self._from(_earlier(at, timedelta(seconds=overlap)))
        settled = position.seen - timedelta(seconds=overlap)
        ahead = self._by_its_clock(at, instant) - self._by_its_clock(at, settled) + self._put_back(position.seen, now)
        if ahead < timedelta(0) and position.key:
            return after(self.order(), [at, *position.key])
        return self._from(_earlier(at, max(ahead, timedelta(0))))

    def _by_its_clock(self, at: Any, moment: datetime) -> datetime:
        """``moment`` as the clock showed it that wrote ``at``: local clocks show an hour of autumn twice."""
        has_zone = isinstance(at, datetime) and at.tzinfo is not None
        if isinstance(at, str):
            moment_of_row = time_in(at)
            has_zone = moment_of_row is not None and moment_of_row.tzinfo is not None
        zone = UTC if has_zone or self.table.zone is None else self.table.zone
        return moment.astimezone(zone).replace(tzinfo=None)

    def _put_back(self, since: datetime, now: datetime) -> timedelta:
        """How far local clocks have been put back meanwhile: rows of that hour look older than they are."""
        zone = self.table.zone
        if self.column.kind.order not in ("local", "text") or zone is None:
            return timedelta(0)
        before, later = since.astimezone(zone).utcoffset(), now.astimezone(zone).utcoffset()
        return max(before - later, timedelta(0)) if before is not None and later is not None else timedelta(0)

    def _from(self, value: Any) -> sa.ColumnElement[bool]:
        return sa.and_(self.expression >= value)


def _earlier(at: Any, by: timedelta) -> Any:
    """``at`` less ``by``, in the form it has. A text that is no time stays."""
    if isinstance(at, datetime):
        return at - by
    if not isinstance(at, str):
        return at
    moment = time_in(at)
    if moment is None:
        return at
    # Compared as text: without fraction and zone it sorts before every longer form of the same second.
    return (moment - by).replace(microsecond=0, tzinfo=None).isoformat(sep="T" if "T" in at else " ")
