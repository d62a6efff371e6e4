"""A mapping file becomes a lens, or a list of all its mistakes with position, reason and cure."""

from pathlib import Path

import pytest
from mapping.mapping_world import FILES, RESOURCE, SPECS, file_of, lens_of, problems_of, read_mapping

from hub.connect.capabilities import Field, Resource
from hub.errors import ConfigurationError
from hub.mapping import load, require
from hub.mapping.reading import read_yaml


@pytest.mark.parametrize("path", sorted((FILES / "wrong").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_mapping_is_told_where_why_and_what_to_do(path: Path):
    lines = path.read_text("utf-8").splitlines()
    expected = [line[2:] for line in lines if line.startswith("# ")]
    lens, problems = load(path, specs=SPECS, resource=RESOURCE)
    told = [
        f"{p.position.line}:{p.position.column} {p.severity}: {p.message}" + (f" → {p.cure}" if p.cure else "")
        for p in problems
    ]
    assert told == expected
    assert lens is None
    assert {p.position.file for p in problems} == {str(path)}


@pytest.mark.parametrize("path", sorted((FILES / "right").glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("resource", [RESOURCE, None], ids=["against the resource", "without a resource"])
def test_a_right_mapping_stays_silent(path: Path, resource):
    lens, problems = load(path, specs=SPECS, resource=resource)
    if resource is None:  # without a description a number can't be told from a text: see the mapping itself
        problems = [problem for problem in problems if "list of choices" not in problem.message]
    assert [str(problem) for problem in problems] == []
    assert lens is not None


def test_what_a_lens_says_about_itself():
    lens, _ = load(FILES / "right" / "everything.yaml", specs=SPECS, resource=RESOURCE)
    assert (lens.entity, lens.resource) == ("deal", "Deals")
    assert lens.match == (("number",), ("customer", "title"))
    assert (lens.read_options, lens.write_options) == ({"page": 200}, {"trigger": []})
    assert "source" not in lens.fields, "a constant that is only written carries nothing of the record"
    assert "Extra" not in lens.remote_fields, "so it needn't be asked for"
    assert lens.remote_fields[:4] == ("Number", "Title", "Note", "Customer")
    assert {"Items", "Items.Seq", "Items.Product.id", "Finance.Currency.Code"} <= set(lens.remote_paths)
    field = lens.fields["total"]
    assert (field.direction, field.strength, field.remote) == ("in", "normal", ("Total",))
    assert field.position.line == 18
    assert lens.fields["customer"].ref == "customer"
    assert lens.fields["person"].remote == ("First", "Last")
    assert lens.fields["lines"].lines.key == "line_no"
    assert lens.fields["lines"].lines.keys is None
    assert lens.fields["lines"].lines.fields["product"].ref == "product"
    assert lens.fields["addresses"].lines.keys == {"billing", "shipping"}
    assert lens.fields["addresses"].lines.fields["street"].remote == ("Street", "Ship_Street")


def test_a_ref_needs_no_word_where_the_field_is_one():
    assert lens_of("customer: Customer.id").fields["customer"].ref == "customer"


def test_a_warning_leaves_the_mapping_usable():
    lens, problems = read_mapping(file_of("status: {field: Status, values: {draft: Neww, approved: Won}}"))
    assert lens is not None
    assert {p.severity for p in problems} == {"warning"}


@pytest.mark.parametrize(
    ("table", "rest", "told"),
    [
        ("{draft: New}", "", True),
        ('{draft: [New, "*"]}', "", False),
        ('{draft: New, "*": "*"}', "", False),
        ("{draft: New}", ", direction: out", False),
    ],
)
def test_words_of_the_system_that_a_table_does_not_know_are_told_before_they_come(table: str, rest: str, told: bool):
    _, problems = read_mapping(file_of(f"status: {{field: Status, values: {table}{rest}}}"))
    found = [p.message for p in problems if "which the table doesn't know" in p.message]
    assert found == (["Status can be 'Open', 'Won', 'Lost', which the table doesn't know"] if told else [])


def test_a_mandatory_field_that_nobody_writes_is_a_warning():
    resource = Resource("Deals", fields=(Field("Number", "text"), Field("Subject", "text", required=True)))
    assert problems_of("number: Number", resource=resource) == [
        "deals.yaml:4:1: Subject is mandatory in Deals, and nothing here writes it"
        " → map a field to it, or give it a constant: {field: Subject, constant: …}"
    ]
    assert problems_of("number: Number\nx: {field: Subject, constant: order}", resource=resource) == []
    assert problems_of("number: {field: Number, direction: in}", resource=resource) == []
    assert problems_of("number: Number", "write: {defaults: {Subject: x}}\n", resource=resource) == []


def test_overrides_add_replace_and_remove_fields_with_positions_of_their_own():
    hub, _ = read_yaml(
        "mappings:\n  fields:\n    number: null\n    title: Note\n    day: Dya\n  write: {a: 1}\n", file="hub.yaml"
    )
    text = file_of("number: Number\ntitle: Title\n", "write: {b: 2}\n")
    lens, problems = load(text, specs=SPECS, resource=RESOURCE, overrides=hub.section("mappings"), file="deals.yaml")
    assert lens is None
    assert [str(problem) for problem in problems] == ["hub.yaml:5:10: Deals has no field 'Dya' → did you mean 'Day'?"]
    lens = lens_of(
        "number: Number\ntitle: Title\n",
        "write: {b: 2}\n",
        overrides={"fields": {"number": None, "title": "Note"}, "write": {"a": 1}},
    )
    assert {name: field.remote for name, field in lens.fields.items()} == {"title": ("Note",)}
    assert lens.write_options == {"a": 1, "b": 2}


def test_the_version_changes_with_what_decides_the_result_and_with_nothing_else():
    base = lens_of("number: Number\ntitle: Title").version
    assert lens_of("title:   Title\nnumber: Number", "# a comment\ndescription: other\n").version == base
    assert lens_of("number: Number\ntitle: Note").version != base
    assert lens_of("number: Number\ntitle: Title", "write: {audit: true}\n").version != base
    other = Resource("Deals", fields=(Field("Number", "integer"), Field("Title", "text")))
    assert lens_of("number: Number\ntitle: Title", resource=other).version != base


def test_callers_that_cant_go_on_get_one_error():
    lens, problems = read_mapping(file_of("numbr: Number"))
    with pytest.raises(ConfigurationError) as caught:
        require(lens, problems)
    assert str(caught.value) == "deals.yaml:5:3: deal has no field 'numbr' → did you mean 'number'?"


def test_nothing_is_checked_against_a_resource_that_nobody_described():
    assert problems_of("number: Whatever.it[0].is\ncount: Other", resource=None) == []
