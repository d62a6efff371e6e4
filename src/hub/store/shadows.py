"""Shadows: remote records as last seen, linked with canonical records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, text, update

from hub.store.among import among
from hub.store.bulk import insert_new_rows, insert_rows, upsert_rows
from hub.store.codec import dumps, encoded, loads, loads_remote
from hub.store.tables import SeenRow, ShadowRow

SHADOW = ShadowRow.__table__  # type: ignore[attr-defined]
SEEN = SeenRow.__table__  # type: ignore[attr-defined]
LIVE = (None, "archived")
"""Values of ``gone`` of records that still are in their system. ``them``: deleted there, ``hub``: deleted by us."""
THERE = (*LIVE, "merged")
"""… and of one that is there too, but left alone, because its system has the same record twice."""
_IS_LIVE = or_(SHADOW.c.gone.is_(None), SHADOW.c.gone == "archived")


class Known(NamedTuple):
    """The little that is needed to see whether a sighting is news."""

    hub_id: str
    hash: int
    version: str | None
    gone: str | None
    ref: str


class Shadow(NamedTuple):
    """A remote record as last seen."""

    system: str
    entity: str
    remote_id: str
    hub_id: str
    ref: str
    version: str | None
    data: dict[str, Any]
    meant: dict[str, Any]
    modified_at: str | None
    gone: str | None
    hash: int


class ShadowWrite(NamedTuple):
    """A shadow to be stored; ``text`` is the remote record's JSON, ``hash`` its fingerprint."""

    remote_id: str
    hub_id: str
    ref: str
    version: str | None
    hash: int
    text: bytes
    meant: dict[str, Any]
    modified_at: str | None
    gone: str | None = None


_KNOWN = select(
    SHADOW.c.remote_id, SHADOW.c.hub_id, SHADOW.c.hash, SHADOW.c.version, SHADOW.c.gone, SHADOW.c.ref
).where(
    SHADOW.c.system == bindparam("system"),
    SHADOW.c.entity == bindparam("entity"),
    among(SHADOW.c.remote_id, "ids"),
)
_ALL = (
    SHADOW.c.system,
    SHADOW.c.entity,
    SHADOW.c.remote_id,
    SHADOW.c.hub_id,
    SHADOW.c.ref,
    SHADOW.c.version,
    SHADOW.c.data,
    SHADOW.c.meant,
    SHADOW.c.modified_at,
    SHADOW.c.gone,
    SHADOW.c.hash,
)
_BY_REMOTE = select(*_ALL).where(
    SHADOW.c.system == bindparam("system"),
    SHADOW.c.entity == bindparam("entity"),
    among(SHADOW.c.remote_id, "ids"),
)
_BY_HUB = select(*_ALL).where(among(SHADOW.c.hub_id, "ids"))
_BY_HUB_IN = _BY_HUB.where(among(SHADOW.c.system, "systems"))


def _shadow(row: Any) -> Shadow:
    return Shadow(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        loads_remote(row[6]),
        loads(row[7]) if row[7] else {},
        row[8],
        row[9],
        row[10],
    )


def known(connection: Connection, system: str, entity: str, remote_ids: Iterable[str]) -> dict[str, Known]:
    """What is known of these remote ids, without their contents."""
    rows = connection.execute(_KNOWN, {"system": system, "entity": entity, "ids": remote_ids})
    return {row[0]: Known(row[1], row[2], row[3], row[4], row[5]) for row in rows.all()}


def by_remote(connection: Connection, system: str, entity: str, remote_ids: Iterable[str]) -> dict[str, Shadow]:
    """Shadows by remote id."""
    ids = list(remote_ids)
    if not ids:
        return {}
    rows = connection.execute(_BY_REMOTE, {"system": system, "entity": entity, "ids": ids})
    return {row[2]: _shadow(row) for row in rows.all()}


def by_hub(
    connection: Connection, hub_ids: Iterable[str], systems: Iterable[str] | None = None
) -> dict[str, dict[str, Shadow]]:
    """Hub id → system → shadow, of all systems or of these. A live shadow hides one of a record that is gone."""
    ids = list(hub_ids)
    found: dict[str, dict[str, Shadow]] = {}
    if not ids:
        return found
    if systems is None:
        rows = connection.execute(_BY_HUB, {"ids": ids})
    else:
        rows = connection.execute(_BY_HUB_IN, {"ids": ids, "systems": systems})
    for row in rows.all():
        shadow = _shadow(row)
        own = found.setdefault(shadow.hub_id, {})
        other = own.get(shadow.system)
        if other is None or other.gone not in LIVE:
            own[shadow.system] = shadow
    return found


def all_of(connection: Connection, hub_ids: Iterable[str]) -> dict[str, list[Shadow]]:
    """Hub id → every remote record it is or was linked with."""
    found: dict[str, list[Shadow]] = {}
    for row in connection.execute(_BY_HUB, {"ids": list(hub_ids)}).all():
        shadow = _shadow(row)
        found.setdefault(shadow.hub_id, []).append(shadow)
    return found


_LINKS = select(SHADOW.c.hub_id, SHADOW.c.ref).where(
    among(SHADOW.c.hub_id, "ids"), SHADOW.c.system == bindparam("system"), _IS_LIVE
)


def links(connection: Connection, hub_ids: Iterable[str], system: str) -> dict[str, str]:
    """Hub id → reference key in ``system``, of live records."""
    ids = set(hub_ids)
    if not ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_LINKS, {"ids": ids, "system": system}).all()}


_REFS = select(SHADOW.c.ref, SHADOW.c.hub_id, SHADOW.c.gone).where(
    SHADOW.c.system == bindparam("system"), SHADOW.c.entity == bindparam("entity")
)
_REFS_BY_ID = _REFS.where(among(SHADOW.c.remote_id, "refs"), SHADOW.c.ref == SHADOW.c.remote_id)
_REFS_OF_OWN = _REFS.where(among(SHADOW.c.ref, "refs"), text("ref <> remote_id"))
"""In the words of the index ``ix_shadow_ref``, which holds only these."""


def hub_ids_of(connection: Connection, system: str, entity: str, refs: Iterable[str]) -> dict[str, str]:
    """Reference key in ``system`` → hub id, of deleted records too: who is meant does not change by a deletion."""
    wanted = list(refs)
    if not wanted:
        return {}
    of = {"system": system, "entity": entity, "refs": wanted}
    rows = [row for statement in (_REFS_BY_ID, _REFS_OF_OWN) for row in connection.execute(statement, of)]
    # Where a reference was given to a second record, the live one counts.
    return {row[0]: row[1] for row in sorted(rows, key=lambda row: row[2] in LIVE)}


_SHADOW = ("system", "entity", "remote_id", "hub_id", "ref", "version", "hash", "data", "meant", "modified_at", "gone")


_JSON = frozenset({"data", "meant"})


def store(
    connection: Connection, system: str, entity: str, writes: Sequence[ShadowWrite], *, new: bool = False
) -> None:
    """Store shadows. ``new``: none of them is there yet, which spares the database a look."""
    rows = [
        (
            system,
            entity,
            w.remote_id,
            w.hub_id,
            w.ref,
            w.version,
            w.hash,
            w.text,
            encoded(w.meant) if w.meant else None,
            w.modified_at,
            w.gone,
        )
        for w in writes
    ]
    if new:
        insert_rows(connection, SHADOW, _SHADOW, rows, _JSON)
    else:
        upsert_rows(connection, SHADOW, _SHADOW, ("system", "entity", "remote_id"), rows, _JSON)


_KEY = and_(
    SHADOW.c.system == bindparam("b_system"),
    SHADOW.c.entity == bindparam("b_entity"),
    SHADOW.c.remote_id == bindparam("b_id"),
)
_VERSION = update(SHADOW).where(_KEY).values(version=bindparam("b_version"), ref=bindparam("b_ref"))
_GONE = update(SHADOW).where(_KEY).values(gone=bindparam("b_gone"))


def set_versions(connection: Connection, system: str, entity: str, versions: dict[str, tuple[str | None, str]]) -> None:
    """Records were touched without a change we care for: only (version, ref) move."""
    rows = [
        {"b_system": system, "b_entity": entity, "b_id": key, "b_version": version, "b_ref": ref}
        for key, (version, ref) in versions.items()
    ]
    if rows:
        connection.execute(_VERSION, rows)


def set_gone(connection: Connection, system: str, entity: str, remote_ids: Iterable[str], gone: str | None) -> None:
    """Mark remote records as deleted, by ``them`` or by the ``hub`` (None: live again)."""
    rows = [{"b_system": system, "b_entity": entity, "b_id": key, "b_gone": gone} for key in remote_ids]
    if rows:
        connection.execute(_GONE, rows)


def relink(connection: Connection, shadow: Shadow, hub_id: str, gone: str | None) -> None:
    """Link a remote record with another canonical one."""
    key = {"b_system": shadow.system, "b_entity": shadow.entity, "b_id": shadow.remote_id}
    connection.execute(update(SHADOW).where(_KEY).values(hub_id=hub_id, gone=gone), key)


def revive(connection: Connection, hub_ids: Iterable[str]) -> None:
    """These canonical records are back: what was deleted anywhere is to be made again, what we archived is live."""
    ids = list(hub_ids)
    if ids:
        for old, new in (("them", "hub"), ("archived", None)):
            connection.execute(
                update(SHADOW).where(among(SHADOW.c.hub_id, "ids"), SHADOW.c.gone == old).values(gone=new), {"ids": ids}
            )


def unlisted(connection: Connection, system: str, entity: str, remote_ids: Iterable[str]) -> list[str]:
    """Which of these ids the complete listing did not show."""
    ids = set(remote_ids)
    if not ids:
        return []
    statement = select(SEEN.c.remote_id).where(
        SEEN.c.system == system, SEEN.c.entity == entity, among(SEEN.c.remote_id, "ids")
    )
    return sorted(ids - {row[0] for row in connection.execute(statement, {"ids": ids})})


def set_meant(connection: Connection, shadow: Shadow, meant: dict[str, Any]) -> None:
    """Change what we meant with a remote record."""
    connection.execute(
        update(SHADOW)
        .where(
            SHADOW.c.system == shadow.system, SHADOW.c.entity == shadow.entity, SHADOW.c.remote_id == shadow.remote_id
        )
        .values(meant=dumps(meant) if meant else None)
    )


_OF_RESOURCE = (SHADOW.c.system == bindparam("system"), SHADOW.c.entity == bindparam("entity"))
_COUNT = select(func.count()).where(*_OF_RESOURCE, SHADOW.c.gone.is_(None))
_COUNT_THERE = select(func.count()).where(*_OF_RESOURCE, _IS_LIVE)


def count(connection: Connection, system: str, entity: str) -> int:
    """Live records known of one resource."""
    return int(connection.execute(_COUNT, {"system": system, "entity": entity}).scalar_one())


_SOME = select(SHADOW.c.remote_id).where(*_OF_RESOURCE).limit(1)


def some(connection: Connection, system: str, entity: str) -> bool:
    """Whether anything was ever known of a resource."""
    return connection.execute(_SOME, {"system": system, "entity": entity}).first() is not None


def count_there(connection: Connection, system: str, entity: str) -> int:
    """Records of one resource that a complete listing may show: live and archived ones, as ``unseen`` has them."""
    return int(connection.execute(_COUNT_THERE, {"system": system, "entity": entity}).scalar_one())


def sample(connection: Connection, system: str, entity: str, most: int) -> list[dict[str, Any]]:
    """Some live remote records of one resource, the same ones every time."""
    statement = (
        select(SHADOW.c.data)
        .where(SHADOW.c.system == system, SHADOW.c.entity == entity, SHADOW.c.gone.is_(None))
        .order_by(SHADOW.c.remote_id)
        .limit(most)
    )
    return [loads_remote(row[0]) for row in connection.execute(statement)]


def some_live(connection: Connection, system: str, entity: str, but: Iterable[str], most: int) -> list[str]:
    """Remote ids of a few live records that are none of these."""
    live = select(SHADOW.c.remote_id).where(
        SHADOW.c.system == system, SHADOW.c.entity == entity, SHADOW.c.gone.is_(None)
    )
    without = set(but)
    found = connection.execute(live.limit(most + len(without)))
    return [row[0] for row in found if row[0] not in without][:most]


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """(system, entity) → live records known."""
    statement = (
        select(SHADOW.c.system, SHADOW.c.entity, func.count())
        .where(SHADOW.c.gone.is_(None))
        .group_by(SHADOW.c.system, SHADOW.c.entity)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def learn_statistics(connection: Connection) -> None:
    """Tell PostgreSQL how many shadows of which system there are: while a first listing fills an empty table it knows
    nothing, takes any index for as good as another, and reads everything for each page. SQLite needs no telling."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE shadow"))


_SEEN_OF = (SEEN.c.system == bindparam("system"), SEEN.c.entity == bindparam("entity"))
_FORGET = delete(SEEN).where(*_SEEN_OF)
_FORGET_PART = _FORGET.where(or_(SEEN.c.part == bindparam("part"), SEEN.c.part.not_like(bindparam("others"))))
_PARTS_SEEN = select(SEEN.c.part).where(*_SEEN_OF).distinct()
_LISTED = select(SEEN.c.remote_id).where(
    SEEN.c.system == bindparam("system"), SEEN.c.entity == bindparam("entity"), SEEN.c.remote_id == SHADOW.c.remote_id
)
_UNSEEN = select(SHADOW.c.remote_id, SHADOW.c.hub_id).where(*_OF_RESOURCE, _IS_LIVE, ~_LISTED.exists())


def start_listing(connection: Connection, system: str, entity: str, part: str = "") -> None:
    """Forget what an earlier listing had seen: of this part (``2/4``) and of what are no fourths, or of all."""
    of = {"system": system, "entity": entity}
    if part:
        connection.execute(_FORGET_PART, {**of, "part": part, "others": f"%/{part.partition('/')[2]}"})
    else:
        connection.execute(_FORGET, of)


def seen(connection: Connection, system: str, entity: str, remote_ids: Iterable[str], part: str = "") -> None:
    """The listing under way has shown these ids."""
    rows = [(system, entity, key, part) for key in remote_ids]
    insert_new_rows(connection, SEEN, ("system", "entity", "remote_id", "part"), rows)


def parts_seen(connection: Connection, system: str, entity: str) -> set[str]:
    """The parts whose listing showed anything."""
    return {row[0] for row in connection.execute(_PARTS_SEEN, {"system": system, "entity": entity})}


def unseen(connection: Connection, system: str, entity: str) -> list[tuple[str, str]]:
    """(remote id, hub id) of live records that the complete listing did not show."""
    return [(row[0], row[1]) for row in connection.execute(_UNSEEN, {"system": system, "entity": entity})]
