"""Resume: a write of several calls (an ERP's save, submit and audit) that was cut in two is brought to its end first.

What such a write leaves half-done is no edit: a draft that nobody submitted would take an approved order back to a
draft everywhere, and a customer that was never audited would have each of its orders refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.connect.capabilities import Finish, Remote, Write
from hub.errors import HubError, Unavailable, UnexpectedAnswer
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import outcomes
from hub.sync.context import Pass
from hub.sync.planning import mark_of
from hub.sync.policy import Endpoint

Values = dict[str, Any]


class Sighting(NamedTuple):
    """A record that a write in doubt was about, as it stands now."""

    remote: Remote
    problem: HubError | None = None
    """What keeps it from the state it was to end in."""


def resume(endpoint: Endpoint, writes: Sequence[Write], seen: Mapping[str, Remote]) -> dict[str, Sighting]:
    """Remote id → the record, of all in ``seen``; those that ``writes`` name (by ``id``) brought to their end first.

    Raises what the connector raises: then nothing may be concluded about any of them yet.
    """
    found = {remote_id: Sighting(remote) for remote_id, remote in seen.items()}
    cut = [write for write in writes if write.id and write.id in seen and _may_be_cut(write, seen[write.id])]
    if not cut or not isinstance(endpoint.connector, Finish):
        return found
    results = endpoint.connector.finish(
        endpoint.resource.name, cut, endpoint.lens.remote_fields, endpoint.lens.write_options
    )
    if len(results) != len(cut):
        raise UnexpectedAnswer(f"{len(results)} results for {len(cut)} writes", where=endpoint.system)
    for write, result in zip(cut, results, strict=True):
        if result.error is not None:
            raise result.error
        if result.remote is None or (result.remote.record is None and not result.remote.deleted):
            raise Unavailable(f"{write.id} could not be read back", where=f"{endpoint.system}/{endpoint.resource.name}")
        found[str(write.id)] = Sighting(result.remote, result.problem)
    return found


def _may_be_cut(write: Write, remote: Remote) -> bool:
    if remote.deleted or remote.record is None:
        return False
    return write.version is None or write.version != remote.version


def tell(
    job: Pass,
    connection: Connection,
    endpoint: Endpoint,
    record: Stored,
    shadow: Shadow | None,
    payload: Values,
    problem: HubError,
) -> None:
    """The record is written, and the system refuses to take it further: a letter says so."""
    said = outcomes.refused("follow_up", record, shadow, payload, problem, mark_of(record, shadow))
    outcomes.letters(job, connection, endpoint, [said])
