"""When passes run and who hears of failures: the ``schedule:`` and ``notify:`` sections of ``hub.yaml``.

```yaml
schedule: 15m                       # every entity, unless it says otherwise; off: only by hand
notify: {webhook: ${HUB_NOTIFY_URL}, format: wecom}
entities:
  order:
    schedule: {every: 5m}           # or just: 5m
  customer:
    schedule:
      - {cron: "*/10 8-19 * * 1-5", timezone: Asia/Shanghai}
      - {every: 1h, systems: [shop]}            # observes the shop only
      - {cron: "30 2 * * *", full: true}        # at night, complete listings: finds what a change feed misses
```
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

_EVERY = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CRON_FIELD = re.compile(r"[\d*,/\-A-Za-z?#L]+")
SHORTEST = 30
"""Seconds. A run is a process of its own: below this, starting it costs more than the pass."""


class Schedule(BaseModel):
    """One rhythm of one entity: an interval or a cron expression, and what its passes cover."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: str | None = Field(None, description="Interval: a number and s, m, h or d, such as 15m.")
    cron: str | None = Field(None, description="Five cron fields: minute, hour, day, month, weekday.")
    timezone: str | None = Field(None, description="Time zone of the cron fields; the project's when left out.")
    systems: tuple[str, ...] = Field((), description="Observe only these systems; all of the entity when left out.")
    full: bool = Field(False, description="Read everything instead of what changed since the last pass.")

    @field_validator("every")
    @classmethod
    def _an_interval(cls, text: str | None) -> str | None:
        if text is None:
            return None
        match = _EVERY.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not an interval; write a number and s, m, h or d, such as 15m")
        if int(match[1]) * _SECONDS[match[2]] < SHORTEST:
            raise ValueError(f"{text!r} is too short: at least {SHORTEST}s")
        return text.strip()

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, text: str | None) -> str | None:
        if text is None:
            return None
        fields = text.split()
        if len(fields) != 5 or not all(_CRON_FIELD.fullmatch(f) for f in fields):
            raise ValueError(f"{text!r} is not a cron expression of five fields, such as '*/15 8-19 * * 1-5'")
        return " ".join(fields)

    @field_validator("timezone")
    @classmethod
    def _a_known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone; write a name such as Asia/Shanghai")
        return name

    @model_validator(mode="after")
    def _one_rhythm(self) -> Schedule:
        if (self.every is None) == (self.cron is None):
            raise ValueError("a schedule has either every or cron")
        if self.timezone and not self.cron:
            raise ValueError("timezone belongs to cron; an interval has none")
        return self

    @property
    def seconds(self) -> int | None:
        """Length of the interval; None for a cron schedule."""
        if self.every is None:
            return None
        match = _EVERY.fullmatch(self.every)
        assert match is not None
        return int(match[1]) * _SECONDS[match[2]]

    def __str__(self) -> str:
        rhythm = f"every {self.every}" if self.every else f"cron {self.cron}"
        where = f" {self.timezone}" if self.timezone else ""
        what = f" from {', '.join(self.systems)}" if self.systems else ""
        return f"{rhythm}{where}{what}{' (full)' if self.full else ''}"


def _as_list(value: Any) -> Any:
    if value is None or value is False or (isinstance(value, str) and value.strip().lower() in {"off", "none"}):
        return []
    items = value if isinstance(value, list | tuple) else [value]
    return [{"every": item} if isinstance(item, str) else item for item in items]


Schedules = Annotated[tuple[Schedule, ...], BeforeValidator(_as_list)]
"""Accepts ``15m``, one schedule, a list of them, or ``off``."""

DEFAULT: tuple[Schedule, ...] = (Schedule(every="15m"),)


class Notify(BaseModel):
    """Where a failed or crashed run is told. The address is a secret: it comes from the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    webhook: str = Field(repr=False, description="Address that gets a POST with JSON; ${NAME} of the environment.")
    format: Literal["json", "slack", "wecom", "dingtalk", "feishu"] = Field(
        "json", description="Shape of the JSON: the hub's own, or that of a chat's robot."
    )

    @field_validator("webhook")
    @classmethod
    def _an_address(cls, text: str) -> str:
        if not text.startswith(("https://", "http://", "${")):
            raise ValueError("a webhook address starts with https:// or http://")
        return text
