"""Several passes at one entity, each with a part of it: their leases, and the lock that keeps their steps apart.

A lease of a part is named ``entity:customer#2/4``. Whoever takes the lease of the whole entity takes it from all parts,
too; whoever takes a part keeps the whole from everybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text

from hub.connect.capabilities import Part
from hub.errors import Unavailable
from hub.store import runs
from hub.store.bulk import insert_new_rows
from hub.store.runs import LEASE, Lease

Dead = Callable[[str], bool]

_ROWS = (
    select(LEASE)
    .where(func.substr(LEASE.c.name, 1, bindparam("size")) == bindparam("prefix"))
    .order_by(LEASE.c.name)
    .with_for_update()
)
_ROW = select(LEASE).where(LEASE.c.name == bindparam("name")).with_for_update()
# One number for the hub, one for the entity: apart from the locks that have a single number.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('hub entity'), hashtext(:entity))")


def alone(connection: Connection, entity: str) -> None:
    """Wait until no other step of this entity is under way that has to be alone, and let none begin before the end of
    this transaction. With SQLite every transaction that writes is alone from its beginning."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE, {"entity": entity})


def clear_parts(connection: Connection, name: str, own: datetime, dead: Dead) -> None:
    """Take the leases of all parts from whom they were left by. Raises Unavailable when one of them is held. To be
    called by the holder of the lease ``name``."""
    rows = _parts(connection, name)
    if rows:
        now = runs.instant(runs.lease_clock(connection, own))
        for row in rows:
            _retire(connection, row, now, dead)


def take_part(
    connection: Connection, name: str, part: Part, owner: str, own: datetime, seconds: float, dead: Dead
) -> tuple[Lease, bool]:
    """The lease of one part of ``name``, and whether nobody is at work on another one (whoever left one behind has lost
    it then). Raises Unavailable when this part, the whole, or a part of another division is held."""
    insert_new_rows(connection, LEASE, ("name", "owner", "fence", "expires"), [(name, "", 0, "")])
    whole = connection.execute(_ROW, {"name": name}).one()  # locked: one after the other
    now = runs.instant(runs.lease_clock(connection, own))
    _retire(connection, whole, now, dead)
    mine = f"{name}#{part}"
    lease = runs.take_lease(connection, mine, owner, own, seconds, dead)
    others = [row for row in _parts(connection, name) if row.name != mine]
    for row in others:
        if not row.name.endswith(f"/{part.of}"):
            _retire(connection, row, now, dead)
    alive = [row for row in others if _is_held(row, now, dead) and row.name.endswith(f"/{part.of}")]
    if not alive:
        for row in others:
            _retire(connection, row, now, dead)
    return lease, not alive


def _parts(connection: Connection, name: str) -> Sequence[Any]:
    prefix = f"{name}#"
    return connection.execute(_ROWS, {"prefix": prefix, "size": len(prefix)}).all()


def _is_held(row: Any, now: str, dead: Dead) -> bool:
    return bool(row.expires > now and not dead(row.owner))


def _retire(connection: Connection, row: Any, now: str, dead: Dead) -> None:
    """Take a lease from whom it was left by. Raises Unavailable when it is held."""
    if _is_held(row, now, dead):
        raise Unavailable(
            f"another pass is at work on {row.name.removeprefix('entity:')} until {row.expires} at the latest",
            where="store",
            cure="wait for it to end; after a crash on another machine its lease runs out by itself",
        )
    if row.expires:
        runs.retire_lease(connection, row, now)
