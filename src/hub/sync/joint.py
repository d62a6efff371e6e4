"""Joint passes: several processes that work on one entity at once, each started with one of its partitions.

They are one pass whose work is divided (``docs/decisions/partitions.md``):

- What is read is divided by the systems' own parts, and by whole systems where they have none; each is read by one of
  them, whoever comes first (``sync.together``). Nothing is written to a system before all of it was read.
- What is written is divided by the hub's records: the last letter of a record's id says whose it is. Records that a
  process finds to be new get ids of its own.

So after reading, a record is touched by one process only; while reading, steps that match or decide take turns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from hub.connect.capabilities import Part
from hub.errors import ConfigurationError, Unavailable
from hub.store import parts, runs, shadows
from hub.store.codec import dumps, loads
from hub.sync.holder import is_dead
from hub.sync.policy import Endpoint, Setup

if TYPE_CHECKING:
    from hub.sync.context import Pass

_PART = re.compile(r"(\d{1,2})/(\d{1,2})")
_LETTERS = digits + ascii_lowercase
_STATE = "joint:"
"""Setting: the joint pass of an entity that is under way, or was last."""


class Joint(NamedTuple):
    """The joint pass that a process takes part in, for one entity."""

    id: str
    """The run that began it."""
    fresh: frozenset[str]
    """Systems of which nothing was known when it began."""


def parse_part(text: str) -> Part:
    """``2/4`` as a part. Raises ConfigurationError for anything else."""
    found = _PART.fullmatch(text.strip())
    part = Part(int(found[1]), int(found[2])) if found else Part(0, 0)
    if not 1 <= part.number <= part.of:
        cure = "write it like 2/4: the second of four"
        raise ConfigurationError(f"{text!r} is no partition", where="--partition", cure=cure)
    return part


def check_part(setup: Setup, entities: Sequence[str], part: Part) -> None:
    """Raises ConfigurationError when one of these entities is not divided like that in hub.yaml."""
    for name in entities:
        have = setup.policies[name].partitions
        if part.of != have:
            raise ConfigurationError(
                f"partition {part} of {name}: hub.yaml divides it into {have}",
                where=f"entities.{name}.partitions",
                cure=f"set partitions: {part.of} there, or start {have} passes: --partition 1/{have} …",
            )


def owns(part: Part | None, hub_id: str) -> bool:
    """Whether a record is written by the pass with this part. An id of another alphabet belongs to the first."""
    return part is None or max(_LETTERS.find(hub_id[-1:]), 0) % part.of == part.number - 1


def endings(part: Part | None) -> tuple[str, ...] | None:
    """The last letters of the ids that a part owns; None: all of them."""
    return None if part is None else tuple(letter for letter in _LETTERS if owns(part, letter))


def unknown(connection: Connection, setup: Setup, entity: str) -> frozenset[str]:
    """The systems of which no record is known."""
    return frozenset(e.system for e in setup.of_entity(entity) if not shadows.some(connection, e.system, entity))


def own_ids(ids: Callable[[], str], part: Part) -> Callable[[], str]:
    """The same ids, without those that are somebody else's."""

    def next_own() -> str:
        while not owns(part, found := ids()):
            pass
        return found

    return next_own


def join(job: Pass, connection: Connection, entity: str, holder: str, seconds: float) -> None:
    """Take the lease of the pass's part and take part in the joint pass that is under way, or begin one. Raises
    Unavailable when the entity is held, or when this part has had its turn and others are still at work."""
    assert job.part is not None
    name = f"entity:{entity}"
    job.leases[entity], first = parts.take_part(connection, name, job.part, holder, job.clock(), seconds, is_dead)
    parts.alone(connection, entity)
    state = None if first else _state(connection, entity)
    if state is None:
        fresh = sorted(unknown(connection, job.setup, entity))
        state = {"id": job.run, "fresh": fresh, "full": [], "done": [], "spent": {}}
        runs.set_setting(connection, _STATE + entity, dumps(state))
    elif job.part.number in state["done"]:
        raise Unavailable(
            f"another pass is at work on {entity}: partition {job.part} has had its turn, others have not ended yet",
            where="store",
            cure="nothing to do: the next joint pass begins when they have ended",
        )
    job.joint[entity] = Joint(state["id"], frozenset(state["fresh"]))


def leave(job: Pass, connection: Connection, entity: str) -> None:
    """This part has had its turn. To be called before its lease is given back."""
    assert job.part is not None
    parts.alone(connection, entity)
    state = _state(connection, entity)
    if state is not None and state["id"] == job.joint[entity].id:
        state["done"].append(job.part.number)
        runs.set_setting(connection, _STATE + entity, dumps(state))


def note_heard(job: Pass, connection: Connection, endpoint: Endpoint) -> None:
    """All of a system was read, and nobody has written to it yet: whether it has records of its own."""
    if job.part is not None and shadows.count(connection, endpoint.system, endpoint.entity):
        parts.alone(connection, endpoint.entity)
        state = _state(connection, endpoint.entity)
        if state is not None:
            state["full"].append(endpoint.system)
            runs.set_setting(connection, _STATE + endpoint.entity, dumps(state))


def was_full(job: Pass, endpoint: Endpoint) -> bool:
    """Whether a system had records before this joint pass wrote any to it."""
    if endpoint.direction == "out":
        return endpoint.system not in job.joint[endpoint.entity].fresh
    with job.store.read() as connection:
        state = _state(connection, endpoint.entity)
    return state is None or endpoint.system in state["full"]


def reserve(job: Pass, endpoint: Endpoint, number: int, allowed: int) -> bool:
    """Take so many changes out of the budget that the joint pass has for a system; False: there is no room."""
    with job.transaction(endpoint.entity) as connection:
        state = _state(connection, endpoint.entity)
        assert state is not None
        spent = state["spent"].get(endpoint.system, 0) + number
        if spent > allowed:
            return False
        state["spent"][endpoint.system] = spent
        runs.set_setting(connection, _STATE + endpoint.entity, dumps(state))
    return True


def _state(connection: Connection, entity: str) -> dict[str, Any] | None:
    text = runs.setting(connection, _STATE + entity)
    return dict(loads(text)) if text else None
