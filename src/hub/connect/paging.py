"""How products hand out long lists: one small class a way, told by its options and by what the answer says.

A way gives the parameters of the first page, and from an answer those of the next one, or None when there is none.
Where an answer says how many records there are (``total``) or whether more follow (``more``), that is believed; else
the list ends with an empty page. A short page alone proves nothing: servers cap the page size without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from hub.connect.answers import Answer
from hub.connect.paths import ABSENT, Step, read

Record = dict[str, Any]
_LINK = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to add to the call for one page."""

    params: dict[str, Any] = field(default_factory=dict)
    path: str | None = None
    """Instead of the call's own path and parameters: a link out of an answer."""
    served: int = 0
    """Rows of the pages before."""


class Paging(Protocol):
    """One way of paging. Immutable: the state is in the ``Ask``."""

    def first(self) -> Ask: ...

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        """The page after this one; None at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Ends:
    """Where an answer tells how long the list is."""

    total: tuple[Step, ...] | None = None
    more: tuple[Step, ...] | None = None
    short: bool = False
    """Whether a page shorter than asked for is the last one (only where the product promises it)."""

    def reached(self, answer: Answer, rows: Sequence[Record], served: int, size: int | None) -> bool:
        """``served``: rows up to and with this page."""
        if not rows:
            return True
        total = self.count(answer)
        if total is not None:
            return served >= total
        if self.more is not None:
            return not _at(answer, self.more)
        return self.short and size is not None and len(rows) < size

    def count(self, answer: Answer) -> int | None:
        """How many records there are, where the answer tells."""
        found = _at(answer, self.total) if self.total is not None else None
        try:
            return int(found) if found is not None else None
        except (TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class OnePage:
    """Everything at once."""

    def first(self) -> Ask:
        return Ask()

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        return None


@dataclass(frozen=True, slots=True)
class ByPage:
    """``?page=2&per_page=100``"""

    param: str = "page"
    size_param: str | None = None
    size: int | None = None
    start: int = 1
    ends: Ends = Ends()

    def first(self) -> Ask:
        return Ask({self.param: self.start, **_sized(self.size_param, self.size)})

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        served = ask.served + len(rows)
        if self.ends.reached(answer, rows, served, self.size):
            return None
        return replace(ask, params={**ask.params, self.param: int(ask.params[self.param]) + 1}, served=served)


@dataclass(frozen=True, slots=True)
class ByOffset:
    """``?offset=200&limit=100``"""

    param: str = "offset"
    size_param: str | None = "limit"
    size: int | None = 100
    ends: Ends = Ends()

    def first(self) -> Ask:
        return Ask({self.param: 0, **_sized(self.size_param, self.size)})

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        # By the rows that came, not by those asked for: a server that caps the size would skip the rest.
        served = ask.served + len(rows)
        if self.ends.reached(answer, rows, served, self.size):
            return None
        return replace(ask, params={**ask.params, self.param: served}, served=served)


@dataclass(frozen=True, slots=True)
class ByToken:
    """The answer holds what the next call has to carry (cursor, page token); nothing there: the end."""

    param: str
    at: tuple[Step, ...]
    size_param: str | None = None
    size: int | None = None
    ends: Ends = Ends()

    def first(self) -> Ask:
        return Ask(_sized(self.size_param, self.size))

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        token = _at(answer, self.at)
        if token in (None, "", False) or (self.ends.more is not None and not _at(answer, self.ends.more)):
            return None
        return replace(ask, params={**ask.params, self.param: token}, served=ask.served + len(rows))


@dataclass(frozen=True, slots=True)
class ByLink:
    """The answer holds the next page's address: in its body, or in a Link header with rel="next"."""

    at: tuple[Step, ...] | None = None
    size_param: str | None = None
    size: int | None = None

    def first(self) -> Ask:
        return Ask(_sized(self.size_param, self.size))

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        link = _at(answer, self.at) if self.at is not None else _header_link(answer)
        return Ask(path=str(link), served=ask.served + len(rows)) if link else None


@dataclass(frozen=True, slots=True)
class AfterLast:
    """The next page begins behind the last row's id (or number): never skips a row, whatever is deleted meanwhile.

    The list must be sorted by ``of``.
    """

    param: str
    of: tuple[Step, ...]
    size_param: str | None = None
    size: int | None = None
    ends: Ends = Ends()

    def first(self) -> Ask:
        return Ask(_sized(self.size_param, self.size))

    def following(self, ask: Ask, answer: Answer, rows: Sequence[Record]) -> Ask | None:
        # The total counts what is behind the last row, not all of the list: each page begins anew.
        if self.ends.reached(answer, rows, len(rows), self.size):
            return None
        last = read(rows[-1], self.of)
        return replace(ask, params={**ask.params, self.param: last}, served=ask.served + len(rows))


def link_path(base_url: str, link: str) -> str:
    """A link out of an answer as ``Http.request`` takes it: a whole URL, made whole where it is only a path.

    Behind proxies servers write links with a scheme or host of their own; one that differs is refused by ``Http``.
    """
    return link if urlsplit(link).scheme else urljoin(base_url + "/", link)


def _sized(param: str | None, size: int | None) -> dict[str, Any]:
    return {param: size} if param and size else {}


def _at(answer: Answer, steps: tuple[Step, ...]) -> Any:
    try:
        found = read(answer.json_or_none(), steps)
    except ValueError:
        return None
    return None if found is ABSENT else found


def _header_link(answer: Answer) -> str | None:
    found = _LINK.search(answer.headers.get("Link") or "")
    return found[1] if found else None
