"""Bulk read: a whole module as files of 200,000 rows, for the first listing of a large one (API pages "Bulk read").

Jobs for all pages are made first, one as soon as the one before is ready, and their files are fetched then. Where it
stands is part of the feed's cursor, so that a reading that was cut off goes on with the same jobs and at the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.connect.capabilities import Record
from hub.connect.services import Services
from hub.errors import AuthenticationError, ConfigurationError, HubError, UnexpectedAnswer

from .api import ZohoApi, parse_time, utc_text
from .csv_rows import Columns, columns_of, read_rows
from .metadata import Metadata
from .settings import Settings
from .walking import STAMP, Batch, walk

ROWS = 1000
"""Rows handed on at a time."""
WAITS = (2.0, 5.0, 10.0, 15.0)
"""Seconds between two looks at a job; the last one again and again."""
TRIES = 3
"""How often pages are asked for anew because a record was deleted between two of them."""
SECOND = timedelta(seconds=1)
REFUSALS = (AuthenticationError, ConfigurationError, UnexpectedAnswer)
"""What means that this org, or this token, has no bulk read: then everything is listed after all."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a bulk read has come."""

    since: datetime
    """The vendor's clock when the first job was made: what changes from then on is listed afterwards."""
    jobs: tuple[str, ...]
    ready: bool = False
    """Whether these are the jobs of all pages, and their files are there."""
    job: int = 0
    row: int = 0
    """Job and row to go on with."""

    def packed(self) -> Record:
        """For a cursor."""
        at = [self.job, self.row]
        return {"since": utc_text(self.since), "jobs": list(self.jobs), "ready": self.ready, "at": at}

    @classmethod
    def unpacked(cls, stored: Record | None) -> Place | None:
        """From a cursor. Raises ValueError, TypeError, KeyError for what is none."""
        if not stored:
            return None
        job, row = stored["at"]
        return cls(parse_time(stored["since"]), tuple(map(str, stored["jobs"])), bool(stored["ready"]), job, row)


class GivenUp(Exception):
    """The rest has to be listed after all."""


class Bulk:
    """Bulk reads of one system."""

    def __init__(self, api: ZohoApi, settings: Settings, metadata: Metadata, services: Services) -> None:
        self._api = api
        self._settings = settings
        self._metadata = metadata
        self._services = services
        self._log = services.log

    def pays(self, listed: int) -> bool:
        """Whether a listing that has shown so many records and is not at its end goes on better by bulk read."""
        least = self._settings.bulk_from
        return least is not None and listed >= least

    def columns(self, module: str, asked: Sequence[str]) -> Columns | None:
        """How the file's columns become the fields asked for; None when a file can't show one of them as lists do."""
        try:
            columns, missing = columns_of(self._metadata.live(module), asked)
        except REFUSALS as problem:
            self._log.warning("%s is listed to its end: %s", self._api.place(module), problem)
            return None
        if missing:
            where = self._api.place(module)
            self._log.info("%s is listed to its end: bulk files don't show %s as lists do", where, ", ".join(missing))
            return None
        return columns

    def batches(
        self, module: str, columns: Columns, reached: datetime, place: Place | None
    ) -> Iterator[tuple[Batch, Place]]:
        """Rows changed at ``reached`` or later, in no order, with where to go on after each batch; some are empty.

        ``place``: go on there. Raises GivenUp when the rest can't be read so; other errors may pass by themselves.
        """
        try:
            yield from self._batches(module, columns, reached, place)
        except REFUSALS as problem:
            self._log.warning("%s has no bulk read (%s): it is listed to its end", self._api.place(module), problem)
            raise GivenUp from problem

    def _batches(
        self, module: str, columns: Columns, reached: datetime, place: Place | None
    ) -> Iterator[tuple[Batch, Place]]:
        names: Callable[[str], Any] | None = None
        if place is not None and self._expired(module, place):
            self._log.info("%s: the files of its bulk read are gone, they are made anew", self._api.place(module))
            place = None
        for _ in range(TRIES):
            if place is None or not place.ready:
                for made in self._made(module, columns, reached, place):
                    place = made
                    yield Batch([], False, None), place
            assert place is not None
            if place.row or place.job or not self._shifted(module, place):
                break
            place = None
        else:
            raise UnexpectedAnswer("records were deleted between its pages again and again", where=module)
        # A file may lag behind, and be hours old when it is used: what changed since is only listed, afterwards.
        stale = self._changed_since(module, place.since)
        for number in range(place.job, len(place.jobs)):
            skip = place.row if number == place.job else 0
            names = names or self._names(columns)
            file = read_rows(self._api.bulk_file(module, place.jobs[number]), columns, names, skip=skip, size=ROWS)
            for rows, row in file:
                kept = [one for one in rows if one["id"] not in stale]
                yield Batch(kept, False, None), replace(place, job=number, row=row)
        yield Batch([], False, None), replace(place, job=len(place.jobs), row=0)

    # jobs -------------------------------------------------------------------------------------------------------------

    def _made(self, module: str, columns: Columns, reached: datetime, place: Place | None) -> Iterator[Place]:
        """Make the jobs of all pages, or what is missing of them; the last place is ready."""
        # One second earlier: the listing may have seen only some of the records of its last second.
        late = {"field": {"api_name": STAMP}, "comparator": "greater_equal", "value": _moment(reached - SECOND)}
        query: Record = {
            "module": {"api_name": module},
            "fields": columns.asked,
            "criteria": {"group_operator": "and", "group": [late]},
            "page": 1,
        }
        if place is None:
            job, at = self._api.bulk_job(module, query)
            place = Place(at or self._services.now(), (job,))
            yield place
        while True:
            for result in self._waited(module, place.jobs[-1]):
                if result is None:
                    yield place
            assert result is not None
            if not result.get("more_records"):
                yield replace(place, ready=True)
                return
            token = result.get("next_page_token")
            more = {"page_token": token} if token else {**query, "page": len(place.jobs) + 1}
            job, _ = self._api.bulk_job(module, more)
            place = replace(place, jobs=(*place.jobs, job))
            yield place

    def _waited(self, module: str, job: str) -> Iterator[Record | None]:
        """None for each look at a job that was not ready; its result in the end."""
        waited, looks = 0.0, 0
        while True:
            found = self._api.bulk_state(module, job) or {}
            state = str(found.get("state") or "gone").upper().replace("_", " ")
            if state == "COMPLETED":
                yield dict(found["result"])
                return
            if state not in ("ADDED", "QUEUED", "IN PROGRESS"):
                told = (found.get("result") or {}).get("error_message") or state
                raise UnexpectedAnswer(f"a bulk read ended with {told}", where=self._api.place(module))
            if waited >= self._settings.bulk_wait:
                raise UnexpectedAnswer(f"a bulk read took longer than {waited:.0f} s", where=self._api.place(module))
            pause = WAITS[min(looks, len(WAITS) - 1)]
            self._services.sleep(pause)
            waited, looks = waited + pause, looks + 1
            yield None

    def _expired(self, module: str, place: Place) -> bool:
        """Whether one of the jobs is not known any more: results are kept for about a day."""
        return any(self._api.bulk_state(module, job) is None for job in place.jobs)

    def _shifted(self, module: str, place: Place) -> bool:
        """Whether a record was deleted after the first page was made: then one may have moved from a later page to an
        earlier one, and be in neither file."""
        if len(place.jobs) < 2:
            return False
        newest = self._api.deleted(module, place.since - SECOND, 1).data
        return any(parse_time(row["deleted_time"]) >= place.since - SECOND for row in newest)

    def _changed_since(self, module: str, since: datetime) -> set[str]:
        early = since - timedelta(seconds=self._settings.overlap)
        return {row["id"] for batch in walk(self._api, self._settings, module, [STAMP], early) for row in batch.rows}

    def _names(self, columns: Columns) -> Callable[[str], Any]:
        """User id → the user as lists show it."""
        users: dict[str, Record] = {}
        if columns.people:
            try:
                users = {user["id"]: user for user in self._api.users()}
            except HubError as problem:
                self._log.info("users have no names in what is read in bulk: %s", problem)
        return lambda id: users.get(id) or {"id": id}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
