"""docs/mappings.md: every snippet loads, every row of its tables is true, and nothing is left out."""

import re
from pathlib import Path

import pytest
from docs_blocks import blocks_of

from hub.mapping import laws, load, pingpong, record_laws
from hub.mapping.examples import Example
from hub.mapping.grammar import FieldRule, MappingFile
from hub.mapping.operators import OPERATORS
from hub.mapping.reading import read_yaml
from hub.model import entities
from hub.model.spec import EntitySpec, FieldSpec

FILE = Path(__file__).parents[2] / "docs" / "mappings.md"
TEXT = FILE.read_text("utf-8")
SPECS = entities()
BLOCKS = [block for block in blocks_of(FILE) if block.language == "yaml"]
CHINESE = [block for block in blocks_of(FILE.with_name("mappings.zh-CN.md")) if block.language == "yaml"]
SNIPPETS = [block for block in BLOCKS + CHINESE if "parse" in block.words and block.text.startswith("#")]
HEADER = "| type | via | in the system | in the hub | written |"


def rows():
    for table in TEXT.split(HEADER)[1:]:
        for line in table.splitlines()[2:]:
            if not line.startswith("|"):
                break
            yield [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"{block.file.stem}{block.line}")
def test_snippets_of_fields_load(block):
    entity = block.text.splitlines()[0].removeprefix("#").strip()
    body = "".join(f"  {line}\n" for line in block.text.splitlines())
    lens, problems = load(f"version: 2\nresource: r\nentity: {entity}\nfields:\n{body}", specs=SPECS)
    assert [str(problem) for problem in problems] == []
    assert lens is not None


def test_snippets_of_examples_are_examples():
    lists = [block for block in BLOCKS if block.text.startswith("- name")]
    assert lists
    for block in lists:
        for item in read_yaml(block.text)[0].data:
            Example.model_validate(item)


def value(cell: str):
    return read_yaml(f"x: {cell}\n")[0].data["x"]


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: " ".join(row[:2]))
def test_rows_of_the_tables_are_true(row):
    kind, via, remote, canonical, written = row
    spec = EntitySpec("thing", {"field": FieldSpec("field", kind)})
    text = f"version: 2\nresource: r\nentity: thing\nfields:\n  field: {{field: X, via: {via}}}\n"
    lens, problems = load(text, specs={"thing": spec})
    assert problems == []
    got = lens.get({"X": value(remote)})
    assert got.problems == ()
    assert got.values == {"field": value(canonical)}
    assert lens.put(got.values, None) == {"X": value(written)}


def test_every_operator_and_every_key_is_there():
    missing = [name for name in OPERATORS if f"`{name}`" not in TEXT and f"{{{name}:" not in TEXT]
    keys = [key for model in (MappingFile, FieldRule) for key in model.model_fields]
    missing += [key for key in keys if f"`{key}`" not in TEXT and f"\n{key}:" not in TEXT]
    assert missing == []


def test_what_is_said_of_broken_laws_is_advised_as_the_table_says():
    table = TEXT.split("| `hub validate` says | what to do |")[1].split("\n\n")[0]
    advised = {line.split("|")[2].strip() for line in table.splitlines()[2:]}
    said = {*laws.CURES.values(), record_laws.CURE_OVERWRITTEN, record_laws.CURE_GETPUT, pingpong.CURE}
    assert said <= advised
    others = "".join(Path(module.__file__).read_text("utf-8") for module in (laws, record_laws, pingpong))
    assert [cure for cure in advised - said if cure not in others] == []
