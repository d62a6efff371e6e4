"""Status: systems, cursors, lag, queues, last runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from hub.store import hints, intents, pruning, records, runs, shadows, space, work
from hub.store.database import Store
from hub.sync.policy import Setup
from hub.sync.prune import history_rows


def status(store: Store, setup: Setup, now: str) -> dict[str, Any]:
    """Where everything stands; plain values."""
    disk = space.size(store)
    with store.read() as connection:
        cursors = {(row["system"], row["entity"]): row for row in runs.cursors(connection)}
        linked = shadows.counts(connection)
        conflicts, letters = work.count_open(connection)
        waiting = work.waiting(connection)
        feeds = []
        for endpoint in setup.endpoints:
            key = (endpoint.system, endpoint.entity)
            cursor = cursors.get(key, {})
            feeds.append(
                {
                    "system": endpoint.system,
                    "entity": endpoint.entity,
                    "resource": endpoint.resource.name,
                    "direction": endpoint.direction,
                    "records": linked.get(key, 0),
                    "cursor": cursor.get("value"),
                    "observed_at": cursor.get("observed_at"),
                    "approved": bool(cursor.get("approved")),
                    "waiting": sum(1 for row in waiting if (row["system"], row["entity"]) == key),
                }
            )
        return {
            "at": now,
            "records": records.count(connection),
            "feeds": feeds,
            "conflicts": conflicts,
            "letters": letters,
            "waiting": [
                {
                    "system": row["system"],
                    "entity": row["entity"],
                    "record": row["remote_id"],
                    "reason": row["reason"],
                    "since": row["since"],
                    "message": row["detail"].get("message", ""),
                }
                for row in waiting
            ],
            "in_doubt": len(intents.intents(connection)),
            "plans": runs.plans(connection),
            "runs": runs.runs(connection, 10, but=["hints"]),
            "webhooks": _webhooks(connection),
            "accounts": _accounts(setup),
            "store": {
                "bytes": disk.total,
                "free": disk.free,
                "history": history_rows(connection),
                "since": pruning.horizon(connection).before or None,
            },
        }


def _accounts(setup: Setup) -> list[dict[str, Any]]:
    """What was used today of vendors' accounts, and what is left."""
    if setup.quota is None:
        return []
    return [{"systems": systems, **asdict(standing)} for systems, standing in setup.quota.standings()]


def _webhooks(connection: Connection) -> list[dict[str, Any]]:
    """What systems have told of, by system: counted messages, hints that wait, and what was subscribed to."""
    counts, queued, asked = hints.counts(connection), hints.waiting(connection), hints.subscriptions(connection)
    rows = []
    for system in sorted({*counts, *queued, *(row["system"] for row in asked)}):
        known = counts.get(system, {})
        waiting, oldest = queued.get(system, (0, ""))
        rows.append(
            {
                "system": system,
                **{name: known.get(name, 0) for name in hints.COUNTED},
                "last_at": known.get("last_at", ""),
                "refused_at": known.get("refused_at", ""),
                "waiting": waiting,
                "waiting_since": oldest,
                "subscriptions": [
                    {name: row[name] for name in ("resource", "expires", "problem")}
                    for row in asked
                    if row["system"] == system
                ],
            }
        )
    return rows
