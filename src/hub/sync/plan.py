"""Plan: what must be written so that every system agrees. A function of its arguments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.mapping.lens import LensField
from hub.sync.decide import by_key
from hub.sync.policy import Deletes

Values = dict[str, Any]
Action = Literal["create", "update", "delete", "archive"]
REMOVED = "*"
"""In the values of a removal that takes a create back (``Step.values``): so that not even a crash forgets it."""


@dataclass(slots=True)
class Target:
    """One system a record may have to be written to."""

    system: str
    entity: str
    resource: str
    fields: Mapping[str, LensField]
    sends: tuple[str, ...]
    """The fields that are sent: all but those with direction 'in'."""
    remote_id: str | None
    """None: no remote record yet."""
    gone: str | None
    shown: Values
    """What the system shows, canonical."""
    meant: Values
    may_create: bool
    deletes: Deletes
    can_delete: bool
    can_archive: bool
    linked: Mapping[str, Collection[str]]
    """Entity → hub ids that this system has, or will have when the writes planned so far are done."""
    has_refs: bool = True
    letter: str = ""
    """Message of the dead letter that stands for exactly this state; empty: none."""
    unproven: str = ""
    """Why records are not created here by themselves; empty: they are."""
    waiting: str = ""
    """Why an observation of this record in this system waits; empty: none does."""


@dataclass(slots=True)
class Subject:
    """The canonical record a plan is made for."""

    hub_id: str
    values: Values
    deleted: bool
    deleted_by: str | None
    frozen: frozenset[str]
    """Fields that an open conflict holds; ``*``: all of them."""
    origin: str
    """System of the newest edit: told as the reason."""


@dataclass(slots=True)
class Step:
    """One write."""

    system: str
    action: Action
    fields: dict[str, list[Any]]
    """Path → [old, new], of an update (see ``shown_fields``)."""
    write: tuple[str, ...]
    """Top-level canonical fields to send."""
    because: str
    values: Values | None = None
    """What is sent, where that is not what the record holds: a write that is taken back."""
    undoes: str = ""
    """The run whose write this takes back. What is removed by it is not made again by the next plan."""

    @property
    def leaves(self) -> str:
        """What becomes of the link when the remote record is removed (see ``ShadowRow.gone``)."""
        return "archived" if self.action == "archive" else "undone" if self.undoes else "hub"


@dataclass(slots=True)
class Hold:
    """One write that is not made, and why."""

    system: str
    reason: str
    detail: str


@dataclass(slots=True)
class Verdict:
    """All that must happen for one record."""

    steps: list[Step] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Nothing to write and nothing to wait for."""
        return not self.steps and not self.holds


def plan_record(subject: Subject, targets: list[Target]) -> Verdict:
    """What to write where, for one record."""
    verdict = Verdict()
    for target in targets:
        if target.waiting:
            verdict.holds.append(Hold(target.system, "waiting", target.waiting))
        elif subject.deleted:
            _plan_delete(verdict, subject, target)
        elif target.remote_id is None or target.gone == "hub":
            _plan_create(verdict, subject, target)
        elif target.gone is None:
            _plan_update(verdict, subject, target)
    return verdict


def _plan_delete(verdict: Verdict, subject: Subject, target: Target) -> None:
    if target.remote_id is None or target.gone is not None or target.deletes == "ignore":
        return
    action: Action = "delete" if target.deletes == "propagate" else "archive"
    if not (target.can_delete if action == "delete" else target.can_archive):
        return
    if "*" in subject.frozen:
        verdict.holds.append(Hold(target.system, "conflict", "deleted in one system and edited in another"))
    elif target.letter:
        verdict.holds.append(Hold(target.system, "letter", target.letter))
    else:
        verdict.steps.append(Step(target.system, action, {}, (), f"deleted in {subject.deleted_by}"))


def _plan_create(verdict: Verdict, subject: Subject, target: Target) -> None:
    if not target.may_create:
        return
    missing = missing_refs(subject.values, target)
    frozen = sorted([name for name in subject.frozen if name in target.fields or name == "*"])
    if frozen:
        verdict.holds.append(Hold(target.system, "conflict", f"{', '.join(frozen)} waits for a decision"))
    elif missing:
        verdict.holds.append(Hold(target.system, "reference", f"{missing[0][0]} is not in {target.system} yet"))
    elif target.letter:
        verdict.holds.append(Hold(target.system, "letter", target.letter))
    elif target.unproven:
        verdict.holds.append(Hold(target.system, "unproven", target.unproven))
    else:
        write = target.sends
        if not subject.values.keys() >= target.fields.keys():
            write = tuple([name for name in write if name in subject.values])
        verdict.steps.append(Step(target.system, "create", {}, write, f"new in {subject.origin}"))


def shown_fields(step: Step, values: Values) -> dict[str, list[Any]]:
    """Path → [old, new] of any step, as people and plans see it; ``values`` are the record's."""
    if step.action != "create":
        return step.fields
    return {name: [None, values[name]] for name in step.write if values[name] is not None}


def _plan_update(verdict: Verdict, subject: Subject, target: Target) -> None:
    differing = differences(subject.values, target)
    if not differing:
        return
    frozen = [name for name in differing if name in subject.frozen or "*" in subject.frozen]
    if frozen:
        verdict.holds.append(Hold(target.system, "conflict", f"{', '.join(frozen)} waits for a decision"))
    missing = {name for name, _ in missing_refs(subject.values, target)}
    for name in sorted(missing & differing.keys()):
        verdict.holds.append(Hold(target.system, "reference", f"{name} is not in {target.system} yet"))
    write = tuple(name for name in differing if name not in frozen and name not in missing)
    if not write:
        return
    if target.letter:
        verdict.holds.append(Hold(target.system, "letter", target.letter))
        return
    fields = {path: pair for name in write for path, pair in differing[name].items()}
    verdict.steps.append(Step(target.system, "update", fields, write, f"changed in {subject.origin}"))


def differences(values: Values, target: Target) -> dict[str, dict[str, list[Any]]]:
    """Top-level field → path → [what the system has, what it should have]."""
    found: dict[str, dict[str, list[Any]]] = {}
    for name, lens_field in target.fields.items():
        if lens_field.direction == "in" or name not in values:
            continue
        wanted = values[name]
        have = target.meant.get(name, target.shown.get(name))
        if lens_field.lines is not None:
            paths = _line_differences(name, lens_field, wanted, have)
            if paths:
                found[name] = paths
            continue
        if wanted == have or (lens_field.strength == "weak" and have is not None):
            continue
        found[name] = {name: [have, wanted]}
    return found


def _line_differences(name: str, lens_field: LensField, wanted: Any, have: Any) -> dict[str, list[Any]]:
    lines = lens_field.lines
    assert lines is not None
    want_by, have_by = by_key(wanted, lines), by_key(have, lines)
    paths: dict[str, list[Any]] = {}
    for key in dict.fromkeys([*want_by, *have_by]):
        path = f"{name}[{key}]"
        if key not in want_by:
            paths[path] = [have_by[key], None]
        elif key not in have_by:
            line = {f: v for f, v in want_by[key].items() if f in lines.fields}
            # A line of blanks is no line: addresses[billing] with nothing in it is not there at all.
            if any(v is not None for f, v in line.items() if f != lines.key and lines.fields[f].direction != "in"):
                paths[path] = [None, line]
        else:
            for field_name, line_field in lines.fields.items():
                if line_field.direction == "in" or field_name not in want_by[key]:
                    continue
                new, old = want_by[key][field_name], have_by[key].get(field_name)
                if new == old or (line_field.strength == "weak" and old is not None):
                    continue
                if line_field.direction == "out" and field_name not in have_by[key]:
                    continue  # never shown, so never known to differ; sent along with any other change
                paths[f"{path}.{field_name}"] = [old, new]
    return paths


def missing_refs(values: Values, target: Target) -> list[tuple[str, str]]:
    """(field, hub id) of references that the target system does not have."""
    missing: list[tuple[str, str]] = []
    if not target.has_refs:
        return missing
    for name, lens_field in target.fields.items():
        if lens_field.direction == "in":
            continue
        value = values.get(name)
        if lens_field.ref is not None:
            if value is not None and value not in target.linked.get(lens_field.ref, ()):
                missing.append((name, value))
        elif lens_field.lines is not None and isinstance(value, list):
            for line_name, line_field in lens_field.lines.fields.items():
                if line_field.ref is None or line_field.direction == "in":
                    continue
                for line in value:
                    ref = line.get(line_name)
                    if ref is not None and ref not in target.linked.get(line_field.ref, ()):
                        missing.append((name, ref))
    return missing
