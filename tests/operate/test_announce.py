"""A pass from the command line in Prefect's UI: told when a server is there, never hurt when it is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from operate.reports import report
from operate.small_prefect import SmallPrefect, small_prefect

from hub.errors import AuthenticationError, ConfigurationError, HubError, Unavailable, UnexpectedAnswer
from hub.operate import announce, api
from hub.operate.announce import Announcer
from hub.operate.api import PrefectApi
from hub.operate.artifacts import Artifact
from hub.operate.passes import Outcome
from hub.sync.report import Counts, Event

WRITTEN = Event("batch.written", "r1", {"system": "zoho", "entity": "customer", "ok": 3, "failed": 0})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BUSY", (0.0, 0.0))


@pytest.fixture
def server() -> Iterator[SmallPrefect]:
    with small_prefect() as found:
        yield found


def test_a_busy_server_is_asked_again(server: SmallPrefect) -> None:
    server.status = 503
    with pytest.raises(Unavailable, match="503"):
        PrefectApi(server.url).get("/flows/x")
    assert len(server.calls) == 3


def announcer(server: SmallPrefect) -> Announcer:
    return Announcer("acme", "sync customer: a ⇄ b", tags=["hub"], api=PrefectApi(server.url, timeout=5))


def outcome() -> Outcome:
    return Outcome(
        report=report(Counts("zoho", "customer", updated=3)),
        artifacts=[Artifact("acme-all-report", "markdown", "What the pass did", "# 报告")],
        events=[{"event": "hub.pass.finished", "resource": {"prefect.resource.id": "hub.pass.acme"}, "payload": {}}],
    )


def test_a_pass_becomes_a_run_with_log_artifacts_events_and_a_last_word(server: SmallPrefect) -> None:
    with announcer(server) as told:
        told(WRITTEN)
        told.finish(outcome())
    (run,) = server.to("/flow_runs/")
    assert (run["name"], run["state"]["type"], run["tags"]) == (
        "sync customer: a ⇄ b",
        "RUNNING",
        ["hub", "command-line"],
    )
    assert [entry["message"] for (entry,) in server.to("/logs/")] == ["zoho customer: 3 written"]
    (artifact,) = server.to("/artifacts/")
    assert (artifact["key"], artifact["data"], artifact["flow_run_id"]) == ("acme-all-report", "# 报告", told.run_id)
    names = [event["event"] for events in server.to("/events") for event in events]
    assert names == ["prefect.flow-run.heartbeat", "hub.pass.finished"]
    (last,) = server.to(f"/flow_runs/{told.run_id}/set_state")
    assert last["state"] == {"type": "COMPLETED", "name": "Completed", "message": "3 customers written"}
    assert told.url == f"{server.url.removesuffix('/api')}/runs/flow-run/{told.run_id}"


def last_state(server: SmallPrefect) -> dict[str, str]:
    state: dict[str, str] = server.calls[-1][2]["state"]
    return state


def test_an_error_of_the_hub_fails_the_run_with_its_words(server: SmallPrefect) -> None:
    with pytest.raises(ConfigurationError), announcer(server):
        raise ConfigurationError("hub.yaml is wrong", where="hub.yaml:3:1", cure="mend it")
    expected = "hub.yaml:3:1: hub.yaml is wrong → mend it"
    assert last_state(server) == {"type": "FAILED", "name": "Failed", "message": expected}


def test_any_other_end_is_a_crash(server: SmallPrefect) -> None:
    with pytest.raises(KeyboardInterrupt), announcer(server):
        raise KeyboardInterrupt
    assert last_state(server) == {"type": "CRASHED", "name": "Crashed", "message": "ended by KeyboardInterrupt"}


def test_a_pass_turned_away_by_another_is_cancelled(server: SmallPrefect) -> None:
    busy = Unavailable("another pass is at work on customer until noon at the latest")
    with pytest.raises(Unavailable), announcer(server):
        raise busy
    assert last_state(server)["type"] == "CANCELLED"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "hub.announce"]


def test_a_dead_server_is_told_of_once_and_hurts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with small_prefect() as gone:
        pass
    with announcer(gone) as told:
        for _ in range(5):
            told(WRITTEN)
        told.finish(outcome())
    assert told.url is None
    (warning,) = warnings(caplog)
    assert "not shown in Prefect's UI" in warning


def test_a_server_that_breaks_midway_hurts_nothing(server: SmallPrefect, caplog: pytest.LogCaptureFixture) -> None:
    server.fail_on = "/api/logs"
    with announcer(server) as told:
        told(WRITTEN)
        told.finish(outcome())
    assert len(warnings(caplog)) == 1
    assert server.to("/artifacts/") == []


def test_a_server_that_never_answers_is_not_waited_for(server: SmallPrefect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "PATIENCE", 0.05)
    server.hold.clear()
    with announcer(server) as told:
        for _ in range(announce.WAITING * 2):
            told(WRITTEN)
        told.finish(outcome())
    assert told.run_id is None
    assert len(server.calls) == 1


def test_without_a_server_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with Announcer("acme", "sync") as told:
        told(WRITTEN)
        told.finish(outcome())
    assert told.api is None


def test_inside_a_run_of_prefects_own_nothing_is_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "x")
    assert Announcer("acme", "sync").api is None


def test_telling_a_server_does_not_import_prefect() -> None:
    modules = "announce, api, artifacts, automations, deploy, deployments, desk, events, facts, logs, markdown, passes"
    script = (
        f"import sys; from hub.operate import {modules}, processes, tables, up, words; print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (401, "{}", AuthenticationError, "PREFECT_API_AUTH_STRING"),
        (403, "{}", AuthenticationError, "PREFECT_API_AUTH_STRING"),
        (404, "{}", ConfigurationError, "ends in /api"),
        (422, '{"detail": "cron"}', ConfigurationError, "cron"),
        (503, "busy", Unavailable, "busy"),
        (200, "<html>", UnexpectedAnswer, "no Prefect server"),
    ],
)
def test_refusals_of_a_server_are_typed_and_say_what_to_do(
    server: SmallPrefect, status: int, body: str, error: type[HubError], told: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(error, match=told):
        PrefectApi(server.url).get("/flows/x")


def test_what_is_not_there_is_none_where_that_is_a_question(server: SmallPrefect) -> None:
    server.status = 404
    assert PrefectApi(server.url).find("/work_pools/hub") is None


def test_a_login_never_shows() -> None:
    secretive = PrefectApi("http://127.0.0.1:1/api", auth="admin:s3cret")
    assert "s3cret" not in repr(secretive)
    with pytest.raises(Unavailable) as down:
        secretive.get("/health")
    assert "s3cret" not in str(down.value)


def test_the_server_comes_from_the_environment(server: SmallPrefect) -> None:
    assert PrefectApi.from_environment({}) is None
    found = PrefectApi.from_environment({"PREFECT_API_URL": f"{server.url}/"})
    assert found is not None
    assert found.url == server.url
