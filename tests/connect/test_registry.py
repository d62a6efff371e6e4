"""Finding and loading connectors."""

from __future__ import annotations

import json
import logging
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub.connect import registry
from hub.connect.bundled import bundled_dir
from hub.connect.services import Services
from hub.errors import ConfigurationError

CONNECTOR = """
from .words import greeting

class Thing:
    def __init__(self, settings, services):
        self.name = greeting() + " " + settings["to"] + " from " + services.system

def open_connector(settings, services):
    return Thing(settings, services)

def bundled():
    from hub.connect.capabilities import Resource
    return [Resource("things")]
"""


class NoCache:
    def get(self, key): ...
    def set(self, key, value, seconds): ...
    def lock(self, key): ...


def services() -> Services:
    return Services("mine", NoCache(), log=logging.getLogger("test"))


def make(folder: Path, word: str = "hello", manifest: str = "", name: str = "greeter") -> Path:
    folder = folder / name
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(manifest or f"name: {name}\ntitle: Greeter\nresources: [things]\n")
    (folder / "words.py").write_text(f"def greeting():\n    return {word!r}\n")
    (folder / "connector.py").write_text(CONNECTOR)
    return folder


def test_a_projects_own_connector_is_found_and_imports_relatively(tmp_path):
    make(tmp_path / "connectors")
    entry = registry.find("greeter", tmp_path)
    assert (entry.origin, entry.default_resources, entry.sandbox()) == ("project", ("things",), None)
    assert entry.open({"to": "you"}, services()).name == "hello you from mine"
    assert str(tmp_path) not in sys.path


def test_two_projects_connectors_of_one_name_do_not_mix(tmp_path):
    make(tmp_path / "a" / "connectors", "hi", name="twice")
    make(tmp_path / "b" / "connectors", "ho", name="twice")
    first, second = (registry.find("twice", tmp_path / p) for p in "ab")
    assert first.open({"to": "x"}, services()).name.startswith("hi")
    assert second.open({"to": "x"}, services()).name.startswith("ho")
    assert first.open({"to": "x"}, services()).name.startswith("hi")


def test_the_project_wins_over_the_bundled_and_those_over_packages(tmp_path, monkeypatch):
    bundled, project, package = tmp_path / "bundled", tmp_path / "project", tmp_path / "site"
    make(bundled, "bundled", name="order_all")
    make(package / "acme", "package", name="order_all")
    (package / "acme" / "__init__.py").touch()
    (package / "acme" / "order_all" / "__init__.py").touch()
    monkeypatch.syspath_prepend(package)
    monkeypatch.setattr(registry, "bundled_dir", lambda kind: bundled)
    point = EntryPoint("order_all", "acme.order_all", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])

    assert registry.find("order_all", project).origin == "bundled"
    make(project / "connectors", "project", name="order_all")
    assert registry.find("order_all", project).open({"to": ""}, services()).name.startswith("project")
    (bundled / "order_all" / "manifest.yaml").unlink()
    offered = registry.find("order_all")
    assert (offered.origin, offered.package) == ("package", "acme.order_all")
    assert offered.open({"to": ""}, services()).name.startswith("package")


def test_an_entry_point_without_its_package_is_named(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("gone", "no_such_pkg.x", group)])
    with pytest.raises(ConfigurationError, match="no_such_pkg"):
        registry.find("gone")


def test_an_unknown_name_brings_a_suggestion(tmp_path):
    make(tmp_path / "connectors")
    with pytest.raises(ConfigurationError, match="did you mean 'greeter'"):
        registry.find("greter", tmp_path)
    with pytest.raises(ConfigurationError, match=r"known connectors: .*greeter"):
        registry.find("zzzzz", tmp_path)
    assert "greeter" in registry.names(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("name: bad\ntitle: x\nsecret: [url]\n", r"manifest\.yaml:3:1: unknown key 'secret' → did you mean 'secrets'"),
        ("name: bad\ntitle: x\nconnector: nowhere\n", r"manifest\.yaml:3:1: connector: "),
        ("name: other\ntitle: x\n", r"manifest\.yaml:1:1: the manifest is of 'other'"),
        ("name: [\n", r"manifest\.yaml:\d+:\d+: not YAML"),
        ("- a\n", "a mapping of keys was expected"),
        ("name: bad\n", ".title. is missing"),
    ],
)
def test_a_wrong_manifest_says_where(tmp_path, manifest, message):
    make(tmp_path / "connectors", manifest=manifest, name="bad")
    with pytest.raises(ConfigurationError, match=message):
        registry.find("bad", tmp_path)


def test_resources_come_from_a_function_or_from_files(tmp_path):
    make(tmp_path / "connectors", manifest="name: f\ntitle: F\nschemas: connector:bundled\n", name="f")
    assert [r.name for r in registry.find("f", tmp_path).resources()] == ["things"]
    folder = make(tmp_path / "connectors", name="g") / "schemas"
    folder.mkdir()
    (folder / "r.json").write_text(json.dumps({"name": "r", "fields": [{"name": "id", "type": "text"}]}))
    (resource,) = registry.find("g", tmp_path).resources()
    assert (resource.fields[0].name, resource.batch) == ("id", 100)
    (folder / "r.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"r\.json"):
        registry.find("g", tmp_path).resources()


def test_code_that_can_not_be_loaded_is_the_users_to_mend(tmp_path):
    folder = make(tmp_path / "connectors", name="broken")
    (folder / "connector.py").write_text("import no_such_driver\n")
    with pytest.raises(ConfigurationError, match="no_such_driver"):
        registry.find("broken", tmp_path).open({}, services())
    (folder / "connector.py").write_text("def (\n")
    with pytest.raises(ConfigurationError, match=r"connector\.py:1:5"):
        registry.find("broken", tmp_path).open({}, services())
    # Of another length than before: within a second Python takes files of one length for the same.
    (folder / "connector.py").write_text("open_connector = None  # no function\n")
    with pytest.raises(ConfigurationError, match="names no function"):
        registry.find("broken", tmp_path).open({}, services())


def test_bundled_folders_are_there():
    for kind in ("connectors", "mappings", "flows"):
        assert bundled_dir(kind).name == kind
