"""What lies on an operator's desk: an open plan and open conflicts; and carrying out what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigurationError, HubError
from hub.operate import markdown, tables
from hub.operate.decisions import Question, candidates, questions
from hub.operate.logs import LogObserver
from hub.operate.passes import Outcome, Scope, engine_of, run_pass
from hub.operate.words import counted
from hub.store import records, runs

if TYPE_CHECKING:
    from hub.sync.engine import Engine

SHOWN = 30
"""Lines of the plan that the form shows."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a form asks about, and the text above it."""

    plan_id: str
    """Empty when there is no plan to decide on."""
    questions: Sequence[Question]
    text: str

    @property
    def empty(self) -> bool:
        return not self.plan_id and not self.questions


def desk(folder: str, plan_id: str = "") -> Desk:
    """What waits for a decision in the project. Raises ConfigurationError for a plan that is not open."""
    with engine_of(folder, LogObserver()) as (engine, _):
        conflicts = engine.conflicts()
        asked = questions(conflicts, _titles(engine, candidates(conflicts)))
        plan = _open_plan(engine, plan_id) if plan_id else None
    parts = [_plan_text(plan_id, plan)] if plan is not None else []
    if asked:
        left = len(conflicts) - len(asked)
        parts.append(
            f"**{counted(len(asked), 'conflict')}** to decide{f', {left:,} more after these' if left else ''}."
        )
    return Desk(plan_id, asked, "\n\n".join(parts))


def carry_out(folder: str, plan_id: str, answers: Mapping[int, Mapping[str, Any]]) -> Outcome:
    """Apply the plan (none when ``plan_id`` is empty), then decide the conflicts: conflict id → ``Engine.resolve``.

    In this order: a decided conflict changes what the plan was made from. The next pass writes what was decided.
    """
    done: list[int] = []

    def work(engine: Engine) -> Any:
        report = engine.apply(plan_id) if plan_id else None
        for conflict, arguments in answers.items():
            engine.resolve(conflict, **arguments)
            done.append(conflict)
        if report is not None:
            report.open_conflicts = max(0, report.open_conflicts - len(done))
            if report.state == "needs_person" and not (report.open_conflicts or report.open_letters):
                report.state = "done"
        return report

    outcome = run_pass(folder, "apply", Scope(), work) if plan_id else _decided(folder, work)
    if done:
        decided = f"{counted(len(done), 'conflict')} decided (the next pass writes what follows from it)"
        outcome.message = "; ".join(m for m in (outcome.message, decided) if m)
    return outcome


def _decided(folder: str, work: Any) -> Outcome:
    try:
        with engine_of(folder, LogObserver()) as (engine, _):
            work(engine)
    except HubError as error:
        return Outcome(error=error)
    return Outcome(message="")


def _open_plan(engine: Engine, plan_id: str) -> Mapping[str, Any]:
    with engine.store.read() as connection:
        kept = runs.plan(connection, plan_id)
    if kept is None or kept["status"] != "open":
        raise ConfigurationError(
            f"there is no open plan {plan_id}" if kept is None else f"the plan {plan_id} is {kept['status']}",
            where="plan_id",
            cure="run the deployment plan: its run ends with a new one",
        )
    plan: Mapping[str, Any] = kept["body"]["plan"]
    return plan


def _plan_text(plan_id: str, plan: Mapping[str, Any]) -> str:
    writes = plan["writes"]
    rows = tables.capped(
        (
            {
                "system": tables.cell(w["system"]),
                "record": tables.cell(w["title"]),
                "action": w["action"],
                "old → new": tables.cell(
                    "; ".join(f"{n}: {tables.cell(o)} → {tables.cell(v)}" for n, (o, v) in w["fields"].items())
                ),
            }
            for w in writes
        ),
        SHOWN,
    )
    return f"Plan `{markdown.code(plan_id)}`: **{counted(len(writes), 'write')}**\n\n{markdown.table(rows)}"


def _titles(engine: Engine, hub_ids: set[str]) -> dict[str, str]:
    """Hub id → a name a person knows."""
    if not hub_ids:
        return {}
    with engine.store.read() as connection:
        found = records.load(connection, hub_ids)
    titles = {}
    for hub_id, record in found.items():
        spec = engine.setup.specs.get(record.entity)
        names = (record.values.get(n) for n in (spec.title if spec else ()))
        titles[hub_id] = next((str(n) for n in names if n), hub_id)
    return titles
