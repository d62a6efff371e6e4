"""Checks of the resources: each has what it needs to be read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.connect.positions import Problem
from hub.connect.reading import Section, Where
from hub.connect.suggest import did_you_mean

from .checking_parts import paging_problems, rule_problems, time_problems
from .grammar import LinesConfig, ResourceConfig, RestManifest, WriteConfig


def problems(manifest: RestManifest, section: Section) -> Iterator[Problem]:
    """What is wrong, in no order."""
    if not manifest.resources:
        cure = "name at least one under 'resources:'"
        yield Problem(section.key_at(("resources",)), "the manifest has no resources", cure)
    for name, resource in manifest.resources.items():
        yield from Checker(manifest, section, name, resource or ResourceConfig()).problems()


@dataclass(slots=True)
class Checker:
    """Looks at one resource."""

    manifest: RestManifest
    section: Section
    name: str
    resource: ResourceConfig

    def problems(self) -> Iterator[Problem]:
        yield from self.reading()
        yield from self.writing()
        yield from self.finding()
        yield from self.names()
        yield from self.lines()
        where = ("resources", self.name)
        yield from time_problems(self.resource.time, self.section, (*where, "time"))
        if self.resource.list_ is not None:
            yield from paging_problems(self.resource.list_.paging, self.section, (*where, "list", "paging"))

    def reading(self) -> Iterator[Problem]:
        one = self.resource
        if one.list_ is None:
            yield self.at((), f"{self.name!r} can't be read: it has no list", "add 'list: GET /…'")
        elif one.list_.changes is not None and not one.modified:
            cure = "add 'modified:' with the field that holds the moment of the last change"
            yield self.at(("list", "changes"), "changes are asked for, but no field tells when a record changed", cure)
        if one.get is None and one.lookup is None:
            yield self.at((), f"a single record of {self.name!r} can't be read", "add 'get: GET /…/{id}' or 'lookup:'")
        if not one.fields and (self.manifest.describe is None or self.manifest.describe.fields is None):
            cure = "add 'fields:', or 'describe:' if the product describes itself"
            yield self.at((), f"nothing is known of the fields of {self.name!r}", cure)
        for name in ("list", "get", "lookup"):
            part: Any = getattr(one, "list_" if name == "list" else name)
            if part is not None and part.body is not None and part.call.startswith("GET"):
                yield self.at((name, "body"), "a GET carries no body", "write POST, or 'query:' instead")
        if one.deletes == "tombstones" and one.deleted is None:
            yield self.at(("deletes",), "nothing tells that a record is deleted", "add 'deleted: {at: …}'")

    def writing(self) -> Iterator[Problem]:
        one = self.resource
        for name in ("create", "update", "upsert", "delete"):
            part: WriteConfig | None = getattr(one, name)
            if part is None:
                continue
            if part.call.startswith("GET"):
                yield self.at((name,), f"a GET {name}s nothing", "write POST, PUT, PATCH or DELETE")
            if name in ("create", "upsert") and part.id is None and part.record is None and part.each is None:
                cure = "add 'record:' (where the answer has the record) or 'id:'"
                yield self.at((name,), "where the answer has the new record's id is not said", cure)
            if name in ("update", "delete") and "id" not in _places(part):
                yield self.at((name,), f"the {name} does not say which record: {{id}} is nowhere in it", "put it in")
            yield from self.batch(name, part)
        if one.update is not None and one.update.if_match and not (one.version or one.modified):
            yield self.at(("update", "if_match"), "there is no version to send", "add 'version:'")

    def batch(self, name: str, part: WriteConfig) -> Iterator[Problem]:
        if part.batch is None:
            if part.each is not None:
                yield self.at((name, "each"), "results of each record need a batch", "add 'batch:'")
            return
        if name in ("delete", "upsert"):
            yield self.at((name, "batch"), f"a {name} takes one record a call", "take 'batch:' out")
            return
        if part.each is None:
            yield self.at((name, "batch"), "where a batch's results are is not said", "add 'each: {at: …}'")
            return
        if "records" not in _places(part):
            yield self.at((name, "batch"), "nothing in the call holds {records}", 'write body: "{records}"')
        if part.each.pair == "key" and not self.resource.key:
            cure = "add 'key:', or 'pair: order' if the answer keeps the order"
            yield self.at((name, "each", "pair"), "results are told apart by the hub's key, but there is none", cure)
        for index, rule in enumerate(part.each.errors):
            where = ("resources", self.name, name, "each", "errors", index)
            yield from rule_problems(rule, self.section, where, each=True)

    def finding(self) -> Iterator[Problem]:
        one = self.resource
        if (one.key or one.natural) and one.lookup is None:
            what = "key" if one.key else "natural"
            cure = "add 'lookup:', a list narrowed to {values} of a {field}"
            yield self.at((what,), "a lost create can't be looked up by it", cure)
        if one.lookup is None:
            return
        places = _places(one.lookup)
        wanted = "value" if one.lookup.most == 1 else "values"
        if wanted not in places and "value" not in places:
            yield self.at(("lookup",), f"the lookup never says what to look for: {{{wanted}}} is nowhere in it")
        if one.lookup.fields:
            for name in filter(None, (one.key, *one.natural)):
                if name not in one.lookup.fields:
                    yield self.at(("lookup", "fields"), f"the lookup can't look for {name!r}", "add it")

    def names(self) -> Iterator[Problem]:
        """Names of fields, where the manifest declares them."""
        one = self.resource
        if not one.fields:
            return
        said: list[tuple[Where, str]] = [((what,), n) for what, n in (("key", one.key), ("ref", one.ref)) if n]
        said += [(("natural",), name) for name in one.natural]
        said += [(("actions", at, "field"), action.field) for at, action in enumerate(one.actions)]
        said += [(("lines", name), name) for name in one.lines]
        said += [(("archive", "set", name), name) for name in (one.archive.set_ if one.archive else ())]
        for where, name in said:
            top = name.partition(".")[0]
            if top not in one.fields and name not in one.fields:
                yield self.at(where, f"{self.name!r} has no field {top!r}", did_you_mean(top, one.fields))
        if "*" not in self.manifest.resources:
            for name, field in one.fields.items():
                if field.reference and field.reference not in self.manifest.resources:
                    cure = did_you_mean(field.reference, self.manifest.resources)
                    yield self.at(("fields", name), f"there is no resource {field.reference!r}", cure)

    def lines(self) -> Iterator[Problem]:
        for name, lines in self.resource.lines.items():
            where = ("lines", name)
            if lines.write == "apart" and lines.create is None:
                yield self.at((*where, "write"), "lines written apart need a call of their own", "add 'create:'")
            if lines.write == "changes" and lines.id is None:
                yield self.at((*where, "write"), "without ids of lines their changes can't be told", "add 'id:'")
            yield from self.watched(lines, where)

    def watched(self, lines: LinesConfig, where: Where) -> Iterator[Problem]:
        watch = lines.watch
        if watch is None:
            return
        other = self.manifest.resources.get(watch.resource) or self.manifest.resources.get("*")
        if other is None:
            cure = did_you_mean(watch.resource, self.manifest.resources)
            yield self.at((*where, "watch", "resource"), f"there is no resource {watch.resource!r}", cure)
        elif other.list_ is None or other.list_.changes is None:
            told = f"the changes of {watch.resource!r} can't be listed"
            yield self.at((*where, "watch"), told, f"give {watch.resource!r} 'list:' with 'changes:'")

    def at(self, where: Where, message: str, cure: str = "") -> Problem:
        place = ("resources", self.name, *where)
        return Problem(self.section.key_at(place), message, cure)


def _places(part: Any) -> set[str]:
    """The names that are filled in somewhere in a call."""
    text = repr([part.call, part.query, part.body, part.headers])
    found = set()
    for piece in text.split("{")[1:]:
        found.add(piece.partition("}")[0].partition(".")[0])
    if isinstance(part, WriteConfig) and part.body is None:
        found.add("record")
    return found
