"""One quota for everybody who uses an account at a vendor: kept in the store, asked for a handful of calls at a time.

With a PostgreSQL store the quota lives in that database, for all hosts. With a SQLite store it lives in a file of its
own beside it (``hub-quota.db``): a pass may hold the store's one write lock for seconds, and nobody's call should wait
for that; and a store put back from a backup must not bring back what a vendor has counted since.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, bindparam, create_engine, delete, func, select, text, update
from sqlalchemy.engine import URL, make_url

from hub.connect.quota import ROLLING, Ask, Grant, Limits, Standing
from hub.connect.quota import Account as Limited
from hub.connect.share import Share
from hub.errors import HubError
from hub.store import sharing
from hub.store.bulk import insert_new_rows
from hub.store.codec import dumps, loads
from hub.store.database import Store, private_file, sqlite_settings, upsert
from hub.store.postgres import postgres_engine
from hub.store.sharing import Account, Holder
from hub.store.tables import QuotaHolderRow, QuotaHourRow, QuotaRow

QUOTA = QuotaRow.__table__  # type: ignore[attr-defined]
HOLDER = QuotaHolderRow.__table__  # type: ignore[attr-defined]
HOUR = QuotaHourRow.__table__  # type: ignore[attr-defined]

TICK = 0.5
"""Seconds between two looks of the keeper."""
HOLD = 10.0
"""Seconds after which rooms of a process that no longer answers are given to others."""
WAIT = 2.0
"""Seconds after which a process that waits and no longer asks is forgotten."""
KEEP_HOURS = 24 * 8
_log = logging.getLogger("hub.quota")
_numbers = itertools.count(1)
_account = QUOTA.select().where(QUOTA.c.owner == bindparam("owner"))
_holders = HOLDER.select().where(HOLDER.c.owner == bindparam("owner"))
_used = select(func.coalesce(func.sum(HOUR.c.units), 0), func.coalesce(func.sum(HOUR.c.calls), 0)).where(
    HOUR.c.owner == bindparam("owner"), HOUR.c.hour >= bindparam("since")
)
_NOW = text("SELECT extract(epoch from clock_timestamp())")


class SharedQuota:
    """Implements ``hub.connect.quota.Quota``. Opens the database when the first call wants to begin.

    ``holder`` names this process so exactly that ``is_dead`` can tell whether another one has ended.
    """

    def __init__(
        self,
        url: str,
        holder: str,
        *,
        is_dead: Callable[[str], bool] = lambda holder: False,
        clock: Callable[[], float] = time.time,
        keep: bool = True,
        urgent: bool = False,
    ) -> None:
        self.urgent = urgent
        self._url = url
        # Two of one process (a pass, and webhooks beside it) are two holders.
        self.holder = f"{holder}/{next(_numbers)}"
        self._is_dead = is_dead
        self._clock = clock
        self._keep = keep
        self._guard = threading.Lock()
        self._shares: dict[tuple[str, str], Share] = {}
        self._known: set[str] = set()
        self._store: Store | None = None
        self._keeper: threading.Thread | None = None
        self._closing = threading.Event()

    # --- what connectors are lent ---------------------------------------------------------------------

    def share(self, account: Limited, system: str) -> Share:
        """See ``Quota.share``. All that use the account in this process get the same."""
        with self._guard:
            key = (account.owner, system)
            same: list[Share] = [share for (owner, _), share in self._shares.items() if owner == account.owner]
            self._shares[key] = (
                same[0] if same else Share(account, self._settle_kept, system=system, urgent=lambda: self.urgent)
            )
            return self._shares[key]

    def standing(self, system: str) -> Standing | None:
        """See ``Quota.standing``; of accounts that this process has not used yet as well."""
        shares = {owner: share for (owner, of), share in self._shares.items() if of == system}
        for share in shares.values():
            share.hand_in()
        with self._opened().read() as connection:
            for row in connection.execute(select(QUOTA)).mappings():
                if row["owner"] in shares or (not shares and system in row["systems"].split(",")):
                    mine = shares.get(row["owner"])
                    limits = mine.account.limits if mine else Limits(**loads(row["limits"]))
                    return self._standing(connection, dict(row), limits, mine.in_hand if mine else 0)
        if not shares:
            return None
        owner, share = next(iter(shares.items()))
        limits = share.account.limits
        return Standing(owner, limits.unit, per_day=limits.per_day, left=limits.per_day)

    def standings(self) -> list[tuple[list[str], Standing]]:
        """See ``Quota.standings``."""
        file = quota_file(make_url(self._url))
        if file is not None and not file.exists():
            return []  # looking must not make it
        with self._opened().read() as connection:
            rows = [dict(row) for row in connection.execute(select(QUOTA).order_by(QUOTA.c.systems)).mappings()]
            return [
                (row["systems"].split(","), self._standing(connection, row, Limits(**loads(row["limits"]))))
                for row in rows
            ]

    def made(self, system: str) -> tuple[int, int] | None:
        """See ``Quota.made``."""
        shares = [share for (_, of), share in self._shares.items() if of == system]
        return (sum(s.made for s in shares), sum(s.spent for s in shares)) if shares else None

    def limited(self, system: str) -> bool:
        """See ``Quota.limited``."""
        return any(share.limited for (_, of), share in self._shares.items() if of == system)

    def room(self, system: str) -> int | None:
        """See ``Quota.room``."""
        standing = self.standing(system) if self.limited(system) else None
        if standing is None:
            return None
        return standing.left if self.urgent else standing.for_bulk

    def close(self) -> None:
        """Give everything back and close the database."""
        self._closing.set()
        keeper = self._keeper
        if keeper is not None:
            keeper.join(5)
        for share in {id(share): share for share in self._shares.values()}.values():
            try:
                share.close()
            except HubError as problem:
                _log.warning("%s: the quota could not be given back: %s", share.system, problem)
        with self._guard:
            self._shares.clear()
            if self._store is not None:
                self._store.close()
                self._store = None

    # --- one question ---------------------------------------------------------------------------------

    def settle(self, owner: str, limits: Limits, ask: Ask) -> Grant:
        """One short transaction. Raises Unavailable (where: store) when the database can't be reached."""
        store = self._opened()
        if owner not in self._known:
            self._introduce(store, owner, limits)
        with store.begin() as connection:
            row = connection.execute(self._locked(_account), {"owner": owner}).mappings().one()
            now = self._now(connection)
            others, me, gone = self._who(connection, owner, now)
            used = self._used(connection, owner, limits, now)
            account = Account(**{name: row[name] for name in Account.__slots__})
            grant, account, me, ahead = sharing.grant(limits, account, others, me, ask, used + ask.units, now)
            self._write(connection, owner, row, account, ask, ask.units + ahead, now)
            self._hold(connection, owner, me, gone, now)
            if grant.left is not None and grant.ahead < ask.cost:
                grant = replace(grant, more_in=self._more_in(connection, owner, limits, now))
        return grant

    def _settle_kept(self, owner: str, limits: Limits, ask: Ask) -> Grant:
        grant = self.settle(owner, limits, ask)
        if self._keep and self._keeper is None and not self._closing.is_set():
            with self._guard:
                if self._keeper is None:
                    self._keeper = threading.Thread(target=self._keeping, name="quota", daemon=True)
                    self._keeper.start()
        return grant

    def _keeping(self) -> None:
        """Renews what is in use and gives back what is not; ends when there has been nothing to do for a while."""
        while not self._closing.wait(TICK):
            with self._guard:
                shares = list({id(share): share for share in self._shares.values()}.values())
            try:
                active = [share.tick() for share in shares]
            except HubError as problem:
                _log.warning("the quota could not be renewed: %s", problem)
                continue
            if not any(active):
                with self._guard:
                    self._keeper = None
                return

    def _locked(self, statement: Any) -> Any:
        return statement.with_for_update() if self._postgres else statement

    def _now(self, connection: Connection) -> float:
        """The database's clock where several hosts share it: theirs differ."""
        return float(connection.execute(_NOW).scalar_one()) if self._postgres else self._clock()

    def _who(self, connection: Connection, owner: str, now: float) -> tuple[list[Holder], Holder, list[str]]:
        others, gone = [], []
        me = Holder(self.holder)
        for row in connection.execute(_holders, {"owner": owner}).mappings():
            holder = Holder(row["name"], bool(row["urgent"]), row["rooms"], row["wants"], row["since"], row["expires"])
            if holder.name == self.holder:
                me = holder
            elif not now < holder.expires <= now + 2 * HOLD or self._is_dead(holder.name):
                # One that expires long from now was written before a clock was set back.
                gone.append(holder.name)
            else:
                others.append(holder)
        return others, me, gone

    def _write(
        self, connection: Connection, owner: str, row: Any, account: Account, ask: Ask, units: int, now: float
    ) -> None:
        changes = {name: value for name in Account.__slots__ if (value := getattr(account, name)) != row[name]}
        if changes:
            connection.execute(update(QUOTA).where(QUOTA.c.owner == owner).values(**changes))
        if not (ask.calls or units):
            return
        hour = int(now // 3600)
        done = connection.execute(
            update(HOUR)
            .where(HOUR.c.owner == owner, HOUR.c.hour == hour)
            .values(calls=HOUR.c.calls + ask.calls, units=HOUR.c.units + units)
        )
        if done.rowcount == 0:
            insert_new_rows(connection, HOUR, ("owner", "hour", "calls", "units"), [(owner, hour, ask.calls, units)])
            connection.execute(delete(HOUR).where(HOUR.c.owner == owner, HOUR.c.hour < hour - KEEP_HOURS))

    def _hold(self, connection: Connection, owner: str, me: Holder, gone: list[str], now: float) -> None:
        if not (me.rooms or me.wants):
            gone = [*gone, me.name]
        if gone:
            connection.execute(delete(HOLDER).where(HOLDER.c.owner == owner, HOLDER.c.name.in_(gone)))
        if me.name in gone:
            return
        kept = {"owner": owner, "name": me.name, "urgent": int(me.urgent), "rooms": me.rooms, "wants": me.wants}
        times = {"since": me.since, "expires": now + (HOLD if me.rooms else WAIT)}
        upsert(connection, HOLDER, [{**kept, **times}], ("owner", "name"))

    def _used(self, connection: Connection, owner: str, limits: Limits, now: float) -> int:
        if limits.per_day is None and limits.unit == "calls":
            return 0  # nothing to hold it against
        return int(connection.execute(_used, {"owner": owner, "since": _first_hour(limits, now)}).one()[0])

    def _more_in(self, connection: Connection, owner: str, limits: Limits, now: float) -> float:
        """Seconds until some of the day's limit comes back."""
        since = _first_hour(limits, now)
        if limits.day != ROLLING:
            return max(60.0, _next_midnight(limits.day, now) - now)
        oldest = connection.execute(
            select(func.min(HOUR.c.hour)).where(HOUR.c.owner == owner, HOUR.c.hour >= since, HOUR.c.units > 0)
        ).scalar()
        return max(60.0, ((oldest if oldest is not None else since) + 25) * 3600 - now)

    def _standing(self, connection: Connection, row: dict[str, Any], limits: Limits, in_hand: int = 0) -> Standing:
        """``in_hand``: units that count as used, and are there for us."""
        now = self._now(connection)
        owner = row["owner"]
        used, calls = connection.execute(_used, {"owner": owner, "since": _first_hour(limits, now)}).one()
        account = Account(**{name: row[name] for name in Account.__slots__})
        used -= in_hand
        if account.told is not None:
            account = replace(account, told=account.told + in_hand)
        left, by_vendor = sharing.left_of_day(limits, account, used, now)
        kept = 0 if left is None else sharing.kept(limits, used, left)
        more_in = 0.0 if left is None else self._more_in(connection, owner, limits, now)
        return Standing(owner, limits.unit, calls, used, limits.per_day, left, kept, by_vendor, more_in)

    def _introduce(self, store: Store, owner: str, limits: Limits) -> None:
        """The account's row, and which systems use it."""
        mine = {system for of, system in self._shares if of == owner and system}
        columns = ("owner", "systems", "limits", *Account.__slots__)
        fresh = Account()
        row = (owner, "", "{}", *(getattr(fresh, name) for name in Account.__slots__))
        with store.begin() as connection:
            insert_new_rows(connection, QUOTA, columns, [row])
            known = connection.execute(self._locked(_account), {"owner": owner}).mappings().one()["systems"]
            systems = ",".join(sorted({*filter(None, known.split(",")), *mine}))
            said = {name: getattr(limits, name) for name in Limits.__slots__}
            connection.execute(update(QUOTA).where(QUOTA.c.owner == owner).values(systems=systems, limits=dumps(said)))
        self._known.add(owner)

    @property
    def _postgres(self) -> bool:
        return not self._url.startswith("sqlite")

    def _opened(self) -> Store:
        with self._guard:
            if self._store is None:
                self._store = Store(_engine(self._url))
            return self._store


def _engine(url: str) -> Engine:
    """The database that the quota lives in; its tables are made where they are missing."""
    parsed = make_url(url)
    tables = [QUOTA, HOLDER, HOUR]
    if parsed.get_backend_name() == "sqlite":
        file = quota_file(parsed)
        if file is not None:
            parsed = parsed.set(database=str(file))
            private_file(parsed.database)
        engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
        sqlite_settings(engine)
    else:
        engine = postgres_engine(parsed, pool_size=2, max_overflow=4, pool_pre_ping=True)
    with Store(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that make a table at the same moment would fail: they take turns.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hub quota tables'))"))
        QuotaRow.metadata.create_all(connection, tables=tables)
    return engine


def quota_file(url: URL) -> Path | None:
    """The file beside a SQLite store; None for other databases, and for one in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    path = Path(url.database)
    return path.with_name(f"{path.stem}-quota{path.suffix or '.db'}")


def _first_hour(limits: Limits, now: float) -> int:
    """The first hour of the day that counts. A rolling day begins in the middle of an hour: all of that counts."""
    if limits.day == ROLLING:
        return int(now // 3600) - 24
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(limits.day))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() // 3600)


def _next_midnight(zone: str, now: float) -> float:
    local = datetime.fromtimestamp(now + 86400, UTC).astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
