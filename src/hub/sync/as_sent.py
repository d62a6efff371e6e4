"""Creates whose answer shows just what was sent: the short way through ``confirm``.

Where the mapping is faithful (see ``hub.mapping.faithful``), reading such an answer would bring up nothing but our own
values: no rewriting to pair, no news to decide. A test compares this with the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hub.store import records
from hub.store.codec import printed
from hub.store.shadows import ShadowWrite
from hub.sync.intake import Batch
from hub.sync.picking import present, same
from hub.sync.readback import Done

if TYPE_CHECKING:
    from hub.sync.confirm import Confirmer


def part(confirmer: Confirmer, done: Sequence[Done]) -> tuple[list[Done], list[Done]]:
    """(creates whose answer shows just what was sent, the others)."""
    if not confirmer.lens.faithful or any(part is not None for part in confirmer.computed.values()):
        return [], list(done)
    plain: list[Done] = []
    others: list[Done] = []
    fields = confirmer.intake.fields
    for one in done:
        shown = one.remote.record if one.remote is not None and one.step.action == "create" else None
        equal = shown is not None and one.payload is not None and same(shown, one.payload, fields)
        (plain if equal else others).append(one)
    return plain, others


def store(confirmer: Confirmer, connection: Connection, done: Sequence[Done]) -> set[str]:
    """Store these; returns the records that need no further look by the planner."""
    if not done:
        return set()
    batch = Batch(confirmer.job.now())
    fields, known = confirmer.intake.fields, set(confirmer.known)
    for record, _, step, remote, _ in done:
        assert remote is not None and remote.record is not None
        batch.entries.append(confirmer.entry(record, step, remote, {}))
        text, mark = printed(present(remote.record, fields))
        ref = remote.ref or remote.id
        row = ShadowWrite(remote.id, record.hub_id, ref, remote.version, mark, text, {}, remote.modified_at)
        (batch.shadows if remote.id in known else batch.shadows_new).append(row)
        known.add(remote.id)
    confirmer.job.counts(confirmer.endpoint).created += len(done)
    confirmer.intake.store(connection, batch)
    revisions = {one.record.hub_id: one.record.revision for one in done}
    if confirmer.alone:
        return set(revisions)
    return revisions.keys() - records.moved(connection, revisions).keys()
