"""Two and three real processes with one account, counted by the sandbox that they call."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.connect.sandbox import Operation, Running, SandboxApp, serve
from hub.store.quota import SharedQuota

WORKER = Path(__file__).with_name("quota_worker.py")


class Notes(SandboxApp):
    """A product that answers everything with an empty list."""

    name = "notes"
    path = "/api/"

    @property
    def wsgi(self) -> Any:
        return self._app

    def _app(self, environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"[]"]

    def operation(self, method: str, path: str, body: bytes) -> Operation:
        return Operation("list", "read")

    def credentials(self, base_url: str) -> dict[str, Any]:
        return {}

    def samples(self) -> dict[str, Any]:
        return {}

    def resources(self) -> list[str]:
        return []

    def records(self, resource: str) -> list[Any]:
        raise LookupError(resource)

    def create(self, resource: str, values: Any, user: str) -> Any:
        raise LookupError(resource)

    edit = create

    def delete(self, resource: str, id: str, user: str) -> None:
        raise LookupError(resource)


@pytest.fixture
def sandbox() -> Iterator[Running]:
    with serve(Notes()) as running:
        yield running


class Workers:
    """Starts processes on one store, and sees to their end."""

    def __init__(self, store: str, url: str) -> None:
        self.store = store
        self.url = url
        self.running: list[subprocess.Popen[str]] = []

    def start(self, **orders: Any) -> subprocess.Popen[str]:
        args = [sys.executable, str(WORKER), self.store, self.url, "acme", json.dumps(orders)]
        worker = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        self.running.append(worker)
        return worker

    def begun(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "begun"

    def ended(self, worker: subprocess.Popen[str]) -> dict[str, Any]:
        out, _ = worker.communicate(timeout=60)
        assert worker.returncode == 0
        return dict(json.loads(out.strip().splitlines()[-1]))


@contextmanager
def workers(store: str, running: Running) -> Iterator[Workers]:
    made = Workers(store, running.base_url)
    try:
        yield made
    finally:
        for worker in made.running:
            if worker.poll() is None:
                worker.kill()
            worker.communicate()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One machine's store, and one that several hosts share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    return str(request.getfixturevalue("postgres_url"))


def test_two_processes_never_call_more_often_than_the_account_may(store: str, sandbox: Running) -> None:
    limits = {"per_second": 20}
    with workers(store, sandbox) as at_work:
        pair = [at_work.start(threads=3, calls=10, limits=limits) for _ in range(2)]
        done = [at_work.ended(worker) for worker in pair]
    stats = sandbox.control.stats.as_json()
    assert stats["calls"] == 60 == sum(one["calls"] for one in done)
    # What is reserved is checked exactly beside; on a busy machine a call may need a moment from there to the sandbox.
    assert stats["most_in_a_second"] <= 22


def test_three_processes_never_have_more_calls_under_way_than_the_account_may(store: str, sandbox: Running) -> None:
    sandbox.control.set_latency(20)
    limits = {"at_once": 4}
    with workers(store, sandbox) as at_work:
        three = [at_work.start(threads=4, calls=20, limits=limits) for _ in range(3)]
        done = [at_work.ended(worker) for worker in three]
    stats = sandbox.control.stats.as_json()
    assert stats["calls"] == 240 == sum(one["calls"] for one in done)
    assert stats["most_at_once"] <= 4


def test_urgent_work_goes_before_bulk_work_and_bulk_work_goes_on(tmp_path: Path, sandbox: Running) -> None:
    """Two bulk processes have taken all there is when a webhook's process comes."""
    sandbox.control.set_latency(20)
    limits = {"at_once": 2, "per_second": 50}
    with workers(f"sqlite:///{tmp_path}/hub.db", sandbox) as at_work:
        bulk = [at_work.start(threads=4, calls=1, forever=True, limits=limits) for _ in range(2)]
        for worker in bulk:
            at_work.begun(worker)
        before = sandbox.control.stats.as_json()["calls"]
        urgent = at_work.ended(at_work.start(threads=1, calls=6, urgent=True, limits=limits))
        after = sandbox.control.stats.as_json()
    assert urgent["longest"] < 5, "a bound: a tick, a turn, a call; no more than that on a busy machine"
    assert after["calls"] - before > urgent["calls"], "bulk work went on meanwhile"
    assert after["most_at_once"] <= 2


def test_what_a_killed_process_held_comes_back(tmp_path: Path, sandbox: Running) -> None:
    limits = {"at_once": 1}
    with workers(f"sqlite:///{tmp_path}/hub.db", sandbox) as at_work:
        dying = at_work.start(threads=1, calls=1, forever=True, limits=limits)
        at_work.begun(dying)
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        assert at_work.ended(at_work.start(threads=1, calls=3, limits=limits))["longest"] < 5


def test_calls_of_all_processes_are_counted(tmp_path: Path, sandbox: Running) -> None:
    store = f"sqlite:///{tmp_path}/hub.db"
    with workers(store, sandbox) as at_work:
        pair = [at_work.start(threads=1, calls=7, limits={"per_day": 1000}) for _ in range(2)]
        for worker in pair:
            at_work.ended(worker)
    quota = SharedQuota(store, "looking")
    standing = quota.standing("shop")
    quota.close()
    assert standing is not None
    assert (standing.calls, standing.used, standing.left) == (14, 14, 986)
