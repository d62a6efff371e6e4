"""The lock holds one exact version of everything ``pyproject.toml`` asks for, and nothing about where it came from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()


def _asked() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for group in (project["dependencies"], *extras) for line in group]


def test_every_line_pins_one_version_and_names_no_index() -> None:
    wrong = [line for line in LINES if not re.fullmatch(r"[a-z0-9._-]+==[A-Za-z0-9.!+]+( ; .+)?", line)]
    assert not wrong, f"{wrong}: make the lock with make lock"


def test_the_lock_satisfies_the_project() -> None:
    locked = {canonicalize_name((r := Requirement(line)).name): r.specifier for line in LINES}
    wrong = []
    for asked in _asked():
        specifier = locked.get(canonicalize_name(asked.name))
        if specifier is None:
            wrong.append(f"{asked.name} is not in the lock")
        elif not asked.specifier.contains(next(iter(specifier)).version, prereleases=True):
            wrong.append(f"{asked.name}: the lock has {specifier}, the project asks for {asked.specifier}")
    assert not wrong, "\n".join(wrong) + "\n→ make lock"
