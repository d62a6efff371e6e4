"""Processes of ``hub up``: found by their mark wherever they hide, and ended all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from operate import twin_databases as twins

from hub.errors import ConfigurationError, Unavailable
from hub.operate.facts import facts_of
from hub.operate.processes import MARK, Child, end_all, marked
from hub.operate.stopping import Stop
from hub.operate.up import up
from hub.operate.up_runs import drop_backlog
from hub.operate.up_settings import server_environment, worker_environment
from hub.project import open_project

GRANDPARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {script!r}], start_new_session=True, stdout=subprocess.PIPE)
print(child.stdout.readline().decode().strip(), flush=True)
"""
SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
DEAF = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> Iterator[str]:
    mark = f"test-{os.getpid()}-{request.node.name}"
    yield mark
    end_all(mark, 0.1)


def orphan(mark: str, script: str) -> int:
    """A process in a session of its own whose parent has ended."""
    command = [sys.executable, "-c", GRANDPARENT.format(script=script)]
    done = subprocess.run(command, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def test_a_process_is_found_by_its_mark_when_its_parent_is_gone(mark: str) -> None:
    pid = orphan(mark, SLEEPER)
    assert [p.pid for p in marked(mark)] == [pid]
    assert list(marked(f"{mark}-other")) == []


def test_one_that_does_not_listen_is_ended_all_the_same(mark: str) -> None:
    pids = {orphan(mark, SLEEPER), orphan(mark, DEAF)}
    assert end_all(mark, 0.2) == 2
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    assert end_all(mark) == 0


def test_one_can_be_spared(mark: str) -> None:
    spared, ended = orphan(mark, SLEEPER), orphan(mark, SLEEPER)
    assert end_all(mark, 0.2, but=(spared,)) == 1
    assert [p.pid for p in marked(mark)] == [spared]
    assert ended != spared


def test_a_child_that_ended_by_itself_says_why(mark: str, tmp_path: Path) -> None:
    arguments = ["-c", "import sys; print('no database here'); sys.exit(3)"]
    child = Child("server", arguments, {**os.environ, MARK: mark}, tmp_path / "server.log")
    assert child.wait(30)
    with pytest.raises(Unavailable, match=r"exit code 3.*no database here"):
        child.must_run()


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(mark: str, tmp_path: Path) -> None:
    child = Child("server", ["-c", SLEEPER], {**os.environ, MARK: mark}, tmp_path / "server.log")
    assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)
    child.must_run()
    child.ask_to_end()
    assert child.wait(30)


def test_asked_once_it_waits_asked_twice_it_does_not() -> None:
    stop = Stop()
    with stop.on_signals():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked.is_set()
        assert not stop.at_once.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.at_once.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_are_left_alone_in_other_threads() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with Stop().on_signals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    folder = twins.build(tmp_path / "p")
    with socket.socket() as taken, open_project(folder, connect=False) as project:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigurationError, match="--port"):
            up(facts_of(project), "", port=taken.getsockname()[1])
    assert not (folder / ".hub" / "prefect" / "server.log").exists()


def test_a_second_hub_up_of_the_same_project_is_refused(tmp_path: Path) -> None:
    folder = twins.build(tmp_path / "p")
    home = folder / ".hub" / "prefect"
    home.mkdir(parents=True)
    told = pytest.raises(ConfigurationError, match="running for this project already")
    with open_project(folder, connect=False) as project, FileLock(home / "up.lock"), told:
        up(facts_of(project), "", port=0)


def test_the_servers_settings_keep_it_here_and_silent(tmp_path: Path) -> None:
    theirs = {"PREFECT_API_URL": "https://company/api", "PREFECT_API_KEY": "k", "PREFECT_PROFILE": "work", "PATH": "/x"}
    found = server_environment(tmp_path, 4300, theirs)
    assert not {"PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_PROFILE"} & found.keys()
    assert found["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
    assert found["PREFECT_SERVER_UI_API_URL"] == "/api"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["DO_NOT_TRACK"] == "1"
    assert "flow_runs" in found["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"]
    assert str(tmp_path) in found["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    assert worker_environment(found, "http://127.0.0.1:4300/api", tmp_path)["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


def test_a_database_and_a_login_of_the_users_own_are_used(tmp_path: Path) -> None:
    theirs = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://db/prefect",
        "PREFECT_SERVER_API_AUTH_STRING": "admin:pass",
    }
    found = server_environment(tmp_path, 4300, theirs)
    assert found["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == "postgresql+asyncpg://db/prefect"
    assert found["PREFECT_API_AUTH_STRING"] == "admin:pass"


class FakeServer:
    """As much of a Prefect server as dropping a backlog needs."""

    def __init__(self, runs: list[dict[str, Any]]) -> None:
        self.runs = runs

    def post(self, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        assert path == "/flow_runs/filter"
        assert query["sort"] == "EXPECTED_START_TIME_DESC"
        before = query["flow_runs"]["expected_start_time"]["before_"]
        due = [r for r in self.runs if r["expected_start_time"] < before]
        return sorted(due, key=lambda r: r["expected_start_time"], reverse=True)[: query["limit"]]

    def delete(self, path: str) -> None:
        self.runs = [r for r in self.runs if f"/flow_runs/{r['id']}" != path]


def test_of_a_backlog_only_the_latest_run_of_each_deployment_is_left() -> None:
    def run(minute: int, deployment: str, *, by_schedule: bool = True) -> dict[str, Any]:
        at = datetime(2026, 11, 21, 8, 0, tzinfo=UTC) + timedelta(minutes=minute)
        values = {"id": f"{deployment}-{minute}", "deployment_id": deployment, "auto_scheduled": by_schedule}
        return {**values, "expected_start_time": at.isoformat()}

    due = [run(minute, deployment) for minute in range(0, 600, 2) for deployment in ("customer", "order")]
    server = FakeServer([*due, run(1, "customer", by_schedule=False), run(700, "customer"), run(700, "order")])
    now = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
    assert drop_backlog(server, now) == len(due) - 2  # type: ignore[arg-type]
    assert sorted(r["id"] for r in server.runs) == [
        "customer-1", "customer-598", "customer-700", "order-598", "order-700",
    ]  # fmt: skip
