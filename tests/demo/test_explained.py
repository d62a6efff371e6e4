"""``hub explain`` on the demo's company against what the systems themselves say happened there.

The sandboxes keep a history of every change, by whom and with which values; the finance database's triggers note every
row that is touched. Neither knows anything of the hub's journal. What each system held before the first pass is read
through its connector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.connect.capabilities import ListChanges
from hub.demo.company import Company, founded
from hub.demo.story import WEBSITE, live_the_day
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.policy import Endpoint

Row = dict[str, Any]
ENTITIES = ("customer", "order", "invoice")
SANDBOXES = ("zoho", "kingdee")
PEOPLE = {"sales", "accounting"}
SUBFORMS = ("FSaleOrderFinance", "FsubHeadFinc", "FsubHeadSuppiler")
DONE = {"submit": {"status": "submitted"}, "audit": {"status": "approved"}}
"""Steps of Kingdee's workflow: a status is reached by them, never written."""
ASIDE = {"lines", "addresses", "contacts"}
"""Values that are told line by line; the rest of a record is compared value by value."""


@dataclass
class Truth:
    """What the systems say, and what the hub says."""

    told: dict[tuple[str, str], Row] = field(default_factory=dict)
    """(entity, hub id) → explanation, of every record that somebody edited and of some that nobody did."""
    at_first: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    """(system, entity, remote id) → canonical values before the first pass."""
    history: dict[tuple[str, str, str], list[Row]] = field(default_factory=dict)
    """(system, entity, remote id) → what was done there, oldest first, each with its ``canonical`` values."""
    touched: Counter[str] = field(default_factory=Counter)
    """How often the database's triggers saw a row: ``customers 7`` → n."""
    runs: list[str] = field(default_factory=list)

    def events(self, entity: str, told: Row) -> Iterator[tuple[str, Row]]:
        for system, link in told["links"].items():
            for event in self.history.get((system, entity, str(link["id"])), []):
                yield system, event


@pytest.fixture(scope="module")
def truth() -> Iterator[Truth]:
    with founded(30) as company:
        made = Truth()
        with open_project(company.folder) as project:
            for endpoint in project.setup.endpoints:
                for remote_id, values in _read(endpoint):
                    made.at_first[endpoint.system, endpoint.entity, remote_id] = values
        made.runs.append(_pass(company))
        live_the_day(company)
        made.runs.append(_pass(company))
        with open_project(company.folder) as project, Engine.from_project(project) as engine:
            _gather(made, company, project.setup.endpoints)
            for entity, key in _keys(made, company):
                found = engine.explain(entity, key)
                made.told[entity, found["hub_id"]] = found
        yield made


def _pass(company: Company) -> str:
    with open_project(company.folder) as project, Engine.from_project(project) as engine:
        return engine.sync(yes=True).run


def _read(endpoint: Endpoint) -> Iterator[tuple[str, Row]]:
    assert isinstance(endpoint.connector, ListChanges)
    lens = endpoint.lens
    for page in endpoint.connector.list_changes(endpoint.resource.name, None, lens.remote_fields, lens.read_options):
        for remote in page.records:
            if remote.record is not None:
                yield remote.id, lens.get(remote.record).values


def _gather(made: Truth, company: Company, endpoints: list[Endpoint]) -> None:
    by_resource = {(e.system, e.resource.name): e for e in endpoints if e.entity in ENTITIES}
    for system in SANDBOXES:
        for event in getattr(company, system).history():
            endpoint = by_resource.get((system, event["resource"]))
            if endpoint is not None:
                read = endpoint.lens.get(_as_read(event["values"])).values
                given = {name: value for name, value in read.items() if endpoint.lens.fields[name].remote}
                event["canonical"] = given | (DONE.get(event["action"], {}) if endpoint.entity != "customer" else {})
                made.history.setdefault((system, endpoint.entity, str(event["id"])), []).append(event)
    made.touched.update(row["record"] for row in company.rows("SELECT record FROM journal"))


def _as_read(values: Row) -> Row:
    """Kingdee is given the head's sub-forms as parts of their own, and shows their fields in the head."""
    inner = {k: v for name in SUBFORMS for k, v in (values.get(name) or {}).items()}
    return {**values, **inner}


def _keys(made: Truth, company: Company) -> Iterator[tuple[str, str]]:
    """Everything that somebody edited, and the first four customers that nobody did."""
    edited = {key for key, events in made.history.items() if any(e["user"] in PEOPLE for e in events)}
    yield from sorted({(entity, remote_id) for _, entity, remote_id in edited})
    yield "customer", str(company.rows("SELECT id FROM customers WHERE website = ?", WEBSITE)[0]["id"])
    rest = sorted({(e, i) for s, e, i in made.history if (s, e, i) not in edited and e == "customer"})
    yield from rest[:4]


def _steps(told: Row, name: str, *kinds: str) -> list[Row]:
    return [step for step in told["fields"].get(name, {"steps": []})["steps"] if step["kind"] in kinds]


def _plain(values: Row) -> Iterator[tuple[str, Any]]:
    """The values of a record that are compared one by one: no lines, and no references (they are the hub's own ids)."""
    for name, value in values.items():
        if name not in ASIDE and not isinstance(value, list) and name != "customer":
            yield name, value


def test_ten_records_and_more_are_explained_field_by_field(truth: Truth) -> None:
    assert len(truth.told) >= 10
    assert {entity for entity, _ in truth.told} == set(ENTITIES)
    silent = [
        (entity, told["hub_id"], name)
        for (entity, _), told in truth.told.items()
        for name, found in told["fields"].items()
        if not (found["steps"] and found["from"] and found["at"] and found["mapping"])
        and found["value"] not in (None, [])
    ]
    assert silent == []


def test_what_people_did_is_in_the_chain_with_who_where_when_and_which_value(truth: Truth) -> None:
    seen = 0
    for (entity, _), told in truth.told.items():
        for system, event in truth.events(entity, told):
            if event["user"] not in PEOPLE or event["action"] == "delete":
                continue
            at = datetime.fromisoformat(event["at"])
            for name, value in _plain(event["canonical"]):
                if value is None:
                    continue
                known = [s for s in _steps(told, name, "observed", "new") if s["system"] == system]
                (step,) = [s for s in known if s["theirs"] == value][-1:] or pytest.fail(
                    f"{entity} {name} {value}: {known}"
                )
                assert abs(datetime.fromisoformat(step["edited_at"]) - at) <= timedelta(seconds=1)
                assert step["by"]
                assert step["run"] == truth.runs[1]
                seen += 1
    assert seen >= 15


def test_whatever_the_hub_wrote_is_in_the_chain_and_the_chain_has_nothing_else(truth: Truth) -> None:
    compared = 0
    for (entity, _), told in truth.told.items():
        done = [
            (system, str(event["id"]), name, value)
            for system, event in truth.events(entity, told)
            if event["by"] == "hub"
            for name, value in _plain(event["canonical"])
            if value is not None and name in told["fields"]
        ]
        said = [
            (step["system"], str(step["record"]), name, step["fields"][name][1])
            for name in told["fields"]
            for step in _steps(told, name, "written")
            if step["system"] in SANDBOXES
            and step.get("fields")
            and step["fields"].get(name, [None, None])[1] is not None
        ]
        said = [one for one in said if one[2] not in ASIDE and one[2] != "customer"]
        # A create sends fixed values and defaults too, which are nobody's; what is said to be written was written.
        assert Counter(said) - Counter(done) == Counter(), (entity, told["hub_id"])
        changed = [
            (system, str(event["id"]), name, value)
            for system, event in truth.events(entity, told)
            if event["by"] == "hub" and event["action"] == "update"
            for name, value in _plain(event["canonical"])
            if value is not None and name in told["fields"]
        ]
        assert Counter(changed) - Counter(said) == Counter(), (entity, told["hub_id"])
        compared += len(said)
    assert compared > 30


def test_every_value_is_the_one_that_its_source_gave(truth: Truth) -> None:
    """The last word of a person whose edit was not refused; else what the source held before the first pass."""
    compared = 0
    for (entity, _), told in truth.told.items():
        for name, found in told["fields"].items():
            if name in ASIDE or name == "customer" or found["value"] in (None, [], ""):
                continue
            source = (found["from"], entity, str(told["links"][found["from"]]["id"]))
            given = [
                e["canonical"][name] for e in truth.history.get(source, []) if e["canonical"].get(name) is not None
            ]
            by_people = [
                event["canonical"][name]
                for event in truth.history.get(source, [])
                if event["user"] in PEOPLE and event["canonical"].get(name) is not None
            ]
            at_first = truth.at_first.get(source, {}).get(name)
            refused = {s["theirs"] for s in _steps(told, name, "observed") if s["decision"] in ("refused", "conflict")}
            if by_people and by_people[-1] not in refused:
                assert found["value"] == by_people[-1], (entity, name)
            elif at_first is not None:
                assert found["value"] == at_first, (entity, name)
            elif found["from"] in SANDBOXES and given:
                assert found["value"] in given, (entity, name)
            else:
                continue  # the system itself worked it out, or the database, which keeps no values of the past
            compared += 1
    assert compared > 80


def test_refusals_and_conflicts_name_the_values_that_the_two_systems_really_held(truth: Truth) -> None:
    decided = [
        (told, name, step)
        for told in truth.told.values()
        for name in told["fields"]
        for step in _steps(told, name, "observed")
        if step["decision"] in ("refused", "conflict")
        and step["run"] == truth.runs[1]
        and step["rule"] != "archived"
        and "always" not in step["operators"]
    ]
    assert {step["decision"] for _, _, step in decided} == {"refused", "conflict"}
    for told, name, step in decided:
        held = {
            (system, event["canonical"][name])
            for system, event in truth.events("customer", told)
            if event["user"] in PEOPLE and name in event["canonical"]
        }
        lost, kept = step["candidates"]
        assert (lost["system"], lost["value"]) in held
        if step["decision"] == "conflict":
            assert (kept["system"], kept["value"]) in held


def test_the_database_saw_as_many_writes_as_the_chain_tells(truth: Truth) -> None:
    compared = 0
    for (entity, _), told in truth.told.items():
        if entity != "customer":
            continue
        number = told["links"]["finance_db"]["id"]
        writes = [e for e in told["history"] if e["system"] == "finance_db" and e["kind"] == "written"]
        own = [
            e for e in told["history"] if e["system"] == "finance_db" and e["kind"] == "observed" and e["detail"]["at"]
        ]
        assert truth.touched[f"customers {number}"] == len(writes) + len(own), told["hub_id"]
        compared += 1
    assert compared >= 8
