"""Trying a changed mapping on documents with lines, and on addresses that stand apart in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, ORDERS, World

from hub.mapping import load
from hub.sync import backtest as trial
from hub.sync.backtest import Backtest, backtest

BOTH = {"customer": CUSTOMERS, "order": ORDERS}


def company(path: Path) -> World:
    world = World(path, mappings=BOTH)
    customer = world.crm.add("customers", name="A")
    lines = [{"seq": n, "qty": n, "price": 10 * n, "text": f" line {n} "} for n in (1, 2)]
    world.crm.add("orders", no="SO1", title="t", customer=customer, lines=lines)
    world.sync()
    return world


def tried(world: World, text: str, entity: str = "order", system: str = "crm") -> Backtest:
    """A mapping of this system as it would be."""
    with world.engine() as engine:
        endpoint = next(e for e in engine.setup.of_entity(entity) if e.system == system)
        lens, problems = load(text, specs=engine.setup.specs, resource=endpoint.resource, file="changed.yaml")
        assert lens is not None, [str(problem) for problem in problems]
        return backtest(engine.store, engine.setup, endpoint, lens=lens)


def told(report: Backtest) -> dict[tuple[str, str, str], list[tuple[str, Any, Any]]]:
    return {
        (d.what, d.system, d.field): [(s["path"], s.get("before"), s.get("after")) for s in d.samples]
        for d in report.differences
    }


def test_the_same_mapping_changes_nothing(tmp_path: Path) -> None:
    assert told(tried(company(tmp_path), ORDERS + "# a remark\n")) == {}


def test_a_field_of_lines_that_comes_out_differently_is_told_for_each_line(tmp_path: Path) -> None:
    report = tried(company(tmp_path), ORDERS.replace("quantity: qty", "quantity: price"))
    found = told(report)
    ((path, was, now),) = found["read", "crm", "lines.quantity"]
    assert (path, str(was), str(now)) == ("lines[1].quantity", "1", "10"), "one sample of each record"
    ((path, was, now),) = found["write", "crm", "lines.quantity"]
    assert (path, str(was), str(now)) == ("lines[1].quantity", "10", "1"), "the hub holds what it was"


def test_a_field_of_lines_that_is_read_from_now_on_is_carried_to_the_others(tmp_path: Path) -> None:
    world = company(tmp_path)
    changed = ORDERS.replace("      unit_price: price\n", "      unit_price: price\n      description: text\n")
    found = told(tried(world, changed))
    assert found["read", "crm", "lines.description"] == [("lines[1].description", None, "line 1")]
    assert found["hub", "", "lines.description"] == [("lines[1].description", None, "line 1")]
    world.mappings["order"] = changed
    world.sync()
    assert [line["text"] for row in world.erp.records("orders") for line in row["lines"]] == ["line 1", "line 2"]


def test_lines_that_a_changed_key_takes_apart_are_told_whole(tmp_path: Path) -> None:
    found = told(tried(company(tmp_path), ORDERS.replace("line_no: seq", "line_no: price")))
    ((path, was, now),) = found["read", "crm", "lines"]
    assert (path, now) == ("lines[1]", None) and was["line_no"] == 1


ADDRESSES = """
  addresses[billing]:
    fields: {street: b_street, city: b_city}
  addresses[shipping]:
    fields: {city: s_city}
"""


def test_each_address_is_explained_by_its_own_lines_of_the_file(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS + ADDRESSES.lstrip("\n")})
    crm = world.crm.add("customers", name="A", b_street="Nanjing Road 1", b_city="上海", s_city="宁波")
    world.sync()
    (erp,) = world.erp.records("customers")
    assert (erp["b_street"], erp["b_city"], erp["s_city"]) == ("Nanjing Road 1", "上海", "宁波")
    world.crm.edit("customers", crm, s_city="杭州")
    world.sync()
    with world.engine() as engine:
        field = engine.explain("customer", "A", "addresses")["fields"]["addresses"]
    (step,) = [s for s in field["steps"] if s["kind"] == "observed"]
    assert (step["path"], step["theirs"]) == ("addresses[shipping].city", "杭州")
    assert step["mapping"].startswith("crm/customer.yaml:") and "s_city" in str(step["operators"])


def test_what_only_the_erp_fills_in_comes_back_with_the_lines_that_were_written(tmp_path: Path) -> None:
    priced = ORDERS.replace(
        "      unit_price: price\n", "      unit_price: price\n      amount: {field: sum, direction: in}\n"
    )
    world = World(tmp_path, mappings={"customer": CUSTOMERS, "order": priced})
    plain = priced.replace(", direction: in", "")
    world.overrides["erp", "order"], world.overrides["crm", "order"] = priced, plain

    def summed(row: dict[str, Any]) -> None:
        for line in row.get("lines") or []:
            line["sum"] = int(line["qty"]) * int(line["price"])

    world.erp.rewrite = summed
    customer = world.crm.add("customers", name="A")
    crm = world.crm.add("orders", no="1", customer=customer, lines=[{"seq": 1, "qty": 2, "price": 5}])
    world.sync()
    assert [int(line["sum"]) for line in world.crm.row("orders", crm)["lines"]] == [10]
    edited = [{**line, "qty": 3} for line in world.crm.row("orders", crm)["lines"]]
    world.crm.edit("orders", crm, lines=edited)
    world.sync()
    assert [(int(line["qty"]), int(line["sum"])) for line in world.crm.row("orders", crm)["lines"]] == [(3, 15)]
    assert world.sync().writes == 0


def test_every_record_is_tried_but_those_that_were_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PAGE", 2)
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    ids = [world.crm.add("customers", name=f"customer {n}") for n in range(5)]
    world.sync()
    world.erp.remove("customers", next(iter(world.erp.rows["customers"])))
    world.sync()
    report = tried(world, CUSTOMERS.replace("name: name", "name: {field: name, via: upper}"), "customer")
    assert report.records == 4
    assert {sample["id"] for d in report.differences for sample in d.samples} <= set(ids[1:])


def test_of_a_system_that_is_only_written_the_changed_writes_are_told(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS}, directions={"crm": "both", "erp": "out"})
    world.crm.add("customers", name="a name")
    world.sync()
    changed = CUSTOMERS.replace("name: name", "name: {field: name, via: upper}")
    found = told(tried(world, changed, "customer", "erp"))
    assert [key for key in found if key[0] == "hub"] == [], "nothing is read there"
    assert ("write", "erp", "name") in found
