"""Moments as products write them, and as the hub does: ISO 8601 in UTC ending in ``Z``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_EPOCHS = {"epoch": 1, "epoch_ms": 1000}


@dataclass(frozen=True, slots=True)
class Moments:
    """One notation. ``format``: ``iso``, ``epoch`` (seconds), ``epoch_ms``, or a pattern like ``%Y-%m-%d %H:%M:%S``.

    ``zone`` is meant where the text does not say. ``digits``: fractions of a second that are written when asking; cut,
    never rounded, since a moment asked for may be earlier than meant but not later.
    """

    format: str = "iso"
    zone: str = "UTC"
    digits: int = 3

    def parse(self, value: Any) -> datetime | None:
        """In UTC; None for nothing. Raises ValueError for what is no moment of this notation."""
        if value is None or value == "" or value is False:
            return None
        scale = _EPOCHS.get(self.format)
        try:
            if scale:
                return datetime.fromtimestamp(float(Decimal(str(value)) / scale), UTC)
            text = str(value).strip()
            found = datetime.fromisoformat(text) if self.format == "iso" else datetime.strptime(text, self.format)  # noqa: DTZ007
        except (ArithmeticError, OverflowError, OSError, ValueError):
            raise ValueError(f"{str(value)[:40]!r} is no moment written as {self.format}") from None
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(self.zone))).astimezone(UTC)

    def write(self, moment: datetime) -> Any:
        """As the product wants it in a question."""
        if self.format == "epoch":
            return int(moment.timestamp())
        if self.format == "epoch_ms":
            return int(moment.timestamp() * 1000)
        local = moment.astimezone(ZoneInfo(self.zone))
        if self.format != "iso":
            return local.strftime(self.format)
        if self.zone != "UTC":
            return _cut(local.isoformat(timespec="microseconds"), self.digits)
        return _cut(local.replace(tzinfo=None).isoformat(timespec="microseconds"), self.digits) + "Z"


def utc_text(moment: datetime) -> str:
    """``2026-01-28T06:30:05Z``, with a fraction where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _cut(text: str, digits: int) -> str:
    head, dot, tail = text.partition(".")
    fraction, zone = tail[:6], tail[6:]
    return head + (f".{fraction[:digits]}" if digits and dot else "") + zone
