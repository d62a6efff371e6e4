"""COQL, as far as clients need it: select columns, from, where in bracketed pairs, order by, limit, offset.

Not here: group by, aggregates, aliases, joins deeper than one lookup. Refusals have the vendor's codes (API page "Get
records through a COQL query" and its limitations).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from .criteria import BadValue, comparable, like
from .problems import ApiProblem
from .records import Records
from .tables import Row

Body = dict[str, Any]
Test = Callable[[Row], bool]
MOST_ROWS, MOST_OFFSET, MOST_COLUMNS, MOST_CONDITIONS, MOST_IN, MOST_ORDER = 2000, 100_000, 50, 25, 50, 10

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<op><=|>=|!=|=|<|>)|(?P<punct>[(),])|(?P<word>[\w$.%:+-]+))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_KEYWORDS = ("select", "from", "where", "order", "group", "limit", "offset")


@dataclass
class Query:
    """A parsed query."""

    columns: list[str] = field(default_factory=list)
    module: str = ""
    test: Test = lambda row: True
    order: list[tuple[str, bool]] = field(default_factory=list)
    """(column, descending)"""
    limit: int = 200
    offset: int = 0


def run_query(records: Records, text: Any) -> tuple[int, Body | None, int]:
    """Status, body and credits of a query. Raises ApiProblem."""
    if not isinstance(text, str) or not text.strip():
        raise ApiProblem(
            400,
            "MANDATORY_NOT_FOUND",
            "required field not found",
            {"api_name": "select_query", "json_path": "$.select_query"},
        )
    query = _Parser(records, text).parse()
    rows = [row for row in records.tables[query.module].rows.values() if query.test(row)]
    for column, descending in reversed(query.order or [("id", False)]):
        found = comparable(records, query.module, column)
        if found is None:
            raise invalid_query(column, "invalid column")
        rows.sort(key=partial(_sort_key, found[0]), reverse=descending)
    part = rows[query.offset : query.offset + query.limit]
    credits = 1 if query.limit <= 200 else 2 if query.limit <= 1000 else 3
    if not part:
        return 204, None, credits
    info = {"count": len(part), "more_records": len(rows) > query.offset + query.limit}
    return 200, {"data": _shown(records, query, part), "info": info}, credits


def invalid_query(column: str, reason: str) -> ApiProblem:
    """A name or value that does not fit."""
    return ApiProblem(400, "INVALID_QUERY", "invalid query formed", {"column_name": column, "reason": reason})


def _sort_key(read: Callable[[Row], Any], row: Row) -> tuple[bool, Any]:
    value = read(row)
    return (value is not None, value if value is not None else 0)


def _shown(records: Records, query: Query, rows: list[Row]) -> list[Body]:
    plain = [c for c in query.columns if "." not in c]
    data = records.renderer.listed(query.module, rows, plain)
    for body in data:
        for name, value in body.items():
            if isinstance(value, dict):
                body[name] = {"id": value["id"]}
    for column in query.columns:
        if "." in column:
            lookup, _, name = column.partition(".")
            target = _target(records, query.module, lookup)
            for row, body in zip(rows, data, strict=True):
                id = row.parent if lookup == "Parent_Id" else row.values.get(lookup)
                other = records.find(target, str(id)) if id else None
                body[column] = records.renderer.listed(target, [other], [name])[0].get(name) if other else None
    return data


def _target(records: Records, module: str, lookup: str) -> str:
    meta = records.org.field_of(module, lookup)
    target = ((meta or {}).get("lookup") or {}).get("module") or {}
    if target.get("api_name") not in records.tables:
        raise invalid_query(lookup, "invalid column")
    return str(target["api_name"])


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, records: Records, text: str) -> None:
        self._records = records
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._conditions = 0
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._syntax(text[place : place + 20])
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            place = match.end()
        self._query = Query()

    def parse(self) -> Query:
        query = self._query
        self._expect("select")
        query.columns = self._names()
        self._expect("from")
        query.module = self._take("word")
        if query.module not in self._records.tables:
            raise invalid_query(query.module, "invalid module")
        self._check_columns()
        self._expect("where")
        query.test = self._condition_tree(top=True)
        if self._keyword("order"):
            self._expect("by")
            query.order = self._ordering()
        if self._keyword("limit"):
            query.limit = self._number()
            if self._peek() == ("punct", ","):
                # The older spelling: limit <offset>, <n>.
                self._at += 1
                query.offset, query.limit = query.limit, self._number()
            if self._keyword("offset"):
                query.offset = self._number()
        if self._at < len(self._tokens):
            raise self._syntax(self._tokens[self._at][1])
        for name, value, most in (
            ("limit", query.limit, MOST_ROWS),
            ("offset", query.offset + query.limit, MOST_OFFSET),
        ):
            if value > most:
                raise ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", {"clause": name, "limit": most})
        return query

    def _check_columns(self) -> None:
        query = self._query
        if len(query.columns) > MOST_COLUMNS:
            raise ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", {"clause": "select", "limit": MOST_COLUMNS})
        for column in query.columns:
            lookup, dot, name = column.partition(".")
            module = _target(self._records, query.module, lookup) if dot else query.module
            if comparable(self._records, module, name if dot else column) is None:
                raise invalid_query(column, "invalid column")

    def _condition_tree(self, top: bool = False) -> Test:
        """``a``, ``a and b``, or bracketed ones; never three in a row without brackets."""
        left = self._operand()
        word = self._keyword("and") or self._keyword("or")
        if not word:
            return left
        right = self._operand()
        if self._peek_word() in ("and", "or"):
            # "Conditions must be nested in pairs."
            raise self._syntax(self._tokens[self._at][1])
        if word == "and":
            return lambda row: left(row) and right(row)
        return lambda row: left(row) or right(row)

    def _operand(self) -> Test:
        if self._peek() == ("punct", "("):
            self._at += 1
            inner = self._condition_tree()
            self._punct(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", {"clause": "where", "limit": MOST_CONDITIONS})
        column = self._take("word")
        found = comparable(self._records, self._query.module, column)
        if found is None:
            raise invalid_query(column, "invalid column")
        read, literal, kind = found
        if kind == "textarea":
            raise invalid_query(column, "multi-line text can't be used in conditions")
        try:
            return self._test(read, literal, column)
        except BadValue:
            raise invalid_query(column, "invalid value") from None

    def _test(self, read: Callable[[Row], Any], literal: Callable[[Any], Any], column: str) -> Test:
        kind, op = self._next()
        if kind == "op":
            value = literal(self._literal())
            compare = _COMPARE[op]
            if op == "!=":
                return lambda row: read(row) != value
            return lambda row: read(row) is not None and compare(read(row), value)
        op = op.lower()
        negated = op == "not"
        if negated:
            op = self._take("word").lower()
        if op == "is":
            negated = bool(self._keyword("not"))
            self._expect("null")
            return lambda row: (read(row) is None) != negated
        if op == "in":
            values = set(map(literal, self._literals(column)))
            return lambda row: (read(row) in values) != negated
        if op == "like":
            matches = like(self._literal())
            return lambda row: matches(read(row)) != negated
        if op == "between":
            low = literal(self._literal())
            self._expect("and")
            high = literal(self._literal())
            return lambda row: read(row) is not None and (low <= read(row) <= high) != negated
        raise self._syntax(op)

    def _literals(self, column: str) -> list[str]:
        self._punct("(")
        values = [self._literal()]
        while self._peek() == ("punct", ","):
            self._at += 1
            values.append(self._literal())
        self._punct(")")
        if len(values) > MOST_IN:
            details = {"clause": "where", "column_name": column, "limit": MOST_IN}
            raise ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", details)
        return values

    def _literal(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1]).replace("''", "'")
        if kind == "word" and text.lower() not in _KEYWORDS:
            return text
        raise self._syntax(text)

    def _ordering(self) -> list[tuple[str, bool]]:
        order = []
        while True:
            column = self._take("word")
            descending = self._keyword("desc")
            if not descending:
                self._keyword("asc")
            order.append((column, bool(descending)))
            if self._peek() != ("punct", ","):
                break
            self._at += 1
        if len(order) > MOST_ORDER:
            raise ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", {"clause": "order by", "limit": MOST_ORDER})
        return order

    def _names(self) -> list[str]:
        names = [self._take("word")]
        while self._peek() == ("punct", ","):
            self._at += 1
            names.append(self._take("word"))
        return names

    def _number(self) -> int:
        text = self._take("word")
        if not text.isdigit():
            raise self._syntax(text)
        return int(text)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _peek_word(self) -> str:
        kind, text = self._peek()
        return text.lower() if kind == "word" else ""

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise self._syntax("")
        self._at += 1
        return token

    def _take(self, kind: str) -> str:
        found, text = self._next()
        if found != kind:
            raise self._syntax(text)
        return text

    def _punct(self, mark: str) -> None:
        if self._next() != ("punct", mark):
            raise self._syntax(self._tokens[self._at - 1][1])

    def _keyword(self, word: str) -> str:
        if self._peek_word() == word:
            self._at += 1
            return word
        return ""

    def _expect(self, word: str) -> None:
        if not self._keyword(word):
            raise self._syntax(self._peek()[1])

    @staticmethod
    def _syntax(near: str) -> ApiProblem:
        return ApiProblem(400, "SYNTAX_ERROR", "error occured while parsing the query", {"near": near, "line": 1})
