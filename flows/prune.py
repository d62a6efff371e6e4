"""The flow that keeps the hub's own database to a size."""

from __future__ import annotations

from prefect import flow, task
from prefect.client.schemas.objects import State

from hub.operate.passes import Outcome, run_prune
from hub.operate.prefect_run import PASS_TASK, finish, name_of_run, patient


@task(**PASS_TASK, retry_condition_fn=patient)
def one_prune(project: str) -> Outcome:
    """In small steps, while passes may run."""
    return run_prune(project)


@flow(name="prune", flow_run_name=name_of_run, persist_result=False, validate_parameters=True)
def prune(project: str) -> State[None]:
    """Take away history that is older than what hub.yaml keeps (its retention section).

    Args:
        project: Folder of the project (the one with hub.yaml) on the worker.
    """
    return finish(lambda: one_prune(project))
