"""The main job from nothing to a quiet pass, with numbers taken from the systems' own contents and counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.demo import books
from hub.demo.company import Company, founded
from hub.demo.story import Story, live_the_day
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.report import Observer, PassReport, silent

Say = Callable[[str, Any], None]
"""Told of each chapter: its name, and what belongs to it (a report, a story, numbers)."""
Data = dict[str, Any]


def demo(
    records: int = 500, *, keep: Path | None = None, say: Say = lambda chapter, what: None, observer: Observer = silent
) -> Data:
    """Run the demo; the result is the object that ``hub demo --json`` prints.

    ``keep``: a new folder for the project, which stays. Raises the errors of ``hub.errors`` when a sandbox does not
    start; what goes wrong in the story itself is ``"ok": false`` with the checks that failed.
    """
    with founded(records, keep=keep) as company:
        say("company", books.census(company))
        before = _numbers(company)
        planned = _pass(company, observer, lambda engine: engine.plan())
        say("plan", planned)
        unplanned = _change(before, _numbers(company))["writes"]
        first, first_calls = _counted(company, observer, lambda engine: engine.sync(yes=True))
        say("first sync", first)
        refused_at_first = first.open_letters
        story = live_the_day(company)
        say("day", story)
        second, second_calls = _counted(company, observer, lambda engine: engine.sync())
        story.verify(company)
        say("second sync", second)
        say("story", story)
        quiet, quiet_calls = _counted(company, observer, lambda engine: engine.sync())
        say("quiet pass", quiet)
        with _engine(company, observer) as engine:
            conflicts, letters = engine.conflicts(), engine.letters()
        say("conflicts", conflicts)
        say("letters", letters)
        result = _result(company, story, conflicts, letters, refused_at_first, {
            "plan": {**_summary(planned), "writes": unplanned},
            # What the plan saw and recognised, the first sync wrote: together they are the first meeting.
            "first_sync": {**_summary(planned, first), **first_calls},
            "second_sync": {**_summary(second), **second_calls},
            "quiet_pass": {**_summary(quiet), **quiet_calls},
        })  # fmt: skip
        say("result", result)
        return result


def _result(
    company: Company, story: Story, conflicts: list[Data], letters: list[Data], refused_at_first: int, passes: Data
) -> Data:
    twice = books.duplicates(company)
    census, numbers = books.census(company), _numbers(company)
    checks = [
        {"what": "the plan wrote nothing", "ok": passes["plan"]["writes"] == 0},
        *({"what": f"{s.who}: {s.what}: {s.expected}", "ok": bool(s.ok)} for s in story.steps),
        {"what": "one conflict waits for a person", "ok": len(conflicts) == 1},
        {"what": "the refused order is a dead letter", "ok": len(letters) == refused_at_first + 1},
        {"what": "no system holds anything twice", "ok": not twice},
        {"what": "every system holds every customer", "ok": _same_customers(company)},
        {"what": "the quiet pass wrote nothing", "ok": passes["quiet_pass"]["writes"] == 0},
    ]
    return {
        "ok": all(check["ok"] for check in checks), **passes, "duplicates": sum(map(len, twice.values())),
        "conflicts": len(conflicts), "dead_letters": len(letters),
        "systems": {
            s: {"records": census[s], "calls": numbers.get(s, {}).get("calls", 0),
                "writes": numbers.get(s, {}).get("writes", 0)}
            for s in books.SYSTEMS
        },
        "checks": checks,
    }  # fmt: skip


@contextmanager
def _engine(company: Company, observer: Observer) -> Iterator[Engine]:
    with open_project(company.folder) as project, Engine.from_project(project, observer=observer) as engine:
        yield engine


def _pass(company: Company, observer: Observer, work: Callable[[Engine], PassReport]) -> PassReport:
    """Each pass opens the project anew, as a scheduled run would."""
    with _engine(company, observer) as engine:
        return work(engine)


def _counted(company: Company, observer: Observer, work: Callable[[Engine], PassReport]) -> tuple[PassReport, Data]:
    """A pass, with the calls and writes that the systems counted meanwhile."""
    before = _numbers(company)
    report = _pass(company, observer, work)
    return report, _change(before, _numbers(company))


def _numbers(company: Company) -> dict[str, Data]:
    """System → calls and writes so far. Of the database: the changes of its rows that its triggers noted."""
    counted = {system: company.sandboxes[system].control.stats() for system in company.sandboxes}
    numbers: dict[str, Data] = {s: {"calls": stats["calls"], "writes": stats["writes"]} for s, stats in counted.items()}
    numbers["finance_db"] = {"calls": 0, "writes": company.rows("SELECT count(*) AS n FROM journal")[0]["n"]}
    return numbers


def _change(before: dict[str, Data], after: dict[str, Data]) -> Data:
    by_system = {s: {n: after[s][n] - before[s][n] for n in ("calls", "writes")} for s in after}
    return {
        "calls": sum(change["calls"] for change in by_system.values()),
        "writes": sum(change["writes"] for change in by_system.values()),
        "by_system": by_system,
    }


def _summary(*reports: PassReport) -> Data:
    """The last report's words, and what all of them counted: in all, and what was recognised by entity."""
    last = reports[-1]
    totals: Data = {"run": last.run, "state": last.state, "message": last.message, "rounds": last.rounds}
    counts = [c for report in reports for c in report.counts]
    for name in ("seen", "changed", "new", "matched", "gone", "created", "updated", "archived", "deleted", "refused"):
        totals[name] = sum(getattr(c, name) for c in counts)
    totals["matched_by_entity"] = {
        e: sum(c.matched for c in counts if c.entity == e) for e in {c.entity for c in counts}
    }
    totals["failures"] = [f"{f.system} {f.entity}: {f.message}" for report in reports for f in report.failures]
    return totals


def _same_customers(company: Company) -> bool:
    """All three know the same active customers, by tax number."""
    known = [{c["tax_id"] for c in books.customers(company, system) if c["active"]} for system in books.SYSTEMS]
    return known[0] == known[1] == known[2]
