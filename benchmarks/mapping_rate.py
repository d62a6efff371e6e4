"""B3: mapping alone. ``python -m benchmarks.mapping_rate --side hub|limit [--records 5000] [--rounds 5]``.

A's customers (36 fields, 35 of them at the top level) to canonical values and on to B's shape, page by page, problems
kept per field. Prints one JSON object: for ``get`` and ``put`` the CPU seconds of each round, and ``same``: a hash of
everything that came out, which must be equal on both sides.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import xxhash

from benchmarks import by_hand, data
from benchmarks.by_hand_io import Record, decode, encode
from benchmarks.verify import plain

Get = Callable[[list[Record]], list[Record]]
Put = Callable[[list[Record]], list[Record]]


def by_hand_pair() -> tuple[Get, Put]:
    def get(page: list[Record]) -> list[Record]:
        return [values for values, _ in (by_hand.read(by_hand.customer_of_a, record) for record in page) if values]

    return get, lambda page: [by_hand.customer_to_b(values) for values in page]


def hub_pair() -> tuple[Get, Put]:
    import hub.mapping
    import hub.model
    from benchmarks.sides import PROJECT

    lenses = []
    for system in ("a", "b"):
        path = PROJECT / "mappings" / system / "customers.yaml"
        lens, problems = hub.mapping.load(path, specs=hub.model.entities())
        if lens is None:
            raise SystemExit("\n".join(map(str, problems)))
        lenses.append(lens)
    a, b = lenses

    def get(page: list[Record]) -> list[Record]:
        return [got.values for got in a.get_many(page)]

    return get, lambda page: [b.put(values, None) for values in page]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", choices=("hub", "limit"), required=True)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    found = parser.parse_args()
    get, put = hub_pair() if found.side == "hub" else by_hand_pair()
    records = [decode(encode(data.in_a("customers", i))) for i in range(found.records)]
    pages = [records[start : start + 200] for start in range(0, len(records), 200)]
    seconds: dict[str, list[float]] = {"get": [], "put": []}
    for _ in range(found.rounds):
        started = time.process_time()
        canonical = [get(page) for page in pages]
        middle = time.process_time()
        written = [put(page) for page in canonical]
        ended = time.process_time()
        seconds["get"].append(middle - started)
        seconds["put"].append(ended - middle)
    print(json.dumps({"seconds": seconds, "records": len(records), "same": fingerprint(canonical, written)}))


def fingerprint(*outcome: list[list[Record]]) -> str:
    """Equal for equal contents, whatever the order of names in them."""
    whole: Any = [[[plain(record) for record in page] for page in pages] for pages in outcome]
    return xxhash.xxh3_128_hexdigest(json.dumps(whole, sort_keys=True, default=str).encode())


if __name__ == "__main__":
    main()
