"""``decide`` as tables: what each edit means, by what was there, what is there, and what the policy says."""

from __future__ import annotations

from typing import Any

import pytest
from sync.judging import EARLY, LATE, LINES, field, judge, line, merge, told

from hub.mapping.lens import LensLines
from hub.sync.decide import ABSENT

A = ABSENT
PLAIN = [
    # base, theirs, ours → kind, rule, value afterwards
    ("a", "a", "a", None, "", "a"),
    ("a", "a", "b", None, "", "b"),  # we changed it, they have not been told yet
    ("a", "b", "a", "accepted", "edit", "b"),
    ("a", None, "a", "accepted", "edit", None),  # cleared
    (None, "b", None, "accepted", "edit", "b"),
    ("a", "b", "b", "converged", "equal", "b"),
    ("a", None, None, None, "", None),  # both cleared it: no event
    ("a", A, "a", None, "", "a"),  # absent says nothing
    ("a", "b", A, "accepted", "edit", "b"),
    ("a", "a", A, "accepted", "edit", "a"),  # shown before, never taken in: the mapping reads it only now
    (A, "b", A, "accepted", "first", "b"),
    (A, "b", None, "accepted", "first", "b"),
    (A, "b", "b", None, "", "b"),
    (A, None, "a", None, "", "a"),  # shows nothing at first sight: clears nothing
    (A, None, A, None, "", A),
    ("a", None, A, None, "", A),
    ("a", "b", "c", "accepted", "newest", "b"),  # both changed it, theirs is later
    (A, "b", "c", "accepted", "newest", "b"),
    ("a", "b", None, "accepted", "newest", "b"),  # we cleared it, they changed it
]


@pytest.mark.parametrize(("base", "theirs", "ours", "kind", "rule", "after"), PLAIN)
def test_one_field(base: Any, theirs: Any, ours: Any, kind: str | None, rule: str, after: Any) -> None:
    decision = judge(base, theirs, ours)
    assert [(c.kind, c.rule) for c in decision.changes] == ([(kind, rule)] if kind else [])
    assert decision.values.get("f", ABSENT) == after
    assert decision.changed == (kind == "accepted")


@pytest.mark.parametrize(
    ("options", "kind", "rule"),
    [
        ({"conflict": "newest"}, "accepted", "newest"),
        ({"conflict": "newest", "at": "2025-01-01T00:00:00.000Z"}, "refused", "newest"),
        ({"conflict": "newest", "at": EARLY}, "refused", "order"),  # the same instant: the order of systems
        ({"conflict": "hold"}, "conflict", "hold"),
        ({"conflict": "owner"}, "refused", "owner"),
        ({"conflict": ("erp", "crm")}, "accepted", "order"),
        ({"conflict": ("crm", "erp")}, "refused", "order"),
        ({"conflict": ("shop",)}, "refused", "order"),
        ({"conflict": "newest", "field_conflict": {"f": "hold"}}, "conflict", "hold"),
        ({"conflict": "newest", "stamps": {"f": ["crm", LATE], "*": ["crm", EARLY]}}, "refused", "order"),
        ({"conflict": "newest", "stamps": {}}, "accepted", "newest"),
    ],
)
def test_a_field_both_sides_changed(options: dict[str, Any], kind: str, rule: str) -> None:
    decision = judge("a", "b", "c", **options)
    assert [(c.kind, c.rule) for c in decision.changes] == [(kind, rule)]
    assert decision.values["f"] == ("b" if kind == "accepted" else "c")


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "options", "kind", "rule"),
    [
        ("a", "b", "a", {"authority": {"f": "crm"}}, "refused", "authority"),
        ("a", "b", "c", {"authority": {"f": "crm"}}, "refused", "authority"),
        (A, "b", None, {"authority": {"f": "crm"}}, "refused", "authority"),  # not even a blank is filled
        (A, "b", None, {"authority": {"f": "crm"}, "present": frozenset({"erp"})}, "accepted", "first"),
        ("a", "b", "a", {"authority": {"f": "crm"}, "present": frozenset({"erp"})}, "accepted", "edit"),
        ("a", "b", "c", {"authority": {"f": "erp"}, "conflict": "hold"}, "accepted", "authority"),
        ("a", "b", "a", {"authority": {"f": "erp"}}, "accepted", "authority"),
        ("a", "b", "a", {"authority": {"other": "crm"}}, "accepted", "edit"),
    ],
)
def test_a_field_with_an_owner(base: Any, theirs: Any, ours: Any, options: Any, kind: str, rule: str) -> None:
    (change,) = judge(base, theirs, ours, linked=base is not A, **options).changes
    assert (change.kind, change.rule) == (kind, rule)


@pytest.mark.parametrize(
    ("strength", "base", "theirs", "ours", "kind", "rule"),
    [
        ("weak", "a", "b", "a", "refused", "weak"),
        ("weak", "a", "b", "c", "refused", "weak"),
        ("weak", None, "b", None, "accepted", "edit"),
        ("weak", "a", "b", None, "accepted", "fill"),  # we cleared it: a weak value may fill the blank
        ("weak", A, "b", None, "accepted", "first"),
        ("weak", A, "b", "c", "refused", "weak"),
        ("strong", "a", "b", "a", "refused", "strong"),
        ("strong", A, "b", A, "accepted", "first"),
        ("strong", A, "b", "c", "accepted", "newest"),
    ],
)
def test_weak_fills_blanks_and_strong_enforces(
    strength: str, base: Any, theirs: Any, ours: Any, kind: str, rule: str
) -> None:
    (change,) = judge(base, theirs, ours, how=field("f", strength=strength), linked=base is not A).changes
    assert (change.kind, change.rule) == (kind, rule)


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "meant", "kind", "unpaired"),
    [
        ("ABC", "ABC", "abc", "abc", None, False),  # still shows our value in its own way
        ("ABC", "new", "abc", "abc", "accepted", True),  # edited since: judged against what we meant
        ("ABC", "abc", "abc", "abc", "converged", True),
        ("ABC", "new", "other", "abc", "accepted", True),  # both changed it (newest)
    ],
)
def test_a_value_the_system_had_rewritten(
    base: str, theirs: str, ours: str, meant: str, kind: str | None, unpaired: bool
) -> None:
    decision = judge(base, theirs, ours, meant=meant)
    assert [c.kind for c in decision.changes] == ([kind] if kind else [])
    assert decision.unpaired == ({"f"} if unpaired else set())


def test_a_field_that_is_only_written_is_not_judged() -> None:
    assert judge("a", "b", "a", how=field("f", "out")).changes == []


HOLD = {"f.qty": "hold"}
ONE, TWO = [line(1)], [line(1), line(2)]
NEWER = {"*": ["crm", EARLY], "f[2].qty": ["crm", "2026-01-03T00:00:00.000Z"]}


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "options", "expected", "after"),
    [
        (ONE, ONE, ONE, {}, [], {1: 1}),
        (ONE, [line(1, 5)], ONE, {}, [("f[1].qty", "accepted", "edit")], {1: 5}),
        (ONE, [line(1, 5)], [line(1, 5)], {}, [("f[1].qty", "converged", "equal")], {1: 5}),
        (ONE, TWO, ONE, {}, [("f[2]", "accepted", "edit")], {1: 1, 2: 1}),
        (TWO, ONE, TWO, {}, [("f[2]", "accepted", "edit")], {1: 1}),
        (TWO, None, TWO, {}, [("f[1]", "accepted", "edit"), ("f[2]", "accepted", "edit")], {}),
        (TWO, ONE, ONE, {}, [], {1: 1}),  # both removed it
        (TWO, TWO, ONE, {}, [], {1: 1}),  # we removed it, they did not touch it
        (TWO, [line(1), line(2, 5)], ONE, {}, [("f[2]", "accepted", "newest")], {1: 1, 2: 5}),
        (TWO, [line(1), line(2, 5)], ONE, {"conflict": "hold"}, [("f[2]", "conflict", "hold")], {1: 1}),
        (TWO, ONE, [line(1), line(2, 5)], {}, [("f[2]", "accepted", "newest")], {1: 1}),
        (TWO, ONE, [line(1), line(2, 5)], {"stamps": NEWER}, [("f[2]", "refused", "newest")], {1: 1, 2: 5}),
        (TWO, ONE, [line(1), line(2, 5)], {"conflict": "hold"}, [("f[2]", "conflict", "hold")], {1: 1, 2: 5}),
        (TWO, ONE, TWO, {"authority": {"f": "crm"}}, [("f[2]", "refused", "authority")], {1: 1, 2: 1}),
        (ONE, TWO, ONE, {"authority": {"f": "crm"}}, [("f[2]", "refused", "authority")], {1: 1}),
        (ONE, [line(1, 5)], ONE, {"authority": {"f.qty": "crm"}}, [("f[1].qty", "refused", "authority")], {1: 1}),
        (ONE, TWO, ONE, {"authority": {"f.qty": "crm"}}, [("f[2]", "accepted", "edit")], {1: 1, 2: 1}),
        (TWO, ONE, [line(1), line(2, 5)], {"authority": {"f": "erp"}}, [("f[2]", "accepted", "edit")], {1: 1}),
        (A, TWO, A, {"linked": False}, [("f[1]", "accepted", "first"), ("f[2]", "accepted", "first")], {1: 1, 2: 1}),
        (A, ONE, TWO, {"linked": False}, [], {1: 1, 2: 1}),  # a line not shown at first sight is not removed
        (ONE, [line(1, 5)], [line(1, 7)], {"field_conflict": HOLD}, [("f[1].qty", "conflict", "hold")], {1: 7}),
        (ONE, [{"no": None, "qty": 3}, line(1)], ONE, {}, [], {1: 1}),  # a line without its key is nobody's
    ],
)  # fmt: skip
def test_lines(base: Any, theirs: Any, ours: Any, options: Any, expected: Any, after: dict[int, int]) -> None:
    decision = merge(base, theirs, ours, **options)
    assert told(decision) == expected
    assert {one["no"]: one["qty"] for one in decision.values.get("f") or []} == after


def test_a_line_is_removed_though_we_keep_a_field_of_it_that_the_system_never_shows() -> None:
    decision = merge(TWO, ONE, [line(1), line(2, code="x")], conflict="hold")
    assert told(decision) == [("f[2]", "accepted", "edit")]


def test_a_field_of_lines_that_the_mapping_reads_only_now_is_taken_in() -> None:
    decision = merge([line(1, price=9)], [line(1, price=9)], [line(1, 5)])
    assert told(decision) == [("f[1].price", "accepted", "edit")]
    assert decision.values["f"] == [line(1, 5, price=9)], "what we changed meanwhile stays"


def test_lines_that_the_system_had_rewritten_are_judged_against_what_we_meant() -> None:
    decision = merge([line(1, 10)], [line(1, 12)], [line(1, 9)], meant=[line(1, 9)])
    assert told(decision) == [("f[1].qty", "accepted", "edit")] and decision.unpaired == {"f"}


def test_lines_of_a_mapping_that_knows_only_some_keys_leave_the_others_alone() -> None:
    only = LensLines("no", LINES.fields, frozenset({1}))
    decision = merge([line(1)], [line(1, 5)], [line(1), line(2)], lines=only)
    assert decision.values["f"] == [line(1, 5), line(2)]


def test_what_is_judged_is_not_modified() -> None:
    ours = [line(2), line(1)]
    decision = merge(TWO, [line(1, 5), line(2)], ours)
    assert ours == [line(2), line(1)] and decision.values["f"] == [line(1, 5), line(2)]
