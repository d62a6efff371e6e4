"""The commands on a real project: two databases, one mapping each, everything through the program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from operate.twin_databases import contents, execute

from hub.cli.reference import markdown


def test_a_new_project_is_made_once(hub, tmp_path: Path) -> None:
    said = hub("init", tmp_path / "shop", "--json")
    assert said.code == 0
    assert said.data == {"project": str(tmp_path / "shop")}
    again = hub("init", tmp_path / "shop")
    assert again.code == 2
    assert "not empty" in again.err


def test_outside_a_project_the_cure_is_told(hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("sync",), ("status",), ("validate",), ("test",), ("check",), ("up",), ("conflicts",)):
        said = hub(*words)
        assert said.code == 2, words
        assert "hub init" in said.err, words


def test_a_named_project_must_be_one(hub, twins: Path) -> None:
    (twins / "sub").mkdir()
    assert hub("status", "--project", twins).code == 0
    said = hub("status", "--project", twins / "sub")
    assert said.code == 2
    assert "no hub.yaml in this folder" in said.err


def test_validate_passes_a_right_project_and_places_what_is_wrong(hub, twins: Path) -> None:
    assert hub("validate", "--json").data["ok"] is True
    mapping = twins / "mappings" / "erp" / "customers.yaml"
    mapping.write_text(mapping.read_text("utf-8").replace("phone: phone", "phoen: phone"), "utf-8")
    said = hub("validate", "--json")
    assert said.code == 2
    (problem,) = said.data["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(mapping), 8, 3)
    assert "phone" in problem["cure"]
    assert f"{mapping}:8:3" in hub("validate").out


def test_validate_takes_one_file_also_outside_a_project(hub, twins: Path, tmp_path: Path) -> None:
    good = twins / "mappings" / "crm" / "customers.yaml"
    alone = tmp_path / "alone.yaml"
    alone.write_text(good.read_text("utf-8") + "  nonsense: x\n", "utf-8")
    assert hub("validate", good).code == 0
    said = hub("validate", alone, "--json")
    assert said.code == 2
    assert [p["line"] for p in said.data["problems"]] == [9]


def test_validate_reads_mappings_that_nothing_uses_yet(hub, twins: Path) -> None:
    (twins / "mappings" / "crm" / "orders.yaml").write_text(
        "version: 1\nresource: orders\nentity: ordr\nfields: {number: no}\n", "utf-8"
    )
    said = hub("validate", "--json")
    assert said.code == 2
    assert any("ordr" in p["message"] for p in said.data["problems"])


def test_examples_are_tried_in_both_directions(hub, twins: Path) -> None:
    (twins / "mappings" / "crm" / "customers_test.yaml").write_text(
        "- name: right\n  remote: {number: C1, name: 上海, phone: '+861055550002'}\n"
        "  canonical: {number: C1, name: 上海, phone: '+861055550002'}\n"
        "- name: wrong\n  direction: in\n  remote: {number: C1}\n  canonical: {number: C2}\n",
        "utf-8",
    )
    said = hub("test", "--json")
    assert said.code == 2
    assert said.data["passed"] == 2
    (failed,) = said.data["failed"]
    assert (failed["example"], failed["line"]) == ("wrong", 4)
    assert failed["differences"] == ["number: wanted 'C2', got 'C1'"]


def test_check_and_describe_ask_the_live_system(hub, twins: Path) -> None:
    said = hub("check", "--json")
    assert {row["system"]: row["resources"] for row in said.data["systems"]} == {
        "crm": {"customers": 4},
        "erp": {"customers": 4},
    }
    assert not said.data["problems"]
    fields = hub("describe", "crm", "customers", "--json").data["resources"][0]["fields"]
    assert {f["name"] for f in fields} == {"number", "name", "phone", "updated_at"}
    assert "customers" in hub("describe", "crm").out
    unknown = hub("describe", "crn")
    assert unknown.code == 2
    assert "crm" in unknown.err


def test_check_finds_a_mapping_that_the_system_has_left_behind(hub, twins: Path) -> None:
    hub("check")
    execute(twins, "erp", "DROP TRIGGER touched")
    execute(twins, "erp", "ALTER TABLE customers RENAME COLUMN phone TO telephone")
    said = hub("check", "--json")
    assert said.code == 2
    assert any("phone" in p["message"] and "erp" in p["file"] for p in said.data["problems"])


def test_check_names_the_missing_secret_of_each_system(hub, twins: Path) -> None:
    env = (twins / ".env").read_text("utf-8").splitlines()
    (twins / ".env").write_text(env[0] + "\n", "utf-8")
    said = hub("check", "--json")
    assert said.code == 2
    rows = {row["system"]: row["error"] for row in said.data["systems"]}
    assert "ERP_URL" in rows["erp"]["what"]
    assert "ERP_URL" in rows["erp"]["cure"]


def test_plan_writes_nothing_and_apply_writes_exactly_it(hub, twins: Path) -> None:
    said = hub("plan", "--out", "plan.json", "--json")
    assert said.code == 0
    assert said.data == json.loads((twins / "plan.json").read_text("utf-8"))
    write = next(w for w in said.data["writes"] if w["title"] == "上海市第1贸易有限公司")
    assert (write["system"], write["resource"], write["action"]) == ("erp", "customers", "create")
    assert write["fields"]["name"] == [None, "上海市第1贸易有限公司"]
    assert {"id", "state", "writes", "held"} <= set(said.data)
    assert contents(twins, "erp") == {}
    applied = hub("apply", "plan.json", "--json")
    assert applied.code == 0
    assert applied.data["writes"] == 5
    assert len(contents(twins, "erp")) == 5


def test_apply_refuses_when_something_moved_and_names_the_record(hub, twins: Path) -> None:
    plan = hub("plan", "--json").data["id"]
    execute(twins, "crm", "UPDATE customers SET name = '新名' WHERE number = 'C002'")
    said = hub("apply", plan, "--json")
    assert said.code == 2
    assert "第2贸易有限公司" in said.data["error"]["what"]
    assert contents(twins, "erp") == {}


@pytest.mark.parametrize("text", ["no-such-file.json", "hub.yaml"])
def test_apply_refuses_what_is_no_plan(hub, twins: Path, text: str) -> None:
    said = hub("apply", text)
    assert said.code == 2
    assert "hub plan" in said.err


def test_sync_brings_both_into_agreement_and_then_is_quiet(hub, twins: Path) -> None:
    first = hub("sync", "--json")
    assert first.code == 0
    assert first.data["ok"] is True
    assert first.data["writes"] == 5
    assert {n: name for n, (name, _) in contents(twins, "erp").items()} == {
        n: name for n, (name, _) in contents(twins, "crm").items()
    }
    assert hub("sync", "--json").data["writes"] == 0
    assert "no changes" in hub("sync").out


def test_sync_refuses_unknown_names(hub, twins: Path) -> None:
    assert hub("sync", "custmer").code == 2
    assert hub("sync", "--system", "crn").code == 2


def test_a_conflict_is_listed_decided_and_written(hub, twins: Path) -> None:
    hub("sync", "--yes")
    for system, digit in (("crm", 1), ("erp", 2)):
        execute(twins, system, f"UPDATE customers SET phone = '+86105555000{digit}' WHERE number = 'C003'")
    said = hub("sync", "--json")
    assert said.code == 1
    assert said.data["open_conflicts"] == 1
    listed = hub("conflicts", "--json")
    assert listed.code == 1
    (conflict,) = listed.data["conflicts"]
    assert (conflict["title"], conflict["path"]) == ("Hamburg市第3贸易有限公司", "phone")
    number = str(conflict["id"])
    assert hub("conflicts", "show", number, "--json").data["path"] == "phone"
    assert "Hamburg市第3贸易有限公司" in hub("conflicts").out
    assert hub("conflicts", "resolve", number).code == 2
    assert hub("conflicts", "resolve", number, "--take", "mine").code == 2
    assert hub("conflicts", "resolve", number, "--take", "ours", "--new").code == 2
    assert hub("conflicts", "resolve", number, "--value", "+86 138 0013 8000").code == 0
    hub("sync", "--yes")
    assert {contents(twins, s)["C003"][1].replace(" ", "") for s in ("crm", "erp")} == {"+8613800138000"}
    assert hub("conflicts").code == 0
    assert hub("conflicts", "show", number).code == 2


def test_a_refused_record_becomes_a_letter_that_can_be_replayed_or_discarded(hub, twins: Path) -> None:
    execute(twins, "erp", "CREATE TRIGGER picky BEFORE INSERT ON customers WHEN new.number = 'C004' BEGIN "
                          "SELECT RAISE(ABORT, 'not this one'); END")  # fmt: skip
    said = hub("sync", "--json")
    assert said.code == 1
    assert said.data["open_letters"] == 1
    assert len(contents(twins, "erp")) == 4
    listed = hub("letters", "--json")
    assert listed.code == 1
    (letter,) = listed.data["letters"]
    assert "not this one" in letter["message"]
    number = str(letter["id"])
    assert "not this one" in hub("letters", "show", number).out
    assert hub("letters", "replay").code == 2
    execute(twins, "erp", "DROP TRIGGER picky")
    assert hub("letters", "replay", number, "--json").data == {"replayed": 1}
    assert hub("sync").code == 0
    assert len(contents(twins, "erp")) == 5
    assert hub("letters", "discard", number).code == 2


def test_status_and_explain_tell_where_things_stand(hub, twins: Path) -> None:
    hub("sync")
    status = hub("status", "--json").data
    assert status["records"] == {"customer": 5}
    assert {(f["system"], f["records"]) for f in status["feeds"]} == {("crm", 5), ("erp", 5)}
    assert "crm" in hub("status").out
    told = hub("explain", "customer", "C001", "name", "--json").data
    assert told["fields"]["name"]["from"] == "crm"
    assert told["fields"]["name"]["mapping"].endswith("customers.yaml:7:3")
    assert set(told["links"]) == {"crm", "erp"}
    assert "上海市第1贸易有限公司" in hub("explain", "customer", "C001").out
    assert hub("explain", "customer", "nobody").code == 2


def test_a_system_that_is_down_is_told_and_the_exit_code_is_3(hub, twins: Path) -> None:
    hub("sync")
    (twins / "erp.db").write_bytes(b"this is not a database" * 100)
    said = hub("sync", "--json")
    assert said.code == 3
    assert said.data["ok"] is False
    assert {f["system"] for f in said.data["failures"]} == {"erp"}


def test_a_configured_prefect_server_that_is_dead_hurts_nothing(
    hub, twins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    said = hub("sync", "--json")
    assert said.code == 0
    assert said.data["writes"] == 5


def test_deploy_needs_a_server(hub, twins: Path) -> None:
    said = hub("deploy")
    assert said.code == 2
    assert "PREFECT_API_URL" in said.err


def test_a_pass_from_the_command_line_imports_no_prefect(twins: Path) -> None:
    program = (
        "import sys; from hub.cli.main import main\n"
        "try: main(['sync', '--json'])\n"
        "except SystemExit as end: code = end.code\n"
        "sys.exit(code or ('prefect loaded' if 'prefect' in sys.modules else 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["writes"] == 5


def test_the_reference_in_the_documentation_is_the_programs() -> None:
    file = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
    assert file.read_text("utf-8") == markdown().rstrip() + "\n", "run make generated"
