"""``plan_record`` as tables: what must be written where, and what is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sync.planned import NEW, TARGET, field, plan

from hub.sync.plan import Verdict, missing_refs, shown_fields


def told(verdict: Verdict) -> list[tuple[str, Any]]:
    return [(s.action, s.write) for s in verdict.steps] + [("hold", h.reason) for h in verdict.holds]


@pytest.mark.parametrize(
    ("values", "target", "subject", "expected"),
    [
        ({"name": "A"}, NEW, {}, [("create", ("name",))]),
        ({"name": "A", "total": "5", "kind": None}, NEW, {}, [("create", ("name", "kind"))]),
        ({"name": "A"}, {**NEW, "may_create": False}, {}, []),
        ({"name": "A"}, {"gone": "hub"}, {}, [("create", ("name",))]),
        ({"name": "A"}, {"gone": "them"}, {}, []),
        ({"name": "A"}, {"gone": "archived"}, {}, []),
        ({"customer": "c1"}, NEW, {}, [("create", ("customer",))]),
        ({"customer": "c2"}, NEW, {}, [("hold", "reference")]),
        ({"lines": [{"no": 1, "product": "p2"}]}, NEW, {}, [("hold", "reference")]),
        ({"name": "A"}, NEW, {"frozen": frozenset({"name"})}, [("hold", "conflict")]),
        ({"name": "A"}, NEW, {"frozen": frozenset({"*"})}, [("hold", "conflict")]),
        ({"name": "A"}, NEW, {"frozen": frozenset({"unmapped"})}, [("create", ("name",))]),
        ({"name": "A"}, {**NEW, "letter": "refused"}, {}, [("hold", "letter")]),
        ({"name": "A"}, {**NEW, "waiting": "it waits"}, {}, [("hold", "waiting")]),
    ],
)
def test_creates(values: Any, target: Any, subject: Any, expected: Any) -> None:
    assert told(plan(values, target, **subject)) == expected


def shown(**values: Any) -> dict[str, Any]:
    return {"shown": values}


@pytest.mark.parametrize(
    ("values", "target", "subject", "expected"),
    [
        ({"name": "A"}, shown(name="A"), {}, []),
        ({"name": "B"}, shown(name="A"), {}, [("update", ("name",))]),
        ({"name": None}, shown(name="A"), {}, [("update", ("name",))]),
        ({"name": None}, shown(), {}, []),  # a blank where nothing is known is no difference
        ({"name": "A"}, shown(), {}, [("update", ("name",))]),
        ({}, shown(name="A"), {}, []),  # what we never heard of is not cleared
        ({"name": "a"}, {"shown": {"name": "A"}, "meant": {"name": "a"}}, {}, []),
        ({"name": "b"}, {"shown": {"name": "A"}, "meant": {"name": "a"}}, {}, [("update", ("name",))]),
        ({"kind": "k"}, {"meant": {"kind": "k"}}, {}, []),
        ({"kind": "k"}, {}, {}, [("update", ("kind",))]),
        ({"total": "5"}, shown(total="4"), {}, []),
        ({"remark": "b"}, shown(remark="a"), {}, []),
        ({"remark": "b"}, shown(remark=None), {}, [("update", ("remark",))]),
        ({"customer": "c2"}, shown(customer="c1"), {}, [("hold", "reference")]),
        ({"customer": "c2"}, shown(customer="c2"), {}, []),  # not there any more, but not to be written either
        ({"customer": "c2", "name": "B"}, shown(customer="c1"), {}, [("update", ("name",)), ("hold", "reference")]),
        ({"name": "B"}, shown(name="A"), {"frozen": frozenset({"name"})}, [("hold", "conflict")]),
        ({"name": "B"}, shown(name="A"), {"frozen": frozenset({"*"})}, [("hold", "conflict")]),
        ({"name": "A"}, shown(name="A"), {"frozen": frozenset({"name"})}, []),
        (
            {"name": "B", "kind": "k"},
            shown(name="A"),
            {"frozen": frozenset({"name"})},
            [("update", ("kind",)), ("hold", "conflict")],
        ),
        ({"name": "B"}, {"shown": {"name": "A"}, "letter": "refused"}, {}, [("hold", "letter")]),
        ({"name": "B"}, {"shown": {"name": "A"}, "waiting": "it waits"}, {}, [("hold", "waiting")]),
    ],
)
def test_updates(values: Any, target: Any, subject: Any, expected: Any) -> None:
    verdict = plan(values, target, **subject)
    assert told(verdict) == expected
    assert verdict.settled == (not expected)


@pytest.mark.parametrize(
    ("target", "subject", "expected"),
    [
        ({}, {}, [("delete", ())]),
        ({"deletes": "archive"}, {}, [("archive", ())]),
        ({"deletes": "ignore"}, {}, []),
        ({"remote_id": None}, {}, []),
        ({"gone": "them"}, {}, []),
        ({"gone": "hub"}, {}, []),
        ({"gone": "archived"}, {}, []),
        ({"can_delete": False}, {}, []),
        ({"deletes": "archive", "can_archive": False}, {}, []),
        ({}, {"frozen": frozenset({"*"})}, [("hold", "conflict")]),
        ({}, {"frozen": frozenset({"name"})}, [("delete", ())]),
        ({"letter": "refused"}, {}, [("hold", "letter")]),
        ({"waiting": "it waits"}, {}, [("hold", "waiting")]),
    ],
)
def test_deletions(target: Any, subject: Any, expected: Any) -> None:
    assert told(plan({"name": "A"}, target, deleted=True, deleted_by="crm", **subject)) == expected


@pytest.mark.parametrize(
    ("wanted", "have", "paths"),
    [
        ([{"no": 1, "qty": 2}], [{"no": 1, "qty": 2}], {}),
        ([{"no": 1, "qty": 2}], [{"no": 1, "qty": 3}], {"lines[1].qty": [3, 2]}),
        ([], [{"no": 1, "qty": 3}], {"lines[1]": [{"no": 1, "qty": 3}, None]}),
        ([{"no": 1, "qty": 2, "other": 1}], [], {"lines[1]": [None, {"no": 1, "qty": 2}]}),
        ([{"no": 1, "qty": None}], [], {}),  # a line of blanks is no line
        ([{"no": 1, "sum": "5"}], [], {}),  # nor is one of what only the system fills
        ([{"no": 1, "sum": "5"}], [{"no": 1, "sum": "4"}], {}),
        ([{"no": 1, "note": "b"}], [{"no": 1, "note": "a"}], {}),
        ([{"no": 1, "note": "b"}], [{"no": 1, "note": None}], {"lines[1].note": [None, "b"]}),
        ([{"no": 1, "code": "x"}], [{"no": 1}], {}),  # never shown, so never known to differ
        ([{"no": 1, "qty": 2}], None, {"lines[1]": [None, {"no": 1, "qty": 2}]}),
        (None, [{"no": 1, "qty": 3}], {"lines[1]": [{"no": 1, "qty": 3}, None]}),
    ],
)
def test_lines(wanted: Any, have: Any, paths: dict[str, Any]) -> None:
    verdict = plan({"lines": wanted}, shown(lines=have))
    assert (verdict.steps[0].fields if verdict.steps else {}) == paths


def test_missing_references_are_named_with_their_fields() -> None:
    values = {"customer": "c9", "lines": [{"no": 1, "product": "p1"}, {"no": 2, "product": "p9"}, {"no": 3}]}
    assert missing_refs(values, TARGET) == [("customer", "c9"), ("lines", "p9")]
    assert missing_refs(values, replace(TARGET, has_refs=False)) == []
    only_read = {"customer": field("customer", "in", ref="customer")}
    assert missing_refs(values, replace(TARGET, fields=only_read)) == []


def test_steps_say_why_and_what() -> None:
    verdict = plan({"name": "B"}, shown(name="A"))
    assert (verdict.steps[0].because, verdict.steps[0].fields) == ("changed in crm", {"name": ["A", "B"]})
    values = {"name": "A", "kind": None}
    (step,) = plan(values, NEW).steps
    assert (step.because, shown_fields(step, values)) == ("new in crm", {"name": [None, "A"]})
    assert shown_fields(verdict.steps[0], values) == {"name": ["A", "B"]}
