"""Taking away what is older than the history that is kept: journal, runs, letters, conflicts, plans. In small steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, or_, select, update

from hub.store import runs
from hub.store.among import among
from hub.store.codec import dumps, loads
from hub.store.history import CONFLICT, LETTER
from hub.store.journal import JOURNAL, Logged, of_ids
from hub.store.runs import PLAN, RUN
from hub.store.shadows import SEEN

PRUNED = "history"
"""Setting: how far the history was pruned."""
_PRUNABLE = or_(
    JOURNAL.c.kind.in_(("observed", "resolved", "pruned")),
    and_(JOURNAL.c.kind == "written", JOURNAL.c.detail.like('%"action":"update"%')),
)


class Horizon(NamedTuple):
    """How far back the history is whole."""

    to: int = 0
    """Entries of the journal up to this id have been gone through."""
    before: str = ""
    """What happened before this moment is not told in full; empty: everything is there."""
    on: str = ""
    """When the last of it was taken away."""
    removed: int = 0
    """Entries taken away so far."""

    def told(self) -> str:
        """In words, after a colon or in brackets."""
        return f"older than the history kept (pruned on {self.on[:10]}; it goes back to {self.before[:10]})"


def horizon(connection: Connection) -> Horizon:
    """How far the history was pruned."""
    text = runs.setting(connection, PRUNED)
    return Horizon(**loads(text)) if text else Horizon()


def set_horizon(connection: Connection, moved: Horizon) -> None:
    """Note how far the history was pruned; in the transaction that prunes."""
    runs.set_setting(connection, PRUNED, dumps(moved._asdict()))


def newest_id(connection: Connection) -> int:
    """Id of the journal's last entry; 0 when it is empty."""
    return int(connection.execute(select(func.max(JOURNAL.c.id))).scalar() or 0)


def last_before(connection: Connection, moment: str) -> int:
    """Id of the last entry that was written before a moment (ISO 8601, UTC); 0 when there is none.

    Entries stand in the order in which they were written, near enough: it is looked for by halving, not by reading.
    """
    low, high = 0, newest_id(connection)
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute(
            select(JOURNAL.c.id, JOURNAL.c.at).where(JOURNAL.c.id >= middle).order_by(JOURNAL.c.id).limit(1)
        ).first()
        if row is not None and row.at < moment:
            low = min(row.id, high)
        else:
            high = middle - 1
    return low


def older(connection: Connection, after: int, to: int, limit: int) -> tuple[list[str], int]:
    """(hub ids of records with entries that might go among the next ones after an id, up to which id that was)."""
    statement = (
        select(JOURNAL.c.id, JOURNAL.c.hub_id)
        .where(JOURNAL.c.id > after, JOURNAL.c.id <= to, _PRUNABLE)
        .order_by(JOURNAL.c.id)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    return list(dict.fromkeys(row.hub_id for row in rows)), rows[-1].id if len(rows) == limit else to


def histories(connection: Connection, hub_ids: Sequence[str], to: int) -> dict[str, list[Logged]]:
    """Hub id → its entries up to an id, oldest first."""
    return {key: [e for e in found if e.id <= to] for key, found in of_ids(connection, hub_ids).items()}


_REPLACE = (
    update(JOURNAL)
    .where(JOURNAL.c.id == bindparam("b_id"))
    .values(kind=bindparam("b_kind"), system="", remote_id=None, detail=bindparam("b_detail"))
)


def rewrite(connection: Connection, gone: Sequence[int], instead: Iterable[Logged]) -> None:
    """Take entries away, and put others in their places."""
    if gone:
        connection.execute(delete(JOURNAL).where(among(JOURNAL.c.id, "ids", numbers=True)), {"ids": gone})
    rows = [{"b_id": e.id, "b_kind": e.kind, "b_detail": dumps(e.detail)} for e in instead]
    if rows:
        connection.execute(_REPLACE, rows)


def runs_that_wrote(connection: Connection, wanted: int) -> list[tuple[str, int]]:
    """(run, where it begins in the journal) of the newest runs that wrote anything or joined two records, newest first;
    those under way count."""
    found: list[tuple[str, int]] = []
    rows = connection.execute(
        select(RUN.c.id, RUN.c.kind, RUN.c.report, RUN.c.journal_from).order_by(RUN.c.started.desc(), RUN.c.id.desc())
    )
    for row in rows.yield_per(100):
        if len(found) >= wanted:
            break
        if row.kind in ("undo", "merge") or row.report is None or _wrote(loads(row.report)):
            found.append((row.id, row.journal_from))
    rows.close()
    return found


def _wrote(report: dict[str, Any]) -> bool:
    verbs = ("created", "updated", "deleted", "archived")
    return any(count.get(verb) for count in report.get("counts", ()) for verb in verbs)


def old_runs(connection: Connection, before: str, kept: Sequence[str], shown: int) -> list[str]:
    """Runs that ended before a moment, without those that are kept and the last ones that ``hub status`` shows."""
    last = select(RUN.c.id).order_by(RUN.c.started.desc(), RUN.c.id.desc()).limit(shown)
    statement = select(RUN.c.id).where(RUN.c.started < before, RUN.c.finished.is_not(None), RUN.c.id.not_in(last))
    return sorted({row[0] for row in connection.execute(statement)} - set(kept))


def runs_from_before(connection: Connection, to: int, kept: Sequence[str]) -> list[str]:
    """Runs that began before an entry, and whose own entries may therefore be pruned."""
    statement = select(RUN.c.id).where(RUN.c.journal_from < to)
    return sorted({row[0] for row in connection.execute(statement)} - set(kept))


def at(connection: Connection, entry: int) -> str | None:
    """When an entry was written; of one that is gone, the one before it. None when there is none."""
    statement = select(JOURNAL.c.at).where(JOURNAL.c.id <= entry).order_by(JOURNAL.c.id.desc()).limit(1)
    return connection.execute(statement).scalar()


def running(connection: Connection, kind: str, since: str) -> str | None:
    """A run of this kind that is under way and began after a moment."""
    statement = select(RUN.c.id).where(RUN.c.kind == kind, RUN.c.finished.is_(None), RUN.c.started >= since)
    return connection.execute(statement.limit(1)).scalar()


_NEWEST_OPEN = select(func.max(PLAN.c.at)).where(PLAN.c.status == "open").scalar_subquery()
_OVER: dict[str, tuple[Table, Any, Any]] = {
    "letters": (LETTER, LETTER.c.id, and_(LETTER.c.status == "done", LETTER.c.last_at < bindparam("before"))),
    "conflicts": (
        CONFLICT,
        CONFLICT.c.id,
        and_(CONFLICT.c.status != "open", CONFLICT.c.resolved_at < bindparam("before")),
    ),
    # An open one that old is stale, or could be made again; the newest is what somebody may be looking at.
    "plans": (
        PLAN,
        PLAN.c.id,
        and_(PLAN.c.at < bindparam("before"), or_(PLAN.c.status != "open", PLAN.c.at < _NEWEST_OPEN)),
    ),
}
OVER = tuple(_OVER)
"""What else is over: letters that were settled, conflicts that were decided, plans."""


def count_over(connection: Connection, what: str, before: str) -> int:
    """How many of them are older than a moment."""
    table, _, condition = _OVER[what]
    statement = select(func.count()).select_from(table).where(condition)
    return int(connection.execute(statement, {"before": before}).scalar_one())


def drop_over(connection: Connection, what: str, before: str, limit: int) -> int:
    """Take some of them away; returns how many."""
    table, key, condition = _OVER[what]
    some = select(key).where(condition).limit(limit)
    return connection.execute(delete(table).where(key.in_(some)), {"before": before}).rowcount


def drop_runs(connection: Connection, ids: Sequence[str]) -> None:
    """Forget runs."""
    connection.execute(delete(RUN).where(among(RUN.c.id, "ids")), {"ids": ids})


def count_seen(connection: Connection) -> int:
    """How many ids listings have shown."""
    return int(connection.execute(select(func.count()).select_from(SEEN)).scalar_one())


def drop_seen(connection: Connection, entity: str, limit: int) -> int:
    """Forget some of the ids that an ended listing has shown; returns how many. Only for who holds the entity."""
    some = select(SEEN.c.system, SEEN.c.remote_id).where(SEEN.c.entity == entity).limit(limit)
    rows = connection.execute(some).all()
    for system in {row.system for row in rows}:
        ids = [row.remote_id for row in rows if row.system == system]
        mine = and_(SEEN.c.entity == entity, SEEN.c.system == system, among(SEEN.c.remote_id, "ids"))
        connection.execute(delete(SEEN).where(mine), {"ids": ids})
    return len(rows)
