"""Explain: why is this value what it is, or why was it so at some moment? Read from the journal, newest word last.

The chain of a value: who wrote it where and when, what the hub saw there before and after, which line of which mapping
made it, which rule decided against which other candidates, which run and which write carried it on, and what the system
answered.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, or_, select

from hub.errors import ConfigurationError
from hub.model.projection import entity_tables
from hub.store import history, journal, pruning, records, shadows
from hub.store.database import Store
from hub.store.journal import Logged
from hub.store.pruning import Horizon
from hub.store.records import Stored
from hub.store.shadows import SHADOW, Shadow
from hub.sync.chain import Chain
from hub.sync.compact import PRUNED
from hub.sync.lineage import Lineage
from hub.sync.places import head
from hub.sync.policy import Setup
from hub.sync.steps import Steps

Row = dict[str, Any]


def explain(store: Store, setup: Setup, entity: str, key: str, field: str | None, at: str | None = None) -> Row:
    """The history of each value of one record: source, rule, mapping line, run, and where it was written.

    ``at`` (ISO 8601, UTC): as it was at that moment. Raises ConfigurationError when there is no such entity, record or
    field, or when the hub did not know the record then.
    """
    if entity not in setup.policies:
        raise ConfigurationError(f"there is no entity {entity}", cure=f"one of: {', '.join(setup.policies)}")
    with store.read() as connection:
        record = find(connection, setup, entity, key)
        chain = Chain(journal.of_record(connection, record.hub_id), record.values, setup.specs[entity])
        seen = shadows.by_hub(connection, [record.hub_id]).get(record.hub_id, {})
        return _told(connection, setup, record, chain, seen, field, at)


def _told(
    connection: Connection,
    setup: Setup,
    record: Stored,
    chain: Chain,
    seen: dict[str, Shadow],
    field: str | None,
    at: str | None,
) -> Row:
    pruned = pruning.horizon(connection)
    count = len(chain.entries) if at is None else chain.until(at)
    if at is not None and count < len(chain.entries) and summed_up(chain.entries[count], at):
        raise ConfigurationError(
            f"what this {record.entity} was at {at} is {pruned.told()}",
            cure="ask for a later moment; retention in hub.yaml says how much history is kept",
        )
    values = record.values if count == len(chain.entries) else chain.after[count - 1]
    if count == 0 and chain.entries:
        first = chain.entries[0]
        raise ConfigurationError(
            f"the hub did not know this {record.entity} at {at}",
            cure=f"it was first seen in {first.system}, {first.at}",
        )
    _check_field(setup, record, field)
    lineage = Lineage(connection, setup, record.entity)
    beside = _beside(connection, record.hub_id, at)
    names = list(values) if field is None else [field]
    steps = Steps(setup, chain, count, lineage, beside)
    return {
        "entity": record.entity,
        "hub_id": record.hub_id,
        "at": at,
        "deleted": record.deleted_at if at is None or (record.deleted_at or "") <= at else None,
        "links": _links(seen) if at is None else _links_then(chain.entries[:count]),
        "fields": {
            name: {
                **steps.field(name, values, record.stamps if at is None else None),
                "shown": _shown(lineage, seen, name) if at is None else {},
            }
            for name in names
        },
        "history": [_line(entry) for entry in chain.entries[:count]],
        "pruned": _pruned(pruned, chain.entries),
    }


def summed_up(entry: Logged, at: str) -> bool:
    """Whether an entry stands for several, of which some had happened at a moment."""
    return entry.kind == PRUNED and str(entry.detail["since"]) <= at


def _pruned(horizon: Horizon, entries: list[Logged]) -> Row | None:
    """From when on the record's history is whole, when it is not whole from the beginning."""
    if not entries or entries[0].at >= horizon.before:
        return None
    return {"before": horizon.before, "on": horizon.on, "text": f"what is missing here is {horizon.told()}"}


def _check_field(setup: Setup, record: Stored, field: str | None) -> None:
    fields = setup.specs[record.entity].fields
    if field is not None and head(field) not in record.values and head(field) not in fields:
        raise ConfigurationError(f"{record.entity} has no field {field}", cure=f"one of: {', '.join(fields)}")


def _beside(connection: Connection, hub_id: str, at: str | None) -> list[Row]:
    """Letters and conflicts, as steps of a chain: ``at``, ``kind``, ``system``, and what they say."""
    made: list[Row] = []
    for row in history.letters(connection, hub_id):
        names = ("system", "stage", "field", "error", "message", "cure", "attempts", "status", "last_at", "run")
        sent = sorted(row["payload"]) if isinstance(row["payload"], dict) else []
        made.append({"kind": "letter", "at": row["opened_at"], **{n: row[n] for n in names}, "sent": sent})
    for row in history.conflicts(connection, hub_id):
        names = ("system", "path", "base", "theirs", "ours", "ours_from", "status", "resolved_at", "resolution", "run")
        made.append({"kind": "conflict", "at": row["opened_at"], **{n: row[n] for n in names}})
    return [row for row in made if at is None or row["at"] <= at]


def _links(seen: dict[str, Shadow]) -> Row:
    return {s: {"id": shadow.remote_id, "version": shadow.version, "gone": shadow.gone} for s, shadow in seen.items()}


def _links_then(entries: list[Logged]) -> Row:
    """The links as the journal tells them."""
    links: Row = {}
    for entry in entries:
        if entry.kind in ("new", "linked") or (entry.kind == "written" and entry.remote_id is not None):
            links[entry.system] = {"id": entry.remote_id, "version": entry.detail.get("version"), "gone": None}
        if entry.kind == "deleted" and entry.system in links:
            links[entry.system]["gone"] = "them"
        if entry.kind == "written" and entry.detail.get("action") in ("delete", "archive"):
            links[entry.system]["gone"] = "hub" if entry.detail["action"] == "delete" else "archived"
    return links


def _shown(lineage: Lineage, seen: dict[str, Shadow], name: str) -> Row:
    """System → remote field → what it showed when it was last seen."""
    made: Row = {}
    for system, shadow in seen.items():
        remote = lineage.line(None, system, name).get("remote") or []
        tops = dict.fromkeys(path.partition(".")[0].partition("[")[0].strip('"') for path in remote)
        shown = {top: shadow.data[top] for top in tops if top in shadow.data}
        if shown:
            made[system] = shown
    return made


def find(connection: Connection, setup: Setup, entity: str, key: str) -> Stored:
    """A record by hub id, remote id or reference, else by what names it."""
    found = records.load(connection, [key])
    if key in found:
        return found[key]
    rows = connection.execute(
        select(SHADOW.c.hub_id).where(SHADOW.c.entity == entity, or_(SHADOW.c.remote_id == key, SHADOW.c.ref == key))
    ).all()
    ids = {row[0] for row in rows} or _by_title(connection, setup, entity, key)
    if len(ids) > 1:
        raise ConfigurationError(
            f"{len(ids)} records of {entity} are called {key}", cure=f"use a hub id: {', '.join(sorted(ids)[:5])}"
        )
    if not ids:
        raise ConfigurationError(
            f"there is no {entity} called {key}", cure="use a hub id, a remote id, a number or a name"
        )
    hub_id = ids.pop()
    return records.load(connection, [hub_id])[hub_id]


def _by_title(connection: Connection, setup: Setup, entity: str, key: str) -> set[str]:
    tables = entity_tables(entity)
    names = [n for n in setup.specs[entity].title if tables is not None and n in tables.table.c]
    if tables is None or not names:
        return set()
    statement = select(tables.table.c.hub_id).where(or_(*[tables.table.c[n] == key for n in names]))
    return {row[0] for row in connection.execute(statement)}


def _line(entry: Logged) -> Row:
    return {
        "at": entry.at,
        "run": entry.run,
        "kind": entry.kind,
        "system": entry.system,
        "remote_id": entry.remote_id,
        "detail": entry.detail,
    }
