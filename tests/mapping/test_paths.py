"""Paths walk nested records, and build them again on the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping.paths import ABSENT, Item, Matching, PathError, Target, parse, read, show

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(lambda name: name.strip() == name)
STEPS = st.one_of(NAMES, st.builds(Item, st.integers(0, 99)), st.builds(Matching, NAMES, NAMES))


@given(NAMES, st.lists(STEPS))
def test_every_path_can_be_written_and_read_again(first, rest):
    steps = (first, *rest)
    assert parse(show(steps)) == steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("FCustId.FNumber", ("FCustId", "FNumber")),
        ("Order Date", ("Order Date",)),
        ("客户 🙂.编号", ("客户 🙂", "编号")),
        ('"a.b".c', ("a.b", "c")),
        ("a\\.b.c", ("a.b", "c")),
        ("Line_Tax[0].percentage", ("Line_Tax", Item(0), "percentage")),
        ("Line_Tax[name=VAT].percentage", ("Line_Tax", Matching("name", "VAT"), "percentage")),
        ('Line_Tax[name="a]b"]', ("Line_Tax", Matching("name", "a]b"))),
    ],
)
def test_steps_of_paths(text, steps):
    assert parse(text) == steps


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("a..b", 2, "a name is missing"),
        ("", 0, "a name is missing"),
        ("a[x]", 1, "[ ] holds the number of an item, or name=value to find it by"),
        ("a[-1]", 1, "[ ] holds the number of an item, or name=value to find it by"),
        ('a."b', 2, "the quote is not closed"),
        ("a[0]b", 4, "'b' after a closing bracket or quote; a '.' or '[' belongs there"),
        ("a]b", 1, "']' inside a name"),
    ],
)
def test_a_wrong_path_says_where(text, offset, message):
    with pytest.raises(PathError) as caught:
        parse(text)
    assert (caught.value.offset, str(caught.value)) == (offset, message)


@pytest.mark.parametrize(
    ("record", "path", "value"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": None}, "a.b", None),
        ({"a": {}}, "a.b", ABSENT),
        ({}, "a.b", ABSENT),
        ({"a": {"b": None}}, "a.b", None),
        ({"t": [{"p": 13}]}, "t[0].p", 13),
        ({"t": []}, "t[0].p", None),
        ({"t": None}, "t[0].p", None),
        ({}, "t[0].p", ABSENT),
        ({"t": [{"n": "GST"}, {"n": " VAT ", "p": 6}]}, "t[n=VAT].p", 6),
        ({"t": [{"n": 5, "p": 1}]}, "t[n=5].p", 1),
        ({"t": [{"n": "GST"}]}, "t[n=VAT].p", None),
    ],
)
def test_reading_tells_absent_from_null(record, path, value):
    assert read(record, parse(path)) == value


@pytest.mark.parametrize(("record", "path"), [({"a": 1}, "a.b"), ({"a": {"b": 1}}, "a[0]"), ({"a": [1]}, "a.b")])
def test_something_else_in_the_way_is_an_error(record, path):
    with pytest.raises(ValueError, match="expected"):
        read(record, parse(path))


def written(path, value, old=None, **how):
    out = {}
    Target(parse(path), **how).write(out, value, old)
    return out


def test_writing_builds_what_is_not_there():
    assert written("a.b.c", 1) == {"a": {"b": {"c": 1}}}
    assert written("t[0].p", 13) == {"t": [{"p": 13}]}
    assert written("t[n=VAT].p", 13) == {"t": [{"n": "VAT", "p": 13}]}


def test_clearing_writes_the_chosen_shape():
    assert written("a.b", None) == {"a": {"b": None}}
    assert written("a.b", None, clear="parent") == {"a": None}
    assert written("f.a.b", None, clear="parent") == {"f": {"a": None}}


def test_clearing_in_a_list_removes_the_item():
    old = {"t": [{"n": "GST", "p": 1}, {"n": "VAT", "p": 6}]}
    assert written("t[n=VAT].p", None, old) == {"t": [{"n": "GST", "p": 1}]}
    assert written("t[0].p", None, old) == {"t": [{"n": "VAT", "p": 6}]}
    assert written("t[5].p", None, old) == {"t": old["t"]}


def test_what_has_to_be_whole_is_taken_from_the_old_record():
    old = {"a": {"b": 1, "rest": 2}, "t": [{"n": "VAT", "p": 6, "id": "x"}]}
    assert written("a.b", 9, old, kinds=("whole",)) == {"a": {"b": 9, "rest": 2}}
    assert written("a.b", 9, old, kinds=("partial",)) == {"a": {"b": 9}}
    assert written("a.b", 9, old, kinds=("fresh",)) == {"a": {"b": 9}}
    assert written("t[n=VAT].p", 9, old) == {"t": [{"n": "VAT", "p": 9, "id": "x"}]}
    assert old == {"a": {"b": 1, "rest": 2}, "t": [{"n": "VAT", "p": 6, "id": "x"}]}, "the old record is never changed"


def test_a_hole_in_a_list_is_refused():
    with pytest.raises(ValueError, match="the list has 0 items"):
        written("t[1].p", 1)
