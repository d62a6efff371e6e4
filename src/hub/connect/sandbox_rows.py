"""Lists that don't tell the truth: a record missing, a record twice, more than was asked for."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import msgspec

from hub.connect.sandbox import Operation, SandboxApp
from hub.connect.sandbox_faults import Answer, Fault

ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER = msgspec.json.Decoder(float_hook=Decimal)
EXTRA = "x_bloat"
MEGABYTE = 1_000_000


def respell(good: Answer, app: SandboxApp, operation: Operation, fault: Fault, chance: random.Random) -> Answer:
    """The same answer with its rows tampered with. One that is no list of records stays as it is."""
    if good.status[0] != 200 or not good.body:
        return good
    try:
        content = DECODER.decode(good.body)
    except msgspec.MsgspecError:
        return good
    found = app.listing(operation, content)
    if found is None or not found[0]:
        return good
    rows, key_of = found
    if fault.kind == "gigantic":
        return _bloated(good, content, rows, int(fault.spec.get("bytes", MEGABYTE)))
    chosen = key_of(chance.choice(rows))
    if fault.kind == "missing":
        rows[:] = [row for row in rows if key_of(row) != chosen]
    else:
        again = [row for row in rows if key_of(row) == chosen]
        at = max(i for i, row in enumerate(rows) if key_of(row) == chosen) + 1
        if chance.random() < 0.5:
            at = len(rows)
        rows[at:at] = again
    good.body = ENCODER.encode(content)
    return good


def _bloated(good: Answer, content: Any, rows: list[Any], size: int) -> Answer:
    """Rows with names get a long member; where they have none, the answer gets as much blank space."""
    if not isinstance(rows[0], dict):
        good.body += b" " * size
        return good
    for row in rows:
        row[EXTRA] = "长" * (size // len(rows) // 3)
    good.body = ENCODER.encode(content)
    return good
