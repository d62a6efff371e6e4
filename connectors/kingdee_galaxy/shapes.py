"""From the names a mapping reads to the keys of queries: references by number, sub-heads flat, lines by their entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.connect.capabilities import Field, Record, Resource
from hub.errors import ConfigurationError

from .forms import FormInfo
from .queries import Column, Shape


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask of one form: the head (with the joined entry), and other entries on their own."""

    main: Shape
    apart: tuple[Shape, ...]
    line_fields: tuple[str, ...]
    """Lines fields that every record must show, be it as an empty list."""

    def bare(self) -> Shape:
        """The head alone: for records without lines."""
        return Shape(self.main.info, self.main.head)


def meta_columns(info: FormInfo, key_field: str | None) -> tuple[Column, ...]:
    """What the hub needs of every record besides the mapping's fields. Any of it may be missing on a form."""
    columns = [
        Column(info.number, ("@number",), optional=True),
        Column("FModifyDate", ("@modified",), optional=True),
        Column("FModifierId.FName", ("@by",), optional=True),
    ]
    columns += [Column(k, (f"@{k}",), optional=True) for k in info.changed_by if k != "FModifyDate"]
    if info.status:
        columns.append(Column(info.status, ("@status",), optional=True))
    if key_field:
        columns.append(Column(key_field, ("@key",), optional=True))
    return tuple(columns)


def wanted(info: FormInfo, resource: Resource, fields: Sequence[str], options: Record, key_field: str | None) -> Wanted:
    """``fields``: top-level names, or dotted ones; none means all. ``options["fields"]`` adds dotted names. Raises
    ConfigurationError for a name that leads nowhere."""
    names = list(fields) or [f.name for f in resource.fields]
    names += [str(n) for n in options.get("fields") or []]
    by_name = {f.name.lower(): f for f in resource.fields}
    head: list[Column] = []
    lines: dict[str, list[Column]] = {}
    for name in names:
        first, _, rest = name.partition(".")
        entry = next((e for e in info.entries if e.lower() == first.lower()), None)
        subhead = next((s for s in info.subheads if s.lower() == first.lower()), None)
        known = by_name.get(first.lower())
        if entry is None and known is not None and known.type == "lines":
            entry = known.name
        if entry is not None:
            lines.setdefault(entry, [])
            lines[entry] += _line_columns(entry, rest, known, info)
        elif subhead is not None:
            head += _subhead_columns(subhead, rest, info, by_name)
        else:
            head += _columns(first, rest, known, ())
    return _assembled(info, head, lines, key_field)


def _assembled(info: FormInfo, head: list[Column], lines: dict[str, list[Column]], key_field: str | None) -> Wanted:
    columns = (*meta_columns(info, key_field), *head)
    joined = info.joined if info.joined in lines else None
    main = Shape(info, columns, joined, tuple(lines[joined]) if joined else ())
    apart = tuple(Shape(info, (), entry, tuple(c)) for entry, c in lines.items() if entry != joined)
    return Wanted(main, apart, tuple(lines))


def _columns(name: str, rest: str, known: Field | None, path: tuple[str, ...], optional: bool = False) -> list[Column]:
    if rest:
        return [Column(f"{name}.{rest}", (*path, name, *rest.split(".")), optional)]
    if known is not None and known.type == "reference":
        # The first member is what the reference is written by; the others a mapping may read.
        inner = [f.name for f in known.fields] or ["FNumber"]
        return [
            Column(f"{known.name}.{one}", (*path, known.name, one), optional or one != inner[0]) for one in inner
        ]  # fmt: skip
    spelt = known.name if known is not None else name
    return [Column(spelt, (*path, spelt), optional)]


def _subhead_columns(subhead: str, rest: str, info: FormInfo, by_name: dict[str, Field]) -> list[Column]:
    """A mapping may name the sub-head as Save does: asked for flat, shown nested."""
    if rest:
        name, _, inner = rest.partition(".")
        return _columns(name, inner, by_name.get(name.lower()), (subhead,))
    known = [by_name[k.lower()] for k in info.subheads[subhead] if k.lower() in by_name]
    return [c for f in known for c in _columns(f.name, "", f, (subhead,), optional=True)]


def _line_columns(entry: str, rest: str, known: Field | None, info: FormInfo) -> list[Column]:
    id_key = info.entries.get(entry, "FEntryID")
    seq = Column(f"{entry}_FSEQ", ("FSeq",), optional=True)
    fields = {f.name.lower(): f for f in known.fields} if known else {}
    if not rest:
        if not fields:
            raise ConfigurationError(
                f"nothing is known of the lines {entry} of {info.id}",
                cure=f"name the fields under read: in the mapping, as fields: [{entry}.FQty, …]",
            )
        inner = [f for f in known.fields if f.name.lower() not in ("fseq", id_key.lower())] if known else []
        return [seq, *(c for f in inner for c in _columns(f.name, "", f, (), optional=True))]
    name, _, deeper = rest.partition(".")
    if name.lower() == "fseq":
        return [seq]
    if name.lower() == id_key.lower():
        return []
    return [seq, *_columns(name, deeper, fields.get(name.lower()), ())]
