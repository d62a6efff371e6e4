"""Runs, plans, cursors, leases and the hub's small facts about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from hub.errors import Unavailable
from hub.store.among import among
from hub.store.bulk import insert_new_rows
from hub.store.codec import dumps, loads
from hub.store.database import upsert
from hub.store.tables import CursorRow, JournalRow, LeaseRow, PlanRow, RunRow, SettingRow

CURSOR = CursorRow.__table__  # type: ignore[attr-defined]
LEASE = LeaseRow.__table__  # type: ignore[attr-defined]
PLAN = PlanRow.__table__  # type: ignore[attr-defined]
RUN = RunRow.__table__  # type: ignore[attr-defined]
SETTING = SettingRow.__table__  # type: ignore[attr-defined]

Row = dict[str, Any]
_LAST_ENTRY = select(func.max(JournalRow.__table__.c.id))  # type: ignore[attr-defined]


def instant(moment: datetime) -> str:
    """The hub's own notation of an instant: UTC, milliseconds, sortable as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


_START = insert(RUN)
_FINISH = (
    update(RUN)
    .where(RUN.c.id == bindparam("run"))
    .values({name: bindparam(f"b_{name}") for name in ("finished", "state", "message", "report")})
)


def start_run(connection: Connection, run: str, kind: str, at: str) -> None:
    """Note that a run has begun."""
    last = connection.execute(_LAST_ENTRY).scalar()
    row = {"id": run, "kind": kind, "started": at, "state": "running", "message": "", "journal_from": last or 0}
    connection.execute(_START, [row])


def finish_run(connection: Connection, run: str, at: str, state: str, message: str, report: dict[str, Any]) -> None:
    """Note how a run ended."""
    ended = {"b_finished": at, "b_state": state, "b_message": message, "b_report": dumps(report)}
    connection.execute(_FINISH, {"run": run, **ended})


def drop_run(connection: Connection, run: str) -> None:
    """Forget a run that came to nothing."""
    connection.execute(delete(RUN).where(RUN.c.id == run))


def runs(connection: Connection, limit: int = 20, *, but: Sequence[str] = ()) -> list[Row]:
    """The last runs, newest first, without their reports. ``but``: none of these kinds."""
    statement = (
        select(RUN.c.id, RUN.c.kind, RUN.c.started, RUN.c.finished, RUN.c.state, RUN.c.message)
        .where(RUN.c.kind.not_in(but))
        .order_by(RUN.c.started.desc(), RUN.c.id.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def run(connection: Connection, run_id: str) -> Row | None:
    """One run with its report."""
    row = connection.execute(select(RUN).where(RUN.c.id == run_id)).first()
    if row is None:
        return None
    found = dict(row._mapping)
    found["report"] = loads(found["report"]) if found["report"] else None
    return found


def save_plan(connection: Connection, plan_id: str, at: str, run_id: str, state: str, scope: Row, body: Row) -> None:
    """Keep a plan for approval."""
    connection.execute(
        insert(PLAN),
        [
            {
                "id": plan_id,
                "at": at,
                "run": run_id,
                "state": state,
                "status": "open",
                "scope": dumps(scope),
                "body": dumps(body),
            }
        ],
    )


def plan(connection: Connection, plan_id: str) -> Row | None:
    """A kept plan."""
    row = connection.execute(select(PLAN).where(PLAN.c.id == plan_id)).first()
    if row is None:
        return None
    found = dict(row._mapping)
    found["scope"] = loads(found["scope"])
    found["body"] = loads(found["body"])
    return found


def plans(connection: Connection, status: str = "open", limit: int = 20) -> list[Row]:
    """Kept plans, newest first, without their writes."""
    statement = (
        select(PLAN.c.id, PLAN.c.at, PLAN.c.run, PLAN.c.status)
        .where(PLAN.c.status == status)
        .order_by(PLAN.c.at.desc())
    )
    return [dict(row._mapping) for row in connection.execute(statement.limit(limit))]


def set_plan(connection: Connection, plan_id: str, status: str) -> None:
    """Change a plan's status."""
    connection.execute(update(PLAN).where(PLAN.c.id == plan_id).values(status=status))


_WHOLE = CURSOR.c.part == ""
_OF_RESOURCE = (CURSOR.c.system == bindparam("system"), CURSOR.c.entity == bindparam("entity"))
_CURSOR = select(CURSOR).where(*_OF_RESOURCE, _WHOLE)


def cursor(connection: Connection, system: str, entity: str) -> Row | None:
    """How far a resource has been read; of one that is read in parts, what holds for all of them."""
    row = connection.execute(_CURSOR, {"system": system, "entity": entity}).first()
    return dict(row._mapping) if row else None


_CURSORS_OF = select(CURSOR).where(CURSOR.c.entity == bindparam("entity"))


def cursors_of(connection: Connection, entity: str) -> dict[tuple[str, str], Row]:
    """(system, part) → how far it has been read, of one entity."""
    rows = connection.execute(_CURSORS_OF, {"entity": entity})
    return {(row.system, row.part): dict(row._mapping) for row in rows}


def cursors(connection: Connection) -> list[Row]:
    """How far everything has been read, as ``cursor`` has it."""
    return [dict(row._mapping) for row in connection.execute(select(CURSOR).where(_WHOLE))]


def set_cursor(connection: Connection, system: str, entity: str, part: str = "", **changes: Any) -> None:
    """Move a cursor (any of value, lens, listed_at, observed_at, approved, joint, listed)."""
    row = {"system": system, "entity": entity, "part": part, **changes}
    upsert(connection, CURSOR, [row], ("system", "entity", "part"))


_REWIND = (  # a parameter of an update must not have the name of a column
    update(CURSOR)
    .where(CURSOR.c.system == bindparam("b_system"), CURSOR.c.entity == bindparam("b_entity"))
    .values(value=None)
)


def rewind(connection: Connection, system: str, entity: str) -> None:
    """Read everything of a resource once more."""
    connection.execute(_REWIND, {"b_system": system, "b_entity": entity})


_SETTING = select(SETTING.c.value).where(SETTING.c.name == bindparam("name"))


def setting(connection: Connection, name: str) -> str | None:
    """A small fact."""
    return connection.execute(_SETTING, {"name": name}).scalar()


_SETTINGS = select(SETTING.c.name, SETTING.c.value).where(among(SETTING.c.name, "names"))


def settings(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Several small facts at once; those that are not known are missing."""
    return {row[0]: row[1] for row in connection.execute(_SETTINGS, {"names": names})}


def set_setting(connection: Connection, name: str, value: str) -> None:
    """Remember a small fact."""
    upsert(connection, SETTING, [{"name": name, "value": value}], ("name",))


_LEASE = select(LEASE).where(LEASE.c.name == bindparam("name")).with_for_update()
_TAKE = (
    update(LEASE)
    .where(LEASE.c.name == bindparam("b_name"))
    .values({name: bindparam(f"b_{name}") for name in ("owner", "fence", "expires")})
)


_CLOCK = text("SELECT clock_timestamp()")


def lease_clock(connection: Connection, own: datetime) -> datetime:
    """The time by which leases run: the database's where hosts share it, for theirs differ; else our ``own``."""
    if connection.dialect.name != "postgresql":
        return own
    found: datetime = connection.execute(_CLOCK).scalar_one()
    return found


class Lease(NamedTuple):
    """The right to work on something, until it expires or somebody with a higher fence takes it."""

    name: str
    owner: str
    fence: int


def take_lease(
    connection: Connection,
    name: str,
    owner: str,
    own: datetime,
    seconds: float,
    dead: Callable[[str], bool] = lambda owner: False,
) -> Lease:
    """Take a lease that is free or expired, or whose holder (``process/run``) is dead, for so many seconds.

    ``own``: the time, see ``lease_clock``. Raises Unavailable, saying until when it is held, when it is none of these.
    """
    # The row is made first, so that two who come for the very first lease wait for each other instead of failing.
    insert_new_rows(connection, LEASE, ("name", "owner", "fence", "expires"), [(name, "", 0, "")])
    row = connection.execute(_LEASE, {"name": name}).one()
    at = lease_clock(connection, own)
    now = instant(at)
    if row.expires > now and row.owner != owner and not dead(row.owner):
        raise Unavailable(
            f"another pass is at work on {name.removeprefix('entity:')} until {row.expires} at the latest",
            where="store",
            cure="wait for it to end; after a crash on another machine its lease runs out by itself",
        )
    expires = instant(at + timedelta(seconds=seconds))
    if row.expires:
        _never_ended(connection, row.owner.rpartition("/")[2], now)
    taken = {"b_name": name, "b_owner": owner, "b_fence": row.fence + 1, "b_expires": expires}
    connection.execute(_TAKE, taken)
    return Lease(name, owner, row.fence + 1)


def take_away(connection: Connection, own: datetime, dead: Callable[[str], bool]) -> list[str]:
    """Take all leases away that nobody holds any more and nobody gave back; returns who held them. Of several who ask,
    one gets the answer. ``own``: the time, see ``lease_clock``."""
    now = instant(lease_clock(connection, own))
    held = connection.execute(select(LEASE.c.name, LEASE.c.owner, LEASE.c.expires).where(LEASE.c.expires != "")).all()
    left: dict[str, None] = {}
    for name in sorted(row.name for row in held if row.expires <= now or dead(row.owner)):
        row = connection.execute(_LEASE, {"name": name}).one()
        if row.expires and (row.expires <= now or dead(row.owner)):  # not taken or given back meanwhile
            retire_lease(connection, row, now)
            left[row.owner] = None
    return list(left)


def retire_lease(connection: Connection, row: Any, now: str) -> None:
    """Take a lease (its ``row``) from whom it was left by, and give it to nobody."""
    _never_ended(connection, row.owner.rpartition("/")[2], now)
    taken = {"b_name": row.name, "b_owner": row.owner, "b_fence": row.fence + 1, "b_expires": ""}
    connection.execute(_TAKE, taken)


def holders(connection: Connection, names: Sequence[str], own: datetime) -> list[str]:
    """Who holds these leases at present. ``own``: the time, see ``lease_clock``."""
    now = instant(lease_clock(connection, own))
    statement = select(LEASE.c.owner).where(LEASE.c.name.in_(names), LEASE.c.expires > now)
    return [row[0] for row in connection.execute(statement)]


def _never_ended(connection: Connection, run_id: str, at: str) -> None:
    """A run whose lease was not given back: its process died, or it lost the lease to this one."""
    ended = {"finished": at, "state": "failed", "message": "it ended in mid-work; the next pass went on from there"}
    connection.execute(update(RUN).where(RUN.c.id == run_id, RUN.c.state == "running").values(**ended))


_OURS = update(LEASE).where(LEASE.c.name == bindparam("b_name"), LEASE.c.fence == bindparam("b_fence"))
_FREE = _OURS.values(expires="")
_HELD = _OURS.where(LEASE.c.expires != "")  # one given back must not come to life again
_HOLD = _HELD.values(expires=bindparam("b_expires"))
# In the statement itself: asking for the database's time first would be another way there and back for every step.
_HOLD_BY_DATABASE = _HELD.values(
    expires=func.to_char(
        func.timezone("UTC", func.clock_timestamp()) + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("b_seconds")),
        'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"',
    )
)


def extend_lease(connection: Connection, lease: Lease, own: datetime, seconds: float) -> bool:
    """Hold a lease for so many seconds from now (``own``, see ``lease_clock``); False: it is not ours any more."""
    ours: dict[str, Any] = {"b_name": lease.name, "b_fence": lease.fence}
    if connection.dialect.name == "postgresql":
        done = connection.execute(_HOLD_BY_DATABASE, {**ours, "b_seconds": float(seconds)})
    else:
        done = connection.execute(_HOLD, {**ours, "b_expires": instant(own + timedelta(seconds=seconds))})
    return done.rowcount == 1


def renew_lease(connection: Connection, lease: Lease, own: datetime, seconds: float) -> None:
    """Go on working; in the same transaction as the work itself. Raises Unavailable when somebody took over."""
    if not extend_lease(connection, lease, own, seconds):
        raise Unavailable(
            f"another pass took over {lease.name.removeprefix('entity:')} meanwhile; nothing was stored",
            where="store",
            cure="nothing to do: the other pass goes on from here",
        )


def free_lease(connection: Connection, lease: Lease) -> None:
    """Let go of a lease."""
    connection.execute(_FREE, {"b_name": lease.name, "b_fence": lease.fence})
