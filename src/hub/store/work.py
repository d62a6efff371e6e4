"""What is unfinished: conflicts, dead letters, observations that wait. Intents have a file of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hub.store.among import among
from hub.store.codec import dumps, loads, loads_remote
from hub.store.database import upsert
from hub.store.rows import Row, rows_of
from hub.store.tables import ConflictRow, LetterRow, WaitingRow

CONFLICT = ConflictRow.__table__  # type: ignore[attr-defined]
LETTER = LetterRow.__table__  # type: ignore[attr-defined]
WAITING = WaitingRow.__table__  # type: ignore[attr-defined]


# conflicts ----------------------------------------------------------------------------------------------------------


_OPEN_CONFLICTS = select(CONFLICT).where(among(CONFLICT.c.hub_id, "ids"), CONFLICT.c.status == "open")


def open_conflicts(connection: Connection, hub_ids: Iterable[str]) -> dict[str, list[Row]]:
    """Hub id → its open conflicts, values decoded."""
    ids = list(hub_ids)
    if not ids:
        return {}
    found: dict[str, list[Row]] = {}
    for row in rows_of(connection, _OPEN_CONFLICTS, {"ids": ids}):
        found.setdefault(row["hub_id"], []).append(_decoded(row))
    return found


def _decoded(row: Row) -> Row:
    for name in ("base", "theirs", "ours"):
        row[name] = loads(row[name]) if row[name] else None
    return row


def conflicts(connection: Connection, status: str = "open") -> list[Row]:
    """All conflicts in this status, oldest first."""
    statement = select(CONFLICT).where(CONFLICT.c.status == status).order_by(CONFLICT.c.id)
    return [_decoded(row) for row in rows_of(connection, statement)]


def conflict(connection: Connection, conflict_id: int) -> Row | None:
    """One conflict."""
    rows = rows_of(connection, select(CONFLICT).where(CONFLICT.c.id == conflict_id))
    return _decoded(rows[0]) if rows else None


def add_conflict(connection: Connection, row: Row) -> None:
    """Open a conflict; the three values are canonical."""
    row = {**row, **{name: dumps(row[name]) for name in ("base", "theirs", "ours")}}
    connection.execute(insert(CONFLICT), [row])


def change_conflict(connection: Connection, conflict_id: int, **changes: Any) -> None:
    """Update a conflict's values or close it."""
    for name in ("base", "theirs", "ours"):
        if name in changes:
            changes[name] = dumps(changes[name])
    connection.execute(update(CONFLICT).where(CONFLICT.c.id == conflict_id).values(**changes))


def close_conflicts(connection: Connection, hub_ids: Iterable[str], path: str, *, at: str, why: str) -> None:
    """Nobody has to decide these any more."""
    ids = list(hub_ids)
    if ids:
        connection.execute(
            update(CONFLICT)
            .where(CONFLICT.c.hub_id.in_(ids), CONFLICT.c.path == path, CONFLICT.c.status == "open")
            .values(status="converged", resolved_at=at, resolution=why)
        )


_CONFLICT_COUNT = select(func.count()).where(CONFLICT.c.status == "open")
_LETTER_COUNT = select(func.count()).where(LETTER.c.status == "open")


def count_open(connection: Connection) -> tuple[int, int]:
    """(open conflicts, open letters)."""
    return connection.execute(_CONFLICT_COUNT).scalar_one(), connection.execute(_LETTER_COUNT).scalar_one()


# dead letters ---------------------------------------------------------------------------------------------------------


_SAME = {
    name: select(LETTER.c.stage, LETTER.c[name], LETTER.c.id).where(
        LETTER.c.status.in_(("open", "replay")),
        LETTER.c.system == bindparam("system"),
        LETTER.c.entity == bindparam("entity"),
        among(LETTER.c[name], "ids"),
    )
    for name in ("hub_id", "remote_id")
}
_ONCE_MORE = (
    update(LETTER)
    .where(LETTER.c.id == bindparam("there"))
    .values(
        attempts=LETTER.c.attempts + 1,
        status="open",
        **{n: bindparam(n) for n in ("hub_id", "remote_id", "field", "error", "message", "cure", "payload", "mark")},
        last_at=bindparam("last_at"),
    )
)


def put_letters(connection: Connection, system: str, entity: str, rows: Sequence[Row]) -> None:
    """Write dead letters, no two of them for the same record and stage; or count one more attempt on those that are
    there for the same record and stage already."""
    there: dict[tuple[str, str, str], int] = {}
    keys = [("hub_id" if row["hub_id"] else "remote_id", row) for row in rows]
    for name in {name for name, _ in keys}:
        of = {"system": system, "entity": entity, "ids": [row[name] for by, row in keys if by == name]}
        there |= {(name, stage, own): id for stage, own, id in connection.execute(_SAME[name], of)}
    found = [(there.get((name, row["stage"], row[name])), row) for name, row in keys]
    if new := [row for id, row in found if id is None]:
        connection.execute(insert(LETTER), new)
    if again := [{**row, "there": id} for id, row in found if id is not None]:
        connection.execute(_ONCE_MORE, again)


def letters(connection: Connection, statuses: Sequence[str] = ("open",)) -> list[Row]:
    """Dead letters, oldest first."""
    return rows_of(connection, select(LETTER).where(LETTER.c.status.in_(statuses)).order_by(LETTER.c.id))


def letter(connection: Connection, letter_id: int) -> Row | None:
    """One dead letter."""
    rows = rows_of(connection, select(LETTER).where(LETTER.c.id == letter_id))
    return rows[0] if rows else None


_LETTERS_OF = select(LETTER).where(among(LETTER.c.hub_id, "ids"))


def letters_of(connection: Connection, hub_ids: Iterable[str]) -> dict[str, dict[str, Row]]:
    """Hub id → system → its open letter."""
    ids = list(hub_ids)
    if not ids:
        return {}
    found: dict[str, dict[str, Row]] = {}
    rows = rows_of(connection, _LETTERS_OF, {"ids": ids})
    # The newest speaks for them all; but a doubt outlasts whatever came after it.
    for row in sorted(rows, key=lambda row: (row["stage"] == "doubt", row["id"])):
        # Asked here and not there: the database would go through all open letters instead of these records'.
        if row["status"] in ("open", "discarded"):
            found.setdefault(row["hub_id"], {})[row["system"]] = row
    return found


def set_letter(connection: Connection, letter_id: int, status: str, at: str) -> None:
    """Change a letter's status."""
    connection.execute(update(LETTER).where(LETTER.c.id == letter_id).values(status=status, last_at=at))


def close_letters(
    connection: Connection,
    system: str,
    entity: str,
    *,
    at: str,
    stage: str | None = None,
    hub_ids: Iterable[str] = (),
    remote_ids: Iterable[str] = (),
) -> None:
    """What these letters were about has succeeded since."""
    for column, ids in ((LETTER.c.hub_id, list(hub_ids)), (LETTER.c.remote_id, list(remote_ids))):
        if ids:
            of = {"of_system": system, "of_entity": entity, "ids": ids, "at": at}
            connection.execute(_closing(column, staged=stage is not None), of | ({"of_stage": stage} if stage else {}))


@cache
def _closing(column: Any, *, staged: bool) -> Any:
    conditions = [
        LETTER.c.status.in_(("open", "replay")),
        LETTER.c.system == bindparam("of_system"),
        LETTER.c.entity == bindparam("of_entity"),
        among(column, "ids"),
    ]
    if staged:
        conditions.append(LETTER.c.stage == bindparam("of_stage"))
    return update(LETTER).where(*conditions).values(status="done", last_at=bindparam("at"))


_REPLAYED = select(LETTER.c.id).where(LETTER.c.status == "replay", LETTER.c.stage.not_in(("observe", "follow_up")))
_ANY_REPLAYED = _REPLAYED.limit(1)
_FOLLOW_UPS = select(LETTER).where(
    LETTER.c.status == "replay",
    LETTER.c.system == bindparam("system"),
    LETTER.c.entity == bindparam("entity"),
    LETTER.c.stage == "follow_up",
)


def replayed_follow_ups(connection: Connection, system: str, entity: str) -> list[Row]:
    """Letters about records that were written and not taken further, which somebody asked to be tried again."""
    return rows_of(connection, _FOLLOW_UPS, {"system": system, "entity": entity})


def close_replayed(connection: Connection, hub_ids: Iterable[str], *, at: str) -> None:
    """Somebody asked for these records' letters to be tried again, and there is nothing left to write."""
    if connection.execute(_ANY_REPLAYED).first() is None:  # nearly always: one look at a small index
        return
    mine = update(LETTER).where(LETTER.c.id.in_(_REPLAYED), among(LETTER.c.hub_id, "ids"))
    connection.execute(mine.values(status="done", last_at=at), {"ids": list(hub_ids)})


# waiting observations -------------------------------------------------------------------------------------------------


def put_waiting(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep observations for a later pass; ``remote`` and ``detail`` are JSON already."""
    if rows:
        upsert(connection, WAITING, list(rows), ("system", "entity", "remote_id"))


_WAITING_ALL = select(WAITING).order_by(WAITING.c.since)
_OF_SYSTEM, _OF_ENTITY = WAITING.c.system == bindparam("system"), WAITING.c.entity == bindparam("entity")
_WAITING = {
    (False, False): _WAITING_ALL,
    (True, False): _WAITING_ALL.where(_OF_SYSTEM),
    (False, True): _WAITING_ALL.where(_OF_ENTITY),
    (True, True): _WAITING_ALL.where(_OF_SYSTEM, _OF_ENTITY),
}
_WAITING_IDS = select(WAITING.c.remote_id).where(_OF_SYSTEM, _OF_ENTITY)


def waiting(connection: Connection, system: str | None = None, entity: str | None = None) -> list[Row]:
    """Observations that wait, oldest first."""
    rows = rows_of(connection, _WAITING[system is not None, entity is not None], {"system": system, "entity": entity})
    for row in rows:
        row["remote"] = loads_remote(row["remote"])
        row["detail"] = loads(row["detail"])
    return rows


def waiting_ids(connection: Connection, system: str, entity: str) -> set[str]:
    """Remote ids that wait."""
    return {row[0] for row in connection.execute(_WAITING_IDS, {"system": system, "entity": entity})}


_WAITS = select(WAITING.c.remote_id).where(
    WAITING.c.system == bindparam("system"), WAITING.c.entity == bindparam("entity"), among(WAITING.c.remote_id, "ids")
)
_UNREAD = select(LETTER.c.remote_id).where(
    LETTER.c.status.in_(("open", "replay")),
    LETTER.c.system == bindparam("system"),
    LETTER.c.entity == bindparam("entity"),
    LETTER.c.stage == "observe",
    among(LETTER.c.remote_id, "ids"),
)


_UNLINKED = select(LETTER.c.remote_id, LETTER.c.payload).where(
    LETTER.c.status.in_(("open", "replay")),
    LETTER.c.system == bindparam("system"),
    LETTER.c.entity == bindparam("entity"),
    LETTER.c.stage == "observe",
    LETTER.c.hub_id == "",
)


def unread(connection: Connection, system: str, entity: str) -> dict[str, Any]:
    """Remote id → what was seen, of the records that could not be read and belong to nothing."""
    rows = connection.execute(_UNLINKED, {"system": system, "entity": entity})
    return {row[0]: loads_remote(row[1]) for row in rows}


def pending(connection: Connection, system: str, entity: str, remote_ids: Iterable[str]) -> set[str]:
    """Which of these remote records wait, or have a letter because they could not be read."""
    ids = list(remote_ids)
    if not ids:
        return set()
    of = {"system": system, "entity": entity, "ids": ids}
    return {row[0] for statement in (_WAITS, _UNREAD) for row in connection.execute(statement, of)}


def drop_waiting(connection: Connection, system: str, entity: str, remote_ids: Iterable[str]) -> None:
    """These were taken in."""
    ids = list(remote_ids)
    if ids:
        connection.execute(
            delete(WAITING).where(
                WAITING.c.system == system, WAITING.c.entity == entity, among(WAITING.c.remote_id, "ids")
            ),
            {"ids": ids},
        )
