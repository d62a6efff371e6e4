"""Correlate: which canonical record an unlinked remote record is. A function of its arguments.

The link table comes first, always; only records without a link arrive here. The hub never guesses: one match links,
none makes a new record, several wait for a person, and so does one that another record of the same system has taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Values = dict[str, Any]
Situation = Literal["new", "matched", "ours", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Match:
    """What correlation found for one remote record."""

    situation: Situation
    hub_id: str | None = None
    rule: str = ""
    candidates: tuple[str, ...] = ()
    reason: str = ""


def correlate(
    values: Values,
    hub_key: str | None,
    rules: Sequence[tuple[str, ...]],
    candidates: Mapping[tuple[str, ...], Sequence[tuple[str, Values]]],
    taken: frozenset[str],
    known: frozenset[str],
) -> Match:
    """Find the canonical record of one unlinked remote record.

    ``hub_key`` is what the record carries in the system's external-id field; ``known`` are the hub ids that exist.
    ``candidates``: rule → (hub id, values) of records that may match by it. ``taken``: hub ids that have a live remote
    record in this system already.
    """
    if hub_key and hub_key in known and hub_key not in taken:
        return Match("ours", hub_key, rule="hub key")
    for rule in rules:
        hits = [
            hub_id
            for hub_id, theirs in candidates.get(rule, ())
            if all(theirs.get(name) == values.get(name) and values.get(name) is not None for name in rule)
        ]
        hits = list(dict.fromkeys(hits))
        free = [hub_id for hub_id in hits if hub_id not in taken]
        name = " + ".join(rule)
        if len(free) == 1 and len(hits) == 1:
            return Match("matched", free[0], rule=name)
        if len(free) > 1:
            return Match(
                "ambiguous", rule=name, candidates=tuple(free), reason=f"{len(free)} records have the same {name}"
            )
        if hits:
            return Match(
                "ambiguous",
                rule=name,
                candidates=tuple(hits),
                reason=f"another record of this system with the same {name} is linked already",
            )
    return Match("new")
