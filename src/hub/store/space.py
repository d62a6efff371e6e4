"""How much disk the hub's database takes, and giving back what it does not need any more."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.pool import StaticPool

from hub.store.database import Store

WORTH = 0.25
"""Share of a SQLite file that must be free before it is written anew."""
LEAST = 8 * 1024 * 1024
"""Bytes: what is less than this is left for the next records."""
SPARE = 100 * 1024 * 1024
"""Bytes of the disk that writing a file anew leaves alone."""


class Size(NamedTuple):
    """Bytes."""

    total: int
    free: int = 0
    """… of which nothing uses (SQLite only; it is filled again before the file grows)."""


def size(store: Store) -> Size:
    """What the hub's database takes, with the log of writes beside it."""
    with store.read() as connection:
        if connection.dialect.name == "postgresql":
            return Size(int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()))
        page, pages, free = (
            int(connection.execute(text(f"PRAGMA {name}")).scalar_one())
            for name in ("page_size", "page_count", "freelist_count")
        )
    file = _file(store.engine)
    log = Path(f"{file}-wal") if file else None
    return Size(page * pages + (log.stat().st_size if log and log.exists() else 0), page * free)


def why_not(store: Store) -> str:
    """Why the free space stays where it is; empty: it is worth giving back, and can be."""
    if store.engine.dialect.name == "postgresql":
        return "PostgreSQL's autovacuum makes it free for new rows; VACUUM FULL by hand would give it to the disk"
    file = _file(store.engine)
    if file is None:
        return "the database is in memory"
    now = size(store)
    if now.free < max(LEAST, now.total * WORTH):
        return f"{megabytes(now.free)} of {megabytes(now.total)} are free, and are used again"
    needed = 2 * (now.total - now.free) + SPARE  # a copy, and the log that brings it back
    for place in {file.parent.resolve(), Path(os.environ.get("SQLITE_TMPDIR") or tempfile.gettempdir())}:
        if shutil.disk_usage(place).free < needed:
            return f"giving {megabytes(now.free)} back takes {megabytes(needed)} for a while, which {place} lacks"
    return ""


def give_back(store: Store) -> str:
    """Write a SQLite file anew without its free pages. For whoever sees to it that no pass runs meanwhile.

    Returns what happened, in words.
    """
    before = size(store).total
    raw = store.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA temp_store=FILE")  # the copy must not go through memory
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    except sqlite3.OperationalError as error:
        # Locked, or the disk filled up meanwhile: nothing is lost, the file stays as it was.
        return f"the space is given back another time ({error})"
    finally:
        raw.invalidate()  # its settings are not those of the others
    return f"{megabytes(before - size(store).total)} given back to the disk"


def megabytes(count: int) -> str:
    """``1,234.5 MB``"""
    return f"{count / 1_000_000:,.1f} MB"


def _file(engine: Engine) -> Path | None:
    name = engine.url.database
    return Path(name) if name and name != ":memory:" and not isinstance(engine.pool, StaticPool) else None
