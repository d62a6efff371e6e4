"""``correlate`` as a table, and references between a system's own and the hub's."""

from __future__ import annotations

from typing import Any

import pytest

from hub.mapping.lens import LensField, LensLines, Position
from hub.sync.correlate import Match, correlate
from hub.sync.refs import RefPath, mentioned, ref_paths, translate

TAX, NAME = ("tax",), ("name",)
RULES = (TAX, NAME, ("name", "city"))


def hits(rule: tuple[str, ...], *found: tuple[str, dict[str, Any]]) -> dict[tuple[str, ...], Any]:
    return {rule: list(found)}


@pytest.mark.parametrize(
    ("values", "key", "candidates", "taken", "expected"),
    [
        ({"name": "A"}, None, {}, (), ("new", None, ())),
        ({"name": "A"}, "h1", {}, (), ("ours", "h1", ())),
        ({"name": "A"}, "h1", {}, ("h1",), ("new", None, ())),  # a copy of a record that is there
        ({"name": "A"}, "h9", {}, (), ("new", None, ())),  # a key of somebody else's hub
        ({"name": "A"}, None, hits(NAME, ("h1", {"name": "A"})), (), ("matched", "h1", ())),
        ({"name": "A"}, None, hits(NAME, ("h1", {"name": "B"})), (), ("new", None, ())),  # an old key of the index
        ({"name": None}, None, hits(NAME, ("h1", {"name": None})), (), ("new", None, ())),  # blanks match nothing
        ({}, None, hits(NAME, ("h1", {})), (), ("new", None, ())),
        ({"name": "A"}, None, hits(NAME, ("h1", {"name": "A"}), ("h1", {"name": "A"})), (), ("matched", "h1", ())),
        (
            {"name": "A"},
            None,
            hits(NAME, ("h1", {"name": "A"}), ("h2", {"name": "A"})),
            (),
            ("ambiguous", None, ("h1", "h2")),
        ),
        ({"name": "A"}, None, hits(NAME, ("h1", {"name": "A"})), ("h1",), ("ambiguous", None, ("h1",))),
        (
            {"name": "A"},
            None,
            hits(NAME, ("h1", {"name": "A"}), ("h2", {"name": "A"})),
            ("h1",),
            ("ambiguous", None, ("h1", "h2")),
        ),
        (
            {"tax": "T", "name": "A"},
            None,
            {**hits(TAX, ("h1", {"tax": "T"})), **hits(NAME, ("h2", {"name": "A"}))},
            (),
            ("matched", "h1", ()),
        ),
        (
            {"tax": "T", "name": "A"},
            None,
            {**hits(TAX, ("h1", {"tax": "X"})), **hits(NAME, ("h2", {"name": "A"}))},
            (),
            ("matched", "h2", ()),
        ),
        (
            {"name": "A", "city": "B"},
            None,
            hits(("name", "city"), ("h1", {"name": "A", "city": "C"}), ("h2", {"name": "A", "city": "B"})),
            (),
            ("matched", "h2", ()),
        ),
    ],
)
def test_what_a_record_without_a_link_is(values: Any, key: Any, candidates: Any, taken: Any, expected: Any) -> None:
    match = correlate(values, key, RULES, candidates, frozenset(taken), frozenset({"h1", "h2"}))
    assert (match.situation, match.hub_id, match.candidates) == expected
    assert bool(match.reason) == (match.situation == "ambiguous")


def test_what_is_said_of_a_match() -> None:
    def match(found: dict[tuple[str, ...], Any], key: str | None = None, taken: tuple[str, ...] = ()) -> Match:
        values = {"tax": "T", "name": "A", "city": "B"}
        return correlate(values, key, RULES, found, frozenset(taken), frozenset({"h1"}))

    one, two = ("h1", {"name": "A", "city": "B"}), ("h2", {"name": "A", "city": "B"})
    both = ("name", "city")
    assert match({}) == Match("new", None, "", (), "")
    assert match({}, "h1") == Match("ours", "h1", "hub key")
    assert match(hits(NAME, one)) == Match("matched", "h1", "name")
    assert match(hits(both, one)) == Match("matched", "h1", "name + city")
    same = Match("ambiguous", None, "name + city", ("h1", "h2"), "2 records have the same name + city")
    assert match(hits(both, one, two)) == same
    linked = "another record of this system with the same name + city is linked already"
    assert match(hits(both, one, two), taken=("h1",)) == Match("ambiguous", None, "name + city", ("h1", "h2"), linked)
    assert match(hits(NAME, one), taken=("h1",)).reason == linked.replace(" + city", "")


HEAD, LINE = RefPath("customer", None, "customer"), RefPath("lines", "product", "product")
TABLE = {("customer", "c1"): "H1", ("product", "p1"): "H2"}


def test_references_of_a_mapping_are_found_in_heads_and_lines() -> None:
    at = Position("test.yaml", 1, 1)
    product = LensField("product", "both", "normal", at, (), ref="product")
    fields = {
        "name": LensField("name", "both", "normal", at, ()),
        "customer": LensField("customer", "both", "normal", at, (), ref="customer"),
        "lines": LensField("lines", "both", "normal", at, (), lines=LensLines("no", {"product": product})),
    }
    assert ref_paths(type("Lens", (), {"fields": fields})()) == (HEAD, LINE)
    values = {"customer": "c1", "lines": [{"product": "p1"}, {"product": None}, {}]}
    assert list(mentioned(values, (HEAD, LINE))) == [("customer", "c1"), ("product", "p1")]


def test_known_references_are_translated_in_place_and_lines_are_copied() -> None:
    lines = [{"no": 1, "product": "p1"}, {"no": 2, "product": None}]
    values: dict[str, Any] = {"customer": "c1", "lines": lines}
    assert translate(values, (HEAD, LINE), TABLE) == []
    assert values == {"customer": "H1", "lines": [{"no": 1, "product": "H2"}, {"no": 2, "product": None}]}
    assert lines[0]["product"] == "p1"


def test_unknown_references_are_told_or_marked() -> None:
    values: dict[str, Any] = {"customer": "c9", "lines": [{"product": "p9"}]}
    missing = translate(values, (HEAD, LINE), TABLE)
    assert [(m.path, m.entity, m.ref) for m in missing] == [
        ("customer", "customer", "c9"),
        ("lines.product", "product", "p9"),
    ]
    assert "customer" not in values
    values = {"customer": "c9", "lines": [{"product": "p9"}]}
    assert translate(values, (HEAD, LINE), TABLE, unknown="?") == []
    assert values == {"customer": "?c9", "lines": [{"product": "?p9"}]}
    assert translate({"customer": None}, (HEAD, LINE), TABLE) == []
