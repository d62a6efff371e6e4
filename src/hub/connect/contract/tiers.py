"""The quality tier of a connector: follows from findings alone (docs/connectors/quality.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.connect.contract.rules import TIERS
from hub.connect.contract.suite import Finding, Tried

NO_TIER = "none"


@dataclass(slots=True)
class Quality:
    """A tier, and what keeps a connector from the next one."""

    tier: str
    missing: list[str] = field(default_factory=list)


def quality(worlds: Iterable[Tried]) -> Quality:
    """The highest tier whose rules, and those of all tiers below, hold.

    A rule holds when it is broken in no world and, in every trial it concerns, kept in at least one. The highest tier
    also asks for a world that is the product itself: a sandbox is only what its author knew of the product.
    """
    tried = list(worlds)
    reached = NO_TIER
    for tier in TIERS:
        missing = _missing(tier, tried)
        if missing:
            return Quality(reached, missing)
        reached = tier
    return Quality(reached)


def _missing(tier: str, worlds: list[Tried]) -> list[str]:
    findings = [finding for world in worlds for finding in world.findings]
    if not findings:
        return ["nothing was tried"]
    missing = []
    for rule, trial in dict.fromkeys((f.rule, f.trial) for f in findings if f.tier == tier):
        reason = _reason([f for f in findings if f.rule == rule and f.trial == trial])
        if reason:
            missing.append(f"{rule} ({trial}): {reason}")
    if tier == TIERS[-1] and not any(world.real for world in worlds):
        missing.append("it was tried in a sandbox only, not with the product itself")
    return missing


def _reason(findings: list[Finding]) -> str:
    """Why a rule does not hold in a trial; empty when it does."""
    broken = next((f for f in findings if f.state == "broken"), None)
    if broken is not None:
        return broken.message
    if any(f.state == "kept" for f in findings) or all(f.state == "not needed" for f in findings):
        return ""
    return next(f.message for f in findings if f.state == "not tried")
