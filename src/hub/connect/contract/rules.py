"""The list of rules: each a function that tries one promise, with the tier it counts for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hub.connect.contract.bench import Bench

Tier = Literal["bronze", "silver", "gold", "platinum"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold", "platinum")
Facts = dict[str, str]
Try = Callable[[Bench], Facts | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise. It concerns connectors that have all of ``needs``; for others it is not needed."""

    name: str
    tier: Tier
    needs: tuple[type, ...]
    says: str
    """The promise, in a sentence."""
    run: Try


RULES: list[Rule] = []


def rule(tier: Tier, *needs: type) -> Callable[[Try], Try]:
    """Register a rule under its function's name; the docstring's first sentence is what it says.

    The function returns facts worth knowing, and raises ``Broken`` (it doesn't hold), ``NotTried`` (this world can't
    show it) or ``NotNeeded`` (it says nothing of this resource). Any other exception counts as broken.
    """

    def register(run: Try) -> Try:
        says = " ".join((run.__doc__ or "").split()).partition(". ")[0].rstrip(".")
        RULES.append(Rule(run.__name__, tier, needs, says, run))
        return run

    return register


def all_rules() -> list[Rule]:
    """Every rule, the tiers in their order."""
    from hub.connect.contract import creating, feeding, reading, values, writing

    assert creating and feeding and reading and values and writing
    return sorted(RULES, key=lambda one: TIERS.index(one.tier))
