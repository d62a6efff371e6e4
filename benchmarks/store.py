"""What one resource of one system holds on the benchmark server: rows as ready bytes, in order of their last change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import msgspec

Record = dict[str, Any]
Part = tuple[int, int]
"""(number, of)."""
WHOLE: Part = (1, 1)

encode = msgspec.json.Encoder(decimal_format="number").encode


class UpsertRow(msgspec.Struct):
    """One record of an upsert; ``values`` stay bytes unless they have to be merged into what is there."""

    values: msgspec.Raw
    id: str | None = None
    key: str | None = None
    version: str | None = None


class Upsert(msgspec.Struct):
    records: list[UpsertRow]
    echo: bool = False


class Row:
    """One record. ``wire`` is its JSON as lists show it, ``start`` where its values begin in it."""

    __slots__ = ("id", "key", "mark", "place", "start", "version", "wire")

    def __init__(self, id: str, key: str | None) -> None:
        self.id = id
        self.mark = crc32(id.encode())
        self.key = key
        self.version = 0
        self.place = -1
        self.wire = b""
        self.start = 0

    @property
    def values(self) -> bytes | None:
        """The record's values as JSON, None when it was deleted."""
        return self.wire[self.start : -1] if self.start else None

    def write(self, values: bytes | None, at: str) -> None:
        """What lists show of it from now on; ``values`` None: that it was deleted."""
        head = f'{{"id":"{self.id}","version":"{self.version}","modified_at":"{at}"'
        if self.key is not None:
            head += f',"key":"{self.key}"'
        if values is None:
            self.wire, self.start = (head + ',"deleted":true}').encode(), 0
        else:
            start = (head + ',"values":').encode()
            self.wire, self.start = start + values + b"}", len(start)


class Refused(Exception):
    """One record that is not taken: ``code`` and ``message`` as the answer tells them."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.answer = {"code": code, "message": message, "field": field}


class Resource:
    """A collection with a change feed: a row stands once in ``log``, at its last change; a cursor is a place in it."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.rows: dict[str, Row] = {}
        self.keys: dict[str, Row] = {}
        self.log: list[Row | None] = []
        self.made = 0
        self.refuse: bytes | None = None
        """A value that this resource doesn't take, as it stands in JSON."""

    def load(self, records: Iterable[tuple[str, Record]]) -> None:
        """Fill from outside, as if the records had always been there."""
        for id, record in records:
            row = Row(id, None)
            self.rows[id] = row
            self._put(row, encode(record), "2026-01-01T00:00:00Z")

    def _put(self, row: Row, values: bytes | None, at: str) -> None:
        row.version += 1
        if row.place >= 0:
            self.log[row.place] = None
        row.place = len(self.log)
        self.log.append(row)
        row.write(values, at)

    def page(self, cursor: int, limit: int, part: Part = WHOLE) -> tuple[list[bytes], int, bool]:
        """Rows of one part changed after ``cursor``: their bytes, the cursor behind them, and whether more follow."""
        found: list[bytes] = []
        place = cursor
        end = len(self.log)
        while place < end:
            row = self.log[place]
            if row is not None and is_in(part, row.mark):
                if len(found) == limit:
                    break
                found.append(row.wire)
            place += 1
        return found, place, place < end

    def get(self, ids: Sequence[str]) -> list[bytes]:
        return [self.rows[id].wire if id in self.rows else _unknown(id) for id in ids]

    def by_key(self, keys: Sequence[str]) -> list[bytes]:
        return [self.keys[key].wire if key in self.keys else b"null" for key in keys]

    def upsert(self, body: bytes) -> bytes:
        """Create or change up to 100 records; answers one result a record, in order. A create whose key is known
        already becomes an update, so that repeating one is harmless."""
        request = _decode_upsert(body)
        if len(request.records) > 100:
            raise Refused("TOO_MANY", "at most 100 records a call")
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        results = []
        for item in request.records:
            try:
                row = self._upsert_one(item, at)
            except Refused as refusal:
                results.append(encode({"error": refusal.answer}))
                continue
            if request.echo:
                results.append(row.wire)
            else:
                results.append(f'{{"id":"{row.id}","version":"{row.version}"}}'.encode())
        return b'{"results":[' + b",".join(results) + b"]}"

    def _upsert_one(self, item: UpsertRow, at: str) -> Row:
        if self.refuse is not None and self.refuse in bytes(item.values):
            raise Refused("INVALID_DATA", f"the value {self.refuse.decode()} is not allowed", "FPayTerm")
        row = self.rows.get(item.id) if item.id else self.keys.get(item.key or "")
        if item.id and (row is None or row.values is None):
            raise Refused("NOT_FOUND", "the record does not exist")
        if row is None or row.values is None:
            row = self._new(item.key)
            self._put(row, bytes(item.values), at)
            return row
        if item.version is not None and item.version != str(row.version):
            raise Refused("VERSION_CONFLICT", f"the record has version {row.version}")
        if item.key is not None and row.key is None:
            row.key = item.key
            self.keys[item.key] = row
        self._put(row, _merge(row.values, bytes(item.values)), at)
        return row

    def _new(self, key: str | None) -> Row:
        self.made += 1
        row = Row(f"{self.prefix}{self.made:09d}", key)
        self.rows[row.id] = row
        if key is not None:
            self.keys[key] = row
        return row

    def index(self, field: str) -> dict[str, str]:
        """Value of a field → id of the record that has it."""
        live = ((row.id, row.values) for row in self.rows.values())
        return {str(msgspec.json.decode(_members(values)[field])): id for id, values in live if values is not None}

    def edit(self, id: str, values: Record) -> None:
        """Change a record as a user of the system would."""
        row = self.rows[id]
        if row.values is None:
            raise KeyError(id)
        self._put(row, _merge(row.values, encode(values)), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def delete(self, ids: Sequence[str]) -> list[bytes]:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for id in ids:
            row = self.rows.get(id)
            if row is not None and row.values is not None:
                self._put(row, None, at)
        return self.get(ids)

    def live(self) -> int:
        return sum(1 for row in self.rows.values() if row.values is not None)


def is_in(part: Part, mark: int) -> bool:
    """Whether a row is in a part. ``mark``: CRC 32 of its id."""
    number, of = part
    return mark % of == number - 1


def _unknown(id: str) -> bytes:
    return encode({"id": id, "deleted": True})


def _merge(old: bytes, new: bytes) -> bytes:
    """Change the named fields and keep the rest. Nothing below the top level is parsed, so numbers stay exact."""
    before = _members(old)
    changes = _members(new)
    if before.keys() <= changes.keys():
        return new
    return msgspec.json.encode(before | changes)


_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_upsert = msgspec.json.Decoder(Upsert).decode
