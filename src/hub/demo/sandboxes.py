"""Sandboxes as processes of their own: what the hub meets over HTTP in the demo is not in its own memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connect.sandbox_client import ControlClient
from hub.errors import Unavailable

READY_SECONDS = 60
STOP_SECONDS = 10


@dataclass(slots=True)
class Sandbox:
    """One running sandbox."""

    connector: str
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    """The ready line: url, control, credentials, samples."""
    control: ControlClient
    """Plays the people who use the product, and counts calls."""


@contextmanager
def running_sandboxes(wanted: dict[str, dict[str, Any]], logs: Path) -> Iterator[dict[str, Sandbox]]:
    """Start the sandboxes of these connectors (connector → its options) at once; stop them at the end.

    Raises Unavailable when one does not get ready.
    """
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_process(name, options, logs)) for name, options in wanted.items()}
        yield {name: _ready(name, process, logs) for name, process in processes.items()}


@contextmanager
def _process(connector: str, options: dict[str, Any], logs: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "hub.cli", "sandbox", connector, "--port", "0"]
    for name, value in options.items():
        common = name in {"records", "seed", "latency"}
        words += [f"--{name}", str(value)] if common else ["--option", f"{name}={value}"]
    with (logs / f"{connector}.log").open("w", encoding="utf-8") as log:
        # A session of its own: Ctrl-C reaches the demo, which then stops its sandboxes in order.
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _ready(connector: str, process: subprocess.Popen[str], logs: Path) -> Sandbox:
    assert process.stdout is not None
    timer = threading.Timer(READY_SECONDS, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    try:
        ready = json.loads(line)
    except ValueError:
        log = logs / f"{connector}.log"
        said = " ".join(log.read_text(encoding="utf-8").split())[-500:]
        raise Unavailable(
            f"the sandbox of {connector} did not get ready: {said or 'it said nothing'}",
            where=str(log),
            cure=f"try it alone: hub sandbox {connector} --debug",
        ) from None
    return Sandbox(connector, process, ready, ControlClient(ready["control"]))
