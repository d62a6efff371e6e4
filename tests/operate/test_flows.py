"""The flow files themselves: thin, in step with their forms, and ending in states that say what happened."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub.connect.bundled import bundled_dir
from hub.errors import ConfigurationError, Unavailable
from hub.operate.decisions import LEAVE, questions
from hub.operate.deployments import PARAMETERS, parameter_schema
from hub.operate.desk import Desk
from hub.operate.facts import Facts
from hub.operate.passes import Outcome
from hub.operate.prefect_steps import use_flows
from hub.sync.report import Counts, PassReport

pytestmark = pytest.mark.prefect

FACTS = Facts("acme", Path("/srv/acme"), {"customer": {"zoho": "both", "erp": "both"}})
BUSY = Unavailable("another pass is at work on customer until noon at the latest")


def load(name: str) -> ModuleType:
    path = bundled_dir("flows") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"bundled_flow_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_flow_takes_what_its_form_offers(name: str) -> None:
    flow = getattr(load(name), name)
    signature = inspect.signature(flow.fn)
    assert tuple(signature.parameters) == PARAMETERS[name]
    schema = parameter_schema(name, FACTS)
    for parameter in signature.parameters.values():
        form = schema["properties"][parameter.name]
        assert (parameter.default is inspect.Parameter.empty) is (parameter.name in schema["required"])
        if "default" in form:
            assert form["default"] == ([] if parameter.default is None else parameter.default)
        assert form["description"] in " ".join((flow.description or "").split())


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_flow_file_is_one_flow_and_its_task(name: str) -> None:
    from prefect import Flow, Task

    module = load(name)
    flows = [v for v in vars(module).values() if isinstance(v, Flow)]
    tasks: list[Any] = [v for v in vars(module).values() if isinstance(v, Task)]
    assert [f.name for f in flows] == [name]
    assert [(t.name, t.persist_result, t.retries) for t in tasks] == [("pass", False, 3)]


def ended(*counts: Counts, **more: Any) -> Outcome:
    return Outcome(report=PassReport("r", "sync", "", counts=list(counts), **more))


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (ended(Counts("a", "order", created=2)), "COMPLETED", "2 orders written"),
        (ended(state="needs_person", open_conflicts=1), "COMPLETED", "1 open conflict"),
        (ended(state="failed", message="the store is full"), "FAILED", "the store is full"),
        (Outcome(error=ConfigurationError("no such plan", cure="make one")), "FAILED", "no such plan → make one"),
        (Outcome(error=BUSY), "CANCELLED", f"skipped: {BUSY}"),
    ],
)
def test_a_run_ends_with_words_that_mean_something(outcome: Outcome, kind: str, message: str) -> None:
    from hub.operate.prefect_run import finish

    state = finish(lambda: outcome)
    assert (state.type.value, state.message) == (kind, message)


def test_an_error_that_outlasts_the_retries_ends_the_run_with_its_words() -> None:
    from hub.operate.prefect_run import finish

    def work() -> Outcome:
        raise Unavailable("the store does not answer", where="store")

    state = finish(work)
    assert (state.type.value, state.message) == ("FAILED", "store: the store does not answer")


@pytest.mark.parametrize(
    ("error", "full", "again"),
    [
        (Unavailable("down"), False, True),
        (ConfigurationError("wrong"), False, False),
        (ZeroDivisionError(), False, False),
        (BUSY, False, False),
        (BUSY, True, True),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, full: bool, again: bool
) -> None:
    from prefect.states import Failed

    from hub.operate import prefect_run

    monkeypatch.setattr(prefect_run, "given_parameters", lambda: {"full": full})
    assert prefect_run.patient(None, None, Failed(data=error)) is again


def test_a_form_asks_in_the_values_own_words_and_about_a_plan_only_if_there_is_one() -> None:
    approve = load("approve")
    conflict = {
        "id": 7, "entity": "customer", "title": "张三", "hub_id": "h", "path": "phone", "system": "zoho",
        "theirs": "1", "ours": "2", "ours_from": "erp",
    }  # fmt: skip
    asked = questions([conflict])
    schema = approve.form(Desk("p1", asked, "")).model_json_schema()
    assert schema["properties"]["conflict_7"]["enum"] == [LEAVE, "zoho: 1", "erp: 2"]
    assert schema["properties"]["conflict_7"]["title"] == "customer 张三, phone"
    assert schema["properties"]["apply"]["default"] is False
    assert "apply" not in approve.form(Desk("", asked, "")).model_json_schema()["properties"]


def test_a_projects_own_flow_wins_over_the_bundled_one(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").touch()
    assert use_flows(str(tmp_path), "sync.py") == {"directory": str(bundled_dir("flows"))}
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "sync.py").touch()
    assert use_flows(str(tmp_path), "sync.py") == {"directory": str(tmp_path / "flows")}
    assert use_flows(str(tmp_path), "plan.py") == {"directory": str(bundled_dir("flows"))}
