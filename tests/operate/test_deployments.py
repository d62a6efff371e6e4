"""What a project gets on a Prefect server: deployments, schedules, forms, automations. No server needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

from hub.errors import ConfigurationError
from hub.operate import automations
from hub.operate.deployments import HEARTBEAT, PARAMETERS, Wanted, parameter_schema, wanted
from hub.operate.facts import Facts, project_folder
from hub.project.schedule import DEFAULT, Notify, Schedule, Schedules

FACTS = Facts(
    "acme",
    Path("/srv/acme"),
    {"customer": {"zoho": "both", "kingdee": "both", "finance": "out"}, "order": {"zoho": "both", "kingdee": "both"}},
    {
        "customer": DEFAULT,
        "order": (
            Schedule(every="5m"),
            Schedule(every="1h", systems=("kingdee",)),
            Schedule(cron="30 2 * * *", full=True),
        ),
    },
    "Asia/Shanghai",
)


def by_name(facts: Facts = FACTS) -> dict[str, Wanted]:
    return {d.full_name: d for d in wanted(facts, "hub")}


def test_every_entity_has_a_deployment_and_complete_listings_one_of_their_own() -> None:
    assert list(by_name()) == [
        "sync/acme-customer", "sync/acme-order", "sync/acme-order-full", "sync/acme-everything",
        "plan/acme-plan", "apply/acme-apply", "approve/acme-approve", "prune/acme-prune",
    ]  # fmt: skip


def test_a_run_that_comes_too_early_is_dropped_but_a_complete_listing_waits() -> None:
    found = by_name()
    often, full = found["sync/acme-order"].body, found["sync/acme-order-full"].body
    assert (often["concurrency_limit"], full["concurrency_limit"]) == (1, 1)
    assert often["concurrency_options"] == {"collision_strategy": "CANCEL_NEW"}
    assert full["concurrency_options"] == {"collision_strategy": "ENQUEUE"}
    assert full["parameters"] == {"project": "/srv/acme", "entities": ["order"], "full": True}


def test_an_entity_whose_work_is_divided_has_a_deployment_for_each_part_all_at_the_same_times() -> None:
    found = by_name(replace(FACTS, partitions={"order": 2, "customer": 1}))
    assert [name for name in found if name.startswith("sync/")] == [
        "sync/acme-customer", "sync/acme-order-1-of-2", "sync/acme-order-1-of-2-full", "sync/acme-order-2-of-2",
        "sync/acme-order-2-of-2-full", "sync/acme-everything",
    ]  # fmt: skip
    one, other = (found[f"sync/acme-order-{n}-of-2"].body for n in (1, 2))
    assert other["parameters"] == {"project": "/srv/acme", "entities": ["order"], "partition": "2/2"}
    assert one["schedules"] == other["schedules"] == by_name()["sync/acme-order"].body["schedules"]
    assert one["concurrency_limit"] == 1, "each part by itself: the parts run beside each other"
    assert found["sync/acme-order-2-of-2-full"].body["parameters"]["full"] is True


def test_schedules_carry_their_systems_and_the_projects_time_zone() -> None:
    found = by_name()
    first, second = found["sync/acme-order"].body["schedules"]
    assert first["schedule"]["interval"] == 300
    assert (first["parameters"], second["parameters"]) == ({}, {"systems": ["kingdee"]})
    (night,) = found["sync/acme-order-full"].body["schedules"]
    assert night["schedule"] == {"cron": "30 2 * * *", "timezone": "Asia/Shanghai", "day_or": True}


def test_entities_with_the_same_rhythm_start_apart() -> None:
    schedules = dict.fromkeys(FACTS.entities, DEFAULT)
    found = by_name(replace(FACTS, schedules=schedules))
    anchors = [found[f"sync/acme-{e}"].body["schedules"][0]["schedule"]["anchor_date"] for e in FACTS.entities]
    assert anchors == ["2020-01-01T00:00:00+00:00", "2020-01-01T00:00:20+00:00"]


def test_without_a_schedule_a_deployment_runs_by_hand() -> None:
    found = by_name(replace(FACTS, schedules={}))
    assert found["sync/acme-customer"].body["schedules"] == []
    assert "by hand" in found["sync/acme-customer"].body["description"]


def test_the_same_wishes_have_the_same_fingerprint_and_others_another() -> None:
    versions = {name: d.body["version"] for name, d in by_name().items()}
    assert versions == {name: d.body["version"] for name, d in by_name().items()}
    changed = by_name(replace(FACTS, schedules={**FACTS.schedules, "customer": (Schedule(every="20m"),)}))
    differing = {name for name, d in changed.items() if d.body["version"] != versions[name]}
    assert differing == {"sync/acme-customer"}


@pytest.mark.parametrize(
    ("parameters", "valid"),
    [
        ({"project": "/srv/acme", "entities": ["customer"], "systems": ["zoho"], "full": True}, True),
        ({"project": "/srv/acme", "entities": ["custmer"]}, False),
        ({"project": "/srv/acme", "systems": ["sap"]}, False),
        ({"entities": ["customer"]}, False),
    ],
)
def test_the_run_form_knows_the_projects_own_names(parameters: dict[str, object], valid: bool) -> None:
    validator = jsonschema.Draft202012Validator(parameter_schema("sync", FACTS))
    assert validator.is_valid(parameters) is valid


def test_the_history_is_pruned_every_night_unless_it_is_kept_for_ever() -> None:
    assert by_name()["prune/acme-prune"].body["schedules"] == []
    body = by_name(replace(FACTS, prune_at="40 3 * * *"))["prune/acme-prune"].body
    (night,) = body["schedules"]
    assert night["schedule"] == {"cron": "40 3 * * *", "timezone": "Asia/Shanghai", "day_or": True}
    assert body["concurrency_options"] == {"collision_strategy": "CANCEL_NEW"}


def test_apply_needs_a_plan_and_approve_does_not() -> None:
    assert parameter_schema("apply", FACTS)["required"] == ["project", "plan_id"]
    assert parameter_schema("approve", FACTS)["required"] == ["project"]
    assert set(PARAMETERS) == {"sync", "plan", "apply", "approve", "prune"}


def test_silence_is_three_heartbeats_and_only_of_the_hubs_own_runs() -> None:
    trigger = automations.zombies()["trigger"]
    assert trigger["within"] == 3 * HEARTBEAT == 90
    assert trigger["match_related"]["prefect.resource.id"] == "prefect.tag.hub"
    assert "prefect.flow-run.Suspended" in trigger["expect"]


def test_failures_are_told_to_the_webhook_or_else_to_the_event_feed() -> None:
    assert automations.failures("acme", None)["actions"] == [{"type": "do-nothing"}]
    told = automations.failures("acme", "block-1")["actions"][0]
    assert (told["type"], told["block_document_id"]) == ("send-notification", "block-1")
    assert automations.failures("acme", None)["name"] == automations.failures("acme", "b")["name"]
    assert automations.failures("acme", None)["description"] != automations.failures("acme", "b")["description"]


@pytest.mark.parametrize("shape", ["json", "slack", "wecom", "dingtalk", "feishu"])
def test_the_webhooks_address_is_only_in_the_blocks_secrets(shape: str) -> None:
    notify = Notify.model_validate({"webhook": "https://example.com/robot?key=s3cret", "format": shape})
    name, data = automations.block("acme", notify)
    assert name == "hub-acme-notify"
    assert data.pop("secrets") == {"address": "https://example.com/robot?key=s3cret"}
    assert "s3cret" not in str(data)
    assert "{{body}}" in str(data["json_data"])


def test_another_address_makes_another_mark() -> None:
    one = automations.block("acme", Notify(webhook="https://example.com/1"))[1]["name"]
    other = automations.block("acme", Notify(webhook="https://example.com/2"))[1]["name"]
    assert one != other


@pytest.mark.parametrize(
    ("written", "schedules"),
    [
        ("15m", (Schedule(every="15m"),)),
        ("off", ()),
        (False, ()),
        ({"cron": "*/5  8-20 * * 1-5"}, (Schedule(cron="*/5 8-20 * * 1-5"),)),
        (["1h", {"every": "1d", "full": True}], (Schedule(every="1h"), Schedule(every="1d", full=True))),
    ],
)
def test_a_schedule_is_written_shortly_or_in_full(written: object, schedules: tuple[Schedule, ...]) -> None:
    assert TypeAdapter(Schedules).validate_python(written) == schedules


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("15", "is not an interval"),
        ("5s", "too short"),
        ({"cron": "* * *"}, "five fields"),
        ({"every": "5m", "cron": "* * * * *"}, "either every or cron"),
        ({}, "either every or cron"),
        ({"every": "5m", "timezone": "Asia/Shanghai"}, "timezone belongs to cron"),
        ({"cron": "0 2 * * *", "timezone": "Mars/Olympus"}, "not a time zone"),
        ({"evry": "5m"}, "evry"),
    ],
)
def test_a_wrong_schedule_is_explained(written: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TypeAdapter(Schedules).validate_python(written)


def test_intervals_are_seconds_for_prefect_and_words_for_people() -> None:
    assert [Schedule(every=e).seconds for e in ("30s", "15m", "2h", "1d")] == [30, 900, 7200, 86400]
    assert Schedule(cron="0 2 * * *").seconds is None
    assert str(Schedule(every="1h", systems=("shop",), full=True)) == "every 1h from shop (full)"


def test_a_webhook_never_shows_in_messages() -> None:
    with pytest.raises(ValidationError) as wrong:
        Notify.model_validate({"webhook": "ftp://user:s3cret@example.com"})
    assert "s3cret" not in str(wrong.value)
    assert "s3cret" not in repr(Notify(webhook="https://example.com/s3cret"))


def test_a_worker_finds_the_project_where_it_lies_on_its_own_machine(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").touch()
    assert project_folder(str(tmp_path), {}) == tmp_path
    assert project_folder("/elsewhere", {"HUB_PROJECT": str(tmp_path)}) == tmp_path
    with pytest.raises(ConfigurationError, match="HUB_PROJECT"):
        project_folder("/elsewhere", {})
