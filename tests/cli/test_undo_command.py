"""``hub undo`` as people and machines use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operate.twin_databases import contents, execute


def number(hub: Any, folder: Path) -> str:
    """Somebody gives C001 another number by mistake, and the hub carries it on; the run."""
    execute(folder, "crm", "UPDATE customers SET phone = '+8613800000000' WHERE number = 'C001'")
    return str(hub("sync", "--json").data["run"])


def test_a_run_is_planned_then_taken_back_then_quiet(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    before = contents(twins, "erp")["C001"]
    run = number(hub, twins)
    planned = hub("undo", run)
    assert (planned.code, "hub undo" in planned.out) == (0, True)
    assert contents(twins, "erp")["C001"][1] == "+8613800000000"
    done = hub("undo", run, "--yes", "--json")
    assert (done.code, done.data["written"]) == (0, 1)
    (write,) = done.data["writes"]
    assert (write["system"], write["record"], write["fields"]["phone"][0]) == ("erp", "C001", "+8613800000000")
    assert contents(twins, "erp")["C001"] == (before[0], write["fields"]["phone"][1])
    assert contents(twins, "crm")["C001"][1] == "+8613800000000"
    assert hub("sync", "--full", "--json").data["writes"] == 0
    assert "undo" in hub("status").out


def test_what_was_touched_since_is_named_and_needs_a_person(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    run = number(hub, twins)
    execute(twins, "erp", "UPDATE customers SET phone = '+8613900000009' WHERE number = 'C001'")
    said = hub("undo", "last", "--yes")
    assert said.code == 1
    assert "touched" in said.out
    assert "+8613900000009" in said.out
    assert contents(twins, "erp")["C001"][1] == "+8613900000009"
    assert hub("undo", run, "--plan", "--json").data["held"][0]["reason"] == "touched"


def test_wrong_questions_are_told(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    assert hub("undo", "nonsense").code == 2
    assert hub("undo", "last", "--plan", "--yes").code == 2
    assert "one of: customer" in hub("undo", "last", "--entity", "invoice").err
    assert hub("undo", "last", "--field", "nonsense").code == 2


def test_two_records_are_merged_and_stand_apart_again(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    done = hub("merge", "customer", "C001", "C002", "--json")
    assert (done.code, {link["now"] for link in done.data["links"]}) == (1, {"merged"})
    assert hub("sync", "--full", "--json").data["writes"] == 0
    assert "one too many" in hub("merge", "customer", "C001", "C003").out
    assert hub("undo", done.data["run"], "--yes", "--json").code == 0
    assert hub("undo", done.data["run"], "--yes").code == 2
    assert hub("sync", "--full", "--json").data["writes"] == 0
    assert hub("explain", "customer", "C002", "--json").data["deleted"] is None
    assert hub("merge", "customer", "C001", "nobody").code == 2


def test_reconcile_compares_then_repairs(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    execute(twins, "crm", "UPDATE customers SET phone = '+8613800000000' WHERE number = 'C001'")
    found = hub("reconcile")
    assert found.code == 1
    assert "hub reconcile --repair" in found.out
    assert hub("reconcile", "customer", "--json").data["differences"] == 1
    repaired = hub("reconcile", "--repair", "--json")
    assert (repaired.code, repaired.data["writes"], repaired.data["differences"]) == (0, 1, 0)
    assert contents(twins, "erp")["C001"][1] == "+8613800000000"
