"""A field that goes back and forth between systems is stopped after three turns and handed to a person.

What two systems make of a write while they answer it is paired with what was meant and never comes back. What an
automation of theirs does to it later looks like an edit, and if the other system's automation undoes it, every pass
would carry it on. The journal tells: only records with a change that may be a turn are looked up in it, so that a pass
pays nothing for all others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.mapping.lens import LensField
from hub.store import journal
from hub.store.journal import Logged
from hub.store.records import Stored
from hub.sync.context import Pass, instant
from hub.sync.decide import Change, Decision
from hub.sync.policy import Endpoint

TURNS = 3
"""Turns that are carried out; the next one is held."""
WINDOW = timedelta(days=7)
"""Turns longer ago than this are somebody's change of mind."""
LONGEST = 4
"""Systems that may take part in one cycle."""
ENFORCED = frozenset({"authority", "strong", "owner"})
"""Refusals after which the hub writes its own value again."""


class Turn(NamedTuple):
    """One system gave a field a value, and it was taken or refused."""

    system: str
    kind: str
    value: Any


def stop(job: Pass, connection: Connection, endpoint: Endpoint, record: Stored, decision: Decision) -> None:
    """Make conflicts of the changes in ``decision`` that go back and forth, and report them with the mapping lines."""
    suspects = [n for n, change in enumerate(decision.changes) if _suspect(change, record, endpoint.system)]
    if not suspects:
        return
    since = instant(job.clock() - WINDOW)
    history = [entry for entry in journal.of_record(connection, record.hub_id) if entry.at >= since]
    for number in suspects:
        change = decision.changes[number]
        turns = turns_of(history, change.path)
        if repeats([*turns, Turn(endpoint.system, change.kind, change.theirs)]):
            decision.changes[number] = change._replace(kind="conflict", rule="oscillation")
            if change.kind == "accepted":
                decision.values = _taken_back(decision.values, record, endpoint, change)
            job.find("oscillation", endpoint, record.hub_id, _told(job, record, endpoint, change, turns))


def _suspect(change: Change, record: Stored, system: str) -> bool:
    """Whether a change may be a turn: somebody else changed the field before, or the hub's value was enforced."""
    if change.kind == "refused":
        return change.rule in ENFORCED
    if change.kind != "accepted" or change.path.endswith("]"):
        return False
    stamp = record.stamps.get(change.path)
    return stamp is not None and stamp[0] != system


def turns_of(history: list[Logged], path: str) -> list[Turn]:
    """The turns of one field, oldest first, since a person last decided about it."""
    turns: list[Turn] = []
    for entry in history:
        if (entry.kind == "resolved" and entry.detail.get("path") == path) or (
            entry.kind == "undone" and path in entry.detail["fields"]
        ):
            turns.clear()
        elif entry.kind == "observed":
            for where, kind, rule, _, theirs, _ in entry.detail.get("changes", ()):
                if where == path and (kind == "accepted" or (kind == "refused" and rule in ENFORCED)):
                    turns.append(Turn(entry.system, kind, theirs))
    return turns


def repeats(turns: list[Turn]) -> bool:
    """Whether the last turns are the same ones over again: two full rounds, or one refusal more than ``TURNS``."""
    last = turns[-1]
    if last.kind == "refused":
        return len(turns) > TURNS and all(turn == last for turn in turns[-TURNS - 1 :])
    return any(
        len(turns) >= 2 * size
        and turns[-size:] == turns[-2 * size : -size]
        and len({(turn.system, repr(turn.value)) for turn in turns[-size:]}) == size
        and len({turn.system for turn in turns[-size:]}) > 1
        for size in range(2, LONGEST + 1)
    )


def _taken_back(values: dict[str, Any], record: Stored, endpoint: Endpoint, change: Change) -> dict[str, Any]:
    """The values with one change undone: ``name`` or ``lines[3].quantity``."""
    head, _, rest = change.path.partition("[")
    if not rest:
        if change.path in record.values:
            return {**values, change.path: record.values[change.path]}
        return {name: value for name, value in values.items() if name != change.path}
    key_text, _, field = rest.partition("].")
    lines = endpoint.lens.fields[head].lines
    key = lines.key if lines is not None else ""
    back = [{**line, field: change.ours} if str(line.get(key)) == key_text else line for line in values[head]]
    return {**values, head: back}


def _told(job: Pass, record: Stored, endpoint: Endpoint, change: Change, turns: list[Turn]) -> str:
    """Who gives which value, each with the line of the mapping that carries it."""
    given = {turn.system: turn.value for turn in turns[-LONGEST:]} | {endpoint.system: change.theirs}
    shown = []
    for other in job.setup.of_entity(record.entity):
        if other.system in given or other.system == record.stamps.get(change.path, [""])[0]:
            field = _line(other.lens.fields, change.path)
            value = given.get(other.system, change.ours)
            shown.append(f"{value!r} ({other.system}{f', {field.position}' if field is not None else ''})")
    return (
        f"{change.path} goes back and forth between {' and '.join(shown)}: held after {TURNS} turns; "
        "end the automation that changes it, or give the field an owner or direction: in"
    )


def _line(fields: dict[str, LensField], path: str) -> LensField | None:
    head, _, rest = path.partition("[")
    field = fields.get(head)
    inner = rest.partition("].")[2]
    return field.lines.fields.get(inner) if inner and field is not None and field.lines is not None else field
