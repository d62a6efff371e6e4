"""Access tokens shared by all threads and processes that use one account, fetched once however many ask.

Vendors punish careless token handling (Zoho: ten requests in ten minutes, the sixteenth token kills the first; Kingdee:
lockout after five bad log-ins), so a token is fetched under a lock and a refusal is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from hub.connect.redact import remember
from hub.connect.services import Cache
from hub.errors import AuthenticationError, Unavailable

LOCK_SECONDS = 120.0
REFUSAL_SECONDS = 60.0


class MemoryCache:
    """A cache for one process: tests, one-off commands."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> str | None:
        with self._guard:
            value, until = self._values.get(key, ("", 0.0))
        return value if until > self._clock() else None

    def set(self, key: str, value: str, seconds: float) -> None:
        with self._guard:
            self._values[key] = (value, self._clock() + seconds)

    def lock(self, key: str) -> AbstractContextManager[object]:
        with self._guard:
            return self._locks.setdefault(key, threading.RLock())


class FileCache:
    """A cache in a folder only its owner can read (0700, files 0600), for all processes on one machine."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)

    def get(self, key: str) -> str | None:
        """The value; None when it is missing, expired or not readable as one of ours."""
        try:
            stored = json.loads(self._path(key).read_bytes())
            if stored["key"] == key and float(stored["until"]) > self._clock():
                return str(stored["value"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None

    def set(self, key: str, value: str, seconds: float) -> None:
        """Written beside and renamed, so that a reader never sees half a value. mkstemp makes the file 0600."""
        content = {"key": key, "value": value, "until": self._clock() + seconds}
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
            Path(name).replace(self._path(key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def lock(self, key: str) -> Iterator[object]:
        """Raises Unavailable when somebody has held it for two minutes."""
        # A new FileLock each time: one object is re-entrant and would let two threads in.
        try:
            with FileLock(self._path(key).with_suffix(".lock"), timeout=LOCK_SECONDS, mode=0o600) as held:
                yield held
        except Timeout as problem:
            raise Unavailable(
                f"the lock of {key!r} has been held by another process for {LOCK_SECONDS:.0f} s",
                cure="look for a hub process that hangs and end it",
            ) from problem

    def _path(self, key: str) -> Path:
        readable = re.sub(r"[^\w-]+", "_", key)[:40]
        return self._folder / f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


@dataclass(frozen=True, slots=True)
class Token:
    """What a log-in gave: the secret and how long it lives, in seconds."""

    value: str = field(repr=False)
    seconds: float


class Tokens:
    """The current token of one account.

    ``fetch`` logs in; it may raise any of ``hub.errors``. ``key`` must name the account *and* its credentials (see
    ``fingerprint``), so that mended credentials are tried at once although the old ones' refusal is remembered.
    ``margin``: seconds before its end at which a token is no longer used.
    """

    def __init__(self, cache: Cache, key: str, fetch: Callable[[], Token], *, margin: float = 60.0) -> None:
        self._cache = cache
        self._key = key
        self._fetch = fetch
        self._margin = margin

    def get(self) -> str:
        """A token that is thought to be valid; logs in when there is none, one caller at a time."""
        return self._cache.get(self._key) or self._renew()

    def refused(self, token: str) -> None:
        """The system no longer takes this token: the next ``get`` fetches another, unless somebody already did."""
        with self._cache.lock(self._key):
            if self._cache.get(self._key) == token:
                self._cache.set(self._key, "", 0)

    def _renew(self) -> str:
        with self._cache.lock(self._key):
            found = self._cache.get(self._key)
            if found:
                return found
            refusal = self._cache.get(self._key + "/refusal")
            if refusal:
                what, cure = json.loads(refusal)
                raise AuthenticationError(what, cure=f"{cure} (the same credentials are not tried again for a minute)")
            try:
                token = self._fetch()
            except AuthenticationError as problem:
                told = json.dumps([problem.what, problem.cure or "check the credentials"])
                self._cache.set(self._key + "/refusal", told, REFUSAL_SECONDS)
                raise
            remember(token.value)
            self._cache.set(self._key, token.value, max(token.seconds - self._margin, token.seconds / 2))
            return token.value


def fingerprint(*parts: str) -> str:
    """A short hash for cache keys, so that different credentials never share a token."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
