"""The generated code does what the careful walk does, whatever the record and whatever the names in the mapping."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping.mapping_world import FILES, RESOURCE, SPECS, lens_of

from hub.errors import RecordRejected
from hub.mapping import load, quick
from hub.mapping.paths import show
from hub.model import forms

RIGHT = sorted((FILES / "right").glob("*.yaml"))

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**6), st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.sampled_from(["", " ", "New", "Open", "Won", "CNY", "PRE001", "Y", "N", "2026-01-15", "13800000000",
                     "2026-01-15T10:00:00+08:00", "a@B.de", "CN",
                     "中国", "D-000012", "A, B", "1.234,5", "Ä", "x\r\ny", "7"]),
    st.text(max_size=5), st.just({}), st.just([]), st.just({"id": "1"}), st.just("\ud800"), st.floats(),
)  # fmt: skip
LINES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b"]), "Seq": st.integers(1, 3) | SCALARS, "Note": SCALARS, "Qty": SCALARS,
        "Product": st.none() | st.fixed_dictionaries({}, optional={"id": SCALARS}), "Price": SCALARS,
        "Taxes": st.none() | st.lists(st.fixed_dictionaries({}, optional={"percent": SCALARS}), max_size=2) | SCALARS,
    },
)  # fmt: skip
NESTED = {
    "Customer": st.none() | st.fixed_dictionaries({}, optional={"id": SCALARS}) | SCALARS,
    "Finance": st.none() | SCALARS | st.fixed_dictionaries(
        {}, optional={"Currency": st.none() | st.fixed_dictionaries({}, optional={"Code": SCALARS}) | SCALARS}),
    "Extra": st.none() | st.dictionaries(st.sampled_from(["place.name", "rabatt", "source"]), SCALARS),
    "Items": st.none() | st.lists(LINES, max_size=3) | SCALARS,
}  # fmt: skip
RECORDS = st.fixed_dictionaries(
    {}, optional={**{field.name: SCALARS for field in RESOURCE.fields if field.name not in NESTED}, **NESTED}
)


def outcome(put, *args):
    try:
        return put(*args), None
    except RecordRejected as error:
        return None, str(error)


def equal(one, other):
    """Equal in value and type, so that True is not 1 and Decimal is not int; nan equals itself."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
@pytest.mark.parametrize("resource", [RESOURCE, None], ids=["typed", "untyped"])
def test_both_ways_agree_on_every_record(path: Path, resource):
    lens, _ = load(path, specs=SPECS, resource=resource)

    @given(RECORDS)
    def agree(record):
        got = lens.get(record)
        assert equal(got, lens.careful_get(record))
        assert equal(lens.get_many([record, record]), [got, got])
        assert equal(outcome(lens.put, got.values, None), outcome(lens.careful_put, got.values, None))
        assert equal(outcome(lens.put, got.values, record), outcome(lens.careful_put, got.values, record))

    agree()


HEADS = sorted(name for name, field in SPECS["deal"].fields.items() if field.type != "lines")
EVERYTHING, _ = load(FILES / "right" / "everything.yaml", specs=SPECS, resource=RESOURCE)


@given(st.dictionaries(st.sampled_from(HEADS), SCALARS))
def test_both_ways_agree_on_values_that_are_not_canonical(values):
    assert equal(outcome(EVERYTHING.put, values, None), outcome(EVERYTHING.careful_put, values, None))


NAMES = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip).map(str.strip)
)
NASTY = st.sampled_from(
    ['"', "'", "'''", '"""', "\\", "\\'", "{x}", "{", "%s", "#", "x' + str(1) + '", '"]; raise SystemExit; o["',
     "__import__", "o", "g", "v", "A", "None", "self", "\u2028", "名 称", "🙂", "a b", "r['x']", "K1", "$(id)",
     "\N{ZERO WIDTH JOINER}x"]
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.one_of(NAMES, NASTY), min_size=1, max_size=3), st.one_of(NAMES, NASTY))
def test_names_and_values_are_only_ever_names_and_values(steps, word):
    """Whatever stands in the mapping, the code reads that field, writes that value, and does nothing else."""
    path = json.dumps(show(tuple(steps)))
    table = json.dumps({"draft": word})
    constant = json.dumps(word)
    fields = f"title: {path}\nstatus: {{field: s, values: {table}}}\nx: {{field: c, constant: {constant}}}\n"
    lens = lens_of(fields, resource=None)
    record: object = "t"
    for step in reversed(steps):
        record = {step: record}
    got = lens.get({**record, "s": word})
    if steps[0] not in ("s", "c"):
        assert got.problems == ()
        assert got.values["title"] == "t"
        assert lens.put({"title": "t"}, None) == {**record, "c": word}
    assert lens.put({"status": "draft"}, None) == {"s": word, "c": word}


QUICK = [(quick.decimal, forms.decimal), (quick.tax_id, forms.tax_id), (quick.email, forms.email)]
MANY = st.one_of(
    SCALARS, st.decimals(), st.emails(), st.text(), st.from_regex(r"\+86[1-9]\d{10}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,40}\.[0-9]{0,5}", fullmatch=True).map(Decimal), st.integers(),
)  # fmt: skip


def told(form, value):
    try:
        return repr(form(value))
    except ValueError as error:
        return str(error)


@given(MANY)
def test_short_cuts_lead_to_the_same_place(value):
    for short, form in [*QUICK, (quick.phone("CN"), lambda v: forms.phone(v, "CN")), (quick.phone(None), forms.phone)]:
        assert told(short, value) == told(form, value)


def test_a_memo_stays_small():
    memo = quick.Memo(str.upper)
    for number in range(quick.Memo.MOST + 100):
        assert memo[f"a{number}"] == f"A{number}"
    assert len(memo) == quick.Memo.MOST


def test_a_lens_shows_itself():
    assert repr(lens_of("title: Title")) == "<mapping Deals ↔ deal from deals.yaml>"
