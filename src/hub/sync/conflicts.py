"""Conflicts: showing them to a person and carrying out what the person decides."""

from __future__ import annotations

from typing import Any

from hub.errors import ConfigurationError
from hub.store import journal, records, shadows, work
from hub.store.database import Store
from hub.store.journal import Entry
from hub.store.records import RecordWrite, Stored
from hub.sync import matching, outcomes
from hub.sync.context import Pass
from hub.sync.intake import Intake
from hub.sync.places import with_value
from hub.sync.policy import Setup

Row = dict[str, Any]


def listed(store: Store, setup: Setup) -> list[Row]:
    """Open conflicts, with the title of the record they are about."""
    with store.read() as connection:
        rows = work.conflicts(connection)
        stored = records.load(connection, {row["hub_id"] for row in rows})
    for row in rows:
        row["title"] = _title(setup, row, stored.get(row["hub_id"]))
    return rows


def _title(setup: Setup, row: Row, record: Stored | None) -> str:
    values = record.values if record is not None else row["theirs"] if isinstance(row["theirs"], dict) else {}
    spec = setup.specs.get(row["entity"])
    for name in spec.title if spec else ():
        if values.get(name):
            return str(values[name])
    return str(row["hub_id"])


def resolve(job: Pass, conflict_id: int, *, take: str | None, value: Any, link: str | None, new: bool) -> Row:
    """Decide one conflict. Raises ConfigurationError when it is not open or the answer does not fit it."""
    with job.store.read() as connection:
        row = work.conflict(connection, conflict_id)
    if row is None or row["status"] != "open":
        raise ConfigurationError(f"there is no open conflict {conflict_id}", cure="hub conflicts lists them")
    if row["path"] == "match":
        return _resolve_match(job, row, link, new)
    if take not in {"theirs", "ours", "value"}:
        raise ConfigurationError(
            "say which value to take",
            where=f"conflict {conflict_id}",
            cure="--take theirs, --take ours, or --value VALUE",
        )
    with job.transaction(row["entity"]) as connection:
        record = records.load(connection, [row["hub_id"]])[row["hub_id"]]
        now = job.now()
        if row["path"] == "*":
            write = _deletion(job, row, record, take, now, connection)
        else:
            write = _chosen(job, row, record, take, value, now)
        records.update_records(connection, [write], now)
        if matching.wanted(job.setup, record.entity):
            rules = matching.rules_of(job.setup, record.entity)
            records.index(connection, record.entity, rules, [(record.hub_id, write.values)])
        work.change_conflict(connection, conflict_id, status="resolved", resolved_at=now, resolution=take)
        entry = Entry(
            record.entity,
            record.hub_id,
            "resolved",
            row["system"],
            None,
            {"path": row["path"], "take": take, "theirs": row["theirs"], "ours": row["ours"], "value": value},
        )
        journal.write(connection, job.run, now, [entry])
    return {**row, "status": "resolved", "resolution": take}


def _chosen(job: Pass, row: Row, record: Stored, take: str, value: Any, now: str) -> RecordWrite:
    """The record with the value chosen. 'Ours' is the value there is now: it may have moved since it was asked."""
    values = record.values
    if take != "ours":
        chosen = row["theirs"] if take == "theirs" else value
        values = with_value(values, row["path"], chosen, job.spec(record.entity))
    who = row["system"] if take == "theirs" else row["ours_from"] if take == "ours" else "hub"
    stamps = {**record.stamps, row["path"]: [who, now]}
    return RecordWrite(record.hub_id, record.entity, values, stamps, 1, record.deleted_at, record.deleted_by)


def _deletion(job: Pass, row: Row, record: Stored, take: str, now: str, connection: Any) -> RecordWrite:
    """Deleted in one system, edited in another: either the deletion goes on, or the record is made again."""
    deleted_in = record.deleted_by or row["system"]
    # 'theirs' is what row.system did: the deletion, or the edit of a record deleted elsewhere.
    keep_deleted = (take == "theirs") == (row["theirs"] == "deleted")
    if keep_deleted:
        return RecordWrite(
            record.hub_id, record.entity, record.values, record.stamps, 1, record.deleted_at or now, deleted_in
        )
    for shadow in [
        s for s in shadows.by_hub(connection, [record.hub_id]).get(record.hub_id, {}).values() if s.gone == "them"
    ]:
        shadows.set_gone(connection, shadow.system, shadow.entity, [shadow.remote_id], "hub")
    return RecordWrite(record.hub_id, record.entity, record.values, record.stamps, 1, None, None)


def _resolve_match(job: Pass, row: Row, link: str | None, new: bool) -> Row:
    """Say which canonical record a remote record is, or that it is a new one."""
    if bool(link) == new:
        raise ConfigurationError(
            "this record may be one of several",
            where=f"conflict {row['id']}",
            cure=f"--link HUB_ID (one of {', '.join(row['ours'] or []) or 'hub status'}) or --new",
        )
    endpoint = next(e for e in job.setup.endpoints if e.system == row["system"] and e.entity == row["entity"])
    remote_id = row["hub_id"].partition(":")[2]
    with job.transaction(row["entity"]) as connection:
        waiting = {w["remote_id"]: w for w in work.waiting(connection, row["system"], row["entity"])}
        if remote_id not in waiting:
            raise ConfigurationError(
                "that record is not waiting any more", where=f"conflict {row['id']}", cure="hub sync"
            )
        remote = outcomes.waited(waiting[remote_id])
        if link is not None:
            if link not in (found := records.load(connection, [link])) or found[link].entity != row["entity"]:
                raise ConfigurationError(
                    f"there is no {row['entity']} {link}", where=f"conflict {row['id']}", cure="use a hub id"
                )
            if link in shadows.links(connection, [link], row["system"]):
                raise ConfigurationError(
                    f"{link} is linked with another record of {row['system']}",
                    where=f"conflict {row['id']}",
                    cure=f"merge the two in {row['system']}, or use --new",
                )
            remote.key = link
        if remote_id not in Intake(job, endpoint, force_new=new).take(connection, [remote]).hub_ids:
            raise ConfigurationError(
                "that record can't be taken in as it was last seen: it refers to something unknown, or can't be read",
                where=f"conflict {row['id']}",
                cure=f"mend it in {row['system']}; then hub sync",
            )
        work.change_conflict(connection, row["id"], status="resolved", resolved_at=job.now(), resolution=link or "new")
    return {**row, "status": "resolved", "resolution": link or "new"}
