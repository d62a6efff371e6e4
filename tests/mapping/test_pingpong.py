"""Mappings of one entity together: a field that would never settle between systems is named, with its cycle."""

import pytest
from mapping.mapping_world import DEAL, RESOURCE, SPECS, file_of

from hub.connect.capabilities import Field, Resource
from hub.mapping import load
from hub.mapping.pingpong import Participant, check_pingpong


class PadsToSix:
    def get(self, value):
        return value

    def put(self, value):
        return value.ljust(6, "x")

    def form(self, value):
        return value.ljust(6, "x")


class Shifts:
    """A system that stores times as if they were another zone's."""

    def __init__(self, hours):
        self.hours = hours

    def get(self, value):
        return value

    def put(self, value):
        return f"{value[:11]}{(int(value[11:13]) + self.hours) % 24:02}{value[13:]}"


class Swaps:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def get(self, value):
        return value

    def put(self, value):
        return value.replace(self.a, self.b)


PAIRS = {"pads_to_six": PadsToSix, "shifts": Shifts, "swaps": Swaps}
WHOLE = Resource("Deals", fields=(*RESOURCE.fields, Field("Boxes", "decimal", scale=0)), line_ids=RESOURCE.line_ids)


def of(system, fields, **more):
    lens, problems = load(file_of(fields), specs=SPECS, resource=WHOLE, file=f"{system}.yaml", functions=PAIRS)
    assert lens is not None, [str(p) for p in problems]
    return Participant(system, lens, **{"resource": WHOLE, **more})


def told(*participants, **more):
    return [str(problem) for problem in check_pingpong(participants, DEAL, **more)]


CRM_UPPER = "title: {field: Title, via: upper}"
ERP_LOWER = "title: {field: Title, via: lower}"
CYCLES = {
    "case": (CRM_UPPER, ERP_LOWER, "'a' → 'A' (crm) → 'a' (erp)"),
    "length": (
        "title: {field: Title, via: {cut: {length: 4, rest: kept}}}",
        "title: {field: Extra.t, via: {python: pads_to_six}}",
        "'axxxxx' → 'axxx' (crm) → 'axxxxx' (erp)",
    ),
    "picklists": (
        "status: {field: Status, values: {draft: New, approved: Won, '*': Won}}",
        "status: {field: Extra.s, values: {draft: '1', submitted: '2', '*': '2'}}",
        "'submitted' → 'approved' (crm) → 'submitted' (erp)",
    ),
    "zones": (
        "moment: {field: Moment, via: [{python: {name: shifts, args: {hours: 8}}}, datetime]}",
        "moment: {field: Moment, via: [{python: {name: shifts, args: {hours: -8}}}, datetime]}",
        "'2026-01-15T09:30:12Z' → '2026-01-15T17:30:12Z' (crm) → '2026-01-15T09:30:12Z' (erp)",
    ),
    "scale": (  # boxes of four here and of ten there
        "discount: {field: Boxes, via: {number: {factor: 0.25}}}",
        "discount: {field: Boxes, via: {number: {factor: 0.1}}}",
        "'10' → '12' (crm) → '10' (erp)",
    ),
}


@pytest.mark.parametrize("kind", CYCLES)
def test_a_field_that_never_settles_is_named_with_both_lines_and_the_cycle(kind):
    crm, erp, cycle = CYCLES[kind]
    lines = told(of("crm", crm), of("erp", erp))
    assert len(lines) == 1
    assert cycle in lines[0]
    assert "never settles between crm and erp" in lines[0]
    assert lines[0].startswith("crm.yaml:5:3: ") and "see also erp at erp.yaml:5:3" in lines[0]


def test_three_systems_are_run_together():
    lines = told(of("crm", CRM_UPPER), of("shop", "title: Title"), of("erp", ERP_LOWER))
    assert len(lines) == 1 and "'A' (crm)" in lines[0] and "'a' (erp)" in lines[0]


SETTLED = [
    (CRM_UPPER, "title: Title"),
    (CRM_UPPER, ERP_LOWER[:-1] + ", direction: in}"),
    (CRM_UPPER, ERP_LOWER[:-1] + ", direction: out}"),
    (CRM_UPPER, ERP_LOWER[:-1] + ", strength: weak}"),
    (
        "title: {field: Title, via: {cut: {length: 4, rest: kept}}}",
        "title: {field: Title, via: {cut: {length: 9, rest: kept}}}",
    ),
    ("discount: {field: Discount, via: {number: 2}}", "discount: {field: Discount, via: {number: 0}}"),
    (
        "moment: {field: Title, via: {datetime: Asia/Shanghai}}",
        "moment: {field: Moment, via: {datetime: {fraction: 0}}}",
    ),
    ("phone: {field: Phone, via: {phone: CN}}", "phone: {field: Phone, via: {phone: {region: CN, style: national}}}"),
]  # fmt: skip


@pytest.mark.parametrize(("crm", "erp"), SETTLED)
def test_what_settles_is_silent(crm, erp):
    assert told(of("crm", crm), of("erp", erp)) == []


def test_a_field_with_an_owner_settles():
    assert told(of("crm", CRM_UPPER), of("erp", ERP_LOWER), authority={"title": "crm"}) == []
    assert told(of("crm", CRM_UPPER), of("erp", ERP_LOWER, direction="out")) == []


def test_fields_of_lines_and_picked_lines_are_run_too():
    lines = "lines: {{field: Items, key: line_no, fields: {{line_no: Seq, note: {{field: Note, via: {}}}}}}}"
    found = told(of("crm", lines.format("upper")), of("erp", lines.format("lower")))
    assert len(found) == 1 and "lines.note never settles" in found[0]
    picked = "addresses[billing]: {{fields: {{city: {{field: City, via: {}}}}}}}"
    found = told(of("crm", picked.format("upper")), of("erp", picked.format("lower")))
    assert len(found) == 1 and "addresses.city never settles" in found[0]


def test_recorded_values_are_run_too():
    """Only a value that was seen brings the two out of step."""
    crm = "title: {field: Title, via: {python: {name: swaps, args: {a: 甲, b: 乙}}}}"
    erp = "title: {field: Title, via: {python: {name: swaps, args: {a: 乙, b: 甲}}}}"

    assert told(of("crm", crm), of("erp", erp)) == []
    lines = told(of("crm", crm, recorded=[{"Title": "No. 甲"}]), of("erp", erp))
    assert len(lines) == 1 and "'甲' → '乙' (crm) → '甲' (erp)" in lines[0]
