"""People who work in the systems: what each of their events does there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.errors import RecordRejected
from hub.simulate.ground import Part
from hub.simulate.quirks import REFUSED
from hub.simulate.systems import Row, System, copied
from hub.simulate.values import filled, mended

if TYPE_CHECKING:
    from hub.simulate.world import World

Event = dict[str, Any]
Values = dict[str, Any]
RUBBISH = "31/31 ???"


class People:
    """Carries out what users do. Each method returns a sentence for the story, or nothing if nothing could be done."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.spoiled: set[tuple[str, str]] = set()
        """(entity, tag) of records that can't be read, hold what is refused, or lack what some system demands."""
        self.restored: set[tuple[str, str]] = set()
        self.merged: set[tuple[str, str]] = set()

    def act(self, name: str) -> Callable[[Event], str] | None:
        return getattr(self, name, None) if name in ACTS else None

    def _place(self, event: Event) -> tuple[System, Part] | None:
        system = self.world.systems.get(event["system"])
        part = system.parts.get(event["entity"]) if system is not None else None
        if system is None or part is None or event["entity"] not in self.world.entities:
            return None
        return system, part

    def _meant(self, system: System, part: Part, values: Values) -> Values | None:
        """Canonical values with references in the system's own words; None when what they refer to isn't there."""
        fields = self.world.ground.specs[part.entity].fields
        found: Values = {}
        for name, value in values.items():
            spec = fields[name]
            if spec.type == "ref" and value is not None:
                target = system.find(spec.ref or "", str(value).removeprefix("@"))
                if target is None:
                    return None
                value = target.id
            elif spec.lines is not None and value:
                value = [self._line(system, spec.lines.fields, line) for line in value]
                if None in value:
                    return None
            found[name] = value
        return found

    def _line(self, system: System, fields: Any, line: Values) -> Values | None:
        found = dict(line)
        for name, value in line.items():
            spec = fields[name]
            if spec.type == "ref" and value is not None:
                target = system.find(spec.ref or "", str(value).removeprefix("@"))
                if target is None:
                    return None
                found[name] = target.id
        return found

    def _put(self, system: System, part: Part, row: Row | None, values: Values) -> Row | None:
        """Give a record these canonical values, as a user does it; None where the system can't hold them."""
        meant = self._meant(system, part, values)
        if meant is None:
            return None
        given = self._given(part, meant, row)
        if given is None:
            return None
        row_id = row.id if row is not None else system.new_id()
        return system.put(part.entity, row_id, given, by="user", wanted={})

    def _given(self, part: Part, meant: Values, row: Row | None) -> Values | None:
        """The product's own fields; what can't be said there is left out, unless nothing else was meant."""
        while True:
            try:
                return part.lens.put(meant, row.values if row is not None else None)
            except RecordRejected as error:
                name = (error.field or "").partition("[")[0].partition(".")[0]
                if name not in meant or name == self.world.ground.keys[part.entity] or len(meant) < 2:
                    return None
                meant = {key: value for key, value in meant.items() if key != name}

    # records ------------------------------------------------------------------------------------------------------

    def add(self, event: Event) -> str:
        """A new record, perhaps in several systems by the same people at once."""
        made = []
        for name in (event["system"], *event.get("also", ())):
            place = self._place({**event, "system": name})
            if place is None or place[0].find(event["entity"], event["tag"]):
                continue
            if self._put(*place, None, event["values"]) is not None:
                made.append(name)
        return f"a user adds {event['entity']} {event['tag']} to {' and '.join(made)}" if made else ""

    def edit(self, event: Event) -> str:
        """New values in some fields of a record."""
        place = self._place(event)
        row = place[0].find(event["entity"], event["tag"]) if place else None
        if place is None or row is None or self._put(*place, row, event["values"]) is None:
            return ""
        key = (event["entity"], event["tag"])
        blank = (name for name, value in event["values"].items() if value is None)
        if event.get("spoils") or any(self.world.ground.demanded(event["entity"], name) for name in blank):
            self.spoiled.add(key)
        told = ", ".join(f"{name} to {value!r}" for name, value in event["values"].items())
        return f"a user of {event['system']} sets {event['tag']} {told}"

    def line(self, event: Event) -> str:
        """One line of a document is added, changed or removed."""
        place = self._place(event)
        row = place[0].find(event["entity"], event["tag"]) if place else None
        if place is None or row is None:
            return ""
        system, part = place
        lens_field = part.lens.fields[event["field"]]
        assert lens_field.lines is not None
        key = lens_field.lines.key
        lines = [dict(line) for line in part.lens.get(row.values).values.get(event["field"]) or ()]
        lines = [self._tagged(system, part, event["field"], line) for line in lines]
        old = next((line for line in lines if line[key] == event["key"]), None)
        if event["op"] == "remove":
            if old is None or len(lines) < 2:
                return ""
            lines.remove(old)
        elif event["op"] == "set":
            if old is None:
                return ""
            old.update(event["values"])
        elif old is None:
            lines.append({key: event["key"], **event["values"]})
        if self._put(system, part, row, {event["field"]: lines}) is None:
            return ""
        what = {"remove": "removes", "set": "changes", "add": "adds"}[event["op"]]
        values = event.get("values", "")
        return f"a user of {event['system']} {what} line {event['key']} of {event['tag']} {values}".strip()

    def _tagged(self, system: System, part: Part, field: str, line: Values) -> Values:
        spec = self.world.ground.specs[part.entity].fields[field]
        fields = spec.lines.fields if spec.lines else {}
        return {
            name: f"@{system.tags.get((fields[name].ref or '', str(value)), value)}"
            if name in fields and fields[name].type == "ref" and value is not None
            else value
            for name, value in line.items()
        }

    def delete(self, event: Event) -> str:
        place = self._place(event)
        row = place[0].find(event["entity"], event["tag"]) if place else None
        if place is None or row is None or row.archived:
            return ""
        place[0].remove(event["entity"], row.id, "user")
        return f"a user of {event['system']} deletes {event['entity']} {event['tag']}"

    def restore(self, event: Event) -> str:
        """Out of the recycle bin: the record comes back as it was, under its old id."""
        place = self._place(event)
        if place is None or place[0].find(event["entity"], event["tag"]):
            return ""
        system = place[0]
        kept = [key for key, row in system.bin.items() if key[0] == event["entity"] and row.tag == event["tag"]]
        if not kept:
            return ""
        row = system.bin.pop(kept[-1])
        self.restored.add((event["entity"], event["tag"]))
        system.put(event["entity"], row.id, row.values, by="user", key=row.key, wanted={})
        return f"a user of {event['system']} restores {event['entity']} {event['tag']}"

    def merge(self, event: Event) -> str:
        """Two records become one: what referred to the second refers to the first, and the second is gone."""
        place = self._place(event)
        if place is None:
            return ""
        system, part = place
        kept, lost = (system.find(event["entity"], event[name]) for name in ("tag", "other"))
        if kept is None or lost is None or kept is lost or lost.archived:
            return ""
        for entity, other in system.parts.items():
            names = [n for n, f in other.lens.fields.items() if f.ref == part.entity and f.direction == "both"]
            for row in list(system.rows[entity].values()) if names else ():
                values = {n: f"@{kept.tag}" for n in names if row.flat.get(n) == f"@{lost.tag}"}
                if values and entity in self.world.entities:
                    self._put(system, other, row, values)
        system.remove(event["entity"], lost.id, "user")
        self.merged.add((event["entity"], lost.tag))
        return f"a user of {event['system']} merges {event['entity']} {lost.tag} into {kept.tag}"

    # bad values ---------------------------------------------------------------------------------------------------

    def spoil(self, event: Event) -> str:
        """A field gets a value that makes no sense to anybody."""
        place = self._place(event)
        row = place[0].find(event["entity"], event["tag"]) if place else None
        if place is None or row is None or row.unreadable:
            return ""
        system, part = place
        name = part.lens.fields[event["field"]].remote[0]
        values = {**row.values, name: RUBBISH}
        if "." in name or not part.lens.get(values).problems:
            return ""
        row.values, row.unreadable, row.lost = values, event["field"], row.flat.get(event["field"])
        system.touch(event["entity"], row, "user")
        self.world.witness.spoiled(system, event["entity"], row)
        self.spoiled.add((event["entity"], event["tag"]))
        return f"{event['system']} {event['tag']} {event['field']} becomes unreadable: {RUBBISH}"

    def heal(self, event: Event) -> str:
        """What was unreadable, or refused, gets a value that makes sense."""
        healed = []
        allowed: set[tuple[str, str, str, str]] = set()
        for system in self.world.systems.values():
            for entity, part in system.parts.items():
                for row in list(system.rows[entity].values()) if entity in self.world.entities else ():
                    if row.unreadable:
                        self._mend(system, part, row)
                        healed.append(row.tag)
                        row = system.rows[entity][row.id]
                    if self._allow(system, part, row, allowed):
                        healed.append(row.tag)
        self.spoiled.clear()
        return f"users mend {', '.join(dict.fromkeys(healed))}" if healed else ""

    def _allow(self, system: System, part: Part, row: Row, allowed: set[tuple[str, str, str, str]]) -> bool:
        """What others refuse is put in words that all of them take, and what they demand is filled in: each such value
        of a record once, in the first system that shows it (the hub carries it to the others). ``allowed``: (entity,
        tag, field, text) of those."""
        texts = {name: str(value or "").lower() for name, value in row.flat.items()}
        blank = (part.entity, row.tag) in self.spoiled
        bad = [
            name
            for name, text in texts.items()
            if (REFUSED in text or (not text and blank and self.world.ground.demanded(part.entity, name)))
            and (part.entity, row.tag, name, text) not in allowed
        ]
        if not bad:
            return False
        allowed |= {(part.entity, row.tag, name, texts[name]) for name in bad}
        fields = self.world.ground.specs[part.entity].fields
        given = {n: mended(str(row.flat[n])) if texts[n] else filled(fields[n], row.tag) for n in bad}
        self._put(system, part, row, given)
        return True

    def _mend(self, system: System, part: Part, row: Row) -> None:
        field = row.unreadable
        value = row.lost
        name = part.lens.fields[field].remote[0]
        row.unreadable = ""
        row.values = {key: item for key, item in row.values.items() if key != name}
        given = part.lens.put({field: value}, copied(row.values)) if value is not None else {name: None}
        system.put(part.entity, row.id, given, by="user", wanted={})


ACTS = frozenset({"add", "edit", "line", "delete", "restore", "merge", "spoil", "heal"})
