"""Reading: change feeds with deletions, ids of all records, single records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hub.connect.capabilities import Page, Record, Remote
from hub.connect.services import Services

from .api import ZohoApi, parse_time, utc_text
from .bulk import Bulk, GivenUp, Place
from .lines import Lines, clean_line, get_singly, newest_lines
from .metadata import Metadata
from .settings import Settings
from .walking import STAMP, Batch, chunks, complete_rows, parts, walk

MOST_REMEMBERED = 1000
FEW = 5
FUTURE_SLACK = timedelta(minutes=5)
SETTLED = timedelta(seconds=2)
GRAVE = "x"
"""Deletions share a cursor's memory with sightings, under names that no record id has."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a feed resumes; as text, JSON.

    ``modified`` and ``deleted`` are the newest times seen in the two lists. Reading begins a little earlier (overlap),
    since records can become visible late; ``known`` (id → time) are the sightings in that overlap that need not be told
    again. A sighting counts as known only if its second had passed when it was made: the vendor's times have whole
    seconds, and a second edit within one would look the same.
    """

    modified: datetime | None = None
    deleted: datetime | None = None
    known: dict[str, int] = field(default_factory=dict)
    bulk: Place | None = None
    """How far a bulk read of all that changed since ``modified`` has come."""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """A cursor of earlier; one that can't be read stands for "everything"."""
        try:
            stored = json.loads(text or "{}")
            modified, deleted = (parse_time(stored[k]) if stored.get(k) else None for k in ("modified", "deleted"))
            base = int(modified.timestamp()) if modified else 0
            known = {id: base + int(s) for id, s in (stored.get("known") or {}).items()}
            return cls(modified, deleted, known, Place.unpacked(stored.get("bulk")))
        except (ValueError, TypeError, AttributeError, KeyError):
            return cls()

    def text(self, *, brief: bool = False) -> str | None:
        """For the engine to keep; None when nothing was seen yet. ``brief``: without what is known, in mid-feed."""
        if self.modified is None:
            return None
        stored: Record = {"modified": utc_text(self.modified)}
        if self.deleted:
            stored["deleted"] = utc_text(self.deleted)
        if self.bulk:
            stored["bulk"] = self.bulk.packed()
        if self.known and not brief:
            base = int(self.modified.timestamp())
            stored["known"] = {id: seconds - base for id, seconds in self.known.items()}
        return json.dumps(stored, separators=(",", ":"))


class Reader:
    """One system's reads."""

    def __init__(self, api: ZohoApi, settings: Settings, metadata: Metadata, services: Services) -> None:
        self._api = api
        self._settings = settings
        self._metadata = metadata
        self._services = services
        self._overlap = timedelta(seconds=settings.overlap)
        self._bulk = Bulk(api, settings, metadata, services)

    def changes(self, module: str, cursor: str | None, fields: Sequence[str]) -> Iterator[Page]:
        """See ``ListChanges``. First what was changed, then what was deleted since."""
        start = Cursor.parse(cursor)
        if start.modified is not None and start.modified > self._services.now() + timedelta(days=1):
            start = self._from_the_future(module, start)
        subforms = self._metadata.subforms(module, fields)
        whole = start.modified is None or start.bulk is not None
        lines = Lines(self._api, self._settings, self._metadata, self._services, whole_listing=whole)
        try:
            yield from self._changes(module, start, fields, subforms, lines)
        finally:
            lines.close()

    def ids(self, module: str) -> Iterator[list[str]]:
        """See ``ListIds``."""
        seen_last: set[str] = set()
        for batch in walk(self._api, self._settings, module, [STAMP], None):
            found = [row["id"] for row in batch.rows if row["id"] not in seen_last]
            seen_last = set(found)
            if found:
                yield found

    def get(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> list[Remote]:
        """See ``Get``: in the order of the ids."""
        found = self.fetch(module, ids, fields)
        return [found.get(id) or Remote(id=id, record=None, deleted=True) for id in ids]

    def fetch(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Remote]:
        """These records by id; those that are not there are missing."""
        subforms = self._metadata.subforms(module, fields)
        wanted = [id for id in dict.fromkeys(ids) if id.isdigit()]
        if subforms:
            rows = list(get_singly(self._api, self._settings, module, wanted).values())
            for row in rows:
                row.update({name: [clean_line(line) for line in row.get(name) or []] for name in subforms})
        else:
            rows = self.listed(module, wanted, fields)
        return {row["id"]: self.remote(row, fields) for row in rows}

    def fetch_created(self, module: str, counts: dict[str, int], fields: Sequence[str]) -> dict[str, Remote]:
        """As ``fetch``, for records that were made just now. ``counts``: id → lines it was given.

        Their lines are the newest there are, so a few pages of the lines' module show them all; only records whose
        lines are not all found there cost a call each.
        """
        subforms = self._metadata.subforms(module, fields)
        if len(subforms) != 1 or not self._settings.line_modules or len(counts) < FEW:
            return self.fetch(module, list(counts), fields)
        ((name, sub),) = subforms.items()
        rows = self.listed(module, list(counts), [f for f in fields if f != name])
        if not rows:
            return {}
        since = min(parse_time(row[STAMP]) for row in rows) - SETTLED
        lines = newest_lines(self._api, sub, self._metadata.line_fields(sub), counts, since)
        found: dict[str, Remote] = {}
        for row in rows:
            if len(lines[row["id"]]) == counts[row["id"]] > 0:
                row[name] = lines[row["id"]]
                found[row["id"]] = self.remote(row, fields)
        return found | self.fetch(module, [row["id"] for row in rows if row["id"] not in found], fields)

    def listed(
        self, module: str, ids: Sequence[str], fields: Sequence[str], external: str | None = None
    ) -> list[Record]:
        """Rows of these ids (or values of an external field) without their lines."""
        groups = chunks(self.asked(fields))
        rows: list[Record] = []
        for part in parts(ids, self._settings.ids_per_call):
            found = self._api.page(module, groups[0], ids=part, external=external).data
            rows += complete_rows(self._api, self._settings, module, found, groups[1:])
        return rows

    def asked(self, fields: Sequence[str]) -> list[str]:
        """The fields to ask for: those of the mapping, and what the hub needs to know of every record."""
        key = [self._settings.key_field] if self._settings.key_field else []
        return list(dict.fromkeys([*(f.partition(".")[0] for f in fields), STAMP, "Modified_By", *key]))

    def remote(self, row: Record, fields: Sequence[str]) -> Remote:
        """A row as a sighting, with the asked fields only, so that it looks the same whichever call it came from."""
        names = dict.fromkeys(["id", *(f.partition(".")[0] for f in fields)])
        person = row.get("Modified_By") or {}
        changed = utc_text(parse_time(row[STAMP])) if row.get(STAMP) else None
        return Remote(
            id=str(row["id"]),
            record={name: row[name] for name in names if name in row},
            version=changed,
            modified_at=changed,
            modified_by=person.get("name"),
            key=row.get(self._settings.key_field) if self._settings.key_field else None,
        )

    # --- the feed -------------------------------------------------------------------------------------

    def _changes(
        self, module: str, start: Cursor, fields: Sequence[str], subforms: dict[str, str], lines: Lines
    ) -> Iterator[Page]:
        asked = [f for f in self.asked(fields) if f not in subforms]
        whole = start.modified is None
        since = start.modified - self._overlap if start.modified else None
        now = start
        live: dict[str, int] = {}
        first = True
        for batch, place in self._batches(module, asked, since, start, whole=whole):
            if (
                first
                and place is None
                and start.modified
                and batch.server_time
                and start.modified > batch.server_time + FUTURE_SLACK
            ):
                again = self._from_the_future(module, start)
                lines.close()
                whole_lines = Lines(self._api, self._settings, self._metadata, self._services, whole_listing=True)
                try:
                    yield from self._changes(module, again, fields, subforms, whole_lines)
                finally:
                    whole_lines.close()
                return
            if whole and first:
                # What is deleted from now on is told by the feed of deletions of the next pass.
                now = replace(now, deleted=batch.server_time or self._services.now())
            first = False
            new = [row for row in batch.rows if start.known.get(row["id"]) != _seconds(row[STAMP])]
            if not whole:
                live.update({row["id"]: _seconds(row[STAMP]) for row in batch.rows})
            now = replace(self._advanced(now, batch), bulk=place) if place is None else replace(now, bulk=place)
            remotes = [self.remote(row, fields) for row in lines.attach(module, subforms, new)]
            if remotes or place is not None or (whole and batch.last):
                yield Page(remotes, now.text(brief=not batch.last), complete=whole and batch.last)
        if not whole:
            yield self._deletions(module, now, live)

    def _batches(
        self, module: str, asked: list[str], since: datetime | None, start: Cursor, *, whole: bool
    ) -> Iterator[tuple[Batch, Place | None]]:
        """What a feed shows, batch by batch: listed, and of a large module's first listing the rest in bulk, with the
        place to go on there; then what changed meanwhile, listed again."""
        place, reached, columns = start.bulk, start.modified, None
        if place is None:
            listed, ask = 0, whole
            for batch in walk(self._api, self._settings, module, asked, since):
                yield batch, None
                listed += len(batch.rows)
                if batch.last:
                    return
                if ask and batch.rows and self._bulk.pays(listed):
                    columns, ask, reached = self._bulk.columns(module, asked), False, parse_time(batch.rows[-1][STAMP])
                    if columns is not None:
                        break
            else:
                return
        columns = columns or self._bulk.columns(module, asked)
        assert reached is not None
        try:
            if columns is None:
                raise GivenUp
            for batch, further in self._bulk.batches(module, columns, reached, place):
                place = further
                yield batch, place
            assert place is not None
            reached, again = place.since, self._overlap
        except GivenUp:
            again = timedelta(seconds=1)
        yield Batch([], False, None, reached), None
        for batch in walk(self._api, self._settings, module, asked, reached - again):
            yield batch, None

    def _advanced(self, now: Cursor, batch: Batch) -> Cursor:
        if batch.reached is not None:
            return replace(now, modified=batch.reached, known={})
        if not batch.rows:
            return now
        newest = max(filter(None, [parse_time(batch.rows[-1][STAMP]), now.modified]))
        known = dict(now.known)
        for row in batch.rows:
            known.pop(row["id"], None)
            self._remember(known, row["id"], row[STAMP], batch.server_time)
        return replace(now, modified=newest, known=self._recent(known, newest, now.deleted))

    def _remember(self, known: dict[str, int], name: str, text: str, answered: datetime | None) -> None:
        if parse_time(text) < (answered or self._services.now()) - SETTLED:
            known[name] = _seconds(text)

    def _recent(self, known: dict[str, int], modified: datetime | None, deleted: datetime | None) -> dict[str, int]:
        """What the next feed's overlap can show again."""
        edges = {False: modified, True: deleted}
        kept = {
            name: seconds
            for name, seconds in known.items()
            if (edge := edges[name.startswith(GRAVE)]) and seconds > edge.timestamp() - self._settings.overlap
        }
        return dict(list(kept.items())[-MOST_REMEMBERED:])

    def _deletions(self, module: str, now: Cursor, live: dict[str, int]) -> Page:
        """All deletions since the cursor, in one page: they come newest first, so only the last call makes them
        complete. ``live``: records seen just now, with their times."""
        begun = now.deleted or now.modified
        since = begun - self._overlap if begun else None
        gone: dict[str, Remote] = {}
        newest, known = now.deleted, dict(now.known)
        number, more = 1, True
        while more:
            page = self._api.deleted(module, since, number)
            for row in page.data:
                moment, name = parse_time(row["deleted_time"]), GRAVE + row["id"]
                newest = max(filter(None, [newest, moment]))
                restored = live.get(row["id"], 0) >= moment.timestamp()
                if not restored and now.known.get(name) != _seconds(row["deleted_time"]):
                    gone[row["id"]] = self._tombstone(row, moment)
                self._remember(known, name, row["deleted_time"], page.server_time)
            number, more = number + 1, page.more
        after = replace(now, deleted=newest, known=self._recent(known, now.modified, newest))
        return Page(list(gone.values()), after.text())

    def _tombstone(self, row: Record, moment: datetime) -> Remote:
        person = row.get("deleted_by") or {}
        at = utc_text(moment)
        return Remote(
            id=row["id"], record=None, version=at, modified_at=at, modified_by=person.get("name"), deleted=True
        )

    def _from_the_future(self, module: str, cursor: Cursor) -> Cursor:
        assert cursor.modified is not None
        self._services.log.warning(
            "%s: the cursor says %s, which is in the future there; reading everything again",
            self._api.place(module),
            utc_text(cursor.modified),
        )
        return Cursor()


def _seconds(text: str) -> int:
    return int(parse_time(text).timestamp())
