# ruff: noqa: SIM117
"""Manifests: right ones load silently, wrong ones are told where, why and what to do."""

from pathlib import Path

import pytest
from rest_world import loading, manifest, product

from hub.connect import registry
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError

WRONG = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_manifest_is_told_where_why_and_what_to_do(path: Path):
    expected = [line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("# ")]
    found, problems = loading.load(path)
    told = [f"{p.position.line}:{p.position.column} {p.message}" + (f" → {p.cure}" if p.cure else "") for p in problems]
    assert found is None
    assert told == expected
    assert {p.position.file for p in problems} == {str(path)}


@pytest.mark.parametrize("name", ["directus", "medusa"])
def test_a_bundled_manifest_loads_without_a_word_and_is_short(name: str):
    entry = registry.find(name)
    assert entry.problems() == []
    assert len(entry.declaration.read_text("utf-8").splitlines()) < 150
    code = {path.name for path in entry.folder.glob("*.py")}
    assert code <= {"contract.py"}, "by manifest only; contract.py says how it is tried"


def test_a_product_in_a_folder_of_its_own_is_a_connector_like_any_other():
    entry = registry.find("directus")
    assert entry.manifest.secrets == ("token",)
    assert entry.default_resources == ("accounts", "contacts", "products", "orders", "invoices")
    (orders,) = (resource for resource in entry.resources() if resource.name == "orders")
    assert (orders.probe, orders.deletes, orders.line_ids) == ("external", "listing", {"lines": "id"})


def test_a_project_names_its_own_manifest(tmp_path: Path):
    (tmp_path / "shop.yaml").write_text(manifest(top="settings: {token: {secret: true}}"), "utf-8")
    entry = registry.find("rest", tmp_path, manifest="shop.yaml")
    assert (entry.name, entry.origin, entry.manifest.secrets) == ("shop", "project", ("token",))
    services = Services("shop", MemoryCache())
    assert entry.open({"url": "https://shop.test", "token": "t", "manifest": "shop.yaml"}, services).name == "shop"


def test_a_manifest_that_names_no_connector_there_is_is_told_at_its_line(tmp_path: Path):
    folder = tmp_path / "connectors" / "shop"
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text("name: shop\nconnector: resty\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"manifest\.yaml:2:1: connector: no connector 'resty'.*'rest'"):
        registry.find("shop", tmp_path)


def test_defaults_reach_every_resource_and_null_takes_one_away():
    found, problems = loading.load(
        """
connector: rest
name: shop
defaults:
  modified: changed
  list: {call: "GET /x/{resource}", records: data, changes: {query: {since: "{since}"}}}
  get: GET /x/{resource}/{id}
  fields: {id: text, changed: datetime}
resources:
  orders: {}
  notes: {list: {changes: null, records: rows}}
  "*":
""",
        file="shop.yaml",
    )
    assert problems == []
    orders, notes, other = (found.resource(name, "shop") for name in ("orders", "notes", "whatever"))
    assert orders.list_.changes.query == {"since": "{since}"}
    assert (notes.list_.changes, notes.list_.records, notes.list_.call) == (None, "rows", "GET /x/{resource}")
    assert other.get.call == "GET /x/{resource}/{id}"


def test_a_mistake_in_a_default_is_told_once_at_its_line():
    _, problems = loading.load(
        "connector: rest\nname: shop\ndefaults:\n  list: GET /x\n  get: FETCH /x/{id}\n  fields: {id: text}\n"
        "resources:\n  a: {}\n  b: {}\n",
        file="shop.yaml",
    )
    assert [str(p) for p in problems] == ["shop.yaml:5:8: 'FETCH' is no method → one of GET, POST, PUT, PATCH, DELETE"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "the setting 'token' is missing: Token of the hub's user"),
        ({"token": "t", "tokn": "t"}, "shop has no setting 'tokn'.*did you mean 'token'"),
        ({"token": "t", "timeout": 0}, "timeout is a number above 0"),
        ({"token": "t", "url": ""}, "the setting 'url' is missing"),
    ],
)
def test_settings_are_those_that_the_manifest_declares(settings: dict, told: str):
    top = "settings: {token: {secret: true, description: Token of the hub's user}}"
    with pytest.raises(ConfigurationError, match=told), product(manifest(top=top), lambda call: None, **settings):
        pass


def test_a_connector_has_the_capabilities_that_its_manifest_describes():
    from hub.connect.capabilities import Create, Delete, Get, ListChanges, ListIds, Probe, Subscribe, Update

    with product(manifest(), lambda call: None) as (reader, _):
        assert all(isinstance(reader, kind) for kind in (ListChanges, ListIds, Get))
        assert not any(isinstance(reader, kind) for kind in (Create, Update, Delete, Probe, Subscribe))
        (customers,) = reader.describe("customers")
        assert (customers.writable, customers.probe) == (False, "none")
    more = """
    list: GET /customers
    get: GET /customers/{id}
    fields: {id: text, number: text}
    natural: number
    lookup: {call: GET /customers, query: {"{field}": "{values}"}}
    create: {call: POST /customers, record: "."}
    """
    with pytest.raises(AssertionError, match=r"'natural' holds the text 'number', a list was expected"):
        with product(manifest(more), lambda call: None):
            pass
    with product(manifest(more.replace("natural: number", "natural: [number]")), lambda call: None) as (writer, _):
        assert isinstance(writer, Create)
        assert isinstance(writer, Probe)
        assert not isinstance(writer, Update)
        assert writer.describe("customers")[0].probe == "natural"
