"""By hand: keep A's and B's customers equal, both ways. The limit of B7.

    python -m benchmarks.limit_both --url URL --from a --to b --store sqlite:///PATH

A pass reads both change feeds, drops what the script wrote itself (by the version that the write returned, else by the
hash), and writes the rest to the other side, guarded by the version last seen there. Where that side was edited too,
the two are merged field by field over the values last agreed on (A wins where both edited a field). SQLite only; a good
engineer's script for two systems, nothing more general.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash

from benchmarks import by_hand
from benchmarks.by_hand_io import Api, Record, encode
from benchmarks.child import Args, arguments, serve_passes

SCHEMA = """
pragma journal_mode=wal; pragma synchronous=normal;
create table if not exists link (a_id text primary key, b_id text not null unique,
    a_version text not null, b_version text not null, hash blob not null, data text not null);
create table if not exists cursor (side text primary key, value text not null);
create table if not exists problem (side text not null, id text not null, message text not null);
"""


@dataclass
class Link:
    """One customer in both systems and what was last agreed on."""

    ids: dict[str, str | None]
    versions: dict[str, str]
    values: Record
    hash: bytes
    base: Record
    """The values last agreed on."""


class Both:
    """The two sides ``a`` and ``b`` and the memory between them."""

    def __init__(self, a: Api, b: Api, path: str) -> None:
        self.api = {"a": a, "b": b}
        self.get = {"a": by_hand.customer_of_a, "b": by_hand.customer_of_b}
        self.put = {"a": by_hand.customer_to_a, "b": by_hand.customer_to_b}
        self.db = sqlite3.connect(path)
        self.db.executescript(SCHEMA)

    def run(self, full: bool = False) -> Record:
        """One pass over both feeds; what came from A is written before B is read, page by page."""
        counts = {"seen": 0, "to_a": 0, "to_b": 0, "problems": 0}
        for side, other in (("a", "b"), ("b", "a")):
            row = None if full else self.db.execute("select value from cursor where side = ?", (side,)).fetchone()
            for records, behind in self.api[side].pages("customers", row[0] if row else None):
                written, problems = self._page(side, other, records)
                with self.db:
                    self.db.execute("insert or replace into cursor values (?, ?)", (side, behind))
                counts["seen"] += len(records)
                counts[f"to_{other}"] += written
                counts["problems"] += problems
        return counts

    def _links(self, side: str, ids: list[str]) -> dict[str, Link]:
        query = f"select * from link where {side}_id in ({','.join('?' * len(ids))})"
        links = {}
        for a_id, b_id, a_version, b_version, digest, data in self.db.execute(query, ids):
            base = msgspec.json.decode(data)
            link = Link({"a": a_id, "b": b_id}, {"a": a_version, "b": b_version}, base, digest, base)
            links[a_id if side == "a" else b_id] = link
        return links

    def _page(self, side: str, other: str, records: list[Record]) -> tuple[int, int]:
        links = self._links(side, [r["id"] for r in records])
        changed: list[Link] = []
        problems: list[tuple[str, str, str]] = []
        for remote in records:
            link = links.get(remote["id"])
            if link is not None and link.versions[side] == remote["version"]:
                continue
            values, problem = by_hand.read(self.get[side], remote["values"])
            if values is None:
                problems.append((side, remote["id"], problem))
                continue
            digest = xxhash.xxh3_128_digest(encode(values))
            if link is None:
                link = Link({side: remote["id"], other: None}, {side: remote["version"]}, values, digest, values)
            elif link.hash == digest:
                continue
            link.values, link.hash, link.versions[side] = values, digest, remote["version"]
            changed.append(link)
        written = sum(self._write(side, other, changed[i : i + 100], problems) for i in range(0, len(changed), 100))
        with self.db:
            self.db.executemany("insert into problem values (?, ?, ?)", problems)
        return written, len(problems)

    def _write(self, side: str, other: str, batch: list[Link], problems: list[tuple[str, str, str]]) -> int:
        writes: list[Record] = []
        for link in batch:
            id, version = link.ids[other], link.versions.get(other)
            key = link.ids[side] if id is None else None
            writes.append({"id": id, "key": key, "version": version, "values": self.put[other](link.values)})
        done: list[Link] = []
        for link, result in zip(batch, self.api[other].upsert("customers", writes), strict=True):
            if "error" not in result:
                link.ids[other], link.versions[other] = result["id"], result["version"]
                done.append(link)
            elif result["error"]["code"] == "VERSION_CONFLICT":
                done.append(self._merge(side, other, link))
            else:
                problems.append((other, str(link.ids[side]), result["error"]["message"]))
        self._save(done)
        return len(done)

    def _merge(self, side: str, other: str, link: Link) -> Link:
        """Both sides were edited: what this side didn't change gives way to the other's value."""
        remote = self.api[other].get("customers", str(link.ids[other]))
        theirs = self.get[other](remote["values"])
        link.values = {name: value if value != link.base[name] else theirs[name] for name, value in link.values.items()}
        link.hash = xxhash.xxh3_128_digest(encode(link.values))
        for name, version in ((side, link.versions[side]), (other, remote["version"])):
            write = {"id": link.ids[name], "version": version, "values": self.put[name](link.values)}
            link.versions[name] = self.api[name].upsert("customers", [write])[0]["version"]
        return link

    def _save(self, links: list[Link]) -> None:
        rows: list[Any] = []
        for link in links:
            data = encode(link.values).decode()
            rows.append((link.ids["a"], link.ids["b"], link.versions["a"], link.versions["b"], link.hash, data))
        with self.db:
            self.db.executemany(
                "insert into link values (?, ?, ?, ?, ?, ?) on conflict (a_id) do update set "
                "a_version = excluded.a_version, b_version = excluded.b_version, "
                "hash = excluded.hash, data = excluded.data",
                rows,
            )


def make(args: Args) -> Callable[[bool], Record]:
    path = args.store.removeprefix("sqlite:///")
    return Both(Api(args.url, args.source), Api(args.url, args.target), path).run


if __name__ == "__main__":
    serve_passes(make, arguments(__doc__))
