"""Paths into a record: told apart the same way everywhere, also where a line's key holds brackets itself."""

from __future__ import annotations

import pytest

from hub.model import entities
from hub.sync.paths import head, line_of, plain, split
from hub.sync.places import overlap, value_at, with_value


@pytest.mark.parametrize(
    ("path", "first", "field", "line", "parts"),
    [
        ("phone", "phone", "phone", "phone", ("phone", "", "")),
        ("lines[3]", "lines", "lines", "lines[3]", ("lines", "3", "")),
        ("lines[3].quantity", "lines", "lines.quantity", "lines[3]", ("lines", "3", "quantity")),
        ("lines[A[1]]", "lines", "lines", "lines[A[1]]", ("lines", "A[1]", "")),
        ("lines[A[1]].quantity", "lines", "lines.quantity", "lines[A[1]]", ("lines", "A[1]", "quantity")),
        ("lines[A].b].quantity", "lines", "lines.quantity", "lines[A].b]", ("lines", "A].b", "quantity")),
    ],
)
def test_the_parts_of_a_path(path: str, first: str, field: str, line: str, parts: tuple[str, str, str]) -> None:
    assert (head(path), plain(path), line_of(path), split(path)) == (first, field, line, parts)


def test_lines_whose_key_holds_brackets_are_found_and_changed() -> None:
    spec = entities()["order"]
    (key,) = [spec.fields["lines"].lines.key] if spec.fields["lines"].lines else [""]
    values = {"lines": [{key: "A[1]", "quantity": 2}, {key: "A", "quantity": 3}]}
    assert value_at(values, "lines[A[1]].quantity", spec) == 2
    assert value_at(values, "lines[A[1]]", spec) == {key: "A[1]", "quantity": 2}
    changed = with_value(values, "lines[A[1]].quantity", 5, spec)
    assert changed["lines"] == [{key: "A", "quantity": 3}, {key: "A[1]", "quantity": 5}]
    assert with_value(values, "lines[A[1]]", None, spec)["lines"] == [{key: "A", "quantity": 3}]
    assert overlap("lines[A[1]]", "lines[A[1]].quantity") and not overlap("lines[A]", "lines[A[1]]")
