"""Operators on dates and instants. Canonical dates have no zone, canonical instants are UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field as Arg
from pydantic import field_validator

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import Args, FitError, Operator, Place
from hub.model import forms

DATES: frozenset[FieldType] = frozenset({"date", "datetime", "text", "any"})
MOMENTS: frozenset[FieldType] = frozenset({"datetime", "text", "integer", "decimal", "any"})


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; use a name like Asia/Shanghai or UTC") from None


def _known_zone(name: str | None) -> str | None:
    if name is not None:
        zone_of(name)
    return name


def _works(form: str | None) -> str | None:
    if form is None:
        return None
    sample = dt.datetime(2026, 3, 28, 23, 45, 59, tzinfo=dt.UTC)
    try:
        dt.datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(f"{form!r} can't be read back: {error}") from None
    month = "%m" in form or "%b" in form or "%B" in form
    if not (month and "%Y" in form and "%d" in form):
        raise ValueError(f"{form!r} leaves out the year (%Y), the month (%m) or the day (%d)")
    return form


class DateArgs(Args):
    format: str | None = Arg(None, description="How the system writes dates, as in strptime: `%d.%m.%Y`.")
    zone: str | None = Arg(None, description="The system writes instants; the date is the day in this zone.")
    time: str | None = Arg(None, pattern=r"^\d\d:\d\d(:\d\d)?$", description="Written behind the date: `00:00:00`.")

    _zone = field_validator("zone")(_known_zone)
    _format = field_validator("format")(_works)


class Date(Operator):
    """A day of the calendar. What ``date`` fields do by themselves; a time of midnight behind it is dropped."""

    name = "date"
    Args = DateArgs
    shorthand = "format"
    takes: ClassVar[frozenset[FieldType]] = DATES
    gives: ClassVar[FieldType] = "date"

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.date if self.args.format is None and self.args.zone is None else None

    def straight(self) -> bool:
        return self.args.format is None and self.args.zone is None and self.args.time is None

    def get(self, value: Any) -> Any:
        args = self.args
        if args.format is not None:
            return _parsed(value, args.format, "a date").date().isoformat()
        if args.zone is not None and len(str(value)) > 10:
            moment = dt.datetime.fromisoformat(_instant(value, args.zone))
            return moment.astimezone(zone_of(args.zone)).date().isoformat()
        return forms.date(value)

    def put(self, value: Any, old: Any = None) -> Any:
        args = self.args
        if args.format is not None:
            return _formatted(dt.datetime.fromisoformat(value), args.format)
        if args.zone is not None:
            time = dt.time.fromisoformat(args.time or "00:00")
            return dt.datetime.combine(dt.date.fromisoformat(value), time, tzinfo=zone_of(args.zone)).isoformat()
        return value if args.time is None else f"{value}T{args.time}"


def _formatted(moment: dt.datetime, form: str) -> str:
    """strftime writes the year 1 as ``1``, and strptime wants four digits."""
    return moment.strftime(form.replace("%Y", f"{moment.year:04}"))


def _parsed(value: Any, form: str, wanted: str) -> dt.datetime:
    text = forms.text(value) or ""
    try:
        return dt.datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"expected {wanted} written like {form!r}, got {forms.show(value)}") from None


def _instant(value: Any, zone: str | None) -> str:
    """The canonical instant of an ISO text; one without an offset is a time in ``zone``."""
    text = forms.text(value) or ""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected an instant like 2026-01-15T09:30:12+08:00, got {forms.show(value)}") from None
    if moment.tzinfo is None and zone is not None:
        return str(forms.instant(moment.replace(tzinfo=zone_of(zone))))
    return str(forms.instant(text if moment.tzinfo is None else moment))


class MomentArgs(Args):
    zone: str | None = Arg(None, description="Zone of times that the system writes without an offset.")
    style: Literal["z", "offset", "naive", "epoch", "epoch_ms"] | None = Arg(
        None, description="How instants are written: `…Z`, `…+08:00`, without offset, seconds or milliseconds of 1970."
    )
    format: str | None = Arg(None, description="How the system writes instants, as in strptime.")
    fraction: int = Arg(6, ge=0, le=6, description="Decimals of a second the system keeps; more are cut off.")
    separator: Literal["T", " "] = Arg("T", description="Between date and time.")

    _zone = field_validator("zone")(_known_zone)
    _format = field_validator("format")(_works)


class Moment(Operator):
    """An instant. What ``instant`` fields do by themselves; ``{datetime: Asia/Shanghai}`` for times without offset."""

    name = "datetime"
    Args = MomentArgs
    shorthand = "zone"
    takes: ClassVar[frozenset[FieldType]] = MOMENTS
    gives: ClassVar[FieldType] = "datetime"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.style = args.style or ("naive" if args.zone else "z")
        self.zone = zone_of(args.zone) if args.zone else dt.UTC
        self.fraction = min(args.fraction, {"epoch": 0, "epoch_ms": 3}.get(self.style, 6))
        if args.format is not None and "%f" not in args.format:
            self.fraction = 0
        self.minutes = args.format is not None and not any(mark in args.format for mark in ("%S", "%X", "%T", "%c"))

    def fit(self, place: Place) -> None:
        bare = self.args.format is not None and "%z" not in self.args.format
        if (self.style == "naive" or bare) and self.args.zone is None:
            raise FitError("times without an offset need a zone", "add zone: Asia/Shanghai (or the system's own)")
        if place.remote is not None and place.remote.type in ("integer", "decimal") and "epoch" not in self.style:
            raise FitError(f"{place.remote.name} holds a number", "add style: epoch (seconds) or style: epoch_ms")

    def direct(self) -> Callable[[Any], Any] | None:
        usual = self.args.zone is None and self.args.format is None and self.fraction == 6
        return forms.instant if usual and self.style in ("z", "offset") else None

    def get(self, value: Any) -> Any:
        if self.style in ("epoch", "epoch_ms"):
            return self._cut(self._from_epoch(value))
        if self.args.format is not None:
            moment = _parsed(value, self.args.format, "an instant")
            return self._cut(str(forms.instant(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))))
        return self._cut(_instant(value, self.args.zone))

    def put(self, value: Any, old: Any = None) -> Any:
        moment = dt.datetime.fromisoformat(self._cut(value))
        if self.style in ("epoch", "epoch_ms"):
            return self._to_epoch(moment)
        if self.args.format is not None:
            made = _formatted(moment.astimezone(self.zone), self.args.format)
        elif self.style == "z":
            return _trimmed(moment.astimezone(dt.UTC).replace(tzinfo=None), self.args.separator) + "Z"
        elif self.style == "offset":
            return moment.astimezone(self.zone).isoformat(self.args.separator)
        else:
            made = _trimmed(moment.astimezone(self.zone).replace(tzinfo=None), self.args.separator)
        if dt.datetime.fromisoformat(self.get(made)) != moment and self.style == "naive":
            raise ValueError(f"{value} can't be told in local time: the clocks go back in {self.args.zone} then")
        return made

    def form(self, value: Any) -> Any:
        """Cut off what the system has no room for: fractions of a second, or with a format the seconds."""
        return None if value is None else self._cut(value)

    def _cut(self, instant: str) -> str:
        """Canonical text with no more decimals of a second than the system keeps."""
        if self.minutes:
            return f"{instant[:16]}:00Z"
        if self.fraction == 6 or "." not in instant:
            return instant
        whole, _, fraction = instant.removesuffix("Z").partition(".")
        kept = fraction[: self.fraction].rstrip("0")
        return f"{whole}.{kept}Z" if kept else f"{whole}Z"

    def _from_epoch(self, value: Any) -> str:
        number = forms.typed("decimal", forms.decimal(value))
        micros = int(number * (1_000_000 if self.style == "epoch" else 1_000))
        try:
            return str(forms.instant(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)))
        except OverflowError:
            raise ValueError(f"{forms.show(value)} is no instant between the years 1 and 9999") from None

    def _to_epoch(self, moment: dt.datetime) -> Any:
        passed = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        micros = passed // dt.timedelta(microseconds=1)
        return micros // (1_000_000 if self.style == "epoch" else 1_000)


def _trimmed(moment: dt.datetime, separator: str) -> str:
    text = moment.isoformat(separator)
    return text.rstrip("0") if "." in text else text
