"""The handwritten side's API client and memory: requests, msgspec, and SQLite or PostgreSQL with nothing between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import requests

Record = dict[str, Any]
Known = dict[str, tuple[str, bytes]]
"""A's id → (B's id, hash of the canonical values last written)."""
LinkRow = tuple[str, str, str, bytes, str]
"""(A's id, B's id, B's version, hash, canonical values as JSON)."""

decode = msgspec.json.Decoder(float_hook=Decimal).decode
encode = msgspec.json.Encoder(decimal_format="number").encode


class Api:
    """One system on the benchmark server."""

    def __init__(self, url: str, system: str) -> None:
        self.base = f"{url}/{system}"
        self.session = requests.Session()

    def pages(self, resource: str, cursor: str | None) -> Iterator[tuple[list[Record], str]]:
        """Pages of what changed since ``cursor``, each with the cursor behind it."""
        params = {"changed_since": cursor or "0", "limit": "200"}
        while True:
            answer = self.session.get(f"{self.base}/{resource}", params=params, timeout=60)
            answer.raise_for_status()
            page = decode(answer.content)
            yield page["records"], page["cursor"]
            if page["next"] is None:
                return
            params = {"page_token": page["next"], "limit": "200"}

    def get(self, resource: str, id: str) -> Record:
        answer = self.session.get(f"{self.base}/{resource}", params={"ids": id}, timeout=60)
        answer.raise_for_status()
        record: Record = decode(answer.content)["records"][0]
        return record

    def upsert(self, resource: str, records: Sequence[Record], echo: bool = False) -> list[Record]:
        """Write up to 100 records; one result a record. A create is safe to repeat, by its key."""
        body = encode({"records": records, "echo": echo})
        answer = self.session.post(f"{self.base}/{resource}/upsert", data=body, timeout=60)
        answer.raise_for_status()
        results: list[Record] = decode(answer.content)["results"]
        return results


class Memory(Protocol):
    """What a one-way script remembers."""

    def cursor(self, resource: str) -> str | None: ...
    def known(self, resource: str, ids: Sequence[str]) -> Known: ...
    def save(
        self, resource: str, rows: Sequence[LinkRow], problems: Sequence[tuple[str, str]], cursor: str
    ) -> None: ...
    def close(self) -> None: ...


SCHEMA = """
create table if not exists link (resource text not null, a_id text not null, b_id text not null,
    b_version text not null, hash {blob} not null, data text not null, primary key (resource, a_id));
create table if not exists problem (resource text not null, a_id text not null, message text not null);
create table if not exists cursor (resource text primary key, value text not null);
"""


class SqliteMemory:
    """One file, write-ahead log, one transaction a page."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + SCHEMA.format(blob="blob"))

    def cursor(self, resource: str) -> str | None:
        row = self.db.execute("select value from cursor where resource = ?", (resource,)).fetchone()
        return row[0] if row else None

    def known(self, resource: str, ids: Sequence[str]) -> Known:
        marks = ",".join("?" * len(ids))
        query = f"select a_id, b_id, hash from link where resource = ? and a_id in ({marks})"
        return {a_id: (b_id, digest) for a_id, b_id, digest in self.db.execute(query, (resource, *ids))}

    def save(self, resource: str, rows: Sequence[LinkRow], problems: Sequence[tuple[str, str]], cursor: str) -> None:
        with self.db:
            self.db.executemany(
                "insert into link values (?, ?, ?, ?, ?, ?) on conflict (resource, a_id) do update set "
                "b_id = excluded.b_id, b_version = excluded.b_version, hash = excluded.hash, data = excluded.data",
                [(resource, *row) for row in rows],
            )
            self.db.executemany("insert into problem values (?, ?, ?)", [(resource, *row) for row in problems])
            self.db.execute("insert or replace into cursor values (?, ?)", (resource, cursor))

    def close(self) -> None:
        self.db.close()


class PostgresMemory:
    """The same on PostgreSQL: one statement a page, the rows as arrays."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.db = psycopg.connect(url)
        with self.db.transaction():
            for statement in SCHEMA.format(blob="bytea").strip().rstrip(";").split(";"):
                self.db.execute(statement.encode())

    def cursor(self, resource: str) -> str | None:
        with self.db.transaction():
            row = self.db.execute("select value from cursor where resource = %s", (resource,)).fetchone()
        return row[0] if row else None

    def known(self, resource: str, ids: Sequence[str]) -> Known:
        query = "select a_id, b_id, hash from link where resource = %s and a_id = any(%s)"
        with self.db.transaction():
            found = self.db.execute(query, (resource, list(ids)), binary=True).fetchall()
        return {a_id: (b_id, digest) for a_id, b_id, digest in found}

    def save(self, resource: str, rows: Sequence[LinkRow], problems: Sequence[tuple[str, str]], cursor: str) -> None:
        with self.db.transaction():
            if rows:
                self.db.execute(
                    "insert into link select %s, * from "
                    "unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[]) "
                    "on conflict (resource, a_id) do update set b_id = excluded.b_id, b_version = excluded.b_version, "
                    "hash = excluded.hash, data = excluded.data",
                    (resource, *map(list, zip(*rows, strict=True))),
                )
            for a_id, message in problems:
                self.db.execute("insert into problem values (%s, %s, %s)", (resource, a_id, message))
            self.db.execute(
                "insert into cursor values (%s, %s) on conflict (resource) do update set value = excluded.value",
                (resource, cursor),
            )

    def close(self) -> None:
        self.db.close()


def open_memory(store: str) -> Memory:
    """``sqlite:///PATH`` or a ``postgresql://`` URL."""
    if store.startswith("sqlite:///"):
        return SqliteMemory(store.removeprefix("sqlite:///"))
    return PostgresMemory(store)
