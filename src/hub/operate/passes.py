"""One pass, from a project's folder to everything that is told of it. No Prefect; it is why flows are thin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.errors import HubError, RateLimited, Unavailable
from hub.operate.artifacts import Artifact, artifacts_of, slug
from hub.operate.events import events_of
from hub.operate.facts import Facts, facts_of, project_folder
from hub.operate.logs import LogObserver
from hub.operate.words import counted, final_message, run_name
from hub.sync.joint import parse_part
from hub.sync.report import Observer, PassReport

if TYPE_CHECKING:
    from hub.sync.engine import Engine

FLOW_RUN = "PREFECT__FLOW_RUN_ID"
"""Where Prefect tells a run's process which run it carries out."""
_CARRIED = "flow-run:"
LISTED = 500
"""Conflicts and dead letters shown at most; the hub's database has them all."""


class Outcome:
    """What became of a pass, for whoever tells of it. Not a dataclass: Prefect would walk through all it holds."""

    __slots__ = ("artifacts", "error", "events", "message", "report")

    def __init__(
        self,
        *,
        report: PassReport | None = None,
        error: HubError | None = None,
        artifacts: Sequence[Artifact] = (),
        events: Sequence[dict[str, Any]] = (),
        message: str | None = None,
    ) -> None:
        self.report = report
        self.error = error
        self.artifacts = artifacts
        self.events = events
        if message is None:
            message = final_message(report) if report is not None else str(error)
        self.message = message

    @property
    def failed(self) -> bool:
        return self.error is not None or (self.report is not None and self.report.state == "failed")

    @property
    def skipped(self) -> bool:
        """Another pass is at work on the same records: nothing was done, nothing is wrong."""
        return self.error is not None and is_busy(self.error)


def is_busy(error: BaseException) -> bool:
    """Whether a pass was turned away because another one works on the same entity (its lease is held)."""
    return isinstance(error, Unavailable) and "another pass" in error.what


def worth_another_try(error: BaseException) -> bool:
    """Whether the same pass may succeed in a minute: passes are safe to repeat, but wrong settings stay wrong."""
    return isinstance(error, Unavailable | RateLimited)


@dataclass(slots=True)
class Scope:
    """What a pass covers; empty means all."""

    entities: Sequence[str] = field(default_factory=list)
    systems: Sequence[str] = field(default_factory=list)
    full: bool = False
    partition: str = ""
    """``2/4``: one of the passes that do it together; empty: the whole."""

    @property
    def key(self) -> str:
        """How the keys of its artifacts go on after the project's name."""
        name = "-".join(self.entities) if 0 < len(self.entities) <= 3 else "all"
        return f"{name}-{self.partition.replace('/', '-of-')}" if self.partition else name


def flow_run_of(holder: str) -> str:
    """Which of Prefect's runs the holder of a lease carried out; empty: none, it was started by hand."""
    return next((part.removeprefix(_CARRIED) for part in holder.split("/") if part.startswith(_CARRIED)), "")


@contextmanager
def engine_of(folder: str, observer: Observer) -> Iterator[tuple[Engine, Facts]]:
    """The engine of the project in ``folder``, opened and closed. Raises the errors of ``hub.errors``."""
    from hub.project import open_project
    from hub.sync.engine import Engine

    project = open_project(project_folder(folder))
    try:
        with Engine.from_project(project, observer=observer) as engine:
            if run := os.environ.get(FLOW_RUN):
                engine.owner = f"{engine.owner}/{_CARRIED}{run}"
            yield engine, facts_of(project)
    finally:
        project.close()


def run_pass(
    folder: str, kind: str, scope: Scope, work: Callable[[Engine], PassReport], *, observer: Observer | None = None
) -> Outcome:
    """Do ``work`` with the project's engine and gather what is to be told of it.

    Errors that a person must cure become part of the outcome; those that may pass by themselves are raised.
    """
    try:
        with engine_of(folder, observer or LogObserver()) as (engine, facts):
            report = work(engine)
            return told(report, facts, kind, scope, conflicts=engine.conflicts(), letters=engine.letters())
    except HubError as error:
        if worth_another_try(error):
            raise
        return Outcome(error=error)


def run_sync(folder: str, scope: Scope, *, yes: bool = False) -> Outcome:
    """One pass that carries changes on; see ``run_pass``."""

    def work(engine: Engine) -> PassReport:
        part = parse_part(scope.partition) if scope.partition else None
        return engine.sync(scope.entities or None, scope.systems or None, full=scope.full, yes=yes, partition=part)

    return run_pass(folder, "sync", scope, work)


def run_prune(folder: str) -> Outcome:
    """Prune the project's history as its ``retention`` says. Errors as in ``run_pass``."""
    try:
        with engine_of(folder, LogObserver()) as (engine, _):
            done = engine.prune()
    except HubError as error:
        if worth_another_try(error):
            raise
        return Outcome(error=error)
    whole = f"; history is told in full from {done.before} on" if done.before else ""
    gone = f"{counted(done.entries, 'entry')} and {counted(done.runs, 'old run')} pruned{whole}"
    return Outcome(message=f"{gone}; {done.space}" if done.space else gone)


def told(
    report: PassReport,
    facts: Facts,
    kind: str,
    scope: Scope,
    *,
    conflicts: Sequence[dict[str, Any]],
    letters: Sequence[dict[str, Any]],
) -> Outcome:
    """A finished pass with its artifacts and events."""
    covered = set(scope.entities) or set(facts.entities)
    artifacts = artifacts_of(
        report,
        scope=slug(facts.name, scope.key),
        title=name_of(facts, kind, scope),
        conflicts=[c for c in conflicts if c.get("entity") in covered][:LISTED],
        letters=[x for x in letters if x.get("entity") in covered][:LISTED],
    )
    return Outcome(report=report, artifacts=artifacts, events=events_of(report, facts.name))


def name_of(facts: Facts, kind: str, scope: Scope) -> str:
    """The name of the run of such a pass: ``sync customer: zoho ⇄ kingdee (incremental)``."""
    entities = {e: facts.entities.get(e, {}) for e in (scope.entities or facts.entities)}
    name = run_name(kind, entities, systems=scope.systems, full=scope.full)
    return f"{name}, part {scope.partition}" if scope.partition else name
