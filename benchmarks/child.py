"""What the measured programs have in common: their arguments, and passes measured while the process is warm."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Args:
    url: str
    source: str
    target: str
    store: str
    resources: list[str]
    full: bool
    warm: bool


def arguments(description: str | None) -> Args:
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--url", required=True, help="the benchmark server")
    parser.add_argument("--from", dest="source", required=True, help="system that is read")
    parser.add_argument("--to", dest="target", required=True, help="system that is written")
    parser.add_argument("--store", required=True, help="sqlite:///PATH or postgresql://…")
    parser.add_argument("--resource", dest="resources", action="append", help="default: customers; may be repeated")
    parser.add_argument("--full", action="store_true", help="read everything again")
    parser.add_argument("--warm", action="store_true", help="a pass for each line of standard input, each measured")
    found = parser.parse_args()
    return Args(**{**vars(found), "resources": found.resources or ["customers"]})


def serve_passes(make: Callable[[Args], Callable[[bool], Any]], args: Args) -> None:
    """Run one pass and print what it counted. With ``--warm`` run one for each line on standard input (``full`` or
    ``sync``), each answered by a line of JSON with its CPU and wall seconds."""
    run = make(args)
    if not args.warm:
        say({"counts": run(args.full)})
        return
    say({"ready": True})
    for line in sys.stdin:
        say(measured(lambda line=line: run(line.strip() == "full")))  # type: ignore[misc]


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """What ``work`` returned, and the CPU (all threads, user and system) and wall seconds it took."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    counts = work()
    return {"counts": counts, "cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
