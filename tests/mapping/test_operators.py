"""Every operator: what it makes of remote values, what it writes, what it refuses, and that it is a lens.

The laws, for values the operator accepts: writing what was read and reading it again changes nothing (PutGet), and a
value that was read is in the canonical form of its field.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping.mapping_world import get, lens_of, put

from hub.errors import RecordRejected
from hub.mapping.operators import OPERATORS
from hub.model import forms

D = Decimal

# canonical field, the rule without its field, remote value, canonical value, what a create writes
CASES = [
    ("title", "via: text", "  A\u0308 b ", "Ä b", "Ä b"),
    ("title", "via: text", 7, "7", "7"),
    ("title", "via: trim", " a ", "a", "a"),
    ("title", "via: upper", "ab", "AB", "AB"),
    ("title", "via: lower", "AB", "ab", "ab"),
    ("title", "via: narrow", "Ｇrant　&  Ｃｏ．（上海）１", "Grant & Co．（上海）1", "Grant & Co．（上海）1"),
    ("number", "via: {prefix: C-}", "C-12", "12", "C-12"),
    ("number", "via: {prefix: {text: C-, optional: true}}", "12", "12", "C-12"),
    ("number", "via: {suffix: ' kg'}", "12 kg", "12", "12 kg"),
    ("number", "via: {suffix: {text: ' kg', optional: true}}", "12", "12", "12 kg"),
    ("number", "via: [{prefix: C-}, {zeros: 5}]", "C-00012", "12", "C-00012"),
    ("number", "via: {zeros: 3}", "000", "0", "000"),
    ("note", "via: html", "<p>a &amp; b</p><p>c<br/>d</p>", "a & b\nc\nd", "a &amp; b<br>c<br>d"),
    ("note", "via: html", "plain", "plain", "plain"),
    ("note", "via: {cut: {length: 3, rest: kept}}", "abc", "abc", "abc"),
    ("discount", "via: number", D("1.50"), "1.5", D("1.5")),
    ("discount", "via: number", "12", "12", D("12")),
    ("discount", "via: {number: 2}", D("1.005"), "1.01", D("1.01")),
    ("discount", "via: {number: {scale: 2, rounding: half_even}}", D("1.005"), "1", D("1.00")),
    ("discount", "via: {number: {scale: 0, rounding: down}}", D("-1.9"), "-1", D("-1")),
    ("discount", "via: {number: {significant: 7}}", D("0.15000000596046448"), "0.15", D("0.15")),
    ("discount", "via: {number: {factor: 100}}", 1250, "12.5", D("1250")),
    ("discount", "via: {number: {factor: -1}}", D("3"), "-3", D("3")),
    ("discount", "via: {number: {mark: ',', thousands: '.'}}", "1.234,50", "1234.5", "1234,5"),
    ("total", "via: {money: 2}", D("99.999"), "100", D("100.00")),
    ("discount", "via: quantity", D("2.000"), "2", D("2")),
    ("tax_rate", "via: percent", D("13.0"), "13", D("13")),
    ("tax_rate", "via: percent", "13 %", "13", D("13")),
    ("tax_rate", "via: {percent: 1}", D("0.13"), "13", D("0.13")),
    ("tax_rate", "via: {percent: {sign: true}}", "6.5%", "6.5", "6.5%"),
    ("count", "via: integer", D("3.0"), 3, 3),
    ("day", "via: date", "2026-01-15T00:00:00", "2026-01-15", "2026-01-15"),
    ("day", "via: {date: '%d.%m.%Y'}", "15.01.2026", "2026-01-15", "15.01.2026"),
    ("day", "via: {date: {time: '00:00:00'}}", "2026-01-15T00:00:00", "2026-01-15", "2026-01-15T00:00:00"),
    ("day", "via: {date: {zone: Asia/Shanghai}}", "2026-01-14T18:30:00Z", "2026-01-15", "2026-01-15T00:00:00+08:00"),
    ("day", "via: {date: {zone: Asia/Shanghai}}", "2026-01-15", "2026-01-15", "2026-01-15T00:00:00+08:00"),
    ("moment", "via: datetime", "2026-01-28T12:00:05+05:30", "2026-01-28T06:30:05Z", "2026-01-28T06:30:05Z"),
    ("moment", "via: {datetime: {style: offset}}", "2026-01-28T12:00:05+05:30", "2026-01-28T06:30:05Z",
     "2026-01-28T06:30:05+00:00"),
    ("moment", "via: {datetime: {style: offset, zone: Asia/Shanghai}}", "2026-01-28T12:00:05", "2026-01-28T04:00:05Z",
     "2026-01-28T12:00:05+08:00"),
    ("moment", "via: {datetime: Asia/Shanghai}", "2026-01-15T09:30:12.380", "2026-01-15T01:30:12.38Z",
     "2026-01-15T09:30:12.38"),
    ("moment", "via: {datetime: {zone: Asia/Shanghai, separator: ' ', fraction: 0}}", "2026-01-15 09:30:12.9",
     "2026-01-15T01:30:12Z", "2026-01-15 09:30:12"),
    ("moment", "via: {datetime: {zone: Asia/Shanghai, format: '%Y%m%d%H%M%S'}}", "20260115093012",
     "2026-01-15T01:30:12Z", "20260115093012"),
    ("moment", "via: {datetime: {style: epoch}}", 1700000000, "2023-11-14T22:13:20Z", 1700000000),
    ("moment", "via: {datetime: {style: epoch_ms}}", 1700000000123, "2023-11-14T22:13:20.123Z", 1700000000123),
    ("taxed", "via: boolean", "true", True, True),
    ("taxed", "via: {boolean: {true: [Y, J], false: N}}", "J", True, "Y"),
    ("taxed", "values: {true: '1', false: '0'}", "0", False, "0"),
    ("taxed", "values: {true: 1, false: 0}", "1", True, 1),
    ("phone", "via: {phone: CN}", "138 0000 0000", "+8613800000000", "+8613800000000"),
    ("phone", "via: {phone: {region: CN, style: national}}", "138 0000 0000", "+8613800000000", "138 0000 0000"),
    ("phone", "via: {phone: {style: international}}", "+86 13800000000", "+8613800000000", "+86 138 0000 0000"),
    ("phone", "via: {phone: CN}", "ask Ann", "ask Ann", "ask Ann"),
    ("email", "via: email", "Ann.Lee@EXAMPLE.com", "Ann.Lee@example.com", "Ann.Lee@example.com"),
    ("tax_id", "via: tax_id", "91310000-ma1fl0000x", "91310000MA1FL0000X", "91310000MA1FL0000X"),
    ("country", "via: country", "德国", "DE", "DE"),
    ("country", "via: {country: name}", "Germany", "DE", "Germany"),
    ("country", "via: {country: {style: name, language: zh}}", "Germany", "DE", "德国"),
    ("country", "via: {country: alpha3}", "deu", "DE", "DEU"),
    ("country", "via: {country: numeric}", "276", "DE", "276"),
    ("currency", "via: currency", "人民币", "CNY", "CNY"),
    ("person", "via: {list: ', '}", ["a", " ", "b"], "a, b", ["a", "b"]),
    ("status", "values: {draft: [A, Z], approved: C}", "Z", "draft", "A"),
    ("status", "values: {draft: A, closed: '*'}", "whatever", "closed", None),
    ("status", "values: {draft: A, closed: [X, '*']}", "whatever", "closed", "X"),
    ("status", "values: {draft: [A, null], closed: X}", None, "draft", "A"),
    ("status", "values: {null: -None-, closed: X}", "-None-", None, "-None-"),
    ("currency", "values: {CNY: PRE001, '*': '*'}", "PRE001", "CNY", "PRE001"),
    ("currency", "values: {CNY: PRE001, '*': '*'}", "EUR", "EUR", "EUR"),
    ("count", "values: {1: one, 2: two}", "two", 2, "two"),
    ("discount", "values: {0.5: half, 1: whole}", "half", "0.5", "half"),
    ("title", "values: {'1': 5}", "5", "1", 5),
]  # fmt: skip


AREAS = [
    (["010", "8715 0685"], "+861087150685", ["010", "87150685"]),
    (["0571", "58674599-12"], "+8657158674599;ext=12", ["0571", "58674599-12"]),
    ([None, "138 0013 8000"], "+8613800138000", [None, "138 0013 8000"]),
    ([None, "010 8715 0685"], "+861087150685", ["010", "87150685"]),
    (["010", "+49 40 30091200"], "+494030091200", [None, "+494030091200"]),
    (["010", "call the doorman"], "010-call the doorman", [None, "010-call the doorman"]),
]


@pytest.mark.parametrize(("remote", "canonical", "written"), AREAS)
def test_an_area_code_of_its_own(remote, canonical, written):
    field = "phone: {field: [First, Last], via: {area_code: CN}}"
    assert get(field, {"First": remote[0], "Last": remote[1]}) == {"phone": canonical}
    assert list(put(field, {"phone": canonical}).values()) == written
    old = {"First": remote[0], "Last": remote[1]}
    assert put(field, {"phone": canonical}, old) == old, "what means the same already is left alone"


def test_a_country_that_dials_no_zero():
    field = "phone: {field: [First, Last], via: {area_code: US}}"
    assert put(field, {"phone": "+12128424132"}) == {"First": "212", "Last": "8424132"}


def rule(field: str, how: str) -> str:
    return f"{field}: {{field: Extra.x, {how}}}"


@pytest.mark.parametrize(("field", "how", "remote", "canonical", "written"), CASES)
def test_what_operators_read_and_write(field, how, remote, canonical, written):
    assert get(rule(field, how), {"Extra": {"x": remote}}) == {field: canonical}
    if written is not None:
        made = put(rule(field, how), {field: canonical})["Extra"]["x"]
        assert (made, type(made)) == (written, type(written))
        assert get(rule(field, how), {"Extra": {"x": made}}) == {field: canonical}, "PutGet"


def test_every_operator_has_a_case_here():
    # These need several fields, the old value, fields beside them, or a function; they have tests of their own below.
    elsewhere = {"area_code", "join", "part", "python", "cases", "percent_of", "with_tax", "without_tax"}
    assert {name for name in OPERATORS if not any(name in how for _, how, *_ in CASES)} == elsewhere


@pytest.mark.parametrize(
    ("field", "how", "remote", "message"),
    [
        ("number", "via: {prefix: C-}", "D-12", "expected a text that begins with 'C-', got 'D-12'"),
        ("number", "via: {suffix: kg}", "12 lb", "expected a text that ends with 'kg', got '12 lb'"),
        ("number", "via: {zeros: 3}", "0012", "expected at most 3 characters, got '0012'"),
        ("title", "via: text", {"id": "1"}, "expected text, got an object with id; name one of them in the path"),
        ("title", "via: upper", ["a"], "expected text, got a list; name one of its items or join it"),
        ("discount", "via: number", 0.1, "the binary float 0.1"),
        ("day", "via: {date: '%d.%m.%Y'}", "2026-01-15", "expected a date written like '%d.%m.%Y', got '2026-01-15'"),
        ("moment", "via: datetime", "2026-01-15T09:30:12", "has no zone"),
        ("moment", "via: {datetime: Asia/Shanghai}", "soon", "expected an instant like"),
        ("country", "via: country", "Atlantis", "expected a country like CN, China or 中国, got 'Atlantis'"),
        ("status", "values: {draft: New, approved: Won}", "Newt", "the value table has no 'Newt' (nearest: 'New')"),
        ("person", "via: list", "a", "expected a list, got 'a'"),
    ],
)
def test_what_operators_refuse_to_read(field, how, remote, message):
    got = lens_of(rule(field, how)).get({"Extra": {"x": remote}})
    assert got.values == {}
    assert message in got.problems[0].message


@pytest.mark.parametrize(
    ("field", "how", "canonical", "message"),
    [
        ("number", "via: {zeros: 3}", "1234", "'1234' has 4 characters, the remote code has 3"),
        ("status", "values: {draft: A, closed: '*'}", "closed", "nothing in the value table says how 'closed'"),
        ("moment", "via: {datetime: Europe/Berlin}", "2026-10-25T01:30:00Z", "the clocks go back in Europe/Berlin"),
        ("title", "via: {part: {separator: ', ', number: 1}}", "a, b", "'a, b' holds the separator ', '"),
    ],
)  # fmt: skip
def test_what_operators_refuse_to_write(field, how, canonical, message):
    with pytest.raises(RecordRejected) as caught:
        lens_of(rule(field, how)).put({field: canonical}, None)
    assert message in str(caught.value)


def test_cut_keeps_the_remote_value_that_already_is_the_beginning():
    fields = "title: {field: Title, via: {cut: {length: 5, rest: kept}}}"
    assert put(fields, {"title": "Long title"}) == {"Title": "Long"}
    assert put(fields, {"title": "Long title"}, {"Title": "Long"}) == {"Title": "Long"}


@pytest.mark.parametrize(
    ("how", "text", "parts"),
    [
        ('" "', "Ann Lee Smith", ["Ann", "Lee Smith"]),
        ('{separator: " ", rest: first}', "Ann Lee Smith", ["Ann Lee", "Smith"]),
        ('" "', "Ann", ["Ann", None]),
        ('{separator: " ", single: last}', "Ann", [None, "Ann"]),
        ('", "', "a, b", ["a", "b"]),
    ],
)
def test_join_and_split(how, text, parts):
    fields = f"person: {{field: [First, Last], via: {{join: {how}}}}}"
    record = dict(zip(("First", "Last"), parts, strict=True))
    assert put(fields, {"person": text}) == record
    assert get(fields, record) == {"person": text}


def test_join_leaves_out_what_is_blank_and_tells_absent_from_null():
    fields = 'person: {field: [First, Last], via: {join: " "}}'
    assert get(fields, {"First": " ", "Last": "Li"}) == {"person": "Li"}
    assert get(fields, {"Last": "Li"}) == {"person": "Li"}
    assert get(fields, {"First": None, "Last": ""}) == {"person": None}
    assert get(fields, {}) == {}
    assert put(fields, {"person": None}) == {"First": None, "Last": None}


def test_the_area_code_may_live_apart_from_the_number():
    fields = "phone: {field: [First, Last], via: [{join: ' '}, {phone: {region: CN, style: national}}]}"
    assert get(fields, {"First": "010", "Last": "65529988"}) == {"phone": "+861065529988"}
    assert put(fields, {"phone": "+861065529988"}) == {"First": "010", "Last": "6552 9988"}


def test_a_registered_python_pair_is_an_operator(tmp_path):
    from hub.mapping import load_functions

    (tmp_path / "mine.py").write_text(
        "from hub.mapping import pair\n"
        "@pair('shift')\n"
        "class Shift:\n"
        "    def __init__(self, by=1): self.by = by\n"
        "    def get(self, value): return value + self.by\n"
        "    def put(self, value): return value - self.by\n"
        "@pair('tail')\n"
        "class Tail:\n"
        "    def get(self, value): return value[1:]\n"
        "    def put(self, value, old): return (old or '?')[0] + value\n"
    )
    functions, problems = load_functions(tmp_path)
    assert problems == []
    fields = (
        "count: {field: Count, via: {python: {name: shift, args: {by: 5}}}}\ntitle: {field: Title, via: {python: tail}}"
    )
    assert get(fields, {"Count": 1, "Title": "xab"}, functions=functions) == {"count": 6, "title": "ab"}
    assert put(fields, {"count": 6, "title": "cd"}, {"Title": "xab"}, functions=functions) == {
        "Count": 1,
        "Title": "xcd",
    }
    lens = lens_of("count: {field: Count, via: {python: shift}}", functions=functions)
    assert "TypeError" in lens.get({"Count": "x"}).problems[0].message
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text().replace("value - self.by", "value - 2"))
    changed, _ = load_functions(tmp_path)
    assert lens_of("count: {field: Count, via: {python: shift}}", functions=changed).version != lens.version


def test_a_python_file_that_cant_be_imported_is_a_problem(tmp_path):
    from hub.mapping import load_functions

    (tmp_path / "bad.py").write_text("x = \n")
    (tmp_path / "half.py").write_text(
        "from hub.mapping import pair\n@pair('h')\nclass H:\n    def get(self, v): return v\n"
    )
    _, problems = load_functions(tmp_path)
    assert [p.position.file.rsplit("/", 1)[-1] for p in problems] == ["bad.py", "half.py"]
    assert "SyntaxError" in problems[0].message
    assert "the pair 'h' has no put()" in problems[1].message


CASES_OF_STATUS = """
status:
  field: [Status, Flag, Total]
  via:
    cases:
      closed: [Won, "B", "*"]
      approved: [[Won, Open], "A", "*"]
      submitted: [New, "A", 1]
      draft: [New, "A", "*"]
"""


def test_several_fields_say_one_thing_by_cases():
    record = {"Status": "Open", "Flag": "A", "Total": None}
    assert get(CASES_OF_STATUS, record) == {"status": "approved"}
    assert get(CASES_OF_STATUS, {"Status": "Won", "Flag": "B"}) == {"status": "closed"}
    assert get(CASES_OF_STATUS, {"Status": "New", "Flag": "A", "Total": D("1.0")}) == {"status": "submitted"}
    assert get(CASES_OF_STATUS, {"Status": "New", "Flag": "A", "Total": D("2")}) == {"status": "draft"}
    assert get(CASES_OF_STATUS, dict.fromkeys(record)) == {"status": None}
    got = lens_of(CASES_OF_STATUS).get({"Status": "Lost", "Flag": "A", "Total": None})
    assert got.problems[0].message == "no case fits 'Lost', 'A', null"
    assert got.problems[0].remote == "Status, Flag, Total"


def test_cases_write_the_first_word_and_leave_alone_what_does_not_matter_or_cannot_be_written():
    assert put(CASES_OF_STATUS, {"status": "approved"}) == {"Status": "Won", "Flag": "A"}
    assert put(CASES_OF_STATUS, {"status": "submitted"}) == {"Status": "New", "Flag": "A"}, "Total is read-only"
    old = {"Status": "Open", "Flag": "A", "Total": D("5")}
    assert put(CASES_OF_STATUS, {"status": "approved"}, old) == {"Status": "Open", "Flag": "A"}, "it says so already"
    assert put(CASES_OF_STATUS, {"status": None}, old) == {"Status": None, "Flag": None}
    with pytest.raises(RecordRejected, match="can't be written"):
        lens_of("status: {field: [Status, Flag], via: {cases: {draft: [New, A]}}}").put({"status": "closed"}, None)


DISCOUNTED = """
count: Count
price: {field: Tax_Rate}
discount: {field: Discount, via: {percent_of: [count, total]}}
total: {field: Extra.price}
tax_rate: {field: Extra.rate}
"""


def test_a_percentage_is_an_amount_of_the_fields_beside_it():
    fields = DISCOUNTED.replace("price: {field: Tax_Rate}\n", "")
    record = {"Count": 3, "Discount": D("5"), "Extra": {"price": D("99.90"), "rate": D("13")}}
    assert get(fields, record)["discount"] == "14.99"
    made = put(fields, {"count": 3, "total": "99.9", "discount": "14.99"})
    assert made == {"Count": 3, "Extra": {"price": D("99.9")}, "Discount": D("5.001668335")}
    assert get(fields, made)["discount"] == "14.99", "PutGet"
    old = {"Discount": D("5"), "Count": 3, "Extra": {"price": D("99.90")}}
    assert put(fields, {"discount": "14.99"}, old) == {"Discount": D("5")}, "it means the same already"
    assert put(fields, {"discount": "29.97"}, old) == {"Discount": D("10")}, "worked out with what the system has"
    assert put(fields, {"discount": "0"}, {}) == {"Discount": D("0")}
    assert get(fields, {"Discount": None}) == {"discount": None}


def test_a_percentage_without_its_fields_is_a_problem():
    fields = DISCOUNTED.replace("price: {field: Tax_Rate}\n", "")
    got = lens_of(fields).get({"Discount": D("5"), "Count": 3})
    assert got.values == {"count": 3}
    assert got.problems[0].message == "it is worked out from total, which has no value"
    with pytest.raises(RecordRejected, match="is no percentage of 0"):
        lens_of(fields).put({"discount": "5", "count": 0, "total": "1"}, None)


@pytest.mark.parametrize(
    ("operator", "remote", "canonical"), [("with_tax", "100", "113"), ("without_tax", "113", "100")]
)
def test_prices_before_and_after_tax(operator, remote, canonical):
    fields = f"tax_rate: Tax_Rate\ntotal: {{field: Discount, via: {operator}}}"
    assert get(fields, {"Tax_Rate": D("13"), "Discount": D(remote)}) == {"tax_rate": "13", "total": canonical}
    assert put(fields, {"tax_rate": "13", "total": canonical}) == {"Tax_Rate": D("13"), "Discount": D(remote)}


@pytest.mark.parametrize("operator", ["with_tax", "without_tax"])
def test_prices_read_back_as_they_were_written(operator):
    lens = lens_of(f"tax_rate: Tax_Rate\ntotal: {{field: Discount, via: {operator}}}")

    @given(st.decimals(0, 10**6, places=4), st.decimals(0, 99, places=2))
    def holds(price, rate):
        values = {"tax_rate": forms.decimal(rate), "total": forms.decimal(price)}
        assert lens.get(lens.put(values, None)).values == values

    holds()


def test_zero_may_mean_that_nothing_is_said():
    fields = "discount: {field: Discount, via: {number: {zero: blank}}, null_as: 0}"
    assert get(fields, {"Discount": D("0.00")}) == {"discount": None}
    assert put(fields, {"discount": None}) == {"Discount": 0}
    assert put(fields, {"discount": None}, {"Discount": D("0.0")}) == {"Discount": D("0.0")}
    assert get(fields, {"Discount": D("1")}) == {"discount": "1"}


# Laws -----------------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)
MOMENT = st.datetimes().map(lambda moment: moment.isoformat() + "+02:00")
REMOTE = st.one_of(TEXT, NUMBER, MOMENT, st.integers(-(10**9), 10**10), st.dates().map(str), st.booleans(), st.none())


@pytest.mark.parametrize(("field", "how"), sorted({(field, how) for field, how, *_ in CASES}))
def test_what_was_read_can_be_written_and_reads_the_same(field, how):
    lens = lens_of(rule(field, how))
    spec_form = forms.form_of(lens_spec(field))

    @given(REMOTE)
    def holds(remote):
        record = {"Extra": {"x": remote}}
        got = lens.get(record)
        assert lens.careful_get(record).values == got.values
        if got.problems:
            return
        value = got.values[field]
        assert spec_form(value) == value, "canonical form"
        assert lens.put(got.values, record) == record, "GetPut"
        try:
            made = lens.put(got.values, None)
        except RecordRejected:
            return
        assert lens.careful_put(got.values, None) == made
        again = lens.get(made)
        assert again.problems == ()
        if "cut" in how and value is not None:  # what didn't fit stays in the hub
            assert value.startswith(again.values[field])
        else:
            assert again.values == got.values, "PutGet"

    holds()


def lens_spec(field):
    from mapping.mapping_world import DEAL

    return DEAL.fields[field]
