"""Opening a project: from its files to what the engine works on."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigurationError
from hub.project import Project, find_project, open_project
from hub.project.schedule import DEFAULT, Schedule
from hub.sync.policy import Budget

HubYaml = Callable[[str], Path]

GOOD = """
version: 1
timezone: Asia/Shanghai
schedule: 5m
systems:
  crm: {connector: memo, token: "${CRM_TOKEN}"}
  erp: {connector: memo, token: "a-${ERP_TOKEN}-z", mappings: {People: {fields: {vip_level: limit, name: null}}}}
entities:
  customer:
    systems: {crm: both, erp: out}
    authority: {credit_limit: crm}
    conflict: [erp, crm]
    field_conflict: {phone: hold}
    deletes: ignore
    budget: {floor: 5, share: 25%}
    create: {erp: false}
    schedule: {cron: "0 2 * * *", full: true}
model:
  fields: {customer: {vip_level: {type: integer}}}
"""
SECRETS = {"CRM_TOKEN": "s3cret-crm", "ERP_TOKEN": "s3cret-erp"}


def opened(folder: Path, **options: Any) -> Project:
    return open_project(folder, environment=SECRETS, **options)


def messages(project: Project) -> str:
    return "\n".join(str(problem) for problem in project.problems)


def test_a_right_project_becomes_the_engines_setup(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD)) as project:
        assert project.problems == []
        assert (project.name, project.timezone) == ("acme", "Asia/Shanghai")
        assert project.store_url == f"sqlite:///{project.folder}/.hub/hub.db"
        policy = project.setup.policies["customer"]
        assert policy.systems == {"crm": "both", "erp": "out"}
        assert policy.authority == {"credit_limit": "crm"}
        assert policy.conflict == ("erp", "crm")
        assert policy.field_conflict == {"phone": "hold"}
        assert policy.deletes == "ignore"
        assert policy.budget == Budget(5, 0.25)
        assert policy.create == {"erp": False}
        crm, erp = project.setup.of_entity("customer")
        assert (crm.system, crm.direction, crm.resource.name) == ("crm", "both", "People")
        assert set(crm.lens.fields) == {"number", "name"}
        assert set(erp.lens.fields) == {"number", "vip_level"}
        assert project.setup.specs["customer"].fields["vip_level"].type == "integer"
        assert erp.connector.settings["token"] == "a-s3cret-erp-z"
        assert project.schedules == {"customer": (Schedule(cron="0 2 * * *", full=True),)}


def test_nothing_shown_of_a_project_holds_a_secret(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD)) as project:
        assert "s3cret" not in repr(project)


def test_closing_closes_every_connector_even_after_a_bad_one(hub_yaml: HubYaml) -> None:
    project = opened(hub_yaml(GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", url: bad-close')))
    connectors = [system.connector for system in project.systems.values()]
    project.close()
    assert all(connector.closed for connector in connectors)  # type: ignore[union-attr]
    assert all(system.connector is None for system in project.systems.values())


def test_without_connecting_no_secret_is_needed_and_files_are_checked(hub_yaml: HubYaml) -> None:
    with open_project(hub_yaml(GOOD), connect=False, environment={}) as project:
        assert [endpoint.connector for endpoint in project.setup.endpoints] == [None, None]
        assert len(project.setup.policies) == 1


def test_missing_secrets_are_named_with_the_places_searched(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    with open_project(folder, strict=False, environment={"CRM_TOKEN": "x"}) as project:
        (problem,) = project.errors
        assert (problem.position.line, problem.position.column) == (6, 33)
        assert "the secret ERP_TOKEN is missing" in problem.message
        assert str(folder / ".env") in problem.message
        assert project.systems["crm"].connector is not None
        assert project.systems["erp"].connector is None


def test_a_strict_opening_tells_all_errors_at_once_and_closes_what_it_opened(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD.replace("phone: hold", "phne: hold").replace("erp: out", "erp: out, wms: in"))
    with pytest.raises(ConfigurationError) as caught:
        opened(folder)
    told = str(caught.value)
    assert "2 things are wrong" in told
    assert "unknown system 'wms'" in told
    assert "unknown field of customer 'phne' → did you mean 'phone'?" in told


def test_one_error_is_raised_as_itself(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD.replace('connector: memo, token: "a', 'connector: mem, token: "a'))
    with pytest.raises(ConfigurationError) as caught:
        opened(folder)
    assert caught.value.where == f"{folder}/hub.yaml:6:20"
    assert caught.value.what == "no connector 'mem'"
    assert caught.value.cure == "did you mean 'memo'?"


@pytest.mark.parametrize("text", ["version: [", "", "just text", "- a\n- b\n"])
def test_a_file_that_is_no_hub_yaml_is_said_so(hub_yaml: HubYaml, text: str) -> None:
    project = opened(hub_yaml(text), strict=False)
    assert project.errors
    assert project.setup.endpoints == []
    assert str(project.errors[0].position).startswith(f"{project.folder}/hub.yaml:")


# --- finding ---


def test_a_project_is_found_from_below(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    deep = folder / "mappings" / "memo"
    assert find_project(deep) == folder.resolve()


def test_no_project_is_said_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no hub\.yaml") as caught:
        find_project(tmp_path)
    assert "hub init" in str(caught.value.cure)


# --- mappings ---


def test_a_systems_own_mapping_wins_over_the_connectors(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    own = folder / "mappings/crm/people.yaml"
    own.parent.mkdir()
    own.write_text("version: 1\nresource: People\nentity: customer\nfields: {number: no}\n")
    with opened(folder) as project:
        assert project.mappings == {
            ("crm", "customer"): own,
            ("erp", "customer"): folder / "mappings/memo/People.yaml",
        }


def test_two_mappings_of_an_entity_need_a_choice(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    second = "version: 1\nresource: Firms\nentity: customer\nfields: {number: no}\n"
    (folder / "mappings/memo/Firms.yaml").write_text(second)
    with opened(folder, strict=False) as project:
        assert "crm has 2 mappings of customer: Firms, People" in project.errors[0].message
        assert "resource: Firms" in project.errors[0].cure
    chosen = GOOD.replace("{crm: both, erp: out}", "{crm: {direction: both, resource: Firms}, erp: out}")
    with opened(hub_yaml(chosen), strict=False) as project:
        assert project.mappings[("crm", "customer")].name == "Firms.yaml"
        assert len(project.errors) == 1


def test_a_missing_mapping_is_said_with_where_it_belongs(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD.replace("model:", "  product: {systems: {crm: in}}\nmodel:"))
    with opened(folder, strict=False) as project:
        (problem,) = project.errors
        assert "crm has no mapping of product; looked in" in problem.message
        assert "mappings/crm with 'entity: product'" in problem.cure
        assert "People → customer" in problem.cure


def test_heads_written_in_an_unusual_way_are_understood(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    file = folder / "mappings/memo/People.yaml"
    file.write_text('{version: 1, "resource": People, "entity": "customer", fields: {number: no, name: title}}')
    with opened(folder) as project:
        assert project.mappings[("crm", "customer")] == file


def test_an_override_of_a_mapping_that_is_not_in_use_is_an_error(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD.replace("mappings: {People:", "mappings: {Peple:")), strict=False) as project:
        assert "no mapping of 'Peple' is in use in erp" in messages(project)
        assert "did you mean 'People'?" in messages(project)


def test_mistakes_in_overrides_are_told_in_hub_yaml(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD.replace("vip_level: limit", "vip_level: lmit")), strict=False) as project:
        (problem,) = project.errors
        assert str(problem.position).startswith(f"{project.folder}/hub.yaml:6:")
        assert "lmit" in problem.message
        assert "limit" in problem.cure


def test_the_projects_own_functions_serve_its_mappings(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    (folder / "functions").mkdir()
    (folder / "functions" / "titles.py").write_text(
        "from hub.mapping import pair\n\n@pair('shout')\nclass Shout:\n"
        "    def get(self, value): return value.lower()\n    def put(self, value): return value.upper()\n"
    )
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text().replace("name: title", "name: {field: title, via: {python: shout}}"))
    with opened(folder) as project:
        crm = project.setup.of_entity("customer")[0]
        assert crm.lens.get({"no": "1", "title": "ABC"}).values == {"number": "1", "name": "abc"}


# --- what is known of resources ---


def forget_connectors() -> None:
    """As a new process would start."""
    for name in [name for name in sys.modules if name.startswith("hub_connectors.memo")]:
        del sys.modules[name]


def asked(project: Project, system: str = "crm") -> int:
    connector: Any = project.systems[system].connector
    return int(connector.asked)


def test_a_live_system_is_asked_once_for_all_openings(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    with opened(folder) as first:
        assert asked(first) == 1
    with opened(folder) as second:
        assert asked(second) == 0
        assert second.setup.endpoints[0].resource == first.setup.endpoints[0].resource
        second.systems["crm"].refresh("People")
        assert asked(second) == 1


def test_other_settings_are_another_account(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD)):
        pass
    changed = GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", url: "http://other"')
    with opened(hub_yaml(changed)) as project:
        assert asked(project) == 1


def test_a_field_only_the_live_system_has_can_be_mapped_even_without_connecting(hub_yaml: HubYaml) -> None:
    text = (
        GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", extra_field: Colour')
        .replace("systems: {crm: both, erp: out}", "systems: {crm: both}")
        .replace("create: {erp: false}", "")
        .replace("[erp, crm]", "newest")
    )
    folder = hub_yaml(text.replace("{People: {fields: {vip_level: limit, name: null}}}", "{}"))
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text() + "  owner: Colour\n")
    with opened(folder):
        pass
    with open_project(folder, connect=False) as project:
        assert "owner" in project.setup.endpoints[0].lens.fields


def test_a_field_added_to_the_system_later_is_found_when_it_is_mapped(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    with opened(folder):
        pass
    connector = folder / "connectors/memo/connector.py"
    grown = connector.read_text().replace("COMMON = (", 'COMMON = (Field("colour", "text"), ')
    connector.write_text(grown)
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text() + "  industry: colour\n")
    forget_connectors()
    with opened(folder) as project:
        assert asked(project) == 1
        assert "industry" in project.setup.endpoints[0].lens.fields


def test_a_mistake_in_a_mapping_does_not_stop_others_while_its_system_is_down(hub_yaml: HubYaml) -> None:
    text = GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", down: true')
    folder = hub_yaml(text)
    (folder / "connectors/memo/schemas").mkdir()
    (folder / "connectors/memo/schemas/People.json").write_text(
        '{"name": "People", "fields": [{"name": "no"}, {"name": "title"}, {"name": "limit", "type": "decimal"}]}'
    )
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text() + "  industry: colour\n")
    with opened(folder, strict=False) as project:
        crm, erp = ("crm", "erp")
        by_system = {e.system: e for e in project.setup.endpoints}
        assert "industry" in by_system[crm].lens.fields
        assert erp not in by_system
        assert sorted(p.severity for p in project.problems) == ["error", "warning"]
    with open_project(folder, connect=False, strict=False) as project:
        assert "has no field 'colour'" in messages(project)
        assert "let 'hub check crm' learn it" in messages(project)
        assert len(project.errors) == 2


def test_what_was_learnt_is_found_again_without_connecting(hub_yaml: HubYaml) -> None:
    text = GOOD.replace(
        'token: "${CRM_TOKEN}"', 'token: "${keyring:none/at-all}", url: "${CRM_URL}", extra_field: Colour'
    )
    folder = hub_yaml(text)
    mapping = folder / "mappings/crm/People.yaml"
    mapping.parent.mkdir()
    mapping.write_text((folder / "mappings/memo/People.yaml").read_text() + "  industry: Colour\n")
    known = {**SECRETS, "CRM_URL": "http://crm"}
    hub_yaml(text.replace("${keyring:none/at-all}", "${CRM_TOKEN}"))
    with open_project(folder, environment=known):
        pass
    hub_yaml(text)
    with open_project(folder, connect=False, environment=known) as project:
        assert project.systems["crm"].remembered("People") is not None
    with open_project(folder, connect=False, environment={**known, "CRM_URL": "http://other"}) as project:
        assert project.systems["crm"].remembered("People") is None


def test_a_system_that_is_down_does_not_stop_the_opening(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", down: true'))
    with opened(folder) as project:
        assert project.errors == []
        (warning,) = project.problems
        assert "crm can't be asked about People now (the memo server does not answer)" in warning.message
        assert len(project.setup.endpoints) == 2
        assert asked(project) == 1


def test_a_resource_that_is_not_there_is_an_error(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD)
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text().replace("resource: People", "resource: Persons"))
    with opened(folder, strict=False) as project:
        assert "no resource 'Persons' → there are: People, Firms" in messages(project)


def test_what_the_connector_cannot_do_is_said_before_the_first_pass(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD.replace('-z",', '-z", readonly: true,')), strict=False) as project:
        assert "People of erp (memo) is read-only → set it to in" in messages(project)
    with opened(hub_yaml(GOOD.replace("deletes: ignore", "deletes: archive"))) as project:
        assert [p.severity for p in project.problems] == ["warning", "warning"]
        assert "crm (memo) can't delete or archive records" in messages(project)


# --- settings ---


def test_a_setting_the_connector_refuses_is_told_at_its_line(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(GOOD.replace('token: "${CRM_TOKEN}"', 'token: "${CRM_TOKEN}", tken: 1'))
    with opened(folder, strict=False) as project:
        assert f"{folder}/hub.yaml:5:55: unknown setting 'tken'" in messages(project)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("token: abc123", "token is a secret and must not stand in this file → write ${CRM_TOKEN} here"),
        ("token: 12345678", "token is a secret and must not stand in this file"),
        (
            "url: 'postgresql://hub:abc123@db/hub'",
            "url is a secret and must not stand in this file → write …:${CRM_URL}@…",
        ),
    ],
)
def test_literal_secrets_are_refused_without_repeating_them(hub_yaml: HubYaml, written: str, says: str) -> None:
    with opened(hub_yaml(GOOD.replace('token: "${CRM_TOKEN}"', written)), strict=False) as project:
        told = messages(project)
        assert says in told
        assert "abc123" not in told
        assert "12345678" not in told


def test_a_password_in_the_stores_url_is_refused(hub_yaml: HubYaml) -> None:
    text = "store: postgresql://hub:abc123@db/hub\n" + GOOD.lstrip("\n")
    with opened(hub_yaml(text), strict=False) as project:
        assert "hub.yaml:1:8: store is a secret" in messages(project)
        assert "abc123" not in messages(project)
    text = text.replace("abc123", "${CRM_TOKEN}")
    with opened(hub_yaml(text)) as project:
        assert project.store_url == "postgresql://hub:s3cret-crm@db/hub"


def test_relative_sqlite_paths_are_meant_from_the_projects_folder(hub_yaml: HubYaml) -> None:
    text = GOOD.replace('token: "${CRM_TOKEN}"', "url: sqlite:///data/shop.db")
    with opened(hub_yaml(text)) as project:
        connector: Any = project.systems["crm"].connector
        assert connector.settings["url"] == f"sqlite:///{project.folder}/data/shop.db"


def test_what_the_hub_keeps_is_only_its_owners(hub_yaml: HubYaml) -> None:
    with opened(hub_yaml(GOOD)) as project:
        assert stat.S_IMODE((project.folder / ".hub").stat().st_mode) == 0o700


def test_schedules_fall_back_to_the_projects_and_then_the_default(hub_yaml: HubYaml) -> None:
    own = 'schedule: {cron: "0 2 * * *", full: true}'
    with opened(hub_yaml(GOOD.replace(own, ""))) as project:
        assert project.schedules["customer"] == (Schedule(every="5m"),)
    with opened(hub_yaml(GOOD.replace(own, "schedule: off"))) as project:
        assert project.schedules["customer"] == ()
    with opened(hub_yaml(GOOD.replace(own, "").replace("schedule: 5m", ""))) as project:
        assert project.schedules["customer"] == DEFAULT


def test_who_hears_of_failures_is_resolved_like_a_secret(hub_yaml: HubYaml) -> None:
    text = GOOD + 'notify: {webhook: "${HOOK}", format: wecom}\n'
    hook = {**SECRETS, "HOOK": "https://example.com/hook?key=s3cret"}
    with open_project(hub_yaml(text), environment=hook) as project:
        assert project.notify is not None
        assert project.notify.webhook == hook["HOOK"]
        assert "s3cret" not in repr(project)
    with open_project(hub_yaml(text), environment={**SECRETS, "HOOK": "ftp://x"}, strict=False) as project:
        assert "a webhook address starts with https://" in messages(project)
    with open_project(hub_yaml(text), connect=False, environment={}) as project:
        assert project.notify is None
