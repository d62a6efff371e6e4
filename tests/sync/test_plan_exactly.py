"""``plan_record`` to the letter: whole steps and holds, and the places where several fields, lines or systems meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sync.planned import FIELDS, LINES, NEW, SUBJECT, TARGET, field, plan

from hub.mapping.lens import LensLines
from hub.sync.plan import Hold, Step, differences, missing_refs, plan_record, shown_fields


def test_steps_to_the_letter() -> None:
    assert plan({"name": "A", "customer": "c1"}, NEW).steps == [
        Step("erp", "create", {}, ("name", "customer"), "new in crm")
    ]
    everything = dict.fromkeys(FIELDS)
    assert plan(everything, NEW).steps == [Step("erp", "create", {}, TARGET.sends, "new in crm")]
    assert plan({**everything, "more": 1}, NEW).steps == [Step("erp", "create", {}, TARGET.sends, "new in crm")]
    assert plan({"name": "B", "kind": "k"}, {"shown": {"name": "A"}}).steps == [
        Step("erp", "update", {"name": ["A", "B"], "kind": [None, "k"]}, ("name", "kind"), "changed in crm")
    ]
    gone = {"deleted": True, "deleted_by": "shop"}
    assert plan({"name": "A"}, {}, **gone).steps == [Step("erp", "delete", {}, (), "deleted in shop")]
    assert plan({"name": "A"}, {"deletes": "archive"}, **gone).steps == [
        Step("erp", "archive", {}, (), "deleted in shop")
    ]


@pytest.mark.parametrize(
    ("values", "target", "subject", "hold"),
    [
        ({"name": "A"}, {"waiting": "it waits"}, {}, Hold("erp", "waiting", "it waits")),
        ({"name": "A"}, {**NEW, "letter": "refused"}, {}, Hold("erp", "letter", "refused")),
        ({"name": "A"}, {**NEW, "unproven": "no key"}, {}, Hold("erp", "unproven", "no key")),
        ({"name": "A"}, {"letter": "refused"}, {}, Hold("erp", "letter", "refused")),
        ({"name": "A"}, {"letter": "refused"}, {"deleted": True}, Hold("erp", "letter", "refused")),
        (
            {"name": "A"},
            {},
            {"deleted": True, "frozen": frozenset({"*"})},
            Hold("erp", "conflict", "deleted in one system and edited in another"),
        ),
        (
            {"name": "A", "kind": "k"},
            {},
            {"frozen": frozenset({"name", "kind"})},
            Hold("erp", "conflict", "name, kind waits for a decision"),
        ),
        (
            {"name": "A", "kind": "k"},
            NEW,
            {"frozen": frozenset({"name", "kind", "none of its fields"})},
            Hold("erp", "conflict", "kind, name waits for a decision"),
        ),
        ({"name": "A"}, NEW, {"frozen": frozenset({"*"})}, Hold("erp", "conflict", "* waits for a decision")),
        ({"customer": "c9"}, NEW, {}, Hold("erp", "reference", "customer is not in erp yet")),
        ({"customer": "c9"}, {}, {}, Hold("erp", "reference", "customer is not in erp yet")),
    ],
)
def test_holds_to_the_letter(values: Any, target: Any, subject: Any, hold: Hold) -> None:
    verdict = plan(values, target, **subject)
    assert (verdict.steps, verdict.holds, verdict.settled) == ([], [hold], False)


def test_what_holds_a_create_first() -> None:
    """A decision that is open comes before what is missing, that before a letter, that before what is not proven."""
    all_of_it: dict[str, Any] = {**NEW, "letter": "refused", "unproven": "no key"}
    held = plan({"customer": "c9"}, all_of_it, frozen=frozenset({"customer"})).holds
    assert [hold.reason for hold in held] == ["conflict"]
    assert [hold.reason for hold in plan({"customer": "c9"}, all_of_it).holds] == ["reference"]
    assert [hold.reason for hold in plan({"customer": "c1"}, all_of_it).holds] == ["letter"]
    assert [hold.reason for hold in plan({"customer": "c1"}, {**NEW, "unproven": "no key"}).holds] == ["unproven"]


def test_each_system_is_planned_by_itself() -> None:
    targets = [
        replace(TARGET, system="a", waiting="it waits"),
        replace(TARGET, system="b", remote_id=None, may_create=False),
        replace(TARGET, system="c", shown={"name": "A"}),
        replace(TARGET, system="d", gone="archived"),
        replace(TARGET, system="e", shown={"name": "old"}),
        replace(TARGET, system="f", remote_id=None),
    ]
    verdict = plan_record(replace(SUBJECT, values={"name": "A"}), targets)
    assert [(step.system, step.action) for step in verdict.steps] == [("e", "update"), ("f", "create")]
    assert [(hold.system, hold.reason) for hold in verdict.holds] == [("a", "waiting")]
    removed = plan_record(replace(SUBJECT, deleted=True, deleted_by="crm"), targets)
    assert [(step.system, step.action) for step in removed.steps] == [("c", "delete"), ("e", "delete")]


def test_each_field_is_compared_by_itself() -> None:
    """Fields that agree, or are none of the system's, stand between those that differ."""
    names = ("a", "read", "b", "unknown", "c", "same", "d", "weak", "e", "lines", "f")
    fields = {name: field(name) for name in names}
    fields |= {
        "read": field("read", "in"),
        "weak": field("weak", strength="weak"),
        "lines": field("lines", lines=LINES),
    }
    values = dict.fromkeys(names, 2) | {"same": 1, "lines": [{"no": 1, "qty": 1}]}
    del values["unknown"]
    target = replace(TARGET, fields=fields, shown=dict.fromkeys(names, 1) | {"lines": [{"no": 1, "qty": 1}]})
    assert differences(values, target) == {name: {name: [1, 2]} for name in ("a", "b", "c", "d", "e", "f")}
    verdict = plan_record(replace(SUBJECT, values=values), [target])
    assert verdict.steps[0].write == ("a", "b", "c", "d", "e", "f")


def test_held_fields_of_an_update_stand_beside_those_that_are_written() -> None:
    values = {"name": "B", "customer": "c9", "kind": "k", "lines": [{"no": 1, "product": "p9"}]}
    verdict = plan(values, {"shown": {"name": "A"}}, frozen=frozenset({"name"}))
    assert verdict.holds == [
        Hold("erp", "conflict", "name waits for a decision"),
        Hold("erp", "reference", "customer is not in erp yet"),
        Hold("erp", "reference", "lines is not in erp yet"),
    ]
    assert [(step.write, step.fields) for step in verdict.steps] == [(("kind",), {"kind": [None, "k"]})]
    letter = plan({"customer": "c9"}, {"letter": "refused"})
    assert [hold.reason for hold in letter.holds] == ["reference"], "nothing is left that the letter could hold"


@pytest.mark.parametrize(
    ("wanted", "have", "paths"),
    [
        ({"code": "y"}, {"code": "x"}, {"lines[1].code": ["x", "y"]}),  # written there, and shown rewritten
        ({"code": "x"}, {"code": "x"}, {}),
        ({"qty": 2}, {}, {"lines[1].qty": [None, 2]}),
        ({"qty": None}, {}, {}),
        ({"qty": 2, "sum": 5}, {"qty": 2, "sum": 4}, {}),
        ({}, {"qty": 2}, {}),
    ],
)
def test_fields_of_a_line(wanted: Any, have: Any, paths: Any) -> None:
    verdict = plan({"lines": [{"no": 1, **wanted}]}, {"shown": {"lines": [{"no": 1, **have}]}})
    assert (verdict.steps[0].fields if verdict.steps else {}) == paths


def test_every_field_of_every_line_is_compared() -> None:
    ordered = {name: LINES.fields[name] for name in ("sum", "code", "note", "no", "qty", "product")}
    target = replace(TARGET, fields={"lines": field("lines", lines=LensLines("no", ordered))})
    wanted = [{"no": n, "sum": 1, "code": "x", "note": "n", "qty": 2, "product": "p1"} for n in (1, 2)]
    have = [{"no": n, "note": "m", "qty": 1, "product": "p2"} for n in (1, 2)]
    found = differences({"lines": wanted}, replace(target, shown={"lines": have}))["lines"]
    assert found == {
        f"lines[{n}].{name}": pair for n in (1, 2) for name, pair in {"qty": [1, 2], "product": ["p2", "p1"]}.items()
    }


def test_a_new_line_shows_what_the_system_is_sent() -> None:
    assert plan({"lines": [{"no": 1, "code": "x"}]}, {"shown": {"lines": []}}).steps[0].fields == {
        "lines[1]": [None, {"no": 1, "code": "x"}]
    }
    assert plan({"lines": [{"no": 1}]}, {"shown": {"lines": []}}).steps == [], "a key alone is no line"


def test_what_is_meant_is_compared_before_what_is_shown() -> None:
    rewritten = {"shown": {"lines": [{"no": 1, "qty": 9}]}, "meant": {"lines": [{"no": 1, "qty": 2}]}}
    assert plan({"lines": [{"no": 1, "qty": 2}]}, rewritten).settled
    assert plan({"lines": [{"no": 1, "qty": 9}]}, rewritten).steps[0].fields == {"lines[1].qty": [2, 9]}


def test_references_to_what_the_system_has_nothing_of() -> None:
    values = {"customer": "c1", "lines": [{"no": 1, "product": "p1"}]}
    nothing = replace(TARGET, linked={})
    assert missing_refs(values, nothing) == [("customer", "c1"), ("lines", "p1")]
    assert missing_refs({"customer": None, "lines": None}, nothing) == []
    assert missing_refs({}, nothing) == []
    assert missing_refs({"lines": [{"no": 1, "product": None}, {"no": 2}]}, nothing) == []


def test_references_that_are_only_read_are_nothing_to_wait_for() -> None:
    only_read = {
        "no": field("no"),
        "read": field("read", "in", ref="product"),
        "product": field("product", ref="product"),
    }
    target = replace(
        TARGET,
        fields={"head": field("head", "in", ref="customer"), "lines": field("lines", lines=LensLines("no", only_read))},
    )
    assert missing_refs({"head": "c9", "lines": [{"no": 1, "read": "p8", "product": "p9"}]}, target) == [
        ("lines", "p9")
    ]


def test_what_becomes_of_a_link_when_the_record_is_removed() -> None:
    assert Step("erp", "archive", {}, (), "").leaves == "archived"
    assert Step("erp", "archive", {}, (), "", undoes="run").leaves == "archived"
    assert Step("erp", "delete", {}, (), "").leaves == "hub"
    assert Step("erp", "delete", {}, (), "", undoes="run").leaves == "undone"


def test_what_people_see_of_a_step() -> None:
    update = Step("erp", "update", {"name": ["A", "B"]}, ("name",), "")
    assert shown_fields(update, {"name": "C"}) == {"name": ["A", "B"]}
    create = Step("erp", "create", {}, ("name", "kind"), "")
    assert shown_fields(create, {"name": "A", "kind": None}) == {"name": [None, "A"]}
