"""The crash harness: ``hub sync`` as a process, killed at any moment; then the systems are held to every law.

People go on working between the crashes. Nothing is repaired by hand: the next pass is all that ever follows a kill.
"""

from __future__ import annotations

import json
import math
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.postgres import installed
from hub.sync import at_once
from tests.soak import laws
from tests.soak.company import Company, founded
from tests.soak.people import People

from . import hub_process
from .cluster import Cluster, cluster

Row = dict[str, Any]
SLOW = 12
"""Milliseconds that every answer takes: a good part of the kills then finds a call under way."""
SETTLE_EVERY = 20
CALM = 6
"""Passes without a kill, at most, until nothing is left to do."""
PASS_SECONDS = 240
ENOUGH = (2, at_once.ENOUGH)
"""New records on one page that take the way of a bulk load; every second pass thinks a few are enough."""
LONGER, SHORTER = 1.03, 0.75
"""One pass in ten ends before it is killed, then: the others die at any of their moments."""
FINE = {0, 1, 3}
"""Exit codes of a pass whose database was killed."""


class Staff(People):
    """People whose edits nobody has to decide about: whatever waits for a person in the end was left by a crash."""

    def act(self) -> None:
        """One thing somebody does."""
        acts = [
            (self._website, 3), (self._bank_account, 3), (self._postcode, 3), (self._new_customer, 4),
            (self._new_order, 4), (self._quantity, 3), (self._new_invoice, 2), (self._new_product, 1),
            (self._import, 2),
        ]  # fmt: skip
        act = self.chance.choices([a for a, _ in acts], [w for _, w in acts])[0]
        if act():
            self.ledger.done[act.__name__.strip("_").replace("_", " ")] += 1

    def _import(self) -> bool:
        """Somebody loads a file into the finance department's table."""
        return all(self._new_customer("finance_db") for _ in range(self.chance.randrange(3, 9)))


class Store:
    """The hub's database, looked into past the hub."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, pool_pre_ping=True)

    def count(self, query: str) -> int:
        try:
            with self.engine.connect() as connection:
                return int(connection.execute(text(query)).scalar_one())
        except SQLAlchemyError:
            return -1  # not there just now

    def close(self) -> None:
        self.engine.dispose()


def crash(
    folder: Path, *, kills: int, store: str = "sqlite", server_kills: int = 0, seed: int = 1,
    minutes: float = math.inf, say: Callable[[str], None] = print,
) -> Row:  # fmt: skip
    """Kill ``kills`` passes and, with ``store='postgresql'``, the database under ``server_kills`` more; the report.

    After ``minutes`` no more are killed, and what came of those that were is judged.
    """
    with founded(folder, "sqlite", seed) as company, _store(store, folder) as (url, server):
        _set(folder / "hub.yaml", url)
        first = company.hub("sync", "--yes", "--json")
        assert first.code in (0, 1) and not first.data["failures"], (first.code, first.out[-2000:], first.err[-2000:])
        there = company.hub("letters", "--json").data["letters"]
        bad = {one["hub_id"]: str(one["payload"]["title"]) for one in there}
        company.zoho.latency(SLOW, SLOW)
        company.kingdee.latency(SLOW, SLOW)
        with closing(Store(url)) as looked:
            harness = Harness(company, Staff(company, seed, 0), looked, random.Random(seed), len(bad))
            started = time.monotonic()
            harness.measure()
            rounds = ["kill"] * kills + ["server"] * server_kills
            harness.chance.shuffle(rounds)
            for at, what in enumerate(rounds, 1):
                harness.round(what, server)
                if at % SETTLE_EVERY == 0:
                    harness.settle()
                    say(f"{at} of {len(rounds)} crashes: {dict(harness.seen)}")
                if time.monotonic() - started > minutes * 60:
                    break
            harness.settle()
            return harness.report(bad, store, seed, time.monotonic() - started)


class Harness:
    """One company, one store, many crashes."""

    def __init__(self, company: Company, people: Staff, store: Store, chance: random.Random, letters: int) -> None:
        self.company = company
        self.people = people
        self.store = store
        self.chance = chance
        self.letters = letters
        self._said = company.folder / "said.txt"
        self.seen: Counter[str] = Counter()
        self.strange: list[str] = []
        self.work = 0.0
        """Seconds that a pass works once it has begun. Follows what is seen: on a machine that others use as well, a
        kill would come before anything is written else, or after everything."""

    def measure(self) -> None:
        """How long a pass works."""
        for _ in range(4):
            self.people.act()
        process = self._start()
        begun = time.monotonic()
        _ended(process)
        self.work = time.monotonic() - begun

    def _start(self) -> ForkServerProcess:
        """``hub sync`` as a process; returns when its run is noted in the store, or it has ended."""
        runs = self.store.count("SELECT count(*) FROM run")
        words = ["sync", "--json", "--project", str(self.company.folder)]
        process = hub_process.started(words, self._said, self.chance.choice(ENOUGH))
        while process.is_alive() and self.store.count("SELECT count(*) FROM run") <= runs:
            time.sleep(0.02)
        return process

    def round(self, what: str, server: Cluster | None) -> None:
        """People work, a pass begins, and it or its database dies at some moment."""
        for _ in range(self.chance.randrange(1, 5)):
            self.people.act()
        process = self._start()
        process.join(self.chance.uniform(0, self.work))
        if process.is_alive():
            self._strike(what, process, server)
            self.work *= LONGER
        else:
            self.work *= SHORTER
        code = _ended(process)
        if server is not None and not server.runs:
            server.start()
        self._note(what, code)

    def _strike(self, what: str, process: ForkServerProcess, server: Cluster | None) -> None:
        if what == "kill" or server is None:
            process.kill()
        elif self.chance.random() < 0.5:
            server.kill()
            self.seen["postmaster killed"] += 1
        else:
            server.crash()
            self.seen["immediate shutdown"] += 1

    def _note(self, what: str, code: int) -> None:
        said = self._said.read_text("utf-8", "replace")
        if what == "server":
            self.seen[f"pass ended {code} when its database died" if code else "pass ended before its database"] += 1
            if code not in FINE or "Traceback" in said:
                self.strange.append(f"exit {code} when the database died: {said[-800:]}")
        elif code == -signal.SIGKILL:
            self.seen["killed"] += 1
        else:
            self.seen["ended before the kill"] += 1
            if code != (1 if self.letters else 0):
                self.strange.append(f"exit {code}: {said[-800:]}")
        self.seen["left writes in doubt"] += self.store.count("SELECT count(*) FROM intent") > 0

    def settle(self) -> None:
        """Passes nobody disturbs until nothing is left to do."""
        for _ in range(CALM):
            code = _ended(self._start())
            said = self._said.read_text("utf-8", "replace")
            if code not in (0, 1):
                self.strange.append(f"exit {code} after a crash: {said[-800:]}")
            elif json.loads(said)["writes"] == 0:
                return
        self.strange.append(f"{CALM} passes did not settle what the crashes left")

    def report(self, bad: dict[str, str], store: str, seed: int, seconds: float) -> Row:
        """Every law, looked up in the systems, and the figures."""
        company = self.company
        before = company.zoho.stats()["writes"] + company.kingdee.stats()["writes"]
        done = company.hub("sync", "--json")
        after = company.zoho.stats()["writes"] + company.kingdee.stats()["writes"]
        quiet = {**done.data, "api_writes": after - before}
        status = company.hub("status", "--json").data
        left = company.hub("letters", "--json").data["letters"]
        status |= {"letters_written": len(left), "letters_left": left}
        verdicts = [
            verdict
            for verdict in laws.judge(laws.Found(company, self.people.ledger, quiet, status, bad))
            if not verdict.law.startswith("12")
        ]
        wrong = {verdict.law.partition(" ")[0]: len(verdict.wrong) for verdict in verdicts}
        return {
            "ok": not self.strange and not any(wrong.values()),
            "store": store,
            "seed": seed,
            "seconds": round(seconds),
            "kills": self.seen["killed"],
            "database_kills": self.seen["postmaster killed"] + self.seen["immediate shutdown"],
            "lost": wrong["2"],
            "doubled": wrong["3"],
            "letters": len(left) - len(bad),
            "in_doubt": status["in_doubt"],
            "conflicts": status["conflicts"],
            "crashes": dict(sorted(self.seen.items())),
            "edits": dict(self.people.ledger.done.most_common()),
            "laws": [{**asdict(v), "wrong": v.wrong[: laws.MOST]} for v in verdicts],
            "strange": self.strange[: laws.MOST],
        }


def _ended(process: ForkServerProcess) -> int:
    process.join(PASS_SECONDS)
    code = process.exitcode
    assert code is not None, f"a pass does not end within {PASS_SECONDS} s"
    return code


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[tuple[str, Cluster | None]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/.hub/hub.db", None
        return
    programs = installed()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed (Debian: postgresql); or take --store sqlite")
    with cluster(programs) as server:
        yield server.url, server


def _set(path: Path, store: str) -> None:
    """The store, and a shorter wait before Kingdee is asked a second time for a record that is not there."""
    words = re.sub(r"(\n  kingdee:)", r"\1\n    probe_wait: 0.3", path.read_text(encoding="utf-8"), count=1)
    path.write_text(f"{words}\nstore: {store}\n", encoding="utf-8")
