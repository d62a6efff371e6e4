"""A pass from a project's folder to its messages, artifacts, questions and decisions, on two real databases."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from operate import twin_databases as twins

from hub.errors import ConfigurationError, RateLimited, Unavailable
from hub.operate.decisions import LEAVE, MOST, candidates, questions
from hub.operate.desk import carry_out, desk
from hub.operate.facts import facts_of
from hub.operate.logs import LogObserver, line
from hub.operate.passes import Outcome, Scope, engine_of, is_busy, name_of, run_pass, run_sync, told, worth_another_try
from hub.project import open_project
from hub.store import runs
from hub.store.database import open_store
from hub.sync.report import Event, PassReport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return twins.build(tmp_path / "twins")


def sync(folder: Path, *, yes: bool = True) -> Outcome:
    return run_pass(str(folder), "sync", Scope(), lambda engine: engine.sync(yes=yes))


def plan(folder: Path) -> str:
    outcome = run_pass(str(folder), "plan", Scope(), lambda engine: engine.plan())
    assert outcome.report is not None
    assert outcome.report.plan is not None
    return outcome.report.plan.id


def conflict(folder: Path) -> None:
    sync(folder)
    twins.execute(folder, "crm", "UPDATE customers SET phone = '+86 755 1111 1111' WHERE number = 'C001'")
    twins.execute(folder, "erp", "UPDATE customers SET phone = '+86 755 2222 2222' WHERE number = 'C001'")
    assert "1 conflict" in sync(folder).message


def test_a_pass_writes_and_says_so(folder: Path) -> None:
    outcome = sync(folder)
    assert (outcome.message, outcome.failed, outcome.skipped) == ("12 customers written", False, False)
    assert twins.contents(folder, "erp").keys() == twins.contents(folder, "crm").keys()
    assert [a.key for a in outcome.artifacts][:3] == ["twins-all-report", "twins-all-summary", "twins-all-plan"]
    assert outcome.events[0]["payload"]["message"] == "12 customers written"
    assert sync(folder).message.startswith("no changes")


def test_what_a_person_must_cure_ends_the_run_without_a_retry(folder: Path) -> None:
    outcome = run_pass(str(folder), "sync", Scope(["custmer"]), lambda engine: engine.sync(["custmer"]))
    assert outcome.failed
    assert "custmer" in outcome.message
    assert run_pass(str(folder / "nowhere"), "sync", Scope(), lambda engine: engine.sync()).failed


def test_what_passes_by_itself_is_raised_for_a_retry(folder: Path) -> None:
    def store_down(engine: object) -> PassReport:
        raise Unavailable("the store does not answer")

    with pytest.raises(Unavailable):
        run_pass(str(folder), "sync", Scope(), store_down)


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    assert worth_another_try(Unavailable("down"))
    assert worth_another_try(RateLimited("slow down", wait=5))
    assert not worth_another_try(ConfigurationError("wrong"))
    assert not worth_another_try(ZeroDivisionError())


def test_a_pass_that_meets_another_one_is_skipped_not_failed(folder: Path) -> None:
    sync(folder)
    with open_project(folder) as project:
        store = open_store(project.store_url)
    with store.begin() as connection:
        runs.take_lease(connection, "entity:customer", "another", datetime.now(UTC), 1e6)
    store.close()
    with pytest.raises(Unavailable) as busy:
        sync(folder)
    assert is_busy(busy.value)
    assert Outcome(error=busy.value).skipped
    assert not Outcome(error=Unavailable("the store does not answer")).skipped


def test_the_parts_of_a_divided_pass_do_together_what_one_does(folder: Path) -> None:
    with (folder / "hub.yaml").open("a", encoding="utf-8") as file:
        file.write("    partitions: 2\n")
    for part in ("1/2", "2/2"):
        outcome = run_sync(str(folder), Scope(["customer"], partition=part), yes=True)
        assert not outcome.failed
        assert {artifact.key for artifact in outcome.artifacts} >= {f"twins-customer-{part[0]}-of-2-summary"}
    assert twins.contents(folder, "erp").keys() == twins.contents(folder, "crm").keys()


def test_a_run_has_the_name_of_what_it_covers(folder: Path) -> None:
    with open_project(folder, connect=False) as project:
        facts = facts_of(project)
    assert name_of(facts, "sync", Scope()) == "sync customer: crm ⇄ erp (incremental)"
    assert name_of(facts, "plan", Scope(systems=["crm"])) == "plan customer: from crm"
    assert [str(s) for s in facts.schedules["customer"]] == ["every 6h", "cron 30 2 * * * (full)"]


def test_names_that_prefect_refuses_are_made_to_fit(tmp_path: Path) -> None:
    folder = twins.build(tmp_path / "p", name="R&D/华东")
    with open_project(folder, connect=False) as project:
        assert facts_of(project).name == "R-D-华东"


def test_only_conflicts_of_the_passs_entities_are_told(folder: Path) -> None:
    with open_project(folder, connect=False) as project:
        facts = facts_of(project)
    rows = [{"id": 1, "entity": "customer", "path": "name"}, {"id": 2, "entity": "order", "path": "name"}]
    outcome = told(PassReport("r", "sync", ""), facts, "sync", Scope(["customer"]), conflicts=rows, letters=[])
    table = next(a for a in outcome.artifacts if a.key == "twins-customer-conflicts")
    assert [row["id"] for row in table.data if isinstance(row, dict)] == ["1"]


def test_a_conflict_is_asked_in_the_values_own_words(folder: Path) -> None:
    conflict(folder)
    (question,) = desk(str(folder)).questions
    assert question.title == "customer 上海市第1贸易有限公司, phone"
    assert set(question.choices) == {LEAVE, "erp: +8675522222222", "crm: +8675511111111"}


def test_a_decision_reaches_both_systems_with_the_next_pass(folder: Path) -> None:
    conflict(folder)
    (question,) = desk(str(folder)).questions
    outcome = carry_out(str(folder), "", {question.conflict: question.answers["erp: +8675522222222"]})
    assert outcome.message == "1 conflict decided (the next pass writes what follows from it)"
    sync(folder)
    assert twins.contents(folder, "crm")["C001"][1] == "+8675522222222"
    assert desk(str(folder)).empty


def test_an_approved_plan_is_written_and_then_closed(folder: Path) -> None:
    plan_id = plan(folder)
    assert twins.contents(folder, "erp") == {}
    on = desk(str(folder), plan_id)
    assert "12 writes" in on.text
    outcome = carry_out(str(folder), plan_id, {})
    assert outcome.message == "12 customers written"
    assert len(twins.contents(folder, "erp")) == 12
    with pytest.raises(ConfigurationError, match="applied"):
        desk(str(folder), plan_id)


def test_a_plan_that_rests_on_something_else_is_refused_naming_the_record(folder: Path) -> None:
    plan_id = plan(folder)
    twins.execute(folder, "crm", "UPDATE customers SET name = '改名' WHERE number = 'C003'")
    outcome = carry_out(str(folder), plan_id, {})
    assert outcome.failed
    assert "第3贸易有限公司" in outcome.message
    assert twins.contents(folder, "erp") == {}


def test_plan_and_conflict_are_decided_together(folder: Path) -> None:
    conflict(folder)
    twins.execute(folder, "crm", "UPDATE customers SET name = '改名' WHERE number = 'C003'")
    plan_id = plan(folder)
    (question,) = desk(str(folder), plan_id).questions
    outcome = carry_out(str(folder), plan_id, {question.conflict: {"take": "ours"}})
    assert outcome.message.startswith("1 customer written; 1 conflict decided")


def test_an_unknown_plan_is_a_mistake_of_the_person(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no open plan"):
        desk(str(folder), "nonsense")


def row(number: int, **more: object) -> dict[str, object]:
    values = {"id": number, "entity": "customer", "hub_id": f"h{number}", "title": f"客户{number}", "path": "phone"}
    return {**values, "system": "zoho", "theirs": "1", "ours": "2", "ours_from": "kingdee", **more}


def test_a_form_has_few_questions() -> None:
    assert len(questions([row(n) for n in range(50)])) == MOST


def test_values_too_long_to_tell_apart_are_still_two_answers() -> None:
    (question,) = questions([row(1, theirs="x" * 200, ours="x" * 200, ours_from="zoho")])
    assert len(set(question.choices)) == 3
    assert sorted(a["take"] for a in question.answers.values()) == ["ours", "theirs"]


def test_a_doubtful_match_offers_each_candidate_or_a_new_record() -> None:
    doubtful = row(4, path="match", hub_id="?zoho:77", ours=["h1", "h2"])
    assert candidates([doubtful]) == {"h1", "h2"}
    (question,) = questions([doubtful], {"h1": "深圳一号", "h2": "深圳二号"})
    assert question.answers == {
        "it is 深圳一号 (h1)": {"link": "h1"},
        "it is 深圳二号 (h2)": {"link": "h2"},
        "it is a new customer": {"new": True},
    }


def test_log_lines_tell_of_pages_and_batches_not_of_silence() -> None:
    page = {"system": "zoho", "entity": "customer", "resource": "Accounts", "seen": 200, "changed": 3}
    assert line(Event("page.observed", "r", page)) == (logging.INFO, "zoho customer: 200 records seen, 3 changed")
    assert line(Event("page.observed", "r", {**page, "seen": 0, "changed": 0}))[1] == ""
    letter = {"system": "erp", "entity": "order", "record": "SO-1", "field": "", "message": "too\nlong"}
    assert line(Event("letter.written", "r", letter)) == (logging.WARNING, "dead letter: erp order SO-1 : too long")
    assert line(Event("something.new", "r", {})) == (logging.DEBUG, "")


def test_an_event_with_less_data_than_expected_is_still_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hub.pass"):
        LogObserver()(Event("batch.written", "r", {}))
    assert caplog.messages == ["batch.written"]


def test_the_engine_of_a_project_is_closed_after_use(folder: Path) -> None:
    with engine_of(str(folder), LogObserver()) as (engine, facts):
        assert facts.entities == {"customer": {"crm": "both", "erp": "both"}}
        assert engine.status()
