"""The short way for records that a system has just shown for the first time: they are created elsewhere at once, from
memory, while the rest is being read. What has to be stored before the calls is stored with the records themselves.

Whatever can't be done like this stays to be planned in its turn; a test compares the two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection

from hub.store import records
from hub.store.records import Stored
from hub.sync.apply import Item, Job, Writer
from hub.sync.planning import Planned, Planner
from hub.sync.policy import Endpoint
from hub.sync.rounds import Rounds, gone_through, item_of

ENOUGH = 500
"""New records on one page that are worth a way of their own; fewer are planned with everything else."""


class AtOnce:
    """Creates elsewhere what one endpoint shows that is new."""

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

    def is_allowed(self) -> bool:
        """Whether anything may be written before the first round. Asks the store: not to be called in a transaction."""
        if self._allowed is None:
            self._allowed = not any(self.rounds.gate.first_sync(w.endpoint) for w in self.writers.values())
        return self._allowed

    def take(self, connection: Connection, found: list[Stored]) -> Callable[[], None] | None:
        """Plan these records, which were made in this transaction and are not marked for a plan, and store what is
        intended. Returns what makes the calls, for when the transaction has landed; None where there are none."""
        if len(found) < ENOUGH or not self._allowed:
            records.mark(connection, self.entity, [record.hub_id for record in found], 1)
            return None
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
        return partial(self._send, page, todo, jobs, left) if jobs else None

    def _send(
        self, page: list[Planned], todo: dict[str, list[Item]], jobs: dict[str, list[Job]], marked: set[str]
    ) -> None:
        self.rounds.wrote_new = True
        for system, prepared in jobs.items():
            writer = self.writers[system]
            writer.confirmer.alone = len(jobs) == 1
            writer.send("create", prepared, partial(self._settle, writer, marked, prepared))
            self.rounds.name(writer.endpoint, todo[system], writer.written)
        if len(jobs) > 1:
            with self.job.transaction(self.entity, beside=True) as connection:
                records.mark(connection, self.entity, gone_through(page, self.writers), 0)
        for writer in self.writers.values():
            writer.settled.clear()
            writer.written.clear()

    def _settle(self, writer: Writer, marked: set[str], prepared: Sequence[Job], connection: Connection) -> None:
        """What was not marked, and did not go through as meant, has to be looked at after all."""
        unfinished = [job.record.hub_id for job in prepared if job.record.hub_id not in writer.settled]
        records.mark(connection, self.entity, [hub_id for hub_id in unfinished if hub_id not in marked], 1)
