"""By hand: keep B's records equal to A's, one way. The limit of B1, B2, B4, B5, B8, B10, B12 and B13.

    python -m benchmarks.limit_sync --url URL --from a --to b --store sqlite:///PATH [--resource customers] [--full]

It reads what changed (everything, with --full or at first), maps, hashes, compares with what it wrote last, upserts
what differs in batches of 100, and stores links, hashes and values, one transaction a page. A bad record is noted with
its field and doesn't stop the rest. What the hub does beyond this is left out on purpose: no journal of values, no
canonical tables, no second direction, no read-back, no second try for an order that came before its customer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xxhash

from benchmarks import by_hand
from benchmarks.by_hand_io import Api, LinkRow, Memory, Record, encode, open_memory
from benchmarks.child import Args, arguments, serve_passes

Put = Callable[[list[Record]], list[Record | str]]
"""Canonical values → what to write, or why it can't be written."""


class Sync:
    """One resource, one direction."""

    def __init__(self, source: Api, target: Api, memory: Memory, resource: str) -> None:
        self.source = source
        self.target = target
        self.memory = memory
        self.resource = resource
        self.get, self.put = self._mapping()

    def _mapping(self) -> tuple[by_hand.Getter, Put]:
        if self.resource == "customers":
            return by_hand.customer_of_a, lambda batch: [by_hand.customer_to_b(c) for c in batch]
        if self.resource == "products":
            return by_hand.product_of_a, lambda batch: [by_hand.product_to_b(p) for p in batch]
        return by_hand.order_of_a, self._orders_to_b

    def _orders_to_b(self, orders: list[Record]) -> list[Record | str]:
        """With references resolved; an order whose customer or product is not in B is a problem."""
        customers = self._ids_in_b("customers", {o["customer"] for o in orders})
        products = self._ids_in_b("products", {line["product"] for o in orders for line in o["lines"]})
        written: list[Record | str] = []
        for o in orders:
            try:
                written.append(by_hand.order_to_b(o, customers, products))
            except KeyError as missing:
                written.append(f"refers to {missing}, which is not in the target")
        return written

    def _ids_in_b(self, resource: str, ids: set[str]) -> dict[str, str]:
        return {a_id: b_id for a_id, (b_id, _) in self.memory.known(resource, list(ids)).items()}

    def run(self, full: bool = False) -> Record:
        """One pass; counts of what happened."""
        counts = {"seen": 0, "written": 0, "problems": 0}
        cursor = None if full else self.memory.cursor(self.resource)
        for records, behind in self.source.pages(self.resource, cursor):
            rows, problems = self._page(records)
            self.memory.save(self.resource, rows, problems, behind)
            counts["seen"] += len(records)
            counts["written"] += len(rows)
            counts["problems"] += len(problems)
        return counts

    def _page(self, records: list[Record]) -> tuple[list[LinkRow], list[tuple[str, str]]]:
        known = self.memory.known(self.resource, [r["id"] for r in records])
        changed: list[tuple[str, str | None, Record, bytes, bytes]] = []
        problems: list[tuple[str, str]] = []
        for remote in records:
            values, problem = by_hand.read(self.get, remote["values"])
            if values is None:
                problems.append((remote["id"], problem))
                continue
            data = encode(values)
            digest = xxhash.xxh3_128_digest(data)
            b_id, old = known.get(remote["id"], (None, b""))
            if digest != old:
                changed.append((remote["id"], b_id, values, digest, data))
        rows: list[LinkRow] = []
        for start in range(0, len(changed), 100):
            self._write(changed[start : start + 100], rows, problems)
        return rows, problems

    def _write(self, batch: list[Any], rows: list[LinkRow], problems: list[tuple[str, str]]) -> None:
        wanted = self.put([values for _, _, values, _, _ in batch])
        sent = []
        for (a_id, b_id, _, digest, data), record in zip(batch, wanted, strict=True):
            if isinstance(record, str):
                problems.append((a_id, record))
            else:
                sent.append((a_id, digest, data, {"id": b_id, "key": a_id, "values": record}))
        results = self.target.upsert(self.resource, [write for _, _, _, write in sent])
        for (a_id, digest, data, _), result in zip(sent, results, strict=True):
            if "error" in result:
                problems.append((a_id, f"{result['error']['field']}: {result['error']['message']}"))
            else:
                rows.append((a_id, result["id"], result["version"], digest, data.decode()))


def make(args: Args) -> Callable[[bool], Record]:
    memory = open_memory(args.store)
    syncs = [Sync(Api(args.url, args.source), Api(args.url, args.target), memory, name) for name in args.resources]
    return lambda full: {sync.resource: sync.run(full) for sync in syncs}


if __name__ == "__main__":
    serve_passes(make, arguments(__doc__))
