"""The short ways for records that are simply new, each held to the long way of doing the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import CUSTOMERS, World

from hub.errors import Unavailable, UnknownOutcome
from hub.mapping import load
from hub.model import entities
from hub.store import intents
from hub.sync import as_sent, at_once, observe
from hub.sync.at_once import AtOnce

NEVER = 10**9


def company(path: Path) -> World:
    """A full CRM, with the usual trouble in it, and an empty ERP."""
    path.mkdir()
    world = World(path, directions={"crm": "both", "erp": "both"})
    world.erp.reject = lambda record: "too loud" if "LOUD" in str(record.get("name")) else None
    for n in range(25):
        world.crm.add("customers", name=f"客户 {n}" + (" LOUD" if n == 7 else ""), tel=f"138000000{n:02}", credit=n)
    world.crm.add("customers", name="no phone at all", tel="none")
    customer = next(iter(world.crm.rows["customers"]))
    for n in range(9):
        world.crm.add("products", code=f"P{n}", name=f"产品 {n}")
    for n in range(6):
        product = list(world.crm.rows["products"])[n]
        lines = [{"seq": 1, "product": product, "qty": n, "price": 2}]
        world.crm.add("orders", no=f"O{n}", title=f"order {n}", customer=customer, date="2026-01-15", lines=lines)
    return world


def memory(world: World) -> dict[str, Any]:
    """What the two systems hold and what the hub remembers, times left out."""
    world.sync()
    quiet = world.sync()
    writes = sum(c.created + c.updated + c.deleted for c in quiet.counts)
    with world.engine() as engine, engine.store.read() as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in connection.execute(text(query)))

        return {
            "crm": {name: world.crm.records(name) for name in ("customers", "products", "orders")},
            "erp": {
                name: sorted((json.dumps(r, sort_keys=True, default=str) for r in world.erp.records(name)), key=len)
                for name in ("customers", "products")
            },
            "orders": len(world.erp.records("orders")),
            "quiet": writes,
            "values": rows("SELECT entity, data, revision FROM hub_record"),
            "shadows": rows("SELECT system, entity, data, meant, gone FROM shadow WHERE entity <> 'order'"),
            "journal": rows("SELECT entity, kind, system, count(*) FROM journal GROUP BY 1, 2, 3"),
            "todo": rows("SELECT entity, count(*) FROM todo GROUP BY 1"),
            "letters": rows("SELECT system, entity, stage, field, message FROM letter"),
            "intents": rows("SELECT * FROM intent"),
        }


def test_writing_while_reading_ends_where_writing_afterwards_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "JOINED", 4)
    monkeypatch.setattr(at_once, "ENOUGH", NEVER)
    afterwards = memory(company(tmp_path / "afterwards"))
    written: list[int] = []
    short = AtOnce.take
    monkeypatch.setattr(AtOnce, "take", lambda *given: written.append(len(given[2].new)) or short(*given))
    monkeypatch.setattr(at_once, "ENOUGH", 1)
    meanwhile = memory(company(tmp_path / "meanwhile"))
    assert [count for count in written if count] == [26, 9, 6], "the short way was taken"
    assert meanwhile == afterwards
    assert meanwhile["quiet"] == 0


def test_an_answer_that_shows_just_what_was_sent_is_remembered_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    store = as_sent.store
    monkeypatch.setattr(as_sent, "store", lambda *given: taken.append(len(given[2])) or store(*given))
    short = memory(company(tmp_path / "short"))
    assert sum(taken) > 20
    monkeypatch.setattr(as_sent, "part", lambda confirmer, done: ([], list(done)))
    assert memory(company(tmp_path / "long")) == short


@pytest.mark.parametrize(
    ("line", "faithful"),
    [
        ("title: note", True),
        ("status: {field: note, values: {active: A, inactive: B}}", True),
        ("description: {field: note, values: {x: A, y: B, '*': B}}", False),
        ("credit_limit: {field: note, via: money}", True),
        ("credit_limit: {field: note, via: {money: 2}}", False),
        ("description: {field: note, direction: out}", False),
        ("description: {field: note, via: {cut: {length: 5, rest: kept}}}", False),
    ],
)
def test_only_a_mapping_that_brings_back_what_it_sends_is_faithful(line: str, faithful: bool) -> None:
    entity = "order" if line.startswith("title") else "customer"
    mapping = f"version: 1\nresource: things\nentity: {entity}\nmatch: [[number]]\nfields:\n  number: no\n  {line}\n"
    lens, problems = load(mapping, specs=entities(), file="things.yaml")
    assert lens is not None, problems
    assert lens.faithful is faithful


def test_what_was_sent_is_spelled_out_when_the_answer_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    world.crm.add("customers", name="客户", tel="13800000000")
    world.sync(systems=["erp"])

    def lost(verb: str) -> None:
        if verb == "create":
            world.erp.before = down
            raise UnknownOutcome("the line went dead", where="erp")

    def down(verb: str) -> None:
        raise Unavailable("still dead", where="erp")

    world.erp.before = lost
    world.sync()
    with world.engine() as engine:
        with engine.store.read() as connection:
            [row] = connection.execute(text("SELECT fields FROM intent")).all()
            [intent] = intents.intents(connection, "erp")
        assert json.loads(row[0])["phone"] == "+8613800000000"
        assert intent["fields"]["name"] == "客户"


def test_names_of_what_was_sent_become_values_before_a_pass_can_change_them(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    remote_id = world.crm.add("customers", name="客户", tel="13800000000")
    world.sync(systems=["erp"])

    def killed(verb: str) -> None:
        if verb == "create":
            raise SystemExit("killed")

    world.erp.before = killed
    with pytest.raises(SystemExit):
        world.sync()
    with world.engine() as engine, engine.store.read() as connection:
        [row] = connection.execute(text("SELECT fields FROM intent")).all()
        assert json.loads(row[0])["names"][0] == "name", "only names, while the record still has the values"
        [intent] = intents.intents(connection, "erp")
        assert intent["fields"]["name"] == "客户"
    world.erp.before = lambda verb: None
    world.crm.edit("customers", remote_id, name="客户 2")
    world.sync()
    assert [r["name"] for r in world.erp.records("customers")] == ["客户 2"]


def test_a_new_and_empty_system_is_read_first_and_only_once(tmp_path: Path) -> None:
    world = World(tmp_path, systems=("crm", "erp", "shop"), mappings={"customer": CUSTOMERS})
    for n in range(3):
        world.crm.add("customers", name=f"客户 {n}")
    world.erp.add("customers", name="客户 1")
    order: list[str] = []
    for name, system in world.systems.items():
        lists = system.list_changes
        system.list_changes = (  # type: ignore[method-assign]
            lambda *given, name=name, lists=lists: order.append(name) or lists(*given)
        )
    world.sync()
    assert sorted(order) == ["crm", "erp", "shop"], "each is asked once"
    assert len(world.systems["shop"].records("customers")) == 3
