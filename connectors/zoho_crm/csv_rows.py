"""Rows of a bulk file as records that look the way lists show them."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.connect.capabilities import Record
from hub.errors import UnexpectedAnswer

from .seed import FieldMeta

ID = "Id"
"""The file's first column."""
NAMES = {"Accounts": "Account_Name", "Contacts": "Full_Name", "Products": "Product_Name"}
"""Module → the field whose value stands for a record in lookups."""
_TEXTS = frozenset({
    "text", "textarea", "email", "phone", "website", "autonumber", "picklist", "bigint", "date", "datetime", "string",
})  # fmt: skip
_NUMBERS = frozenset({"integer", "double", "currency", "percent", "decimal"})
Convert = Callable[[str], Any]


@dataclass(slots=True)
class Columns:
    """What a job is asked for, and what becomes of it."""

    asked: list[str] = field(default_factory=list)
    """Fields of the query; ``Lookup.Name_Field`` gives the name of what a lookup points at."""
    plain: dict[str, Convert] = field(default_factory=dict)
    lookups: dict[str, str] = field(default_factory=dict)
    """Field → the column with its name."""
    people: list[str] = field(default_factory=list)


def columns_of(metas: Sequence[FieldMeta], wanted: Iterable[str]) -> tuple[Columns, list[str]]:
    """The columns for these fields, and the fields that a file does not show as lists do."""
    known = {str(meta["api_name"]): meta for meta in metas}
    columns, missing = Columns(), []
    for name in wanted:
        meta = known.get(name)
        if name == "id" or meta is None:  # a field that is not there is left out of lists, too
            continue
        kind = str(meta["data_type"])
        if kind == "formula":
            kind = str((meta.get("formula") or {}).get("return_type") or "").lower()
        convert = _convert(kind, meta)
        if convert is not None:
            columns.plain[name] = convert
        elif kind in ("ownerlookup", "userlookup"):
            columns.people.append(name)
        elif kind == "lookup" and (shown := NAMES.get(_target(meta))):
            columns.lookups[name] = f"{name}.{shown}"
            columns.asked.append(columns.lookups[name])
        else:
            missing.append(name)
            continue
        columns.asked.append(name)
    return columns, missing


def _convert(kind: str, meta: FieldMeta) -> Convert | None:
    if meta.get("json_type") in ("jsonarray", "jsonobject") and kind != "multiselectpicklist":
        return None
    if (meta.get("textarea") or {}).get("type") == "rich_text":
        return None  # lists cut it at 500 characters
    if kind in _TEXTS:
        return str
    if kind in _NUMBERS:
        return _number
    if kind == "boolean":
        return _boolean
    return _choices if kind == "multiselectpicklist" else None


def _target(meta: FieldMeta) -> str:
    return str(((meta.get("lookup") or {}).get("module") or {}).get("api_name") or "")


def _number(text: str) -> Any:
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _boolean(text: str) -> bool:
    return text.lower() in ("true", "1")


def _choices(text: str) -> list[str]:
    return text.split(";")


def read_rows(
    content: bytes, columns: Columns, person: Callable[[str], Any], *, skip: int, size: int
) -> Iterator[tuple[list[Record], int]]:
    """(records, number of the row after them), ``size`` rows at a time. Never holds the unpacked file in memory.

    Raises UnexpectedAnswer for what is no such file.
    """
    with tempfile.TemporaryFile() as file:
        file.write(content)
        del content
        try:
            with zipfile.ZipFile(file) as archive, archive.open(_only(archive)) as raw:
                text = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""))
                make = _maker(next(text, []), columns, person)
                rows: list[Record] = []
                number = 0
                for number, cells in enumerate(text, 1):
                    if number > skip:
                        rows.append(make(cells))
                    if len(rows) >= size:
                        yield rows, number
                        rows = []
                if rows:
                    yield rows, number
        except (zipfile.BadZipFile, csv.Error, UnicodeError, ArithmeticError, ValueError) as error:
            raise UnexpectedAnswer(f"a bulk file can't be read: {error}") from error


def _only(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(".csv")]
    if len(names) != 1:
        raise ValueError(f"it holds {len(names)} tables")
    return names[0]


def _maker(header: Sequence[str], columns: Columns, person: Callable[[str], Any]) -> Callable[[Sequence[str]], Record]:
    at = {name: place for place, name in enumerate(header)}
    if lacking := [name for name in (ID, *columns.asked) if name not in at]:
        raise ValueError(f"it lacks the columns {', '.join(lacking)}")
    id_at = at[ID]
    plain = [(name, at[name], convert) for name, convert in columns.plain.items()]
    lookups = [(name, at[name], at[shown]) for name, shown in columns.lookups.items()]
    people = [(name, at[name]) for name in columns.people]

    def make(cells: Sequence[str]) -> Record:
        if len(cells) != len(header):
            raise ValueError(f"a row has {len(cells)} cells instead of {len(header)}")
        record: Record = {name: convert(cells[i]) if cells[i] else None for name, i, convert in plain}
        record |= {name: {"name": cells[n] or None, "id": cells[i]} if cells[i] else None for name, i, n in lookups}
        record |= {name: person(cells[i]) if cells[i] else None for name, i in people}
        record["id"] = cells[id_at]
        return record

    return make
