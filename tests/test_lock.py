"""The lock holds one exact version of everything ``pyproject.toml`` asks for, and nothing about where it came from."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
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


def test_whatever_is_imported_is_asked_for() -> None:
    """A library that is only there because another one brings it may go with that one's next release."""
    asked = {canonicalize_name(r.name) for r in _asked()}
    homes = packages_distributions()
    ours = {"hub", "hub_connectors", "_typeshed"} | set(sys.stdlib_module_names)
    wrong = set()
    for folder in ("src", "connectors", "flows"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names = [node.module]
                for top in {name.split(".")[0] for name in names} - ours:
                    if not asked & {canonicalize_name(d) for d in homes.get(top, [top])}:
                        wrong.add(
                            f"{path.relative_to(ROOT)}:{node.lineno} imports {top}, which pyproject.toml does not name"
                        )
    assert not wrong, "\n".join(sorted(wrong))
