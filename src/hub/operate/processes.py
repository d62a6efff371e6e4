"""Processes of ``hub up``: started apart from the terminal, found again whatever became of their parents, ended all.

Prefect's worker starts every run in a session of its own, so that no signal to a group reaches it. What all of them
share is the environment they inherit: a mark in it tells which processes are ours.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from hub.errors import ConfigurationError, Unavailable

MARK = "HUB_UP_MARK"
"""Environment variable that all processes of one ``hub up`` carry."""


class Child:
    """One long-running process, its output in a file."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(environment),
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal must reach us alone: we end the others in order.
                start_new_session=True,
            )

    def must_run(self) -> None:
        """Raises Unavailable, with the last lines of its output, when the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise Unavailable(
                f"the {self.name} ended by itself (exit code {code}): {self.last_words()}",
                where=str(self.log),
                cure="read the file named here; 'hub up' again goes on where it stopped",
            )

    def last_words(self, number: int = 3) -> str:
        """The last lines of its output."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-number:] if line.strip())

    def ask_to_end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def wait(self, seconds: float) -> bool:
        """Whether it ended in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


@contextlib.contextmanager
def only_one(home: Path, otherwise: str) -> Iterator[None]:
    """Raises ConfigurationError, saying ``otherwise``, while another process is in this block with the same folder."""
    lock = FileLock(home / "up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigurationError(otherwise, where=str(home), cure="stop the other one first (Ctrl-C)") from None
    try:
        yield
    finally:
        lock.release()


def marked(mark: str) -> Iterator[psutil.Process]:
    """Every process, however it was started, that carries ``mark``; not ourselves."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(MARK) == mark:
                yield process


def let_end(mark: str, seconds: float, at_once: threading.Event, *, but: Sequence[int] = ()) -> bool:
    """Wait for every process with ``mark`` (``but`` those ids) to end by itself, at most so many seconds or until
    ``at_once``; whether all did."""
    deadline = time.monotonic() + seconds
    while left := any(process.pid not in but for process in marked(mark)):
        if time.monotonic() > deadline or at_once.wait(0.5):
            break
    return not left


def end_all(mark: str, grace: float = 3.0, *, but: Sequence[int] = ()) -> int:
    """End every process with ``mark`` (``but`` those ids): asked, then, after ``grace`` seconds, made to.

    Returns how many there were.
    """
    found: set[int] = set()
    for ask in (True, False, False):
        # Again and again: one that was just being started when we looked must not survive.
        processes = [p for p in marked(mark) if p.pid not in but]
        if not processes:
            break
        found.update(p.pid for p in processes)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate() if ask else process.kill()
        psutil.wait_procs(processes, timeout=grace)
    return len(found)
