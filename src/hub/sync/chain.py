"""Chain: the history of one record as its journal tells it, forwards and backwards.

The journal holds what changed and what was there before, never whole records. Going back from what the hub holds now
gives the record as it was after any entry; going forward gives who had given each value at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.model.spec import EntitySpec
from hub.store.journal import Logged
from hub.sync.paths import head, line_of
from hub.sync.places import with_value

Values = dict[str, Any]
Given = dict[str, Any]
"""Who gave a value: ``system``, ``at`` (when it was edited), ``by`` (the user there, where the system says so)."""

NOBODY: Given = {"system": "", "at": "", "by": None}


class Chain:
    """One record's journal with what the hub held after each entry. ``values`` is what it holds now."""

    def __init__(self, entries: Sequence[Logged], values: Values, spec: EntitySpec) -> None:
        self.entries = list(entries)
        self.after: list[Values] = [values] * len(self.entries)
        """What the hub held after each entry."""
        self.given: list[dict[str, Given]] = []
        """Who had given each place its value *before* each entry; ``*`` for the whole record."""
        for index in range(len(self.entries) - 1, -1, -1):
            self.after[index] = values
            for path, before, _ in reversed(list(changes(self.entries[index]))):
                values = with_value(values, path, before, spec)
        given: dict[str, Given] = {}
        for entry in self.entries:
            self.given.append(given)
            given = _gave(given, entry)
        self.last_given = given

    def until(self, moment: str) -> int:
        """How many entries there were at a moment."""
        return sum(entry.at <= moment for entry in self.entries)


def changes(entry: Logged) -> Iterator[tuple[str, Any, Any]]:
    """(place, before, after) of what an entry changed in the hub's own record."""
    detail = entry.detail
    if entry.kind == "observed":
        for path, kind, _, _, theirs, ours in detail["changes"]:
            if kind == "accepted":
                yield path, ours, theirs
    elif entry.kind == "resolved":
        if detail.get("path") not in (None, "*", "match") and detail.get("take") in ("theirs", "value"):
            yield detail["path"], detail.get("ours"), detail["theirs" if detail["take"] == "theirs" else "value"]
    elif entry.kind not in ("written", "new", "linked", "deleted"):  # taken back, merged, pruned
        for path, pair in (detail.get("fields") or {}).items():
            if isinstance(pair, (list, tuple)) and len(pair) == 2:
                yield path, pair[0], pair[1]


def holder(given: dict[str, Given], path: str) -> Given:
    """Who gave the value at a place: its own word, else its line's, else the whole field's, else the record's."""
    line = line_of(path)
    below = [g for name, g in given.items() if path == line and name.startswith(f"{line}.")]
    known = [g for g in (given.get(path), given.get(line), *below) if g is not None]
    if known:
        return max(known, key=lambda one: str(one["at"]))
    return given.get(head(path)) or given.get("*") or NOBODY


def _gave(given: dict[str, Given], entry: Logged) -> dict[str, Given]:
    who: Given = {"system": entry.system, "at": entry.detail.get("at") or entry.at, "by": entry.detail.get("by")}
    if entry.kind == "new":
        return {"*": who}
    if entry.kind == "resolved":
        take, path = entry.detail.get("take"), str(entry.detail.get("path"))
        system = {"theirs": entry.system, "ours": holder(given, path)["system"]}.get(str(take), "hub")
        return {**given, path: {"system": system, "at": entry.at, "by": "a person"}}
    if entry.kind == "pruned":
        told = entry.detail["given"].items()
        return {**given, **{path: {"system": system, "at": at, "by": by} for path, (system, at, by) in told}}
    if entry.kind != "observed":
        who = {"system": "hub", "at": entry.at, "by": None}
    paths = [path for path, _, _ in changes(entry)]
    return {**given, **dict.fromkeys(paths, who)} if paths else given
