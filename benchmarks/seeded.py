"""A resource of any size that takes no memory: each record is made from its number when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from benchmarks import data
from benchmarks.store import WHOLE, Part, Record, Resource, Row, encode, is_in

MADE_AT = "2026-01-01T00:00:00Z"


class Seeded(Resource):
    """``n`` records of system A, which somebody may edit but the hub never writes. Only edited ones are kept."""

    def __init__(self, prefix: str, name: str, n: int) -> None:
        super().__init__(prefix)
        self.name = name
        self.n = n

    def page(self, cursor: int, limit: int, part: Part = WHOLE) -> tuple[list[bytes], int, bool]:
        """As ``Resource.page``: first the records nobody has edited, by number, then the edits in their order."""
        found: list[bytes] = []
        place = cursor
        while place < self.n and len(found) < limit:
            id = data.remote_id(self.name, place)
            if id not in self.rows and is_in(part, crc32(id.encode())):
                found.append(self._made(place).wire)
            place += 1
        if place < self.n:
            return found, place, True
        more, behind, left = super().page(place - self.n, limit - len(found), part)
        return found + more, behind + self.n, left

    def get(self, ids: Sequence[str]) -> list[bytes]:
        return [self._row(id).wire if self._known(id) else super(Seeded, self).get([id])[0] for id in ids]

    def edit(self, id: str, values: Record) -> None:
        if self._known(id):
            self.rows[id] = self._row(id)
        super().edit(id, values)

    def live(self) -> int:
        return self.n

    def _known(self, id: str) -> bool:
        return id[1:].isdigit() and int(id[1:]) < self.n

    def _row(self, id: str) -> Row:
        return self.rows.get(id) or self._made(int(id[1:]))

    def _made(self, number: int) -> Row:
        row = Row(data.remote_id(self.name, number), None)
        row.version = 1
        row.write(encode(data.in_a(self.name, number)), MADE_AT)
        return row
