"""A create that met a record which is there already: perhaps it is the one we meant."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.store import shadows
from hub.store.records import Stored
from hub.store.shadows import LIVE
from hub.sync.intake import Intake
from hub.sync.refs import hub_table, translate


def adopt(intake: Intake, connection: Connection, record: Stored, remote: Remote) -> bool:
    """Take the record in if it is nobody else's and a match rule says that it is ours; True when that was done."""
    if remote.deleted or remote.record is None:
        return False
    system, lens = intake.endpoint.system, intake.lens
    known = shadows.known(connection, system, intake.endpoint.entity, [remote.id])
    if remote.id in known and known[remote.id].gone in LIVE:
        return False
    theirs = lens.get(remote.record).values
    translate(theirs, intake.paths, hub_table(connection, system, [theirs], intake.paths))
    for rule in lens.match:
        if all(theirs.get(n) is not None and theirs.get(n) == record.values.get(n) for n in rule):
            intake.take(connection, [replace(remote, key=record.hub_id)])
            return True
    return False
