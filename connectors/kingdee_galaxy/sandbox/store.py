"""What the pretended account set holds, in memory, and how records are found in it. One lock guards everything."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hub.connect.sandbox import SandboxClock

from .catalogue_bills import FORMS
from .forms import F, Form

CHINA = timezone(timedelta(hours=8))
Value = str | int | bool | Decimal | None
"""A stored value. References and users are inner ids (0: none), dates and times naive ISO text."""
Line = dict[str, Any]


class Refusal(Exception):
    """The product says no: one message as it stands in ResponseStatus."""

    def __init__(self, message: str, *, field: str | None = None, code: int = 11) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code


@dataclass(slots=True)
class Doc:
    """One stored record."""

    pk: int
    head: dict[str, Any]
    entries: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.head.get("FDocumentStatus") or "C")


@dataclass(slots=True)
class Table:
    """All records of one form, by inner id and by number."""

    form: Form
    docs: dict[int, Doc] = field(default_factory=dict)
    by_number: dict[str, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """Inner ids, ascending: ids are only ever given upwards."""
    numbered: int = 0

    def put(self, doc: Doc) -> None:
        """Add a record, or take over its changed number."""
        if doc.pk not in self.docs:
            self.order.append(doc.pk)
        self.docs[doc.pk] = doc
        number = str(doc.head.get(self.form.number) or "")
        if number:
            self.by_number[number.lower()] = doc.pk

    def renumber(self, old: str, doc: Doc) -> None:
        """A record's number changed from ``old``."""
        self.by_number.pop(old.lower(), None)
        self.put(doc)

    def remove(self, doc: Doc) -> None:
        del self.docs[doc.pk]
        self.by_number.pop(str(doc.head.get(self.form.number) or "").lower(), None)
        del self.order[bisect_left(self.order, doc.pk)]

    def numbered_as(self, number: str) -> Doc | None:
        pk = self.by_number.get(number.strip().lower())
        return self.docs.get(pk) if pk is not None else None

    def after(self, pk: int) -> Iterator[Doc]:
        """Records with a greater inner id, ascending."""
        for at in range(bisect_left(self.order, pk + 1), len(self.order)):
            yield self.docs[self.order[at]]

    def next_number(self) -> str:
        """The next free number of the number rule."""
        while True:
            self.numbered += 1
            number = f"{self.form.prefix}{self.numbered:06d}"
            if number.lower() not in self.by_number:
                return number


class Store:
    """The account set: tables, users, id sequences, clock."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.tables = {name: Table(form) for name, form in FORMS.items()}
        self.users: dict[int, str] = {16394: "Administrator", 100123: "api_user"}
        self._last_id = 100000
        self._lower = {name.lower(): name for name in FORMS}

    def form(self, name: str) -> Form:
        """A form by its id, in any case. Raises Refusal as the product does."""
        found = self._lower.get(name.strip().lower())
        if not name.strip():
            raise Refusal("业务对象标识不能为空", code=5)
        if found is None:
            raise Refusal(f'标识为"{name}"的业务对象不存在，请检查该业务对象是否存在', code=4)
        return FORMS[found]

    def table(self, form: Form | str) -> Table:
        return self.tables[form if isinstance(form, str) else form.id]

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def user_id(self, name: str) -> int:
        """The id of a user; a name not seen before becomes a user."""
        for id, known in self.users.items():
            if known == name:
                return id
        self.users[100000 + len(self.users) * 7 + 900] = name
        return self.user_id(name)

    def now(self) -> str:
        """Server time: naive, UTC+8, milliseconds, as stored."""
        return as_text(self.clock.now())

    def today(self) -> str:
        return self.now()[:10] + "T00:00:00"

    def name_of(self, f: F, value: Any) -> str | None:
        """The name behind a reference or user."""
        if not value:
            return None
        if f.kind == "user":
            return self.users.get(int(value))
        doc = self.table(f.base).docs.get(int(value))
        return None if doc is None else str(doc.head.get(self.table(f.base).form.names) or "")

    def number_of(self, f: F, value: Any) -> str | None:
        """The number behind a reference."""
        doc = self.table(f.base).docs.get(int(value)) if value else None
        return None if doc is None else str(doc.head.get(self.table(f.base).form.number) or "")

    def by_key(self, form: Form, id: Any = None, number: Any = None) -> Doc | None:
        """A record by inner id or number, whichever is given."""
        table = self.table(form)
        if id not in (None, "", 0, "0"):
            return table.docs.get(int(id)) if str(id).strip().isdigit() else None
        return table.numbered_as(str(number)) if number not in (None, "") else None


def as_text(moment: datetime) -> str:
    """``2026-01-15T09:30:12.387``: local time in China, no zone."""
    return moment.astimezone(CHINA).replace(tzinfo=None).isoformat(timespec="milliseconds")


_EMPTY: dict[str, Value] = {
    "base": 0, "user": 0, "decimal": Decimal(0), "int": 0, "bool": False, "date": None, "datetime": None,
}  # fmt: skip


def empty(f: F) -> Value:
    """What an untouched field holds."""
    return _EMPTY.get(f.kind, "")
