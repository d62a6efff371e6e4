"""Products of models: every resource is a model with growing ids, called by search, create, write and delete.

What ERP systems of this kind (Tryton, Odoo and their relatives) differ in is how a call looks; what the hub asks of
them is the same for all. A connector subclasses ``ModelConnector`` and says how a call looks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connect import ascending
from hub.connect.capabilities import Page, Record, Remote, Result, Write
from hub.connect.lines import check_unchanged
from hub.connect.outcomes import each, named_twins, read_back, removed, together
from hub.connect.rpc import SessionRpc
from hub.connect.workflow import Step, reach
from hub.errors import Gone, RecordRejected, VersionConflict

MANY = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which records of a model: those with these ``ids``, or else a page of those behind ``after``, by id."""

    ids: tuple[int, ...] | None = None
    after: int = 0
    since: datetime | None = None
    """Only those that changed since then; their lines count, where they don't move their record."""
    size: int | None = None


class ModelConnector(ABC):
    """Offers ListChanges, ListIds, Get, Create, Update and Delete to the engine."""

    page: int
    """Records of a page."""
    overlap: float
    """Seconds read again before the cursor: longer than the product's longest transaction."""
    state: str
    """The field that is led to its value by ``steps``."""
    now: Callable[[], datetime]
    rpc: SessionRpc
    """The way to the product."""

    @property
    def usage(self) -> dict[str, int]:
        """``calls``, ``retries`` and ``errors`` so far."""
        return dict(self.rpc.http.usage)

    def close(self) -> None:
        """Close the kept connections."""
        self.rpc.close()

    # --- what the product is asked --------------------------------------------------------------------

    @abstractmethod
    def search(
        self, model: str, asked: Asked, fields: Sequence[str], options: Record
    ) -> tuple[list[Remote], datetime | None]:
        """The records, and the server's clock if it shows one."""

    @abstractmethod
    def search_ids(self, model: str, after: int, size: int, options: Record) -> list[int]:
        """The ids of a page of records behind an id, sorted."""

    @abstractmethod
    def make(self, model: str, writes: Sequence[Write], options: Record) -> list[int]:
        """Create all of these records or none; gives their ids, in this order."""

    @abstractmethod
    def change(self, model: str, write: Write, there: Remote) -> None:
        """Write the changed values of a record, of which ``there`` shows those that it has now."""

    @abstractmethod
    def remove(self, model: str, write: Write) -> None:
        """Delete or archive (``Write.mode``)."""

    def steps(self, model: str) -> list[Step]:
        """The workflow of a model; empty: it has none."""
        return []

    def take(self, model: str, id: int, step: Step) -> None:
        """Take one step of the workflow."""
        raise NotImplementedError(model, step)

    def twin(self, model: str, write: Write) -> Remote | None:
        """The record that a refused create was for, if it is there already."""
        return None

    # --- what the engine asks -------------------------------------------------------------------------

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        """See ``hub.connect.capabilities``; as all below."""

        def ask(after: int, since: datetime | None) -> tuple[list[Remote], datetime | None]:
            return self.search(resource, Asked(after=after, since=since, size=self.page), fields, options)

        return ascending.changes(ask, cursor, size=self.page, overlap=self.overlap, now=self.now)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        return ascending.ids(lambda after: self.search_ids(resource, after, MANY, options), size=MANY)

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        # What isn't a number was never an id here: nothing is there.
        numbers = tuple(int(one) for one in dict.fromkeys(ids) if one.isdecimal())
        known = {one.id: one for one in self.search(resource, Asked(numbers), fields, {})[0]} if numbers else {}
        return [known.get(one) or Remote(one, None, deleted=True) for one in ids]

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        def send(some: Sequence[Write]) -> list[Result]:
            return [Result(remote=Remote(str(id), None)) for id in self.make(resource, some, options)]

        results = named_twins(writes, together(writes, send), lambda write: self.twin(resource, write))
        return self._finished(resource, writes, results, fields)

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        def one(write: Write) -> Result:
            (there,) = self.get(resource, [str(write.id)], list(write.values), {})
            where = f"{resource}/{write.id}"
            if there.deleted:
                raise Gone("the record is not there any more", where=where)
            _check_unmoved(write, there, where)
            self.change(resource, write, there)
            return Result(remote=Remote(there.id, None))

        return self._finished(resource, writes, each(writes, one), fields)

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        def one(write: Write) -> None:
            try:
                self.remove(resource, write)
            except RecordRejected:
                if self.get(resource, [str(write.id)], [], {})[0].deleted:
                    raise Gone("the record is not there any more", where=f"{resource}/{write.id}") from None
                raise

        return removed(writes, one)

    def _finished(
        self, resource: str, writes: Sequence[Write], results: list[Result], fields: Sequence[str]
    ) -> list[Result]:
        """Lead the written records to their wanted states, and read all back."""
        steps = self.steps(resource)
        for write, result in zip(writes, results, strict=True):
            wanted: Any = write.values.get(self.state)
            if steps and wanted and result.remote is not None:
                result.problem = self._led(resource, result.remote.id, wanted, steps)
        return read_back(writes, results, lambda ids: self.get(resource, ids, fields, {}))

    def _led(self, resource: str, id: str, wanted: Any, steps: list[Step]) -> Any:
        def look() -> Any:
            return (self.get(resource, [id], [self.state], {})[0].record or {}).get(self.state)

        def do(step: Step) -> None:
            self.take(resource, int(id), step)

        return reach(steps, wanted, look=look, do=do, field=self.state, where=f"{resource}/{id}")


def _check_unmoved(write: Write, there: Remote, where: str) -> None:
    """Raises VersionConflict when somebody changed the record, or one of the lines to be written, since it was seen.
    A product that compares versions by itself does so once more, without a moment in between."""
    if write.version and there.version and there.version != write.version:
        raise VersionConflict("somebody else changed the record meanwhile", where=where)
    for name, lines in (there.record or {}).items():
        if name in write.values and isinstance(lines, list) and all(isinstance(line, dict) for line in lines):
            check_unchanged(name, (write.old or {}).get(name), lines, lambda line: line.get("id"), where)
