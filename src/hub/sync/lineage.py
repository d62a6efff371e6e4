"""Lineage: which line of which mapping made a value, for the mapping as it is and as it was.

The journal notes the version of the mapping that each value went through. What the lines of a version said, and where
they stood, is remembered when the version is first applied: a file that was edited since still has its past.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from hub.mapping.lens import LensField
from hub.mapping.scaffold_text import flow
from hub.store import runs
from hub.store.codec import dumps, loads
from hub.sync.paths import head, line_of, plain
from hub.sync.policy import Endpoint, Setup

Row = dict[str, Any]


def remember_lines(connection: Connection, endpoint: Endpoint) -> None:
    """Note what the mapping's lines say and where they stand; nothing is written where that is known already."""
    name = _name(endpoint.system, endpoint.lens.version)
    if runs.setting(connection, name) is None:
        runs.set_setting(connection, name, dumps(lines_of(endpoint)))


def lines_of(endpoint: Endpoint) -> dict[str, Row]:
    """Place in a record (``phone``, ``lines``, ``lines.quantity``) → its line."""
    said = getattr(endpoint.lens, "said", None) or {}
    return dict(_lines(endpoint.lens.fields, said.get("fields") or {}))


class Lineage:
    """Looks up lines, each version once."""

    def __init__(self, connection: Connection, setup: Setup, entity: str) -> None:
        self.connection = connection
        self.entity = entity
        self.present = {e.system: e for e in setup.endpoints if e.entity == entity}
        self.known: dict[tuple[str, str], dict[str, Row]] = {}

    def line(self, version: str | None, system: str, path: str) -> Row:
        """``mapping`` (file:line:column), ``operators`` (the line as written), ``remote`` (paths) of one place.

        Where that version was never noted, the present line of the system stands in, marked ``"now": true``; empty when
        there is none either.
        """
        found = _at(self._version(system, version), path) if version else None
        if found is None and system in self.present:
            found = _at(self._version(system, self.present[system].lens.version), path)
            found = {**found, "now": True} if found is not None else None
        return dict(found) if found is not None else {}

    def _version(self, system: str, version: str) -> dict[str, Row]:
        key = system, version
        if key not in self.known:
            if system in self.present and self.present[system].lens.version == version:
                self.known[key] = lines_of(self.present[system])
            else:
                text = runs.setting(self.connection, _name(system, version))
                self.known[key] = loads(text) if text else {}
        return self.known[key]


def _lines(fields: dict[str, LensField], said: Row, above: str = "") -> Iterator[tuple[str, Row]]:
    for name, field in fields.items():
        entry = said.get(name)
        if entry is not None:
            yield above + name, _row(field, entry)
            if field.lines is not None:
                yield from _lines(field.lines.fields, entry.get("fields") or {}, f"{name}.")
        elif field.lines is not None:
            yield from _picked(field, said)


def _picked(field: LensField, said: Row) -> Iterator[tuple[str, Row]]:
    """``addresses[billing]`` and ``addresses[shipping]`` stand apart in the file, and are one field."""
    assert field.lines is not None
    picks = {mark: said[mark] for mark in said if mark.startswith(f"{field.name}[")}
    yield field.name, _row(field, ", ".join(picks))
    for mark, entry in picks.items():
        yield mark, _row(field, entry)
        inner = entry.get("fields") or {}
        yield from _lines({n: f for n, f in field.lines.fields.items() if n in inner}, inner, f"{mark}.")


def _row(field: LensField, entry: Any) -> Row:
    shown = {k: v for k, v in entry.items() if k not in ("fields", "description")} if isinstance(entry, dict) else entry
    return {
        "mapping": str(field.position),
        "operators": flow(shown),
        "remote": list(field.remote),
        "direction": field.direction,
    }


def _at(lines: dict[str, Row], path: str) -> Row | None:
    """The line of ``lines[3].quantity`` is that of ``lines.quantity``; else the line of what the place is in."""
    return lines.get(path) or lines.get(plain(path)) or lines.get(line_of(path)) or lines.get(head(path))


def _name(system: str, version: str) -> str:
    return f"lines:{system}:{version}"
