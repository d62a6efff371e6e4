"""Small things that would be missed: ids beyond a thousand, and the parts of lines that a system computes."""

from __future__ import annotations

from sync.judging import LINES, field

from hub.sync.ids import new_id
from hub.sync.readback import computed_part


def test_ids_stay_different_and_in_order_beyond_a_thousand() -> None:
    made = [new_id() for _ in range(2500)]
    assert len(set(made)) == 2500 and made == sorted(made)


def test_only_lines_have_a_part_that_the_system_computes() -> None:
    assert computed_part(field("name")) is None
    assert computed_part(field("lines", lines=LINES)) is None
