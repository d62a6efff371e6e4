"""Which canonical records refer to a record. A person's rare question: all records that could are looked through."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from hub.model.spec import EntitySpec
from hub.store import records
from hub.store.database import Store
from hub.store.records import Stored
from hub.sync.policy import Setup

PAGE = 1000


class Reference(NamedTuple):
    """One place that refers to a record."""

    record: Stored
    path: str
    """``customer``, ``lines[3].product``."""
    hub_id: str
    """Whom it refers to."""


def referring(store: Store, setup: Setup, entity: str, hub_ids: Collection[str]) -> Iterator[Reference]:
    """Every place in a record that is not deleted which refers to one of these."""
    wanted = set(hub_ids)
    for other in setup.policies if wanted else ():
        fields = _fields(setup.specs[other], entity)
        after = ""
        while fields:
            with store.read() as connection:
                page = records.page(connection, other, after, PAGE)
            for record in page:
                if record.deleted_at is None:
                    yield from _of(record, fields, setup.specs[other], wanted)
            if len(page) < PAGE:
                break
            after = page[-1].hub_id


def _fields(spec: EntitySpec, entity: str) -> list[tuple[str, str | None]]:
    """(field, field of its lines) of every reference to ``entity``."""
    found: list[tuple[str, str | None]] = []
    for name, field in spec.fields.items():
        if field.ref == entity:
            found.append((name, None))
        elif field.lines is not None:
            found += [(name, line) for line, below in field.lines.fields.items() if below.ref == entity]
    return found


def _of(
    record: Stored, fields: list[tuple[str, str | None]], spec: EntitySpec, wanted: set[str]
) -> Iterator[Reference]:
    for name, line_field in fields:
        value = record.values.get(name)
        if line_field is None:
            if value in wanted:
                yield Reference(record, name, value)
            continue
        lines = spec.fields[name].lines
        for line in value or ():
            if lines is not None and line.get(line_field) in wanted:
                yield Reference(record, f"{name}[{line[lines.key]}].{line_field}", line[line_field])
