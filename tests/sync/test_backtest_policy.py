"""What a changed policy would have made of a company's edits: held against a company that had that policy all along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.store import records
from hub.sync import applied
from hub.sync.backtest_policy import PolicyBacktest, backtest_policy, changes_between
from hub.sync.policy import EntityPolicy

BOTH = {"crm": "both", "erp": "both"}


def lived(path: Path, directions: dict[str, str] | None = None, **policy: Any) -> World:
    """A company and the same three weeks of edits, whatever its policy is."""
    path.mkdir()
    world = World(path, directions=directions, **policy)
    world.directions = directions or dict(BOTH)
    crm = [world.crm.add("customers", name=f"C{n}", tel="13800000000", credit=n) for n in range(4)]
    world.sync()
    erp = {row["name"]: key for key, row in world.erp.rows["customers"].items()}
    world.erp.edit("customers", erp["C0"], credit=70)  # an edit of one side
    world.crm.edit("customers", crm[1], tel="13900000001")  # both sides, the ERP's later
    world.erp.edit("customers", erp["C1"], tel="13700000001")
    world.erp.edit("customers", erp["C2"], tel="13700000002")  # both sides, the CRM's later
    world.crm.edit("customers", crm[2], tel="13900000002")
    world.sync()
    world.erp.edit("customers", erp["C0"], credit=80)  # another edit of the first one
    world.crm.edit("customers", crm[3], name="C3 new")
    world.sync()
    return world


def held(world: World) -> dict[tuple[str, str], Any]:
    with world.engine() as engine, engine.store.read() as connection:
        keys = [row["hub_id"] for row in _rows(engine, connection)]
        found = records.load(connection, keys).values()
    names = ("phone", "credit_limit", "name")
    return {(str(r.values["name"]).split()[0], n): r.values.get(n) for r in found for n in names}


def _rows(engine: Any, connection: Any) -> list[dict[str, Any]]:
    from hub.store import observed

    return [{"hub_id": key} for key in observed.decided(connection, "customer")]


def tried(world: World, directions: dict[str, str] | None = None, **policy: Any) -> PolicyBacktest:
    with world.engine() as engine:
        old = engine.setup.policies["customer"]
        new = EntityPolicy("customer", dict(directions or BOTH), **policy)  # type: ignore[arg-type]
        return backtest_policy(engine.store, engine.setup, old, new)


POLICIES: list[dict[str, Any]] = [
    {"authority": {"credit_limit": "crm"}},
    {"authority": {"phone": "erp"}},
    {"authority": {"phone": "crm", "credit_limit": "crm", "name": "erp"}},
    {"conflict": ("erp", "crm")},
    {"conflict": ("crm", "erp")},
    {"conflict": "hold"},
    {"field_conflict": {"phone": ("crm", "erp")}},
]


@pytest.mark.parametrize("changed", POLICIES, ids=lambda changed: str(next(iter(changed.items()))))
def test_what_it_foretells_is_what_a_company_with_that_policy_holds(tmp_path: Path, changed: dict[str, Any]) -> None:
    old, other = lived(tmp_path / "old"), lived(tmp_path / "other", **changed)
    report = tried(old, **changed)
    now, would = held(old), held(other)
    real = {key: (now[key], would[key]) for key in now if now[key] != would[key]}
    foretold = {
        (sample["record"].split()[0], sample["path"]): (sample["before"], sample["after"])
        for one in report.differences
        if one.what == "hub"
        for sample in one.samples
    }
    assert foretold == real


def test_the_same_policy_changes_nothing(tmp_path: Path) -> None:
    report = tried(lived(tmp_path / "old"))
    assert (report.changes, report.differing, report.differences) == ([], 0, [])
    assert (report.records, report.decisions) == (4, 7)


def test_decisions_are_told_with_both_outcomes_and_where_it_would_be_written(tmp_path: Path) -> None:
    report = tried(lived(tmp_path / "old"), authority={"credit_limit": "crm"})
    assert report.changes == ["authority.credit_limit: — → crm"]
    decision, hub, write = report.differences[0], report.differences[1], report.differences[2]
    assert (decision.what, decision.system, decision.field, decision.records) == ("decision", "erp", "credit_limit", 1)
    assert (decision.samples[0]["before"], decision.samples[0]["after"]) == (
        "accepted (edit): 70",
        "refused (authority): 0",
    )
    assert (hub.samples[0]["before"], hub.samples[0]["after"]) == ("80", "0")
    assert {d.system for d in report.differences if d.what == "write"} == {"crm", "erp"}
    assert write.what == "write"
    assert report.differing == 1


def test_what_a_system_would_not_be_asked_for_any_more_is_not_taken(tmp_path: Path) -> None:
    report = tried(lived(tmp_path / "old"), {"crm": "both", "erp": "out"})
    decided = [d for d in report.differences if d.what == "decision"]
    assert {d.system for d in decided} == {"erp"}
    assert decided[0].samples[0]["after"] == "not read (direction)"
    hub = {(s["record"], s["path"]): s["after"] for d in report.differences if d.what == "hub" for s in d.samples}
    assert hub == {("C0", "credit_limit"): "0", ("C1", "phone"): "+8613900000001"}


def test_writes_that_would_not_be_made_and_deletions_that_would_mean_another_thing(tmp_path: Path) -> None:
    world = lived(tmp_path / "old")
    world.crm.remove("customers", next(iter(world.crm.rows["customers"])))
    world.sync()
    report = tried(world, {"crm": "both", "erp": "in"}, deletes="ignore")
    found = {(d.what, d.system): d for d in report.differences}
    assert found["unwritten", "erp"].records == 4
    assert (found["delete", "crm"].samples[0]["before"], found["delete", "crm"].samples[0]["after"]) == (
        "archive", "ignore")  # fmt: skip
    assert tried(world, create={"erp": False}).differences[-1].samples[0]["before"] == "create"


def test_only_decisions_since_then_are_made_again(tmp_path: Path) -> None:
    world = lived(tmp_path / "old")
    with world.engine() as engine:
        old = engine.setup.policies["customer"]
        new = EntityPolicy("customer", BOTH, conflict="hold")  # type: ignore[arg-type]
        late = backtest_policy(engine.store, engine.setup, old, new, since=world.clock.text())
    assert (late.records, late.decisions, late.differing) == (0, 0, 0)


def test_a_pass_remembers_the_policy_it_worked_by(tmp_path: Path) -> None:
    world = lived(tmp_path / "old", field_conflict={"phone": ("crm", "erp")}, create={"erp": True})
    with world.engine() as engine, engine.store.read() as connection:
        known = applied.last_policy(connection, "customer")
        assert known == engine.setup.policies["customer"]
        assert applied.last_policy(connection, "nothing") is None


def test_changes_are_told_in_words() -> None:
    old = EntityPolicy("customer", {"crm": "both", "erp": "both"}, {"phone": "crm"})
    new = EntityPolicy("customer", {"erp": "both", "crm": "both"}, {"phone": "erp"}, ("erp", "crm"), deletes="ignore")
    assert changes_between(old, new) == [
        "authority.phone: crm → erp",
        "order of systems: crm, erp → erp, crm",
        "conflict: newest → erp, crm",
        "deletes: archive → ignore",
    ]
