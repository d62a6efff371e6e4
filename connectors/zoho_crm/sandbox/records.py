"""The sandbox's records: insert, update, upsert, delete and restore, with the vendor's checks and side effects.

Everything here works on one record at a time and either does all of it or nothing. Batches, statuses and paging are
the business of ``writes`` and ``lists``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from ..seed import ID_BASE, MODULES
from . import problems
from .org import INTEGRATION, Org, whole_second
from .rendering import Renderer
from .tables import Deleted, Row, Table
from .totals import checked_discount, checked_line_tax, document_totals, total_line
from .values import UnknownId, Wrong, checked

Body = dict[str, Any]
MOST_LINES = 200
_LINE_MODULES = ("Ordered_Items", "Invoiced_Items")


class Refused(Exception):
    """One record refused; ``error`` is its entry in the answer."""

    def __init__(self, error: Body) -> None:
        super().__init__(f"{error['code']}: {error['message']} {error['details']}")
        self.error = error


@dataclass
class _Draft:
    """What a record's body amounts to, checked and ready to be stored."""

    values: Body = field(default_factory=dict)
    lines: dict[str, list[_LineEdit]] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    """Subform fields sent as ``[]``: all lines go."""
    errors: list[Body] = field(default_factory=list)


@dataclass
class _LineEdit:
    id: int | None
    values: Body
    delete: bool = False


class Records:
    """All modules' records. Not thread-safe: the app holds one lock."""

    def __init__(self, org: Org, now: Callable[[], datetime], strict_choices: bool = False) -> None:
        self.org = org
        self.tables = {name: Table(name) for name in MODULES}
        self.renderer = Renderer(org, self.tables)
        self.strict_choices = strict_choices
        self.workflow_runs: deque[Body] = deque(maxlen=10_000)
        """Which automations a write would have started: (module, id, trigger)."""
        self._now = now
        self._next_id = ID_BASE + 100_000_001

    def now(self) -> datetime:
        """The sandbox's time, to the second."""
        return whole_second(self._now())

    @contextmanager
    def in_the_past(self, minutes: int) -> Iterator[None]:
        """Inside, the clock begins so long ago and each record is written a minute after the one before."""
        real, start = self._now, self.now() - timedelta(minutes=minutes)
        ticks = count()
        self._now = lambda: min(start + timedelta(minutes=next(ticks)), real())
        try:
            yield
        finally:
            self._now = real

    def find(self, module: str, id: str) -> Row | None:
        """The live record of that id."""
        return self.tables[module].rows.get(int(id)) if str(id).isdigit() else None

    def insert(self, module: str, body: Body, path: str = "$", by: str = INTEGRATION.id) -> Row:
        """Store a new record. Raises Refused."""
        draft = self._checked(module, body, path, None)
        for meta in self._mandatory(module, body):
            name = meta["api_name"]
            only_removed = name in draft.lines and all(edit.delete for edit in draft.lines[name])
            if body.get(name) in (None, "", []) or only_removed:
                draft.errors.insert(0, problems.mandatory(name, f"{path}.{name}"))
        self._refuse(draft)
        now = self.now()
        defaults = {
            f["api_name"]: f["default_value"] for f in self.org.fields[module] if f.get("default_value") is not None
        }
        row = Row(self._new_id(), {"Owner": by, "Record_Status__s": "Available", **defaults}, now, now, by, by)
        row.values.update(draft.values)
        if module in ("Sales_Orders", "Invoices"):
            row.values["SO_Number" if module == "Sales_Orders" else "Invoice_Number"] = str(row.id)
        self.tables[module].add(row)
        self._store_lines(module, row, draft, now)
        return row

    def update(self, module: str, row: Row, body: Body, path: str = "$", by: str = INTEGRATION.id) -> Row:
        """Change the given fields of a record. Raises Refused. The modification time moves whatever was sent."""
        draft = self._checked(module, body, path, row)
        for meta in self._mandatory(module, body):
            name = meta["api_name"]
            emptied = name in draft.values and body[name] in (None, "")
            if emptied or (name in draft.cleared | set(draft.lines) and not self._lines_left(row, name, draft)):
                draft.errors.insert(0, problems.mandatory(name, f"{path}.{name}"))
        self._refuse(draft)
        now = self.now()
        self.tables[module].change(row, draft.values, now, by)
        self._store_lines(module, row, draft, now)
        return row

    def delete(self, module: str, row: Row, by: str = INTEGRATION.id) -> None:
        """Move a record to the recycle bin, and its lines with it."""
        table = self.tables[module]
        lines: dict[str, list[Row]] = {}
        for name, ids in row.lines.items():
            sub = self._line_table(module, name)
            lines[name] = [sub.rows[id] for id in ids]
            for line in lines[name]:
                sub.remove(line)
        table.remove(row)
        name = self.renderer.display_name(module, row) or ""
        table.deleted[row.id] = Deleted(row, lines, name, self.now(), by)

    def restore(self, module: str, id: str, by: str) -> Row:
        """Bring a record back from the recycle bin, with its old id. Raises LookupError."""
        table = self.tables[module]
        gone = table.deleted.pop(int(id), None) if id.isdigit() else None
        if gone is None:
            raise LookupError(f"{module} {id} is not in the recycle bin")
        row = gone.row
        row.modified, row.modified_by = self.now(), by
        table.add(row)
        for name, lines in gone.lines.items():
            for line in lines:
                self._line_table(module, name).add(line)
        return row

    def unique_fields(self, module: str) -> list[str]:
        """Fields whose values may not repeat, in the order they were made."""
        return [f["api_name"] for f in self.org.fields[module] if f["unique"] or f["external"]]

    def first_match(self, module: str, body: Body, names: list[str]) -> tuple[str, Row] | None:
        """The first of these fields in which a live record has this body's value."""
        table = self.tables[module]
        for name in names:
            found = table.holder(name, body.get(name)) if not isinstance(body.get(name), dict | list) else None
            if found is not None:
                return name, table.rows[found]
        return None

    # --- checking -------------------------------------------------------------------------------------

    def _refuse(self, draft: _Draft) -> None:
        if draft.errors:
            raise Refused(problems.several(draft.errors))

    def _mandatory(self, module: str, body: Body) -> Iterator[Body]:
        # Mandatory by layout counts only when the body names the layout (API page "Insert records").
        by_layout = self.org.layout_required.get(module, set()) if isinstance(body.get("Layout"), dict) else set()
        for meta in self.org.fields[module]:
            if meta["system_mandatory"] or meta["api_name"] in by_layout:
                yield meta

    def _checked(self, module: str, body: Body, path: str, row: Row | None) -> _Draft:
        draft = _Draft()
        if "$line_tax" in body:
            draft.values["$line_tax"] = body["$line_tax"]
        operation = "api_create" if row is None else "api_update"
        for meta in self.org.fields[module]:
            name = meta["api_name"]
            # Unknown names and read-only fields are passed over in silence, as the vendor does.
            if name not in body or meta["field_read_only"] or not meta["operation_type"][operation]:
                continue
            at = f"{path}.{name}"
            if meta["data_type"] == "subform":
                self._check_lines(meta, body[name], at, row, draft)
                continue
            value, error = self._value(module, meta, body[name], at)
            draft.values[name] = value
            if error:
                draft.errors.append(error)
            elif value is not None and (meta["unique"] or meta["external"]):
                self._check_unique(module, meta, value, at=at, row=row, draft=draft)
        return draft

    def _value(self, module: str, meta: Body, value: Any, at: str) -> tuple[Any, Body | None]:
        name = meta["api_name"]
        if value is None or value == "":
            return None, None
        try:
            if meta["data_type"] == "linetax":
                return checked_line_tax(value), None
            if name == "Discount" and module in _LINE_MODULES:
                return checked_discount(value), None
            return checked(meta, value, self._exists, self.strict_choices), None
        except Wrong as wrong:
            return None, problems.invalid(name, at, **wrong.details)
        except UnknownId:
            return None, problems.invalid_id(f"{at}.id", name)

    def _exists(self, target: str, id: str) -> bool:
        if target == "users":
            return id in self.org.users
        return target in self.tables and self.find(target, id) is not None

    def _check_unique(self, module: str, meta: Body, value: Any, *, at: str, row: Row | None, draft: _Draft) -> None:
        holder = self.tables[module].holder(meta["api_name"], value)
        if holder is None or (row is not None and holder == row.id):
            return
        owner = self.org.users.get(self.tables[module].rows[holder].values.get("Owner", ""))
        details = {
            "api_name": meta["api_name"], "json_path": at, "id": str(holder), "more_records": False,
            "duplicate_record": {
                "Owner": {"name": owner.name, "id": owner.id} if owner else None,
                "module": {"api_name": module, "id": self.org.module_answer(module)["id"]},
                "id": str(holder),
            },
        }  # fmt: skip
        draft.errors.append(problems.error("DUPLICATE_DATA", "duplicate data", details))

    def _check_lines(self, meta: Body, sent: Any, at: str, row: Row | None, draft: _Draft) -> None:
        name, sub = meta["api_name"], meta["subform"]["module"]
        if sent is None or sent == []:
            draft.cleared.add(name)
            return
        if not isinstance(sent, list) or not all(isinstance(line, dict) for line in sent):
            draft.errors.append(problems.invalid(name, at, expected_data_type="jsonarray"))
            return
        if len(sent) > MOST_LINES:
            details = {"api_name": name, "json_path": at, "maximum_length": MOST_LINES}
            draft.errors.append(problems.error("LIMIT_EXCEEDED", "limit exceeded", details))
            return
        mine = row.lines.get(name, []) if row else []
        edits = draft.lines[name] = []
        for place, line in enumerate(sent):
            edits.append(self._check_line(sub, line, f"{at}[{place}]", mine, draft))

    def _check_line(self, sub: str, line: Body, at: str, mine: list[int], draft: _Draft) -> _LineEdit:
        id = None
        if line.get("id") is not None:
            id = int(line["id"]) if str(line["id"]).isdigit() else 0
            if id not in mine:
                draft.errors.append(problems.invalid_id(f"{at}.id"))
        if "_delete" in line:
            return _LineEdit(id, {}, delete=True)
        inner = self._checked(sub, line, at, None)
        if id is None:
            for meta in self.org.fields[sub]:
                if meta["system_mandatory"] and inner.values.get(meta["api_name"]) is None:
                    inner.errors.append(problems.mandatory(meta["api_name"], f"{at}.{meta['api_name']}"))
        draft.errors.extend(inner.errors)
        return _LineEdit(id, inner.values)

    def _lines_left(self, row: Row, name: str, draft: _Draft) -> int:
        left = set() if name in draft.cleared else set(row.lines.get(name, []))
        edits = draft.lines.get(name, [])
        return len(left - {e.id for e in edits if e.delete}) + sum(e.id is None for e in edits)

    # --- storing --------------------------------------------------------------------------------------

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _line_table(self, module: str, name: str) -> Table:
        meta = self.org.field_of(module, name)
        assert meta is not None
        return self.tables[meta["subform"]["module"]]

    def _store_lines(self, module: str, row: Row, draft: _Draft, now: datetime) -> None:
        for name in draft.cleared:
            table = self._line_table(module, name)
            for id in row.lines.pop(name, []):
                table.remove(table.rows[id])
        for name, edits in draft.lines.items():
            table = self._line_table(module, name)
            mine = row.lines.setdefault(name, [])
            for edit in edits:
                self._store_line(table, row, mine, edit, now)
            mine.sort(key=lambda id: (int(table.rows[id].values.get("Sequence_Number") or 0), id))
        if module in ("Sales_Orders", "Invoices"):
            lines = [self._line_table(module, n).rows[id].values for n, ids in row.lines.items() for id in ids]
            row.values.update(document_totals(row.values, lines))

    def _store_line(self, table: Table, row: Row, mine: list[int], edit: _LineEdit, now: datetime) -> None:
        by = row.modified_by
        if edit.delete:
            if edit.id is not None:
                table.remove(table.rows[edit.id])
                mine.remove(edit.id)
            return
        if edit.id is not None:
            line = table.rows[edit.id]
            values = {**line.values, **edit.values}
            total_line(values)
            table.change(line, values, now, by)
            return
        last = max((int(table.rows[id].values.get("Sequence_Number") or 0) for id in mine), default=0)
        values = {"Quantity": Decimal(1), "Sequence_Number": str(last + 1), **edit.values}
        total_line(values)
        line = Row(self._new_id(), values, now, now, by, by, parent=row.id)
        table.add(line)
        mine.append(line.id)
