"""The bundled entities: specs read off the classes."""

from __future__ import annotations

from pathlib import Path

from hub.model import entities
from hub.model.columns import COLUMN_TYPES, Exact, metadata
from hub.model.declare import by_reference, references
from hub.model.projection import entity_tables
from hub.model.reference import FILE, markdown


def test_the_five_entities_refer_only_to_earlier_ones() -> None:
    specs = entities()
    assert list(specs) == ["customer", "contact", "product", "order", "invoice"] == by_reference(specs)
    assert references(specs["invoice"]) == {"customer", "order", "product"}


def test_specs_are_complete() -> None:
    for spec in entities().values():
        assert spec.description
        assert all(title in spec.fields for title in spec.title)
        for field in spec.fields.values():
            assert field.description, f"{spec.name}.{field.name}"
            assert (field.type == "enum") == bool(field.choices)
            assert (field.type == "ref") == (field.ref is not None)
            assert (field.type == "lines") == (field.lines is not None)
            if field.lines:
                assert field.lines.key in field.lines.fields


def test_every_field_has_a_column_of_its_type() -> None:
    for spec in entities().values():
        tables = entity_tables(spec.name)
        assert tables is not None
        for field in spec.fields.values():
            if field.lines is None:
                column = tables.table.columns[f"{field.name}_id" if field.type == "ref" else field.name]
                assert isinstance(column.type, COLUMN_TYPES.get(field.type, type(column.type)))
    assert isinstance(metadata.tables["sales_order"].c.total.type, Exact)


def test_a_line_is_found_by_its_record() -> None:
    assert [c.name for c in metadata.tables["sales_order_line"].primary_key.columns] == ["order_id", "position"]


def test_asking_for_entities_gives_a_dict_of_ones_own() -> None:
    mine = entities()
    mine.clear()
    assert entities()


def test_the_documentation_is_made_from_the_specs() -> None:
    page = (Path(__file__).parents[2] / FILE).read_text("utf-8")
    assert page == markdown().rstrip() + "\n", "run: python -m hub.model.reference"
