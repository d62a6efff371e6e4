"""The soak's company: two sandboxes and the hub as processes of their own, a finance database, and the weather."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.connect.sandbox_client import ControlClient
from hub.connect.sandbox_faults import hostile
from hub.demo.company import TEMPLATE
from hub.demo.sandboxes import running_sandboxes

from .finance import Finance, finance

Row = dict[str, Any]
SEED = 7
SIZES = {
    # Token requests are not limited here: tokens end all the time, and the vendor's limit would be all there is to see.
    "zoho_crm": {"records": 40, "seed": SEED, "products": 20, "orders": 10, "invoices": 6, "throttle": 1_000_000},
    "kingdee_galaxy": {"records": 40, "seed": SEED, "shared": 32, "products": 20, "orders": 5, "invoices": 3},
}
SETTINGS = {"kingdee": {"page_rows": 50}, "finance_db": {"timeout": 2, "page_size": 50}}
"""Small pages, so that there are borders; a short patience with locks, so that it runs out."""
APP_KINDS = {
    "zoho": frozenset({"half_batch", "partial_batch"}),
    "kingdee": frozenset({"half_batch", "partial_batch", "response_error", "context_null", "not_logged_in"}),
}
OTHER_KINDS = [{"kind": "session_lost"}]
WEATHER = (0.002, 0.005, 0.01, 0.02, 0.04)
PASS_SECONDS = 240


@dataclass
class Pass:
    """One ``hub`` process that ended."""

    words: list[str]
    code: int
    out: str
    err: str
    seconds: float
    memory: int
    """Most it held, in KiB."""

    @property
    def data(self) -> Row:
        try:
            return dict(json.loads(self.out))
        except ValueError:
            return {}


@dataclass
class Company:
    """Everything there is. ``zoho``, ``kingdee`` and ``rows`` are what ``hub.demo.books`` reads through."""

    folder: Path
    zoho: ControlClient
    kingdee: ControlClient
    finance: Finance
    chance: random.Random
    hits: Counter[str] = field(default_factory=Counter)
    passes: list[Pass] = field(default_factory=list)
    approved: int = 0
    """How often a person approved what exceeded the change budget."""

    def rows(self, query: str, *values: Any) -> list[Row]:
        return self.finance.rows(query, *values)

    def hub(self, *words: str) -> Pass:
        """``hub WORDS`` as a process of its own."""
        command = [
            sys.executable,
            str(Path(__file__).with_name("hub_process.py")),
            *words,
            "--project",
            str(self.folder),
        ]
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        started = time.monotonic()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
            timer = threading.Timer(PASS_SECONDS, process.kill)
            timer.daemon = True
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        ended = Pass(
            list(words), process.returncode, out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"),
            time.monotonic() - started, usage.ru_maxrss,
        )  # fmt: skip
        self.passes.append(ended)
        return ended

    def weather(self, rate: float) -> None:
        """Every fault there is, each at this rate; 0: none at all."""
        for name, control in (("zoho", self.zoho), ("kingdee", self.kingdee)):
            for fault in control.faults():
                self.hits[f"{name} {_called(fault)}"] += fault["hits"]
            control.clear_faults()
            if rate:
                control.add_faults(*hostile(rate, APP_KINDS[name]))
                if name == "kingdee":
                    control.add_faults(*({**fault, "rate": rate} for fault in OTHER_KINDS))
        latency = self.chance.choice((0, 0, 1, 5)) if rate else 0
        self.zoho.latency(latency, latency)
        self.kingdee.latency(latency, latency)


def _called(fault: Row) -> str:
    status = f" {fault['status']}" if "status" in fault else ""
    return f"{fault['kind']}{status}{' after the write' if fault.get('after') else ''}"


@contextmanager
def founded(folder: Path, database: str, seed: int) -> Iterator[Company]:
    """The company before its first sync. ``database``: postgresql or sqlite."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_sandboxes(SIZES, folder) as running, finance(database, folder) as money:
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sql", "__pycache__"))
        _set(folder / "hub.yaml")
        secrets = {"FINANCE_DB_URL": money.url, "KINGDEE_URL": running["kingdee_galaxy"].ready["url"]}
        for system, connector in (("zoho", "zoho_crm"), ("kingdee", "kingdee_galaxy")):
            for name, value in running[connector].ready["credentials"].items():
                secrets[f"{system}_{name}".upper()] = value
        (folder / ".env").touch(0o600)
        (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in secrets.items()), encoding="utf-8")
        yield Company(
            folder, running["zoho_crm"].control, running["kingdee_galaxy"].control, money, random.Random(seed)
        )


def _set(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for system, settings in SETTINGS.items():
        lines = "".join(f"\n    {name}: {value}" for name, value in settings.items())
        text, found = re.subn(rf"(\n  {system}:)", rf"\1{lines}", text, count=1)
        assert found == 1, system
    path.write_text(text, encoding="utf-8")
