"""``decide`` to the letter: what it says of each change, and the places where several fields or lines meet."""

from __future__ import annotations

from typing import Any

import pytest
from sync.judging import EARLY, LATE, LINES, field, judge, line, merge, policy, seen, told

from hub.mapping.lens import LensLines
from hub.sync.decide import ABSENT, Change, decide, judged, sort_lines

A = ABSENT
BETWEEN, LATER = "2026-01-01T12:00:00.000Z", "2026-01-03T00:00:00.000Z"
THREE = [line(1), line(2), line(3)]


def test_absent_is_neither_true_nor_null() -> None:
    assert not A and A is not None and repr(A) == "absent"


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "options", "change"),
    [
        ("a", "b", "c", {}, ("accepted", "newest", "a", "b", "c")),
        ("a", "b", "b", {}, ("converged", "equal", "a", "b", "b")),
        ("a", "b", A, {}, ("accepted", "edit", "a", "b", None)),
        (A, "b", "c", {"linked": False}, ("accepted", "newest", None, "b", "c")),
        (A, "b", A, {"linked": False}, ("accepted", "first", None, "b", None)),
        ("a", None, "a", {}, ("accepted", "edit", "a", None, "a")),
        ("a", "b", "c", {"conflict": "hold"}, ("conflict", "hold", "a", "b", "c")),
        ("a", "b", "a", {"authority": {"f": "crm"}}, ("refused", "authority", "a", "b", "a")),
    ],
)
def test_what_is_said_of_a_change(base: Any, theirs: Any, ours: Any, options: Any, change: Any) -> None:
    assert judge(base, theirs, ours, **options).changes == [Change("f", *change)]


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "options", "change"),
    [
        (THREE, THREE[:2], THREE, {}, ("f[3]", "accepted", "edit", line(3), None, line(3))),
        (THREE[:2], THREE, THREE[:2], {}, ("f[3]", "accepted", "edit", None, line(3), None)),
        (THREE, [*THREE[:2], line(3, 9)], THREE[:2], {}, ("f[3]", "accepted", "newest", line(3), line(3, 9), None)),
        (A, [line(3)], [], {"linked": False}, ("f[3]", "accepted", "first", None, line(3), None)),
    ],
)
def test_what_is_said_of_a_line(base: Any, theirs: Any, ours: Any, options: Any, change: Any) -> None:
    assert merge(base, theirs, ours, **options).changes == [Change(*change)]


def test_each_field_is_judged_by_itself() -> None:
    """Fields with nothing to decide stand between those that were edited; all edits arrive, and ours is not touched."""
    names = ("a", "written", "b", "unsaid", "c", "same", "d", "lines", "e", "blank", "f")
    fields = {name: field(name) for name in names}
    fields |= {"written": field("written", "out"), "lines": field("lines", lines=LINES)}
    edited = ("a", "b", "c", "d", "e", "f")
    base = dict.fromkeys((*edited, "written", "same"), 1) | {"lines": [line(1)], "blank": 1}
    theirs = dict.fromkeys((*edited, "written"), 2) | {"same": 1, "lines": [line(1, 5)], "blank": None}
    ours = {**base, "unsaid": 1, "blank": None}
    before = {**ours, "lines": [dict(one) for one in ours["lines"]]}
    decision = decide(seen(theirs, base, ours), fields, policy())
    assert [change.path for change in decision.changes] == ["a", "b", "c", "d", "lines[1].qty", "e", "f"]
    assert ours == before
    assert decision.values == {**ours, **dict.fromkeys(edited, 2), "lines": [line(1, 5)]}
    assert decision.unpaired == set()


def test_a_refused_edit_leaves_the_values_as_they_are() -> None:
    ours = {"f": [line(2), line(1)], "g": "a"}
    sight = seen({"f": [line(1, 5), line(2)], "g": "b"}, {"f": [line(1), line(2)], "g": "a"}, ours)
    owned = policy(authority={"f": "crm", "g": "crm"})
    decision = decide(sight, {"f": field("f", lines=LINES), "g": field("g")}, owned)
    assert [change.kind for change in decision.changes] == ["refused", "refused"]
    assert decision.values is ours


def test_an_edit_of_a_value_that_was_rewritten_is_an_edit() -> None:
    (change,) = judge("ABC", "new", "abc", meant="abc").changes
    assert (change.kind, change.rule) == ("accepted", "edit")
    both = [line(1, "ABC"), line(2)], [line(1, "new"), line(2)], [line(1, "abc"), line(2)]
    assert told(merge(*both, meant=[line(1, "abc"), line(2)], conflict="hold")) == [("f[1].qty", "accepted", "edit")]


@pytest.mark.parametrize(
    ("path", "theirs", "ours", "options", "expected"),
    [
        ("f", "b", "b", {}, ("converged", "equal")),
        ("f", "b", "a", {}, ("accepted", "edit")),
        ("f", "b", "c", {}, ("accepted", "newest")),
        ("f", None, "a", {}, ("accepted", "edit")),
        ("f", "b", "a", {"authority": {"f": "crm"}}, ("refused", "authority")),
        ("f", "b", "c", {"field_conflict": {"f": "hold"}}, ("conflict", "hold")),
        ("lines[1]", None, A, {}, ("accepted", "edit")),
        ("lines[1].qty", None, A, {}, ("accepted", "edit")),
        ("lines[1].qty", "b", "a", {"authority": {"lines": "crm"}}, ("refused", "authority")),
    ],
)
def test_one_edit_judged_alone(path: str, theirs: Any, ours: Any, options: Any, expected: Any) -> None:
    sight = seen({}, {}, {})
    assert judged(sight, path, field("f"), policy(**options), "a", "a", theirs, ours) == expected


def test_looking_back_at_lines_that_both_lack_and_at_first_sights() -> None:
    sight = seen({}, {}, {})
    assert judged(sight, "f", field("f"), policy(), A, A, "b", "a") == ("accepted", "newest")
    assert judged(sight, "lines[1]", field("f"), policy(), line(1), line(1), None, None) == ("converged", "equal")
    assert judged(sight, "f", field("f"), policy(), A, A, None, "a") == (None, "")
    assert judged(sight, "f", field("f", strength="strong"), policy(), "a", "a", "b", "a") == ("refused", "strong")


@pytest.mark.parametrize(
    ("stamps", "kind"),
    [
        ({"f": ["crm", LATER], "*": ["crm", EARLY]}, "refused"),  # the field as a whole was given later
        ({"f[1]": ["crm", LATER], "*": ["crm", EARLY]}, "refused"),
        ({"f[1].qty": ["crm", LATER], "*": ["crm", EARLY]}, "refused"),
        ({"f[1].qty": ["crm", EARLY], "*": ["crm", LATER]}, "accepted"),  # its own word counts, not the record's
        ({"f[1]": ["crm", EARLY], "f": ["crm", LATER]}, "accepted"),
        ({"f[1]": ["aaa", LATER], "f[1].qty": ["crm", EARLY]}, "refused"),  # the newest of what concerns it
        ({"f[1]": ["crm", EARLY], "f[1].qty": ["aaa", LATER]}, "refused"),
        ({"f[1]": ["zzz", EARLY], "f[1].qty": ["aaa", LATER]}, "refused"),
        ({"f[1].price": ["crm", LATER], "*": ["crm", EARLY]}, "accepted"),  # another field of the line
        ({"f[2].qty": ["crm", LATER], "*": ["crm", EARLY]}, "accepted"),  # another line
        ({}, "accepted"),
    ],
)
def test_the_newest_edit_of_a_place_in_a_line(stamps: Any, kind: str) -> None:
    (change,) = merge([line(1)], [line(1, 2)], [line(1, 3)], stamps=stamps).changes
    assert (change.path, change.kind, change.rule) == ("f[1].qty", kind, "newest")


@pytest.mark.parametrize(
    ("stamps", "kind"),
    [
        ({"f[3].qty": ["crm", LATER], "*": ["crm", EARLY]}, "refused"),  # somebody worked on the line since
        ({"f[3].qty": ["crm", EARLY], "f[3].price": ["crm", LATER]}, "refused"),
        ({"f[33].qty": ["crm", LATER], "*": ["crm", EARLY]}, "accepted"),
    ],
)
def test_the_newest_edit_of_a_whole_line(stamps: Any, kind: str) -> None:
    (change,) = merge(THREE, THREE[:2], [*THREE[:2], line(3, 7)], stamps=stamps).changes
    assert (change.path, change.kind, change.rule) == ("f[3]", kind, "newest")


@pytest.mark.parametrize(
    ("options", "kind", "rule"),
    [
        ({"authority": {"f": "crm"}}, "refused", "authority"),
        ({"authority": {"f": "erp"}}, "accepted", "authority"),
        ({"authority": {"f.qty": "crm", "f": "erp"}}, "refused", "authority"),
        ({"field_conflict": {"f": "hold"}}, "conflict", "hold"),
        ({"field_conflict": {"f.qty": "hold", "f": "newest"}}, "conflict", "hold"),
        ({"conflict": ("erp",)}, "accepted", "order"),
        ({"conflict": ("crm",)}, "refused", "order"),
        ({"conflict": ("shop", "erp")}, "accepted", "order"),
    ],
)
def test_owners_and_rules_of_fields_of_lines(options: Any, kind: str, rule: str) -> None:
    (change,) = merge([line("A[1]")], [line("A[1]", 2)], [line("A[1]", 3)], **options).changes
    assert (change.path, change.kind, change.rule) == ("f[A[1]].qty", kind, rule)


@pytest.mark.parametrize(
    ("owner", "present", "kind"),
    [
        ("crm", {"crm", "erp"}, "refused"),
        ("crm", {"erp"}, "accepted"),  # an owner that does not have the record owns nothing of it
        ("erp", {"crm", "erp"}, "accepted"),
        (None, {"crm", "erp"}, "accepted"),
    ],
)
def test_owners_of_lines(owner: str | None, present: set[str], kind: str) -> None:
    options: Any = {"authority": {"f": owner} if owner else {"g": "crm"}, "present": frozenset(present)}
    assert told(merge(THREE[:2], THREE, THREE[:2], **options)) == [
        ("f[3]", kind, "authority" if kind == "refused" else "edit")
    ]
    assert told(merge(THREE, THREE[:2], THREE, **options)) == [
        ("f[3]", kind, "authority" if kind == "refused" else "edit")
    ]
    (change,) = merge(THREE[:1], [line(1, 9)], THREE[:1], **options).changes
    assert change.kind == kind


def test_each_line_is_judged_by_itself() -> None:
    base, theirs, ours = THREE, [line(1), line(2), line(3, 9)], [line(1), line(3)]
    decision = merge(base, theirs, ours)
    assert told(decision) == [("f[3].qty", "accepted", "edit")]  # we removed the second, they did not touch it
    decision = merge([*THREE, line(4)], [line(1), line(3), line(4, 9)], [*THREE, line(4)])
    assert told(decision) == [("f[4].qty", "accepted", "edit"), ("f[2]", "accepted", "edit")]
    assert decision.values["f"] == [line(1), line(3), line(4, 9)]
    refused = merge(THREE, THREE[1:], [line(1, 7), line(2), line(3)], conflict=("crm", "erp"))
    assert told(refused) == [("f[1]", "refused", "order")] and refused.values["f"][0] == line(1, 7)


def test_a_line_that_we_meant_to_remove_is_none_of_theirs() -> None:
    """We took line 2 out, the system kept showing it, and somebody there takes it out while we have it again."""
    decision = merge([line(1), line(2)], [line(1)], [line(1), line(2)], meant=[line(1)], conflict="hold")
    assert told(decision) == [("f[2]", "conflict", "hold")]


def test_every_field_of_a_line_is_judged_by_itself() -> None:
    lines = LensLines(
        "no", {n: field(n, "out" if n == "code" else "both") for n in ("code", "qty", "price", "no", "x")}
    )
    base = [{"no": 1, "code": "a", "qty": 1, "price": 1}]
    theirs = [{"no": 1, "code": "b", "price": 2, "x": 3}]
    decision = merge(base, theirs, [{"no": 1, "code": "a", "qty": 1, "price": 1}], lines=lines)
    assert told(decision) == [("f[1].price", "accepted", "edit"), ("f[1].x", "accepted", "first")]
    assert decision.values["f"] == [{"no": 1, "code": "a", "qty": 1, "price": 2, "x": 3}]


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "meant", "expected"),
    [
        ({}, {"price": 9}, {}, None, [("accepted", "first")]),  # not said before: nothing to compare with
        ({}, {"price": None}, {"price": 5}, None, []),
        ({"price": 4}, {"price": 9}, {}, None, [("accepted", "edit")]),  # never taken in
        ({"price": 5}, {"price": 6}, {"price": 5}, {}, [("accepted", "edit")]),  # of what we meant: the price not
        ({"price": 5}, {"price": 6}, {"price": 7}, {"price": 7}, [("accepted", "edit")]),
        ({"price": 5}, {"price": 6}, {"price": 5}, {"price": 7}, [("conflict", "hold")]),
        ({"price": 5}, {"price": 6}, {"price": None}, {"price": 5}, [("conflict", "hold")]),
    ],
)
def test_fields_of_a_line(base: Any, theirs: Any, ours: Any, meant: Any, expected: Any) -> None:
    more = {} if meant is None else {"meant": [line(1, **meant)]}
    decision = merge([line(1, **base)], [line(1, **theirs)], [line(1, **ours)], conflict="hold", **more)
    assert [(c.kind, c.rule) for c in decision.changes] == expected


def test_lines_of_other_mappings_are_not_looked_at() -> None:
    only = LensLines("no", LINES.fields, frozenset({1}))
    decision = merge([line(1)], [line(1, 5), line(2, 7)], [line(1), line(2)], lines=only)
    assert told(decision) == [("f[1].qty", "accepted", "edit")]
    assert decision.values["f"] == [line(1, 5), line(2)]


def test_lines_edited_where_the_system_had_rewritten_them_no_longer_count_as_meant() -> None:
    rewritten: Any = {"base": [line(1, "ABC")], "ours": [line(1, "abc")], "meant": [line(1, "abc")]}
    assert merge(theirs=[line(1, "ABC")], **rewritten).unpaired == set()
    assert merge(theirs=[line(1, "new")], **rewritten).unpaired == {"f"}
    assert merge([line(1)], [line(1, 5)], [line(1)]).unpaired == set()
    assert merge(A, [line(1, 5)], [line(1)], meant=[line(1)], linked=False).unpaired == set()


def test_a_line_that_the_hub_alone_fills_in_part_is_removed_with_it() -> None:
    lines = LensLines("no", {"no": field("no"), "qty": field("qty"), "code": field("code", "out")})
    have = [line(1), line(2, code="hub")]
    assert told(merge([line(1), line(2)], [line(1)], have, lines=lines, conflict="hold")) == [
        ("f[2]", "accepted", "edit")
    ]
    edited = [line(1), line(2, 5)]
    assert told(merge([line(1), line(2)], [line(1)], edited, lines=lines, conflict="hold")) == [
        ("f[2]", "conflict", "hold")
    ]


def test_the_order_of_lines_is_numbers_before_texts() -> None:
    mixed = [line("b"), line(10), line("a"), line(2)]
    assert [one["no"] for one in sort_lines(mixed, "no")] == [2, 10, "a", "b"]
    decision = merge([line(2)], [line(2), line("b"), line(10), line("a")], [line(2)])
    assert [one["no"] for one in decision.values["f"]] == [2, 10, "a", "b"]


def test_an_edit_at_the_very_moment_of_ours_goes_by_the_order_of_systems() -> None:
    (change,) = judge("a", "b", "c", stamps={"*": ["crm", LATE]}, at=LATE).changes
    assert (change.kind, change.rule) == ("refused", "order")
    (change,) = judge("a", "b", "c", stamps={"*": ["shop", LATE]}, at=LATE).changes
    assert (change.kind, change.rule) == ("accepted", "order")
    (change,) = judge("a", "b", "c", stamps={"*": ["crm", LATE]}, at=BETWEEN).changes
    assert (change.kind, change.rule) == ("refused", "newest")
