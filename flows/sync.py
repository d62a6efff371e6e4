"""The flow that keeps systems in agreement: one pass over some entities."""

from __future__ import annotations

from prefect import flow, task
from prefect.client.schemas.objects import State

from hub.operate.passes import Outcome, Scope, run_sync
from hub.operate.prefect_run import PASS_TASK, finish, name_of_run, patient


@task(**PASS_TASK, retry_condition_fn=patient)
def one_pass(project: str, entities: list[str], systems: list[str], full: bool, yes: bool, partition: str) -> Outcome:
    """The whole pass: records and batches are the engine's business, not Prefect's."""
    return run_sync(project, Scope(entities, systems, full, partition), yes=yes)


@flow(name="sync", flow_run_name=name_of_run, persist_result=False, validate_parameters=True)
def sync(
    project: str,
    entities: list[str] | None = None,
    systems: list[str] | None = None,
    full: bool = False,
    yes: bool = False,
    partition: str = "",
) -> State[None]:
    """Carry what changed in each system to all others.

    Args:
        project: Folder of the project (the one with hub.yaml) on the worker.
        entities: Entities of this pass; none means all.
        systems: Observe only these systems; none means all.
        full: Read everything instead of what changed since the last pass.
        yes: Write what a first sync or the change budget would otherwise hold for approval.
        partition: One of the passes that work on these entities together, such as 2/4; none: the whole.
    """
    return finish(lambda: one_pass(project, entities or [], systems or [], full, yes, partition))
