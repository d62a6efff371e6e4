"""What planning hands to ``plan``: each system as it is known, and what stands in a write's way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, ORDERS, PRODUCTS, FakeSystem, World

from hub.errors import Unavailable
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import at_once, planning
from hub.sync.plan import Step, Subject, Target, plan_record
from hub.sync.planning import is_risky, letter_text, mark_of

RECORD = Stored("h1", "customer", {}, {}, 7, None, None)
SHADOW = Shadow("erp", "customer", "r1", "h1", "r1", None, {}, {}, None, None, 99)
LETTER = {"id": 4, "stage": "write", "status": "open", "mark": "7:99", "message": "refused"}


@pytest.mark.parametrize(
    ("shadow", "mark"),
    [
        (None, "7:"),
        (SHADOW, "7:99"),
        (SHADOW._replace(gone="archived"), "7:99"),
        (SHADOW._replace(gone="them"), "7:"),
        (SHADOW._replace(gone="hub"), "7:"),
    ],
)
def test_the_state_a_write_is_planned_from(shadow: Shadow | None, mark: str) -> None:
    assert mark_of(RECORD, shadow) == mark


@pytest.mark.parametrize(
    ("letter", "shadow", "text"),
    [
        ({}, SHADOW, "letter 4: refused"),
        ({"mark": "6:99"}, SHADOW, ""),  # the record has changed since
        ({"mark": "7:98"}, SHADOW, ""),  # the system has
        ({"stage": "observe"}, SHADOW, "letter 4: its last state could not be read"),
        ({"stage": "observe", "status": "replay"}, SHADOW, ""),
        ({"stage": "doubt", "mark": "6:"}, None, "letter 4: refused"),  # it may be there, whatever changes
        ({"stage": "doubt", "mark": "6:"}, SHADOW._replace(gone="them"), "letter 4: refused"),
        ({"stage": "doubt", "mark": "6:"}, SHADOW, ""),
        ({"stage": "doubt"}, SHADOW, "letter 4: refused"),
    ],
)
def test_which_letters_hold_a_write(letter: dict[str, Any], shadow: Shadow | None, text: str) -> None:
    assert letter_text({**LETTER, **letter}, RECORD, shadow) == text


@pytest.mark.parametrize(
    ("action", "fields", "risky"),
    [
        ("delete", {}, True),
        ("archive", {}, True),
        ("create", {"name": ["A", "B"]}, False),
        ("update", {"name": [None, "B"]}, False),
        ("update", {"lines": [[], [1]]}, False),
        ("update", {"name": [None, "B"], "credit": ["1", "2"]}, True),
        ("update", {"name": ["A", None]}, True),
    ],
)
def test_what_counts_against_the_budget(action: Any, fields: Any, risky: bool) -> None:
    assert is_risky(Step("erp", action, fields, (), "")) == risky


Handed = list[tuple[Subject, list[Target]]]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """What was handed to ``plan_record``, newest last."""
    calls: Handed = []

    def note(subject: Subject, targets: list[Target]) -> Any:
        calls.append((subject, [replace(target) for target in targets]))
        return plan_record(subject, targets)

    monkeypatch.setattr(planning, "plan_record", note)
    return calls


def plan(world: World, handed: Handed) -> Handed:
    handed.clear()
    with world.engine() as engine:
        engine.plan()
    return list(handed)


def customers(path: Path, **options: Any) -> World:
    return World(path, mappings={"customer": CUSTOMERS}, **options)


def test_a_record_that_is_new(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path)
    crm = world.crm.add("customers", name="A", credit=5)
    ((subject, (mine, erp)),) = plan(world, handed)
    assert (subject.values["name"], subject.deleted, subject.deleted_by, subject.origin) == ("A", False, None, "crm")
    assert subject.frozen == frozenset()
    sends = ("name", "number", "tax_id", "phone", "credit_limit", "description")
    assert erp == Target(
        system="erp", entity="customer", resource="customers", fields=erp.fields, sends=sends, remote_id=None,
        gone=None, shown={}, meant={}, may_create=True, deletes="archive", can_delete=True, can_archive=True,
        linked={}, has_refs=False,
    )  # fmt: skip
    assert tuple(erp.fields) == sends
    assert (mine.system, mine.remote_id, mine.gone) == ("crm", crm, None)
    assert (mine.shown["name"], str(mine.shown["credit_limit"])) == ("A", "5")


def test_a_field_that_is_only_read_is_not_sent(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path)
    read = CUSTOMERS.replace("  number: code\n", "  number: {field: code, direction: in}\n")
    world.overrides["crm", "customer"] = world.overrides["erp", "customer"] = read
    world.crm.add("customers", name="A")
    ((_, (_, erp)),) = plan(world, handed)
    assert "number" in erp.fields and "number" not in erp.sends


class Timid(FakeSystem):
    """Takes new records and changes, and removes nothing."""

    delete = None  # type: ignore[assignment]


class Closed(FakeSystem):
    """May be changed, and takes no new records."""

    create = None  # type: ignore[assignment]


class Fixed(FakeSystem):
    """Takes new records, which nobody changes."""

    update = None  # type: ignore[assignment]


class ReadOnly(FakeSystem):
    """A resource that is not open to writes."""

    def describe_resource(self, name: str) -> Any:
        return replace(super().describe_resource(name), writable=False)


class Plain(FakeSystem):
    """A resource without an archive."""

    def describe_resource(self, name: str) -> Any:
        return replace(super().describe_resource(name), archive=False)


@pytest.mark.parametrize(
    ("kind", "create", "remove", "archive"),
    [
        (FakeSystem, True, True, True),
        (Timid, True, False, False),
        (Closed, False, True, True),
        (ReadOnly, False, True, True),
        (Plain, True, True, False),
    ],
)
def test_what_a_system_can_do(
    tmp_path: Path, handed: Handed, kind: type[FakeSystem], create: bool, remove: bool, archive: bool
) -> None:
    world = customers(tmp_path)
    world.systems["erp"] = kind("erp", world.clock)
    world.crm.add("customers", name="A")
    ((_, (_, erp)),) = plan(world, handed)
    assert (erp.may_create, erp.can_delete, erp.can_archive) == (create, remove, archive)


@pytest.mark.parametrize("kind", [Fixed, ReadOnly])
def test_what_cannot_be_changed_is_no_target(tmp_path: Path, handed: Handed, kind: type[FakeSystem]) -> None:
    world = customers(tmp_path)
    world.systems["erp"] = kind("erp", world.clock)
    crm, _ = world.crm.add("customers", name="A"), world.erp.add("customers", name="A")
    world.sync()
    world.crm.edit("customers", crm, credit=9)
    ((_, targets),) = plan(world, handed)
    assert [target.system for target in targets] == ["crm"]
    (erp,) = world.erp.rows["customers"]
    world.erp.remove("customers", erp)
    world.policy["deletes"] = "ignore"
    ((subject, targets),) = plan(world, handed)
    assert [(t.system, t.gone, t.deletes) for t in targets][1:] == [("erp", "them", "ignore")]
    assert subject.deleted is False or subject.deleted_by == "erp"


@pytest.mark.parametrize(
    ("create", "may"), [({}, True), ({"erp": False}, False), ({"crm": False}, True), ({"erp": True}, True)]
)
def test_where_the_policy_lets_records_be_made(tmp_path: Path, handed: Handed, create: Any, may: bool) -> None:
    world = customers(tmp_path, create=create, deletes="propagate")
    world.crm.add("customers", name="A")
    ((_, (_, erp)),) = plan(world, handed)
    assert (erp.may_create, erp.deletes) == (may, "propagate")


def test_systems_that_are_only_read_or_cannot_be_reached_are_no_targets(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path, systems=("crm", "erp", "shop"))
    crm = world.crm.add("customers", name="A")
    world.sync()
    world.directions["shop"] = "in"
    world.crm.edit("customers", crm, credit=2)
    ((_, targets),) = plan(world, handed)
    assert [target.system for target in targets] == ["crm", "erp"]

    def down(verb: str) -> None:
        raise Unavailable("closed for the night")

    world.erp.before = down
    world.sync()
    assert [[t.system for t in targets] for _, targets in handed][-1:] == [["crm"]]
    world.erp.before = lambda verb: None
    assert world.sync().writes == 1, "the record stayed to be planned"


def test_what_an_order_refers_to(tmp_path: Path, handed: Handed) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS, "product": PRODUCTS, "order": ORDERS})
    customer, product = world.crm.add("customers", name="A"), world.crm.add("products", code="P", name="P")
    world.sync()
    order = world.crm.add("orders", no="1", customer=customer, lines=[{"seq": 1, "product": product, "qty": 1}])
    ((subject, (crm, erp)),) = plan(world, handed)
    known = {"customer": {subject.values["customer"]}, "product": {subject.values["lines"][0]["product"]}}
    assert (erp.linked, crm.linked, erp.has_refs) == (known, known, True)
    assert crm.shown["customer"] == subject.values["customer"], "in the hub's ids, not in the crm's"
    assert crm.shown["lines"][0]["product"] == subject.values["lines"][0]["product"]
    assert order == crm.remote_id


def test_a_plan_counts_on_what_it_makes_itself(tmp_path: Path, handed: Handed) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS, "order": ORDERS})
    world.crm.add("orders", no="1", customer=world.crm.add("customers", name="A"), lines=[])
    planned = {subject.values.get("number"): targets for subject, targets in plan(world, handed)}
    (order,) = [targets for number, targets in planned.items() if number == "1"]
    assert [len(target.linked["customer"]) for target in order] == [1, 1], "the customer is made by the same plan"
    world.policy["create"] = {"erp": False}
    planned = {subject.values.get("number"): targets for subject, targets in plan(world, handed)}
    assert [len(target.linked["customer"]) for target in planned["1"]] == [1, 0]


def test_what_stands_in_the_way(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path, conflict="hold")
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp_id,) = world.erp.rows["customers"]
    world.erp.reject = lambda values: "closed"
    world.crm.edit("customers", crm, credit=2)
    world.sync()
    ((subject, (mine, erp)),) = plan(world, handed)
    assert erp.letter.endswith(": closed") and (mine.letter, mine.waiting, erp.waiting) == ("", "", "")
    world.erp.edit("customers", erp_id, credit=3)
    ((subject, (_, erp)),) = plan(world, handed)
    assert subject.frozen == {"credit_limit"}


def test_a_letter_of_another_system_is_none_of_this_ones(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path, systems=("crm", "erp", "shop"))
    world.erp.reject = lambda values: "closed"
    world.crm.add("customers", name="A")
    world.sync()
    ((_, (_, erp, shop)),) = plan(world, handed)
    assert erp.letter.endswith(": closed") and shop.letter == ""


def test_the_newest_edit_is_told_as_the_reason(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path, systems=("crm", "erp", "shop"))
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp,) = world.erp.rows["customers"]
    world.crm.edit("customers", crm, credit=2)
    world.erp.edit("customers", erp, tel="13800000000")
    ((subject, _),) = plan(world, handed)
    assert subject.origin == "erp"
    world.crm.edit("customers", crm, name="B")
    ((subject, _),) = plan(world, handed)
    assert subject.origin == "crm"


def test_a_deleted_record(tmp_path: Path, handed: Handed) -> None:
    world = customers(tmp_path, deletes="propagate")
    crm = world.crm.add("customers", name="A")
    world.sync()
    world.crm.remove("customers", crm)
    ((subject, (mine, erp)),) = plan(world, handed)
    assert (subject.deleted, subject.deleted_by, mine.gone, erp.gone) == (True, "crm", "them", None)


def test_an_observation_that_waits_holds_writes_to_its_record(tmp_path: Path, handed: Handed) -> None:
    """The erp shows an order that refers to a customer nobody knows: nothing is written over what was not read."""
    world = World(tmp_path, mappings={"customer": CUSTOMERS, "order": ORDERS})
    crm = world.crm.add("orders", no="1", customer=world.crm.add("customers", name="A"), lines=[])
    world.sync()
    (erp,) = world.erp.rows["orders"]
    world.erp.edit("orders", erp, customer="erp999", title="theirs")
    world.crm.edit("orders", crm, date="2026-01-02")
    ((_, targets),) = [one for one in plan(world, handed) if one[1][0].entity == "order"]
    assert [(t.system, t.waiting) for t in targets] == [("crm", ""), ("erp", "its last observation waits")]


STRONG = CUSTOMERS.replace("  number: code\n", "  number: {field: code, strength: strong}\n")


def _other(world: World, kind: type[FakeSystem]) -> None:
    """The erp's resource is described in another way from now on."""
    made = kind("erp", world.clock)
    made.__dict__.update(world.systems["erp"].__dict__)
    world.systems["erp"] = made


@pytest.mark.parametrize(
    ("change", "looked"),
    [
        (lambda world: None, 0),
        (lambda world: world.policy.update(deletes="propagate"), 3),
        (lambda world: world.policy.update(create={"erp": False}), 3),
        (lambda world: world.policy.update(create={"erp": True}), 0),
        (lambda world: world.policy.update(conflict="hold"), 0),
        (lambda world: world.mappings.update(customer=STRONG), 3),
        (lambda world: world.directions.update(crm="in"), 3),
        (lambda world: _other(world, ReadOnly), 3),
        (lambda world: _other(world, Plain), 3),
    ],
)
def test_when_what_is_written_where_has_changed_every_record_is_looked_at_once(
    tmp_path: Path, handed: Handed, change: Any, looked: int
) -> None:
    world = customers(tmp_path)
    for n in range(3):
        world.crm.add("customers", name=f"C{n}", code=str(n))
    world.sync()
    assert plan(world, handed) == []
    change(world)
    assert len(plan(world, handed)) == looked
    world.sync()
    assert plan(world, handed) == []


BOTH = {"customer": CUSTOMERS, "product": PRODUCTS, "order": ORDERS}


def shop(path: Path) -> World:
    """Everything there is to know about two orders, in the crm; the erp is empty."""
    world = World(path, mappings=BOTH, systems=("crm", "erp", "shop"), create={"shop": False})
    product = world.crm.add("products", code="P", name="P")
    for number in ("1", "2"):
        customer = world.crm.add("customers", name=f"C{number}", code=f"C{number}", credit=5)
        world.crm.add("orders", no=number, customer=customer, lines=[{"seq": 1, "product": product, "qty": 1}])
    return world


def first_look(handed: Handed) -> dict[str, tuple[Any, ...]]:
    """What was handed on first of each record: the subject, and the systems it is not in yet."""
    found: dict[str, tuple[Any, ...]] = {}
    for subject, targets in handed:
        number = str(subject.values["number"])
        missing = [t for t in targets if t.remote_id is None]
        new = [(replace(t, fields={}, linked={}), {k: len(ids) for k, ids in t.linked.items()}) for t in missing]
        said = (subject.deleted, subject.deleted_by, subject.frozen, subject.origin, sorted(subject.values))
        found.setdefault(number, (said, new))
    return found


def test_what_is_new_and_planned_from_memory_is_planned_as_from_the_store(
    tmp_path: Path, handed: Handed, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    for name, enough in (("long", 1000), ("short", 1)):
        monkeypatch.setattr(at_once, "ENOUGH", enough)
        (tmp_path / name).mkdir()
        world = shop(tmp_path / name)
        handed.clear()
        world.sync()
        looks.append(first_look(handed))
        assert len(world.erp.rows["orders"]) == 2 and world.sync().writes == 0
        if enough == 1:  # the crm, which shows them, is left out: nothing has to be written there
            assert [t.system for _, targets in handed[:1] for t in targets] == ["erp", "shop"]
    assert looks[0] == looks[1]
    assert looks[0].keys() == {"P", "C1", "C2", "1", "2"}


def test_a_system_that_cannot_be_reached_gets_what_was_planned_from_memory_later(
    tmp_path: Path, handed: Handed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "ENOUGH", 1)
    world = customers(tmp_path, systems=("shop", "erp", "crm"))

    def down(verb: str) -> None:
        raise Unavailable("closed for the night")

    world.sync()
    world.shop.before = down
    world.crm.add("customers", name="A")
    world.sync(full=True)
    assert [t.system for t in handed[0][1]] == ["erp"] and len(world.erp.rows["customers"]) == 1
    world.shop.before = lambda verb: None
    assert world.sync().writes == 1 and len(world.shop.rows["customers"]) == 1
    assert world.sync().writes == 0
