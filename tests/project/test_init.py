"""A new project: everything in its place, valid as it is, and nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hub.errors import ConfigurationError
from hub.mapping.reading import read_yaml
from hub.project import create_project, open_project
from hub.project.config import HubConfig
from hub.project.schema import FILE, hub_schema, schema_text

ROOT = Path(__file__).parents[2]


def test_a_new_project_has_everything_in_its_place(tmp_path: Path) -> None:
    folder = create_project(tmp_path / "company")
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made >= {
        "hub.yaml",
        ".env.example",
        ".gitignore",
        ".vscode/settings.json",
        ".hub-schemas/hub.schema.json",
        ".hub-schemas/mapping.schema.json",
        "mappings/README.md",
        "connectors/README.md",
        "functions/README.md",
        "flows/README.md",
    }
    assert ".env\n" in (folder / ".gitignore").read_text()
    schemas = json.loads((folder / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert all((folder / schema).is_file() for schema in schemas)


def test_its_hub_yaml_is_right_by_the_grammar_and_by_the_schema(tmp_path: Path) -> None:
    folder = create_project(tmp_path)
    section, problems = read_yaml(folder / "hub.yaml")
    assert section is not None
    assert problems == []
    HubConfig.model_validate(section.data)
    jsonschema.validate(section.data, hub_schema())


def test_every_secret_it_names_is_in_the_example(tmp_path: Path) -> None:
    folder = create_project(tmp_path)
    example = (folder / ".env.example").read_text()
    lines = [line for line in (folder / "hub.yaml").read_text().splitlines() if not line.lstrip().startswith("#")]
    names = {part.partition("}")[0] for line in lines for part in line.split("${")[1:]}
    assert names
    assert all(f"\n{name}=" in example for name in names)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"not empty \(it holds notes.txt\)"):
        create_project(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]
    with pytest.raises(ConfigurationError, match="a file of this name"):
        create_project(tmp_path / "notes.txt")


def test_the_schema_in_the_repository_is_the_one_of_the_models() -> None:
    assert (ROOT / FILE).read_text("utf-8") == schema_text(), "run: python -m hub.project.schema"


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nsytems: {}\n",
        "version: 2\nentities: {customer: {systems: {a: bth}}}\n",
        "version: 2\nentities: {customer: {systems: {a: both}, conflict: newst}}\n",
        "version: 2\nmodel: {fields: {customer: {vip: {typ: text}}}}\n",
    ],
)
def test_editors_see_mistakes_too(text: str) -> None:
    section, _ = read_yaml(text)
    assert section is not None
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(section.data, hub_schema())


def test_it_is_right_as_it_stands_with_the_bundled_connectors_and_mappings(tmp_path: Path) -> None:
    folder = create_project(tmp_path)
    with open_project(folder, connect=False, environment={}) as project:
        assert project.problems == []
        assert {(e.system, e.entity) for e in project.setup.endpoints} == {
            ("zoho", "customer"),
            ("kingdee", "customer"),
            ("zoho", "product"),
            ("kingdee", "product"),
        }
