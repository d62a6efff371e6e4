"""A pass as log lines, a line per page or batch. In a Prefect run they are the run's log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from hub.operate.words import counted
from hub.sync.report import Event

Data = Mapping[str, Any]


class LogObserver:
    """Writes each event to ``logger`` in words. Never raises."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self.log = logger or logging.getLogger("hub.pass")

    def __call__(self, event: Event) -> None:
        level, text = line(event)
        if text:
            self.log.log(level, "%s", text)


def line(event: Event) -> tuple[int, str]:
    """(level, text) of one event; no text for events that say nothing to people. Never raises."""
    render = _LINES.get(event.name)
    if render is None:
        return logging.DEBUG, ""
    level, words = render
    try:
        return level, " ".join(words(event.data).split())
    except (KeyError, TypeError, ValueError):
        # An event with less data than expected is still told.
        return level, event.name


def _observed(data: Data) -> str:
    if not data["seen"] and not data["changed"]:
        return ""
    return f"{data['system']} {data['entity']}: {counted(data['seen'], 'record')} seen, {data['changed']:,} changed"


def _written(data: Data) -> str:
    failed = f", {data['failed']:,} refused" if data["failed"] else ""
    return f"{data['system']} {data['entity']}: {data['ok']:,} written{failed}"


_LINES: dict[str, tuple[int, Callable[[Data], str]]] = {
    "pass.started": (logging.INFO, lambda d: f"pass of {', '.join(d['entities'])} over {', '.join(d['systems'])}"),
    "page.observed": (logging.INFO, _observed),
    "system.failed": (logging.WARNING, lambda d: f"{d['system']} {d['entity']} could not take part: {d['message']}"),
    "plan.made": (logging.INFO, lambda d: f"plan {d['plan']}: {counted(d['writes'], 'write')}, {d['held']:,} held"),
    "batch.written": (logging.INFO, _written),
    "conflict.found": (logging.WARNING, lambda d: f"conflict in {d['entity']} {d['record']}, {d['field']}"),
    "letter.written": (
        logging.WARNING,
        lambda d: f"dead letter: {d['system']} {d['entity']} {d['record']} {d.get('field') or ''}: {d['message']}",
    ),
    "budget.held": (
        logging.WARNING,
        lambda d: (
            f"{d['system']} {d['entity']}: {counted(d['writes'], 'write')} held, the budget allows {d['allowed']:,}"
        ),
    ),
    "quota.short": (logging.WARNING, lambda d: d["message"]),
    "quota.spread": (logging.INFO, lambda d: f"{d['system']} {d['entity']}: {d['message']}"),
    "pass.finished": (logging.INFO, lambda d: d["message"]),
}
