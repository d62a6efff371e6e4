"""``hub demo``: the main job on bundled sandboxes, told as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from hub.demo.story import Story
    from hub.sync.report import PassReport

FEWEST = 25
"""Below this there are not enough different customers for the story."""


def register(app: typer.Typer) -> None:
    command(app, "demo", project=False)(demo)


def demo(
    shell: Shell,
    *,
    records: Annotated[int, typer.Option(metavar="N", min=FEWEST, help="Customers in the CRM to begin with.")] = 500,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project in ./hub-demo afterwards.")] = False,
) -> int:
    """The main job on bundled sandboxes, over real HTTP, from nothing; ends by itself.

    A CRM (Zoho), an ERP (Kingdee) that knows most of the same customers, written differently, and a finance database:
    first sync, a day of edits on all three sides, second sync, a quiet pass. Everything it tells was read from the
    systems themselves.

    Example: hub demo --records 100
    """
    from hub.cli.progress import Progress
    from hub.demo.run import demo as run

    folder = Path("hub-demo").resolve() if keep else None
    if folder is not None and folder.exists():
        raise ConfigurationError("there is something of this name already", where=str(folder), cure="move it away")
    with Progress(shell.err) as progress:
        result = run(records, keep=folder, say=Teller(shell), observer=progress)
    if shell.json:
        shell.answer(result, "")
    elif folder is not None:
        shell.note(f"the project is in {folder}; its sandboxes are stopped")
    return DONE if result["ok"] else NEEDS_PERSON


class Teller:
    """Tells each chapter to people while it happens; with ``--json`` nothing."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __call__(self, chapter: str, what: Any) -> None:
        tell = getattr(self, "_" + chapter.replace(" ", "_"), None)
        if tell is not None and not self._shell.json:
            tell(what)

    def _say(self, text: str, style: str = "") -> None:
        self._shell.out.print(text, style=style, soft_wrap=True)

    def _chapter(self, text: str) -> None:
        self._say(f"\n{text}", style="bold")

    def _rows(self, rows: list[dict[str, str]]) -> None:
        from hub.cli.output import section

        section(self._shell.out, "", rows)

    def _report(self, report: PassReport) -> None:
        from hub.operate import tables
        from hub.operate.words import final_message

        self._say(final_message(report))
        self._rows(tables.summary_rows(report))
        self._rows(tables.failure_rows(report))
        self._rows(tables.held_rows(report.plan, 10))

    def _company(self, census: dict[str, dict[str, int]]) -> None:
        self._chapter(
            "The company: sandboxes of Zoho CRM and 金蝶云星空 over HTTP, and the finance department's database"
        )
        self._rows([{"system": s, **{e: f"{n:,}" for e, n in counts.items()}} for s, counts in census.items()])

    def _plan(self, report: PassReport) -> None:
        from hub.operate import tables

        self._chapter("A plan first: what would be written; nothing is")
        self._say(f"{len(report.plan.writes) if report.plan else 0:,} writes planned")
        matched = sum(counts.matched for counts in report.counts)
        self._say(f"{matched:,} records were recognised as the same ones, though they are written differently")
        self._rows(tables.census_rows(report.plan, 12))

    def _first_sync(self, report: PassReport) -> None:
        self._chapter("First sync, approved")
        self._report(report)

    def _day(self, story: Story) -> None:
        self._chapter("A day at the company")
        self._rows([{"who": step.who, "does": step.what} for step in story.steps])

    def _second_sync(self, report: PassReport) -> None:
        self._chapter("Second sync")
        self._report(report)

    def _story(self, story: Story) -> None:
        self._chapter("What came of the day, looked up in the systems")
        self._rows([
            {"": "✓" if step.ok else "✗", "who did": f"{step.who}: {step.what}", "what came of it": step.expected}
            for step in story.steps
        ])  # fmt: skip

    def _conflicts(self, conflicts: list[dict[str, Any]]) -> None:
        from hub.operate.tables import generic_rows

        self._chapter("What waits for a person")
        self._rows(generic_rows(conflicts, ("entity", "title", "path", "base", "theirs", "ours")))

    def _letters(self, letters: list[dict[str, Any]]) -> None:
        from hub.operate.tables import generic_rows

        self._rows(generic_rows(letters, ("system", "entity", "title", "message", "cure")))

    def _quiet_pass(self, report: PassReport) -> None:
        self._chapter("A quiet pass: nobody edited anything")
        self._report(report)

    def _result(self, result: dict[str, Any]) -> None:
        self._chapter("Counted in the systems themselves")
        self._rows([
            {"system": system, **{e: f"{n:,}" for e, n in found["records"].items()},
             "calls": f"{found['calls']:,}", "writes": f"{found['writes']:,}"}
            for system, found in result["systems"].items()
        ])  # fmt: skip
        quiet = result["quiet_pass"]
        self._say(
            f"the quiet pass: {quiet['calls']} calls, {quiet['writes']} writes; duplicates: {result['duplicates']}"
        )
        for check in result["checks"]:
            if not check["ok"]:
                self._say(f"✗ {check['what']}", style="bold red")
        self._say(
            "everything is where it belongs" if result["ok"] else "not everything is where it belongs", style="bold"
        )
