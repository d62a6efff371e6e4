"""Opens the project and the engine for a command, and turns a pass's report into output and an exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub.cli.progress import watching
from hub.cli.shell import DONE, NEEDS_PERSON, UNREACHABLE, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.mapping.lens import Problem
    from hub.project import Project
    from hub.sync.engine import Engine
    from hub.sync.report import PassReport

EXIT_CODES = {"done": DONE, "needs_person": NEEDS_PERSON, "failed": UNREACHABLE}

ROWS = 20
"""Rows of one table on a terminal; ``--json`` has all of them."""


@contextmanager
def opened_project(shell: Shell, *, connect: bool = True) -> Iterator[Project]:
    """The project, opened; its warnings are shown. Raises ConfigurationError when its files are wrong."""
    from hub.project import open_project

    project = open_project(shell.project_dir, connect=connect)
    try:
        refuse_wrong(shell, project.problems)
        yield project
    finally:
        project.close()


@contextmanager
def running_engine(shell: Shell) -> Iterator[Engine]:
    """The engine of the project, watched by a progress display and by a Prefect server when one is configured."""
    from hub.operate.announce import announcer
    from hub.sync.engine import Engine

    with opened_project(shell) as project, announcer(project) as announce, watching(shell, announce) as observer:
        with Engine.from_project(project, observer=observer) as engine:
            yield engine


def refuse_wrong(shell: Shell, problems: Sequence[Problem]) -> None:
    """Show what is wrong in the project's files; raise ConfigurationError unless these are warnings only."""
    wrong = [problem for problem in problems if problem.severity == "error"]
    for problem in problems:
        if problem.severity != "error" or len(wrong) > 1:
            shell.note(f"{problem.severity}: {problem}")
    if len(wrong) == 1:
        raise ConfigurationError(wrong[0].message, where=str(wrong[0].position), cure=wrong[0].cure or None)
    if wrong:
        raise ConfigurationError(f"{len(wrong)} things to mend in the project's files", cure="mend them and try again")


def told(shell: Shell, report: PassReport) -> int:
    """Print what a pass did; the exit code follows from its state."""
    shell.answer(report_data(report), lambda console: show_report(console, report))
    return EXIT_CODES[report.state]


def report_data(report: PassReport) -> dict[str, Any]:
    """A report for machines. The plan's writes are only counted: ``hub plan --json`` lists them."""
    from dataclasses import replace

    data = replace(report, plan=None).as_dict()
    plan = report.plan
    data["plan"] = plan and {"id": plan.id, "writes": len(plan.writes), "held": len(plan.held), "census": plan.census}
    return {"ok": report.state == "done", **data, "writes": report.writes}


def plan_data(report: PassReport) -> dict[str, Any]:
    """A plan for machines: every write with old and new values, and what is held and why."""
    data = report.as_dict()
    plan = data["plan"] or {"id": None, "state": None, "at": None, "writes": [], "held": [], "census": []}
    return {**plan, "failures": data["failures"], "findings": data["findings"]}


def show_report(console: Console, report: PassReport) -> None:
    """A pass on a page: the one line, what moved where, and what waits."""
    from hub.cli.output import section
    from hub.operate import tables
    from hub.operate.words import final_message

    plan = report.plan
    console.print(final_message(report), style="bold", soft_wrap=True)
    section(console, "systems that could not take part", tables.failure_rows(report))
    section(console, "what moved where", tables.summary_rows(report))
    section(console, "first look: matched records that differ", tables.census_rows(plan, ROWS))
    if report.kind == "plan":
        section(console, "planned writes", tables.plan_rows(plan, ROWS))
    section(console, "held back", tables.held_rows(plan, ROWS))
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
