"""Reading together: the systems of one entity, in parts where they have parts, by one pass or by several at once.

Whoever comes first reads what nobody has read yet in this joint pass, its own part before others'. A system has been
heard when all its parts were read and what is missing from them was looked for; before that nobody writes to it, and
from then on nobody reads its lists any more. So no page is older than a write, and nothing is made where it may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from hub.errors import HubError
from hub.store import intents, runs
from hub.sync import behind
from hub.sync.at_once import AtOnce
from hub.sync.context import LEASE_SECONDS, READING, Pass
from hub.sync.feeds import in_order
from hub.sync.holder import is_dead
from hub.sync.joint import Joint, note_heard, unknown
from hub.sync.leasing import is_taken
from hub.sync.observe import finish, hold_unread, observe
from hub.sync.policy import Endpoint
from hub.sync.recover import recover
from hub.sync.rounds import Rounds

LOOK_AGAIN = 0.1
"""Seconds between two looks at what others are reading."""
Rows = dict[tuple[str, str], dict[str, Any]]


class Together:
    """Reads the systems of one entity that is divided into partitions."""

    def __init__(self, job: Pass, entity: str, *, full: bool = False, rounds: Rounds | None = None) -> None:
        self.job = job
        self.entity = entity
        self.full = full
        self.rounds = rounds
        self.partitions = job.setup.policies[entity].partitions
        if entity not in job.joint:  # nobody else is at work
            with job.store.read() as connection:
                job.joint[entity] = Joint(job.run, unknown(connection, job.setup, entity))
        self.id = job.joint[entity].id
        self._recovered: set[str] = set()

    def read(self, endpoints: Sequence[Endpoint]) -> None:
        """Read these, or wait until others have. What the last of them shows that is new is written at once: all others
        were heard then. Systems that can't be read are blocked for this pass."""
        order = self._in_order(endpoints)
        last = order[-1:]
        self.hear(order[:-1])
        self.hear(last, self.rounds)
        for endpoint in endpoints:
            hold_unread(self.job, endpoint)

    def hear(self, endpoints: Sequence[Endpoint], rounds: Rounds | None = None) -> None:
        """Until each of these was heard, or is out of reach."""
        for endpoint in endpoints:
            if endpoint.direction == "out":
                observe(self.job, endpoint)
        left = [endpoint for endpoint in endpoints if endpoint.direction != "out"]
        while left:
            moved = False
            for endpoint in list(left):
                moved |= self._step(endpoint, rounds)
                if self._is_over(endpoint):
                    left.remove(endpoint)
                    hold_unread(self.job, endpoint)
            if left and not moved:
                time.sleep(LOOK_AGAIN)  # others are reading the rest
        if self.job.part is not None:
            behind.heed(self.job)

    def _step(self, endpoint: Endpoint, rounds: Rounds | None) -> bool:
        """Do the next thing that nobody else is doing; False: there is none."""
        rows, doubted = self._state()
        if self._is_read(rows, endpoint) or self._is_out_of_reach(endpoint):
            return True
        if endpoint.system in doubted - self._recovered:
            # What was sent and never confirmed must be found before its record is read as somebody else's.
            with self._alone_at(endpoint) as free:
                if free:
                    recover(self.job, endpoint, orphans=True)
                    self._recovered.add(endpoint.system)
            return free
        parts = endpoint.parts(self.partitions)
        unread = [part for part in parts if not self._is_read(rows, part)]
        for part in sorted(unread, key=lambda one: one.part != self.job.part):
            at_once = AtOnce(rounds, part) if rounds is not None else None
            if self._read(part, partial(observe, self.job, part, full=self.full, at_once=at_once)):
                return True
        if unread:
            return False
        if parts:
            return self._read(endpoint, partial(finish, self.job, endpoint, parts, full=self.full))
        at_once = AtOnce(rounds, endpoint) if rounds is not None else None
        return self._read(endpoint, partial(observe, self.job, endpoint, full=self.full, at_once=at_once))

    def _read(self, endpoint: Endpoint, work: Callable[[], object]) -> bool:
        """Do this part of the reading, unless somebody else is at it; False: somebody is."""
        with self._alone_at(endpoint) as free:
            if free and not self._is_read(self._state()[0], endpoint):  # by who had the lease a moment ago
                work()
                if not self._is_out_of_reach(endpoint):
                    with self.job.transaction(self.entity, beside=True) as connection:
                        part = str(endpoint.part or "")
                        runs.set_cursor(connection, endpoint.system, self.entity, part, joint=self.id)
                        if endpoint.part is None:
                            note_heard(self.job, connection, endpoint)
        return free

    @contextmanager
    def _alone_at(self, endpoint: Endpoint) -> Iterator[bool]:
        """Hold the lease of what is to be read; False: somebody else has it."""
        job = self.job
        if job.part is None:
            yield True
            return
        part = f"#{endpoint.part}" if endpoint.part is not None else ""
        name, owner = f"feed:{self.entity}:{endpoint.system}{part}", job.leases[self.entity].owner
        try:
            with job.transaction(self.entity, beside=True) as connection:
                lease = runs.take_lease(connection, name, owner, job.clock(), LEASE_SECONDS, is_dead)
        except HubError as error:
            if not is_taken(error):
                raise
            yield False
            return
        job.leases[READING] = lease
        try:
            yield True
        finally:
            del job.leases[READING]
            with job.store.begin() as connection:
                runs.free_lease(connection, lease)

    def _state(self) -> tuple[Rows, set[str]]:
        """How far everything has been read, and the systems with writes that were never confirmed."""
        with self.job.store.read() as connection:
            return runs.cursors_of(connection, self.entity), intents.doubted(connection, self.entity)

    def _is_read(self, rows: Rows, endpoint: Endpoint) -> bool:
        row = rows.get((endpoint.system, str(endpoint.part or "")))
        return row is not None and row["joint"] == self.id

    def _is_out_of_reach(self, endpoint: Endpoint) -> bool:
        return endpoint.system in self.job.down or (endpoint.system, self.entity) in self.job.blocked

    def _is_over(self, endpoint: Endpoint) -> bool:
        if self._is_out_of_reach(endpoint):
            self.job.blocked.add((endpoint.system, self.entity))
            return True
        if self._is_read(self._state()[0], endpoint):
            self.job.heard.add((endpoint.system, self.entity))
            return True
        return False

    def _in_order(self, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """As ``feeds.in_order``; of a system with parts, the own one tells whether it is empty."""
        own = self.job.part.number - 1 if self.job.part is not None else 0
        shown = [(endpoint.parts(self.partitions) or [endpoint] * self.partitions)[own] for endpoint in endpoints]
        by_system = {endpoint.system: endpoint for endpoint in endpoints}
        return [by_system[endpoint.system] for endpoint in in_order(self.job, shown)]


def look_at(job: Pass, endpoint: Endpoint) -> None:
    """Observe one endpoint, in parts where its entity is divided."""
    if job.setup.policies[endpoint.entity].partitions > 1:
        Together(job, endpoint.entity).hear([endpoint])
    else:
        observe(job, endpoint)
