"""``hub up`` for real: server, worker, deployments and schedules; runs from outside; and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from operate import twin_databases as twins
from operate.running_hub import RunningHub, environment, eventually, running_hub
from operate.small_prefect import small_prefect

from hub.connect import hooks
from hub.errors import ConfigurationError
from hub.operate.deploy import deploy
from hub.operate.facts import Facts, facts_of
from hub.operate.passes import Scope, run_pass
from hub.project import open_project
from hub.project.schedule import Notify
from hub.store import runs
from hub.store.database import open_store

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def hub(folder: Path, *arguments: str, **more: str) -> dict[str, object]:
    command = [sys.executable, "-m", "hub.cli", *arguments, "--project", str(folder), "--json"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**environment(), **more}, timeout=120
    )
    assert done.stdout, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_ready_line_says_where_everything_is(hub_up: RunningHub) -> None:
    assert hub_up.ready["ready"] is True
    assert hub_up.ready["url"].startswith("http://127.0.0.1:")
    assert set(hub_up.ready["deployments"]) == {
        "sync/twins-customer", "sync/twins-customer-full", "sync/twins-everything",
        "plan/twins-plan", "apply/twins-apply", "approve/twins-approve", "prune/twins-prune",
    }  # fmt: skip


def test_schedules_make_runs(hub_up: RunningHub) -> None:
    ids = {name: hub_up.deployment(name)["id"] for name in ("sync/twins-customer", "sync/twins-customer-full")}

    def scheduled() -> set[str]:
        query = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        return {run["deployment_id"] for run in hub_up.api.post("/flow_runs/filter", query)}

    eventually(lambda: scheduled() >= set(ids.values()), "runs of both schedules (see server.log in .hub/prefect)")


def test_a_run_from_outside_does_the_sync_and_says_so(hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    assert first_run["name"] == "sync customer: crm ⇄ erp (incremental)"
    assert (first_run["state_type"], first_run["state"]["message"]) == ("COMPLETED", "12 customers written")
    assert len(twins.contents(hub_up.folder, "erp")) >= 12
    assert {"hub", "project:twins", "entity:customer", "system:crm", "system:erp"} <= set(first_run["tags"])
    artifacts = hub_up.artifacts(first_run["id"])
    assert {"twins-customer-report", "twins-customer-summary", "twins-customer-plan"} <= artifacts.keys()
    assert "12 customers written" in artifacts["twins-customer-report"]["data"]
    rows = json.loads(artifacts["twins-customer-plan"]["data"])
    assert {"system": "erp", "field": "number", "old": "—", "new": "C000"}.items() <= rows[0].items()


def test_what_a_system_tells_is_carried_on_without_a_run(hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    twins.execute(hub_up.folder, "crm", "UPDATE customers SET name = '即时公司' WHERE number = 'C003'")
    body, key = hooks.written("customers", ["C003"]), hooks.key_of(twins.WEBHOOK_SECRET, "crm")
    with requests.Session() as session:
        session.trust_env = False
        address = f"http://{hub_up.ready['webhooks']}/crm"
        assert (
            session.post(address, body, headers={"X-Hub-Signature": "sha256=" + "0" * 64}, timeout=30).status_code
            == 401
        )
        answer = session.post(address, body, headers={"X-Hub-Signature": hooks.sign(body, key)}, timeout=30)
    assert answer.status_code == 202
    eventually(lambda: twins.contents(hub_up.folder, "erp")["C003"][0] == "即时公司", "the new name in the ERP")
    found = hub(hub_up.folder, "status")
    [told] = found["webhooks"]  # type: ignore[misc]
    assert (told["system"], told["accepted"], told["refused"]) == ("crm", 1, 1)  # type: ignore[index]
    assert "hints" not in {run["kind"] for run in found["runs"]}  # type: ignore[attr-defined]


def test_a_run_is_one_task_and_its_log_tells_of_batches(hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    tasks = hub_up.api.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [first_run["id"]]}}})
    assert [t["name"] for t in tasks] == ["pass"]
    # Prefect sends a run's log in the background, a moment after the run's end.
    eventually(lambda: "erp customer: 12 written" in hub_up.logs(first_run["id"]), "a line on the written batch")


def test_an_event_per_system_and_entity_reaches_the_feed(hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    def told() -> set[str]:
        found = hub_up.api.post("/events/filter", {"filter": {"event": {"name": ["hub.records.written"]}}})
        return {event["resource"]["prefect.resource.id"] for event in found["events"]}

    eventually(lambda: "hub.system.erp.customer" in told(), "an event of erp customer")


def test_a_mistake_ends_in_a_message_not_in_a_traceback(hub_up: RunningHub) -> None:
    run = hub_up.run("apply/twins-apply", plan_id="nonsense")
    assert run["state_type"] == "FAILED"
    assert "there is no plan nonsense" in run["state"]["message"]


def test_a_failed_run_is_told_to_the_webhook_of_hub_yaml(hub_up: RunningHub) -> None:
    facts = facts_of_project(hub_up)
    with small_prefect() as receiver:
        address = f"{receiver.url}/robot?key=s3cret"
        notify = Notify.model_validate({"webhook": address, "format": "wecom"})
        done = deploy(replace(facts, notify=notify), api=hub_up.api).done
        assert done["automation hub twins: tell when a run failed or crashed"] == "updated"
        assert done["block custom-webhook/hub-twins-notify"] == "created"
        blocks = hub_up.api.post("/block_documents/filter", {})
        assert "s3cret" not in json.dumps(blocks)
        run = hub_up.run("apply/twins-apply", plan_id="unheard-of")
        eventually(lambda: bool(receiver.to("/robot")), "a message at the webhook")
        (message, *_) = receiver.to("/robot")
    text = message["text"]["content"]
    assert message["msgtype"] == "text"
    assert text.startswith("hub: apply plan unheard-of Failed\n")
    assert "there is no plan unheard-of" in text
    assert f"{hub_up.ready['url']}/v2/runs/flow-run/{run['id']}" in text
    after = deploy(facts, api=hub_up.api).done
    assert after["block custom-webhook/hub-twins-notify"] == "removed"
    assert deploy(facts, api=hub_up.api).changed is False


def test_a_run_that_meets_another_pass_is_skipped_not_failed(hub_up: RunningHub) -> None:
    with open_project(hub_up.folder, connect=False) as project:
        store = open_store(project.store_url)
    with store.begin() as connection:
        lease = runs.take_lease(connection, "entity:customer", "another", datetime.now(UTC), 1e6)
    run = hub_up.run("sync/twins-customer")
    with store.begin() as connection:
        runs.free_lease(connection, lease)
    store.close()
    assert run["state_type"] == "CANCELLED"
    assert run["state"]["message"].startswith("skipped: ")
    assert "another pass is at work on customer" in run["state"]["message"]


def test_a_run_whose_process_is_killed_in_mid_work_is_started_again(
    hub_up: RunningHub, first_run: dict[str, Any]
) -> None:
    with open_project(hub_up.folder, connect=False) as project:
        store = open_store(project.store_url)

    def holder() -> str:
        with store.read() as connection:
            noted = connection.exec_driver_sql("SELECT count(*) FROM intent").scalar()
            found = connection.exec_driver_sql("SELECT owner FROM lease WHERE name = 'entity:customer'").scalar()
        return str(found) if noted else ""

    lock = sqlite3.connect(hub_up.folder / "erp.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # it stands still between what it noted and what it writes
    twins.execute(hub_up.folder, "crm", "UPDATE customers SET name = '重启公司' WHERE number = 'C004'")
    run_id = hub_up.start("sync/twins-customer")
    eventually(lambda: holder() != "", "a write that was noted")
    os.kill(int(holder().partition("@")[0].rpartition(":")[2]), signal.SIGKILL)
    lock.close()
    eventually(lambda: twins.contents(hub_up.folder, "erp")["C004"][0] == "重启公司", "the new name in the ERP")
    store.close()
    assert "started again" in hub_up.api.get(f"/flow_runs/{run_id}")["state"]["message"]
    query = {"flow_runs": {"tags": {"all_": ["hub-try:2"]}, "state": {"type": {"any_": ["COMPLETED"]}}}}
    eventually(lambda: len(hub_up.api.post("/flow_runs/filter", query)) == 1, "an end of the run in its place")


def facts_of_project(hub_up: RunningHub) -> Facts:
    with open_project(hub_up.folder, connect=False) as project:
        return facts_of(project)


def test_the_form_refuses_names_that_the_project_lacks(hub_up: RunningHub) -> None:
    with pytest.raises(ConfigurationError, match="sap"):
        hub_up.start("sync/twins-customer", systems=["sap"])


def test_approving_on_the_form_writes_the_plan(hub_up: RunningHub) -> None:
    twins.execute(hub_up.folder, "crm", "INSERT INTO customers (number, name) VALUES ('A001', '批准公司')")
    planned = hub_up.run("plan/twins-plan")
    assert planned["state"]["message"].startswith("1 write planned, nothing written")
    assert "A001" not in twins.contents(hub_up.folder, "erp")
    report = hub_up.artifacts(planned["id"])["twins-all-report"]["data"]
    plan_id = report.split("`plan_id` = `")[1].split("`")[0]
    run_id = hub_up.start("approve/twins-approve", plan_id=plan_id)
    hub_up.state(run_id, "PAUSED")
    hub_up.api.post(f"/flow_runs/{run_id}/resume", {"run_input": {"apply": True}})
    run = hub_up.state(run_id)
    assert run["state"]["message"] == "1 customer written"
    assert twins.contents(hub_up.folder, "erp")["A001"][0] == "批准公司"


def test_deploying_again_changes_nothing(hub_up: RunningHub) -> None:
    settled = ("id", "version", "schedules", "paused", "parameters", "tags", "concurrency_options", "job_variables")
    before = hub_up.deployment("sync/twins-customer")
    result = hub(hub_up.folder, "deploy", PREFECT_API_URL=hub_up.ready["api"])
    assert result["changed"] is False
    assert set(result["done"].values()) == {"unchanged"}  # type: ignore[attr-defined]
    assert result["advice"] == []
    after = hub_up.deployment("sync/twins-customer")
    assert {k: v for k, v in after.items() if k in settled} == {k: v for k, v in before.items() if k in settled}


def test_a_switch_turned_in_the_ui_stays_turned_when_hub_yaml_changes(hub_up: RunningHub) -> None:
    facts = facts_of_project(hub_up)
    (schedule, *_) = (before := hub_up.deployment("sync/twins-customer"))["schedules"]
    hub_up.api.patch(f"/deployments/{before['id']}/schedules/{schedule['id']}", {"active": False})
    changed = replace(facts, schedules={"customer": facts.schedules["customer"][:1] * 2})
    assert deploy(changed, api=hub_up.api).done["deployment sync/twins-customer"] == "updated"
    active = {s["slug"]: s["active"] for s in hub_up.deployment("sync/twins-customer")["schedules"]}
    assert active == {"schedule-1": False, "schedule-2": True}
    assert hub_up.deployment("sync/twins-customer-full")["paused"] is True
    assert deploy(facts, api=hub_up.api).done["deployment sync/twins-customer-full"] == "updated"
    assert hub_up.deployment("sync/twins-customer-full")["paused"] is False


def test_a_pass_from_the_command_line_shows_in_the_ui(hub_up: RunningHub) -> None:
    twins.execute(hub_up.folder, "crm", "INSERT INTO customers (number, name) VALUES ('X001', '命令行公司')")
    result = hub(hub_up.folder, "sync", "--yes", PREFECT_API_URL=hub_up.ready["api"])
    assert result["writes"] == 1
    query = {"flow_runs": {"tags": {"all_": ["command-line"]}}, "sort": "START_TIME_DESC"}
    run = hub_up.api.post("/flow_runs/filter", query)[0]
    assert (run["name"], run["state"]["message"]) == ("sync customer: crm ⇄ erp (incremental)", "1 customer written")
    assert "twins-all-report" in hub_up.artifacts(run["id"])
    assert "erp customer: 1 written" in hub_up.logs(run["id"])


def test_nothing_is_left_behind_by_ctrl_c_and_what_a_kill_leaves_is_ended_by_the_next(tmp_path: Path) -> None:
    folder = twins.build(tmp_path / "short")
    with running_hub(folder) as first:
        killed = waiting_on_its_form(first)
        left = first.ids()
        first.process.kill()
        first.process.wait(60)
    with running_hub(folder) as second:
        assert living(left) == []
        run = second.api.get(f"/flow_runs/{killed}")
        assert (run["state_type"], run["state"]["message"]) == ("CRASHED", "its process ended with an earlier 'hub up'")
        assert set(second.ready["deployments"].values()) == {"unchanged"}
        stopped = waiting_on_its_form(second)
        ids = second.ids()
        # The server, the worker, and the run that waits on its form: each in a session of its own.
        assert len({os.getsid(pid) for pid in ids}) >= 3
        assert second.stop() == 0
        assert living(ids) == []
        assert second.ids() == []
    assert "stopped with 'hub up'" in last_message(folder, stopped)


def waiting_on_its_form(short: RunningHub) -> str:
    """A run that has a process for as long as nobody answers."""
    outcome = run_pass(str(short.folder), "plan", Scope(), lambda engine: engine.plan())
    assert outcome.report is not None
    assert outcome.report.plan is not None
    run_id = short.start("approve/twins-approve", plan_id=outcome.report.plan.id)
    short.state(run_id, "PAUSED")
    return run_id


def living(ids: list[int]) -> list[int]:
    return [pid for pid in ids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def last_message(folder: Path, run_id: str) -> str:
    """What Prefect's database says of a run when no server runs."""
    with sqlite3.connect(folder / ".hub" / "prefect" / "prefect.db") as connection:
        statement = (
            "SELECT state.message FROM flow_run run JOIN flow_run_state state ON state.id = run.state_id "
            "WHERE replace(run.id, '-', '') = ?"
        )
        return str(connection.execute(statement, [run_id.replace("-", "")]).fetchone()[0])


def test_nobody_outside_this_machine_can_reach_it(hub_up: RunningHub) -> None:
    listening = {
        connection.laddr.ip
        for pid in hub_up.ids()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
