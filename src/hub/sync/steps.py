"""The steps of a value's life, one journal entry after the other, each told in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.store.journal import Logged
from hub.sync.chain import Chain, Given, changes, holder
from hub.sync.compact import PRUNED
from hub.sync.decide import ABSENT
from hub.sync.lineage import Lineage
from hub.sync.paths import head, plain
from hub.sync.places import overlap, value_at
from hub.sync.policy import Setup

Row = dict[str, Any]
Values = dict[str, Any]

WHY = {
    "first": "nothing was there yet",
    "edit": "nobody else had changed it since the two last agreed",
    "fill": "the line has strength: weak, and it was blank",
    "weak": "the line has strength: weak, which never overwrites",
    "strong": "the line has strength: strong, which keeps the hub's value",
    "equal": "both say the same now",
    "newest": "both sides had changed it: the later edit wins",
    "order": "both sides had changed it: the order of systems decides",
    "owner": "both sides had changed it: the owner's value stays",
    "hold": "both sides had changed it: a person decides",
    "archived": "the record is archived there",
    "direction": "nothing is taken from a system that is only written to",
}


@dataclass(slots=True)
class Steps:
    """Tells the fields of one record. ``count``: how many of the chain's entries are told."""

    setup: Setup
    chain: Chain
    count: int
    lineage: Lineage
    beside: list[Row]

    def field(self, name: str, values: Values, stamps: dict[str, list[str]] | None) -> Row:
        """One field: its value, where it came from, by which line and rule, and every step on the way."""
        given = self.chain.last_given if self.count == len(self.chain.entries) else self.chain.given[self.count]
        who = holder(given, name)
        if stamps is not None:
            stamp = stamps.get(name) or stamps.get(head(name)) or stamps.get("*") or ["", ""]
            who = {"system": stamp[0], "at": stamp[1], "by": who["by"] if who["system"] == stamp[0] else None}
        entity = self.entity
        told = [step for entry, index in self._entries() for step in self._steps(entry, index, name)]
        told += [row for row in self.beside if _concerns(row, name)]
        source = self._source(who, name)
        value = value_at(values, name, self.setup.specs[entity])
        return {
            "value": None if value is ABSENT else value,
            "from": who["system"],
            "at": who["at"],
            "by": who["by"],
            "mapping": source.get("mapping"),
            "operators": source.get("operators"),
            "remote": source.get("remote", []),
            "owner": self.setup.policies[entity].authority.get(head(name)),
            "steps": sorted(told, key=lambda step: str(step["at"])),
        }

    @property
    def entity(self) -> str:
        return self.lineage.entity

    def _entries(self) -> list[tuple[Logged, int]]:
        return [(entry, index) for index, entry in enumerate(self.chain.entries[: self.count])]

    def _source(self, who: Given, name: str) -> Row:
        """The line that made the value: that of the entry which brought it."""
        for entry, _ in reversed(self._entries()):
            brought = entry.kind == "new" or any(overlap(path, name) for path, _, _ in changes(entry))
            if brought and entry.system == who["system"]:
                return self.lineage.line(entry.detail.get("lens"), entry.system, name)
        return self.lineage.line(None, who["system"], name)

    def _steps(self, entry: Logged, index: int, name: str) -> list[Row]:
        base = {"at": entry.at, "run": entry.run, "system": entry.system, "record": entry.remote_id, "kind": entry.kind}
        if entry.kind == "new":
            value = value_at(self.chain.after[index], name, self.setup.specs[self.entity])
            if value is ABSENT:
                return []
            return [
                {
                    **base,
                    "rule": "first",
                    "why": WHY["first"],
                    "theirs": value,
                    "edited_at": entry.detail.get("at"),
                    "by": entry.detail.get("by"),
                    "text": f"came with the record, first seen in {entry.system}",
                    **self.lineage.line(entry.detail.get("lens"), entry.system, name),
                }
            ]
        if entry.kind == "observed":
            return [
                self._decision(base, entry, index, change)
                for change in entry.detail["changes"]
                if _about(change[0], name)
            ]
        if entry.kind == "written":
            return self._write(base, entry, index, name)
        if entry.kind == "resolved":
            path = str(entry.detail.get("path"))
            return [{**base, **entry.detail}] if path == "*" or _about(path, name) else []
        if entry.kind in ("linked", "deleted"):
            return []
        if entry.kind == PRUNED:
            base["text"] = f"{entry.detail['entries']} changes since {entry.detail['since']}: pruned"
        moved = {path: [old, new] for path, old, new in changes(entry) if _about(path, name)}
        told = {"text": str(entry.detail.get("because") or entry.kind), **base}
        return [{**told, "fields": moved}] if moved else []

    def _decision(self, base: Row, entry: Logged, index: int, change: list[Any]) -> Row:
        path, kind, rule, before, theirs, ours = change
        held = holder(self.chain.given[index], path)
        mine = {
            "system": entry.system,
            "value": theirs,
            "at": entry.detail.get("at") or entry.at,
            "by": entry.detail.get("by"),
        }
        other = {"system": held["system"], "value": ours, "at": held["at"], "by": held["by"]}
        return {
            **base,
            "decision": kind,
            "rule": rule,
            "why": self._why(rule, path),
            "path": path,
            "base": before,
            "theirs": theirs,
            "ours": ours,
            "edited_at": entry.detail.get("at"),
            "by": entry.detail.get("by"),
            "candidates": [
                {**mine, "taken": kind in ("accepted", "converged")},
                {**other, "taken": kind in ("refused", "converged", "conflict")},
            ],
            **self.lineage.line(entry.detail.get("lens"), entry.system, path),
        }

    def _why(self, rule: str, path: str) -> str:
        if rule == "authority":
            owners = self.setup.policies[self.entity].authority
            owner = owners.get(plain(path)) or owners.get(head(path))
            return f"{owner} owns it" if owner else "another system owned it then"
        return WHY.get(rule, rule)

    def _write(self, base: Row, entry: Logged, index: int, name: str) -> list[Row]:
        detail = entry.detail
        line = self.lineage.line(detail.get("lens"), entry.system, name)
        if detail["action"] == "update":
            pairs = {path: pair for path, pair in detail["fields"].items() if _about(path, name)}
            if not pairs:
                return []
        elif detail["action"] == "create":
            value = value_at(self.chain.after[index], name, self.setup.specs[self.entity])
            if value is ABSENT or value is None or line.get("direction", "in") == "in":
                return []
            pairs = {name: [None, value]}
        else:
            return [{**base, "action": detail["action"], "text": f"{detail['action']}d in {entry.system}"}]
        rewritten = (detail.get("rewritten") or {}).get(head(name))
        answer = {"id": entry.remote_id, "version": detail.get("version"), "shows": rewritten[1] if rewritten else None}
        because = detail.get("because", "")
        return [
            {
                **base,
                "action": detail["action"],
                "because": because,
                "fields": pairs,
                "rewritten": rewritten,
                "answer": answer,
                **line,
            }
        ]


def _about(path: str, name: str) -> bool:
    """Whether a change of ``path`` concerns ``name``: the place itself, what is in it, or the line it is in."""
    return overlap(path, name)


def _concerns(row: Row, name: str) -> bool:
    if row["kind"] == "conflict":
        return row["path"] == "*" or _about(str(row["path"]), name)
    if row["sent"]:
        return head(name) in row["sent"]
    return not row["field"] or _about(str(row["field"]), name)
