"""The editors' schema is generated from what reads the files, and says the same as it."""

import json

import jsonschema
import pytest
from mapping.mapping_world import FILES, FOLDER

from hub.mapping.operators import OPERATORS
from hub.mapping.reading import read_yaml
from hub.mapping.schema import EXAMPLES_FILE, FILE, examples_schema, mapping_schema, written

ROOT = FOLDER.parents[1]
VALIDATOR = jsonschema.Draft202012Validator(mapping_schema())


def test_the_files_in_the_repository_are_up_to_date():
    cure = "run: python -m hub.mapping.schema"
    assert (ROOT / FILE).read_text("utf-8") == written(mapping_schema()), cure
    assert (ROOT / EXAMPLES_FILE).read_text("utf-8") == written(examples_schema()), cure


def test_the_schemas_are_schemas():
    jsonschema.Draft202012Validator.check_schema(mapping_schema())
    jsonschema.Draft202012Validator.check_schema(examples_schema())


def as_json(data):
    """YAML data as an editor sees it: keys are texts."""
    return json.loads(json.dumps(data, default=float))


@pytest.mark.parametrize("path", sorted((FILES / "right").glob("*.yaml")), ids=lambda path: path.stem)
def test_right_mappings_fit_the_schema(path):
    data = read_yaml(path)[0].data
    assert [error.message for error in VALIDATOR.iter_errors(as_json(data))] == []


@pytest.mark.parametrize(
    "name",
    ["unknown_top_key", "unknown_field_key", "missing_entity", "unknown_version", "no_fields", "number_as_path",
     "unknown_operator", "unknown_argument", "phone_style", "two_operators_in_one_item", "match_that_is_not_a_list",
     "wrong_direction", "null_field"],
)  # fmt: skip
def test_mistakes_of_grammar_are_underlined_in_the_editor_too(name):
    data = read_yaml(FILES / "wrong" / f"{name}.yaml")[0].data
    assert list(VALIDATOR.iter_errors(as_json(data)))


def test_every_key_and_operator_is_described():
    schema = mapping_schema()
    rules = [schema, schema["$defs"]["FieldRule"]]
    assert [key for rule in rules for key, part in rule["properties"].items() if not part.get("description")] == []
    calls = schema["$defs"]["OperatorCall"]["properties"]
    assert set(calls) == set(OPERATORS)
    assert [name for name, part in calls.items() if not part["description"]] == []
