"""References: between what a remote record holds (an id or a number of that system) and the hub's own ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.mapping.lens import Lens
from hub.store import shadows

Values = dict[str, Any]


class RefPath(NamedTuple):
    """A reference field: of the record, or of each line of ``field``."""

    field: str
    line_field: str | None
    entity: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that could not be translated."""

    path: str
    entity: str
    ref: str


def ref_paths(lens: Lens) -> tuple[RefPath, ...]:
    """All reference fields of a mapping."""
    paths = []
    for name, lens_field in lens.fields.items():
        if lens_field.ref is not None:
            paths.append(RefPath(name, None, lens_field.ref))
        elif lens_field.lines is not None:
            paths += [RefPath(name, line, f.ref) for line, f in lens_field.lines.fields.items() if f.ref is not None]
    return tuple(paths)


def mentioned(values: Values, paths: Iterable[RefPath]) -> Iterable[tuple[str, str]]:
    """(entity, reference) of every reference in these values."""
    for path in paths:
        value = values.get(path.field)
        if value is None:
            continue
        if path.line_field is None:
            yield path.entity, value
        else:
            for line in value:
                ref = line.get(path.line_field)
                if ref is not None:
                    yield path.entity, ref


def translate(
    values: Values, paths: Iterable[RefPath], table: Mapping[tuple[str, str], str], *, unknown: str | None = None
) -> list[Missing]:
    """Replace references in place by what ``table`` says.

    One that is not in the table is returned, and left out of the values; or, with ``unknown``, replaced by that prefix
    and the reference itself, which equals no id: enough to see that it differs.
    """
    missing: list[Missing] = []
    for path in paths:
        value = values.get(path.field)
        if value is None:
            continue
        if path.line_field is None:
            found = table.get((path.entity, value))
            if found is not None:
                values[path.field] = found
            elif unknown is not None:
                values[path.field] = unknown + value
            else:
                missing.append(Missing(path.field, path.entity, value))
                del values[path.field]
            continue
        lines = []
        for line in value:
            ref = line.get(path.line_field)
            if ref is not None:
                line = dict(line)
                found = table.get((path.entity, ref))
                if found is not None:
                    line[path.line_field] = found
                elif unknown is not None:
                    line[path.line_field] = unknown + ref
                else:
                    missing.append(Missing(f"{path.field}.{path.line_field}", path.entity, ref))
            lines.append(line)
        values[path.field] = lines
    return missing


def by_entity(values: Iterable[Values], paths: tuple[RefPath, ...]) -> dict[str, set[str]]:
    """Entity → every reference to it in these values."""
    found: dict[str, set[str]] = {}
    for one in values if paths else ():
        for entity, ref in mentioned(one, paths):
            found.setdefault(entity, set()).add(ref)
    return found


def hub_table(
    connection: Connection, system: str, values: Iterable[Values], paths: tuple[RefPath, ...]
) -> dict[tuple[str, str], str]:
    """(entity, reference in ``system``) → hub id, for every reference in these values."""
    return {
        (entity, ref): hub_id
        for entity, refs in by_entity(values, paths).items()
        for ref, hub_id in shadows.hub_ids_of(connection, system, entity, refs).items()
    }


def remote_table(
    connection: Connection, system: str, values: Iterable[Values], paths: tuple[RefPath, ...]
) -> dict[tuple[str, str], str]:
    """(entity, hub id) → reference in ``system``."""
    return {
        (entity, hub_id): ref
        for entity, ids in by_entity(values, paths).items()
        for hub_id, ref in shadows.links(connection, ids, system).items()
    }
