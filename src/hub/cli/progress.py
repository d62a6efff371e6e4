"""What a running pass shows on standard error: one line a system and entity, once it takes longer than a second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub.sync.report import Event, Observer

if TYPE_CHECKING:
    from rich.console import Console

    from hub.cli.shell import Shell

PATIENCE = 1.0
"""Seconds before anything is shown: a quick pass prints its result and nothing else."""


class Progress:
    """An observer of one pass. Use as a context manager; draws only on a terminal."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._bars: Any = None
        self._lines: dict[tuple[str, str, str], Any] = {}
        self._amounts: dict[tuple[str, str, str], list[int]] = {}

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, event: Event) -> None:
        data = event.data
        if event.name == "page.observed":
            self._add("read", data, [int(data.get("seen", 0)), int(data.get("changed", 0))])
        elif event.name == "batch.written":
            self._add("write", data, [int(data.get("ok", 0)), int(data.get("failed", 0))])
        elif event.name == "system.failed":
            self._add("failed", data, [0, 0])

    def _add(self, what: str, data: dict[str, Any], amounts: Sequence[int]) -> None:
        key = (what, str(data.get("system", "")), str(data.get("entity", "")))
        held = self._amounts.setdefault(key, [0, 0])
        for index, amount in enumerate(amounts):
            held[index] += amount
        if self._console.is_terminal and self._clock() - self._began >= PATIENCE:
            self._draw(key)

    def _draw(self, key: tuple[str, str, str]) -> None:
        if self._bars is None:
            from rich import progress

            columns = (
                progress.SpinnerColumn(),
                progress.TextColumn("{task.description}"),
                progress.TimeElapsedColumn(),
            )
            self._bars = progress.Progress(*columns, console=self._console, transient=True)
            self._bars.start()
            # What was counted while nothing was shown yet appears with the first line.
            for earlier in self._amounts:
                self._lines[earlier] = self._bars.add_task(self.describe(earlier), total=None)
        elif key not in self._lines:
            self._lines[key] = self._bars.add_task(self.describe(key), total=None)
        self._bars.update(self._lines[key], description=self.describe(key))

    def describe(self, key: tuple[str, str, str]) -> str:
        """``zoho customer: 1,200 read, 14 changed``."""
        what, system, entity = key
        first, second = self._amounts[key]
        if what == "failed":
            return f"{system} {entity}: could not take part"
        if what == "read":
            return f"{system} {entity}: {first:,} read, {second:,} changed"
        return f"{system} {entity}: {first:,} written" + (f", {second:,} refused" if second else "")


def all_of(observers: Sequence[Observer]) -> Observer:
    """One observer that tells them all; none of them can hurt the pass or the others."""

    def tell(event: Event) -> None:
        for observer in observers:
            try:
                observer(event)
            except Exception as error:
                import logging

                logging.getLogger("hub.cli").warning("an observer failed at %s: %s", event.name, error)

    return tell


@contextmanager
def watching(shell: Shell, *further: Observer) -> Iterator[Observer]:
    """The observer of a command's pass: progress on a terminal, and whoever else wants to hear."""
    if not (sys.stderr.isatty() or os.environ.get("FORCE_COLOR")):
        yield all_of(further)  # nobody looks: loading what draws would take longer than a small pass
        return
    with Progress(shell.err) as progress:
        yield all_of([progress, *further])
