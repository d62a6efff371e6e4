"""A life as a story for people."""

from __future__ import annotations

from typing import Any

from hub.simulate.life import Life


def as_text(life: Life) -> str:
    """Who there was, what happened when, and which laws were broken by it."""
    lines = [f"Seed {life.seed}. {_people(life.config)}", ""]
    lines += life.told
    lines += ["", *(f"BROKEN  {violation.law}: {violation.what}" for violation in life.violations)]
    return "\n".join(lines)


def _people(config: dict[str, Any]) -> str:
    told = [f"{', '.join(config['systems'])} share {', '.join(config['entities'])}."]
    for system, quirks in config["quirks"].items():
        if quirks and system in config["systems"]:
            told.append(f"{system}: {', '.join(_habit(*habit) for habit in quirks.items())}.")
    for entity, policy in config["policy"].items():
        if policy and entity in config["entities"]:
            told.append(f"{entity}: {', '.join(f'{name} {value}' for name, value in policy.items())}.")
    return " ".join(told)


def _habit(name: str, value: Any) -> str:
    return name if value is True else f"{name} {value}"
