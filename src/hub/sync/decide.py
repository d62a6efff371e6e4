"""Decide: what each edit means. A function of its arguments: no I/O, no clock, no randomness.

For one observation of one remote record, every mapped field is compared three ways: *base* (what that system showed
before), *theirs* (what it shows now) and *ours* (the canonical value). Values are in canonical form, so ``==`` is the
mapping's own notion of equality: trimming, case, scale and time zone never look like edits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from hub.mapping.lens import LensField, LensLines
from hub.sync.paths import head, line_of, plain
from hub.sync.policy import EntityPolicy

Values = dict[str, Any]


class _Absent:
    """Nothing is known, or nothing was said: not the same as null."""

    def __repr__(self) -> str:
        return "absent"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
Kind = Literal["accepted", "refused", "conflict", "converged"]


class Change(NamedTuple):
    """The decision for one field (or line, or field of a line) that differs from before."""

    path: str
    """``name``, ``lines[3].quantity``, ``lines[4]`` for a whole line."""
    kind: Kind
    rule: str
    """What decided: ``edit``, ``first``, ``fill``, ``authority``, ``newest``, ``order``, ``owner``, ``hold``, ``weak``,
    ``strong``, ``equal``."""
    base: Any
    theirs: Any
    ours: Any


@dataclass(slots=True)
class Sight:
    """One observation, and all that is needed to judge it."""

    system: str
    theirs: Values
    base: Values | None
    """What the system showed before; None when the record was not linked."""
    meant: Values
    """What we wrote where the system shows something else (see ``ShadowRow.meant``)."""
    ours: Values
    stamps: Mapping[str, list[str]]
    at: str
    """When the edit was made, as far as is known (ISO 8601, UTC)."""
    linked: frozenset[str]
    """Systems in which the record has a live remote record (an owner that has none yet owns nothing of it)."""


@dataclass(slots=True)
class Decision:
    """The outcome: the new canonical values and what became of each difference."""

    values: Values
    changes: list[Change] = field(default_factory=list)
    unpaired: set[str] = field(default_factory=set)
    """Fields edited remotely since we wrote them: what we meant no longer counts."""

    @property
    def changed(self) -> bool:
        return any(change.kind == "accepted" for change in self.changes)


def decide(sight: Sight, fields: Mapping[str, LensField], policy: EntityPolicy) -> Decision:
    """Judge one observation. ``sight.ours`` is not modified."""
    decision = Decision(values=sight.ours)
    for name, lens_field in fields.items():
        if lens_field.direction == "out" or name not in sight.theirs:
            continue
        theirs = sight.theirs[name]
        base = ABSENT if sight.base is None else sight.base.get(name, ABSENT)
        same = base is not ABSENT and theirs == base and name in sight.ours
        # Lines that were shown before may have a field that was never taken in: the mapping reads it only now.
        if same and (lens_field.lines is None or theirs == sight.ours[name]):
            continue
        if lens_field.lines is not None:
            _decide_lines(decision, sight, lens_field, policy, base)
            continue
        ours = sight.ours.get(name, ABSENT)
        if base is ABSENT and theirs is None:
            decision.unpaired.add(name)  # what we meant was shown once, when the field was mapped before
        change = _decide_value(sight, name, lens_field, policy, base, sight.meant.get(name, base), theirs, ours)
        if change is None:
            continue
        decision.changes.append(change)
        if base is not ABSENT and name in sight.meant:
            decision.unpaired.add(name)
        if change.kind == "accepted":
            if decision.values is sight.ours:
                decision.values = dict(sight.ours)
            decision.values[name] = theirs
    return decision


def _decide_value(
    sight: Sight, path: str, lens_field: LensField, policy: EntityPolicy, base: Any, agreed: Any, theirs: Any, ours: Any
) -> Change | None:
    """One value. ``agreed`` is the canonical value as of our last agreement with this system."""
    if base is not ABSENT and theirs == base and ours is not ABSENT:
        return None
    if theirs == ours or (theirs is None and ours is ABSENT):
        # Nothing to decide; a blank that meets a blank is no event at all.
        if theirs is None or base is ABSENT:
            return None
        return Change(path, "converged", "equal", base, theirs, ours)
    owner = _owner(policy, path)
    kind, rule = _judge(sight, path, lens_field, policy, owner, base, agreed, theirs, ours)
    if kind is None:
        return None
    return Change(path, kind, rule, _known(base), theirs, _known(ours))


def _judge(
    sight: Sight,
    path: str,
    lens_field: LensField,
    policy: EntityPolicy,
    owner: str | None,
    base: Any,
    agreed: Any,
    theirs: Any,
    ours: Any,
) -> tuple[Kind | None, str]:
    first = base is ABSENT
    blank = ours is ABSENT or ours is None
    if first and theirs is None:
        return None, ""  # a system that shows nothing at first sight has not cleared anything
    if owner is not None and owner != sight.system and owner in sight.linked:
        return "refused", "authority"
    if lens_field.strength == "strong" and not first:
        return "refused", "strong"
    if blank and (first or ours == agreed or ours is ABSENT):
        return "accepted", "first" if first else "edit"
    if lens_field.strength == "weak":
        return ("accepted", "fill") if blank else ("refused", "weak")
    if owner == sight.system:
        return "accepted", "authority"
    if not first and ours == agreed:
        return "accepted", "edit"
    return _resolve(sight, path, policy)


def judged(
    sight: Sight, path: str, lens_field: LensField, policy: EntityPolicy, base: Any, agreed: Any, theirs: Any, ours: Any
) -> tuple[Kind | None, str]:
    """One edit judged alone: (kind, rule); kind None where there is nothing to decide. Used to look back."""
    if theirs == ours:
        return "converged", "equal"
    return _judge(sight, path, lens_field, policy, _owner(policy, path), base, agreed, theirs, ours)


def _resolve(sight: Sight, path: str, policy: EntityPolicy) -> tuple[Kind, str]:
    """Both sides changed it: the policy decides."""
    rule = policy.field_conflict.get(plain(path)) or policy.field_conflict.get(head(path)) or policy.conflict
    by, at = _stamp(sight.stamps, path)
    if rule == "hold":
        return "conflict", "hold"
    if rule == "owner":
        return "refused", "owner"
    if rule == "newest":
        if sight.at != at:
            return ("accepted" if sight.at > at else "refused"), "newest"
        rule = tuple(policy.systems)  # edited in the same instant: the order of systems decides
    order = {name: place for place, name in enumerate(rule)}
    mine, other = order.get(sight.system, len(order)), order.get(by, len(order))
    return ("accepted" if mine < other else "refused"), "order"


def _decide_lines(decision: Decision, sight: Sight, lens_field: LensField, policy: EntityPolicy, base: Any) -> None:
    """Lines are told apart by their key and merged field by field: two people may edit two lines of one order."""
    lines = lens_field.lines
    assert lines is not None
    name = lens_field.name
    theirs_by = by_key(sight.theirs[name], lines)
    base_by = by_key(base, lines)
    agreed_by = by_key(sight.meant[name], lines) if name in sight.meant else base_by
    merged = all_by_key(sight.ours.get(name), lines.key)
    before = {key: dict(line) for key, line in merged.items()}
    changes: list[Change] = []
    for key in dict.fromkeys([*theirs_by, *base_by]):
        path = f"{name}[{key}]"
        if key not in theirs_by:
            change = _line_removed(
                sight, path, lines, policy, base_by[key], agreed_by.get(key, ABSENT), merged.get(key)
            )
            if change is not None:
                changes.append(change)
                if change.kind == "accepted":
                    del merged[key]
        elif key not in merged and key in base_by and base_by[key] == theirs_by[key]:
            continue  # we removed it, they did not touch it
        elif key not in merged:
            change = _line_added(sight, path, policy, base_by.get(key, ABSENT), theirs_by[key])
            changes.append(change)
            if change.kind == "accepted":
                merged[key] = dict(theirs_by[key])
        else:
            changes += _merge_line(
                sight, path, lines, policy, base_by.get(key), agreed_by.get(key), theirs_by[key], merged[key]
            )
    if not changes:
        return
    decision.changes += changes
    if name in sight.meant and base is not ABSENT:
        decision.unpaired.add(name)
    if merged != before:
        if decision.values is sight.ours:
            decision.values = dict(sight.ours)
        decision.values[name] = sort_lines(merged.values(), lines.key)


def _line_removed(
    sight: Sight, path: str, lines: LensLines, policy: EntityPolicy, base: Values, agreed: Any, ours: Values | None
) -> Change | None:
    if ours is None:
        return None
    shown = [name for name, field in lines.fields.items() if field.direction != "out"]
    same = agreed is not ABSENT and all(ours.get(name) == agreed.get(name) for name in shown)
    owner = _owner(policy, path)
    kind: Kind | None
    if owner is not None and owner != sight.system and owner in sight.linked:
        kind, rule = "refused", "authority"
    elif same or owner == sight.system:
        kind, rule = "accepted", "edit"
    else:
        kind, rule = _resolve(sight, path, policy)
    return Change(path, kind, rule, base, None, ours)


def _line_added(sight: Sight, path: str, policy: EntityPolicy, base: Any, theirs: Values) -> Change:
    owner = _owner(policy, path)
    kind: Kind = "accepted"
    rule = "first" if sight.base is None else "edit"
    if owner is not None and owner != sight.system and owner in sight.linked:
        kind, rule = "refused", "authority"
    elif base is not ABSENT:
        kind, rule = _resolve(sight, path, policy)  # we removed the line, they edited it
    return Change(path, kind, rule, _known(base), theirs, None)


def _merge_line(
    sight: Sight,
    path: str,
    lines: LensLines,
    policy: EntityPolicy,
    base: Values | None,
    agreed: Values | None,
    theirs: Values,
    ours: Values,
) -> list[Change]:
    """Merge one line into ``ours`` in place."""
    changes = []
    for name, lens_field in lines.fields.items():
        if lens_field.direction == "out" or name not in theirs:
            continue
        base_value = ABSENT if base is None else base.get(name, ABSENT)
        agreed_value = base_value if agreed is None else agreed.get(name, base_value)
        change = _decide_value(
            sight, f"{path}.{name}", lens_field, policy, base_value, agreed_value, theirs[name], ours.get(name, ABSENT)
        )
        if change is not None:
            changes.append(change)
            if change.kind == "accepted":
                ours[name] = theirs[name]
    return changes


def all_by_key(value: Any, key: str) -> dict[Any, Values]:
    """Copies of lines by their key; none of what is no list, and none of a line without its key."""
    if not isinstance(value, list):
        return {}
    return {line[key]: dict(line) for line in value if line.get(key) is not None}


def by_key(value: Any, lines: LensLines) -> dict[Any, Values]:
    """Copies of lines by their key, only those this mapping knows of."""
    found = all_by_key(value, lines.key)
    return found if lines.keys is None else {key: line for key, line in found.items() if key in lines.keys}


def sort_lines(lines: Any, key: str) -> list[Values]:
    """The canonical order of lines: numbers before texts, each ascending."""
    return sorted(lines, key=lambda line: (isinstance(line[key], str), line[key]))


def _owner(policy: EntityPolicy, path: str) -> str | None:
    """Who owns a field: ``lines.quantity`` before ``lines``."""
    owners = policy.authority
    if not owners:
        return None
    return owners.get(plain(path)) or owners.get(head(path))


def _stamp(stamps: Mapping[str, list[str]], path: str) -> tuple[str, str]:
    """(system, when) of the canonical value; of a line: of the newest edit of anything in it."""
    line = line_of(path)
    below = [stamp for name, stamp in stamps.items() if path == line and name.startswith(f"{line}.")]
    known = [stamp for stamp in (stamps.get(path), stamps.get(line), *below) if stamp is not None]
    if not known:
        known = [stamps.get(head(path)) or stamps.get("*") or ["", ""]]
    system, at = max(known, key=lambda stamp: stamp[1])
    return system, at


def _known(value: Any) -> Any:
    return None if value is ABSENT else value
