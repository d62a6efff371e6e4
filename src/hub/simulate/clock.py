"""Time that moves only when told, and by a few milliseconds at every look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 1, 15, 1, 0, 0, tzinfo=UTC)


class Clock:
    """The simulated time. Called, it gives the present moment, each a little later than the one before."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=5)
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def since(self) -> str:
        """Hours, minutes and seconds since the beginning, for stories."""
        seconds = int((self.now - BEGINNING).total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def text(moment: datetime, skew: int = 0) -> str:
    """ISO 8601 in UTC, milliseconds, as a system says it whose clock is ``skew`` seconds off."""
    return (moment + timedelta(seconds=skew)).isoformat(timespec="milliseconds")[:23] + "Z"
