"""No record is created by the hub itself where a create with a lost answer could not be found again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from operate import twin_databases

Hub = Callable[..., object]


@pytest.fixture
def keyless(twins: Path) -> Path:
    """The twins, but rows of the ERP carry nothing to find them by: numbers count up, and nothing is unique."""
    with sqlite3.connect(twins / "erp.db") as connection:
        connection.execute("DROP TABLE customers")
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, number TEXT, name TEXT, phone TEXT)")
    connection.close()
    text = (twins / "hub.yaml").read_text("utf-8")
    old = 'url: "${ERP_URL}", tables: {customers: {key: number, cursor: updated_at}}'
    assert old in text
    (twins / "hub.yaml").write_text(text.replace(old, 'url: "${ERP_URL}"'), "utf-8")
    return twins


def allow(folder: Path, how: str) -> None:
    path = folder / "hub.yaml"
    path.write_text(
        path.read_text("utf-8").replace("    conflict: hold\n", f"    conflict: hold\n    {how}\n"), "utf-8"
    )


def test_creates_are_held_with_the_reason_and_the_way_out(keyless: Path, hub) -> None:
    plan = hub("plan", "--json").data
    assert plan["writes"] == []
    assert {held["reason"] for held in plan["held"]} == {"unproven"} and len(plan["held"]) == 5
    detail = plan["held"][0]["detail"]
    assert "lost answer can't be found again" in detail and "entities.customer.create: {erp: unproven}" in detail
    done = hub("sync", "--yes")
    assert done.code == 1 and "creates are held" in done.out
    assert twin_databases.contents(keyless, "erp") == {}


def test_check_says_where_creates_are_held(keyless: Path, hub) -> None:
    said = hub("check", "--json")
    rows = {row["system"]: row for row in said.data["systems"]}
    assert said.code == 1
    assert rows["crm"]["creates"]["customers"] | {"says": ""} == {
        "how": "natural", "proof": "proven", "held": False, "says": "",
    }  # fmt: skip
    assert rows["erp"]["creates"]["customers"]["held"] is True and rows["erp"]["tier"] == "platinum"
    assert any("creates are held for a person" in problem for problem in rows["erp"]["problems"])


def test_the_risk_can_be_taken_knowingly(keyless: Path, hub) -> None:
    allow(keyless, "create: {erp: unproven}")
    assert hub("sync", "--yes").code == 0
    assert len(twin_databases.contents(keyless, "erp")) == 5
    row = next(r for r in hub("check", "--json", "erp").data["systems"])
    assert row["creates"]["customers"]["held"] is False
    assert not any("creates are held" in problem for problem in row["problems"])


def test_a_key_of_the_hub_is_all_that_is_missing(keyless: Path, hub) -> None:
    path = keyless / "hub.yaml"
    path.write_text(path.read_text("utf-8").replace('url: "${ERP_URL}"', 'url: "${ERP_URL}", keys_table: hub_keys'))
    assert hub("sync", "--yes").code == 0
    assert len(twin_databases.contents(keyless, "erp")) == 5


def test_what_was_found_in_this_system_counts_more_than_what_the_sandbox_showed(twins: Path, hub) -> None:
    folder = twins / "capabilities"
    folder.mkdir()
    (folder / "erp.yaml").write_text("tier: silver\ncreates: {customers: []}\n", "utf-8")
    held = hub("plan", "--json").data["held"]
    assert {h["reason"] for h in held} == {"unproven"} and "not proven (capabilities/erp.yaml)" in held[0]["detail"]
