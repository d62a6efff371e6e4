"""Recover: intents that were sent and never confirmed are probed before anything is sent again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Finish, Get, Probe, Remote, Write
from hub.errors import AuthenticationError, HubError, RateLimited, RecordRejected, Unavailable, UnknownOutcome
from hub.store import intents, journal, records, shadows, work
from hub.store.codec import loads_remote
from hub.store.records import Stored
from hub.store.shadows import LIVE, Shadow
from hub.sync import outcomes
from hub.sync.confirm import Confirmer
from hub.sync.context import Pass
from hub.sync.joint import owns
from hub.sync.outcomes import Letter
from hub.sync.plan import REMOVED, Step
from hub.sync.planning import mark_of
from hub.sync.policy import Endpoint
from hub.sync.readback import Done
from hub.sync.refs import remote_table, translate
from hub.sync.resume import Sighting, resume, tell

Row = dict[str, Any]
BATCH = 100


def recover(job: Pass, endpoint: Endpoint, *, orphans: bool = False) -> int:
    """Settle what an earlier pass (or this one) left in doubt at this endpoint; returns how many intents that was.

    ``orphans``: whichever part of the entity they belong to. Only while nobody writes there.
    """
    mine = partial(owns, None if orphans else job.part)
    with job.store.read() as connection:
        rows = [
            r
            for r in intents.intents(connection, endpoint.system)
            if r["entity"] == endpoint.entity and mine(r["hub_id"])
        ]
        letters = [] if orphans else work.replayed_follow_ups(connection, endpoint.system, endpoint.entity)
        asked = [letter for letter in letters if mine(letter["hub_id"])]
    if not rows and not asked:
        return 0
    try:
        if asked and isinstance(endpoint.connector, Finish):
            _finish_asked(job, endpoint, asked)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            creates = [row for row in batch if row["action"] == "create"]
            others = [row for row in batch if row["action"] != "create"]
            if creates:
                _probe_creates(job, endpoint, creates)
            if others:
                _look_at_others(job, endpoint, others)
    except HubError as error:
        job.blocked.add((endpoint.system, endpoint.entity))
        job.failed(endpoint, error, down=isinstance(error, (AuthenticationError, Unavailable, RateLimited)))
    return len(rows)


def _finish_asked(job: Pass, endpoint: Endpoint, letters: list[Row]) -> None:
    """Records that are written and were not taken further, of which a person says: try again. What is seen of such a
    record meanwhile changes nothing of that."""
    stored, seen = _load(job, letters, endpoint.system)
    own = {hub_id: shadow for hub_id in stored if (shadow := seen.get(hub_id, {}).get(endpoint.system))}
    rows = [letter for letter in letters if letter["hub_id"] in own and own[letter["hub_id"]].gone in LIVE]
    lens, resource = endpoint.lens, endpoint.resource.name
    for start in range(0, len(rows), BATCH):
        writes: dict[str, Write] = {}
        for row in rows[start : start + BATCH]:
            record, shadow = stored[row["hub_id"]], own[row["hub_id"]]
            fields = {name: record.values[name] for name in loads_remote(row["payload"]) if name in record.values}
            sent = {"hub_id": row["hub_id"], "remote_id": shadow.remote_id, "version": "", "action": "update"}
            writes[row["hub_id"]] = _write(job, endpoint, {**sent, "fields": fields}, shadow)
        ids = [str(write.id) for write in writes.values()]
        there = {r.id: r for r in endpoint.connector.get(resource, ids, lens.remote_fields, lens.read_options)}
        now = resume(endpoint, list(writes.values()), there)
        with job.transaction(endpoint.entity) as connection:
            for row in rows[start : start + BATCH]:
                found = now.get(own[row["hub_id"]].remote_id)
                _note_asked(job, connection, endpoint, row, stored[row["hub_id"]], own[row["hub_id"]], found)


def _note_asked(
    job: Pass,
    connection: Connection,
    endpoint: Endpoint,
    row: Row,
    record: Stored,
    shadow: Shadow,
    found: Sighting | None,
) -> None:
    if found is not None and found.problem is not None:
        tell(job, connection, endpoint, record, shadow, loads_remote(row["payload"]), found.problem)
        return
    if found is not None:
        Confirmer(job, endpoint).intake.take(connection, [found.remote])
    done = [record.hub_id]
    work.close_letters(connection, endpoint.system, endpoint.entity, at=job.now(), stage="follow_up", hub_ids=done)


def _load(job: Pass, rows: list[Row], system: str) -> tuple[dict[str, Stored], dict[str, dict[str, Shadow]]]:
    ids = [row["hub_id"] for row in rows]
    with job.store.read() as connection:
        return records.load(connection, ids), shadows.by_hub(connection, ids)


def _probe_creates(job: Pass, endpoint: Endpoint, rows: list[Row]) -> None:
    stored, seen = _load(job, rows, endpoint.system)
    rows = [row for row in rows if row["hub_id"] in stored]
    made = [row for row in rows if row["remote_id"] and not _is_linked(seen, row["hub_id"], endpoint.system)]
    if made:
        _look_at_made(job, endpoint, made, stored)
    rows = [row for row in rows if row not in made]
    if not rows:
        return
    if endpoint.resource.probe == "none" or not isinstance(endpoint.connector, Probe):
        with job.transaction(endpoint.entity) as connection:
            for row in rows:
                _to_a_person(job, connection, endpoint, row, stored[row["hub_id"]])
        return
    answers = _probed(endpoint, [_write(job, endpoint, row) for row in rows])
    with job.transaction(endpoint.entity) as connection:
        for row in [row for row in rows if row["hub_id"] not in answers]:
            _to_a_person(job, connection, endpoint, row, stored[row["hub_id"]])
    rows = [row for row in rows if row["hub_id"] in answers]
    writes = [write for write, _ in answers.values()]
    there = {write.key: remote for write, remote in answers.values() if remote is not None}
    linked = {key: there.pop(key) for key in list(there) if _is_linked(seen, key, endpoint.system)}
    cut = [replace(write, id=there[write.key].id) for write in writes if write.key in there]
    now = resume(endpoint, cut, {remote.id: remote for remote in there.values()})
    with job.transaction(endpoint.entity) as connection:
        confirmer = Confirmer(job, endpoint)
        own = {key: remote for key, remote in linked.items() if remote.key == key}
        _note_made(job, connection, confirmer, [row for row in rows if row["hub_id"] in own], stored, own)
        for row in rows:
            record = stored[row["hub_id"]]
            if record.hub_id in there:
                _confirm(job, connection, endpoint, confirmer, row, record, None, now[there[record.hub_id].id])
            intents.drop_intent(connection, row["id"])
            records.mark(connection, endpoint.entity, [record.hub_id], 1)


def _look_at_made(job: Pass, endpoint: Endpoint, rows: list[Row], stored: dict[str, Stored]) -> None:
    """Records that were made for sure, and could not be read back then."""
    lens, connector = endpoint.lens, endpoint.connector
    assert isinstance(connector, Get)
    ids = [row["remote_id"] for row in rows]
    there = {
        remote.id: remote
        for remote in connector.get(endpoint.resource.name, ids, lens.remote_fields, lens.read_options)
        if remote.record is not None and not remote.deleted
    }
    now = resume(endpoint, [_write(job, endpoint, row) for row in rows], there)
    with job.transaction(endpoint.entity) as connection:
        confirmer = Confirmer(job, endpoint)
        for row in rows:
            # One that isn't shown is linked all the same: whether it was deleted is for the next listing to say.
            found = now.get(row["remote_id"]) or Sighting(Remote(row["remote_id"], None))
            _confirm(job, connection, endpoint, confirmer, row, stored[row["hub_id"]], None, found)
            intents.drop_intent(connection, row["id"])
            records.mark(connection, endpoint.entity, [row["hub_id"]], 1)


def _note_made(
    job: Pass,
    connection: Connection,
    confirmer: Confirmer,
    rows: list[Row],
    stored: dict[str, Stored],
    there: dict[str, Remote],
) -> None:
    """Creates that were carried out, and whose records were seen and linked before anybody asked for their answer (a
    webhook told of them): the journal has the write, too."""
    entries = []
    for row in rows:
        record, remote = stored[row["hub_id"]], there[row["hub_id"]]
        step = Step(row["system"], "create", {}, tuple(row["fields"]), "found after a crash")
        entries.append(confirmer.entry(record, step, remote, {}))
    journal.write(connection, job.run, job.now(), entries)


def _probed(endpoint: Endpoint, writes: list[Write]) -> dict[str, tuple[Write, Remote | None]]:
    """Hub id → write, and the record found for it. Those of which the system can't say are missing: one record without
    a natural key must not keep the others in doubt."""
    lens = endpoint.lens
    try:
        found = endpoint.connector.probe(endpoint.resource.name, writes, lens.remote_fields, lens.write_options)
    except UnknownOutcome:
        if len(writes) == 1:
            return {}
        return {key: answer for write in writes for key, answer in _probed(endpoint, [write]).items()}
    return {write.key: (write, remote) for write, remote in zip(writes, found, strict=True)}


def _is_linked(seen: dict[str, dict[str, Shadow]], hub_id: str, system: str) -> bool:
    shadow = seen.get(hub_id, {}).get(system)
    return shadow is not None and shadow.gone in LIVE


def _write(job: Pass, endpoint: Endpoint, row: Row, shadow: Shadow | None = None) -> Write:
    """The write as it was sent, as far as it matters for finding it again and bringing it to its end."""
    write = Write(key=row["hub_id"], values={}, id=row["remote_id"], version=row["version"])
    if row["action"] not in {"create", "update"}:
        return write
    values = dict(row["fields"])
    paths = job.refs(endpoint)
    with job.store.read() as connection:
        translate(values, paths, remote_table(connection, endpoint.system, [values], paths))
    with suppress(RecordRejected):
        write.values = endpoint.lens.put(values, shadow.data if shadow else None)
    return write


def _confirm(
    job: Pass,
    connection: Connection,
    endpoint: Endpoint,
    confirmer: Confirmer,
    row: Row,
    record: Stored,
    shadow: Shadow | None,
    found: Sighting,
) -> None:
    # The mapping may have lost a field since the intent: what was written there is no longer the hub's business.
    mapped = {n: value for n, value in row["fields"].items() if n in endpoint.lens.fields}
    step = Step(row["system"], row["action"], {}, tuple(n for n in mapped if n in record.values), "found after a crash")
    # The record may have changed since the intent: what the system shows of that is no edit.
    since = {n: value for n, value in mapped.items() if record.values.get(n) != value}
    step.write = tuple(n for n in step.write if n not in since)
    confirmer.confirm(
        connection,
        [Done(record, shadow, step, found.remote)],
        # What a system refuses to take to its end is no edit: it shows what it was left at.
        doubtful=found.problem is None,
        sent={record.hub_id: since} if since else None,
    )
    if found.problem is not None:
        tell(job, connection, endpoint, record, shadow, row["fields"], found.problem)


def _look_at_others(job: Pass, endpoint: Endpoint, rows: list[Row]) -> None:
    """Updates and deletes: the record itself tells whether they were carried out."""
    connector, name, lens = endpoint.connector, endpoint.resource.name, endpoint.lens
    stored, seen = _load(job, rows, endpoint.system)
    fresh: dict[str, Remote] = {}
    if isinstance(connector, Get):
        ids = [row["remote_id"] for row in rows if row["remote_id"]]
        fresh = {remote.id: remote for remote in connector.get(name, ids, lens.remote_fields, lens.read_options)}
    own = {row["id"]: seen.get(row["hub_id"], {}).get(endpoint.system) for row in rows}
    now = resume(endpoint, [_write(job, endpoint, row, own[row["id"]]) for row in rows], fresh)
    with job.transaction(endpoint.entity) as connection:
        confirmer = Confirmer(job, endpoint)
        for row in rows:
            found, record, shadow = now.get(row["remote_id"] or ""), stored.get(row["hub_id"]), own[row["id"]]
            if found is not None and record is not None and shadow is not None:
                _settle_other(job, connection, endpoint, confirmer, row, record, shadow, found)
            intents.drop_intent(connection, row["id"])
            records.mark(connection, endpoint.entity, [row["hub_id"]], 1)


def _settle_other(
    job: Pass,
    connection: Connection,
    endpoint: Endpoint,
    confirmer: Confirmer,
    row: Row,
    record: Stored,
    shadow: Shadow,
    found: Sighting,
) -> None:
    remote = found.remote
    if remote.deleted or remote.record is None:
        if row["action"] == "delete":
            gone = "undone" if REMOVED in row["fields"] else "hub"
            shadows.set_gone(connection, endpoint.system, endpoint.entity, [shadow.remote_id], gone)
        else:
            outcomes.gone(job, connection, endpoint, [shadow.remote_id])
    elif row["action"] == "update" and remote.version != row["version"]:
        _confirm(job, connection, endpoint, confirmer, row, record, shadow, found)
    elif row["action"] == "archive" and remote.version != row["version"]:
        # Archived by us, or edited by somebody: noted either way, and archived (once more) by the next plan.
        ids = [shadow.remote_id]
        shadows.set_gone(connection, endpoint.system, endpoint.entity, ids, "archived")
        confirmer.intake.take(connection, [remote])
        shadows.set_gone(connection, endpoint.system, endpoint.entity, ids, None)
    else:
        confirmer.intake.take(connection, [remote])


def _to_a_person(job: Pass, connection: Connection, endpoint: Endpoint, row: Row, record: Stored) -> None:
    letter = Letter(
        stage="doubt",
        hub_id=record.hub_id,
        error="UnknownOutcome",
        message=f"a record was being created in {endpoint.system} when the answer was lost, and can't be looked up",
        cure=f"look in {endpoint.system}: if the record is not there, replay this letter; if it is, discard it, and the"
        " next pass links the record by the mapping's match rules",
        payload=row["fields"],
        mark=mark_of(record, None),
    )
    outcomes.letters(job, connection, endpoint, [letter])
    intents.drop_intent(connection, row["id"])
