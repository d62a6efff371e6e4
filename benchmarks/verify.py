"""Does a system hold exactly what it should? ``python -m benchmarks.verify --url URL --system b --shape b --n 1000``.

Expected records come from ``benchmarks.data`` alone, so neither the hub nor the script by hand marks its own work.
Prints one JSON object: compared, different (with the first few), missing, extra. Missing and empty mean the same here,
blanks at the ends of texts don't count, numbers are compared exactly.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from benchmarks import data
from benchmarks.by_hand_io import Api, Record

NUMBER = {"customers": ("Account_Number", "FNumber"), "products": ("Product_Code", "FNumber")} | {
    "orders": ("SO_Number", "FBillNo")
}
"""Resource → the field that holds a record's number, in A's and in B's shape."""


def plain(value: Any) -> Any:
    """A value without what doesn't count; None for what says nothing."""
    if isinstance(value, dict):
        members = {name: plain(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not None} or None
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value.strip() or None
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def records(api: Api, resource: str) -> Iterator[Record]:
    for page, _ in api.pages(resource, None):
        yield from (item for item in page if not item.get("deleted"))


def numbers(api: Api, resource: str, shape: str) -> dict[str, str]:
    """Remote id → number, to compare references."""
    field = NUMBER[resource][shape == "b"]
    return {item["id"]: item["values"][field] for item in records(api, resource)}


def revisions(n: int, count: int, rounds: int) -> dict[int, int]:
    """Record number → its last revision, after rounds 1 … ``rounds`` each edited ``count`` records."""
    return {i: turn for turn in range(1, rounds + 1) for i in data.picked(n, count, turn)}


def is_bad(i: int, bad: float) -> bool:
    every = round(1 / bad) if bad else 0
    return bool(every) and i % every == every // 2


def with_numbers(record: Record, customers: dict[str, str], products: dict[str, str]) -> Record:
    """An order in B's shape whose references are numbers instead of ids."""
    lines = [line | {"FMaterialId": {"number": products.get(line["FMaterialId"]["id"])}} for line in record["FEntry"]]
    return record | {"FCustId": {"number": customers.get(record["FCustId"]["id"])}, "FEntry": lines}


def compare(api: Api, resource: str, shape: str, n: int, edited: dict[int, int], bad: float) -> dict[str, Any]:
    field = NUMBER[resource][shape == "b"]
    expected = data.in_b if shape == "b" else data.in_a
    refer = resource == "orders" and shape == "b"
    customers = numbers(api, "customers", shape) if refer else {}
    products = numbers(api, "products", shape) if refer else {}
    wanted = {expected_number(resource, i): i for i in range(n) if shape == "a" or not is_bad(i, bad)}
    result: dict[str, Any] = {"compared": 0, "different": [], "extra": []}
    for item in records(api, resource):
        found = with_numbers(item["values"], customers, products) if refer else item["values"]
        number = str(found[field]).strip()
        i = wanted.pop(number, None)
        if i is None:
            result["extra"].append(number)
            continue
        result["compared"] += 1
        right = plain(expected(resource, i, edited.get(i, 0)))
        if plain(found) != right and not (shape == "a" and is_bad(i, bad)):
            result["different"].append({"number": number, "fields": differing(plain(found), right)})
    return summary(result | {"missing": list(wanted)})


def expected_number(resource: str, i: int) -> str:
    number: str = data.KINDS[resource][0](i, 0)["number"]
    return number


def differing(found: Record, right: Record) -> dict[str, list[str]]:
    names = [name for name in right | found if found.get(name) != right.get(name)]
    return {name: [str(found.get(name)), str(right.get(name))] for name in names}


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Counts, and the first few of each kind of trouble."""
    told = {"compared": result["compared"]}
    for kind in ("different", "missing", "extra"):
        told |= {kind: len(result[kind]), f"{kind}_samples": result[kind][:3]}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--system", required=True)
    parser.add_argument("--shape", choices=("a", "b"), required=True)
    parser.add_argument("--resource", default="customers")
    parser.add_argument("--n", type=int, required=True, help="records that there should be")
    parser.add_argument("--edits", default="0x0", help="COUNTxROUNDS, as the runner edited")
    parser.add_argument("--bad", type=float, default=0.0, help="share of records spoiled at the source")
    found = parser.parse_args()
    count, rounds = map(int, found.edits.split("x"))
    edited = revisions(found.n, count, rounds) if count else {}
    api = Api(found.url, found.system)
    print(json.dumps(compare(api, found.resource, found.shape, found.n, edited, found.bad), ensure_ascii=False))


if __name__ == "__main__":
    main()
