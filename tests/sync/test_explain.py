"""The chain of a value, now and in the past: who, where, when, by which line, under which rule, carried on by what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, World

from hub.errors import ConfigurationError, RecordRejected


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def told(
    world: World, field: str, *, entity: str = "customer", key: str = "A", at: str | None = None
) -> dict[str, Any]:
    with world.engine() as engine:
        return engine.explain(entity, key, field, at)["fields"][field]


def kinds(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["kind"], step["system"]) for step in found["steps"]]


def test_every_link_of_the_chain_is_there(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    world.crm.edit("customers", a, tel="13900000000")
    edited = world.crm.row("customers", a)["_at"]
    run = world.sync().run
    (b,) = world.erp.rows["customers"]
    found = told(world, "phone")
    assert kinds(found) == [("new", "crm"), ("written", "erp"), ("observed", "crm"), ("written", "erp")]
    assert (found["by"], found["at"]) == ("user", edited)
    new, created, seen, carried = found["steps"]
    assert (new["theirs"], new["by"], new["rule"]) == ("+8613800000000", "user", "first")
    assert created["fields"] == {"phone": [None, "+8613800000000"]}
    assert created["answer"]["id"] == b
    assert (seen["base"], seen["theirs"], seen["edited_at"]) == ("+8613800000000", "+8613900000000", edited)
    assert seen["mapping"] == "crm/customer.yaml:10:3"
    assert seen["operators"] == "{field: tel, via: {phone: {region: CN}}}"
    assert seen["why"] == "nobody else had changed it since the two last agreed"
    assert carried["mapping"] == "erp/customer.yaml:10:3"
    assert carried["run"] == run
    assert carried["answer"] == {"id": b, "version": world.erp.row("customers", b)["_version"], "shows": None}


def test_the_other_candidates_are_named_with_who_gave_them_and_when(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    (b,) = world.erp.rows["customers"]
    world.erp.edit("customers", b, tel="13700000000")
    world.crm.edit("customers", a, tel="13900000000")
    world.sync()
    lost = next(s for s in told(world, "phone")["steps"] if s.get("rule") == "newest")
    assert lost["why"] == "both sides had changed it: the later edit wins"
    assert lost["system"] == "erp"
    assert [(c["system"], c["value"], c["by"], c["taken"]) for c in lost["candidates"]] == [
        ("erp", "+8613700000000", "user", False),
        ("crm", "+8613900000000", "user", True),
    ]
    assert lost["candidates"][0]["at"] < lost["candidates"][1]["at"]


def test_a_refusal_names_the_owner(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"credit_limit": "crm"})
    world.crm.add("customers", name="A", credit=1)
    world.sync()
    (b,) = world.erp.rows["customers"]
    world.erp.edit("customers", b, credit=9)
    world.sync()
    found = told(world, "credit_limit")
    refused = next(s for s in found["steps"] if s.get("decision") == "refused")
    assert (refused["theirs"], refused["why"]) == ("9", "crm owns it")
    assert found["steps"][-1]["fields"] == {"credit_limit": ["9", "1"]}
    assert found["owner"] == "crm"


def test_the_past_is_told_as_it_was(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000")
    before = world.clock.text()
    world.sync()
    first = world.clock.text()
    world.crm.edit("customers", a, tel="13900000000", name="B")
    world.sync()
    world.crm.remove("customers", a)
    world.sync()
    now, then = told(world, "phone", key=a), told(world, "phone", key=a, at=first)
    assert (now["value"], then["value"]) == ("+8613900000000", "+8613800000000")
    assert kinds(then) == [("new", "crm"), ("written", "erp")]
    with world.engine() as engine:
        whole = engine.explain("customer", a, at=first)
        assert whole["fields"]["name"]["value"] == "A"
        assert whole["deleted"] is None
        assert engine.explain("customer", a)["deleted"] is not None
        assert {system: link["gone"] for system, link in whole["links"].items()} == {"crm": None, "erp": None}
        with pytest.raises(ConfigurationError, match="did not know this customer at"):
            engine.explain("customer", a, at=before)


def test_a_line_that_was_edited_since_still_has_its_past(world: World) -> None:
    world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    world.overrides["crm", "customer"] = CUSTOMERS.replace("  name: name\n", "  # moved\n  name: name\n").replace(
        "{phone: {region: CN}}", "[narrow, {phone: {region: CN}}]"
    )
    world.overrides["erp", "customer"] = CUSTOMERS
    world.sync()
    new = told(world, "phone")["steps"][0]
    assert (new["mapping"], new["operators"]) == (
        "crm/customer.yaml:10:3",
        "{field: tel, via: {phone: {region: CN}}}",
    )
    assert "now" not in new


def test_a_field_of_one_line_has_a_chain_of_its_own(world: World) -> None:
    world.erp.add("products", code="P1", name="螺丝")
    world.sync()
    product = world.crm.records("products")[0]
    customer = world.crm.add("customers", name="A")
    order = world.crm.add(
        "orders", no="O1", customer=customer, date="2026-01-15",
        lines=[{"seq": n, "product": next(iter(world.crm.rows["products"])), "qty": n, "price": 5} for n in (1, 2)],
    )  # fmt: skip
    assert product["code"] == "P1"
    world.sync()
    lines = world.crm.row("orders", order)["lines"]
    world.crm.edit("orders", order, lines=[lines[0], {**lines[1], "qty": 7}])
    at = world.clock.text()
    world.sync()
    found = told(world, "lines[2].quantity", entity="order", key="O1")
    assert found["value"] == "7"
    assert kinds(found) == [("new", "crm"), ("written", "erp"), ("observed", "crm"), ("written", "erp")]
    assert found["steps"][2]["operators"] == "qty"
    assert found["steps"][3]["fields"] == {"lines[2].quantity": ["2", "7"]}
    assert told(world, "lines[2].quantity", entity="order", key="O1", at=at)["value"] == "2"
    assert kinds(told(world, "lines[1].quantity", entity="order", key="O1")) == [("new", "crm"), ("written", "erp")]


def test_what_a_system_refused_and_what_a_person_decided_belong_to_the_chain(tmp_path: Path) -> None:
    world = World(tmp_path, conflict="hold")
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    (b,) = world.erp.rows["customers"]
    world.erp.edit("customers", b, tel="13700000000")
    world.crm.edit("customers", a, tel="13900000000")
    world.sync()
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        engine.resolve(conflict["id"], take="value", value="+8613600000000")
    world.crm.reject = lambda record: "no" if record.get("tel") == "+8613600000000" else None
    world.sync()
    found = told(world, "phone")
    assert [kind for kind, _ in kinds(found)] == [
        "new", "written", "observed", "observed", "conflict", "resolved", "letter", "written"]  # fmt: skip
    assert found["value"] == "+8613600000000"
    assert (found["from"], found["by"]) == ("hub", "a person")
    letter = next(step for step in found["steps"] if step["kind"] == "letter")
    assert (letter["system"], letter["error"], letter["status"]) == ("crm", RecordRejected.__name__, "open")
    assert found["shown"]["erp"] == {"tel": "+8613600000000"}


def test_a_system_that_answers_with_another_value_is_quoted(world: World) -> None:
    world.erp.rewrite = lambda record: record.update(name=record["name"].upper())
    world.crm.add("customers", name="abc")
    world.sync()
    (create,) = [s for s in told(world, "name", key="abc")["steps"] if s["kind"] == "written"]
    assert create["answer"]["shows"] == "ABC"
    assert create["rewritten"] == ["abc", "ABC"]


def test_a_field_that_nobody_ever_filled_has_no_past(world: World) -> None:
    a = world.crm.add("customers", name="A", tel=None, code="C1")
    world.sync()
    world.crm.edit("customers", a, name="B")
    world.sync()
    with world.engine() as engine:
        fields = engine.explain("customer", "B")["fields"]
    assert fields["number"]["value"] == "C1"
    assert fields.get("tax_id", {"steps": []})["steps"] == []
