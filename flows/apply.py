"""The flow that carries out a stored plan: running it is the approval."""

from __future__ import annotations

from prefect import flow, task
from prefect.client.schemas.objects import State

from hub.operate.passes import Outcome, Scope, run_pass
from hub.operate.prefect_run import PASS_TASK, finish, name_of_run, patient


@task(**PASS_TASK, retry_condition_fn=patient)
def one_apply(project: str, plan_id: str) -> Outcome:
    """Exactly the writes of the plan; refused, naming the record, if anything moved since."""
    return run_pass(project, "apply", Scope(), lambda engine: engine.apply(plan_id))


@flow(name="apply", flow_run_name=name_of_run, persist_result=False, validate_parameters=True)
def apply(project: str, plan_id: str) -> State[None]:
    """Carry out exactly the plan with this id.

    Args:
        project: Folder of the project (the one with hub.yaml) on the worker.
        plan_id: Id of a stored plan: the runs of plan, and passes that were held, end with it.
    """
    return finish(lambda: one_apply(project, plan_id))
