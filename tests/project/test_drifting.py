"""What changed in a live system is told with the lines of the mapping that it touches."""

from pathlib import Path

from hub.connect.capabilities import Field, Resource
from hub.mapping import load
from hub.model import entities
from hub.project.drifting import moved

MAPPING = """\
version: 2
resource: orders
entity: order
match: [number]
fields:
  number: no
  note: remark
  addresses[billing]:
    fields: {city: invoice_city}
  lines:
    field: rows
    key: line_no
    fields:
      line_no: nr
      quantity: qty
"""
ROWS = (Field("nr", "integer"), Field("qty", "decimal"))


def orders(*fields: Field, rows: tuple[Field, ...] = ROWS) -> Resource:
    return Resource("orders", fields=(*fields, Field("rows", "lines", fields=rows)))


KNOWN = orders(Field("no"), Field("remark"), Field("invoice_city"), Field("unused"))


def told(tmp_path: Path, live: Resource) -> list[tuple[str, str, list[str], bool]]:
    path = tmp_path / "orders.yaml"
    path.write_text(MAPPING, "utf-8")
    lens, _ = load(path, specs=entities())
    changes = moved(KNOWN, live, lens)
    return [(c.field, c.kind, [line.rpartition("/")[2] for line in c.lines], c.harmful) for c in changes]


def test_nothing_changed_and_nothing_known_are_both_quiet(tmp_path: Path):
    assert told(tmp_path, KNOWN) == []
    assert moved(None, KNOWN, None) == moved(Resource("orders"), KNOWN, None) == []


def test_a_field_that_is_gone_names_its_line_and_one_that_nobody_maps_does_no_harm(tmp_path: Path):
    live = orders(Field("no"), Field("invoice_city"))
    assert told(tmp_path, live) == [
        ("remark", "removed", ["orders.yaml:7:3"], True),
        ("unused", "removed", [], False),
    ]


def test_members_of_lines_and_of_picked_lines_are_followed(tmp_path: Path):
    live = orders(
        Field("no"), Field("remark"), Field("invoice_city", "integer"), Field("unused"),
        rows=(ROWS[0], Field("qty", "text")),
    )  # fmt: skip
    assert told(tmp_path, live) == [
        ("invoice_city", "retyped", ["orders.yaml:9:14"], True),
        ("rows.qty", "retyped", ["orders.yaml:10:3", "orders.yaml:15:7"], True),
    ]


def test_a_new_mandatory_field_does_harm_though_no_line_names_it(tmp_path: Path):
    live = orders(
        Field("no"),
        Field("remark"),
        Field("invoice_city"),
        Field("unused"),
        Field("fax"),
        Field("region", required=True),
    )
    assert told(tmp_path, live) == [("fax", "added", [], False), ("region", "added", [], True)]
