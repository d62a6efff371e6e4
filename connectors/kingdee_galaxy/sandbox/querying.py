"""ExecuteBillQuery and BillQuery: keys, filter, order, paging by rows; a row a line as soon as a line is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from . import filters
from .forms import Entry, F, Form
from .store import Doc, Line, Refusal, Store

Row = tuple[Doc, dict[str, Line]]
Read = Callable[[Row], Any]
EMPTY_TEXT = " "


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a query."""

    form: Form
    keys: tuple[str, ...]
    filter: Any
    order: str
    start: int
    limit: int
    top: int


def read_query(store: Store, data: dict[str, Any], maximum: int) -> Query:
    """Check the parameters. Raises Refusal."""
    given = {k.lower(): v for k, v in data.items()}
    form = store.form(str(given.get("formid") or ""))
    keys = given.get("fieldkeys")
    if not isinstance(keys, str) or not keys.strip():
        raise Refusal("参数FieldKeys不能为空，应为以逗号分隔的字符串", code=8)
    start, limit, top = (_whole(given.get(name)) for name in ("startrow", "limit", "toprowcount"))
    if limit > maximum:
        raise Refusal(f"查询行数不能超过{maximum}，请分页查询", code=8)
    names = tuple(k.strip() for k in keys.split(","))
    return Query(
        form, names, given.get("filterstring"), str(given.get("orderstring") or ""), start, limit or maximum, top
    )


def _whole(value: Any) -> int:
    text = str(value if value not in (None, "") else 0).strip()
    if not text.isdigit():
        raise Refusal(f"参数“{value}”不是有效的行数", code=8)
    return int(text)


def run_query(store: Store, query: Query, *, hide_empty: bool = True) -> list[list[Any]]:
    """The rows. ``hide_empty``: a record without lines vanishes from a query that asks for lines (an inner join)."""
    table = Columns(store, query.form)
    reads = [table.column(k) for k in query.keys]
    order = _order(table, query.order)
    condition = filters.parse(query.filter)
    for name in condition.names:
        table.column(name, raw=True)
    # TopRowCount is an absolute end row, whatever StartRow says.
    end = query.start + query.limit
    end = min(end, query.top) if query.top else end
    by_id = not order or (query.order.split(",")[0].split()[0].lower() == query.form.pk.lower() and not order[0][1])
    rows = _matching(store, table, query, condition.predicate, hide_empty, enough=end if by_id else None)
    for read, descending in reversed(order):
        rows.sort(key=lambda row: _sortable(read(row)), reverse=descending)
    return [[read(row) for read in reads] for row in rows[query.start : end]]


def _matching(
    store: Store, table: Columns, query: Query, predicate: filters.Predicate, hide_empty: bool, enough: int | None
) -> list[Row]:
    """The rows that the filter lets through. Candidates come by inner id: when they are wanted in that order, the
    scan ends with the record that makes it ``enough``."""
    entries = list(table.entries.values())
    rows: list[Row] = []
    current: list[Row] = []

    def get(key: str) -> Any:
        return table.column(key, raw=True)(current[0])

    for doc in _candidates(store, query):
        for row in _explode(doc, entries, hide_empty):
            current[:] = [row]
            if predicate(get):
                rows.append(row)
        if enough is not None and len(rows) >= enough:
            break
    return rows


def _candidates(store: Store, query: Query) -> Iterator[Doc]:
    """Only the records that the filter's leading key condition can let through; the predicate still decides."""
    table, form = store.table(query.form), query.form
    numbers = filters.key_list(query.filter, form.number)
    ids = filters.key_list(query.filter, form.pk)
    if ids is not None:
        wanted = sorted({int(i) for i in ids if i.isdigit()})
        yield from [table.docs[pk] for pk in wanted if pk in table.docs]
    elif numbers is not None:
        found = {d.pk: d for n in numbers if (d := table.numbered_as(n)) is not None}
        yield from [found[pk] for pk in sorted(found)]
    else:
        yield from list(table.after(filters.key_bound(query.filter, form.pk)))


def _explode(doc: Doc, entries: list[Entry], hide_empty: bool) -> Iterator[Row]:
    if not entries:
        yield doc, {}
        return
    # Two different entries in one query multiply.
    lines = [doc.entries.get(e.key) or ([] if hide_empty else [{}]) for e in entries]
    for combination in product(*lines):
        yield doc, {e.key: line for e, line in zip(entries, combination, strict=True)}


class Columns:
    """The query keys of one query, looked up once; knows which entries they drag in."""

    def __init__(self, store: Store, form: Form) -> None:
        self.store = store
        self.form = form
        self.entries: dict[str, Entry] = {}
        self._cache: dict[tuple[str, bool], Read] = {}

    def column(self, key: str, *, raw: bool = False) -> Read:
        """How to read a key from a row. ``raw``: for comparing, without the dressing of the answer."""
        cached = self._cache.get((key, raw))
        if cached is None:
            cached = self._cache[key, raw] = self._make(key, raw)
        return cached

    def _make(self, key: str, raw: bool) -> Read:
        head, _, attribute = key.strip().partition(".")
        found = self.form.find(head)
        if found is None:
            raise Refusal(f"元数据中标识为{head}的字段不存在", code=9)
        f, entry = found
        if entry is not None:
            self.entries[entry.key] = entry
        if f.key == self.form.pk:
            return lambda row: row[0].pk
        read = self._stored(f, entry)
        if attribute:
            return self._attribute(f, attribute, read, raw)
        return read if raw else lambda row: dressed(f, read(row))

    def _stored(self, f: F, entry: Entry | None) -> Read:
        if entry is None:
            return lambda row: row[0].head.get(f.key)
        return lambda row: row[1].get(entry.key, {}).get(f.key)

    def _attribute(self, f: F, attribute: str, read: Read, raw: bool) -> Read:
        if f.kind == "user" and attribute.lower() in ("fname", "fuserid"):
            name = attribute.lower() == "fname"
            return lambda row: self.store.name_of(f, read(row)) if name else read(row)
        if f.kind != "base":
            raise Refusal(f"元数据中标识为{attribute}的字段不存在", code=9)
        other = self.store.table(f.base)
        inner = Columns(self.store, other.form)
        get = inner._make(attribute, raw)
        if inner.entries:
            raise Refusal(f"元数据中标识为{attribute}的字段不存在", code=9)

        def follow(row: Row) -> Any:
            doc = other.docs.get(int(read(row) or 0))
            return (None if raw else EMPTY_TEXT) if doc is None else get((doc, {}))

        return follow


def dressed(f: F, value: Any) -> Any:
    """A stored value as queries show it: an empty text is one blank, a quantity has decimals, a date a time."""
    if f.kind in ("text", "names", "choice"):
        return value or EMPTY_TEXT
    if f.kind == "datetime" and value and "." in value:
        return value.rstrip("0").rstrip(".")
    if f.kind == "decimal" and isinstance(value, Decimal):
        plain = value.normalize()
        exponent = plain.as_tuple().exponent
        return plain if isinstance(exponent, int) and exponent < 0 else plain.quantize(Decimal("0.1"))
    return value


def _order(table: Columns, text: str) -> list[tuple[Read, bool]]:
    order = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, _, direction = part.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise filters.bad(part)
        order.append((table.column(key, raw=True), direction.strip().lower() == "desc"))
    return order


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, (int, Decimal)) else (2, str(value))
