"""The flow that shows what a sync would write, and writes nothing."""

from __future__ import annotations

from prefect import flow, task
from prefect.client.schemas.objects import State

from hub.operate.passes import Outcome, Scope, run_pass
from hub.operate.prefect_run import PASS_TASK, finish, name_of_run, patient


@task(**PASS_TASK, retry_condition_fn=patient)
def one_plan(project: str, entities: list[str], systems: list[str]) -> Outcome:
    """Observe and plan; the plan is kept in the hub's database under its id."""
    return run_pass(
        project, "plan", Scope(entities, systems), lambda engine: engine.plan(entities or None, systems or None)
    )


@flow(name="plan", flow_run_name=name_of_run, persist_result=False, validate_parameters=True)
def plan(project: str, entities: list[str] | None = None, systems: list[str] | None = None) -> State[None]:
    """Compute what a sync would write, per field old → new.

    Args:
        project: Folder of the project (the one with hub.yaml) on the worker.
        entities: Entities of this pass; none means all.
        systems: Observe only these systems; none means all.
    """
    return finish(lambda: one_plan(project, entities or [], systems or []))
