"""The flow that asks a person on a form: apply this plan? whose value holds?"""

from __future__ import annotations

from typing import Any, Literal

from prefect import flow, pause_flow_run, task
from prefect.client.schemas.objects import State
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field, create_model

from hub.operate.desk import Desk, carry_out, desk
from hub.operate.passes import Outcome
from hub.operate.prefect_run import PASS_TASK, failed, finish, name_of_run, patient


def form(on: Desk) -> type[RunInput]:
    """A form with a switch for the plan and, for each conflict, a choice between its values in their own words."""
    fields: dict[str, Any] = {}
    if on.plan_id:
        fields["apply"] = (bool, Field(False, title="Apply the plan?"))
    for question in on.questions:
        choice: Any = Literal.__getitem__(question.choices)  # type: ignore[attr-defined]
        fields[question.name] = (choice, Field(question.choices[0], title=question.title))
    return create_model("Decisions", __base__=RunInput, **fields)


@task(**PASS_TASK, retry_condition_fn=patient)
def carry_out_decisions(project: str, plan_id: str, answers: dict[int, dict[str, Any]]) -> Outcome:
    """The plan first, then the conflicts."""
    return carry_out(project, plan_id, answers)


@flow(name="approve", flow_run_name=name_of_run, persist_result=False, validate_parameters=True)
def approve(project: str, plan_id: str = "", minutes: int = 60) -> State[None]:
    """Ask on a form whether to apply a plan, and whose value holds in open conflicts.

    Args:
        project: Folder of the project (the one with hub.yaml) on the worker.
        plan_id: Id of a stored plan: the runs of plan, and passes that were held, end with it.
        minutes: How long the form waits for an answer.
    """
    with failed() as ended:
        on = desk(project, plan_id)
    if ended:
        return ended[0]
    if on.empty:
        return Completed(message="nothing waits for a decision")
    answer = pause_flow_run(
        wait_for_input=form(on).with_initial_data(description=on.text), timeout=minutes * 60, poll_interval=3
    )
    chosen = {q.conflict: q.answers.get(getattr(answer, q.name)) for q in on.questions}
    answers = {conflict: dict(arguments) for conflict, arguments in chosen.items() if arguments}
    apply = on.plan_id if getattr(answer, "apply", False) else ""
    if not apply and not answers:
        return Completed(message="left as it was")
    return finish(lambda: carry_out_decisions(project, apply, answers))
