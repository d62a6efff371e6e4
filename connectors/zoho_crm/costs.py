"""What work will take, in calls and credits: the same arithmetic that reading and writing follow (README, "Limits")."""

from __future__ import annotations

from collections.abc import Sequence

from hub.connect.capabilities import Cost, Reading, Writing

from .api import JOB_CREDITS
from .csv_rows import columns_of
from .metadata import Metadata
from .reading import FEW, GRAVE, Cursor
from .seed import MODULES, seed_fields
from .settings import Settings
from .walking import STAMP, chunks

LINES_PAGE = 200
BULK_ROWS = 200_000
LOOKS = 4
"""How often a bulk read is looked at until it is ready, more or less."""
DELETED = Cost(1, 2)
"""One page of ids of deleted records."""


class Costs:
    """One system's costs. Asks nobody."""

    def __init__(self, settings: Settings, metadata: Metadata) -> None:
        self._settings = settings
        self._metadata = metadata

    def read(self, module: str, reading: Reading) -> Cost:
        """The change feed: pages of changes and one of deletions, or all records."""
        subforms = self._metadata.subforms(module, reading.fields)
        groups = self._groups([f for f in reading.fields if f not in subforms])
        start = Cursor.parse(reading.cursor)
        if start.modified is None:
            cost = self._first(module, [f for f in reading.fields if f not in subforms], reading.records, groups)
            # Lines are listed once; how many there are is not known before. Most orders have a few.
            return cost + (_plain(_started(reading.records * 3, LINES_PAGE)) if subforms else Cost())
        edge = start.modified.timestamp() - self._settings.overlap
        again = sum(1 for name, at in start.known.items() if not name.startswith(GRAVE) and at > edge)
        cost = self._pages(again + reading.records, groups) + DELETED
        return cost + (_plain(min(reading.records, self._settings.line_gets)) if subforms else Cost())

    def _first(self, module: str, fields: list[str], records: int, groups: int) -> Cost:
        """A complete listing: the rest of a large one is read in bulk, if files show what the mapping reads."""
        least = self._settings.bulk_from
        known = seed_fields(module) if module in MODULES else ()
        asked = {*fields, STAMP}
        in_files = asked <= {f["api_name"] for f in known} and not columns_of(known, asked)[1]
        if least is None or records <= least or not in_files:
            return self._pages(records, groups)
        listed = max(self._settings.page_size, _started(least, self._settings.page_size) * self._settings.page_size)
        jobs = _started(records - listed, BULK_ROWS)
        cost = self._pages(listed, groups) + _plain(groups + 2)  # what changed meanwhile, twice; users' names
        cost = cost + (Cost(1, JOB_CREDITS) + _plain(LOOKS + 1)).times(jobs)
        return cost + DELETED if jobs > 1 else cost

    def ids(self, records: int) -> Cost:
        """All ids."""
        return self._pages(records, 1)

    def write(self, module: str, writing: Writing) -> Cost:
        """One batch, with what is read before and after it."""
        count = writing.records
        subforms = self._metadata.subforms(module, writing.fields)
        before = _plain(_started(count - writing.with_lines, self._settings.ids_per_call) + writing.with_lines)
        if writing.action == "delete":
            return before + Cost(1, 1)
        sent = Cost(1, max(1, min(10, _started(count, 10))))
        if writing.action == "archive":
            return before + sent + self._listed(count, 1)
        if writing.action == "update":
            return before + sent + self._fetched(count, writing.fields, subforms)
        if len(subforms) == 1 and self._settings.line_modules and count >= FEW:
            plain = [f for f in writing.fields if f not in subforms]
            pages = max(1, _started(writing.lines, LINES_PAGE))
            return sent + self._listed(count, self._groups(plain)) + _plain(pages)
        return sent + self._fetched(count, writing.fields, subforms)

    def _fetched(self, count: int, fields: Sequence[str], subforms: dict[str, str]) -> Cost:
        if subforms:
            return _plain(count)
        return self._listed(count, self._groups(list(fields)))

    def _listed(self, count: int, groups: int) -> Cost:
        return _plain(_started(count, self._settings.ids_per_call) * groups)

    def _pages(self, rows: int, groups: int) -> Cost:
        pages = max(1, _started(rows, self._settings.page_size))
        return _plain(pages + _started(rows, self._settings.ids_per_call) * (groups - 1))

    def _groups(self, fields: list[str]) -> int:
        key = [self._settings.key_field] if self._settings.key_field else []
        return len(chunks([*(f.partition(".")[0] for f in fields), "Modified_By", *key]))


def _plain(calls: int) -> Cost:
    """Calls of one credit each."""
    return Cost(calls, calls)


def _started(count: int, size: int) -> int:
    return -(-count // size)
