"""From a write to the ``Model`` of Save: nested as Save wants it, in the order in which a person would type it.

The server replays a packet like typing (A7): a price typed before its material, or lines before the customer, come out
as 0. And it passes over unknown keys without a word, so every key is held against the live form first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import Field, Record, Resource, Write
from hub.errors import ConfigurationError, RecordRejected

from .forms import FormInfo, subhead_of
from .settings import Settings

_HEAD_FIRST = (
    "fbilltypeid", "fcreateorgid", "fsaleorgid", "fsettleorgid", "fuseorgid", "fpayorgid", "fstockorgid", "fdate",
    "fcustid", "fcustomerid", "fcurrencyid", "fistax",
)  # fmt: skip
_LINE_FIRST = (
    "fentryid", "fmaterialid", "fauxpropid", "funitid", "fpriceunitid", "fqty", "fmustqty", "frealqty", "fpriceqty",
    "fprice", "ftaxprice", "fentrytaxrate", "fdiscountrate", "fentrydiscountrate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    """One record's Model, and what is not saved but done."""

    model: Record
    only: tuple[str, ...] = ()
    """NeedUpDateFields of an update; empty when nothing is to be saved."""
    lines: tuple[str, ...] = ()
    """Entry keys; their lists are complete."""
    stage: str | None = None
    """The state (FDocumentStatus) that the mapping asks for."""
    switches: dict[str, str] = field(default_factory=dict)
    """State fields that operations move (FForbidStatus), with the wanted value."""


class Packer:
    """Builds packets for one form."""

    def __init__(self, info: FormInfo, resource: Resource, settings: Settings, where: str) -> None:
        self._info = info
        self._where = where
        self._settings = settings
        self._fields = {f.name.lower(): f for f in resource.fields}

    def has(self, key: str) -> bool:
        """Whether the live form has a field of the head."""
        return key.lower() in self._fields

    def create(self, write: Write, options: Record, units: Mapping[str, str]) -> Packet:
        """A new record: the mapping's values over the defaults. ``units``: material number → unit to sell it in.
        Raises RecordRejected for a value that can't be sent."""
        values = self._checked(write.values)
        stage, switches = self._taken_out(values)
        for source in (options.get("defaults"), self._settings.defaults.get(self._info.id), self._standard()):
            _fill(values, self._info.entries, source or {})
        self._follow(values, values)
        self._fill_units(values, units)
        number = values.get(self._info.number)
        if number is None or not str(number).strip():
            values.pop(self._info.number, None)
        key_field = self._settings.key_field
        if key_field and self.has(key_field):
            values[key_field] = write.key
        elif self._info.number not in values:
            raise ConfigurationError(
                f"{self._info.id} has no field {key_field or 'for the hub’s key'} and the mapping gives no"
                f" {self._info.number}: after a lost answer nobody could tell whether the record was created",
                where=self._where,
                cure=f"add a text field {key_field or 'F_HUB_KEY'} to the form in Kingdee (BOS designer)",
            )
        lines = tuple(e for e in self._info.entries if e in values)
        return Packet(self._model(values), (), lines, stage, switches)

    def update(self, write: Write, options: Record, units: Mapping[str, str]) -> Packet:
        """What changes, with the list of its keys. Lines come as the complete wanted list."""
        values = self._checked(write.values)
        stage, switches = self._taken_out(values)
        entries = tuple(e for e in self._info.entries if e in values)
        new_lines = {e: [x for x in values[e] if not x.get(self._info.entries[e])] for e in entries}
        for source in (options.get("defaults"), self._settings.defaults.get(self._info.id), self._standard()):
            for entry in entries:
                for line in new_lines[entry]:
                    _fill(line, {}, (source or {}).get(entry) or {})
        known = {**(write.old or {}), **values}
        self._follow(new_lines, known)
        self._keep(values, write.old or {}, known)
        self._fill_units(new_lines, units)
        only = [k for k in values if k not in entries]
        for entry in entries:
            keys = {k: None for line in values[entry] for k in line if k != self._info.entries[entry]}
            only += [entry, *keys]
        pk: Any = int(str(write.id)) if str(write.id).isdigit() else write.id
        return Packet({self._info.pk: pk, **self._model(values)}, tuple(only), entries, stage, switches)

    def goal(self, write: Write) -> Packet:
        """The states that a write wants its record in, with nothing to save."""
        try:
            stage, switches = self._taken_out(self._checked(write.values))
        except RecordRejected:
            return Packet({})  # it was never sent
        return Packet({}, (), (), stage, switches)

    def materials_without_unit(self, writes: list[Write]) -> set[str]:
        """Numbers of materials on new lines that say no unit."""
        if not self._info.units or not self._info.joined:
            return set()
        material, unit, _ = self._info.units
        lines = [x for w in writes for x in w.values.get(self._info.joined) or [] if isinstance(x, dict)]
        return {n for x in lines if not _number(x.get(unit)) and (n := _number(x.get(material)))}

    def _checked(self, values: Record) -> Record:
        """Values by the keys the form has, references as objects, nothing that is read-only. Raises RecordRejected."""
        checked: Record = {}
        for key, value in values.items():
            subhead = next((s for s in self._info.subheads if s.lower() == key.lower()), None)
            inner = value if subhead and isinstance(value, dict) else {key: value}
            for name, one in inner.items():
                field = self._field(str(name), self._fields, "")
                entry = next((e for e in self._info.entries if e.lower() == field.name.lower()), None)
                if entry is not None:
                    checked[entry] = self._lines(entry, field, one)
                elif not field.read_only and field.name.lower() != self._info.pk.lower():
                    checked[field.name] = _value(field, one)
        return checked

    def _lines(self, entry: str, field: Field, lines: Any) -> list[Record]:
        id_key = self._info.entries[entry]
        known = {f.name.lower(): f for f in field.fields}
        checked = []
        for line in lines or []:
            if not isinstance(line, dict):
                raise RecordRejected(f"a line of {entry} is no object", field=entry, where=self._where)
            one: Record = {}
            for key, value in line.items():
                if key.lower() == id_key.lower():
                    one[id_key] = value
                    continue
                inner = self._field(str(key), known, f"{entry}.")
                if not inner.read_only:
                    one[inner.name] = _value(inner, value)
            checked.append(one)
        return checked

    def _field(self, key: str, known: Mapping[str, Field], prefix: str) -> Field:
        field = known.get(key.lower())
        if field is None:
            raise RecordRejected(
                f"{self._info.id} has no field {prefix}{key}; Kingdee would pass over it without a word",
                field=f"{prefix}{key}", where=self._where, cure="mend the name in the mapping, see hub describe",
            )  # fmt: skip
        return field

    def _taken_out(self, values: Record) -> tuple[str | None, dict[str, str]]:
        """The states among the values: those are reached by operations, not by saving."""
        stage = str(values.pop(self._info.status, "") or "").strip() if self._info.status else ""
        switches = {
            key: str(values.pop(key) or "").strip()
            for key in [k for k in values if k in self._info.switches]
        }  # fmt: skip
        return stage or None, {k: v for k, v in switches.items() if v in self._info.switches[k]}

    def _standard(self) -> Record:
        """What the hub knows a new record needs: bill type and the like, and the organisation of the settings."""
        standard: Record = dict(self._info.constants)
        if not self._settings.org_number:
            return standard
        for name in self._info.organisations:
            entry, _, inner = name.rpartition(".")
            target = standard.setdefault(entry, {}) if entry else standard
            target[inner] = {"FNumber": self._settings.org_number}
        return standard

    def _follow(self, values: Record, known: Record) -> None:
        """Mandatory fields that repeat another one (of ``known``) where nothing else is said."""
        for name, other in self._info.follow.items():
            entry, _, key = name.rpartition(".")
            targets = (values.get(entry) or []) if entry else [values] if values is known else []
            for target in targets:
                if not target.get(key) and known.get(other):
                    target[key] = known[other]

    def _keep(self, values: Record, old: Record, known: Record) -> None:
        """The same on lines that are there already, where nothing is said of them: they keep what they have. Kingdee
        filled it in at their creation and would refuse to have it cleared."""
        for name, other in self._info.follow.items():
            entry, _, key = name.rpartition(".")
            id_key = self._info.entries.get(entry, "")
            before = {str(line.get(id_key)): line.get(key) for line in old.get(entry) or []}
            for line in values.get(entry) or []:
                if key in line and not line[key]:
                    line[key] = before.get(str(line.get(id_key))) or known.get(other) or line[key]

    def _fill_units(self, values: Mapping[str, Any], units: Mapping[str, str]) -> None:
        if not self._info.units or not self._info.joined:
            return
        material, unit, _ = self._info.units
        for line in values.get(self._info.joined) or []:
            number = _number(line.get(material))
            if number in units and not _number(line.get(unit)):
                line[unit] = {"FNumber": units[number]}

    def _model(self, values: Record) -> Record:
        model: Record = {}
        entries: Record = {}
        for key in sorted(values, key=lambda k: _rank(k, _HEAD_FIRST)):
            subhead = subhead_of(self._info, key)
            if key in self._info.entries:
                entries[key] = [_in_order(line) for line in values[key]] or [{}]
            elif subhead:
                model.setdefault(subhead, {})[key] = values[key]
            else:
                model[key] = values[key]
        for subhead in self._info.subheads:
            if subhead in model:
                model[subhead] = model.pop(subhead)
        return {**model, **entries}


def _in_order(line: Record) -> Record:
    return {k: line[k] for k in sorted(line, key=lambda k: _rank(k, _LINE_FIRST))}


def _rank(key: str, first: tuple[str, ...]) -> int:
    lower = key.lower()
    return first.index(lower) if lower in first else len(first)


def _value(field: Field, value: Any) -> Any:
    """A value as Save takes it. Null clears: Save knows no null, but an empty text, an empty reference and 0."""
    if field.type == "reference":
        inner = dict(value) if isinstance(value, dict) else {"FNumber": value}
        numbers = {k: v for k, v in inner.items() if k.lower() != "fname"} or inner
        return {k: "" if v is None else v for k, v in numbers.items()}
    if value is not None:
        return value
    return {"decimal": 0, "integer": 0, "boolean": False}.get(field.type, "")


def _number(reference: Any) -> str:
    if isinstance(reference, dict):
        return str(next((v for v in reference.values() if v is not None), "") or "").strip()
    return str(reference or "").strip()


def _fill(values: Record, entries: Mapping[str, str], defaults: Mapping[str, Any]) -> None:
    """Defaults for what is absent or empty; those of an entry go into each of its lines."""
    for key, default in defaults.items():
        if key in entries:
            for line in values.get(key) or []:
                _fill(line, {}, default or {})
        elif _is_empty(values.get(key)):
            values[key] = default


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return not _number(value)
    return value is None or (isinstance(value, str) and not value.strip())
