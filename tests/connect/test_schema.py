"""A resource's schema, records held against it, and what changed behind our back."""

from dataclasses import replace
from decimal import Decimal

from jsonschema import Draft202012Validator

from hub.connect.capabilities import Field, Resource
from hub.connect.schema import drift, resource_schema, violations

KNOWN = Resource(
    name="Sales_Orders",
    fields=(
        Field("id", "text", read_only=True),
        Field("Subject", "text", required=True, max_length=120),
        Field("Status", "choice", choices=("Created", "Approved")),
        Field("Grand_Total", "decimal", read_only=True, scale=2),
        Field("Account_Name", "reference", reference="Accounts", fields=(Field("id", "text"), Field("name", "text"))),
        Field("Ordered_Items", "lines", fields=(Field("id", "text"), Field("Quantity", "decimal"))),
        Field("Extra", "any"),
    ),
)


def live(**changes):
    """KNOWN with some fields replaced (None: removed)."""
    kept = [changes.get(f.name, f) for f in KNOWN.fields]
    new = [f for name, f in changes.items() if name not in {k.name for k in KNOWN.fields}]
    return replace(KNOWN, fields=(*[f for f in kept if f], *new))


def test_the_schema_is_valid_and_takes_real_records():
    Draft202012Validator.check_schema(resource_schema(KNOWN))
    record = {
        "id": "1", "Subject": "订单", "Status": "Created", "Grand_Total": Decimal("214.20"),
        "Account_Name": {"id": "7", "name": "华瑞"}, "Ordered_Items": [{"id": "2", "Quantity": 2}], "Extra": [1],
        "$new": 1,
    }  # fmt: skip
    assert violations(KNOWN, [record, {"Status": None, "Account_Name": None}]) == []


def test_violations_name_the_path_but_not_the_value():
    bad = {"Status": "Lost", "Subject": "x" * 121, "Ordered_Items": [{"Quantity": "two"}], "Grand_Total": "1"}
    assert sorted(violations(KNOWN, [bad, bad])) == [
        "Grand_Total: should be ['number', 'null'], is str",
        "Ordered_Items.[].Quantity: should be ['number', 'null'], is str",
        "Status: is none of the known choices",
        "Subject: is longer than 120",
    ]
    assert len(violations(KNOWN, [bad], limit=2)) == 2


def test_no_drift_without_a_change():
    assert drift(KNOWN, KNOWN) == []


def test_each_change_is_told_with_whether_it_breaks_mappings():
    batch = Field("Batch", "text", required=True)
    now = live(
        Subject=Field("Subject", "text", max_length=80),
        Status=Field("Status", "choice", choices=("Created", "Closed")),
        Grand_Total=Field("Grand_Total", "decimal", scale=2),
        Account_Name=Field("Account_Name", "reference", reference="Vendors"),
        Ordered_Items=Field("Ordered_Items", "lines", fields=(Field("id", "text"), batch)),
        Extra=None,
        New=Field("New", "text"),
    )
    found = {(d.kind, d.field): d.breaking for d in drift(KNOWN, now)}
    assert found == {
        ("optional", "Subject"): False,
        ("shorter", "Subject"): True,
        ("choices", "Status"): True,
        ("writable", "Grand_Total"): False,
        ("retyped", "Account_Name"): True,
        ("removed", "Ordered_Items.Quantity"): True,
        ("added", "Ordered_Items.Batch"): True,
        ("removed", "Extra"): True,
        ("added", "New"): False,
    }
    assert "lost 'Approved'; got 'Closed'" in next(d.message for d in drift(KNOWN, now) if d.kind == "choices")
