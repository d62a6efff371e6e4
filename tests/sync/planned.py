"""One record and one system, for the tests of ``plan``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.mapping.lens import LensField, LensLines, Position
from hub.sync.plan import Subject, Target, Verdict, plan_record

AT = Position("test.yaml", 1, 1)


def field(name: str, direction: Any = "both", strength: Any = "normal", **more: Any) -> LensField:
    return LensField(name, direction, strength, AT, (name,), **more)


LINES = LensLines(
    "no",
    {
        "no": field("no"),
        "qty": field("qty"),
        "note": field("note", strength="weak"),
        "sum": field("sum", "in"),
        "code": field("code", "out"),
        "product": field("product", ref="product"),
    },
)
FIELDS = {
    "name": field("name"),
    "remark": field("remark", strength="weak"),
    "total": field("total", "in"),
    "kind": field("kind", "out"),
    "customer": field("customer", ref="customer"),
    "lines": field("lines", lines=LINES),
}
TARGET = Target(
    system="erp",
    entity="order",
    resource="orders",
    fields=FIELDS,
    sends=tuple(name for name, f in FIELDS.items() if f.direction != "in"),
    remote_id="r1",
    gone=None,
    shown={},
    meant={},
    may_create=True,
    deletes="propagate",
    can_delete=True,
    can_archive=True,
    linked={"customer": {"c1"}, "product": {"p1"}},
)
SUBJECT = Subject("h1", {"name": "A"}, False, None, frozenset(), "crm")


def plan(values: dict[str, Any], target: dict[str, Any], **subject: Any) -> Verdict:
    return plan_record(replace(SUBJECT, values=values, **subject), [replace(TARGET, **target)])


NEW: dict[str, Any] = {"remote_id": None}
