"""Splitting: taking a merge back. Both records stand again, each with its own links and values.

Edits made since stay where they were made: one typed into a record that goes back goes back with it, one typed into a
record that stays is the kept record's. What the merge itself had written into the systems, the next pass takes back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hub.errors import ConfigurationError
from hub.store import journal, records, shadows
from hub.store.journal import Entry, Logged
from hub.store.records import RecordWrite, Stored
from hub.store.shadows import Shadow
from hub.sync.apply import Writer
from hub.sync.context import Pass
from hub.sync.merging import MERGED, point, store
from hub.sync.paths import head, line_of
from hub.sync.places import alike, overlap, value_at, with_value
from hub.sync.plan import Step
from hub.sync.planning import title
from hub.sync.policy import Endpoint
from hub.sync.references import Reference, referring
from hub.sync.report import Held

Row = dict[str, Any]
Values = dict[str, Any]


def split(job: Pass, run: str, *, carry_out: bool) -> list[Held]:
    """Take back the merge that a run made; returns what stays merged because it was touched since.

    Raises ConfigurationError when it was taken back already, or merged once more since.
    """
    with job.store.read() as connection:
        told = next(entry for entry in journal.of_run(connection, run) if "other" in entry.detail)
        stored = records.load(connection, [told.hub_id, told.detail["other"]])
        keep, other = stored[told.hub_id], stored[told.detail["other"]]
        entries = journal.of_ids(connection, [keep.hub_id, other.hub_id])
        links = {(s.system, s.remote_id): s for s in shadows.all_of(connection, [keep.hub_id])[keep.hub_id]}
    _check(keep, other, run, [e for e in entries[other.hub_id] if e.id >= told.id])
    since = [entry for entry in entries[keep.hub_id] if entry.id > told.id]
    returning = [
        (links[system, remote_id], before, after)
        for system, remote_id, before, after in told.detail["links"]
        if (system, remote_id) in links
    ]
    values, stamps, restored, held = _kept(job, keep, told, since)
    given = _given(since, {shadow.remote_id for shadow, _, _ in returning})
    theirs, fields = other.values, {}
    for path, value in given.items():
        fields[path] = [value_at(theirs, path, job.spec(other.entity)) or None, value]
        theirs = with_value(theirs, path, value, job.spec(other.entity))
    lent = _lent(since, {shadow.remote_id for shadow, _, _ in returning}) - theirs.keys()
    theirs = {**theirs, **{name: [] if job.spec(other.entity).fields[name].lines else None for name in sorted(lent)}}
    pointing = _pointing(job, run, keep, other, [shadow for shadow, _, _ in returning], told)
    job.find(
        "split", job.setup.of_entity(keep.entity)[0], other.hub_id, _message(job, keep, other, returning, pointing)
    )
    if not carry_out:
        return held
    deleted = next(e.detail["deleted"] for e in entries[other.hub_id] if e.run == run and e.kind == "merged")
    with job.transaction(keep.entity) as connection:
        now = job.now()
        for shadow, before, after in returning:
            shadows.relink(connection, shadow, other.hub_id, before if shadow.gone == after else shadow.gone)
        writes = [
            RecordWrite(keep.hub_id, keep.entity, values, stamps, 1, keep.deleted_at, keep.deleted_by),
            RecordWrite(other.hub_id, other.entity, theirs, other.stamps, 1, *(deleted or (None, None))),
        ]
        store(job, connection, writes, now)
        _note(job, connection, keep, other, run, restored, fields, now)
        point(job, connection, pointing, other.hub_id, now, of=run)
    _empty(job, {keep.hub_id: {head(path) for path in restored}, other.hub_id: lent}, run)
    return held


def _empty(job: Pass, names: dict[str, set[str]], run: str) -> None:
    """Take out what the merge filled in where only blanks are filled: the next plan would leave it there."""
    with job.store.read() as connection:
        stored, seen = records.load(connection, names), shadows.by_hub(connection, names)
    for endpoint in job.setup.of_entity(next(iter(stored.values())).entity):
        if endpoint.direction == "in" or endpoint.system in job.down:
            continue
        items: list[tuple[Stored, Shadow | None, Step]] = []
        for record in stored.values():
            shadow = seen.get(record.hub_id, {}).get(endpoint.system)
            weak = [n for n in sorted(names[record.hub_id] & endpoint.lens.fields.keys()) if _is_weak(endpoint, n)]
            shown = endpoint.lens.get(shadow.data).values if shadow is not None and shadow.gone is None else {}
            filled = {n: shown[n] for n in weak if record.values.get(n) is None and shown.get(n) is not None}
            if filled:
                pairs = {name: [value, None] for name, value in filled.items()}
                values: Values = dict.fromkeys(filled)
                step = Step(endpoint.system, "update", pairs, tuple(filled), f"undo of run {run}", values, run)
                items.append((record, shadow, step))
        if items:
            Writer(job, endpoint).write(items)


def _is_weak(endpoint: Endpoint, name: str) -> bool:
    field = endpoint.lens.fields[name]
    return field.strength == "weak" and field.direction != "in" and field.ref is None


def _check(keep: Stored, other: Stored, run: str, entries: list[Logged]) -> None:
    if other.deleted_by != MERGED or any(e.kind == "undone" and e.detail["of"] == run for e in entries):
        raise ConfigurationError(
            f"the merge of run {run} was taken back already", where="undo", cure="hub merge does it again"
        )
    if keep.deleted_by == MERGED:
        raise ConfigurationError(
            f"{keep.hub_id} was merged into another since", where="undo", cure="take that merge back first: hub explain"
        )


def _kept(
    job: Pass, keep: Stored, told: Logged, since: list[Logged]
) -> tuple[Values, dict[str, list[str]], dict[str, list[Any]], list[Held]]:
    """The kept record without what the merge gave it, as far as nobody changed that since."""
    values, stamps, restored, held = keep.values, dict(keep.stamps), {}, []
    for path, (before, after) in told.detail["fields"].items():
        now = value_at(values, path, job.spec(keep.entity))
        if not alike(now, after) or any(_decides(entry, path) for entry in since):
            detail = f"{path}: it was changed since the merge; {title(job, keep)} keeps {now!r}"
            held.append(Held("", keep.entity, keep.hub_id, title(job, keep), "touched", detail))
            continue
        values = with_value(values, path, before, job.spec(keep.entity))
        restored[path] = [after, before]
        stamp = told.detail["stamps"].get(path)
        if stamp is None:
            stamps.pop(path, None)
        else:
            stamps[path] = stamp
    return values, stamps, restored, held


def _decides(entry: Logged, path: str) -> bool:
    """Whether an entry gave the hub's record another value there."""
    if entry.kind == "observed":
        return any(kind == "accepted" and overlap(path, other) for other, kind, *_ in entry.detail["changes"])
    if entry.kind == "resolved":
        return overlap(path, str(entry.detail["path"]))
    return entry.kind in {"undone", "merged"} and any(overlap(path, other) for other in entry.detail["fields"])


def _given(since: list[Logged], remote_ids: set[str]) -> Values:
    """Path → value, of edits made since in the records that go back and not written over by the hub."""
    found: Values = {}
    for entry in since:
        if entry.remote_id not in remote_ids:
            continue
        if entry.kind == "observed":
            for path, kind, _, _, theirs, _ in entry.detail["changes"]:
                if kind == "accepted":
                    found[path] = theirs
        elif entry.kind == "written":
            for path in [p for p in found if any(overlap(p, other) for other in entry.detail.get("fields") or {})]:
                del found[path]
    return found


def _lent(since: list[Logged], remote_ids: set[str]) -> set[str]:
    """Fields that the hub wrote into the records that go back."""
    wrote = [e for e in since if e.kind == "written" and e.remote_id in remote_ids]
    return {head(path) for entry in wrote for path in entry.detail.get("fields") or {}}


def _pointing(
    job: Pass, run: str, keep: Stored, other: Stored, returning: list[Shadow], told: Logged
) -> list[Reference]:
    """Who refers to the kept record and means the other one: by the merge's own change, or by what its system shows."""
    with job.store.read() as connection:
        moved = {
            (entry.hub_id, path)
            for entry in journal.of_run(connection, run)
            if entry.hub_id not in (keep.hub_id, other.hub_id) and entry.kind == "merged"
            for path in entry.detail["fields"]
        }
    refs = {shadow.system: shadow.ref for shadow in returning}
    return [
        place
        for place in referring(job.store, job.setup, keep.entity, {keep.hub_id})
        if (place.record.hub_id, place.path) in moved or _came_with(job, place, refs)
    ]


def _came_with(job: Pass, place: Reference, refs: dict[str, str]) -> bool:
    """Whether a reference was made since in one of the systems whose record goes back, and to that record."""
    stamps = place.record.stamps
    line = line_of(place.path)
    by = (stamps.get(place.path) or stamps.get(line) or stamps.get(head(place.path)) or stamps.get("*"))[0]  # type: ignore[index]
    if by not in refs:
        return False
    endpoint = next((e for e in job.setup.of_entity(place.record.entity) if e.system == by), None)
    with job.store.read() as connection:
        shadow = shadows.by_hub(connection, [place.record.hub_id]).get(place.record.hub_id, {}).get(by)
    if endpoint is None or shadow is None:
        return False
    shown = endpoint.lens.get(shadow.data).values
    return bool(value_at(shown, place.path, job.spec(place.record.entity)) == refs[by])


def _note(
    job: Pass,
    connection: Connection,
    keep: Stored,
    other: Stored,
    run: str,
    restored: dict[str, list[Any]],
    fields: dict[str, list[Any]],
    now: str,
) -> None:
    entries = [
        Entry(keep.entity, keep.hub_id, "undone", "", None, {"of": run, "fields": restored, "split": other.hub_id}),
        Entry(keep.entity, other.hub_id, "undone", "", None, {"of": run, "fields": fields, "split": keep.hub_id}),
    ]
    journal.write(connection, job.run, now, entries)


def _message(
    job: Pass, keep: Stored, other: Stored, returning: list[tuple[Shadow, Any, Any]], pointing: list[Reference]
) -> str:
    links = ", ".join(f"{shadow.system} {shadow.remote_id}" for shadow, _, _ in returning) or "no links"
    return (
        f"{title(job, other)} ({other.hub_id}) stands apart from {title(job, keep)} ({keep.hub_id}) again, with {links}"
        f" and {len(pointing)} references; the next pass writes what differs"
    )
