"""A line that a list does not show any more: removed by somebody, or left out of one answer?

Deleted records are looked at once more before anybody believes it, and so are lines: a list that leaves out one line
would else take it away in every other system. The sighting waits until the record has been asked for by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Get, Remote
from hub.store import work
from hub.sync import outcomes
from hub.sync.context import Pass
from hub.sync.policy import Endpoint

Values = Mapping[str, Any]
REASON = "lines"


def line_keys(job: Pass, endpoint: Endpoint) -> dict[str, str]:
    """Field → its line's key, of the fields whose lines a system keeps as a list, and that can be asked for again."""
    if not isinstance(endpoint.connector, Get):
        return {}
    fields = job.spec(endpoint.entity).fields
    return {
        name: str(f.lines.key) for name, f in fields.items() if f.lines and f.lines.key and name in endpoint.lens.fields
    }


def lost_lines(keys: Mapping[str, str], endpoint: Endpoint, remote: Remote, values: Values, base: Values) -> str:
    """The first field of which ``values`` lack a line that ``base`` has; empty when there is none."""
    for name, key in keys.items():
        if name in values and base.get(name) and _listed(endpoint, remote, name):
            here = {line.get(key) for line in values[name] or ()}
            if any(line.get(key) not in here for line in base[name]):
                return name
    return ""


def _listed(endpoint: Endpoint, remote: Remote, name: str) -> bool:
    """Lines made of single fields (an address) can't be left out of a list."""
    record = remote.record or {}
    return any(isinstance(record.get(path.partition(".")[0]), list) for path in endpoint.lens.fields[name].remote)


def set_aside(job: Pass, connection: Connection, endpoint: Endpoint, remote: Remote, field: str) -> None:
    """Keep the sighting until the record has been asked for by itself: in this pass, or after a crash in the next."""
    detail = {"message": f"{field} lacks lines that were there: looked at once more before it is believed"}
    outcomes.wait(job, connection, endpoint, remote, reason=REASON, detail=detail)
    job.counts(endpoint).waiting -= 1


def doubtful(job: Pass, endpoint: Endpoint) -> Sequence[str]:
    """Remote ids that were set aside."""
    with job.store.read() as connection:
        rows = work.waiting(connection, endpoint.system, endpoint.entity)
    return [row["remote_id"] for row in rows if row["reason"] == REASON]
