"""The few decisions a person takes on a form: a question for each open conflict, its answers in the values' own words.

Pure: the form itself is Prefect's, the deciding the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.operate.tables import cell

MOST = 10
"""Questions on one form: more is a long scroll, and a rule in hub.yaml says it better."""
LEAVE = "leave it open"
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Question:
    """One conflict on the form. ``answers`` maps what the form shows to the arguments of ``Engine.resolve``."""

    conflict: int
    title: str
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Of the form's field."""
        return f"conflict_{self.conflict}"

    @property
    def choices(self) -> tuple[str, ...]:
        return (LEAVE, *self.answers)


def questions(conflicts: Sequence[Mapping[str, Any]], titles: Mapping[str, str] | None = None) -> list[Question]:
    """The oldest open conflicts as questions, ``MOST`` at most. ``titles``: hub id → name, for doubtful matches."""
    return [_question(conflict, titles or {}) for conflict in conflicts[:MOST]]


def candidates(conflicts: Sequence[Mapping[str, Any]]) -> set[str]:
    """Hub ids that doubtful matches on the form name: whose titles are worth looking up."""
    return {hub_id for c in conflicts[:MOST] if c["path"] == "match" for hub_id in c["ours"] or []}


def _question(conflict: Mapping[str, Any], titles: Mapping[str, str]) -> Question:
    what = f"{conflict['entity']} {conflict.get('title') or conflict['hub_id']}"
    if conflict["path"] == "match":
        same = {
            _short(f"it is {titles.get(hub_id, '')} ({hub_id})"): {"link": hub_id} for hub_id in conflict["ours"] or []
        }
        answers: dict[str, Mapping[str, Any]] = {**same, f"it is a new {conflict['entity']}": {"new": True}}
        return Question(conflict["id"], f"{what}: which record is this, seen in {conflict['system']}?", answers)
    field = "deleted or kept?" if conflict["path"] == "*" else conflict["path"]
    theirs = _short(f"{conflict['system']}: {cell(conflict['theirs'])}")
    ours = _short(f"{conflict['ours_from'] or 'the others'}: {cell(conflict['ours'])}")
    if theirs == ours:
        theirs, ours = f"{theirs} (seen last)", f"{ours} (held so far)"
    return Question(conflict["id"], f"{what}, {field}", {theirs: {"take": "theirs"}, ours: {"take": "ours"}})


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
