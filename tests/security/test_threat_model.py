"""docs/security.md names a test for every attack: each is there, and each test of an attack is in the table."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
HELPERS = {"test_what_is_shown_can_still_be_told_apart"}


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE))


def test_every_attack_of_the_table_has_its_test() -> None:
    rows = [line for line in (ROOT / "docs/security.md").read_text("utf-8").splitlines() if "::test_" in line]
    assert len(rows) >= 30
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 4 and all(cells), row
        ((file, name),) = NAMED.findall(row)
        assert name in names_in(ROOT / file), f"{file} has no {name}"


def test_every_tried_attack_is_in_the_table() -> None:
    told = {name for _, name in NAMED.findall((ROOT / "docs/security.md").read_text("utf-8"))}
    tried = set().union(*(names_in(path) for path in Path(__file__).parent.glob("test_attacks_*.py")))
    related = {
        "test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent",
        "test_the_companys_own_ca_can_be_named",
    }
    assert tried - told - related - HELPERS == set()
