"""What every flow does around a pass: its name, its artifacts and events, its final state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import runtime
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import Task

from hub.errors import HubError
from hub.operate.artifacts import Artifact
from hub.operate.facts import facts_of, project_folder
from hub.operate.passes import Outcome, Scope, is_busy, name_of, worth_another_try

log = logging.getLogger("hub.run")
# Prefect takes over the handlers of the loggers it is told of, not their level: warnings alone would be shown.
if logging.getLogger("hub").level == logging.NOTSET:
    logging.getLogger("hub").setLevel(logging.INFO)

PASS_TASK: dict[str, Any] = {
    "name": "pass",
    "task_run_name": "pass",
    # Walking the arguments for a cache key costs more than the pass; its rows live in the hub's database.
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 3,
    "retry_delay_seconds": [10, 60, 180],
}
"""Options of the one task of a run. A pass is safe to repeat: what was done is not done again."""


def patient(task: Task[..., Any] | None, run: Any, state: State[Any]) -> bool:
    """Retry what passes by itself: a store or a system out of reach; a full pass also waits for another one's end."""
    error = state.data
    if not isinstance(error, BaseException) or not worth_another_try(error):
        return False
    return not is_busy(error) or bool(given_parameters().get("full"))


def given_parameters() -> Mapping[str, Any]:
    """What the run was started with."""
    return runtime.flow_run.parameters or {}


_PLAIN_NAMES = {"approve": "decide open conflicts", "prune": "prune the history"}


def name_of_run() -> str:
    """Run name from the parameters: ``sync customer: zoho ⇄ kingdee (incremental)``. Never raises."""
    kind = runtime.flow_run.flow_name or "sync"
    given = given_parameters()
    if plan_id := given.get("plan_id"):
        return f"{kind} plan {plan_id}"
    if kind in _PLAIN_NAMES:
        return _PLAIN_NAMES[kind]
    some = (given.get("entities") or [], given.get("systems") or [])
    scope = Scope(*some, bool(given.get("full")), str(given.get("partition") or ""))
    try:
        from hub.project import open_project

        project = open_project(project_folder(str(given.get("project", ""))), connect=False)
        try:
            return name_of(facts_of(project), kind, scope)
        finally:
            project.close()
    except Exception as error:
        # Whatever is wrong with the project is told by the run itself; a name is no place to fail.
        log.debug("the run gets a plain name: %s", type(error).__name__)
        return f"{kind} {', '.join(scope.entities) or 'all'}"


@contextmanager
def failed() -> Iterator[list[State[None]]]:
    """Turns an error of the hub into the run's final state: the list then holds it."""
    ended: list[State[None]] = []
    try:
        yield ended
    except HubError as error:
        ended.append(Failed(message=str(error)))


def finish(work: Callable[[], Outcome]) -> State[None]:
    """Do ``work``, tell of it in artifacts and events, and end the run with a message that means something."""
    try:
        outcome = work()
    except HubError as error:
        outcome = Outcome(error=error)
    for artifact in outcome.artifacts:
        store(artifact)
    for event in outcome.events:
        emit_event(**event)
    if outcome.skipped:
        return Cancelled(message=f"skipped: {outcome.message}")
    return Failed(message=outcome.message) if outcome.failed else Completed(message=outcome.message)


def store(artifact: Artifact) -> None:
    """Store one artifact; a server that fails here costs the artifact, never the pass."""
    try:
        if isinstance(artifact.data, str):
            create_markdown_artifact(artifact.data, key=artifact.key, description=artifact.description)
        else:
            create_table_artifact(list(artifact.data), key=artifact.key, description=artifact.description)
    except Exception as error:
        log.warning("artifact %s was not stored: %s", artifact.key, type(error).__name__)
