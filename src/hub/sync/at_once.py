"""The short way for records that a system has just shown for the first time: they are created elsewhere at once, from
memory, while the rest is being read. What has to be stored before the calls is stored with the records themselves. The
calls for one page are under way while the next page is taken in; then their answers are stored, and its calls made.

Whatever can't be done like this stays to be planned in its turn; a test compares the two ways.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.errors import HubError
from hub.store import records
from hub.sync.apply import Calling, Item, Job, Writer
from hub.sync.intake import Taken
from hub.sync.planning import Planned, Planner
from hub.sync.policy import Endpoint
from hub.sync.rounds import Rounds, gone_through, item_of

ENOUGH = 500
"""New records on one page that are worth a way of their own; fewer are planned with everything else."""


@dataclass(slots=True)
class Sending:
    """The creates for what was new on one page; each by the system that is written to."""

    page: list[Planned]
    sources: Collection[str]
    """Ids of what was taken in with that page, in the system that is read."""
    todo: dict[str, list[Item]]
    jobs: dict[str, list[Job]]
    marked: set[str]
    """Hub ids that a plan has to look at, whatever the answers are."""
    calls: dict[str, list[Calling]] = field(default_factory=dict)


class AtOnce:
    """Creates elsewhere what one endpoint shows that is new. A context manager: in the end all answers are stored."""

    def __init__(self, rounds: Rounds, source: Endpoint) -> None:
        self.rounds = rounds
        self.job = rounds.job
        self.entity = source.entity
        self.source = source.system
        others = [
            e for e in self.job.setup.of_entity(source.entity) if e.direction != "in" and e.system != source.system
        ]
        self.writers = {endpoint.system: Writer(self.job, endpoint) for endpoint in others}
        self._allowed: bool | None = None
        self._prepared: Sending | None = None
        self._under_way: Sending | None = None

    def __enter__(self) -> AtOnce:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, HubError):  # when reading breaks off, what was sent was sent all the same
            self.settle()

    def is_allowed(self) -> bool:
        """Whether anything may be written before the first round. Asks the store: not to be called in a transaction."""
        if self._allowed is None:
            self._allowed = not any(self.rounds.gate.first_sync(w.endpoint) for w in self.writers.values())
        return self._allowed

    def make_way(self, remotes: Iterable[Remote]) -> None:
        """Before these are taken in: a record must not change while it is being written, for the intents of many have
        no values of their own."""
        if self._under_way and any(remote.id in self._under_way.sources for remote in remotes):
            self.settle()

    def take(self, connection: Connection, taken: Taken) -> None:
        """Plan the new ones of these, which were made in this transaction and are not marked for a plan, and store what
        is intended. ``send`` has to follow when the transaction has landed."""
        found, self._prepared = taken.new, None
        if len(found) < ENOUGH:
            records.mark(connection, self.entity, [record.hub_id for record in found], 1)
            return
        page = Planner(self.job, self.entity).plan_new(connection, found, self.source)
        todo: dict[str, list[Item]] = {}
        for planned in page:
            for step in planned.verdict.steps:
                todo.setdefault(step.system, []).append(item_of(planned, step))
        alone = len(todo) == 1
        jobs = {
            system: self.writers[system].prepare(connection, "create", items, alone=alone)
            for system, items in todo.items()
        }
        left = {planned.record.hub_id for planned in page if not planned.settled}
        if alone:  # then the intents say by themselves which records are unfinished
            (prepared,) = jobs.values()
            whole = {planned.record.hub_id for planned in page if planned.whole}
            left -= {job.record.hub_id for job in prepared} & whole
        records.mark(connection, self.entity, left, 1)
        self._prepared = Sending(page, taken.hub_ids.keys(), todo, jobs, left) if jobs else None

    def send(self) -> None:
        """Store the answers to the calls that are under way, and make those of what was taken last."""
        self.settle()
        coming, self._prepared = self._prepared, None
        if coming is None:
            return
        self.rounds.wrote_new = True
        self._under_way = coming
        for system, prepared in coming.jobs.items():
            writer = self.writers[system]
            if system in self.job.down or (system, self.entity) in self.job.blocked:  # as the last answers told
                writer.withdraw(prepared)
            else:
                coming.calls[system] = writer.begin("create", prepared)

    def settle(self) -> None:
        """Wait for the calls that are under way, and store their answers."""
        done, self._under_way = self._under_way, None
        if done is None:
            return
        alone = len(done.jobs) == 1
        for system, calls in done.calls.items():
            writer = self.writers[system]
            writer.confirmer.alone = alone
            writer.finish(calls, partial(self._look_after, writer, done.marked, done.jobs[system]))
            self.rounds.name(writer.endpoint, done.todo[system], writer.written)
        if not alone:
            with self.job.transaction(self.entity, beside=True) as connection:
                records.mark(connection, self.entity, gone_through(done.page, self.writers), 0)
        for writer in self.writers.values():
            writer.settled.clear()
            writer.written.clear()

    def _look_after(self, writer: Writer, marked: set[str], prepared: Sequence[Job], connection: Connection) -> None:
        """What was not marked, and did not go through as meant, has to be looked at after all."""
        unfinished = [job.record.hub_id for job in prepared if job.record.hub_id not in writer.settled]
        records.mark(connection, self.entity, [hub_id for hub_id in unfinished if hub_id not in marked], 1)
