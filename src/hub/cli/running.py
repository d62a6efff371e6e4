"""Opens the project and the engine for a command, and turns a pass's report into output and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub.cli.progress import watching
from hub.cli.shell import DONE, NEEDS_PERSON, UNREACHABLE, Shell

if TYPE_CHECKING:
    from rich.console import Console

    from hub.operate.passes import Scope
    from hub.project import Project
    from hub.sync.engine import Engine
    from hub.sync.report import PassReport

EXIT_CODES = {"done": DONE, "needs_person": NEEDS_PERSON, "failed": UNREACHABLE}

ROWS = 20
"""Rows of one table on a terminal; ``--json`` has all of them."""


@contextmanager
def opened_project(shell: Shell, *, connect: bool = True) -> Iterator[Project]:
    """The project, opened; what is doubtful in its files is shown. Raises ConfigurationError when they are wrong."""
    from hub.project import open_project

    with open_project(shell.project_dir, connect=connect) as project:
        for problem in project.problems:
            shell.note(f"{problem.severity}: {problem}")
        yield project


@contextmanager
def stored_engine(shell: Shell) -> Iterator[Engine]:
    """The engine for looking into the hub's own memory: asks no system, and needs no secret but the store's."""
    from hub.project import open_project
    from hub.sync.engine import Engine

    project = open_project(shell.project_dir, connect=False)
    if "${" in project.store_url:
        project = open_project(shell.project_dir)
    with project, Engine.from_project(project) as engine:
        yield engine


def run_pass(shell: Shell, kind: str, scope: Scope, work: Callable[[Engine], PassReport]) -> PassReport:
    """One pass, watched by a progress display and by a Prefect server when one is configured."""
    from hub.operate.announce import Announcer
    from hub.operate.facts import facts_of
    from hub.operate.passes import name_of, told
    from hub.operate.words import tags
    from hub.sync.engine import Engine

    with opened_project(shell) as project:
        facts = facts_of(project)
        labels = tags(facts.name, scope.entities, scope.systems)
        with (
            Announcer(facts.name, name_of(facts, kind, scope), kind=kind, tags=labels) as announcer,
            watching(shell, announcer) as observer,
            Engine.from_project(project, observer=observer) as engine,
        ):
            report = work(engine)
            announcer.finish(told(report, facts, kind, scope, conflicts=engine.conflicts(), letters=engine.letters()))
            return report


def finished(shell: Shell, report: PassReport) -> int:
    """Print what a pass did; the exit code follows from its state."""
    shell.answer(report_data(report), lambda console: show_report(console, report))
    return EXIT_CODES[report.state]


def report_data(report: PassReport) -> dict[str, Any]:
    """A report for machines. The plan's writes are only counted: ``hub plan --json`` lists them."""
    from dataclasses import replace

    from hub.operate.costs import told

    data = replace(report, plan=None).as_dict()
    plan = report.plan
    data["costs"] = [told(cost) for cost in report.costs]
    data["plan"] = plan and {"id": plan.id, "writes": len(plan.writes), "held": len(plan.held), "census": plan.census}
    return {"ok": report.state == "done", **data, "writes": report.writes}


def plan_data(report: PassReport) -> dict[str, Any]:
    """A plan for machines: every write with old and new values, and what is held and why."""
    from hub.operate.costs import told

    data = report.as_dict()
    plan = data["plan"] or {"id": None, "state": None, "at": None, "writes": [], "held": [], "census": []}
    costs = [told(cost) for cost in report.costs]
    return {**plan, "failures": data["failures"], "findings": data["findings"], "costs": costs}


def show_report(console: Console, report: PassReport) -> None:
    """A pass on a page: the one line, what moved where, and what waits."""
    from hub.cli.output import section
    from hub.operate import costs, tables
    from hub.operate.words import final_message

    plan = report.plan
    console.print(final_message(report), style="bold", soft_wrap=True)
    section(console, "systems that could not take part", tables.failure_rows(report))
    section(console, "what moved where", tables.summary_rows(report))
    section(console, "first look: matched records that differ", tables.census_rows(plan, ROWS))
    if report.kind == "plan":
        section(console, "planned writes", tables.plan_rows(plan, ROWS))
    section(console, "held back", tables.held_rows(plan, ROWS))
    takes = "what carrying it out takes" if report.kind == "plan" else "calls made"
    section(console, takes, costs.cost_rows(report))
    section(console, "findings", tables.finding_rows(report, ROWS))
    for line in advice(report):
        console.print(line, soft_wrap=True)


def advice(report: PassReport) -> list[str]:
    """What a person does next."""
    lines = []
    plan = report.plan
    held = {h.reason for h in plan.held} if plan else set()
    if plan and held & {"first_sync", "budget"}:
        lines.append(f"look at the plan, then carry it out: hub apply {plan.id} (or hub sync --yes)")
    elif plan and report.kind == "plan" and plan.writes:
        lines.append(f"carry it out: hub apply {plan.id}")
    if report.open_conflicts:
        lines.append(f"{report.open_conflicts} open conflicts: hub conflicts")
    if report.open_letters:
        lines.append(f"{report.open_letters} open dead letters: hub letters")
    return lines
