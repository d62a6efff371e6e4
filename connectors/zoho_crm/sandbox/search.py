"""``GET /{module}/search``: criteria, email, phone or word over an index that lags behind the records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from . import problems
from .criteria import TEXTS, BadValue, comparable
from .lists import MOST_PER_PAGE, Reply, whole
from .problems import ApiProblem
from .records import Records
from .tables import Row

Test = Callable[[Row], bool]
MOST_HITS, MOST_CONDITIONS, MOST_IN = 2000, 10, 100
_CONDITION = re.compile(r"([\w.]+):(\w+):((?:\\.|[^\\()])*)")
_RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "greater_than": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less_than": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
}


@dataclass
class Search:
    """Answers searches."""

    records: Records
    delay: float = 2.0
    """Seconds until a change is in the index; until then the record is not found at all."""

    def page(self, module: str, params: Mapping[str, str]) -> Reply:
        """One page of hits."""
        test = self._test(module, params)
        per_page = whole(params, "per_page", MOST_PER_PAGE, 1, MOST_PER_PAGE)
        page = whole(params, "page", 1, 1, 10**6)
        if page * per_page > MOST_HITS:
            raise ApiProblem(400, "LIMIT_REACHED", "You can only get the first 2000 records", {"limit": MOST_HITS})
        indexed = self.records.now() - timedelta(seconds=self.delay)
        rows = self.records.tables[module].rows.values()
        hits = [row for row in reversed(rows) if row.modified <= indexed and test(row)]
        part = hits[(page - 1) * per_page : page * per_page]
        if not part:
            return 204, None
        fields = [f for f in params.get("fields", "").split(",") if f]
        names = fields or [f["api_name"] for f in self.records.org.visible_fields(module)]
        info = {
            "per_page": per_page, "count": len(part), "sort_by": "id", "page": page, "sort_order": "desc",
            "more_records": len(hits) > page * per_page,
        }  # fmt: skip
        return 200, {"data": self.records.renderer.listed(module, part, names), "info": info}

    def criteria(self, module: str, text: str) -> Test:
        """The test a ``criteria`` parameter stands for. Raises ApiProblem ``INVALID_QUERY``."""
        conditions = [0]
        test, rest = self._group(module, text.strip(), conditions)
        if rest.strip() or not 1 <= conditions[0] <= MOST_CONDITIONS:
            raise _invalid(text)
        return test

    def _test(self, module: str, params: Mapping[str, str]) -> Test:
        if params.get("criteria"):
            return self.criteria(module, params["criteria"])
        for name, kinds in (("email", {"email"}), ("phone", {"phone"}), ("word", TEXTS | {"picklist"})):
            if params.get(name):
                word = params[name].casefold()
                fields = [f["api_name"] for f in self.records.org.visible_fields(module) if f["data_type"] in kinds]
                return lambda row: any(word in str(row.values.get(f) or "").casefold() for f in fields)
        expected = ["criteria", "email", "phone", "word"]
        raise ApiProblem(
            400, "EXPECTED_PARAM_MISSING", "One of the expected parameters is missing", {"expected": expected}
        )

    def _group(self, module: str, text: str, conditions: list[int]) -> tuple[Test, str]:
        test, rest = self._part(module, text, conditions)
        while True:
            word = re.match(r"\s*(and|or)\b", rest)
            if not word:
                return test, rest
            right, rest = self._part(module, rest[word.end() :], conditions)
            test = _both(test, right, word[1])

    def _part(self, module: str, text: str, conditions: list[int]) -> tuple[Test, str]:
        text = text.lstrip()
        if text.startswith("("):
            test, rest = self._group(module, text[1:], conditions)
            if not rest.lstrip().startswith(")"):
                raise _invalid(text)
            return test, rest.lstrip()[1:]
        found = _CONDITION.match(text)
        if not found:
            raise _invalid(text)
        conditions[0] += 1
        return self._condition(module, found[1], found[2], found[3]), text[found.end() :]

    def _condition(self, module: str, name: str, operator: str, raw: str) -> Test:
        known = comparable(self.records, module, name)
        if known is None:
            raise _invalid(name)
        read, literal, kind = known
        values = [re.sub(r"\\(.)", r"\1", v) for v in re.split(r"(?<!\\),", raw)]
        try:
            wanted = [literal(v) for v in values]
        except BadValue:
            raise _invalid(raw) from None
        if operator == "in" and len(wanted) <= MOST_IN:
            return lambda row: read(row) in wanted
        if operator == "between" and len(wanted) == 2:
            return lambda row: read(row) is not None and wanted[0] <= read(row) <= wanted[1]
        if len(wanted) != 1:
            raise _invalid(raw)
        one = wanted[0]
        if operator == "equals" and kind in TEXTS:
            # The vendor's equals on text finds "ABC Inc" for "ABC".
            return lambda row: one in (read(row) or "")
        if operator == "starts_with" and isinstance(one, str):
            return lambda row: str(read(row) or "").startswith(one)
        if operator in ("equals", "not_equal"):
            return lambda row: (read(row) == one) == (operator == "equals")
        if operator in _RANGES:
            compare = _RANGES[operator]
            return lambda row: read(row) is not None and compare(read(row), one)
        raise _invalid(operator)


def _both(left: Test, right: Test, word: str) -> Test:
    if word == "and":
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def _invalid(near: str) -> problems.ApiProblem:
    return ApiProblem(400, "INVALID_QUERY", "Invalid query formed", {"reason": "invalid criteria", "near": near[:60]})
