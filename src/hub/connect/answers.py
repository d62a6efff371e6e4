"""An answer over HTTP: its JSON without floats, and what a bad status means in general."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from hub.connect.redact import redact
from hub.errors import AuthenticationError, HubError, RateLimited, Unavailable, UnexpectedAnswer, UnknownOutcome

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_MISSING = object()
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)

CURE_LATER = "the next pass goes on from here by itself; if it lasts, ask whoever runs that system"
CURE_BUSY = (
    "the next pass goes on from here by itself; if it happens often, run passes less often or ask for a larger quota"
)


def encode(value: Any) -> bytes:
    """JSON, with each Decimal as the exact number it is."""
    return _encoder.encode(value)


def decode(body: bytes) -> Any:
    """JSON, with each number that has a fraction or exponent as a Decimal; integers stay ``int``.

    Raises ``msgspec.DecodeError``, also for what no reader survives: brackets without end, a number beyond all bounds.
    """
    try:
        return _decoder.decode(body)
    except RecursionError:
        raise msgspec.DecodeError("the JSON is nested too deep") from None
    except ArithmeticError:
        raise msgspec.DecodeError("the JSON holds a number beyond all bounds") from None


@dataclass(slots=True)
class Answer:
    """What came back. ``idempotent`` tells whether the request could be sent again without harm."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in any case."""
    body: bytes = field(repr=False)
    idempotent: bool = True
    received: datetime | None = None
    _data: Any = field(default=_MISSING, repr=False)

    def json(self) -> Any:
        """The decoded body; None where there is no content (204, 304, an empty body).

        Raises UnexpectedAnswer when it is something else than JSON.
        """
        if self._data is _MISSING:
            if not self.body.strip():
                self._data = None
            else:
                try:
                    self._data = decode(self.body)
                except msgspec.DecodeError as problem:
                    raise UnexpectedAnswer(
                        f"{self._looks_like()} where JSON was due (status {self.status})"
                    ) from problem
        return self._data

    def json_or_none(self) -> Any:
        """The decoded body, or None when it is no JSON: for classifiers, which see everything."""
        try:
            return self.json()
        except UnexpectedAnswer:
            return None

    def json_problem(self, where: str) -> HubError | None:
        """The error, if this answer should hold JSON and doesn't. Empty with 200 counts, with 204 or 304 it doesn't."""
        if self.status in (204, 304) and not self.body:
            return None
        try:
            if self.json() is not None or self.body.strip() == b"null":
                return None
            what = f"an empty answer where JSON was due (status {self.status})"
        except UnexpectedAnswer as problem:
            what = problem.what
        if self.idempotent:
            return UnexpectedAnswer(
                what, where=where, cure="check the system's address, and that no proxy answers for it"
            )
        return UnknownOutcome(what, where=where)

    def retry_after(self) -> float | None:
        """Seconds of the Retry-After header (a number of seconds, or an HTTP date), None without one."""
        text = (self.headers.get("Retry-After") or "").strip()
        if not text:
            return None
        if text.replace(".", "", 1).isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # A date in Retry-After is by the server's clock, so it is measured from the server's Date.
        now = self.server_time() or self.received or datetime.now(UTC)
        return max(0.0, (moment - now).total_seconds())

    def server_time(self) -> datetime | None:
        """The server's own clock: the Date header, in UTC, whole seconds; None without one."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None

    def excerpt(self, length: int = 200) -> str:
        """The beginning of the body, on one line and without secrets: for messages."""
        if self._looks_like() == "an HTML page":
            return f"an HTML page{self._title()}"
        text = " ".join(self.body[: 4 * length].decode("utf-8", "replace").split())
        return redact(text)[:length]

    def _title(self) -> str:
        """What a page calls itself, which is the part of it that tells something."""
        found = _TITLE.search(self.body[:4096].decode("utf-8", "replace"))
        title = " ".join(html.unescape(found[1]).split()) if found else ""
        return f" ({redact(title)[:80]})" if title else ""

    def _looks_like(self) -> str:
        start = self.body.lstrip()[:200].lower()
        if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
            return "an HTML page"
        if start.startswith((b"{", b"[")):
            return "broken JSON"
        return "something else"


def failure(answer: Answer, where: str, accept: Collection[int] = ()) -> HubError | None:
    """The error that a status stands for in general; None for 2xx, 304 and what is in ``accept``."""
    status = answer.status
    if status < 300 or status == 304 or status in accept:
        return None
    if status == 429:
        wait = answer.retry_after()
        asked = f": the system asks us to wait {wait:.0f} s" if wait is not None else ""
        return RateLimited(f"too many requests{asked}", wait=wait, where=where, cure=CURE_BUSY)
    if status == 401:
        return AuthenticationError(
            f"the system refuses our credentials: {answer.excerpt()}",
            where=where,
            cure="renew them in the configuration",
        )
    if status >= 500 and answer.idempotent:
        wait = answer.retry_after()
        if wait is not None:
            what = f"the system is not available (status {status})"
            return RateLimited(what, wait=wait, where=where, cure=CURE_LATER)
        return Unavailable(f"the system failed with status {status}: {answer.excerpt()}", where=where, cure=CURE_LATER)
    if status >= 500:
        return UnknownOutcome(f"the system failed with status {status} on a write: {answer.excerpt()}", where=where)
    if status < 400:
        target = redact(answer.headers.get("Location", "nowhere"))
        return UnexpectedAnswer(
            f"redirected (status {status}) to {target}",
            where=where,
            cure="write the address it leads to in the settings",
        )
    return UnexpectedAnswer(f"status {status}: {answer.excerpt()}", where=where)
