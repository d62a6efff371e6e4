"""Where the sandbox keeps records: one table a module, always sorted the three ways the vendor's lists can sort."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

SortBy = Literal["id", "Created_Time", "Modified_Time"]
Key = tuple[float, int]


@dataclass(slots=True)
class Row:
    """One record. ``values`` are in stored form (see ``values``); lines are kept in their own module's table."""

    id: int
    values: dict[str, Any]
    created: datetime
    modified: datetime
    created_by: str
    modified_by: str
    lines: dict[str, list[int]] = field(default_factory=dict)
    """Subform field → ids of its lines, in order."""
    parent: int = 0
    """Lines only: the record they belong to."""


@dataclass(slots=True)
class Deleted:
    """What ``/deleted`` shows of a record, and the record itself for a restore."""

    row: Row
    lines: dict[str, list[Row]]
    name: str
    at: datetime
    by: str
    kind: Literal["recycle", "permanent"] = "recycle"


class Table:
    """The rows of one module."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.rows: dict[int, Row] = {}
        self.deleted: dict[int, Deleted] = {}
        self._unique: dict[str, dict[str, int]] = {}
        self._sorted: dict[SortBy, list[Key]] = {"id": [], "Created_Time": [], "Modified_Time": []}

    def add(self, row: Row) -> None:
        self.rows[row.id] = row
        for by, keys in self._sorted.items():
            insort(keys, self._key(row, by))
        for name, index in self._unique.items():
            self._note(index, row.values.get(name), row.id)

    def remove(self, row: Row) -> None:
        del self.rows[row.id]
        for by, keys in self._sorted.items():
            del keys[bisect_left(keys, self._key(row, by))]
        for name, index in self._unique.items():
            self._forget(index, row.values.get(name), row.id)

    def change(self, row: Row, values: dict[str, Any], modified: datetime, by: str) -> None:
        """Merge new values into a row and move it in the order of changes."""
        keys = self._sorted["Modified_Time"]
        del keys[bisect_left(keys, self._key(row, "Modified_Time"))]
        for name, index in self._unique.items():
            if name in values:
                self._forget(index, row.values.get(name), row.id)
                self._note(index, values[name], row.id)
        row.values.update(values)
        row.modified, row.modified_by = modified, by
        insort(keys, self._key(row, "Modified_Time"))

    def holder(self, name: str, value: Any) -> int | None:
        """Id of the row that has this value in a unique (case-insensitive) field."""
        if value is None:
            return None
        if name not in self._unique:
            index = self._unique[name] = {}
            for row in self.rows.values():
                self._note(index, row.values.get(name), row.id)
        return self._unique[name].get(str(value).casefold())

    def walk(self, by: SortBy, descending: bool, after: Key | None, since: datetime | None) -> Iterator[Row]:
        """Rows in order, beginning behind ``after``; only those modified later than ``since``."""
        keys = self._sorted[by]
        if descending:
            start = (bisect_left(keys, after) if after else len(keys)) - 1
            places = range(start, -1, -1)
        else:
            start = bisect_right(keys, after) if after else 0
            if since is not None and by == "Modified_Time":
                start = max(start, bisect_left(keys, (since.timestamp(), 0)))
            places = range(start, len(keys))
        for place in places:
            row = self.rows[keys[place][1]]
            if since is None or row.modified > since:
                yield row
            elif descending and by == "Modified_Time":
                return

    def key(self, row: Row, by: SortBy) -> Key:
        """Where a row stands in an order: what a page token remembers."""
        return self._key(row, by)

    @staticmethod
    def _key(row: Row, by: SortBy) -> Key:
        if by == "id":
            return (0.0, row.id)
        return ((row.created if by == "Created_Time" else row.modified).timestamp(), row.id)

    @staticmethod
    def _note(index: dict[str, int], value: Any, id: int) -> None:
        if value not in (None, ""):
            index.setdefault(str(value).casefold(), id)

    @staticmethod
    def _forget(index: dict[str, int], value: Any, id: int) -> None:
        if value not in (None, "") and index.get(str(value).casefold()) == id:
            del index[str(value).casefold()]
