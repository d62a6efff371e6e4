"""What an integrator's editor knows: the schemas of ``hub schema``, through the language server that editors use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from editor.yaml_language_server import PACKAGE, PROGRAM, Server
from ruamel.yaml import YAML
from typer.testing import CliRunner

from hub.model import entities
from hub.project import create_project
from hub.project.editing import project_mapping_schema

ROOT = Path(__file__).resolve().parents[2]
HUB_YAML = """\
version: 2
systems:
  zoho: {connector: zoho_crm}
  kingdee: {connector: kingdee_galaxy}
"""
MAPPING = """\
version: 2
resource: BD_Customer
entity: customer
match: [number]
fields:
  number: FNumber
  name: FN
  tax_id: {field: FTAX}
  ph
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with two systems, none of which is ever asked, after ``hub schema``."""
    from hub.cli.main import app

    folder = create_project(tmp_path_factory.mktemp("editor") / "company")
    (folder / "hub.yaml").write_text(HUB_YAML, "utf-8")
    result = CliRunner().invoke(app, ["schema", "--project", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["systems"]["kingdee"]["resources"] == 4
    return folder


@pytest.fixture(scope="module")
def server(project: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node with npm to run the YAML language server")
    assert request.config.cache is not None
    home = request.config.cache.mkdir("yaml-language-server")
    if not (home / PROGRAM).is_file():
        words = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(home), PACKAGE]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            reason = f"npm can't get {PACKAGE}: {' '.join(done.stderr.split())[-300:]}"
            pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    settings = json.loads((project / ".vscode" / "settings.json").read_text("utf-8"))
    with Server(node, home / PROGRAM, project, settings) as started:
        yield started


@pytest.fixture(scope="module")
def mapping(server: Server, project: Path) -> Path:
    file = project / "mappings" / "kingdee" / "BD_Customer.yaml"
    server.diagnostics(file, MAPPING)
    return file


def test_canonical_fields_are_completed_with_their_descriptions(server: Server, mapping: Path) -> None:
    offered = server.completions(mapping, 8, 4)
    assert {"phone", "credit_limit", "addresses[billing]"} <= offered.keys()
    assert "Main phone number." in offered["phone"]
    assert "order_date" not in offered  # a field of orders


def test_the_resources_own_fields_are_completed(server: Server, mapping: Path) -> None:
    offered = server.completions(mapping, 6, 10)
    assert {"FName", "FTRADINGCURRID.FNumber"} <= offered.keys()
    assert "客户名称" in offered["FName"]
    assert "Account_Name" not in offered  # another system's
    assert "FSOCIALCRECODE" in server.completions(mapping, 7, 22)


def test_a_field_tells_what_it_is(server: Server, mapping: Path) -> None:
    assert "Tax number: 统一社会信用代码" in server.hover(mapping, 7, 4)
    assert "Number by which people know the customer." in server.hover(mapping, 5, 4)


def test_unknown_keys_are_underlined_and_a_right_file_is_not(server: Server, project: Path) -> None:
    folder = project / "mappings" / "zoho"
    wrong = MAPPING.replace("BD_Customer", "Accounts").replace("  ph\n", "  phoen: Phone\nmatches: []\n")
    wrong = wrong.replace("FN\n", "{field: Account_Name, derection: in}\n")
    found = {(d["range"]["start"]["line"], d["message"]) for d in server.diagnostics(folder / "wrong.yaml", wrong)}
    assert {line for line, _ in found} == {6, 8, 9}
    assert any("derection" in message for line, message in found if line == 6)
    assert any("no field of this name" in message for line, message in found if line == 8)
    assert any("matches" in message for line, message in found if line == 9)
    bundled = (ROOT / "mappings" / "zoho_crm" / "Accounts.yaml").read_text("utf-8")
    right = "\n".join(bundled.splitlines()[1:]) + "\n"  # without the schema it names for itself
    assert server.diagnostics(folder / "Accounts.yaml", right) == []


def test_hub_yaml_knows_the_owners_of_fields(server: Server, project: Path) -> None:
    text = (
        HUB_YAML + "entities:\n  customer:\n    systems: {zoho: both, kingdee: both}\n    authority:\n      tax_id: \n"
    )
    assert [d for d in server.diagnostics(project / "hub.yaml", text) if "authority" in d["message"]] == []
    assert {"kingdee", "zoho"} <= server.completions(project / "hub.yaml", 8, 14).keys()
    assert "credit_limit" in server.completions(project / "hub.yaml", 8, 6)


@pytest.mark.parametrize("connector", ["zoho_crm", "kingdee_galaxy"])
def test_every_bundled_mapping_fits_the_projects_schema(project: Path, connector: str) -> None:
    schema = json.loads((project / ".hub-schemas" / "mapping.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for file in sorted((ROOT / "mappings" / connector).glob("*.yaml")):
        if not file.stem.endswith("_test"):
            validator.validate(_as_json(YAML(typ="safe").load(file)))


def test_the_schema_refuses_a_name_that_an_entity_lacks_but_for_a_constant() -> None:
    schema = project_mapping_schema(entities(), {})
    whole = {"version": 2, "resource": "x", "entity": "customer"}
    jsonschema.validate({**whole, "fields": {"source": {"field": "F_SOURCE", "constant": "hub"}}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole, "fields": {"phoen": "Phone"}}, schema)


def _as_json(data: object) -> object:
    """Keys of value tables may be numbers and booleans in YAML."""
    if isinstance(data, dict):
        return {str(key): _as_json(value) for key, value in data.items()}
    return [_as_json(item) for item in data] if isinstance(data, list) else data
