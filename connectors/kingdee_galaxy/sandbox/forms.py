"""What a form (业务对象) is made of, as the sandbox knows it: fields, sub-heads, entries, states, operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "names", "int", "decimal", "bool", "date", "datetime", "choice", "base", "user"]
"""``names`` is a text kept per language, ``base`` a reference to base data, ``user`` a reference to a user."""


@dataclass(frozen=True, slots=True)
class F:
    """One field. ``key`` is spelt as in Save; queries find it in any case."""

    key: str
    label: str
    kind: Kind = "text"
    base: str = ""
    """Form that a reference points at."""
    must: bool = False
    computed: bool = False
    """Filled by the server: what a client sends is not taken."""
    default: str = ""
    """Value of a new record when nothing is sent: a text (numbers and references by number too), or ``=OtherKey``."""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, label) pairs."""
    length: int = 255
    scale: int = 2
    prop: str = ""
    """Name of the property in View, where it is not the key without its F."""
    column: str = ""
    """Database column in QueryBusinessInfo, where it is not the key in capitals."""


@dataclass(frozen=True, slots=True)
class SubHead:
    """Part of the head that Save nests and queries show flat; View shows it as a list of one."""

    key: str
    label: str
    prop: str
    fields: tuple[F, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines of a form."""

    key: str
    label: str
    prop: str
    fields: tuple[F, ...]
    id_key: str = "FEntryID"
    amounts: Amounts | None = None
    must: bool = False
    """Whether a record needs at least one line."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Which fields of a line take part in the price calculation, by their keys."""

    material: str
    quantity: str
    price: str
    tax_price: str
    rate: str
    discount_rate: str
    discount: str
    net: str
    tax: str
    gross: str
    included: str
    """Head field: whether the gross price is the agreed one."""
    resets: tuple[str, ...] = ()
    """Head fields that fetch prices anew when they are entered after the lines."""
    head_net: str = ""
    head_tax: str = ""
    head_gross: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One form. ``pk`` and ``number`` are keys; ``prefix`` begins the numbers that the number rule gives."""

    id: str
    label: str
    pk: str
    number: str
    prefix: str
    fields: tuple[F, ...]
    subheads: tuple[SubHead, ...] = ()
    entries: tuple[Entry, ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    """(opNumber, label) pairs of ExcuteOperation."""
    base_data: bool = False
    org: str = ""
    """The field that says to which organisation a record belongs."""
    names: str = "FName"
    changes: bool = True
    """Whether the form has status, creator and modification fields."""
    _index: dict[str, tuple[F, Entry | None]] = field(default_factory=dict, compare=False, repr=False)

    def find(self, key: str) -> tuple[F, Entry | None] | None:
        """A field by its query key, in any case; with the entry it belongs to (None: head)."""
        if not self._index:
            for entry in reversed(self.entries):
                self._index.update({f.key.lower(): (f, entry) for f in entry.fields})
                self._index[f"{entry.key}_{entry.id_key}".lower()] = (F(entry.id_key, "分录内码", "int"), entry)
                self._index[f"{entry.key}_FSEQ".lower()] = (F("FSeq", "行号", "int"), entry)
            head = [*self.fields, *(f for s in self.subheads for f in s.fields)]
            self._index.update({f.key.lower(): (f, None) for f in head})
            self._index[self.pk.lower()] = (F(self.pk, "内码", "int"), None)
        return self._index.get(key.lower())

    def head_fields(self) -> list[F]:
        """All fields of the head, those of sub-heads included, in order."""
        return [*self.fields, *(f for s in self.subheads for f in s.fields)]

    def entry(self, key: str) -> Entry | None:
        """An entry by its key, in any case."""
        return next((e for e in self.entries if e.key.lower() == key.lower()), None)

    def subhead(self, key: str) -> SubHead | None:
        """A sub-head by its key, in any case."""
        return next((s for s in self.subheads if s.key.lower() == key.lower()), None)


STATUS = (("Z", "暂存"), ("A", "创建"), ("B", "审核中"), ("C", "已审核"), ("D", "重新审核"))


def tracked() -> tuple[F, ...]:
    """The fields that say who made and changed a record, and its state."""
    return (
        F("FDocumentStatus", "数据状态", "choice", computed=True, choices=STATUS),
        F("FCreatorId", "创建人", "user", computed=True),
        F("FCreateDate", "创建日期", "datetime", computed=True),
        F("FModifierId", "最后修改人", "user", computed=True),
        F("FModifyDate", "最后修改日期", "datetime", computed=True),
        F("FApproverId", "审核人", "user", computed=True),
        F("FApproveDate", "审核日期", "datetime", computed=True),
    )


def base(key: str, label: str, form: str, *, must: bool = False, default: str = "", prop: str = "") -> F:
    """A reference to base data."""
    return F(key, label, "base", base=form, must=must, default=default, prop=prop)


def number(key: str, label: str, scale: int = 2, *, computed: bool = False, default: str = "0") -> F:
    """A quantity, price or amount."""
    return F(key, label, "decimal", scale=scale, computed=computed, default=default)
