"""What all benchmarks share: the server, the two sides, edits, and the check that the contents are right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import data, measure
from benchmarks.measure import Failed, Measured, Server
from benchmarks.sides import ByHand, Hub, Side

EDITED = 100
"""Records changed at a time, on a side."""


@dataclass
class Bench:
    """One run of the set."""

    server: Server
    folder: Path
    n: int
    pairs: int
    say: Callable[[str], None]
    with_hub: bool = True
    """False: measure only the scripts by hand."""
    quick: bool = False
    with_limit: bool = True
    """False: measure only the hub."""

    def sides(self) -> list[Side]:
        """Fresh sides; ``hub`` first where it takes part."""
        both: list[Side] = [Hub(self.server.url, self.folder)] if self.with_hub else []
        return [*both, ByHand(self.server.url, self.folder)] if self.with_limit else both

    def alternating(self, sides: list[Side], pairs: int | None = None) -> Iterator[Side]:
        """Each side once a pair, the first one changing, so that a slow minute hits both."""
        for pair in range(pairs or self.pairs):
            yield from sides if pair % 2 == 0 else reversed(sides)

    def load(self, system: str, resource: str, n: int, bad: float = 0.0, *, seeded: bool = False) -> None:
        """``seeded``: the records are made when they are asked for, and take no memory of the server."""
        self.server.control("load", {"system": system, "resource": resource, "n": n, "bad": bad, "seeded": seeded})

    def drop(self, *systems: str) -> None:
        for system in systems:
            self.server.control("drop", {"system": system})

    def counted(self, work: Callable[[], Measured]) -> Measured:
        """``work``, with the calls that the server saw meanwhile."""
        self.server.control("reset")
        measured = work()
        measured.calls = self.server.control("stats")["calls"]
        return measured

    def edit(self, system: str, turn: int, n: int, shape: str = "a") -> None:
        """A user changes ``EDITED`` customers; the ``turn``-th time, so it is another set with other values."""
        kind = "customers"
        body: dict[str, Any] = {"system": system, "resource": kind}
        make = data.in_a if shape == "a" else data.in_b
        edits = {}
        for i in data.picked(n, EDITED, turn):
            before, after = make(kind, i), make(kind, i, turn)
            id = data.remote_id(kind, i) if shape == "a" else str(after["FNumber"])
            edits[id] = {name: value for name, value in after.items() if value != before[name]}
        self.server.control("edit", body | {"edits": edits} | ({} if shape == "a" else {"by": "FNumber"}))

    def verify(self, system: str, shape: str, n: int, resource: str = "customers", **more: object) -> None:
        """Compare everything a system holds with what it should hold. Raises Failed with samples."""
        arguments = ["--url", self.server.url, "--system", system, "--shape", shape, "--resource", resource]
        options = [word for name, value in more.items() for word in (f"--{name}", str(value))]
        found = measure.run(measure.python("verify", *arguments, "--n", str(n), *options)).output
        if found["different"] or found["missing"] or found["extra"]:
            raise Failed(f"{system}/{resource} does not hold what it should: {json.dumps(found, ensure_ascii=False)}")
        self.say(f"    {system}/{resource}: {found['compared']} records are exactly right")


def edits(turns: int) -> str:
    """How ``verify`` is told of that many turns of ``Bench.edit``."""
    return f"{EDITED}x{turns}"


Runs = dict[str, list[Measured]]
"""Side → its measurements."""


def collect(sides: list[Side]) -> Runs:
    return {side.name: [] for side in sides}
