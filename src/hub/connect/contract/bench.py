"""The workbench of the rules: one connector, one trial, one world, and what every rule does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import (
    Create,
    Delete,
    Get,
    ListChanges,
    Page,
    Probe,
    Record,
    Remote,
    Resource,
    Result,
    Update,
    Write,
)  # fmt: skip
from hub.connect.contract.declare import Contract, Trial
from hub.connect.contract.verdicts import Broken, NotTried, must
from hub.connect.contract.worlds import World
from hub.errors import HubError

HOUR = 3600.0


@dataclass(slots=True)
class Feed:
    """What one reading of a change feed showed."""

    seen: dict[str, Remote] = field(default_factory=dict)
    """The last sighting of each record."""
    pages: int = 0
    cursor: str | None = None
    complete: bool = False

    def live(self) -> set[str]:
        return {id for id, remote in self.seen.items() if not remote.deleted}


class Bench:
    """Lends the rules a connector and the usual moves. Everything made is noted, so that it can be taken away."""

    def __init__(self, world: World, contract: Contract, trial: Trial, start: str) -> None:
        """``start``: what words begin with; unlike that of any earlier run in the same account."""
        self.world = world
        self.trial = trial
        self.made: dict[str, None] = {}
        self.others: list[tuple[str, str]] = []
        self._contract = contract
        self._start = start
        self._number = 0
        self._borrowed: set[str] = set()
        self.connector: Any = world.connect(trial.settings)
        self.resource = self._described()
        self._given = {name: self._first(*made) for name, made in trial.given.items()}
        self.fields = self._fields()

    def _described(self) -> Resource:
        described: list[Resource] = self.connector.describe(self.trial.resource)
        found = [r for r in described if r.name == self.trial.resource]
        must(found, f"describe({self.trial.resource!r}) does not describe it")
        return found[0]

    def _first(self, resource: str, new: Callable[[str], Record]) -> str:
        """Create what the trial's own records refer to."""
        word = self.word()
        (result,) = self.connector.create(
            resource, [Write(f"hub-{word}", new(word))], list(new(word)), self.trial.write
        )
        remote = _written(result)
        self.others.append((resource, remote.id))
        return remote.ref or remote.id

    def _fields(self) -> list[str]:
        if self.trial.new is None:
            return [f.name for f in self.resource.fields]
        names = [*self.trial.new("fields", **self._given), self.trial.text, self.trial.amount, self.trial.unique]
        return list(dict.fromkeys(name for name in names if name))

    # reading ----------------------------------------------------------------------------------------------------------

    def paging(self) -> Any:
        """Another connector to the same place, with pages as small as they can be."""
        return self.world.connect({**self.trial.settings, **self._contract.pages})

    def pages(self, cursor: str | None = None, connector: Any = None) -> Iterator[Page]:
        reader: ListChanges = connector or self.connector
        return reader.list_changes(self.trial.resource, cursor, self.fields, self.trial.read)

    def feed(self, cursor: str | None = None, connector: Any = None) -> Feed:
        """A whole reading. ``cursor`` stays what it was where the feed gives none."""
        found = Feed(cursor=cursor)
        for page in self.pages(cursor, connector):
            found.pages += 1
            found.seen |= {remote.id: remote for remote in page.records}
            found.cursor = page.cursor or found.cursor
            found.complete = page.complete
        return found

    def get(self, id: str) -> Remote:
        """This record now. Where the connector can't get single records, from a complete reading."""
        if isinstance(self.connector, Get):
            (found,) = self.connector.get(self.trial.resource, [id], self.fields, self.trial.read)
            must(found.id == id, f"get({id!r}) answered with the record {found.id!r}")
            return found
        return self.feed().seen.get(id) or Remote(id, None, deleted=True)

    def text_of(self, remote: Remote) -> Any:
        return (remote.record or {}).get(self.trial.text)

    # writing ----------------------------------------------------------------------------------------------------------

    def word(self) -> str:
        """Twelve letters and digits, never the same again."""
        self._number += 1
        return f"{self._start}{self._number:0{12 - len(self._start)}d}"

    def new(self, **over: Any) -> Write:
        """A create that nobody has sent yet."""
        if self.trial.new is None:
            raise NotTried("the connector's contract says nothing of new records")
        word = self.word()
        return Write(f"hub-{word}", {**self.trial.new(word, **self._given), **over})

    def create(self, writes: Sequence[Write]) -> list[Result]:
        connector: Create = self.connector
        results = connector.create(self.trial.resource, writes, self.fields, self.trial.write)
        must(len(results) == len(writes), f"{len(writes)} creates were answered with {len(results)} results")
        self.made |= {result.remote.id: None for result in results if result.remote is not None}
        return results

    def update(self, remote: Remote, values: Record) -> Result:
        """Change a record from the state in which ``remote`` saw it."""
        connector: Update = self.connector
        write = Write(remote.key or "hub", values, id=remote.id, version=remote.version, old=remote.record)
        (result,) = connector.update(self.trial.resource, [write], self.fields, self.trial.write)
        return result

    def delete(self, remote: Remote) -> Result:
        connector: Delete = self.connector
        write = Write(remote.key or "hub", {}, id=remote.id, version=remote.version, old=remote.record)
        (result,) = connector.delete(self.trial.resource, [write], self.trial.write)
        return result

    def probe(self, writes: Sequence[Write]) -> list[Remote | None]:
        connector: Probe = self.connector
        return connector.probe(self.trial.resource, writes, self.fields, self.trial.write)

    def record(self, **over: Any) -> Remote:
        """A record that may be changed: a new one, or (where the connector makes none) one that nobody else uses."""
        if self.trial.new is not None and isinstance(self.connector, Create):
            remote = _written(self.create([self.new(**over)])[0])
            return remote if remote.record is not None else self.get(remote.id)
        if not self.world.own:
            raise NotTried("the connector makes no records, and those of others are not touched")
        for id in self.feed().live():
            if id not in self._borrowed:
                self._borrowed.add(id)
                return self.get(id)
        raise NotTried("there are no records left to try this on")

    # other people -----------------------------------------------------------------------------------------------------

    def edit(self, remote: Remote, text: str) -> None:
        """Somebody else writes this text into the record."""
        must(self.trial.text, "the contract names no text field")
        self.world.edit(self.connector, self.trial.resource, remote.id, {self.trial.text: text})

    def remove(self, remote: Remote) -> None:
        self.world.remove(self.connector, self.trial.resource, remote.id)
        self.made.pop(remote.id, None)

    def mark(self, write: Write) -> tuple[str, str]:
        """A field, and its text in this write that no other record has."""
        word = write.key.removeprefix("hub-")
        for name in (self.trial.unique, self.trial.text, *write.values):
            value = write.values.get(name) if name else None
            if isinstance(value, str) and word in value:
                return name, value
        raise NotTried("no field of a new record holds the word it was made of")

    def copies(self, write: Write) -> int:
        """How many records came of this create."""
        return self.world.holding(self.trial.resource, *self.mark(write))

    def clean(self) -> list[str]:
        """Delete what was made; returns ``resource/id`` of what is left."""
        todo = [(self.trial.resource, id) for id in self.made] + self.others[::-1]
        left = []
        for resource, id in todo:
            if not self._removed(resource, id):
                left.append(f"{resource}/{id}")
        return left

    def _removed(self, resource: str, id: str) -> bool:
        if not isinstance(self.connector, Delete):
            return False
        try:
            (result,) = self.connector.delete(resource, [Write("hub", {}, id=id)], self.trial.write)
        except HubError:
            return False
        return result.error is None


def _written(result: Result) -> Remote:
    if result.error is not None:
        raise Broken(f"a valid record was refused: {result.error}")
    must(result.remote, "a create was answered with neither a record nor an error")
    assert result.remote is not None
    must(result.problem is None, f"a create left a problem: {result.problem}")
    return result.remote


def error_of(result: Result) -> HubError:
    """The error of a result that must be one."""
    if result.error is None:
        raise Broken("it was accepted")
    return result.error
