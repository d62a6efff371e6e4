"""The bundled mappings fit the bundled connectors and the canonical model, and do what their examples say."""

from pathlib import Path

import pytest

from hub.connect.registry import find
from hub.mapping import load
from hub.mapping.examples import load_examples, run_examples
from hub.mapping.plan import ConstantIn, Lines
from hub.model import entities

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in ROOT.glob("mappings/*/*.yaml") if not path.stem.endswith("_test"))
SPECS = entities()


def lens_of(path: Path):
    resources = {resource.name: resource for resource in find(path.parent.name).resources()}
    lens, problems = load(path, specs=SPECS, resource=resources[path.stem])
    assert [str(problem) for problem in problems] == []
    return lens, resources[path.stem]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def examples_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}_test.yaml")


def test_every_resource_of_the_main_job_is_mapped():
    assert {named(path) for path in FILES} >= {
        "zoho_crm/Accounts", "zoho_crm/Contacts", "zoho_crm/Products", "zoho_crm/Sales_Orders", "zoho_crm/Invoices",
        "kingdee_galaxy/BD_Customer", "kingdee_galaxy/BD_MATERIAL", "kingdee_galaxy/SAL_SaleOrder",
        "kingdee_galaxy/AR_receivable",
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=named)
def test_it_loads_without_a_word_against_the_connector(path: Path):
    lens, resource = lens_of(path)
    assert lens.match, "records without a link are matched by something"
    for node in lens.plan.nodes:
        if isinstance(node, Lines):
            assert node.line_id == resource.line_ids[str(node.steps[0])], "lines keep their ids"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_its_examples_hold(path: Path):
    lens, _ = lens_of(path)
    results = run_examples(examples_of(path), lens)
    assert {result.direction for result in results} == {"in", "out"}
    assert [str(result) for result in results if not result.passed] == []


def written_part(field, value):
    """Of lines, only what is written of each: the rest is not in a record made of what was written."""
    if field.lines is None:
        return value
    return [{k: v for k, v in line.items() if field.lines.fields[k].direction != "in"} for line in value]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_writing_what_was_read_changes_nothing(path: Path):
    lens, _ = lens_of(path)
    examples, problems = load_examples(examples_of(path))
    assert problems == []
    constants = {node.name for node in lens.plan.nodes if isinstance(node, ConstantIn)}
    for example, _ in examples:
        got = lens.get(example.remote)
        assert lens.careful_get(example.remote) == got
        made = lens.put(got.values, example.remote)
        again = lens.get({**example.remote, **made})
        for name, field in lens.fields.items():
            if name in got.values and (field.direction != "in" or name in constants):
                assert written_part(field, again.values[name]) == written_part(field, got.values[name])


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_full_example_shows_every_field_that_is_read(path: Path):
    """So that no line of the mapping goes without an example."""
    lens, _ = lens_of(path)
    examples, _ = load_examples(examples_of(path))
    shown = {name for example, _ in examples for name in example.canonical}
    assert {name for name, field in lens.fields.items() if field.direction != "out"} - shown == set()
