"""The feed of changes: what changed since a moment, and records whose lines changed.

A feed resumes a little before (``overlap``) the newest change seen, or before the moment at which the walk began,
whichever is earlier: what is changed while pages are turned may be missed by the walk and must be met by the next one.
What the overlap shows again unchanged is left out, told by id and content: times alone are too coarse in many products.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connect.answers import encode
from hub.connect.capabilities import Page, Part, Record
from hub.connect.moments import utc_text
from hub.connect.services import Services

from .grammar import LinesConfig
from .places import found
from .reading import Reader
from .sighting import Shape
from .walking import Batch

MOST_REMEMBERED = 500
FUTURE = timedelta(days=1)
PARENTS = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one list has been read."""

    since: datetime | None = None
    known: dict[str, str] = field(default_factory=dict)
    """Id → digest of the records in the overlap."""

    def stored(self) -> Record:
        return {"since": utc_text(self.since) if self.since else None, "known": self.known}

    @classmethod
    def parse(cls, data: Any) -> Mark:
        """A mark of earlier; one that can't be read stands for "everything"."""
        try:
            since = datetime.fromisoformat(data["since"]).astimezone(UTC) if data.get("since") else None
            return cls(since, {str(k): str(v) for k, v in (data.get("known") or {}).items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the feed resumes; as text, JSON."""

    mark: Mark = field(default_factory=Mark)
    lines: dict[str, Mark] = field(default_factory=dict)
    resume: Any = None
    """Set in the middle of a complete listing: behind which row it goes on."""

    def text(self) -> str | None:
        """For the engine to keep; None when there is nowhere to resume."""
        if self.mark.since is None:
            return None
        stored: Record = {"mark": self.mark.stored(), "lines": {n: m.stored() for n, m in self.lines.items()}}
        if self.resume is not None:
            stored["resume"] = self.resume
        return json.dumps(stored, separators=(",", ":"), default=str)

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        try:
            stored = json.loads(text or "{}")
            lines = {str(n): Mark.parse(m) for n, m in (stored.get("lines") or {}).items()}
            return cls(Mark.parse(stored.get("mark") or {}), lines, stored.get("resume"))
        except (AttributeError, ValueError, TypeError):
            return cls()


class Feed:
    """One system's feeds."""

    def __init__(self, reader: Reader, services: Services) -> None:
        self._reader = reader
        self._services = services

    def changes(self, name: str, cursor: str | None, fields: Sequence[str], part: Part | None = None) -> Iterator[Page]:
        """See ``ListChanges``, and ``ListParts`` for one ``part``."""
        shape = self._reader.shape(name)
        asked = self.asked(name, part)
        start = Cursor.parse(cursor)
        now = self._services.now()
        if start.mark.since is not None and start.mark.since > now + FUTURE:
            self._services.log.warning("%s: the cursor is in the future; reading everything again", shape.where)
            start = Cursor()
        if shape.config.list_ is None or shape.config.list_.changes is None:
            start = Cursor()
        if start.mark.since is None or start.resume is not None:
            yield from self._listing(shape, start, fields, asked)
        else:
            yield from self._since(shape, start, fields, asked)

    def asked(self, name: str, part: Part | None) -> Record:
        """What a list is asked for with."""
        if part is None:
            return {"resource": name}
        return {"resource": name, "part": {"number": part.number, "of": part.of, "index": part.number - 1}}

    def _listing(self, shape: Shape, start: Cursor, fields: Sequence[str], asked: Record) -> Iterator[Page]:
        """Everything. Where the list goes on behind its last row, a listing that broke off is taken up again."""
        changes = shape.config.list_.changes if shape.config.list_ else None
        begun = start.mark.since
        mark = Mark(begun)
        for batch in self._reader.walker(shape).walk(asked, resume=start.resume):
            begun = begun or batch.server_time or self._services.now()
            rows = shape.cleaned(batch.rows)
            mark = self._seen(shape, mark, rows)
            now = Cursor(Mark(begun), self._begun(shape, begun), batch.resume)
            if batch.last and changes is not None:
                now = Cursor(self._settled(shape, mark, begun), self._begun(shape, begun))
            text = now.text() if changes is not None and (batch.last or batch.resume is not None) else None
            remotes = self._remotes(shape, rows, fields)
            yield Page(remotes, text, complete=batch.last and batch.sure and start.resume is None)

    def _since(self, shape: Shape, start: Cursor, fields: Sequence[str], asked: Record) -> Iterator[Page]:
        mark, sure = start.mark, True
        for batch, rows, mark, sure in self._changed(shape, start.mark, asked):  # noqa: B007
            remotes = self._remotes(shape, rows, fields)
            if remotes and not batch.last:
                yield Page(remotes, None)
            elif batch.last:
                held = remotes
        lines = dict(start.lines)
        wanted = {f.partition(".")[0] for f in fields}
        for name, config in shape.config.lines.items():
            if config.watch is not None and name in wanted:
                yield from self._parents(shape, name, config, lines, fields)
        now = Cursor(mark if sure else start.mark, lines)
        yield Page(held, now.text())

    def _parents(
        self, shape: Shape, name: str, config: LinesConfig, marks: dict[str, Mark], fields: Sequence[str]
    ) -> Iterator[Page]:
        """Records whose lines changed, though they did not."""
        watch = config.watch
        assert watch is not None
        child = self._reader.shape(watch.resource)
        before = marks.get(name)
        if before is None or before.since is None:
            # Nothing is known of these lines yet: they came with their records.
            marks[name] = Mark(self._services.now())
            return
        parents: dict[str, None] = {}
        after = before
        for _, rows, mark, sure in self._changed(child, before, {"resource": child.name}):
            parents |= dict.fromkeys(str(p) for row in rows if (p := found(row, watch.parent)) not in (None, ""))
            after = mark if sure else before
        ids = list(parents)
        for at in range(0, len(ids), PARENTS):
            yield Page(self._reader.get(shape.name, ids[at : at + PARENTS], fields), None)
        marks[name] = after

    def _changed(self, shape: Shape, start: Mark, asked: Record) -> Iterator[tuple[Batch, list[Record], Mark, bool]]:
        """(page, its rows that are news, the mark after it, whether all was seen)."""
        assert start.since is not None and shape.config.list_ is not None and shape.config.list_.changes is not None
        overlap = timedelta(seconds=shape.config.list_.changes.overlap)
        after = start.since - overlap
        begun: datetime | None = None
        mark, strange = start, 0
        for batch in self._reader.walker(shape).walk(asked, since=shape.questions.write(after)):
            begun = begun or batch.server_time or self._services.now()
            rows = shape.cleaned(batch.rows)
            moments = [m for row in rows if (m := shape.changed(row)) is not None]
            strange += sum(moment < after - timedelta(seconds=1) for moment in moments)
            mark = self._seen(shape, mark, rows)
            news = [row for row in rows if start.known.get(shape.id(row)) != _digest(row)]
            yield batch, news, self._settled(shape, mark, begun) if batch.last else mark, batch.sure
        if strange:
            self._services.log.warning(
                "%s: %d records older than asked for: the filter of 'changes' seems to be ignored", shape.where, strange
            )

    def _seen(self, shape: Shape, mark: Mark, rows: Sequence[Record]) -> Mark:
        newest, known = mark.since, dict(mark.known)
        for row in rows:
            moment = shape.changed(row)
            if moment is not None:
                newest = max(newest, moment) if newest else moment
            known.pop(shape.id(row), None)
            known[shape.id(row)] = _digest(row)
        return Mark(newest, dict(list(known.items())[-MOST_REMEMBERED:]))

    def _settled(self, shape: Shape, mark: Mark, begun: datetime) -> Mark:
        """The mark at the end of a walk: never later than its beginning."""
        return replace(mark, since=min(mark.since, begun) if mark.since else begun)

    def _begun(self, shape: Shape, begun: datetime) -> dict[str, Mark]:
        return {name: Mark(begun) for name, one in shape.config.lines.items() if one.watch is not None}

    def _remotes(self, shape: Shape, rows: Sequence[Record], fields: Sequence[str]) -> list[Any]:
        by_id = {shape.id(row): row for row in rows}
        live = {id: row for id, row in by_id.items() if not shape.gone(row)}
        whole = self._reader.with_lines(shape, live, fields)
        return [shape.remote(whole.get(id, row), fields) for id, row in by_id.items()]


def _digest(row: Record) -> str:
    return hashlib.blake2b(encode(row), digest_size=8).hexdigest()
