"""A real ``hub up`` in a process of its own, and what a test asks its Prefect server."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.operate.api import PrefectApi
from hub.operate.processes import marked

ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
PATIENCE = 120.0
"""Seconds; only a broken program or a very busy machine needs them."""


def environment() -> dict[str, str]:
    """Ours without settings of another Prefect server."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Waits for what the server does in the background."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"there never was {what}"
        time.sleep(0.3)


@dataclass
class RunningHub:
    folder: Path
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    api: PrefectApi

    def ids(self) -> list[int]:
        """Every process that belongs to it, wherever in the tree."""
        mark = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:16]
        return [p.pid for p in marked(mark)]

    def deployment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/deployments/name/{name}")
        return found

    def start(self, name: str, **parameters: Any) -> str:
        """Start a run as the UI does; its id."""
        deployment_id = self.deployment(name)["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.api.post(f"/deployments/{deployment_id}/create_flow_run", body)["id"])

    def state(self, run_id: str, *wanted: str) -> dict[str, Any]:
        """The run, once it is in one of these states (any final one, when none is named)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            run: dict[str, Any] = self.api.get(f"/flow_runs/{run_id}")
            if run["state_type"] in (wanted or ENDED):
                return run
            assert time.monotonic() < deadline, f"still {run['state_type']}: {self.logs(run_id)}"
            assert run["state_type"] not in ENDED, f"{run['state']}: {self.logs(run_id)}"
            time.sleep(0.3)

    def run(self, name: str, **parameters: Any) -> dict[str, Any]:
        return self.state(self.start(name, **parameters))

    def artifacts(self, run_id: str) -> dict[str, dict[str, Any]]:
        found = self.api.post("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})
        return {a["key"]: a for a in found}

    def logs(self, run_id: str) -> list[str]:
        query = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC"}
        return [entry["message"] for entry in self.api.post("/logs/filter", query)]

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def running_hub(folder: Path) -> Iterator[RunningHub]:
    """``hub up`` on the project in ``folder``; ended, whatever happens."""
    errors = (folder / "up.err").open("w+", encoding="utf-8")
    command = [sys.executable, "-m", "hub.cli", "up", "--project", str(folder), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment())
    hub = None
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "up.err").read_text(encoding="utf-8")
        ready = json.loads(line)
        assert ready.get("ready"), line
        hub = RunningHub(folder, process, ready, PrefectApi(ready["api"], timeout=30))
        yield hub
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        process.stdout.close()  # type: ignore[union-attr]
        errors.close()
        if hub is not None:
            hub.api.close()
