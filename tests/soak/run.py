"""The soak: a storm over the whole company while everybody works, then calm, then every law is looked at."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.demo import books

from . import laws
from .company import WEATHER, Company, Pass, founded
from .people import People

Row = dict[str, Any]
FINE = {0, 1, 3}
"""Exit codes that a pass may have in a storm: done, somebody is needed, a system is away."""
SETTLING = 15
"""Passes after the storm, at most."""


def soak(
    folder: Path, *, seconds: float, seed: int = 1, database: str = "postgresql", pause: float = 0.35,
    say: Callable[[str], None] = print,
) -> Row:  # fmt: skip
    """Run it; the report: ``ok``, the verdict on each law, and the figures."""
    with founded(folder, database, seed) as company:
        first = company.hub("sync", "--yes", "--json")
        assert first.code in (0, 1) and not first.data["failures"], (first.code, first.out[-2000:], first.err[-2000:])
        # Documents of customers that the ERP has forbidden: they can't get there, whatever the weather.
        letters_there = company.hub("letters", "--json").data["letters"]
        bad = {one["hub_id"]: str(one["payload"]["title"]) for one in letters_there}
        started = time.monotonic()
        people = People(company, seed, pause)
        people.start()
        harm = Harm(company)
        harm.start()
        letters = _storm(company, people, started + seconds, say)
        people.stop()
        harm.stop()
        company.weather(0)
        letters += _calm(company, len(bad), say)
        quiet = _quiet_pass(company)
        left = company.hub("letters", "--json").data
        status = company.hub("status", "--json").data
        status |= {"letters_written": letters, "letters_left": left.get("letters", [])}
        verdicts = laws.judge(laws.Found(company, people.ledger, quiet, status, bad))
        report = _report(company, people, verdicts, time.monotonic() - started, seed)
        if people.problem:
            report["ok"] = False
            report["people"] = repr(people.problem)
        return report


def _storm(company: Company, people: People, until: float, say: Callable[[str], None]) -> int:
    chance, letters, changes, told = company.chance, 0, 0.0, 0.0
    while time.monotonic() < until:
        now = time.monotonic()
        if now >= changes:
            company.weather(chance.choice(WEATHER))
            changes = now + chance.uniform(5, 25)
        company.hub("sync", "--json")
        if len(company.passes) % 7 == 0:
            letters += _see_to_it(company)
        if now >= told:
            told = now + 60
            codes = Counter(p.code for p in company.passes if p.words[0] == "sync")
            say(f"{until - now:6.0f} s left, passes by exit code {dict(codes)}, {people.ledger.done.total()} edits")
    return letters


class Harm(threading.Thread):
    """The database has a bad moment now and then."""

    def __init__(self, company: Company) -> None:
        super().__init__(name="harm", daemon=True)
        self._company = company
        self._quit = threading.Event()

    def run(self) -> None:
        chance = random.Random(self._company.chance.random())
        while not self._quit.wait(chance.uniform(2, 12)):
            self._company.finance.disturb(chance)

    def stop(self) -> None:
        self._quit.set()
        self.join(30)


def _calm(company: Company, bad: int, say: Callable[[str], None]) -> int:
    """Passes without faults until nothing is left to do; people see to what waits for them. ``bad``: letters that can
    only be looked at."""
    letters = 0
    for at in range(SETTLING):
        # The first is the nightly complete listing: a list that left out a record's change is only found out by that.
        done = company.hub("sync", "--json", *(["--full"] if at == 0 else []))
        waiting = done.data.get("open_letters", 0) > bad or done.data.get("open_conflicts") or _held(done)
        if waiting:
            letters += _see_to_it(company)
        say(f"calm {at + 1}: exit {done.code}, {done.data.get('writes')} writes, {done.data.get('message')}")
        status = company.hub("status", "--json").data
        waits = waiting or status["conflicts"] or status["in_doubt"] or status["waiting"] or status["letters"] > bad
        if done.code in (0, 1) and done.data["writes"] == 0 and not waits:
            break
    return letters


def _see_to_it(company: Company) -> int:
    """A person at the desk: conflicts are decided, letters tried again, and what exceeds the change budget (a backlog
    after an outage does) is approved. Returns how many letters there were."""
    for conflict in company.hub("conflicts", "--json").data.get("conflicts", []):
        # What was deleted stays deleted, whatever was edited elsewhere meanwhile.
        side = "ours" if conflict["path"] == "*" and conflict["theirs"] != "deleted" else "theirs"
        company.hub("conflicts", "resolve", str(conflict["id"]), "--take", side)
    found = company.hub("letters", "--json").data.get("letters", [])
    if found:
        company.hub("letters", "replay", "--all")
    passes = [p for p in company.passes if p.words[0] == "sync"]
    if _held(passes[-1]):
        company.hub("sync", "--yes", "--json")
        company.approved += 1
    return len(found)


def _held(done: Pass) -> bool:
    return "wait for approval" in str(done.data.get("message"))


def _quiet_pass(company: Company) -> Row:
    before = _writes(company)
    done = company.hub("sync", "--json")
    return {**done.data, "api_writes": _writes(company) - before}


def _writes(company: Company) -> int:
    """As the systems count them: write calls, and rows that the database's triggers noted."""
    calls = company.zoho.stats()["writes"] + company.kingdee.stats()["writes"]
    return int(calls + company.rows("SELECT count(*) AS n FROM journal")[0]["n"])


def _report(company: Company, people: People, verdicts: list[laws.Verdict], seconds: float, seed: int) -> Row:
    passes = [p for p in company.passes if p.words[0] == "sync"]
    strange = [p for p in company.passes if p.code not in FINE or "Traceback" in p.err]
    stats = {name: control.stats() for name, control in (("zoho", company.zoho), ("kingdee", company.kingdee))}
    failures = Counter(
        f"{f['system']} {f['error']}: {f['message'][:90]}" for p in passes for f in p.data.get("failures", [])
    )
    return {
        "ok": not strange and not any(v.wrong for v in verdicts),
        "seconds": round(seconds),
        "seed": seed,
        "database": company.finance.kind,
        "laws": [asdict(v) for v in verdicts],
        "passes": {str(code): n for code, n in sorted(Counter(p.code for p in passes).items())},
        "pass_seconds": round(sum(p.seconds for p in passes) / len(passes), 2),
        "strange": [_strange(p) for p in strange][: laws.MOST],
        "records_written": sum(p.data.get("writes", 0) for p in passes),
        "edits": dict(people.ledger.done.most_common()),
        "refused_by_the_products": dict(people.ledger.refused.most_common(8)),
        "faults": {"hit": sum(company.hits.values()), "by_kind": dict(sorted(company.hits.items()))},
        "database_harm": company.finance.harm,
        "calls": {name: {"calls": s["calls"], "by_status": s["by_status"]} for name, s in stats.items()},
        "failures": dict(failures.most_common()),
        "approved": company.approved,
        "letters": next(v.cases for v in verdicts if v.law.startswith("7")),
        "records": {s: {w: len(books_of(company, s)) for w, books_of in _VIEWS.items()} for s in books.SYSTEMS},
        "memory_mb": {"first": passes[0].memory // 1024, "most": max(p.memory for p in passes) // 1024},
    }


_VIEWS: dict[str, Callable[..., list[Any]]] = {
    "customers": books.customers, "products": books.products, "orders": books.orders, "invoices": books.invoices,
}  # fmt: skip


def _strange(one: Pass) -> str:
    return f"hub {' '.join(one.words)}: exit {one.code}: {(one.err or one.out)[-600:]}"
