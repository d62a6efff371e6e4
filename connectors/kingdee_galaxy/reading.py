"""Reading: what changed, everything, single records, ids, and lost creations found again.

The cursor is a server time (naive, as FModifyDate shows it). It never comes from our own clock: it is the newest
change there was when the reading began, or what the server's HTTP clock said then, less some slack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.connect.capabilities import Page, Record, Remote, Write
from hub.connect.services import Services
from hub.errors import ConfigurationError

from .forms import FormInfo
from .metadata import Metadata
from .queries import Batch, Column, FieldAbsent, Found, Queries, Shape, both, literal, one_of, quoted
from .settings import Settings
from .shapes import Wanted, wanted

IDS = 200
"""Records named in one condition."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a feed stands. ``since``: changes from here on; ``after``: inside a reading, the last inner id stored;
    ``mark``: what ``since`` becomes when the reading ends."""

    since: str | None = None
    after: Any = None
    mark: str | None = None

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """A stored cursor; one that can't be read counts as none, so that everything is read."""
        if not text:
            return cls()
        try:
            found = json.loads(text)
            return cls(found.get("since"), found.get("after"), found.get("mark"))
        except (ValueError, AttributeError):
            return cls()

    def text(self) -> str:
        given = {"since": self.since, "after": self.after, "mark": self.mark}
        return json.dumps({k: v for k, v in given.items() if v is not None})


class Reader:
    """Reads one system."""

    def __init__(self, queries: Queries, metadata: Metadata, settings: Settings, services: Services) -> None:
        self.queries = queries
        self._metadata = metadata
        self._settings = settings
        self._services = services
        self._zone = ZoneInfo(settings.time_zone)

    def wanted(self, form: str, fields: Sequence[str], options: Record) -> Wanted:
        """What to ask for these fields."""
        info = self._metadata.info(form)
        return wanted(info, self._metadata.known(form), fields, options, self._settings.key_field)

    def changes(self, form: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        """See ``ListChanges``."""
        start = Cursor.read(cursor)
        asked = self.wanted(form, fields, options)
        fixed = str(options.get("filter") or "")
        if start.since is None:
            yield from self._full(asked, start, fixed)
            return
        first = True
        since, after, mark = self._overlapped(start.since), start.after, start.mark
        while True:
            batch = self._changed_batch(asked, since, fixed, after)
            if batch is None or (first and self._from_the_future(start.since, batch)):
                self._services.log.warning("%s: no use for the cursor; everything is read again", form)
                yield from self._full(asked, Cursor(), fixed)
                return
            if first and mark is None:
                mark = self._next_since(start.since, batch)
            first = False
            changed = self._changed(asked.main.info, since)
            found = self._with_lines(asked, batch.found, both(fixed, changed), after)
            ends = Cursor(since=mark or start.since)
            here = replace(start, after=batch.last, mark=mark)
            yield Page([self.remote(asked, f) for f in found], (ends if batch.end else here).text())
            if batch.end:
                return
            after = batch.last

    def _changed_batch(self, asked: Wanted, since: str, fixed: str, after: Any) -> Batch | None:
        """One page of changes; None where the form has no field that tells."""
        while True:
            changed = self._changed(asked.main.info, since)
            if not changed:
                return None
            try:
                return next(self.queries.drain(asked.main, both(fixed, changed), after))
            except FieldAbsent:
                continue

    def _full(self, asked: Wanted, start: Cursor, fixed: str) -> Iterator[Page]:
        """Everything. Records whose lines hide them from a joined query are looked for by their ids."""
        info = asked.main.info
        after = start.after
        mark = start.mark
        if after is None:
            mark = self._newest(info, fixed)
        whole = after is None
        while True:
            batch = next(self.queries.drain(asked.main, fixed, after))
            if whole and after is None:
                mark = self._later(mark, batch)
            found = self._with_lines(asked, batch.found, fixed, after)
            if asked.main.entry:
                found += self._hidden(asked, batch, after, fixed)
            here = Cursor(after=batch.last, mark=mark) if not batch.end else Cursor(since=mark)
            text = here.text() if not batch.end or mark else None
            yield Page([self.remote(asked, f) for f in found], text, complete=batch.end and whole)
            if batch.end:
                return
            after = batch.last

    def _newest(self, info: FormInfo, fixed: str) -> str | None:
        for key in info.changed_by[:1]:
            if self.queries.has(info.id, key):
                with suppress(FieldAbsent):
                    return self.queries.newest(info, key, fixed)
        return None

    def _later(self, mark: str | None, batch: Batch) -> str | None:
        said = self._server_said(batch)
        return max(filter(None, (mark, said)), default=None)

    def _server_said(self, batch: Batch) -> str | None:
        """The server's clock in its own notation, less the slack."""
        if batch.server_time is None:
            return None
        moment = batch.server_time - timedelta(seconds=self._settings.clock_slack)
        return moment.astimezone(self._zone).replace(tzinfo=None).isoformat(timespec="seconds")

    def _next_since(self, since: str, batch: Batch) -> str:
        """Where the next poll begins: at the newest change of the first page (later ones, and ones that hit records
        already passed, are at least as new), or later where the server's clock allows."""
        seen = [str(f.meta.get("modified") or "") for f in batch.found]
        return max([since, *filter(None, (*seen, self._server_said(batch)))])

    def _from_the_future(self, since: str, batch: Batch) -> bool:
        if batch.server_time is None:
            return False
        limit = batch.server_time + timedelta(seconds=self._settings.clock_slack)
        return since > limit.astimezone(self._zone).replace(tzinfo=None).isoformat(timespec="seconds")

    def _overlapped(self, since: str) -> str:
        moment = datetime.fromisoformat(since) - timedelta(seconds=self._settings.overlap)
        return moment.isoformat(sep=" ", timespec="seconds")

    def _changed(self, info: FormInfo, since: str) -> str:
        keys = [k for k in info.changed_by if self.queries.has(info.id, k)]
        if not keys:
            return ""
        return "(" + " or ".join(f"{k} >= {quoted(since)}" for k in keys) + ")"

    def _with_lines(
        self, asked: Wanted, found: list[Found], condition: str | None = None, after: Any = None
    ) -> list[Found]:
        """Put lines into their records: those that came along, and those of entries asked for apart. With a
        ``condition``, ``found`` are all that meet it behind ``after``: many are asked for by their range of ids."""
        for one in found:
            for entry in asked.line_fields:
                one.record[entry] = one.lines if entry == asked.main.entry else []
        by_pk = {f.pk: f for f in found}
        for shape in asked.apart:
            for lines in self._apart(shape, list(by_pk), condition, after):
                if lines.pk in by_pk:
                    by_pk[lines.pk].record[str(shape.entry)] = lines.lines
        return found

    def _apart(self, shape: Shape, ids: list[Any], condition: str | None, after: Any) -> Iterator[Found]:
        pk = shape.info.pk
        if condition is not None and len(ids) > IDS:
            upto = f"{pk} <= {literal(ids[-1])}"
            for batch in self.queries.drain(shape, both(upto, condition), after):
                yield from batch.found
            return
        for chunk in _chunks(ids, IDS):
            yield from self.queries.all(shape, one_of(pk, map(literal, chunk)))

    def _hidden(self, asked: Wanted, batch: Batch, after: Any, fixed: str) -> list[Found]:
        """Records in this page's range of ids that the joined query did not show."""
        pk = asked.main.info.pk
        upto = "" if batch.end else f"{pk} <= {literal(batch.last)}"
        ids = Shape(asked.main.info, ())
        shown = {f.pk for f in batch.found}
        hidden: list[Any] = []
        for keys in self.queries.drain(ids, both(upto, fixed), after):
            hidden += [f.pk for f in keys.found if f.pk not in shown]
        return self._bare(asked, hidden)

    def _bare(self, asked: Wanted, ids: Sequence[Any]) -> list[Found]:
        """Records that the joined query did not show: they have no lines. Asked for once more by their ids before that
        is believed, since a list that left out some rows would look like an order whose lines are gone."""
        pk = asked.main.info.pk
        found: list[Found] = []
        for chunk in _chunks(ids, IDS):
            again = self.queries.all(asked.main, one_of(pk, map(literal, chunk)))
            found += self._with_lines(asked, again)
            shown = {str(f.pk) for f in again}
            if rest := [i for i in chunk if str(i) not in shown]:
                bare = self.queries.all(asked.bare(), one_of(pk, map(literal, rest)))
                found += self._with_lines(replace(asked, apart=(), main=asked.bare()), bare)
        return found

    def ids(self, form: str, options: Record) -> Iterator[list[str]]:
        """See ``ListIds``."""
        shape = Shape(self._metadata.info(form), ())
        for batch in self.queries.drain(shape, str(options.get("filter") or "")):
            yield [str(f.pk) for f in batch.found]

    def get(self, form: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        """See ``Get``."""
        asked = self.wanted(form, fields, options)
        found: dict[str, Found] = {}
        for chunk in _chunks(list(dict.fromkeys(ids)), IDS):
            condition = one_of(asked.main.info.pk, map(literal, chunk))
            seen = self._with_lines(asked, self.queries.all(asked.main, condition))
            found |= {str(f.pk): f for f in seen}
            missing = [i for i in chunk if i not in found]
            if asked.main.entry and missing:
                found |= {str(f.pk): f for f in self._bare(asked, missing)}
        return [self.remote(asked, found[i]) if i in found else Remote(i, None, deleted=True) for i in ids]

    def by_text(
        self, form: str, key: str, values: Sequence[str], fields: Sequence[str], options: Record
    ) -> list[Remote]:
        """Records by the value of a text field."""
        asked = self.wanted(form, fields, options)
        ids = [f.pk for f in self.find(asked.main.info, key, values)]
        return self.get(form, [str(i) for i in ids], fields, options) if ids else []

    def find(self, info: FormInfo, key: str, values: Sequence[str], *more: Column) -> list[Found]:
        """Inner ids (and more) of the records with these values of a text field."""
        shape = Shape(info, (Column(key, ("@found",), optional=True), *more))
        found: list[Found] = []
        for chunk in _chunks(list(dict.fromkeys(values)), IDS):
            found += self.queries.all(shape, one_of(key, map(quoted, chunk)))
        return found

    def probe(self, form: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Remote | None]:
        """See ``Probe``. Looks twice: the lost request may still be running (A16.3)."""
        found = self._probe(form, writes, fields, options)
        if all(f is not None for f in found) or not self._settings.probe_wait:
            return found
        self._services.sleep(self._settings.probe_wait)
        return self._probe(form, writes, fields, options)

    def _probe(self, form: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Remote | None]:
        info = self._metadata.info(form)
        key_field = self._settings.key_field
        by_key: dict[str, Remote] = {}
        if key_field and self.queries.has(form, key_field):
            with suppress(FieldAbsent):
                found = self.by_text(form, key_field, [w.key for w in writes], fields, options)
                by_key = {r.key: r for r in found if r.key}
        has_key = bool(key_field) and self.queries.has(form, str(key_field))
        numbers = {w.key: str(w.values.get(info.number) or "").strip() for w in writes if w.key not in by_key}
        named = [n for n in numbers.values() if n]
        by_number = {r.ref: r for r in self.by_text(form, info.number, named, fields, options)} if named else {}
        results: list[Remote | None] = []
        for write in writes:
            same = by_number.get(numbers.get(write.key) or None)
            if write.key not in by_key and not has_key and not numbers.get(write.key):
                raise ConfigurationError(
                    f"can't tell whether a record of {form} was created: it carries neither the hub's key nor a number",
                    where=f"{self._services.system}/{form}",
                    cure=f"add a text field {key_field or 'F_HUB_KEY'} to the form in Kingdee",
                )
            # The same number on a record with somebody else's key is not our creation.
            results.append(by_key.get(write.key) or (same if same is not None and not same.key else None))
        return results

    def remote(self, asked: Wanted, found: Found) -> Remote:
        """One sighting."""
        info, meta = asked.main.info, found.meta
        times = [str(t) for t in (meta.get("modified"), *(meta.get(k) for k in info.changed_by)) if t]
        number = str(meta.get("number") or "").strip()
        key = str(meta.get("key") or "").strip()
        return Remote(
            id=str(found.pk),
            record=found.record,
            version=version(meta),
            modified_at=self.instant(max(times)) if times else None,
            modified_by=str(meta.get("by") or "").strip() or None,
            ref=number or None,
            key=key or None,
        )

    def instant(self, naive: str) -> str:
        """A server time as ISO 8601 in UTC."""
        moment = datetime.fromisoformat(naive).replace(tzinfo=self._zone).astimezone(UTC)
        text = moment.isoformat(timespec="microseconds").removesuffix("+00:00")
        return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"


def version(meta: dict[str, Any]) -> str | None:
    """What a stale write is recognised by: the time of the last change, and the state (audit may not move the time)."""
    if not meta.get("modified"):
        return None
    return f"{meta['modified']}/{meta.get('status') or ''}"


def stage_of(version: str | None) -> str:
    """The state letter that a version tells; empty when it tells none."""
    return (version or "").rpartition("/")[2]


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
