"""``capabilities.yaml``: what the suite found out, kept beside the connector. The engine reads ``creates`` from it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from hub.connect.contract.suite import Finding, Tried
from hub.connect.contract.tiers import quality
from hub.connect.guarantees import OTHERS
from hub.errors import ConfigurationError

VERSION = 1
HEADER = """\
# What the contract suite found out about this connector by using it: see docs/connectors/quality.md.
# Written by: hub connector verify {name} --write
# Not written by hand: the engine believes it. `creates` says by what a create with a lost answer was proven to be
# found again; the hub makes no record by itself where nothing is proven.
"""


class Listed(BaseModel):
    """One trial in one world, as the file keeps it."""

    model_config = ConfigDict(extra="forbid")

    probe: str
    kept: list[str]
    not_needed: list[str] = []
    not_tried: dict[str, str] = {}
    broken: dict[str, str] = {}
    facts: dict[str, str] = {}


class ListedWorld(BaseModel):
    """One world."""

    model_config = ConfigDict(extra="forbid")

    product: str
    real: bool
    abilities: list[str] = []
    trials: dict[str, Listed]


class Capabilities(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    version: int
    connector: str
    tier: str
    missing: list[str] = []
    """What keeps it from the next tier."""
    creates: dict[str, list[str]]
    """Resource → what was proven: ``external``, ``natural``; ``others``: the resources that weren't tried."""
    worlds: dict[str, ListedWorld]

    def text(self) -> str:
        """The file's contents."""
        stream = io.StringIO()
        yaml = YAML()
        yaml.width = 110
        yaml.indent(mapping=2, sequence=4, offset=2)
        yaml.dump(_lists_in_lines(self.model_dump(exclude_defaults=True)), stream)
        lines = [line.rstrip() for line in stream.getvalue().splitlines()]
        return HEADER.format(name=self.connector) + "\n".join(lines) + "\n"

    def differences(self, other: Capabilities) -> list[str]:
        """In what the findings differ, as places; versions of products don't count."""
        return _differing(_bare(self), _bare(other), "")


def capabilities(connector: str, worlds: Iterable[Tried], before: Capabilities | None = None) -> Capabilities:
    """What the file says after these worlds were tried; worlds that weren't are kept as ``before`` has them."""
    tried = list(worlds)
    listed = {world.world: _listed(world) for world in tried}
    kept = {name: world for name, world in (before.worlds if before else {}).items() if name not in listed}
    together = dict(sorted({**kept, **listed}.items()))
    found = quality(_unlisted(name, world) for name, world in together.items())
    return Capabilities(
        version=VERSION,
        connector=connector,
        tier=found.tier,
        missing=found.missing,
        creates=_creates(together),
        worlds=together,
    )


def read(path: Path) -> Capabilities | None:
    """The file's contents; None when there is none. Raises ConfigurationError when it can't be read."""
    if not path.is_file():
        return None
    try:
        return Capabilities.model_validate(YAML(typ="safe").load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"not what hub connector verify writes: {error}", where=str(path), cure="delete it and verify again"
        ) from error


def _listed(world: Tried) -> ListedWorld:
    trials: dict[str, Listed] = {}
    for trial in dict.fromkeys(f.trial for f in world.findings):
        findings = [f for f in world.findings if f.trial == trial]
        trials[trial] = Listed(
            probe=_proven(world, trial, findings),
            kept=[f.rule for f in findings if f.state == "kept"],
            not_needed=[f.rule for f in findings if f.state == "not needed"],
            not_tried={f.rule: f.message for f in findings if f.state == "not tried"},
            broken={f.rule: f.message for f in findings if f.state == "broken"},
            facts={name: value for f in findings for name, value in f.facts.items()},
        )
    return ListedWorld(
        product=world.product, real=world.real, abilities=list(world.abilities), trials=trials
    )  # fmt: skip


def _proven(world: Tried, trial: str, findings: list[Finding]) -> str:
    """How creates are found again, as far as it was seen to work."""
    states = {f.rule: f.state for f in findings}
    works = states.get("finds_its_creates") == "kept" and states.get("makes_one_of_a_lost_create") != "broken"
    return world.probes.get(trial, "none") if works else "none"


def _creates(worlds: dict[str, ListedWorld]) -> dict[str, list[str]]:
    """Resource → kinds of probe that worked in every world in which a trial of this resource had them."""
    found: dict[str, set[str]] = {}
    for name, trials in _by_trial(worlds).items():
        kinds = {trial.probe for trial in trials} - {"none"}
        proven = kinds if len(kinds) == 1 and not any("finds_its_creates" in t.broken for t in trials) else set()
        found.setdefault(name.partition(" (")[0], set()).update(proven)
    everything = sorted({kind for kinds in found.values() for kind in kinds})
    return {**{name: sorted(kinds) for name, kinds in found.items()}, OTHERS: everything}


def _by_trial(worlds: dict[str, ListedWorld]) -> dict[str, list[Listed]]:
    found: dict[str, list[Listed]] = {}
    for world in worlds.values():
        for name, trial in world.trials.items():
            found.setdefault(name, []).append(trial)
    return found


def _unlisted(name: str, world: ListedWorld) -> Tried:
    """Back to findings, as far as the tier needs them."""
    from hub.connect.contract.rules import all_rules

    tiers = {rule.name: rule.tier for rule in all_rules()}
    findings = []
    for trial, listed in world.trials.items():
        told = {**dict.fromkeys(listed.kept, ("kept", "")), **dict.fromkeys(listed.not_needed, ("not needed", ""))}
        told |= {rule: ("not tried", why) for rule, why in listed.not_tried.items()}
        told |= {rule: ("broken", why) for rule, why in listed.broken.items()}
        findings += [
            Finding(rule, tiers.get(rule, "bronze"), trial, state, why)  # type: ignore[arg-type]
            for rule, (state, why) in told.items()
        ]
    order = {rule: at for at, rule in enumerate(tiers)}
    return Tried(name, world.product, world.real, sorted(findings, key=lambda f: order.get(f.rule, 0)))


def _lists_in_lines(data: Any) -> Any:
    """Lists as ``[a, b]``: the file is read by people, too."""
    if isinstance(data, dict):
        return {name: _lists_in_lines(value) for name, value in data.items()}
    if isinstance(data, list):
        made = CommentedSeq(data)
        made.fa.set_flow_style()
        return made
    return data


def _bare(one: Capabilities) -> dict[str, Any]:
    found = one.model_dump()
    for world in found["worlds"].values():
        del world["product"]
    return found


def _differing(one: Any, other: Any, place: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        return [
            found
            for name in names
            for found in _differing(one.get(name), other.get(name), f"{place}.{name}".lstrip("."))
        ]
    if one == other:
        return []
    if isinstance(one, dict) or isinstance(other, dict):
        return [f"{place}: {'not in the file yet' if other is None else 'no longer there'}"]
    return [f"{place}: {other!r} is now {one!r}"]
