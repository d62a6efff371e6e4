"""Runs the rules: every trial of a contract in one world."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from hub.connect.contract.bench import Bench
from hub.connect.contract.declare import Contract
from hub.connect.contract.rules import Facts, Rule, all_rules
from hub.connect.contract.verdicts import Broken, NotNeeded, NotTried
from hub.connect.contract.worlds import World
from hub.errors import HubError

State = Literal["kept", "broken", "not tried", "not needed"]
START = "HUBC"


@dataclass(slots=True)
class Finding:
    """What became of one rule in one trial."""

    rule: str
    tier: str
    trial: str
    state: State
    message: str = ""
    facts: Facts = field(default_factory=dict)


@dataclass(slots=True)
class Tried:
    """All that was found out in one world."""

    world: str
    product: str
    real: bool
    findings: list[Finding] = field(default_factory=list)
    probes: dict[str, str] = field(default_factory=dict)
    """Trial → how its creates are said to be found again."""
    abilities: tuple[str, ...] = ()
    """Capability interfaces that the connector has."""
    left: list[str] = field(default_factory=list)
    """``resource/id`` of records that could not be taken away again."""


def try_out(
    contract: Contract, world: World, *, start: str = START, told: Callable[[Finding], None] = lambda _: None
) -> Tried:
    """Try every rule of every trial. The world is not closed. ``start``: see ``Bench``; ``told`` hears of each finding.

    Raises the errors of ``hub.errors`` only when the system can't be reached at all.
    """
    tried = Tried(world.name, world.product, world.real)
    for number, trial in enumerate(contract.trials):
        if not world.has(trial.resource):
            finding = Finding("introduces_itself", "bronze", trial.name, "not tried", "this resource isn't there")
            tried.findings.append(finding)
            continue
        try:
            bench = Bench(world, contract, trial, f"{start}{number}")
            world.begin(bench)
        except Broken as reason:
            tried.findings.append(Finding("introduces_itself", "bronze", trial.name, "broken", str(reason)))
            continue
        tried.abilities = _abilities(bench)
        tried.probes[trial.name] = bench.resource.probe
        try:
            for finding in _findings(bench):
                tried.findings.append(finding)
                told(finding)
        finally:
            if not world.own:
                tried.left += bench.clean()
    return tried


def _findings(bench: Bench) -> Iterator[Finding]:
    for one in all_rules():
        missing = [need.__name__ for need in one.needs if not isinstance(bench.connector, need)]
        if missing or (one.needs and _writes(one) and bench.trial.new is None):
            what = f"it has no {', '.join(missing)}" if missing else "the contract only reads this resource"
            yield Finding(one.name, one.tier, bench.trial.name, "not needed", what)
            continue
        state, message, facts = _tried(one, bench)
        yield Finding(one.name, one.tier, bench.trial.name, state, message, facts)


def _writes(one: Rule) -> bool:
    return any(need.__name__ in ("Create", "Update", "Delete") for need in one.needs)


def _tried(one: Rule, bench: Bench) -> tuple[State, str, Facts]:
    try:
        return "kept", "", one.run(bench) or {}
    except NotTried as reason:
        return "not tried", str(reason), {}
    except NotNeeded as reason:
        return "not needed", str(reason), {}
    except Broken as reason:
        return "broken", str(reason), {}
    except HubError as error:
        return "broken", f"{type(error).__name__}: {error}", {}
    except Exception as error:
        # A connector under trial may fail in any way; that is a finding, and where it failed helps its author.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "broken", f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})", {}


def _abilities(bench: Bench) -> tuple[str, ...]:
    from hub.connect import capabilities as all_of

    names = ("ListChanges", "ListIds", "Get", "Create", "Update", "Delete", "Probe", "Finish", "Subscribe")
    return tuple(name for name in names if isinstance(bench.connector, getattr(all_of, name)))
