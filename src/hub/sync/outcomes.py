"""What becomes of an observation besides new values: dead letters, waiting, conflicts, deletions, findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.connect.redact import redact
from hub.errors import HubError
from hub.model.checks import check_documents
from hub.store import journal, records, shadows, work
from hub.store.codec import dumps
from hub.store.journal import Entry
from hub.store.records import RecordWrite, Stored
from hub.store.rows import Row
from hub.store.shadows import Shadow
from hub.sync.context import Pass
from hub.sync.correlate import Match
from hub.sync.decide import Change, Decision
from hub.sync.policy import Endpoint
from hub.sync.refs import Missing, hub_table, translate

Values = dict[str, Any]


class Letter(NamedTuple):
    """What could not be done with one record, and why."""

    stage: str
    error: str
    message: str
    payload: Any
    hub_id: str = ""
    remote_id: str = ""
    field: str = ""
    cure: str = ""
    mark: str = ""


def refused(stage: str, record: Stored, shadow: Shadow | None, payload: Any, error: HubError, mark: str) -> Letter:
    """What a system, or the mapping, said of a write of this record."""
    return Letter(
        stage=stage,
        hub_id=record.hub_id,
        remote_id=shadow.remote_id if shadow else "",
        field=getattr(error, "field", None) or "",
        error=type(error).__name__,
        message=error.what,
        cure=error.cure or "",
        payload=payload,
        mark=mark,
    )


def letters(job: Pass, connection: Connection, endpoint: Endpoint, written: Sequence[Letter]) -> None:
    """Write dead letters, no two of them for the same record and stage."""
    if not written:
        return
    now, system, entity = job.now(), endpoint.system, endpoint.entity
    always = {
        "system": system,
        "entity": entity,
        "run": job.run,
        "opened_at": now,
        "last_at": now,
        "attempts": 1,
        "status": "open",
    }
    clean = [one._replace(message=redact(one.message), cure=redact(one.cure)) for one in written]
    rows = [{**always, **one._asdict(), "payload": dumps(one.payload)} for one in clean]
    work.put_letters(connection, system, entity, rows)
    job.counts(endpoint).letters += len(clean)
    for one in clean:
        record = one.remote_id or one.hub_id
        job.emit("letter.written", system=system, entity=entity, record=record, field=one.field, message=one.message)


def wait(job: Pass, connection: Connection, endpoint: Endpoint, remote: Remote, *, reason: str, detail: Values) -> None:
    """Keep an observation until it can be taken in."""
    sighting = {
        "id": remote.id,
        "record": remote.record,
        "version": remote.version,
        "modified_at": remote.modified_at,
        "modified_by": remote.modified_by,
        "ref": remote.ref,
        "key": remote.key,
    }
    work.put_waiting(
        connection,
        [
            {
                "system": endpoint.system,
                "entity": endpoint.entity,
                "remote_id": remote.id,
                "reason": reason,
                "detail": dumps(detail),
                "remote": dumps(sighting),
                "since": job.now(),
            }
        ],
    )
    job.counts(endpoint).waiting += 1


def wait_for_reference(
    job: Pass, connection: Connection, endpoint: Endpoint, remote: Remote, hub_id: str, missing: Sequence[Missing]
) -> None:
    """Keep an observation until what it refers to has been seen."""
    first = missing[0]
    message = f"{first.path} refers to {first.entity} {first.ref}, which the hub has not seen yet"
    wait(job, connection, endpoint, remote, reason="reference", detail={"message": message, "hub_id": hub_id})


def settle(job: Pass, connection: Connection, endpoint: Endpoint, remote_ids: Iterable[str]) -> None:
    """What was last seen of these is understood (or they are gone): nothing waits, nobody is asked any more."""
    system, entity, now = endpoint.system, endpoint.entity, job.now()
    ids = work.pending(connection, system, entity, remote_ids)
    if ids:
        work.drop_waiting(connection, system, entity, ids)
        work.close_letters(connection, system, entity, at=now, stage="observe", remote_ids=ids)
        asked = [f"?{system}:{remote_id}" for remote_id in ids]
        work.close_conflicts(connection, asked, "match", at=now, why="cleared up by itself")


def waited(row: dict[str, Any]) -> Remote:
    """The sighting kept in a waiting row."""
    return Remote(**row["remote"])


def ambiguous(
    job: Pass, connection: Connection, endpoint: Endpoint, remote: Remote, values: Values, match: Match
) -> None:
    """Several records may be this one: a person links it (``hub conflicts resolve``), nothing is written meanwhile."""
    known = {
        row["remote_id"]
        for row in work.waiting(connection, endpoint.system, endpoint.entity)
        if row["reason"] == "match"
    }
    wait(
        job,
        connection,
        endpoint,
        remote,
        reason="match",
        detail={"message": match.reason, "rule": match.rule, "candidates": list(match.candidates)},
    )
    if remote.id in known:
        return
    work.add_conflict(
        connection,
        {
            "entity": endpoint.entity,
            "hub_id": f"?{endpoint.system}:{remote.id}",
            "path": "match",
            "system": endpoint.system,
            "base": None,
            "theirs": values,
            "ours": list(match.candidates),
            "ours_from": match.reason,
            "run": job.run,
            "opened_at": job.now(),
            "status": "open",
        },
    )
    job.counts(endpoint).conflicts += 1
    job.emit("conflict.found", entity=endpoint.entity, record=remote.id, field="match", values=[match.reason])


def observed(endpoint: Endpoint, hub_id: str, remote: Remote, changes: list[Change]) -> Entry:
    """The journal's note of what was decided about an observation."""
    detail = {
        "at": remote.modified_at,
        "by": remote.modified_by,
        "lens": endpoint.lens.version,
        "changes": [list(change) for change in changes],
    }
    return Entry(endpoint.entity, hub_id, "observed", endpoint.system, remote.id, detail)


def restamp(stamps: dict[str, list[str]], decision: Decision, system: str, at: str) -> dict[str, list[str]]:
    """Note who gave the values that were accepted, and when."""
    accepted = [change.path for change in decision.changes if change.kind == "accepted"]
    return {**stamps, **{path: [system, at] for path in accepted}} if accepted else stamps


class Decided(NamedTuple):
    """What was decided about a known record."""

    record: Stored
    decision: Decision
    revived: bool = False
    """Its deletion was taken back."""


def conflicts(job: Pass, connection: Connection, endpoint: Endpoint, decided: Sequence[Decided]) -> None:
    """Open, update and close conflicts by what was decided."""
    there = work.open_conflicts(connection, {one.record.hub_id for one in decided})
    done: set[str] = set()
    for one in decided:
        hub_id = one.record.hub_id
        if hub_id in done:  # what was decided before may have opened or changed some
            there[hub_id] = work.open_conflicts(connection, [hub_id]).get(hub_id, [])
        done.add(hub_id)
        _conflicts(job, connection, endpoint, one, there.get(hub_id, []))


def _conflicts(job: Pass, connection: Connection, endpoint: Endpoint, one: Decided, rows: list[Row]) -> None:
    record, decision, revived = one
    if revived:
        work.close_conflicts(connection, [record.hub_id], "*", at=job.now(), why="restored")
    undead = record.deleted_at is not None and not revived and decision.changed and record.deleted_by != endpoint.system
    for change in decision.changes:
        of_path = [row for row in rows if row["path"] == change.path]
        own = next((row for row in of_path if row["system"] == endpoint.system), None)
        if change.kind == "conflict" and own is None:
            _open(job, connection, endpoint, record, change)
        elif change.kind == "conflict" and own is not None:
            work.change_conflict(connection, own["id"], theirs=change.theirs, ours=change.ours)
        elif change.kind == "converged" and own is not None:
            work.change_conflict(
                connection, own["id"], status="converged", resolved_at=job.now(), resolution="equal now"
            )
        elif change.kind == "accepted":
            for row in of_path:
                work.change_conflict(connection, row["id"], ours=change.theirs)
    if undead and not any(row["path"] == "*" for row in rows):
        edits = {c.path: c.theirs for c in decision.changes if c.kind == "accepted"}
        _open(job, connection, endpoint, record, Change("*", "conflict", "hold", None, edits, "deleted"))


def _open(job: Pass, connection: Connection, endpoint: Endpoint, record: Stored, change: Change) -> None:
    by = (
        record.stamps.get(change.path)
        or record.stamps.get(change.path.partition("[")[0])
        or record.stamps.get("*")
        or [""]
    )[0]
    work.add_conflict(
        connection,
        {
            "entity": record.entity,
            "hub_id": record.hub_id,
            "path": change.path,
            "system": endpoint.system,
            "base": change.base,
            "theirs": change.theirs,
            "ours": change.ours,
            "ours_from": (record.deleted_by or "") if change.path == "*" else by,
            "run": job.run,
            "opened_at": job.now(),
            "status": "open",
        },
    )
    job.counts(endpoint).conflicts += 1
    job.emit(
        "conflict.found",
        entity=record.entity,
        record=record.hub_id,
        field=change.path,
        values=[change.base, change.theirs, change.ours],
    )


def gone(job: Pass, connection: Connection, endpoint: Endpoint, remote_ids: list[str]) -> None:
    """These remote records were deleted there, by an explicit tombstone or missing from a complete listing."""
    system, entity = endpoint.system, endpoint.entity
    now = job.now()
    lost = shadows.by_remote(connection, system, entity, remote_ids)
    stored = records.load(connection, [shadow.hub_id for shadow in lost.values()])
    shown = {key: endpoint.lens.get(shadow.data).values for key, shadow in lost.items()}
    paths = job.refs(endpoint)
    table = hub_table(connection, system, shown.values(), paths)
    shadows.set_gone(connection, system, entity, remote_ids, "them")
    policy = job.setup.policies[entity]
    writes, entries = [], []
    linked = shadows.all_of(connection, stored)
    for key, shadow in lost.items():
        record = stored.get(shadow.hub_id)
        if record is None:
            continue
        spare = next((s for s in linked[record.hub_id] if s.system == system and s.gone == "merged"), None)
        if spare is not None:  # there were two of the same, and somebody put them together: the other one is it now
            shadows.set_gone(connection, system, entity, [spare.remote_id], None)
            records.mark(connection, entity, [record.hub_id], 1)
            entries.append(Entry(entity, record.hub_id, "linked", system, spare.remote_id, {"rule": "merged there"}))
            continue
        job.counts(endpoint).gone += 1
        entries.append(Entry(entity, record.hub_id, "deleted", system, key, {"policy": policy.deletes}))
        if policy.deletes == "ignore" or record.deleted_at is not None:
            continue
        translate(shown[key], paths, table, unknown="?")
        unsent = _unsent(endpoint, record.values, {**shown[key], **shadow.meant})
        if unsent:
            change = Change("*", "conflict", "hold", None, "deleted", unsent)
            _open(job, connection, endpoint, record, change)
        writes.append(RecordWrite(record.hub_id, entity, record.values, record.stamps, 1, now, system))
    records.update_records(connection, writes, now)
    journal.write(connection, job.run, now, entries)


def _unsent(endpoint: Endpoint, ours: Values, agreed: Values) -> list[str]:
    """Fields edited elsewhere that this system had not been told of when the record was deleted there."""
    return [
        name
        for name, lens_field in endpoint.lens.fields.items()
        if lens_field.direction == "both"
        and lens_field.lines is None
        and name in agreed
        and ours.get(name) != agreed[name]
    ]


def check_values(job: Pass, endpoint: Endpoint, hub_id: str, values: Values) -> None:
    """Totals that don't match their lines, tax and e-invoice numbers that can't be right: reported, never repaired."""
    for finding in check_documents(job.spec(endpoint.entity), values):
        job.find(finding.kind, endpoint, hub_id, f"{finding.field}: {finding.message}")
