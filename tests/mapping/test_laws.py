"""The laws on a user's mapping: what breaks them is told with the smallest value, what keeps them stays silent."""

from decimal import Decimal
from pathlib import Path

import pytest
from mapping.mapping_world import DEAL, FILES, FOLDER, RESOURCE, file_of, read_mapping

from hub.connect import registry
from hub.mapping import load
from hub.mapping.laws import CURES, check_laws
from hub.mapping.operators import OPERATORS
from hub.mapping.pingpong import CURE as CURE_SETTLE
from hub.mapping.reading import read_yaml
from hub.mapping.record_laws import CURE_GETPUT, CURE_OVERWRITTEN
from hub.mapping.shrink import smallest
from hub.mapping.values import canonical_values
from hub.model import entities
from hub.model.spec import FieldSpec

BUNDLED = sorted(p for p in (Path(__file__).parents[2] / "mappings").rglob("*.yaml") if not p.stem.endswith("_test"))
RIGHT = sorted(FILES.joinpath("right").glob("*.yaml"))


class CutsToFour:
    def get(self, value):
        return value

    def put(self, value):
        return value[:4]


class CutsAndSaysSo(CutsToFour):
    def form(self, value):
        return value[:4]


class Unreadable:
    def get(self, value):
        return str(int(value))

    def put(self, value):
        return f"No. {value}"


class ForgetsQ:
    def get(self, value):
        return value

    def put(self, value):
        return value.replace("Ǫ", "")


PAIRS = {
    "cuts_to_four": CutsToFour, "cuts_and_says_so": CutsAndSaysSo, "unreadable": Unreadable, "forgets_q": ForgetsQ,
}  # fmt: skip


def told(fields, recorded=(), **more):
    lens, problems = read_mapping(file_of(fields), functions=PAIRS, **more)
    assert lens is not None, [str(p) for p in problems]
    resource = more.get("resource", RESOURCE)
    return [f"{p.severity} {p}" for p in check_laws(lens, DEAL, resource, recorded)]


@pytest.mark.parametrize("path", BUNDLED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_bundled_mappings_keep_the_laws(path):
    name = read_yaml(path)[0].data["resource"]
    resource = next(r for r in registry.find(path.parent.name).resources() if r.name == name)
    lens, _ = load(path, specs=entities(), resource=resource)
    assert check_laws(lens, entities()[lens.entity], resource) == []


@pytest.mark.parametrize("path", RIGHT, ids=lambda p: p.stem)
def test_right_mappings_keep_the_laws(path):
    text = path.read_text("utf-8")
    lens, problems = read_mapping(text)
    assert lens is not None, [str(p) for p in problems]
    assert [str(p) for p in check_laws(lens, DEAL, RESOURCE)] == []


BROKEN = [
    (
        "title: {field: Title, via: {python: cuts_to_four}}",
        "error deals.yaml:5:3: title: '00011' is written to Title as '0001' and read back as '0001' → say direction: "
        "in (or out), choose operators that keep it, or a representative in the value table",
    ),
    (
        "title: {field: Title, via: {python: unreadable}}",
        "error deals.yaml:5:3: title: 'a' is written to Title as 'No. a', and that can't be read: invalid literal for "
        "int() with base 10: 'No. a' → let the operator read what it writes, or say direction: out",
    ),
    (
        'note: {field: Note, null_as: "none"}',
        "warning deals.yaml:5:3: note: null is written to Note as 'none' and read back as 'none' → if 'none' means the "
        "same as nothing here, let it be read so: zero: blank, or a value table",
    ),
    (
        "status: {field: [First, Last], via: {cases: {draft: [A, '*'], approved: ['*', B], closed: [A, C]}}}",
        "error deals.yaml:5:3: status: 'closed' is written to First, Last as ['A', 'C'] and read back as 'draft' → say "
        "direction: in (or out), choose operators that keep it, or a representative in the value table",
    ),
    (
        "title: {field: Title, via: {prefix: ' C'}}",
        "error deals.yaml:5:3: title: 'a' is written to Title as ' Ca', and that can't be read: expected a text that "
        "begins with ' C', got ' Ca' → let the operator read what it writes, or say direction: out",
    ),
    (
        "title: {field: Title, via: {suffix: ' (from the old system)'}}",
        "error deals.yaml:5:3: title: hardly any value can be written to Title; 'a (from the old system)b': 46 "
        "characters, and there is room for 20 → say direction: in, or map it to a field of another type",
    ),
    (
        "phone: Count",
        "error deals.yaml:5:3: phone: '00' is written to Count as 0 and read back as '0'",
    ),
    (
        "title: Title\nnumber: Title",
        "error deals.yaml:5:3: title: 'a' is written to Title and read back as '12': number at deals.yaml:6:3 "
        "writes there too → map each remote field once, or say direction: in (or out) for one of the two",
    ),
    (
        "addresses[billing]: {fields: {city: City}}\naddresses[shipping]: {fields: {city: City}}",
        "error deals.yaml:5:33: addresses[billing].city: 'T1' is written to City and read back as 'T18': city at "
        "deals.yaml:6:34 writes there too",
    ),
]


@pytest.mark.parametrize(("fields", "message"), BROKEN)
def test_what_breaks_a_law_is_told_with_the_smallest_value(fields, message):
    assert any(line.startswith(message) for line in told(fields)), told(fields)


SILENT = [
    "title: Count",
    "title: {field: Title, via: {python: cuts_and_says_so}}",
    "title: {field: Title, via: {python: cuts_to_four}, direction: in}",
    "title: {field: Title, via: {python: cuts_to_four}, direction: out}",
    "title: {field: Title, via: {cut: {length: 4, rest: kept}}}",
    "status: {field: Status, values: {draft: New, approved: Won, '*': New}}",
    "discount: {field: Discount, via: {number: {zero: blank}}, null_as: 0}",
    "currency: {field: Currency, assume: CNY}",
    "email: {field: Email, blank: ignore}",
    "title: {field: Title, direction: in}\nnumber: Title",
    "status: {field: [First, Last], via: {cases: {draft: [A, '*'], submitted: [A, '*'], approved: [B, C]}}}",
]


@pytest.mark.parametrize("fields", SILENT)
def test_what_says_what_it_loses_is_silent(fields):
    assert told(fields) == []


def test_a_time_of_day_that_the_format_leaves_out_is_cut_off_on_purpose():
    assert told("moment: {field: Title, via: {datetime: {zone: Asia/Shanghai, format: '%Y-%m-%d %H:%M'}}}") == []


def test_a_share_of_a_large_sum_that_loses_cents_is_a_warning():
    fields = """
    lines:
      field: Items
      key: line_no
      fields: {line_no: Seq, quantity: Qty, price: {field: Price, via: {percent_of: {fields: [quantity], scale: 2}}}}
    """
    lines = told(fields)
    assert len(lines) == 1 and lines[0].startswith("warning deals.yaml:"), lines
    assert "(with quantity 2000)" in lines[0]


def test_values_seen_in_the_system_are_tried_too():
    """Only a recorded value has the letter that the pair forgets."""
    fields = "title: {field: Title, via: {python: forgets_q}}"
    assert told(fields) == []
    lines = told(fields, recorded=[{"Title": "plain"}, {"Title": "a title with Ǫ"}])
    assert lines == [
        "error deals.yaml:5:3: title: Title holds 'Ǫ', read as 'Ǫ'; written again as '' it reads null → say direction: "
        "in, or keep the rest of the remote value: part, or cut with rest: kept"
    ]


def test_a_record_that_was_seen_is_written_as_it_was_read():
    fields = """
    title: {field: Title, via: {part: {separator: ", ", number: 1}}}
    number: {field: Title, direction: in}
    discount: Discount
    lines: {field: Items, key: line_no, fields: {line_no: Seq, quantity: Qty}}
    """
    record = {
        "Title": "a,  b", "Discount": Decimal("1.50"),
        "Items": [{"id": "2", "Seq": 2, "Qty": Decimal("1.0")}, {"id": "1", "Seq": 1}],
    }  # fmt: skip
    assert told(fields, recorded=[record]) == []


def test_the_verdict_is_the_same_every_time():
    fields = "\n".join(fields for fields, _ in BROKEN[:3])
    fields = fields.replace("title: {field: Title, via: {python: u", "person: {field: Title, via: {python: u")
    assert told(fields) == told(fields) != []


def test_every_cure_and_every_operator_is_in_the_reference():
    text = (FOLDER.parents[1] / "docs" / "mappings.md").read_text("utf-8").partition("## Laws")[2]
    cures = [*CURES.values(), CURE_OVERWRITTEN, CURE_GETPUT, CURE_SETTLE]
    assert [cure for cure in cures if cure not in text] == []
    table = text.partition("canonical form: what a value comes back as")[2].partition("hub validate")[0]
    assert [name for name in OPERATORS if f"`{name}`" not in table] == []


def test_edge_values_are_in_canonical_form_and_of_every_kind():
    texts = canonical_values(FieldSpec("x", "text"))
    assert texts[0] is None and "🙂" in texts and "１２３" in texts and any(len(t) >= 300 for t in texts if t)
    numbers = canonical_values(FieldSpec("x", "money"))
    assert {"0", "-1", "9" * 28} <= set(numbers)
    assert all(len(t) <= 5 for t in canonical_values(FieldSpec("x", "text", max_length=5)) if t)
    assert canonical_values(FieldSpec("x", "enum", choices=("a", "b"))) == [None, "a", "b"]


@pytest.mark.parametrize(
    ("value", "breaks", "wanted"),
    [
        ("x" * 300, lambda v: len(v) > 40, "a" * 41),
        ("上海 12 号楼", lambda v: "1" in v, "1"),
        (987654, lambda n: n > 100, 987),
        (["a", "b", "c"], lambda v: "b" in v, ["b"]),
        (True, lambda v: True, True),
    ],
)
def test_values_are_made_as_small_as_they_can_be(value, breaks, wanted):
    assert smallest(value, breaks) == wanted
