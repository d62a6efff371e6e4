"""Which guarantee a create has, and which tier a connector has earned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.connect.capabilities import Resource
from hub.connect.contract.record import capabilities, read
from hub.connect.contract.suite import Finding, Tried
from hub.connect.contract.tiers import quality
from hub.connect.guarantees import Known, guarantee, read_known
from hub.errors import ConfigurationError


class Creating:
    def create(self, *args: Any) -> Any: ...


class Probing(Creating):
    def probe(self, *args: Any) -> Any: ...


BY_KEY = Resource("orders", probe="external")
BY_NUMBER = Resource("orders", probe="natural")
KNOWN = Known(
    "gold", {"orders": ("external",), "notes": (), "others": ("external", "natural")}, Path("x/capabilities.yaml")
)


@pytest.mark.parametrize(
    ("connector", "resource", "known", "how", "proof", "held"),
    [
        (Probing(), BY_KEY, KNOWN, "external", "proven", False),
        (Probing(), BY_NUMBER, KNOWN, "none", "none", True),  # orders were tried by key only
        (Probing(), Resource("custom", probe="natural"), KNOWN, "natural", "proven", False),
        (Probing(), Resource("notes", probe="external"), KNOWN, "none", "none", True),  # tried, and it didn't work
        (Probing(), Resource("orders"), KNOWN, "none", "none", True),
        (Creating(), BY_KEY, KNOWN, "none", "none", True),  # it promises what it has no means for
        (Probing(), BY_KEY, None, "external", "declared", False),
        (Creating(), BY_KEY, None, "none", "none", True),
        (Probing(), Resource("orders", probe="external", writable=False), KNOWN, "none", "none", False),
        (object(), BY_KEY, None, "none", "none", False),
    ],
)
def test_creates_are_made_where_a_lost_one_can_be_found(
    connector: object, resource: Resource, known: Known | None, how: str, proof: str, held: bool
) -> None:
    found = guarantee(connector, resource, known)
    assert (found.how, found.proof, bool(found.held)) == (how, proof, held)
    assert found.says


def test_a_file_that_cant_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    path = tmp_path / "capabilities.yaml"
    assert read_known(path) is None and read(path) is None
    for text in ("creates: [", "tier: gold\n", "- 1\n", "tier: gold\ncreates: {a: 7}\n"):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match="verify"):
            read_known(path)
        with pytest.raises(ConfigurationError, match="verify"):
            read(path)


def tried(*states: tuple[str, str, str], world: str = "sandbox", real: bool = False, trial: str = "orders") -> Tried:
    """A world in which these (rule, tier, state) were found."""
    findings = [Finding(rule, tier, trial, state, f"why {rule}") for rule, tier, state in states]  # type: ignore[arg-type]
    return Tried(world, world, real, findings, {trial: "external"})


LISTS, TIES, FINDS, TEXTS = (
    ("lists_everything", "bronze"),
    ("sees_ties", "silver"),
    ("finds_its_creates", "gold"),
    ("says_how_texts_are_stored", "platinum"),
)
ALL = [(*rule, "kept") for rule in (LISTS, TIES, FINDS, TEXTS)]


@pytest.mark.parametrize(
    ("worlds", "tier", "missing"),
    [
        ([], "none", "nothing was tried"),
        ([tried((*LISTS, "broken"))], "none", "lists_everything (orders): why lists_everything"),
        ([tried((*LISTS, "kept"), (*TIES, "broken"), (*FINDS, "kept"))], "bronze", "sees_ties"),
        ([tried(*ALL[:2], (*FINDS, "not tried"))], "silver", "why finds_its_creates"),
        (
            [tried(*ALL[:2], (*FINDS, "not tried")), tried((*FINDS, "kept"), world="live")],
            "gold",
            "not with the product",
        ),
        ([tried(*ALL[:2], (*FINDS, "not needed"), ALL[3])], "gold", "sandbox only"),
        ([tried(*ALL), tried((*FINDS, "broken"), world="live", real=True)], "silver", "why finds_its_creates"),
        ([tried(*ALL, world="sqlite", real=True)], "platinum", ""),
    ],
)
def test_a_tier_is_earned_by_every_rule_below_it(worlds: list[Tried], tier: str, missing: str) -> None:
    found = quality(worlds)
    assert found.tier == tier
    assert missing in "; ".join(found.missing) and bool(missing) == bool(found.missing)


def test_what_was_found_survives_being_written_and_keeps_other_worlds(tmp_path: Path) -> None:
    path = tmp_path / "capabilities.yaml"
    first = capabilities("shop", [tried(*ALL)])
    path.write_text(first.text(), "utf-8")
    again = read(path)
    assert again is not None and again == first and not first.differences(again)
    both = capabilities("shop", [tried(*ALL, world="live", real=True)], before=again)
    assert (first.tier, both.tier) == ("gold", "platinum")
    assert both.creates == {"orders": ["external"], "others": ["external"]}
    assert both.differences(first) == ["tier: 'gold' is now 'platinum'", *both.differences(first)[1:]]
    known = read_known(path)
    assert known is not None and known.creates["orders"] == ("external",)


def test_one_world_in_which_it_fails_is_enough_to_prove_nothing(tmp_path: Path) -> None:
    found = capabilities("shop", [tried(*ALL), tried((*FINDS, "broken"), world="live", real=True)])
    assert found.creates == {"orders": [], "others": []}
