"""Lines of orders and invoices, which lists leave out.

Few changed records are fetched one by one. For a complete listing that would be a call a record, so there the lines'
own module is listed once (200 lines a call) into a temporary database on disk, and each page of records takes its lines
from it. Records that changed after that listing began, or whose lines it lacks, are fetched one by one after all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from hub.connect.answers import decode, encode
from hub.connect.capabilities import Record
from hub.connect.services import Services
from hub.errors import AuthenticationError, ConfigurationError, UnexpectedAnswer

from .api import ZohoApi, parse_time
from .metadata import Metadata
from .settings import Settings
from .walking import STAMP, chunks, walk

_OUTSIDE = frozenset({"Parent_Id", "Created_Time", STAMP})
"""Of a line, what is not part of its content."""
CLOCK_SLACK = timedelta(seconds=5)


class Lines:
    """Adds lines to listed records. One for each feed: it remembers how many records it has fetched singly."""

    def __init__(
        self, api: ZohoApi, settings: Settings, metadata: Metadata, services: Services, *, whole_listing: bool
    ) -> None:
        self._api = api
        self._settings = settings
        self._metadata = metadata
        self._log = services.log
        self._singles = 0
        self._whole = whole_listing and settings.line_modules
        self._spools: dict[str, _Spool] = {}

    def attach(self, module: str, subforms: dict[str, str], rows: list[Record]) -> list[Record]:
        """The rows with their lines; rows whose record has gone since are left out (the feed of deletions tells)."""
        if not subforms or not rows:
            return rows
        if not self._whole and self._singles + len(rows) > self._settings.line_gets and self._settings.line_modules:
            self._whole = True
        if self._whole:
            try:
                return self._from_spools(module, subforms, rows)
            except (ConfigurationError, AuthenticationError, UnexpectedAnswer) as problem:
                self._log.warning("lines can't be listed (%s); fetching each record of %s instead", problem, module)
                self._whole = False
                self._settings = self._settings.model_copy(update={"line_modules": False})
        return self._one_by_one(module, subforms, rows)

    def close(self) -> None:
        for spool in self._spools.values():
            spool.close()

    def _from_spools(self, module: str, subforms: dict[str, str], rows: list[Record]) -> list[Record]:
        singly: set[str] = set()
        for name, sub in subforms.items():
            spool = self._spools.get(sub)
            if spool is None:
                spool = self._spools[sub] = self._filled(sub)
            lines = spool.take([row["id"] for row in rows])
            for row in rows:
                row[name] = lines.get(row["id"], [])
                if not row[name] or spool.started is None or parse_time(row[STAMP]) >= spool.started:
                    singly.add(row["id"])
        if not singly:
            return rows
        fresh = {r["id"]: r for r in self._one_by_one(module, subforms, [r for r in rows if r["id"] in singly])}
        return [fresh.get(row["id"], row) for row in rows if row["id"] not in singly or row["id"] in fresh]

    def _filled(self, sub: str) -> _Spool:
        spool = _Spool()
        fields = [*self._metadata.line_fields(sub), "Parent_Id"]
        for batch in walk(self._api, self._settings, sub, fields, None):
            if spool.started is None and batch.server_time:
                spool.started = batch.server_time - CLOCK_SLACK
            spool.add(batch.rows)
        return spool

    def _one_by_one(self, module: str, subforms: dict[str, str], rows: list[Record]) -> list[Record]:
        self._singles += len(rows)
        found = get_singly(self._api, self._settings, module, [row["id"] for row in rows])
        kept = []
        for row in rows:
            whole = found.get(row["id"])
            if whole is None:
                continue
            # Everything from the single answer: header and lines must be of one moment.
            row.update({name: whole.get(name) for name in (*row, *subforms)})
            for name in subforms:
                row[name] = [clean_line(line) for line in whole.get(name) or []]
            kept.append(row)
        return kept


class _Spool:
    """Lines by parent, on disk."""

    def __init__(self) -> None:
        # An empty name is SQLite's temporary database: in a file of its own that vanishes with the connection.
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.execute("create table line (id integer primary key, parent text, place integer, body blob)")
        self._db.execute("create index parent on line (parent)")
        self.started: datetime | None = None

    def add(self, rows: Iterable[Record]) -> None:
        content = [
            (int(row["id"]), row["Parent_Id"]["id"], int(row.get("Sequence_Number") or 0), encode(clean_line(row)))
            for row in rows
            if row.get("Parent_Id")
        ]
        self._db.execute("begin")
        self._db.executemany("insert or replace into line values (?, ?, ?, ?)", content)
        self._db.execute("commit")

    def take(self, parents: Sequence[str]) -> dict[str, list[Record]]:
        marks = ",".join("?" * len(parents))
        query = f"select parent, body from line where parent in ({marks}) order by parent, place, id"  # noqa: S608
        lines: dict[str, list[Record]] = {}
        for parent, body in self._db.execute(query, list(parents)):
            lines.setdefault(parent, []).append(decode(body))
        return lines

    def close(self) -> None:
        self._db.close()


def clean_line(line: Record) -> Record:
    """A line's content, the same whether it came inside its record or from the lines' module."""
    return {name: value for name, value in line.items() if not name.startswith("$") and name not in _OUTSIDE}


def get_singly(api: ZohoApi, settings: Settings, module: str, ids: Sequence[str]) -> dict[str, Record]:
    """Whole records by id, a call each, some at a time; ids that are not there are missing."""
    if len(ids) <= 1:
        found = [api.get(module, id) for id in ids]
    else:
        with ThreadPoolExecutor(max_workers=min(4, settings.calls_at_once, len(ids))) as pool:
            found = list(pool.map(lambda id: api.get(module, id), ids))
    return {record["id"]: record for record in found if record is not None}


def newest_lines(
    api: ZohoApi, sub: str, fields: Sequence[str], counts: dict[str, int], since: datetime
) -> dict[str, list[Record]]:
    """Lines of records that were made just now, in their order: from the newest page of the lines' module backwards,
    until each record has as many as it was given (``counts``), or a few pages more than that takes."""
    found: dict[str, dict[str, Record]] = {parent: {} for parent in counts}
    groups = chunks([*fields, "Parent_Id"])
    if len(groups) > 1:
        return {parent: [] for parent in counts}
    token: str | None = None
    for _ in range(sum(counts.values()) // 200 + 4):
        page = api.page(sub, groups[0], since=since, token=token, order=("id", "desc"))
        for row in page.data:
            parent = (row.get("Parent_Id") or {}).get("id")
            if parent in found:
                found[parent][row["id"]] = clean_line(row)
        token = page.token
        if token is None or all(len(found[parent]) >= count for parent, count in counts.items()):
            break
    return {parent: sorted(lines.values(), key=_place) for parent, lines in found.items()}


def _place(line: Record) -> tuple[int, int]:
    return int(line.get("Sequence_Number") or 0), int(line["id"])
