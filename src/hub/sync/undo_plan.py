"""Plan an undo: what takes one run's writes to one record back. A function of its arguments.

Only what is still as that run left it is taken back. The journal tells what was touched since, and by whom; the
caller has looked at the remote records again before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.mapping.lens import LensField
from hub.model.spec import EntitySpec
from hub.store.journal import Logged
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync.decide import ABSENT
from hub.sync.places import alike, differs, head, lines_as_shown, overlap, value_at, with_value
from hub.sync.plan import REMOVED, Hold, Step
from hub.sync.undo_history import Wrote, changes_of, last_version, taken_back, touched_by

Values = dict[str, Any]


@dataclass(slots=True)
class Place:
    """One system as an undo finds it: what it has of the record, and what may be done there."""

    system: str
    fields: Mapping[str, LensField]
    sends: tuple[str, ...]
    shadow: Shadow | None
    """The live remote record."""
    earlier: Mapping[str, str | None] = field(default_factory=dict)
    """Remote id → ``gone``, of every record this one was ever linked with there."""
    shown: Values = field(default_factory=dict)
    unreachable: str = ""
    can_update: bool = True
    can_create: bool = True
    removal: Literal["delete", "archive", ""] = "delete"
    """How a record made by mistake is removed there; empty: not at all."""
    referred: str = ""
    """What refers to the record there and would be left hanging."""
    barred: tuple[str, str] | None = None
    """Why nothing may be written there: what the record refers to is missing, or it is there under another link."""

    def have(self, name: str) -> Any:
        """What the system has in a field, as far as the hub's notes tell: what was meant, else what is shown."""
        meant = self.shadow.meant if self.shadow is not None else {}
        return meant.get(name, self.shown.get(name, ABSENT))


@dataclass(slots=True)
class Case:
    """One record, what a run wrote of it, and how things stand now."""

    run: str
    record: Stored
    spec: EntitySpec
    wrote: list[Wrote]
    places: dict[str, Place]
    entries: list[Logged]
    frozen: frozenset[str] = frozenset()
    """Fields that an open conflict holds; ``*``: all."""
    field: str | None = None
    """Only this field (or place) is asked for."""


@dataclass(slots=True)
class Reversal:
    """What takes the writes back."""

    values: Values
    """The canonical values from now on."""
    changes: dict[str, list[Any]] = field(default_factory=dict)
    """Path → [from, to], of the canonical record."""
    steps: list[Step] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    meant: dict[str, Values] = field(default_factory=dict)
    """System → field → the canonical value that its own, different value is paired with; ``ABSENT``: no longer."""
    gone: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """(system, remote id) → what becomes of the link (see ``ShadowRow.gone``)."""
    revive: bool = False
    """The record is not deleted any more."""
    bury: list[str] | None = None
    """[when, in which system] it was deleted: an earlier undo had taken that back."""

    @property
    def decided(self) -> bool:
        """Whether the hub's own memory changes."""
        return bool(self.changes or self.meant or self.gone or self.revive or self.bury)


def take_back(case: Case) -> Reversal:
    """What to write and what to note, for one record; and what is left as it is, with the reason."""
    found = Reversal(case.record.values)
    undone: dict[str, list[tuple[str, Any, Any]]] = {}
    for wrote in case.wrote:
        place = case.places.get(wrote.system)
        if place is None:
            found.holds.append(Hold(wrote.system, "system", "it no longer takes part in this entity"))
        elif place.unreachable:
            found.holds.append(Hold(wrote.system, "unreachable", place.unreachable))
        elif case.field is not None and wrote.action != "update":
            found.holds.append(Hold(wrote.system, "whole", f"a {wrote.action} is only taken back as a whole"))
        elif wrote.action == "update":
            undone[wrote.system] = _fields(case, found, place, wrote)
        elif wrote.action == "create":
            _uncreate(case, found, place, wrote)
        else:
            _restore(case, found, place, wrote)
    _values(case, found, {system: paths for system, paths in undone.items() if paths})
    return found


def _fields(case: Case, found: Reversal, place: Place, wrote: Wrote) -> list[tuple[str, Any, Any]]:
    """The places of an update that can be taken back: (path, what is there, what was there before)."""
    kept = []
    for path, old, new in wrote.fields:
        if case.field is not None and not overlap(path, case.field):
            continue
        reason = _why_not(case, place, wrote, path, new)
        if reason is None:
            kept.append((path, new, old))
        else:
            found.holds.append(Hold(wrote.system, reason[0], f"{path}: {reason[1]}"))
    return kept


def _why_not(case: Case, place: Place, wrote: Wrote, path: str, new: Any) -> tuple[str, str] | None:
    name = head(path)
    if place.shadow is None or place.shadow.remote_id != wrote.remote_id:
        return "touched", f"the record {wrote.remote_id} is not in {wrote.system} any more"
    if place.shadow.gone == "archived":
        return "touched", "the record was archived since"
    if place.barred:
        return place.barred
    if name not in place.fields or place.fields[name].direction == "in" or not place.can_update:
        return "cannot", f"{wrote.system} is not written this field any more"
    if name in case.frozen or "*" in case.frozen:
        return "conflict", "it waits for a decision: hub conflicts"
    since = touched_by(case.entries, wrote, path)
    if since:
        return "touched", since
    return _moved(case, place, wrote, path, new)


def _moved(case: Case, place: Place, wrote: Wrote, path: str, new: Any) -> tuple[str, str] | None:
    """Whether the value is another one by now, in the system or in the hub."""
    name = head(path)
    if name in wrote.apart:  # the system was left with a value of its own
        if alike(case.record.values.get(name, ABSENT), wrote.apart[name]):
            return None
    elif alike(value_at(case.record.values, path, case.spec), new):
        shows = value_at({name: place.have(name)} if place.have(name) is not ABSENT else {}, path, case.spec)
        return None if alike(shows, new) else ("touched", f"{wrote.system} has {_told(shows)} by now")
    elif (back := taken_back(case.entries, case.run, path)) is not ABSENT:
        # An earlier undo of the same run did not reach this system.
        shown = {name: place.shown[name]} if name in place.shown else {}
        held_back = alike(value_at(case.record.values, path, case.spec), back)
        if held_back and alike(value_at(shown, path, case.spec), new):
            return None
    stamps = case.record.stamps
    by, at = (stamps.get(path) or stamps.get(name) or stamps.get("*") or ["", ""])[:2]
    held = _told(value_at(case.record.values, path, case.spec))
    return "touched", f"the hub holds {held} since, from {by or 'nobody known'}, {at}"


def _values(case: Case, found: Reversal, undone: dict[str, list[tuple[str, Any, Any]]]) -> None:
    """The steps that bring back values, the canonical values that follow, and who is left with a value of its own."""
    wrote = {one.system: one for one in case.wrote if one.action == "update"}
    for system in (s for s in case.places if s in undone):
        for path, _, old in reversed(undone[system]):
            cause = changes_of(case.entries, wrote[system], path)
            if path in found.changes or cause is None or head(path) in wrote[system].apart:
                continue
            if alike(value_at(found.values, path, case.spec), old):
                continue  # an earlier undo of the same run has come so far
            # A whole line comes back with all that the hub knew of it, not only with what this system has.
            before = cause if isinstance(cause, dict) and isinstance(old, dict) else old
            found.changes[path] = [_plain(value_at(case.record.values, path, case.spec)), before]
            found.values = with_value(found.values, path, before, case.spec)
    for system, paths in undone.items():
        names = tuple(dict.fromkeys(head(path) for path, _, _ in paths))
        values = {**case.record.values, **_lines_there(case, case.places[system], names)}
        for path, _, old in reversed(paths):
            values = with_value(values, path, old, case.spec)
        step = Step(
            system,
            "update",
            {path: [new, old] for path, new, old in paths},
            names,
            f"undo of run {case.run}",
            {name: values[name] for name in names},
            case.run,
        )
        found.steps.append(step)
        for name in names:
            if values[name] != found.values[name]:
                found.meant.setdefault(system, {})[name] = found.values[name]
    for name in dict.fromkeys(head(path) for path in found.changes):
        _pair_others(
            case, found, name, {system for system in undone if any(head(p) == name for p, _, _ in undone[system])}
        )


def _lines_there(case: Case, place: Place, names: tuple[str, ...]) -> Values:
    """The lines as this system has them. A place inside is written with all the others, and those may differ from the
    hub's: typed there, and taken back everywhere else by an earlier undo."""
    return {
        name: lines_as_shown(case.record.values.get(name) or [], place.shown[name], lens_field.lines.key)
        for name in names
        if (lens_field := place.fields[name]).lines is not None and isinstance(place.shown.get(name), list)
    }


def _pair_others(case: Case, found: Reversal, name: str, targets: set[str]) -> None:
    """Systems the run did not write keep what they have: it is paired with the canonical value, so that nobody writes
    the undone value again, nor over the one it came from."""
    wanted = found.values[name]
    for system, place in case.places.items():
        lens_field = place.fields.get(name)
        if system in targets or lens_field is None or place.shadow is None:
            continue
        if differs(name, lens_field, wanted, place.shown.get(name, ABSENT)):
            if name not in place.shadow.meant or place.shadow.meant[name] != wanted:
                found.meant.setdefault(system, {})[name] = wanted
        elif name in place.shadow.meant and lens_field.direction != "out":
            found.meant.setdefault(system, {})[name] = ABSENT


def _uncreate(case: Case, found: Reversal, place: Place, wrote: Wrote) -> None:
    """A record made by the run is removed, if nobody has worked on it."""
    reason = _why_stays(case, place, wrote)
    if reason is not None:
        found.holds.append(Hold(wrote.system, *reason))
        return
    action: Literal["delete", "archive"] = "delete" if place.removal == "delete" else "archive"
    found.steps.append(
        Step(wrote.system, action, {}, (), f"undo of run {case.run}", {REMOVED: wrote.remote_id}, case.run)
    )
    others = [p for s, p in case.places.items() if s != wrote.system and p.shadow is not None]
    if wrote.revived and not others:
        found.bury = wrote.revived


def _why_stays(case: Case, place: Place, wrote: Wrote) -> tuple[str, str] | None:
    if place.shadow is None or place.shadow.remote_id != wrote.remote_id or place.shadow.gone == "archived":
        return "touched", f"the record {wrote.remote_id} is not in {wrote.system} any more"
    since = touched_by(case.entries, wrote, "")
    if since:
        return "touched", since
    version = last_version(case.entries, wrote)
    if version is not None and place.shadow.version not in (None, version):
        return "touched", f"it was changed in {wrote.system} since, in fields that the hub does not map"
    if place.referred:
        return "reference", f"{place.referred} refers to it in {wrote.system}"
    if not place.removal:
        return "cannot", f"{wrote.system} can neither delete nor archive it: remove {wrote.remote_id} there by hand"
    return None


def _restore(case: Case, found: Reversal, place: Place, wrote: Wrote) -> None:
    """A record removed by the run comes back: made again, or taken for live again."""
    system, deleted = wrote.system, case.record.deleted_at is not None
    if deleted and case.record.deleted_by == "merge":
        found.holds.append(Hold(system, "touched", "the record was merged into another since"))
        return
    if place.shadow is not None and (place.shadow.gone is None or wrote.action == "remove"):
        found.holds.append(Hold(system, "touched", f"it is in {system} again, as {place.shadow.remote_id}"))
        return
    if wrote.action == "archive":
        by_hand = f"{wrote.remote_id} counts as live again; if the next pass leaves it archived, activate it there"
        found.holds.append(Hold(system, "by hand", by_hand))
        found.gone[system, wrote.remote_id] = None
    elif not place.can_create:
        cannot = f"{system} takes no new records from the hub: restore {wrote.remote_id} there by hand"
        found.holds.append(Hold(system, "cannot", cannot))
        return
    elif place.barred:
        found.holds.append(Hold(system, *place.barred))
        return
    else:
        write = tuple(name for name in place.sends if name in case.record.values)
        found.steps.append(Step(system, "create", {}, write, f"undo of run {case.run}", undoes=case.run))
        found.gone[system, wrote.remote_id] = "hub"
    if deleted:
        found.revive = True
    for other in case.places.values():  # what other runs removed stays removed
        for remote_id, gone in other.earlier.items():
            if gone == "hub" and (other.system, remote_id) not in found.gone:
                found.gone[other.system, remote_id] = "them"


def _told(value: Any) -> str:
    return "nothing" if value is ABSENT or value is None else repr(value)


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value
