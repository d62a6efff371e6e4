"""Walking through a whole module in order of modification, however many records it has.

The vendor's page tokens end after 100,000 records and after 24 hours; then the walk goes on in a new window that begins
at the last modification time seen, so it never loses its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.connect.capabilities import Record
from hub.errors import UnexpectedAnswer

from .api import ZohoApi, parse_time
from .settings import Settings

MOST_FIELDS = 50
MOST_CHARACTERS = 1024
"""The vendor's specification gives the ``fields`` parameter this length."""
STAMP = "Modified_Time"
_LOST_PLACE = frozenset({"EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH", "PAGINATION_LIMIT_EXCEEDED"})


@dataclass(slots=True)
class Batch:
    """The rows of one page."""

    rows: list[Record]
    last: bool
    server_time: datetime | None
    """The server's clock when it answered."""
    reached: datetime | None = None
    """Everything that was changed before has been shown now, whatever the rows say."""


def walk(
    api: ZohoApi, settings: Settings, module: str, fields: Sequence[str], since: datetime | None
) -> Iterator[Batch]:
    """All records modified after ``since`` (None: all), oldest change first. At least one batch, maybe an empty one.

    A record that changes during the walk comes again later. ``STAMP`` must be among the fields.
    """
    groups = chunks(fields)
    token: str | None = None
    served = 0
    while True:
        page = api.page(module, groups[0], since=since, token=token)
        lost = page.code in _LOST_PLACE
        if page.code is not None and not lost:
            raise UnexpectedAnswer(f"the list was refused in the middle ({page.code})", where=api.place(module))
        if not lost:
            rows = complete_rows(api, settings, module, page.data, groups[1:])
            served += len(rows)
            last = not page.more or not rows
            yield Batch(rows, last, page.server_time)
            if last:
                return
            token = page.token
            end = parse_time(rows[-1][STAMP])
            full = served + settings.page_size > settings.token_records
        if lost or full or token is None:
            # One second earlier: records of the same second may stand on both sides of the cut.
            window = end - timedelta(seconds=1) if served else since
            if window is None or (since is not None and window <= since):
                raise UnexpectedAnswer(
                    "paging does not get on: too many records with one modification time",
                    where=api.place(module),
                    cure="raise token_records, or import fewer records within one second",
                )
            since, token, served = window, None, 0


def chunks(fields: Sequence[str]) -> list[list[str]]:
    """Fields in groups that one call can ask for; every group has the modification time."""
    rest = [f for f in dict.fromkeys(fields) if f not in ("id", STAMP)]
    groups: list[list[str]] = []
    for name in rest:
        group = groups[-1] if groups else None
        if group is None or len(group) >= MOST_FIELDS or len(",".join([*group, name])) > MOST_CHARACTERS:
            group = [STAMP]
            groups.append(group)
        group.append(name)
    return groups or [[STAMP]]


def complete_rows(
    api: ZohoApi, settings: Settings, module: str, rows: list[Record], groups: Sequence[Sequence[str]]
) -> list[Record]:
    """The same rows with the fields that did not fit into the first call."""
    for group in groups:
        found: dict[str, Record] = {}
        ids = [row["id"] for row in rows]
        for part in parts(ids, settings.ids_per_call):
            found |= {row["id"]: row for row in api.page(module, group, ids=part).data}
        for row in rows:
            more = found.get(row["id"])
            if more is None or more[STAMP] != row[STAMP]:
                # It changed (or went) between the two calls: halves of two states make no record.
                whole = api.get(module, row["id"])
                more = whole or dict.fromkeys(group)
            row.update(more)
    return rows


def parts(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """The items, at most ``size`` at a time."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
