"""What died in mid-work is started again, once, by whoever looks first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.operate.passes import flow_run_of
from hub.operate.takeover import START, TRIES, Takeover
from hub.store import runs
from hub.store.database import Store, open_store
from hub.sync.holder import identity


class Prefect:
    """As much of a Prefect server as taking over needs."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.told: list[tuple[str, str]] = []
        self.begun: dict[str, dict[str, Any]] = {}
        self.away = False

    def add(self, run_id: str, state: str = "RUNNING", flow: str = "sync", *, started: int = 1, ago: float = 0) -> None:
        at = datetime.now(UTC) - timedelta(seconds=ago)
        self.runs[run_id] = {
            "id": run_id, "name": run_id, "flow_id": flow, "state_type": state, "deployment_id": "d1",
            "state": {"timestamp": at.isoformat()}, "parameters": {"entities": ["customer"]},
            "tags": ["hub", *([f"hub-try:{started}"] if started > 1 else [])],
        }  # fmt: skip

    def find(self, path: str) -> Any:
        return self.runs.get(path.rpartition("/")[2])

    def get(self, path: str) -> Any:
        return {"name": path.rpartition("/")[2]}

    def post(self, path: str, body: Any) -> Any:
        if self.away:
            raise Unavailable("the Prefect server does not answer")
        if path == "/flow_runs/filter":
            assert body["flow_runs"]["tags"] == {"all_": ["hub", "project:acme"]}
            wanted = body["flow_runs"]["state"]["type"]["any_"]
            return [run for run in self.runs.values() if run["state_type"] in wanted]
        if path == "/deployments/d1/create_flow_run":
            self.begun.setdefault(body["idempotency_key"], body)
            return {}
        run_id = path.split("/")[2]
        self.runs[run_id]["state_type"] = body["state"]["type"]
        self.told.append((run_id, body["state"]["type"]))
        return {}

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/hub.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def prefect() -> Prefect:
    return Prefect()


def look(url: str, prefect: Prefect) -> list[str]:
    """One look of one host; what it says."""
    said: list[str] = []
    takeover = Takeover(url, "acme", prefect, said.append)  # type: ignore[arg-type]
    takeover.look_now()
    takeover.close()
    return said


def left(store: Store, holder: str, seconds: float = -1.0) -> None:
    """A lease that its holder neither holds any more nor gave back."""
    with store.begin() as connection:
        runs.start_run(connection, "p1", "sync", "2026-01-01T00:00:00.000Z")
        runs.take_lease(connection, "entity:customer", f"{holder}/p1", datetime.now(UTC), seconds)


ELSEWHERE = "host-b:7@:"


def test_a_run_whose_lease_ran_out_is_started_again_once(url: str, store: Store, prefect: Prefect) -> None:
    prefect.add("r1")
    left(store, f"{ELSEWHERE}/flow-run:r1")
    (said,) = look(url, prefect)
    assert said == "r1: its process ended in mid-work (host-b:7): started again where a worker is free"
    assert look(url, prefect) == []
    assert prefect.told == [("r1", "CRASHED")]
    (again,) = prefect.begun.values()
    assert (again["parameters"], again["tags"]) == ({"entities": ["customer"]}, ["hub", "hub-try:2"])
    with store.read() as connection:
        assert (runs.run(connection, "p1") or {})["state"] == "failed"


def test_one_whose_process_died_here_need_not_run_out(url: str, store: Store, prefect: Prefect) -> None:
    name, _, began = identity().rpartition(":")
    prefect.add("r1", "CRASHED")  # Prefect's own worker was quicker to notice
    left(store, f"{name}:{int(began) - 1}/flow-run:r1", seconds=60)
    look(url, prefect)
    assert list(prefect.begun) == ["after r1"]


def test_who_lives_is_left_alone(url: str, store: Store, prefect: Prefect) -> None:
    prefect.add("r1")
    left(store, f"{identity()}/flow-run:r1", seconds=60)
    assert look(url, prefect) == []
    assert prefect.told == []


def test_whose_lease_was_taken_away_can_store_nothing(url: str, store: Store, prefect: Prefect) -> None:
    with store.begin() as connection:
        lease = runs.take_lease(connection, "entity:customer", f"{ELSEWHERE}/p1", datetime.now(UTC), -1)
    look(url, prefect)
    with store.begin() as connection, pytest.raises(Unavailable, match="another pass took over customer"):
        runs.renew_lease(connection, lease, datetime.now(UTC), 30)


def test_what_kills_its_process_every_time_is_given_up(url: str, store: Store, prefect: Prefect) -> None:
    prefect.add("r1", started=TRIES)
    left(store, f"{ELSEWHERE}/flow-run:r1")
    assert look(url, prefect) == ["r1: its process ended in mid-work (host-b:7): what it did is safe"]
    assert (prefect.told, prefect.begun) == ([("r1", "CRASHED")], {})


@pytest.mark.parametrize("flow", ["apply", "plan", "approve"])
def test_what_a_person_started_waits_for_that_person(url: str, store: Store, prefect: Prefect, flow: str) -> None:
    prefect.add("r1", flow=flow)
    left(store, f"{ELSEWHERE}/flow-run:r1")
    look(url, prefect)
    assert (prefect.told, prefect.begun) == ([("r1", "CRASHED")], {})


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED", "CANCELLING"])
def test_a_run_that_was_ended_stays_ended(url: str, store: Store, prefect: Prefect, state: str) -> None:
    prefect.add("r1", state)
    left(store, f"{ELSEWHERE}/flow-run:r1")
    assert look(url, prefect) == []
    assert prefect.told == []


def test_a_pass_that_was_started_by_hand_only_loses_its_lease(url: str, store: Store, prefect: Prefect) -> None:
    left(store, ELSEWHERE)
    assert look(url, prefect) == []
    with store.begin() as connection:
        runs.take_lease(connection, "entity:customer", "another/p2", datetime.now(UTC), 30)


def test_a_run_that_was_given_to_a_worker_that_is_gone_is_given_to_another(url: str, prefect: Prefect) -> None:
    prefect.add("waits", "PENDING", ago=START.total_seconds() + 5)
    prefect.add("begins", "PENDING", ago=5)
    assert look(url, prefect) == ["waits: the worker it was given to is gone: started again where a worker is free"]
    assert (prefect.told, list(prefect.begun)) == ([("waits", "CRASHED")], ["after waits"])


def test_a_server_that_is_away_is_said_once_and_again_when_it_is_back(url: str, prefect: Prefect) -> None:
    said: list[str] = []
    takeover = Takeover(url, "acme", prefect, said.append)  # type: ignore[arg-type]
    for prefect.away in (True, True, False, False):
        takeover._next = 0.0
        takeover.look()
    takeover.close()
    assert [text.partition(":")[0] for text in said] == [
        "nothing can be taken over at present",
        "takeovers are possible again",
    ]


def test_the_holder_of_a_lease_tells_which_run_it_carries_out() -> None:
    assert flow_run_of("host:7@boot:1/flow-run:ab-cd/hints/h1") == "ab-cd"
    assert flow_run_of("host:7@boot:1/h1") == ""
