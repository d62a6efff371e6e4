"""What a seed makes of a world: its systems' habits, its policies, and one event after the other.

An event is made from what is there at that moment, and written down as what it came to: who, which record by its tag,
which value. So a story can be played again with events left out.
"""

from __future__ import annotations

import random
from typing import Any

from hub.model.spec import EntitySpec
from hub.simulate import values as made
from hub.simulate.ground import Ground, Part
from hub.simulate.world import World

Event = dict[str, Any]
EARLY_OR_LATE = ("down", "rate", "auth", "vanish", "lost", "lost", "lost", "garbage", "half", "slip")


def config(ground: Ground, rng: random.Random) -> Event:
    """The choices of one seed, as plain data."""
    names = list(dict.fromkeys(system for system, _ in ground.parts))
    systems = names if not ground.builtin else names[: rng.choice([2, 2, 2, 3])]
    entities = list(ground.policies)
    if ground.builtin and rng.random() < 0.55:
        entities = entities[:1]
    quirks = {name: _quirks(ground, rng) for name in systems}
    policy: Event = {}
    for entity in entities if ground.builtin else ():
        policy[entity] = {
            "conflict": rng.choice(["newest", "newest", "hold", ["erp", "crm", "shop"]]),
            "deletes": rng.choice(["archive", "propagate", "propagate", "ignore"]),
            "authority": {"credit_limit": "erp"} if entity == "customer" and rng.random() < 0.4 else {},
            "budget": rng.choice([[50, 0.1], [50, 0.1], [2, 0.3]]),
        }
    return {"systems": systems, "entities": entities, "quirks": quirks, "policy": policy}


def _quirks(ground: Ground, rng: random.Random) -> Event:
    """A few habits; most systems have none of most of them."""
    found: Event = {
        "lag": rng.choice([0, 0, 0, 5, 40]),
        "ties": rng.random() < 0.3,
        "doubles": rng.random() < 0.3,
        "skew": rng.choice([0, 0, 0, 86400, -7200]),
        "page": rng.choice([2, 5, 50]),
        "silent": rng.random() < 0.2,
        "refuses": rng.random() < 0.5,
    }
    if ground.builtin:
        found |= {
            "batch": rng.choice([1, 3, 100]),
            "tombstones": rng.random() < 0.7,
            "probe": rng.choice(["external", "external", "natural", "none"]),
            "idempotent": rng.random() < 0.2,
            "unique": rng.random() < 0.3,
            "secretive": rng.random() < 0.2,
            "cuts": rng.random() < 0.2,
            "shouts": rng.random() < 0.15,
            "rounds": rng.random() < 0.2,
            "fills": rng.random() < 0.25,
        }
    return {name: value for name, value in found.items() if value}


class Chance:
    """Makes the events of one seed."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.ground = world.ground
        self.number = 0
        self.kinds = [
            (self._edit, 34), (self._add, 9), (self._line, 8), (self._delete, 3), (self._restore, 2), (self._merge, 1),
            (self._spoil, 1), (self._both, 3), (self._person, 3), (self._wait, 10), (self._fault, 5),
            (self._outage, 2), (self._blank, 1), (self._change, 2), (self._pass, 5), (self._disturbed, 6),
            (self._hint, 3), (self._approve, 1),
        ]  # fmt: skip

    def next(self) -> list[Event]:
        """What happens next: an event, or a few that belong together."""
        while True:
            (kind,) = self.rng.choices([k for k, _ in self.kinds], [w for _, w in self.kinds])
            events: list[Event] = kind()
            if events:
                return events

    def _new(self) -> int:
        self.number += 1
        return self.number

    def _system(self) -> str:
        return str(self.rng.choice(list(self.world.systems)))

    def _part(self, entity: str | None = None) -> Part:
        entity = entity or self.rng.choice([*self.world.entities, self.world.entities[0]])
        parts = [p for p in self.world.parts(entity) if p.direction != "out"]
        return self.rng.choice(parts or self.world.parts(entity))

    def _tag(self, part: Part) -> str | None:
        """Some record; rather a late one."""
        rows = list(self.world.systems[part.system].rows[part.entity].values())
        if not rows:
            return None
        return str(self.rng.choice(rows[-4:] if self.rng.random() < 0.6 else rows).tag)

    # people -------------------------------------------------------------------------------------------------------

    def _values(self, spec: EntitySpec, names: list[str], *, long: float) -> Event:
        found: Event = {}
        for name in names:
            value = made.fresh(spec.fields[name], self._new(), long=self.rng.random() < long)
            if value is not None:
                found[name] = value
        return found

    def _plain(self, part: Part) -> list[str]:
        """Fields a user may give any value."""
        spec, key = self.ground.specs[part.entity], self.ground.keys[part.entity]
        fixed = {key, *self.ground.also(part.entity, key)}
        return [
            name
            for name, lens_field in part.both().items()
            if name not in fixed and name in spec.fields and spec.fields[name].type in made.TRACEABLE
            and lens_field.lines is None and lens_field.ref is None
        ]  # fmt: skip

    def _add(self) -> list[Event]:
        part = self._part()
        spec, key = self.ground.specs[part.entity], self.ground.keys[part.entity]
        number = self._new()
        values: Event = {
            n: made.fresh(spec.fields[n], number, long=False) for n in (key, *self.ground.also(part.entity, key))
        }
        share = 0.7 if self.ground.builtin else 1.0
        names = [n for n in self._plain(part) if self.rng.random() < share and n != "number"]
        values |= self._values(spec, names, long=0.2)
        if not self.ground.builtin:
            values |= self._common(part)
        for name, lens_field in part.both().items():
            if lens_field.ref is not None:
                tag = self._tag_of(part.system, lens_field.ref)
                if tag is None and lens_field.ref in self.world.entities:
                    return []
                if tag is not None:
                    values[name] = f"@{tag}"
            elif lens_field.lines is not None and lens_field.lines.keys is None:
                values[name] = [self._a_line(part, name, n) for n in range(1, self.rng.randrange(2, 4))]
        event = {"do": "add", "system": part.system, "entity": part.entity, "tag": values[key], "values": values}
        return [event]

    def _common(self, part: Part) -> Event:
        """Values of all other plain fields: some of them may be required."""
        fields = self.ground.specs[part.entity].fields
        names = [n for n, f in part.both().items() if n in fields and f.lines is None and f.ref is None]
        found = {n: made.common(fields[n], self.number) for n in names if fields[n].type not in made.TRACEABLE}
        return {name: value for name, value in found.items() if value is not None}

    def _both(self) -> list[Event]:
        """The same record is made in two systems at once; only where the hub can't have looked in between."""
        events = self._add()
        others = [s for s in self.world.systems if events and s != events[0]["system"]]
        if not others or any(system.quirks.lag for system in self.world.systems.values()):
            return events
        # References differ from system to system; a plain record is the same everywhere.
        return [{**events[0], "also": [self.rng.choice(others)]}]

    def _tag_of(self, system: str, entity: str) -> str | None:
        part = self.ground.parts.get((system, entity))
        return self._tag(part) if part is not None and entity in self.world.entities else None

    def _a_line(self, part: Part, field: str, key: Any, only: str | None = None) -> Event:
        lens_field, spec = part.lens.fields[field], self.ground.specs[part.entity].fields[field].lines
        assert lens_field.lines is not None and spec is not None
        line: Event = {} if only else {lens_field.lines.key: key}
        for name, f in lens_field.lines.fields.items():
            if f.direction != "both" or name == lens_field.lines.key or only not in (None, name):
                continue
            if f.ref is not None:
                tag = self._tag_of(part.system, f.ref)
                if tag is not None:
                    line[name] = f"@{tag}"
                continue
            value = made.fresh(spec.fields[name], self._new(), long=False)
            if value is None and not self.ground.builtin:
                value = made.common(spec.fields[name], self.number)
            if value is not None:
                line[name] = value
        return line

    def _edit(self) -> list[Event]:
        part = self._part()
        tag, names = self._tag(part), self._plain(part)
        if tag is None or not names:
            return []
        name = self.rng.choice(names)
        spec = self.ground.specs[part.entity]
        values: Event = {name: None} if self.rng.random() < 0.06 else self._values(spec, [name], long=0.25)
        event: Event = {"do": "edit", "system": part.system, "entity": part.entity, "tag": tag, "values": values}
        if values.get(name) and spec.fields[name].type == "text" and self.rng.random() < 0.02:
            event |= {"values": {name: made.refused(self._new())}, "spoils": True}
        return [event]

    def _line(self) -> list[Event]:
        found = [
            (part, name)
            for entity in self.world.entities
            for part in self.world.parts(entity)
            for name, f in part.both().items()
            if f.lines is not None and f.lines.keys is None and part.direction != "out"
        ]
        if not found:
            return self._edit()
        part, field = self.rng.choice(found)
        tag = self._tag(part)
        row = self.world.systems[part.system].find(part.entity, tag) if tag else None
        if row is None:
            return []
        keys = sorted({int(p[len(field) + 1 :].partition("]")[0]) for p in row.flat if p.startswith(f"{field}[")
                       and p[len(field) + 1 :].partition("]")[0].isdigit()})  # fmt: skip
        lines = part.lens.fields[field].lines
        assert lines is not None
        op = self.rng.choice(["set", "set", "set", "add", "remove"]) if keys else "add"
        key = (keys or [0])[-1] + 1 if op == "add" else self.rng.choice(keys)
        event: Event = {
            "do": "line",
            "system": part.system,
            "entity": part.entity,
            "tag": tag,
            "field": field,
            "op": op,
            "key": key,
        }
        if op != "remove":
            names = [n for n, f in lines.fields.items() if f.direction == "both" and n != lines.key]
            only = self.rng.choice(names) if op == "set" and names else None
            event["values"] = {k: v for k, v in self._a_line(part, field, key, only).items() if k != lines.key}
            if not event["values"]:
                return []
        return [event]

    def _delete(self) -> list[Event]:
        part = self._part()
        tag = self._tag(part)
        return [{"do": "delete", "system": part.system, "entity": part.entity, "tag": tag}] if tag else []

    def _restore(self) -> list[Event]:
        system = self.world.systems[self._system()]
        kept = [(entity, row.tag) for (entity, _), row in system.bin.items() if entity in self.world.entities]
        if not kept:
            return []
        entity, tag = self.rng.choice(kept)
        return [{"do": "restore", "system": system.name, "entity": entity, "tag": tag}]

    def _merge(self) -> list[Event]:
        part = self._part()
        tags = [self._tag(part), self._tag(part)]
        if None in tags or tags[0] == tags[1]:
            return []
        return [{"do": "merge", "system": part.system, "entity": part.entity, "tag": tags[0], "other": tags[1]}]

    def _spoil(self) -> list[Event]:
        part = self._part()
        tag = self._tag(part)
        spec = self.ground.specs[part.entity]
        names = [
            n for n in self._plain(part) if spec.fields[n].type in ("date", "phone", "money", "decimal", "integer")
        ]
        if tag is None or not names:
            return []
        return [
            {"do": "spoil", "system": part.system, "entity": part.entity, "tag": tag, "field": self.rng.choice(names)}
        ]

    # the machinery ------------------------------------------------------------------------------------------------

    def _wait(self) -> list[Event]:
        return [{"do": "wait", "seconds": self.rng.choice([1, 3, 5, 22, 22, 33, 4000])}]

    def _fault(self) -> list[Event]:
        kind = self.rng.choice(EARLY_OR_LATE)
        late = kind in ("lost", "garbage", "half", "slip")
        on = "write" if late or self.rng.random() < 0.4 else self.rng.choice(["read", "any"])
        return [{"do": "fault", "system": self._system(), "kind": kind, "on": on, "n": self.rng.choice([1, 1, 2, 3])}]

    def _outage(self) -> list[Event]:
        down = [name for name, system in self.world.systems.items() if system.down]
        if down:
            return [{"do": "outage", "system": down[0], "down": False}]
        return [{"do": "outage", "system": self._system(), "down": True}]

    def _blank(self) -> list[Event]:
        """For one pass, a system shows nothing."""
        name = self._system()
        return [
            {"do": "blank", "system": name, "on": True},
            {"do": "pass", "full": True, "yes": False},
            {"do": "blank", "system": name, "on": False},
        ]

    def _person(self) -> list[Event]:
        if self.rng.random() < 0.3:
            return [{"do": "person", "what": "replay"}]
        take = self.rng.choice(["theirs", "ours"])
        return [{"do": "person", "what": "resolve", "nth": self.rng.randrange(3), "take": take}]

    def _change(self) -> list[Event]:
        """The mapping, the direction or the policy changes in mid-life."""
        part = self._part()
        chance = self.rng.random()
        if chance < 0.4:
            dropped = self.world.dropped.get((part.system, part.entity))
            names = [n for n in self._plain(part) if not any(n in rule for rule in part.lens.match)]
            drop = "" if dropped or not names else self.rng.choice(names)
            return [{"do": "remap", "system": part.system, "entity": part.entity, "drop": drop}]
        if chance < 0.6:
            now = self.world.directions.get((part.system, part.entity), part.direction)
            to = "in" if now == "both" else part.direction
            return [{"do": "direct", "system": part.system, "entity": part.entity, "to": to}]
        choices: list[Event] = [
            {"conflict": "newest"},
            {"conflict": "hold"},
            {"deletes": "archive"},
            {"deletes": "propagate"},
        ]
        if part.entity == "customer" and self.ground.builtin:
            choices += [{"authority": {}}, {"authority": {"credit_limit": self._system()}}]
        return [{"do": "policy", "entity": part.entity, "set": self.rng.choice(choices)}]

    # passes -------------------------------------------------------------------------------------------------------

    def _options(self) -> Event:
        found: Event = {"yes": self.rng.random() < 0.8}
        if self.rng.random() < 0.08:
            found["full"] = True
        if len(self.world.entities) > 1 and self.rng.random() < 0.25:
            found["entities"] = [self.rng.choice(self.world.entities)]
        return found

    def _pass(self) -> list[Event]:
        return [{"do": "pass", **self._options()}]

    def _hint(self) -> list[Event]:
        part = self._part()
        tags = [tag for tag in (self._tag(part) for _ in range(self.rng.choice([1, 1, 2, 3]))) if tag]
        if not tags:
            return []
        return [{"do": "pass", "hint": tags, "system": part.system, "entity": part.entity}]

    def _approve(self) -> list[Event]:
        """Somebody edits, a plan is made of it, and perhaps the same record is edited before it is approved."""
        first = self._edit() if self.rng.random() < 0.5 else []
        script = self._edit() if self.rng.random() < 0.6 else []
        if first and script and script[0]["entity"] == first[0]["entity"]:
            script = [{**script[0], "tag": first[0]["tag"]}]
        return [*first, {"do": "approve", "script": script}]

    def _run(self, name: str) -> Event:
        to = self.rng.choice(
            ["point", "write", "write", "written", "written", "commit", "intent", "cursor", "answer", "call"]
        )
        n = self.rng.randrange(1, 25) if to in ("point", "commit") else self.rng.choice([1, 1, 2, 3])
        return {"run": name, "to": to, "n": n}

    def _disturbed(self) -> list[Event]:
        """A pass during which something happens."""
        script: list[Event] = [self._run("a")]
        event: Event = {"do": "pass", **self._options(), "script": script}
        chance = self.rng.random()
        if chance < 0.4:
            script.append({"crash": "a"})
        elif chance < 0.65:
            for _ in range(self.rng.choice([1, 1, 2])):
                script += (self._edit() or []) if self.rng.random() < 0.8 else self._delete()
                script.append(self._run("a"))
        elif chance < 0.8:
            script += self._fault()
        else:
            event["b"] = self._options()
            script.append({"do": "wait", "seconds": self.rng.choice([1, 8, 33, 33, 33])})
            for _ in range(self.rng.choice([1, 2, 3])):
                script += [self._run("b"), *self.rng.choice([[], [], self._edit()]), self._run("a")]
            if self.rng.random() < 0.2:
                script.append({"crash": self.rng.choice(["a", "b"])})
        after = [{"do": "wait", "seconds": 33}] if self.rng.random() < 0.6 else []
        return [event, *after]
