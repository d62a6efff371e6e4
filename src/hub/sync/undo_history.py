"""What the journal tells an undo: what a run wrote, why, and what was done there since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.store.journal import Logged
from hub.sync.decide import ABSENT
from hub.sync.places import overlap

Values = dict[str, Any]


@dataclass(slots=True)
class Wrote:
    """All that one run wrote of one remote record, taken together."""

    system: str
    remote_id: str
    action: Literal["update", "create", "remove", "archive"]
    fields: list[tuple[str, Any, Any]] = field(default_factory=list)
    """(path, old, new) of an update, in the order of writing."""
    first: dict[str, int] = field(default_factory=dict)
    """Path → number of the journal's entry that wrote it first."""
    last: int = 0
    """Number of the last entry."""
    run: str = ""
    at: str = ""
    version: str | None = None
    apart: Values = field(default_factory=dict)
    """Field → canonical value, where the write left the system with another one."""
    revived: list[str] | None = None
    """[when, where] the record had been deleted, when this write was part of taking that back."""


def written(entries: Sequence[Logged], run: str) -> list[Wrote]:
    """What a run wrote of one record, system by system, without what it took back by itself."""
    found: dict[str, Wrote] = {}
    undone = [entry.detail for entry in entries if entry.run == run and entry.kind == "undone"]
    revived = next((detail["revived"] for detail in undone if detail.get("revived")), None)
    for entry in entries:
        if entry.run != run or entry.kind != "written":
            continue
        action, before = entry.detail["action"], found.get(entry.system)
        if action == "update" and before is not None and before.remote_id == entry.remote_id:
            _add_fields(before, entry)
        elif action == "update":
            one = found[entry.system] = Wrote(entry.system, entry.remote_id or "", "update")
            _add_fields(one, entry)
        elif action == "create":
            found[entry.system] = Wrote(entry.system, entry.remote_id or "", "create", revived=revived)
        elif before is not None and before.action == "create":
            del found[entry.system]  # made and removed again
            continue
        else:
            kind: Literal["remove", "archive"] = "remove" if action == "delete" else "archive"
            found[entry.system] = Wrote(entry.system, entry.remote_id or "", kind)
        one = found[entry.system]
        one.last, one.at, one.run = entry.id, entry.at, run
        one.version = entry.detail.get("version", one.version)
        one.apart |= entry.detail.get("apart") or {}
    return list(found.values())


def _add_fields(one: Wrote, entry: Logged) -> None:
    for path, (old, new) in entry.detail["fields"].items():
        at = next((n for n, (known, _, _) in enumerate(one.fields) if known == path), None)
        if at is None:
            one.fields.append((path, old, new))
            one.first[path] = entry.id
        else:
            one.fields[at] = (path, one.fields[at][1], new)


def is_read_back(entry: Logged, wrote: Wrote) -> bool:
    """Whether an entry only says what the system answered to that write."""
    return entry.run == wrote.run and entry.at == wrote.at


def touched_by(entries: Sequence[Logged], wrote: Wrote, path: str) -> str:
    """Who touched a place (``""``: any) in that system after the write, and how; empty: nobody."""
    cancelled: set[str] = set()
    for entry in reversed(entries):
        if entry.id <= wrote.last:
            break
        if entry.system != wrote.system or is_read_back(entry, wrote):
            continue
        undoes = entry.detail.get("undoes") if entry.kind == "written" else None
        if entry.kind == "written" and entry.run in cancelled:
            continue
        if undoes == wrote.run:
            return f"taken back already by run {entry.run}"
        if undoes is not None:
            cancelled.add(undoes)
        elif entry.kind == "written":
            paths = entry.detail.get("fields")
            if paths is None or not path or any(overlap(path, other) for other in paths):
                return f"written again by run {entry.run}: undo that one first"
        elif entry.kind == "observed":
            for other, _, _, base, theirs, _ in entry.detail["changes"]:
                if not path or overlap(path, other):
                    by = f" by {entry.detail['by']}" if entry.detail.get("by") else ""
                    when = entry.detail.get("at") or entry.at
                    return f"{other} was changed in {entry.system}{by}, {when}: {base!r} → {theirs!r}"
    return ""


def taken_back(entries: Sequence[Logged], run: str, path: str) -> Any:
    """The value that an earlier undo of this run gave the hub; ``ABSENT`` when there was none."""
    for entry in reversed(entries):
        if entry.kind == "undone" and entry.detail["of"] == run and path in entry.detail["fields"]:
            return entry.detail["fields"][path][1]
    return ABSENT


def last_version(entries: Sequence[Logged], wrote: Wrote) -> str | None:
    """The version that the hub's own last write left the record with."""
    own = (e.detail.get("version") for e in reversed(entries) if e.kind == "written" and e.remote_id == wrote.remote_id)
    return next((version for version in own if version is not None), None)


def changes_of(entries: Sequence[Logged], wrote: Wrote, path: str) -> Any:
    """Why a place was written: the value that the hub held before somebody changed it; ``None`` when nobody did.

    None means that the write enforced a value the hub held all along (an owner's), or brought the system into
    agreement at first sight: taking it back leaves the hub's value as it is. An empty value before is ``NOTHING``.
    """
    found = None
    for entry in reversed(entries):
        if entry.id >= wrote.first[path]:
            continue
        own = entry.system == wrote.system
        if entry.kind == "observed":
            for other, kind, _, _, _, ours in entry.detail["changes"]:
                if overlap(path, other) and own:
                    return found
                if overlap(path, other) and kind == "accepted":
                    found = _before(ours)
        elif entry.kind == "written" and own:
            paths = entry.detail.get("fields")
            if paths is None or any(overlap(path, other) for other in paths):
                return found
        elif own and entry.kind in {"new", "linked"}:
            return found
        elif entry.kind == "resolved" and overlap(path, entry.detail["path"]):
            found = _before(entry.detail.get("ours"))
        elif entry.kind in {"undone", "merged", "pruned"}:
            for other, (old, _) in (entry.detail.get("fields") or {}).items():
                if overlap(path, other):
                    found = _before(old)
    return found


NOTHING = ""
"""Stands for an empty value in ``changes_of``."""


def _before(value: Any) -> Any:
    return NOTHING if value is None else value
