"""A pass in words: what a run's name and its last line say."""

from __future__ import annotations

import pytest
from operate.reports import failure, finding, held, plan, report, write

from hub.operate.words import MESSAGE_CAP, counted, final_message, joined, route, run_name, tags
from hub.sync.report import Counts


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (1, "conflict", "1 conflict"),
        (2, "conflict", "2 conflicts"),
        (3, "company", "3 companies"),
        (2, "survey", "2 surveys"),
        (2, "address", "2 addresses"),
        (1200, "customer", "1,200 customers"),
        (2, "客户", "2 客户"),
        (0, "write", "0 writes"),
    ],
)
def test_numbers_go_with_their_nouns(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_as_people_do(words: list[str], text: str) -> None:
    assert joined(words) == text


def test_the_message_says_what_was_written_and_what_waits() -> None:
    counts = Counts("kingdee", "customer", updated=12, conflicts=1)
    assert final_message(report(counts)) == "12 customers written, 1 conflict"


def test_created_updated_deleted_and_archived_are_all_writes() -> None:
    counts = Counts("kingdee", "order", created=1, updated=2, deleted=3, archived=4)
    assert final_message(report(counts)) == "10 orders written"


def test_a_customer_written_in_two_systems_is_one_customer() -> None:
    counts = [Counts("kingdee", "customer", updated=1), Counts("finance", "customer", updated=1)]
    planned = plan(write(1), write(1, "finance"))
    assert final_message(report(*counts, plan=planned)) == "1 customer written (2 writes in 2 systems)"


def test_records_are_not_guessed_when_planned_and_written_differ() -> None:
    counts = [Counts("kingdee", "customer", updated=1), Counts("finance", "customer", updated=1)]
    planned = plan(write(1), write(1, "finance"), write(2))
    assert final_message(report(*counts, plan=planned)) == "2 customer records written in 2 systems"


def test_a_quiet_pass_says_how_much_it_looked_at() -> None:
    assert final_message(report(Counts("zoho", "customer", seen=500))) == "no changes in 500 records"
    assert final_message(report()) == "no changes"
    changed = Counts("zoho", "customer", seen=5, changed=2)
    assert final_message(report(changed)) == "2 changed records, nothing to write"


def test_a_failed_system_comes_first_with_its_reason() -> None:
    message = final_message(
        report(Counts("zoho", "customer", updated=2), failures=[failure(), failure()], state="failed")
    )
    assert message == "kingdee could not take part: connection refused, 2 customers written"


def test_a_failed_pass_without_a_failed_system_gives_the_engines_reason() -> None:
    assert final_message(report(state="failed", message="the store is full")) == "the store is full"


def test_a_plan_says_that_nothing_was_written() -> None:
    assert final_message(report(kind="plan", plan=plan(write(1), write(2)))) == "2 writes planned, nothing written"


def test_what_waits_is_counted() -> None:
    counts = Counts("kingdee", "order", conflicts=1, letters=2, refused=1, waiting=3)
    expected = "1 conflict, 2 dead letters, 1 refused edit, 1 finding, 3 waiting for what they refer to"
    assert final_message(report(counts, findings=[finding()])) == expected


@pytest.mark.parametrize(("reason", "why"), [("first_sync", "first sync"), ("budget", "change budget")])
def test_held_writes_say_what_approval_they_wait_for(reason: str, why: str) -> None:
    planned = plan(held=[held(reason, 1), held(reason, 2), held("reference", 3)])
    assert final_message(report(plan=planned, state="needs_person")) == f"2 writes held for approval ({why})"


def test_a_pass_that_only_found_old_work_says_so() -> None:
    assert final_message(report(state="needs_person", open_conflicts=2)) == "2 open conflicts"


def test_a_message_is_one_line_and_not_endless() -> None:
    message = final_message(report(failures=[failure(message="first\nsecond " * 100)]))
    assert len(message) == MESSAGE_CAP
    assert message.endswith("…")
    assert "\n" not in message


def test_a_run_is_named_by_what_it_does() -> None:
    ways = {"zoho": "both", "kingdee": "both"}
    assert run_name("sync", {"customer": ways}) == "sync customer: zoho ⇄ kingdee (incremental)"
    assert run_name("sync", {"customer": ways}, full=True) == "sync customer: zoho ⇄ kingdee (full)"
    assert run_name("sync", {"customer": ways}, systems=["zoho"]) == "sync customer: from zoho (incremental)"
    assert run_name("plan", {"customer": ways, "order": ways}) == "plan customer, order: zoho ⇄ kingdee"


def test_many_entities_are_counted_in_a_name() -> None:
    ways = {"zoho": "both"}
    assert run_name("sync", dict.fromkeys("abcd", ways)) == "sync 4 entities: zoho (incremental)"


def test_a_system_written_for_one_entity_and_read_for_another_takes_part_both_ways() -> None:
    name = run_name("plan", {"customer": {"zoho": "both", "erp": "in"}, "order": {"zoho": "both", "erp": "out"}})
    assert name == "plan customer, order: zoho ⇄ erp"


def test_directions_are_shown_as_arrows() -> None:
    assert route({"legacy": "in", "zoho": "both", "kingdee": "both", "db": "out"}) == "legacy → zoho ⇄ kingdee → db"
    assert route({"zoho": "both", "kingdee": "both"}, ["zoho", "kingdee"]) == "from zoho and kingdee"


def test_tags_say_project_entity_and_systems() -> None:
    assert tags("acme", ["customer"], ["zoho"]) == ["hub", "project:acme", "entity:customer", "system:zoho"]
