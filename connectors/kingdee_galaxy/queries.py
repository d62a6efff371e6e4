"""ExecuteBillQuery as the hub uses it: keys, quoting, stable paging by inner id, and rows put back into records.

A page is counted in rows, and a record's lines may straddle a page border (A5.2). So everything is read by inner id,
``FID > last``: nothing that moves while we read can push a row over a border, and a record cut by the border is read
again from its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.connect.capabilities import Record
from hub.errors import ConfigurationError

from .client import Client, Rows
from .forms import FormInfo
from .replies import call_error, missing_field


@dataclass(frozen=True, slots=True)
class Column:
    """One key of a query and where its value goes in the record."""

    key: str
    path: tuple[str, ...]
    optional: bool = False
    """Left out, and remembered as absent, when this account set does not have it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What to ask of one form: the head's columns, and those of at most one entry."""

    info: FormInfo
    head: tuple[Column, ...]
    entry: str | None = None
    lines: tuple[Column, ...] = ()


@dataclass(slots=True)
class Found:
    """One record, or the lines of one, as a query shows it. ``meta`` holds the columns named with a leading ``@``."""

    pk: Any
    record: Record
    meta: dict[str, Any] = field(default_factory=dict)
    lines: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """Some complete records, ascending by inner id."""

    found: list[Found]
    last: Any
    """Inner id up to which everything has been read."""
    server_time: datetime | None
    end: bool


def quoted(value: str) -> str:
    """A text in a FilterString: it goes near SQL, so quotes are doubled (A5.3)."""
    return "'" + value.replace("\x00", "").replace("'", "''") + "'"


def literal(value: Any) -> str:
    """An inner id in a FilterString: a number, or a GUID in quotes."""
    return str(value) if isinstance(value, int) or str(value).isdigit() else quoted(str(value))


def one_of(key: str, values: Iterable[str]) -> str:
    """``key in (…)``, of texts or inner ids already written as literals."""
    return f"{key} in ({','.join(values)})"


def both(*conditions: str) -> str:
    """All of these; empty ones don't count."""
    given = [c for c in conditions if c]
    return " and ".join(f"({c})" if len(given) > 1 and " or " in c.lower() else c for c in given)


class FieldAbsent(ConfigurationError):
    """A condition names a field that this account set does not have; it is remembered as absent from now on."""


class Queries:
    """Queries of one account set; remembers which fields it does not have."""

    def __init__(self, client: Client, page_rows: int) -> None:
        self._client = client
        self._rows = page_rows
        self._absent: dict[str, set[str]] = {}

    def has(self, form: str, key: str) -> bool:
        """False once a query has said that the form has no such field."""
        return key.lower() not in self._absent.get(form, ())

    def drain(self, shape: Shape, condition: str = "", after: Any = None) -> Iterator[Batch]:
        """All records that meet the condition, ascending by inner id, from behind ``after``."""
        while True:
            batch = self._batch(shape, condition, after)
            yield batch
            if batch.end:
                return
            after = batch.last

    def all(self, shape: Shape, condition: str) -> list[Found]:
        """As ``drain``, in one list: for conditions that name their records."""
        return [found for batch in self.drain(shape, condition) for found in batch.found]

    def newest(self, info: FormInfo, key: str, condition: str = "") -> str | None:
        """The largest value of a time field; None when there is no record."""
        shape = Shape(info, (Column(key, ("@newest",), optional=True),))
        rows = self._ask(shape, both(f"{key} is not null", condition), f"{key} DESC", limit=1)
        return str(rows.rows[0][-1]) if rows.rows else None

    def _batch(self, shape: Shape, condition: str, after: Any) -> Batch:
        pk = shape.info.pk
        behind = f"{pk} > {literal(after)}" if after is not None else ""
        answer = self._ask(shape, both(behind, condition), self._order(shape), self._rows)
        found = self._records(shape, answer.rows)
        if len(answer.rows) < self._rows:
            return Batch(found, found[-1].pk if found else after, answer.server_time, end=True)
        if shape.entry and len(found) > 1:
            found.pop()
        elif shape.entry:
            found = [self._long_record(shape, found[0], condition)]
        return Batch(found, found[-1].pk, answer.server_time, end=False)

    def _long_record(self, shape: Shape, first: Found, condition: str) -> Found:
        """A record with more lines than a page has rows."""
        only = both(f"{shape.info.pk} = {literal(first.pk)}", condition)
        while True:
            answer = self._ask(shape, only, self._order(shape), self._rows, start=len(first.lines))
            for more in self._records(shape, answer.rows):
                first.lines += more.lines
            if len(answer.rows) < self._rows:
                return first

    def _order(self, shape: Shape) -> str:
        pk = shape.info.pk
        return f"{pk} ASC, {shape.entry}_{ENTRY_ID} ASC" if shape.entry else f"{pk} ASC"

    def _ask(self, shape: Shape, condition: str, order: str, limit: int, start: int = 0) -> Rows:
        form = shape.info.id
        where = f"{self._client.system}/{form}"
        while True:
            columns = self.columns(shape)
            data = {
                "FormId": form, "FieldKeys": ",".join(c.key for c in columns), "FilterString": condition,
                "OrderString": order, "TopRowCount": 0, "StartRow": start, "Limit": limit, "SubSystemId": "",
            }  # fmt: skip
            answer = self._client.query(data, form)
            if isinstance(answer, Rows):
                return answer
            gone = missing_field(answer.text())
            if not gone or not self._forget(form, gone, shape):
                raise call_error(answer, f"{where}.{gone}" if gone else where)
            if re.search(rf"\b{re.escape(gone)}\b", f"{condition} {order}", re.IGNORECASE):
                raise FieldAbsent(f"{form} has no field {gone}", where=f"{where}.{gone}")

    def _forget(self, form: str, key: str, shape: Shape) -> bool:
        """Do without a field nobody insisted on. False when somebody did."""
        asked = (*shape.head, *shape.lines)
        wanted = [c for c in asked if key.lower() in (part.lower() for part in c.key.split("."))]
        if not wanted or not all(c.optional for c in wanted) or not self.has(form, key):
            return False
        self._absent.setdefault(form, set()).update(c.key.partition(".")[0].lower() for c in wanted)
        return True

    def columns(self, shape: Shape) -> list[Column]:
        """The columns as they are asked for, the inner id first."""
        info = shape.info
        wanted = [Column(info.pk, (info.pk,)), *shape.head]
        if shape.entry:
            wanted += [Column(f"{shape.entry}_{ENTRY_ID}", ("@line",)), *shape.lines]
        unique: dict[str, Column] = {}
        for column in wanted:
            if self.has(info.id, column.key.partition(".")[0]):
                unique.setdefault(column.key.lower(), column)
        return list(unique.values())

    def _records(self, shape: Shape, rows: list[list[Any]]) -> list[Found]:
        columns = self.columns(shape)
        place = {c.key.lower(): at for at, c in enumerate(columns)}
        heads = [(place[c.key.lower()], c.path) for c in shape.head if c.key.lower() in place]
        lines = [(place[c.key.lower()], c.path) for c in shape.lines if c.key.lower() in place]
        line_id = place.get(f"{shape.entry}_{ENTRY_ID}".lower()) if shape.entry else None
        id_key = shape.info.entries.get(shape.entry or "", "FEntryID")
        found: list[Found] = []
        seen: set[Any] = set()
        for row in rows:
            if len(row) != len(columns):
                raise ConfigurationError(f"{shape.info.id}: a row has {len(row)} values for {len(columns)} keys")
            if not found or found[-1].pk != row[0]:
                found.append(_head(shape.info, row, heads))
                seen = set()
            # A row that comes twice is one line, not two.
            if line_id is not None and row[line_id] and row[line_id] not in seen:
                seen.add(row[line_id])
                line: Record = {id_key: row[line_id]}
                for at, path in lines:
                    _put(line, path, row[at])
                found[-1].lines.append(line)
        return found


ENTRY_ID = "FEntryID"
"""In queries every line's id is ``<EntityKey>_FEntryID``, however Save spells it (A5.1)."""


def _head(info: FormInfo, row: list[Any], heads: list[tuple[int, tuple[str, ...]]]) -> Found:
    found = Found(row[0], {info.pk: row[0]})
    for at, path in heads:
        if path[0].startswith("@"):
            found.meta[path[0][1:]] = row[at]
        else:
            _put(found.record, path, row[at])
    return found


def _put(target: Record, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[path[-1]] = value
