"""Tokens and the like, shared by hosts through a PostgreSQL store: encrypted, fetched once however many ask.

The key is made of the system's own credentials, which every host that may use a token has in its environment: whoever
can read a token here could have fetched one. Nothing else has to be handed out or rotated, and a dump of the database
opens no system. On one machine (SQLite) the cache is files instead (``hub.connect.tokens.FileCache``).
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from hub.connect.tokens import LOCK_SECONDS
from hub.errors import Unavailable
from hub.store.database import Store
from hub.store.postgres import postgres_engine
from hub.store.tables import SharedValueRow

VALUE = SharedValueRow.__table__  # type: ignore[attr-defined]
FRESH = 5.0
"""Seconds for which what was read is believed without asking again: connectors look at every call. A token that ended
meanwhile is refused by its system, and looked up again under the lock."""
_GET = text("SELECT value FROM shared_value WHERE name = :name AND until > extract(epoch from clock_timestamp())")
_SET = text(
    "INSERT INTO shared_value (name, value, until)"
    " VALUES (:name, :value, extract(epoch from clock_timestamp()) + :seconds)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value, until = excluded.until"
)
_TIDY = text("DELETE FROM shared_value WHERE until < extract(epoch from clock_timestamp()) - 86400")


class SharedCaches:
    """One project's caches in its store, opened when first used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._guard = threading.Lock()
        self._engine: Engine | None = None

    def of(self, system: str, secrets: Sequence[str]) -> StoreCache:
        """The cache of a system with these credentials."""
        return StoreCache(self, system, secrets)

    def engine(self) -> Engine:
        """The database, with its table."""
        with self._guard:
            if self._engine is None:
                engine = postgres_engine(make_url(self._url), pool_size=2, max_overflow=20, pool_pre_ping=True)
                with Store(engine).begin() as connection:
                    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hub shared values'))"))
                    SharedValueRow.metadata.create_all(connection, tables=[VALUE])
                    connection.execute(_TIDY)
                self._engine = engine
            return self._engine

    def close(self) -> None:
        with self._guard:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


class StoreCache:
    """Implements ``hub.connect.services.Cache``."""

    def __init__(self, caches: SharedCaches, system: str, secrets: Sequence[str]) -> None:
        self._caches = caches
        self._system = system
        self._secrets = tuple(secrets)
        self._guard = threading.Lock()
        self._box: Fernet | None = None
        self._read: dict[str, tuple[str | None, float]] = {}
        """Key → (value, when it was read)."""

    def get(self, key: str) -> str | None:
        """See ``Cache.get``. A value that other credentials have encrypted counts as missing."""
        with self._guard:
            value, at = self._read.get(key, (None, -FRESH))
        if time.monotonic() - at < FRESH:
            return value
        with Store(self._caches.engine()).read() as connection:
            stored = connection.execute(_GET, {"name": key}).scalar()
        try:
            value = self._fernet().decrypt(stored.encode()).decode() if stored else None
        except InvalidToken:
            value = None
        self._note(key, value)
        return value

    def set(self, key: str, value: str, seconds: float) -> None:
        """See ``Cache.set``."""
        sealed = self._fernet().encrypt(value.encode()).decode()
        with Store(self._caches.engine()).begin() as connection:
            connection.execute(_SET, {"name": key, "value": sealed, "seconds": seconds})
        self._note(key, value if seconds > FRESH else None)

    @contextmanager
    def lock(self, key: str) -> Iterator[object]:
        """See ``Cache.lock``: over all hosts. Ends by itself when its holder's connection does. Raises Unavailable when
        somebody has held it for two minutes."""
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True)
        with Store(self._caches.engine()).read() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS)}s'"))
            try:
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
            except Exception as problem:
                if "lock timeout" not in str(problem):
                    raise
                raise Unavailable(
                    f"the lock of {key!r} has been held by another process for {LOCK_SECONDS:.0f} s",
                    cure="look for a hub process that hangs and end it",
                ) from problem
            connection.commit()
            with self._guard:
                self._read.pop(key, None)
            try:
                yield connection
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
                connection.commit()

    def _note(self, key: str, value: str | None) -> None:
        with self._guard:
            self._read[key] = (value, time.monotonic())

    def _fernet(self) -> Fernet:
        with self._guard:
            if self._box is None:
                secret = "\0".join(sorted(self._secrets)).encode()
                # Slow on purpose: a short password among the credentials must not be guessed from a stolen database.
                key = hashlib.scrypt(secret, salt=f"hub/{self._system}".encode(), n=2**14, r=8, p=1, dklen=32)
                self._box = Fernet(base64.urlsafe_b64encode(key))
            return self._box
