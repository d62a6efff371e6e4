"""``hub`` in processes that are forked from one which has loaded the program already: its start would cost more than
all the rest of a pass. Each is a process of its own otherwise, with its own connections, locks and number."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from hub.cli.main import main
from hub.connect.registry import find
from hub.operate import passes
from hub.project import opening
from hub.sync import at_once

LOADED = (passes, opening)
"""What the command loads only when it runs."""
for connector in ("zoho_crm", "kingdee_galaxy", "sql"):
    find(connector).module("connector")


def started(words: list[str], log: Path, enough: int) -> ForkServerProcess:
    """``hub WORDS``, begun. What it says goes to ``log``. ``enough``: how many new records on one page take the way of
    a bulk load, where what is intended is stored together with what was read."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    process = processes.Process(target=_run, args=(words, str(log), enough))
    process.start()
    return process


def _run(words: list[str], log: str, enough: int) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    at_once.ENOUGH = enough
    main(words)
