"""Walking through a list, page by page, without losing rows to what changes meanwhile.

Where the answer tells how many rows there are, a walk that saw fewer different ones is walked again: a row was deleted
or moved while pages were turned, and another one slipped into a page that was read already.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connect.answers import Answer
from hub.connect.capabilities import Record
from hub.connect.paging import AfterLast, Ask, ByLink, ByOffset, ByPage, ByToken, Ends, OnePage, Paging
from hub.connect.templates import fill_all
from hub.errors import UnexpectedAnswer

from .calls import Client, Extra, asked, query_of, rows_of
from .grammar import ListConfig
from .grammar_calls import Changes, Operation, PagingConfig, Parts
from .places import steps

MOST_WALKS = 3
MOST_PAGES = 100_000


@dataclass(slots=True)
class Batch:
    """The rows of one page."""

    rows: list[Record]
    last: bool
    server_time: datetime | None
    resume: Any = None
    """For lists that go on behind the last row: where; None for others."""
    sure: bool = True
    """On the last page: whether every row was seen."""


@dataclass(frozen=True, slots=True)
class Walker:
    """Walks one list of the manifest."""

    client: Client
    config: ListConfig
    paging: PagingConfig
    id: str
    where: str
    operation: Operation = "list"

    def walk(self, values: Mapping[str, Any], *, since: Any = None, resume: Any = None) -> Iterator[Batch]:
        """All rows; with ``since`` (as questions write it) only what changed. At least one batch, maybe empty."""
        way = way_of(self.paging, self.id)
        for attempt in range(1, MOST_WALKS + 1):
            seen = array("Q")
            total = 0
            for answer, rows, _, following in self._pages(way, values, since, resume):
                seen.extend(_mark(row, self.id) for row in rows)
                # The most there ever were: one that is deleted after it was seen makes others move up unseen.
                total = max(total, self._total(answer) or 0) if resume is None else 0
                last = following is None
                sure = not last or len(set(seen)) >= total
                again = last and not sure and attempt < MOST_WALKS
                behind = following.params.get(way.param) if following and isinstance(way, AfterLast) else None
                yield Batch(rows, last and not again, answer.server_time(), behind, sure)
                if last and not again:
                    return

    def _pages(
        self, way: Paging, values: Mapping[str, Any], since: Any, resume: Any
    ) -> Iterator[tuple[Answer, list[Record], Ask, Ask | None]]:
        ask: Ask | None = way.first()
        if resume is not None and isinstance(way, AfterLast) and ask is not None:
            ask = Ask({**ask.params, way.param: resume})
        before: Ask | None = None
        for _ in range(MOST_PAGES):
            assert ask is not None
            if before is not None and (before.params, before.path) == (ask.params, ask.path):
                raise UnexpectedAnswer("paging does not get on: the next page is the same", where=self.where)
            answer = self._ask(ask, values, since)
            empty = answer.status in self.config.empty
            rows = [] if empty else rows_of(answer, self.config.records, self.where)
            following = None if empty else way.following(ask, answer, rows)
            yield answer, rows, ask, following
            if following is None:
                return
            before, ask = ask, following
        raise UnexpectedAnswer(f"paging does not end after {MOST_PAGES} pages", where=self.where)

    def _ask(self, ask: Ask, values: Mapping[str, Any], since: Any) -> Answer:
        if ask.path is not None:
            return self.client.follow(ask.path, self.operation, self.where.partition("/")[2], self.config.empty)
        query, body = asked(ask, self.paging.within)
        held: dict[str, Any] = dict(values)
        narrowed: list[Changes | Parts | None] = [self.config.changes] if since is not None else []
        narrowed += [self.config.parts] if "part" in values else []
        for narrow in [one for one in narrowed if one is not None]:
            filled = held | {"since": since, "settings": self.client.settings.values}
            query = {**query_of(fill_all(narrow.query, filled)), **query}
            body = {**(fill_all(narrow.body, filled) or {}), **body}
        extra = Extra(query=query, body=body, accept=self.config.empty)
        return self.client.send(self.config, self.operation, held, self.where.partition("/")[2], extra)

    def _total(self, answer: Answer) -> int | None:
        if not self.paging.total or self.paging.after or answer.status in self.config.empty:
            return None
        return Ends(total=steps(self.paging.total)).count(answer)


def way_of(config: PagingConfig, id: str) -> Paging:
    """The kit's class for what the manifest says."""
    ends = Ends(
        total=steps(config.total) if config.total else None,
        more=steps(config.more) if config.more else None,
        short=config.short_page_ends,
    )
    size = {"size_param": config.size_param, "size": config.size}
    if config.page:
        return ByPage(config.page, start=config.start, ends=ends, **size)  # type: ignore[arg-type]
    if config.offset:
        return ByOffset(config.offset, ends=ends, **size)  # type: ignore[arg-type]
    if config.token:
        return ByToken(config.token, steps(config.at or "."), ends=ends, **size)  # type: ignore[arg-type]
    if config.link:
        return ByLink(steps(config.at) if config.at else None, **size)  # type: ignore[arg-type]
    if config.after:
        return AfterLast(config.after, steps(config.of or id), ends=ends, **size)  # type: ignore[arg-type]
    return OnePage()


def _mark(row: Record, id: str) -> int:
    """Eight bytes a row, so that a million rows can be told apart in little memory."""
    from .places import found

    text = repr(found(row, id))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
