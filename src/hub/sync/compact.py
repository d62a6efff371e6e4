"""Compact: which entries of one record's journal may go, and what stands in their place. A function of its arguments.

What stays tells where each value comes from, what each system was last told of it, and when the record came to be, was
linked, deleted or worked on by a person. In between, one entry takes the place of many: it says what the record went
through as a whole, so that going back over it still gives the record as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.store.journal import Logged
from hub.sync.chain import changes

PRUNED = "pruned"
"""Kind of the entry that stands for others. Its detail: ``entries`` (how many), ``since`` (when the first of them was),
``fields`` (path → [before all of them, after]), ``given`` (path → [system, at, by] of the last change)."""
REPLACEABLE = ("observed", "written", "resolved", PRUNED)
"""Kinds of which anything may go: all others are a record's milestones, or what people did."""


@dataclass(slots=True)
class Compacted:
    """What becomes of the older entries of one record."""

    gone: list[int] = field(default_factory=list)
    """Ids of entries that are taken away."""
    instead: dict[int, Logged] = field(default_factory=dict)
    """Id → the entry that stands there from now on, for itself and for some of those that go."""


def compacted(entries: Sequence[Logged], held: Callable[[Logged], bool] = lambda entry: False) -> Compacted:
    """What may go of these entries: of one record, oldest first, all older than the history that is kept.

    ``held``: entries that stay for a reason of the caller's. Doing it twice changes nothing the second time.
    """
    found = Compacted()
    needed = _needed(entries, held)
    stretch: list[Logged] = []
    for entry in entries:
        if entry.id in needed:
            _close(found, stretch)
            stretch = []
        else:
            stretch.append(entry)
    _close(found, stretch)
    return found


def _needed(entries: Sequence[Logged], held: Callable[[Logged], bool]) -> set[int]:
    """The milestones, and the newest entry of each sort for each place."""
    needed: set[int] = set()
    seen: set[Hashable] = set()
    for entry in reversed(entries):
        sorts = set(_sorts(entry))
        if entry.kind not in REPLACEABLE or _is_milestone(entry) or not sorts <= seen or held(entry):
            needed.add(entry.id)
        seen |= sorts
    return needed


def _is_milestone(entry: Logged) -> bool:
    return entry.kind == "written" and entry.detail.get("action") != "update"


def _sorts(entry: Logged) -> Iterator[Hashable]:
    """What an entry is the newest of: explaining a value and taking a write back look for these."""
    if entry.kind == "observed":
        for path, kind, *_ in entry.detail["changes"]:
            yield entry.system, path, kind
    elif entry.kind == "written":
        for path in entry.detail.get("fields") or {}:
            yield entry.system, path, "written"
    elif entry.kind == "resolved":
        yield entry.detail.get("path"), "resolved"


def _close(found: Compacted, stretch: Sequence[Logged]) -> None:
    """A stretch of entries without one that is needed: what it changed stays, as one entry."""
    changing = [entry for entry in stretch if entry.kind == PRUNED or next(changes(entry), None) is not None]
    last = changing[-1] if changing else None
    found.gone += [entry.id for entry in stretch if last is None or entry.id != last.id]
    if last is not None and len(changing) > 1:
        found.instead[last.id] = last._replace(kind=PRUNED, system="", remote_id=None, detail=_summary(changing))


def _summary(entries: Sequence[Logged]) -> dict[str, Any]:
    fields: dict[str, list[Any]] = {}
    given: dict[str, list[Any]] = {}
    count = 0
    for entry in entries:
        count += entry.detail["entries"] if entry.kind == PRUNED else 1
        for path, before, after in changes(entry):
            fields.setdefault(path, [before, after])[1] = after
        given |= entry.detail["given"] if entry.kind == PRUNED else _given(entry)
    first = entries[0]
    since = first.detail["since"] if first.kind == PRUNED else first.at
    return {"entries": count, "since": since, "fields": fields, "given": given}


def _given(entry: Logged) -> dict[str, list[Any]]:
    """Who gave the values that an entry changed."""
    by_hand = entry.kind == "resolved"
    system = entry.system if not by_hand or entry.detail.get("take") == "theirs" else "hub"
    at, by = (entry.at, "a person") if by_hand else (entry.detail.get("at") or entry.at, entry.detail.get("by"))
    return {path: [system, at, by] for path, _, _ in changes(entry)}
