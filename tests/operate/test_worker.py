"""``hub worker`` on one host; several of them are tried in tests/workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from operate.small_prefect import small_prefect

from hub.errors import ConfigurationError
from hub.operate import worker
from hub.operate.facts import Facts
from hub.operate.stopping import Stop
from hub.operate.up_settings import client_environment, worker_arguments, worker_environment


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts("acme", tmp_path, {})


def test_it_has_to_know_for_whom_it_works(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(ConfigurationError, match="no Prefect server is named"):
        worker.work(facts, "")


def test_a_second_one_of_the_same_name_is_refused(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    home = facts.folder / ".hub" / "worker-one"
    home.mkdir(parents=True)
    with FileLock(home / "up.lock"), pytest.raises(ConfigurationError, match="a worker named one runs here already"):
        worker.work(facts, "", name="one")


def test_prefects_worker_is_started_again_whenever_it_ends(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "worker_arguments", lambda *_: ["-c", "print('the server is away')"])
    monkeypatch.setattr(worker, "AGAIN", (0.0,))
    said: list[str] = []
    stop = Stop()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            stop.asked.set()

    with small_prefect() as prefect:
        prefect.body = "[]"
        monkeypatch.setenv("PREFECT_API_URL", prefect.url)
        worker.work(facts, f"sqlite:///{facts.folder}/hub.db", name="one", say=say, stop=stop)
    assert [text.partition(" / ")[0] for text in said] == [
        "Prefect's worker ended, and is started again in 0 s: the server is away"
    ] * 2


def test_its_runs_find_the_project_and_the_server_whatever_the_profile_says(tmp_path: Path) -> None:
    theirs = {"PREFECT_PROFILE": "work", "PREFECT_API_AUTH_STRING": "hub:pass", "PATH": "/x"}
    found = worker_environment(client_environment(tmp_path / "w", theirs), "http://10.0.0.5:4200/api", tmp_path)
    assert "PREFECT_PROFILE" not in found
    assert found["HUB_PROJECT"] == str(tmp_path)
    assert (found["PREFECT_API_URL"], found["PREFECT_API_AUTH_STRING"]) == ("http://10.0.0.5:4200/api", "hub:pass")
    assert found["PREFECT_HOME"] == str(tmp_path / "w")
    assert "one" in worker_arguments("hub", "one", 2)
