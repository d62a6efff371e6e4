"""Lines: what is new, what stays, what goes; and whether somebody changed them meanwhile."""

from decimal import Decimal

import pytest

from hub.connect.lines import alike, changed, check_unchanged, compared
from hub.errors import VersionConflict

THERE = [{"id": 1, "quantity": 2}, {"id": 2, "quantity": 5}]


def by_id(line):
    return line.get("id")


def test_the_wanted_list_is_complete():
    found = compared(THERE, [{"id": 1, "quantity": 3}, {"quantity": 4}], by_id)
    assert found.new == [{"quantity": 4}]
    assert found.kept == [({"id": 1, "quantity": 3}, THERE[0])]
    assert found.gone == [THERE[1]]
    assert changed(*found.kept[0]) == {"quantity": 3}


def test_a_line_whose_own_was_removed_meanwhile_is_new_and_none_is_taken_twice():
    found = compared(THERE, [{"id": 9}, {"id": 1}, {"id": "1"}], by_id)
    assert (found.new, [line for line, _ in found.kept], found.gone) == (
        [{"id": 9}, {"id": "1"}],
        [{"id": 1}],
        THERE[1:],
    )


@pytest.mark.parametrize(
    "now",
    [
        [{"id": 1, "quantity": 3}, {"id": 2, "quantity": 5}],
        [{"id": 1, "quantity": 2}],
        [*THERE, {"id": 3, "quantity": 1}],
    ],
)
def test_lines_that_somebody_touched_meanwhile_are_a_conflict(now):
    with pytest.raises(VersionConflict, match="was changed since it was last seen"):
        check_unchanged("lines", THERE, now, by_id, "shop/orders/1")


@pytest.mark.parametrize(
    ("seen", "now"),
    [
        (THERE, [{"id": 2, "quantity": "5.00", "total": 9}, {"id": 1, "quantity": Decimal(2)}]),
        (None, THERE),
        ([{"quantity": 2}], THERE),
        ([], []),
    ],
)
def test_other_spellings_and_what_was_never_seen_are_none(seen, now):
    check_unchanged("lines", seen, now, by_id, "shop/orders/1")


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": "1.0", "c": 2}, "d": 3}, True),
        ([{"a": 1}], [{"a": 2}], False),
        ([1], [1, 2], False),
        (True, 1, False),
        ("", None, True),
        ("x", "y", False),
    ],
)
def test_only_what_was_seen_counts(seen, now, expected):
    assert alike(seen, now) is expected
