"""Ping-pong: all mappings of an entity together, run until every system is content with what it shows.

Each system is given the canonical value, shows what its mapping (and what is known of its field: decimals) makes of it,
and what it shows is the next canonical value, as if the hub remembered nothing of what it meant. Two systems that even
a value out in different ways (capitals here, small letters there; rounded up here, down there; two value tables that
each lack a word) then never come to an end: the field would change again and again the first time the hub's memory is
lost, or somebody touches the field. That is an error, told with both lines and the cycle of values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from hub.connect.capabilities import Resource
from hub.mapping.compiled import CompiledLens
from hub.mapping.laws import REFUSED, Trial
from hub.mapping.lens import Problem, Record
from hub.mapping.paths import ABSENT
from hub.mapping.places import Place, places
from hub.mapping.shrink import smallest
from hub.mapping.values import canonical_values
from hub.model import forms
from hub.model.spec import EntitySpec

ROUNDS = 12
"""Rounds through all systems after which a value that still moves is taken for one that never settles."""
_CONTEXT = Context(prec=60)
CURE = (
    "make both lines even the value out in the same way, say direction: in for one of them, or give the field an owner"
)


@dataclass(slots=True)
class Participant:
    """One system's mapping of the entity."""

    system: str
    lens: CompiledLens
    resource: Resource | None = None
    direction: str = "both"
    """The system's direction for the entity in ``hub.yaml``."""
    recorded: Sequence[Record] = ()


@dataclass(slots=True)
class Step:
    """One system was given a value, and shows another one."""

    system: str
    place: Place
    given: Any
    shown: Any


@dataclass(slots=True)
class _Player:
    system: str
    place: Place
    trial: Trial
    gives: bool
    takes: bool
    holds: Any = field(default=ABSENT)


def check_pingpong(
    participants: Sequence[Participant], spec: EntitySpec, authority: Mapping[str, str] | None = None
) -> list[Problem]:
    """Fields that never settle between two or more systems, one problem each, at the line of the first of them.

    ``authority`` names the system that owns a field: nobody else's value is taken for it. Deterministic.
    """
    found: list[Problem] = []
    for (name, _), group in _groups(participants, spec).items():
        owners = authority or {}
        owner = owners.get(name, owners.get(name.partition(".")[0]))
        players = [_player(participant, place, owner) for participant, place in group]
        players = [player for player in players if player.gives or player.takes]
        if sum(player.gives for player in players) < 2 or sum(player.takes for player in players) < 1:
            continue
        cycle = _first_cycle(players)
        if cycle:
            found.append(_problem(name, cycle))
    return sorted(found, key=lambda problem: (problem.position, problem.message))


def _groups(
    participants: Iterable[Participant], spec: EntitySpec
) -> dict[tuple[str, str | None], list[tuple[Participant, Place]]]:
    """The same canonical field in every mapping that writes it; a picked line meets whole lists under its own key."""
    groups: dict[tuple[str, str | None], list[tuple[Participant, Place]]] = defaultdict(list)
    whole: list[tuple[Participant, Place]] = []
    for participant in participants:
        for place in places(participant.lens, spec, participant.resource, participant.recorded):
            groups[place.path].append((participant, place))
            if place.path[1] is None and "." in place.path[0]:
                whole.append((participant, place))
    for (name, key), group in groups.items():
        if key is not None:
            group += [(participant, place) for participant, place in whole if place.path[0] == name]
    return groups


def _player(participant: Participant, place: Place, owner: str | None) -> _Player:
    node = place.node
    mine = owner is None or owner == participant.system
    gives = node.reads and participant.direction != "out" and mine and node.strength == "normal"
    takes = node.writes and participant.direction != "in" and node.strength != "weak"
    return _Player(participant.system, place, Trial(place), gives, takes)


def _first_cycle(players: list[_Player]) -> list[Step]:
    for value in _values(players):
        if _run(players, value):
            form = forms.form_of(players[0].place.spec)

            def breaks(smaller: Any, form: Any = form) -> bool:
                try:
                    return form(smaller) == smaller and bool(_run(players, smaller))
                except REFUSED:
                    return False

            return _run(players, smallest(value, breaks))
    return []


def _values(players: list[_Player]) -> list[Any]:
    """Canonical values to begin with: generated ones, and what each system is seen to hold."""
    operators = tuple(op for player in players for op in player.trial.chain.ops)
    made = [value for value in canonical_values(players[0].place.spec, operators) if value is not None]
    for player in players:
        for remote in player.place.recorded[:50]:
            try:
                value = player.trial.chain.get(remote, player.trial.beside[0])
            except REFUSED:
                continue
            if value is not None and value not in made:
                made.append(value)
    return made


def _run(players: list[_Player], value: Any) -> list[Step]:
    """The cycle that a value falls into, empty when it settles (or is refused, which a dead letter tells)."""
    for player in players:
        player.holds = ABSENT
    steps: list[Step] = []
    seen: dict[str, int] = {}
    for _ in range(ROUNDS):
        before = len(steps)
        for player in players:
            if not player.takes:
                continue
            try:
                shown = _shown(player, value)
            except REFUSED:
                return []
            if player.gives and shown is not None and shown != value:
                steps.append(Step(player.system, player.place, value, shown))
                value = shown
        if len(steps) == before:
            return []
        state = repr(value)
        if state in seen:
            return steps[seen[state] :]
        seen[state] = len(steps)
    return steps[-2 * len(players) :]


def _shown(player: _Player, value: Any) -> Any:
    """What a system shows when it is given a value; what means the same already is left as it is."""
    trial, beside = player.trial, player.trial.beside[0]
    if player.holds is not ABSENT:
        shown = trial.chain.get(player.holds, beside)
        if shown == value:
            return shown
    sent = trial.put(value, player.holds, beside)
    player.holds = trial.held(_rounded(sent, player.place))
    return trial.chain.get(player.holds, beside)


def _rounded(sent: Any, place: Place) -> Any:
    """What the system keeps of a number: as many decimals as its field has."""
    scale = place.remote.scale if place.remote is not None else None
    if scale is None or not isinstance(sent, Decimal):
        return sent
    return sent.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=_CONTEXT)


def _problem(name: str, cycle: list[Step]) -> Problem:
    lines = {step.system: step.place for step in cycle}
    between = " and ".join(lines) if len(lines) < 3 else ", ".join(lines)
    first = cycle[0]
    told = " → ".join([repr(first.given), *(f"{step.shown!r} ({step.system})" for step in cycle)])
    others = ", ".join(f"{system} at {place.node.position}" for system, place in _others(lines, first.system))
    who = f"between {between}" if len(lines) > 1 else f"in {between}"
    message = f"{name} never settles {who}: {told}"
    return Problem(first.place.node.position, message + (f"; see also {others}" if others else ""), CURE)


def _others(lines: dict[str, Place], first: str) -> Iterator[tuple[str, Place]]:
    return ((system, place) for system, place in lines.items() if system != first)
