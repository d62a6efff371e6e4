"""Explain: why is this value what it is? Read from the journal, newest word last."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, or_, select

from hub.errors import ConfigurationError
from hub.model.projection import entity_tables
from hub.store import journal, records, shadows
from hub.store.database import Store
from hub.store.journal import Logged
from hub.store.records import Stored
from hub.store.shadows import SHADOW
from hub.sync.policy import Setup

Row = dict[str, Any]


def explain(store: Store, setup: Setup, entity: str, key: str, field: str | None) -> Row:
    """The history of each value of one record: source, rule, mapping line, run, and where it was written.

    Raises ConfigurationError when there is no such entity, record or field.
    """
    if entity not in setup.policies:
        raise ConfigurationError(f"there is no entity {entity}", cure=f"one of: {', '.join(setup.policies)}")
    with store.read() as connection:
        record = _find(connection, setup, entity, key)
        entries = journal.of_record(connection, record.hub_id)
        seen = shadows.by_hub(connection, [record.hub_id]).get(record.hub_id, {})
    names = list(record.values) if field is None else [field]
    head = (field or "").partition("[")[0]
    if field is not None and head not in record.values and head not in setup.specs[entity].fields:
        raise ConfigurationError(
            f"{entity} has no field {field}", cure=f"one of: {', '.join(setup.specs[entity].fields)}"
        )
    return {
        "entity": entity,
        "hub_id": record.hub_id,
        "deleted": record.deleted_at,
        "links": {
            s: {"id": shadow.remote_id, "version": shadow.version, "gone": shadow.gone} for s, shadow in seen.items()
        },
        "fields": {name: _field(setup, record, entries, name) for name in names},
        "history": [_line(entry) for entry in entries],
    }


def _find(connection: Connection, setup: Setup, entity: str, key: str) -> Stored:
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


def _field(setup: Setup, record: Stored, entries: list[Logged], name: str) -> Row:
    """One field: its value, where it came from, by which line and rule, and every step on the way."""
    head = name.partition("[")[0]
    by, at = (record.stamps.get(name) or record.stamps.get(head) or record.stamps.get("*") or ["", ""])[:2]
    lens_field = next(
        (
            e.lens.fields[head]
            for e in setup.endpoints
            if e.system == by and e.entity == record.entity and head in e.lens.fields
        ),
        None,
    )
    steps = []
    for entry in entries:
        steps += _steps(entry, name, head)
    owner = setup.policies[record.entity].authority.get(head)
    return {
        "value": record.values.get(head),
        "from": by,
        "at": at,
        "mapping": str(lens_field.position) if lens_field else None,
        "remote": list(lens_field.remote) if lens_field else [],
        "owner": owner,
        "steps": steps,
    }


def _steps(entry: Logged, name: str, head: str) -> list[Row]:
    base = {"at": entry.at, "run": entry.run, "system": entry.system, "kind": entry.kind}
    if entry.kind == "new":
        return [{**base, "rule": "first", "text": f"came with the record, first seen in {entry.system}"}]
    if entry.kind == "observed":
        return [
            {
                **base,
                "rule": rule,
                "decision": kind,
                "path": path,
                "base": old,
                "theirs": theirs,
                "ours": ours,
                "edited_at": entry.detail.get("at"),
                "by": entry.detail.get("by"),
            }
            for path, kind, rule, old, theirs, ours in entry.detail["changes"]
            if path == name or path.partition("[")[0] == name or (path == head and name != head)
        ]
    if entry.kind == "written":
        fields = entry.detail.get("fields")
        if fields is None:
            return [{**base, "action": entry.detail["action"], "text": f"written with the record to {entry.system}"}]
        pairs = {p: pair for p, pair in fields.items() if p == name or p.partition("[")[0] in {name, head}}
        rewritten = (entry.detail.get("rewritten") or {}).get(head)
        return [{**base, "action": entry.detail["action"], "fields": pairs, "rewritten": rewritten}] if pairs else []
    if entry.kind == "resolved" and entry.detail.get("path") in {name, head}:
        return [{**base, **entry.detail}]
    return []


def _line(entry: Logged) -> Row:
    return {
        "at": entry.at,
        "run": entry.run,
        "kind": entry.kind,
        "system": entry.system,
        "remote_id": entry.remote_id,
        "detail": entry.detail,
    }
