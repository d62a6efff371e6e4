"""FilterString: an SQL-like condition over field keys, or the array form; turned into a predicate over a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from .store import Refusal

Getter = Callable[[str], Any]
"""Gives the value of a query key on the row at hand; raises Refusal for an unknown key."""
Predicate = Callable[[Getter], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>N?'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<op><>|!=|>=|<=|=|<|>|\(|\)|,)"
    r"|(?P<name>[A-Za-z_][\w.]*))"
)
_CODES = {"67": "=", "=": "=", "statusequalto": "=", "83": "<>", "<>": "<>", ">=": ">=", "39": ">=", "<=": "<=",
          "16": "<=", ">": ">", "21": ">", "<": "<", "60": "like", "17": "like", "like": "like"}  # fmt: skip
"""Comparison codes of the array form. 67 is documented; the rest is what integrators use (unconfirmed)."""


def bad(text: str) -> Refusal:
    """The parser's complaint, as the product words it."""
    return Refusal(f"GetRealExpress error：过滤条件不正确，“{text}”附近有语法错误", code=4)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition, and the query keys that it names."""

    predicate: Predicate
    names: tuple[str, ...]


def parse(filter: Any) -> Filter:
    """A FilterString in either form; an empty one lets every row through. Raises Refusal."""
    if isinstance(filter, list):
        return _parse_text(_array_as_text(filter))
    text = str(filter or "").strip()
    if text.startswith("["):
        raise bad("[")
    return _parse_text(text)


def key_bound(filter: Any, key: str) -> int:
    """The largest n of a top-level ``key > n``: where a scan by inner id may start; 0 without one."""
    if not isinstance(filter, str) or re.search(r"\bor\b", re.sub(r"\([^()]*\)", "", filter), re.IGNORECASE):
        return 0
    found = re.match(rf"^\s*\(?\s*{re.escape(key)}\s*>\s*(\d+)\s*\)?\s*(?:and\b|$)", filter, re.IGNORECASE)
    return int(found[1]) if found else 0


def key_list(filter: Any, key: str) -> list[str] | None:
    """The values of a filter that begins with ``key in (…)`` or ``key = …`` joined by "and" only; None otherwise."""
    if not isinstance(filter, str):
        return None
    found = re.match(rf"^\s*{re.escape(key)}\s+in\s*\(([^()]*)\)\s*(and\b.*)?$", filter, re.IGNORECASE | re.DOTALL)
    if not found:
        found = re.match(rf"^\s*{re.escape(key)}\s*=\s*((?:\d+|'(?:[^']|'')*'))\s*(and\b.*)?$", filter, re.I | re.S)
    if not found or (found[2] and re.search(r"\bor\b", re.sub(r"\([^()]*\)", "", found[2]), re.IGNORECASE)):
        return None
    parts = re.findall(r"'(?:[^']|'')*'|\d+", found[1])
    return [p[1:-1].replace("''", "'") if p.startswith("'") else p for p in parts]


def _array_as_text(items: list[Any]) -> str:
    parts: list[str] = []
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise bad(str(item)[:20])
        given = {str(k).lower(): str(v if v is not None else "") for k, v in item.items()}
        operator = _CODES.get(given.get("compare", "67").lower())
        if operator is None:
            raise bad(given["compare"])
        value = given.get("value", "").replace("'", "''")
        value = f"%{value}%" if operator == "like" else value
        parts.append(
            f"{given.get('left', '')} {given.get('fieldname', '')} {operator} '{value}' {given.get('right', '')}"
        )
        if at < len(items) - 1:
            parts.append("or" if given.get("logic", "0").lower() in ("1", "or") else "and")
    return " ".join(parts)


@lru_cache(maxsize=256)
def _parse_text(text: str) -> Filter:
    if not text:
        return Filter(lambda get: True, ())
    parser = _Parser(_tokens(text))
    predicate = parser.either()
    if parser.at < len(parser.tokens):
        raise bad(parser.tokens[parser.at][1])
    return Filter(predicate, tuple(dict.fromkeys(parser.names)))


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise bad(text[at : at + 20].strip())
        tokens.append((str(found.lastgroup), found[0].strip()))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent: either → both → not/brackets/comparison."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.names: list[str] = []

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda get: any(p(get) for p in parts)

    def both(self) -> Predicate:
        parts = [self.one()]
        while self.word("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda get: all(p(get) for p in parts)

    def one(self) -> Predicate:
        if self.word("not"):
            inner = self.one()
            return lambda get: not inner(get)
        if self.op("("):
            inner = self.either()
            self.need(")")
            return inner
        return self.comparison()

    def comparison(self) -> Predicate:
        left = self.operand()
        if self.word("is"):
            negated = self.word("not")
            if not self.word("null"):
                raise bad("is")
            return lambda get: (left(get) in (None, "")) != negated
        negated = self.word("not")
        if self.word("in"):
            return self.membership(left, negated)
        if self.word("like"):
            pattern = self.operand()
            return lambda get: _like(left(get), pattern(get)) != negated
        kind, operator = self.take()
        if kind != "op" or operator in ("(", ")", ",") or negated:
            raise bad(operator)
        right = self.operand()
        return lambda get: _compare(left(get), operator, right(get))

    def membership(self, left: Callable[[Getter], Any], negated: bool) -> Predicate:
        self.need("(")
        values = [self.operand()]
        while self.op(","):
            values.append(self.operand())
        self.need(")")
        return lambda get: any(_compare(left(get), "=", v(get)) for v in values) != negated

    def operand(self) -> Callable[[Getter], Any]:
        kind, text = self.take()
        if kind == "name":
            self.names.append(text)
            return lambda get: get(text)
        if kind == "number":
            number = Decimal(text)
            return lambda get: number
        if kind == "text":
            plain = text.removeprefix("N")[1:-1].replace("''", "'")
            return lambda get: plain
        raise bad(text)

    def take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise bad("结尾")
        self.at += 1
        return self.tokens[self.at - 1]

    def word(self, word: str) -> bool:
        return self._skip("name", word)

    def op(self, sign: str) -> bool:
        return self._skip("op", sign)

    def need(self, sign: str) -> None:
        if not self.op(sign):
            raise bad(self.tokens[self.at][1] if self.at < len(self.tokens) else "结尾")

    def _skip(self, kind: str, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == kind and self.tokens[self.at][1].lower() == text:
            self.at += 1
            return True
        return False


def _compare(left: Any, operator: str, right: Any) -> bool:
    if left is None or right is None:
        return False
    left, right = _alike(left, right)
    try:
        if operator == "=":
            return bool(left == right)
        if operator in ("<>", "!="):
            return bool(left != right)
        if operator == ">":
            return bool(left > right)
        if operator == ">=":
            return bool(left >= right)
        return bool(left < right) if operator == "<" else bool(left <= right)
    except TypeError:
        raise Refusal(f"GetRealExpress error：无法比较“{left}”和“{right}”", code=4) from None


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as the database compares them: numbers as numbers, times to the point, text without regard to case
    and trailing blanks (the usual collation)."""
    if isinstance(left, bool) or isinstance(right, bool):
        return str(left).lower() in ("true", "1"), str(right).lower() in ("true", "1")
    if isinstance(left, (int, Decimal)) or isinstance(right, (int, Decimal)):
        try:
            return Decimal(str(left)), Decimal(str(right))
        except InvalidOperation:
            raise Refusal("GetRealExpress error：将字符串转换为数值时出错", code=4) from None
    left, right = str(left), str(right)
    if _TIME.match(left) and _TIME.match(right):
        return _time(left), _time(right)
    return left.rstrip().lower(), right.rstrip().lower()


_TIME = re.compile(r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$")


def _time(text: str) -> str:
    text = text.replace(" ", "T")
    text += "T00:00:00"[len(text) - 10 :] if len(text) < 19 else ""
    head, _, fraction = text.partition(".")
    return f"{head}.{fraction.ljust(6, '0')}"


@lru_cache(maxsize=256)
def _like_pattern(pattern: str) -> re.Pattern[str]:
    out, at = "", 0
    while at < len(pattern):
        close = pattern.find("]", at + 1) if pattern[at] == "[" else -1
        if close > at:
            out += f"[{re.escape(pattern[at + 1 : close])}]"
            at = close + 1
            continue
        out += {"%": ".*", "_": "."}.get(pattern[at], re.escape(pattern[at]))
        at += 1
    return re.compile(out, re.IGNORECASE | re.DOTALL)


def _like(value: Any, pattern: Any) -> bool:
    return value is not None and _like_pattern(str(pattern)).fullmatch(str(value)) is not None
