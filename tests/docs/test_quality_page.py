"""docs/connectors/quality.md lists the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

from hub.connect.contract.rules import TIERS, all_rules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connectors" / "quality.md"


def test_every_rule_is_on_the_page_below_its_tier() -> None:
    listed = {}
    for part in re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.M)[1:]:
        tier = part.partition("\n")[0].lower()
        if tier in TIERS:
            listed |= {name: (tier, says) for name, says in re.findall(r"^\| `(\w+)` \| (.+) \|$", part, flags=re.M)}
    assert listed == {rule.name: (rule.tier, rule.says) for rule in all_rules()}
