"""The laws are worth something: an operator whose put or get is spoiled on purpose is caught in every case."""

from decimal import Decimal
from typing import Any

import pytest
from mapping.mapping_world import ADDRESS, LINE, entity, spec

from hub.mapping import load
from hub.mapping.laws import check_laws
from hub.mapping.operators import OPERATORS
from hub.model import forms
from hub.model.spec import EntitySpec

THING = entity(
    "thing", spec("text", "text"), spec("note", "longtext"), spec("other", "text"), spec("integer", "integer"),
    spec("decimal", "decimal"), spec("money", "money"), spec("rate", "rate"), spec("boolean", "boolean"),
    spec("date", "date"), spec("instant", "instant"), spec("phone", "phone"), spec("email", "email"),
    spec("tax_id", "tax_id"), spec("country", "country"), spec("currency", "currency"),
    spec("status", "enum", choices=("draft", "approved", "closed")), spec("lines", "lines", lines=LINE),
    spec("addresses", "lines", lines=ADDRESS),
)  # fmt: skip


class Reversed:
    def get(self, value: str) -> str:
        return value[::-1]

    def put(self, value: str) -> str:
        return value[::-1]


def problems_of(fields: str, of: EntitySpec = THING) -> list[str]:
    text = f"version: 2\nresource: r\nentity: thing\nfields:\n  {fields}\n"
    lens, problems = load(text, specs={"thing": of}, functions={"reversed": Reversed})
    assert lens is not None, [str(p) for p in problems]
    return [str(problem) for problem in check_laws(lens, of) if problem.severity == "error"]


def changed(get_or_put, how):
    """The method with its result changed."""

    def spoiled(self: Any, value: Any, *more: Any) -> Any:
        made = get_or_put(self, value, *more)
        return made if made is None else how(made)

    return spoiled


def each(how):
    return lambda parts: [part if part is None else how(part) for part in parts]


def swapped_day(text: str) -> str:
    return f"{text[:8]}01{text[10:]}"


def dialled(text: str) -> str:
    return text.replace("+86", "+49")


# mapping line, operator, half that is spoiled, how its result is changed
MUTANTS = [
    ("text: X", "text", "get", str.swapcase),
    ("text: X", "text", "put", lambda text: text[:40]),
    ("text: {field: X, via: trim}", "trim", "put", lambda text: text.replace(" ", "")),
    ("text: {field: X, via: upper}", "upper", "get", str.capitalize),
    ("text: {field: X, via: upper}", "upper", "put", str.lower),
    ("text: {field: X, via: lower}", "lower", "get", str.title),
    ("text: {field: X, via: lower}", "lower", "put", str.upper),
    ("text: {field: X, via: narrow}", "narrow", "get", lambda text: text.replace(" ", "  ")),
    ("text: {field: X, via: narrow}", "narrow", "put", lambda text: text.replace("1", "１")),
    ("text: {field: X, via: {prefix: C-}}", "prefix", "get", lambda text: text[1:] or None),
    ("text: {field: X, via: {prefix: C-}}", "prefix", "put", lambda text: text.removeprefix("C-")),
    ("text: {field: X, via: {suffix: ' kg'}}", "suffix", "get", lambda text: f"{text} kg"),
    ("text: {field: X, via: {suffix: ' kg'}}", "suffix", "put", lambda text: f"{text} kg"),
    ("text: {field: X, via: {zeros: 8}}", "zeros", "get", lambda text: text.rstrip("0") or "0"),
    ("text: {field: X, via: {zeros: 8}}", "zeros", "put", lambda text: text[1:]),
    ("text: {field: X, via: {cut: {length: 9, rest: kept}}}", "cut", "put", lambda text: text[:8]),
    ("text: {field: X, via: {cut: {length: 9, rest: kept}}}", "cut", "get", lambda text: text[:3]),
    ("note: {field: X, via: html}", "html", "get", lambda text: text.replace("\n", " ")),
    ("note: {field: X, via: html}", "html", "put", lambda text: text.replace("&amp;", "&")),
    ("decimal: {field: X, via: {number: 2}}", "number", "get", lambda text: text.lstrip("-")),
    ("decimal: {field: X, via: {number: 2}}", "number", "put", lambda number: number + Decimal("0.01")),
    ("decimal: {field: X, via: {number: {factor: 100}}}", "number", "put", lambda number: number / 100),
    ("money: {field: X, via: {money: 2}}", "money", "put", lambda number: Decimal(float(number)).quantize(1)),
    ("money: {field: X, via: money}", "money", "get", lambda text: str(round(Decimal(text), 2))),
    ("decimal: {field: X, via: quantity}", "quantity", "put", lambda number: Decimal(int(number))),
    ("rate: {field: X, via: {percent: 1}}", "percent", "get", lambda text: forms.decimal(Decimal(text) / 100)),
    ("rate: {field: X, via: {percent: 1}}", "percent", "put", lambda number: number * 100),
    ("integer: X", "integer", "get", abs),
    ("integer: X", "integer", "put", lambda number: number % 2**31),
    ("date: {field: X, via: {date: '%d.%m.%Y'}}", "date", "get", swapped_day),
    ("date: {field: X, via: {date: {zone: Asia/Shanghai}}}", "date", "put", lambda text: text.replace("+08", "+12")),
    ("instant: {field: X, via: {datetime: Asia/Shanghai}}", "datetime", "get", swapped_day),
    ("instant: {field: X, via: datetime}", "datetime", "put", lambda text: text.split(".")[0].rstrip("Z") + "Z"),
    ("boolean: X", "boolean", "get", lambda truth: not truth),
    ("boolean: {field: X, via: {boolean: {true: [Y, J], false: N}}}", "boolean", "put", lambda word: "Y"),
    ("status: {field: X, values: {draft: [A, Z], approved: C, closed: D}}", "values", "put", lambda word: "Z"),
    ("status: {field: X, values: {draft: [A, Z], approved: C, closed: D}}", "values", "get", lambda word: "draft"),
    ("status: {field: [X, Y], via: {cases: {draft: [A, N], approved: [B, N]}}}", "cases", "put", each(str.lower)),
    ("status: {field: [X, Y], via: {cases: {draft: [A, N], approved: [B, N]}}}", "cases", "get", lambda w: "draft"),
    ("phone: {field: X, via: {phone: CN}}", "phone", "get", dialled),
    ("phone: {field: X, via: {phone: {region: CN, style: national}}}", "phone", "put", lambda text: text[:-1]),
    ("phone: {field: [X, Y], via: {area_code: CN}}", "area_code", "get", dialled),
    ("phone: {field: [X, Y], via: {area_code: CN}}", "area_code", "put", lambda parts: parts[::-1]),
    ("email: X", "email", "get", str.lower),
    ("email: X", "email", "put", lambda text: text.split("+")[0]),
    ("tax_id: X", "tax_id", "get", lambda text: text[:18]),
    ("country: {field: X, via: {country: alpha3}}", "country", "put", lambda text: "GBR"),
    ("country: {field: X, via: {country: name}}", "country", "get", lambda code: "CN"),
    ("currency: X", "currency", "get", lambda code: code.replace("HKD", "CNY")),
    ("text: {field: [X, Y], via: {join: ' '}}", "join", "get", lambda text: text.replace(" ", "")),
    ("text: {field: [X, Y], via: {join: ' '}}", "join", "put", lambda parts: parts[::-1]),
    ("text: {field: X, via: {part: {separator: ', ', number: 1}}}", "part", "put", lambda text: f"x{text}"),
    ("text: {field: X, via: {part: {separator: ', ', number: 2}}}", "part", "get", str.upper),
    ("text: {field: X, via: {list: '; '}}", "list", "put", sorted),
    ("text: {field: X, via: {list: '; '}}", "list", "get", lambda text: text.split(";")[0]),
    ("text: {field: X, via: {python: reversed}}", "python", "put", lambda text: text[::-1]),
]  # fmt: skip
PRICES = "lines: {{field: L, key: line_no, fields: {{line_no: N, quantity: Q, price: {{field: P, via: {{{}: {}}}}}}}}}"
BESIDE = [("with_tax", "get_beside"), ("without_tax", "put_beside"), ("percent_of", "get_beside")]


@pytest.mark.parametrize(("line", "name", "half", "how"), MUTANTS)
def test_a_spoiled_operator_is_caught(line, name, half, how, monkeypatch):
    assert problems_of(line) == [], "the operator as it is"
    operator = OPERATORS[name]
    monkeypatch.setattr(operator, half, changed(getattr(operator, half), how))
    if half == "get":
        monkeypatch.setattr(operator, "direct", lambda self: None)
    assert problems_of(line) != []


@pytest.mark.parametrize(("name", "half"), BESIDE)
def test_a_spoiled_operator_that_looks_at_others_is_caught(name, half, monkeypatch):
    line = PRICES.format(name, "[quantity]" if name == "percent_of" else "quantity")
    assert problems_of(line) == []
    operator = OPERATORS[name]
    how = (lambda text: forms.decimal(Decimal(text) + 1)) if half == "get_beside" else (lambda number: number * 2)
    monkeypatch.setattr(operator, half, changed(getattr(operator, half), how))
    assert problems_of(line) != []


def test_every_operator_is_spoiled_here():
    assert {name for _, name, _, _ in MUTANTS} | {name for name, _ in BESIDE} == set(OPERATORS)
