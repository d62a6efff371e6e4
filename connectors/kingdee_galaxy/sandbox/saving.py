"""Save, Draft and BatchSave: a packet is typed into a record key by key, in the order it was sent, as a user would."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import amounts
from .forms import Entry, F, Form, SubHead
from .store import Doc, Line, Refusal, Store, Table, Value, empty
from .values import convert


class Refusals(Exception):
    """Everything that is wrong with one packet."""

    def __init__(self, items: list[Refusal]) -> None:
        super().__init__("; ".join(i.message for i in items))
        self.items = items


@dataclass(slots=True)
class SaveOptions:
    """The parameters beside ``Model`` (A7 of the vendor notes), with their defaults."""

    only: frozenset[str] = frozenset()
    """NeedUpDateFields, in lower case."""
    delete_lines: bool = True
    verify: bool = False
    validate: bool = True
    reorder: bool = False
    exact: bool = False
    draft: bool = False
    manual_numbers: bool = True
    """The number rule's "manual change allowed": False replaces every number sent on creation."""
    any_state: bool = False
    """For the control API's hand: a user would un-audit, change and audit again."""

    @classmethod
    def from_packet(cls, data: dict[str, Any], *, draft: bool, manual_numbers: bool) -> SaveOptions:
        given = {k.lower(): v for k, v in data.items()}
        only = given.get("needupdatefields") or []
        only = only.split(",") if isinstance(only, str) else only
        return cls(
            only=frozenset(str(k).strip().lower() for k in only if str(k).strip()),
            delete_lines=flag(given.get("isdeleteentry"), True),
            verify=flag(given.get("isverifybasedatafield"), False),
            validate=flag(given.get("validateflag"), True),
            reorder=flag(given.get("isautoadjustfield"), False),
            exact=flag(given.get("iscontrolprecision"), False),
            draft=draft,
            manual_numbers=manual_numbers,
        )


def flag(value: Any, default: bool) -> bool:
    """``true`` and ``"true"`` alike; anything empty is the default."""
    return default if value in (None, "") else str(value).strip().lower() == "true"


def save(store: Store, form: Form, model: Any, options: SaveOptions, user: str) -> tuple[Doc, bool]:
    """Type ``model`` into a new or existing record and store it; returns it and whether it is new. Raises Refusals."""
    if not isinstance(model, dict):
        raise Refusals([Refusal("Model 的格式不正确，应为对象", code=8)])
    table = store.table(form)
    typed = {str(k): v for k, v in model.items()}
    pk = next((v for k, v in typed.items() if k.lower() == form.pk.lower()), 0)
    doc, new = _open(store, table, pk, options, user)
    typing = _Typing(store, form, doc, options, new)
    old_number = str(doc.head.get(form.number) or "")
    typing.type_in(typed)
    _fill_following(form, doc, head=new)
    if new:
        _number(table, doc, options)
    problems = typing.problems
    if options.validate and not options.draft:
        told = {p.field for p in problems}
        more = _missing(form, doc) + _wrong_units(store, form, doc)
        problems = problems + [p for p in more if p.field not in told]
    problems = problems + _unique(table, doc)
    if problems:
        raise Refusals(problems)
    amounts.recompute(form, doc)
    doc.head["FModifierId"], doc.head["FModifyDate"] = store.user_id(user), store.now()
    if doc.status == "Z" and not options.draft and not new:
        doc.head["FDocumentStatus"] = "A"
    table.renumber(old_number, doc) if not new else table.put(doc)
    return doc, new


def _open(store: Store, table: Table, pk: Any, options: SaveOptions, user: str) -> tuple[Doc, bool]:
    """The record to type into: a copy, so that a refused packet leaves nothing behind."""
    if pk in (None, "", 0, "0"):
        form = table.form
        doc = Doc(store.next_id(), initial(store, form.head_fields()), {e.key: [] for e in form.entries})
        doc.head |= {
            "FDocumentStatus": "Z" if options.draft else "A",
            "FCreatorId": store.user_id(user),
            "FCreateDate": store.now(),
        }
        return doc, True
    doc_there = table.docs.get(int(pk)) if str(pk).isdigit() else None
    if doc_there is None:
        raise Refusals([Refusal(f"内码为“{pk}”的数据不存在", field=table.form.pk, code=10)])
    if not options.any_state and doc_there.status in ("B", "C"):
        state = "已审核" if doc_there.status == "C" else "正在审核中"
        number = doc_there.head.get(table.form.number)
        raise Refusals([Refusal(f"编号为“{number}”的单据{state}，不允许修改", code=12)])
    return Doc(doc_there.pk, dict(doc_there.head), copy.deepcopy(doc_there.entries)), False


@dataclass(slots=True)
class _Typing:
    """One packet being typed in."""

    store: Store
    form: Form
    doc: Doc
    options: SaveOptions
    new: bool
    problems: list[Refusal] = field(default_factory=list)

    def type_in(self, typed: dict[str, Any]) -> None:
        items = list(typed.items())
        if self.options.reorder:
            items.sort(key=lambda item: self.form.entry(item[0]) is not None)
        for key, value in items:
            entry, subhead = self.form.entry(key), self.form.subhead(key)
            if entry is not None and isinstance(value, list):
                self._lines(entry, value)
            elif subhead is not None and isinstance(value, dict):
                self._subhead(subhead, value)
            else:
                self._head(key, value, None)

    def _wanted(self, key: str) -> bool:
        return self.new or not self.options.only or key.lower() in self.options.only

    def _subhead(self, subhead: SubHead, value: dict[str, Any]) -> None:
        for key, inner in value.items():
            self._head(str(key), inner, subhead)

    def _head(self, key: str, value: Any, subhead: SubHead | None) -> None:
        # A key that does not exist, or stands in the wrong part of the packet, is passed over without a word.
        fields = subhead.fields if subhead else self.form.fields
        f = next((f for f in fields if f.key.lower() == key.lower()), None)
        if f is None or f.computed or not self._wanted(f.key):
            return
        self.doc.head[f.key] = self._converted(f, value, self.doc.head.get(f.key))
        for entry in self.form.entries:
            if entry.amounts and f.key in entry.amounts.resets:
                for line in self.doc.entries[entry.key] if self.new else []:
                    line[entry.amounts.price] = line[entry.amounts.tax_price] = empty(F("", "", "decimal"))

    def _lines(self, entry: Entry, items: list[Any]) -> None:
        if not self._wanted(entry.key):
            return
        lines = self.doc.entries[entry.key]
        there = {str(line[entry.id_key]): line for line in lines}
        named: set[int] = set()
        for item in items:
            if not isinstance(item, dict) or not item:
                continue
            id = next((str(v) for k, v in item.items() if k.lower() == entry.id_key.lower()), "")
            line = there.get(id)
            if line is None and id not in ("", "0"):
                self.problems.append(Refusal(f"{entry.label}中内码为“{id}”的分录不存在", field=entry.key, code=10))
                continue
            fresh = line is None
            if line is None:
                line = {entry.id_key: self.store.next_id(), "FSeq": max((x["FSeq"] for x in lines), default=0) + 1}
                line |= initial(self.store, entry.fields)
                lines.append(line)
            named.add(line[entry.id_key])
            self._line(entry, line, item, fresh)
        if self.options.delete_lines:
            lines[:] = [line for line in lines if line[entry.id_key] in named]
        lines.sort(key=lambda line: line["FSeq"])

    def _line(self, entry: Entry, line: Line, item: dict[str, Any], fresh: bool) -> None:
        sent: dict[str, Any] = {}
        for key, value in item.items():
            if key.lower() == "fseq" and str(value).isdigit() and int(value) > 0:
                line["FSeq"] = int(value)
            f = next((f for f in entry.fields if f.key.lower() == key.lower()), None)
            if f is None or f.computed or not self._wanted(f.key):
                continue
            line[f.key] = self._converted(f, value, line[f.key])
            sent[f.key] = value
            if entry.amounts and f.key == entry.amounts.material and fresh:
                # Choosing the material fetches its price anew: one typed before it is gone.
                line[entry.amounts.price] = line[entry.amounts.tax_price] = empty(F("", "", "decimal"))
                sent.pop(entry.amounts.price, None)
                sent.pop(entry.amounts.tax_price, None)
        if entry.amounts:
            amounts.settle_prices(entry.amounts, line, sent, bool(self.doc.head[entry.amounts.included]))

    def _converted(self, f: F, value: Any, before: Any) -> Any:
        org = int(self.doc.head.get(self.form.org) or 0) if self.form.org else 0
        try:
            return convert(
                self.store, self.form, f, value, org=org, verify=self.options.verify, exact=self.options.exact
            )
        except Refusal as problem:
            self.problems.append(problem)
            return before


def initial(store: Store, fields: Iterable[F]) -> dict[str, Any]:
    """What a form shows before anything is typed: literal defaults are there, defaults that follow others are not."""
    return {f.key: _literal(store, f) for f in fields}


def _literal(store: Store, f: F) -> Value:
    if not f.default or f.default.startswith("="):
        return empty(f)
    if f.kind == "base":
        found = store.table(f.base).numbered_as(f.default)
        return found.pk if found else 0
    return Decimal(f.default) if f.kind == "decimal" else f.default == "true" if f.kind == "bool" else f.default


def _fill_following(form: Form, doc: Doc, head: bool) -> None:
    """Fields that follow another one and were left empty. Lines that were there before keep what they have."""
    if head:
        _follow(form.head_fields(), doc.head, doc.head)
    for entry in form.entries:
        for line in doc.entries[entry.key]:
            _follow(entry.fields, line, {**doc.head, **line})


def _follow(fields: Iterable[F], target: dict[str, Any], known: dict[str, Any]) -> None:
    for f in fields:
        if f.default.startswith("=") and not target.get(f.key):
            target[f.key] = known.get(f.default[1:]) or target[f.key]


def _number(table: Table, doc: Doc, options: SaveOptions) -> None:
    given = str(doc.head.get(table.form.number) or "").strip()
    if options.draft:
        doc.head[table.form.number] = ""
    elif not given or not options.manual_numbers:
        doc.head[table.form.number] = table.next_number()
    else:
        doc.head[table.form.number] = given


def _missing(form: Form, doc: Doc) -> list[Refusal]:
    found = [Refusal(f"字段“{f.label}”是必填项", field=f.key) for f in form.head_fields() if _blank(f, doc.head)]
    for entry in form.entries:
        lines = doc.entries.get(entry.key, [])
        if entry.must and not lines:
            found.append(Refusal(f"请至少录入一行{entry.label}", field=entry.key))
        for at, line in enumerate(lines, start=1):
            for f in entry.fields:
                if _blank(f, line):
                    found.append(Refusal(f"{entry.label}第{at}行，字段“{f.label}”是必填项", field=f.key))
            if entry.amounts and entry.must and form.id == "SAL_SaleOrder" and line[entry.amounts.quantity] <= 0:
                found.append(Refusal(f"{entry.label}第{at}行，销售数量必须大于0", field=entry.amounts.quantity))
    return found


def _wrong_units(store: Store, form: Form, doc: Doc) -> list[Refusal]:
    """A line's unit must be one of its material's."""
    found = []
    for entry in form.entries:
        unit = next((f for f in entry.fields if f.base == "BD_UNIT" and f.must), None)
        if entry.amounts is None or unit is None:
            continue
        for at, line in enumerate(doc.entries.get(entry.key, []), start=1):
            material = store.table("BD_MATERIAL").docs.get(int(line[entry.amounts.material] or 0))
            units = {v for k, v in material.head.items() if "UnitI" in k} if material else set()
            if material and line[unit.key] and line[unit.key] not in units:
                found.append(Refusal(f"{entry.label}第{at}行，{unit.label}与物料的单位不匹配", field=unit.key))
    return found


def _blank(f: F, values: dict[str, Any]) -> bool:
    value = values.get(f.key)
    return f.must and (value in (None, "", 0) or (isinstance(value, str) and not value.strip()))


def _unique(table: Table, doc: Doc) -> list[Refusal]:
    number = str(doc.head.get(table.form.number) or "")
    other = table.numbered_as(number) if number else None
    if other is None or other.pk == doc.pk:
        return []
    label = next(f.label for f in table.form.fields if f.key == table.form.number)
    return [Refusal(f"违反字段唯一性要求：{label}“{number}”重复，已存在相同的数据", field=table.form.number)]
