"""What hub.yaml says of a system: the settings that its manifest declares, and those that every system has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.connect.redact import remember
from hub.connect.suggest import did_you_mean
from hub.errors import ConfigurationError

from .grammar import RestManifest
from .scopes import SETTINGS


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings of one system. ``values`` holds the manifest's own."""

    values: dict[str, Any] = field(repr=False)
    verify: bool | str = True
    timeout: float = 60.0
    calls_per_second: float | None = None
    calls_per_day: int | None = None
    page: int | None = None
    """Rows of a page, instead of the manifest's ``size``."""


def secrets_of(manifest: RestManifest) -> tuple[str, ...]:
    """Names of the settings that are secret."""
    return tuple(name for name, setting in manifest.settings.items() if setting.secret)


def read_settings(manifest: RestManifest, given: dict[str, Any], system: str) -> Settings:
    """Raises ConfigurationError that names the setting, never its value."""
    known = [*manifest.settings, *SETTINGS]
    for name in given:
        if name not in known:
            cure = did_you_mean(name, known)
            raise ConfigurationError(f"{manifest.name} has no setting {name!r}", where=f"{system}.{name}", cure=cure)
    values = {}
    needs_url = "{settings.url}" in manifest.url
    declared = {name: (one.default, one.optional, one.description) for name, one in manifest.settings.items()}
    if needs_url and "url" not in declared:
        declared["url"] = (None, False, "the address of the system")
    for name, (default, optional, description) in declared.items():
        value = given.get(name, default)
        if value in (None, "") and not optional:
            about = f": {description}" if description else ""
            raise ConfigurationError(
                f"the setting {name!r} is missing{about}", where=system, cure=f"add '{name}:' to the system in hub.yaml"
            )
        values[name] = "" if value is None else value
    remember(*(str(values[name]) for name in secrets_of(manifest)))
    return Settings(
        values,
        verify=given.get("verify", True),
        timeout=_number(given, "timeout", system) or 60.0,
        calls_per_second=_number(given, "calls_per_second", system),
        calls_per_day=_whole(given, "calls_per_day", system),
        page=int(_number(given, "page", system) or 0) or None,
    )


def _whole(given: dict[str, Any], name: str, system: str) -> int | None:
    number = _number(given, name, system)
    if number is not None and number != int(number):
        raise ConfigurationError(f"{name} is a whole number above 0", where=f"{system}.{name}")
    return None if number is None else int(number)


def _number(given: dict[str, Any], name: str, system: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if isinstance(value, bool) or number <= 0:
        raise ConfigurationError(f"{name} is a number above 0", where=f"{system}.{name}")
    return number
