"""The small pass: records that systems have told of are observed once more, and what is new about them is carried on.

It is the ordinary pass with fewer records: the same leases, intents, decisions and holds. What differs is only this.

- A hint is never data. The record is asked for by its id; cursors stay where they are, so that polling misses nothing.
- Only what was told of is planned. What else is open (held, refused, waiting for its system) stays to the next pass.
- A record that is new is made elsewhere only after the other systems were heard: one of them may have it, too.
- Of a record that is gone, the system must show another one in the same breath: an emptied system deletes nothing.
- The change budget is one pass's, for all small passes between two ordinary ones: many small ones are no way around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from hub.connect.capabilities import Get, Remote
from hub.errors import AuthenticationError, HubError, RateLimited, Unavailable
from hub.store import hints, records, runs, shadows, work
from hub.store.codec import dumps, loads
from hub.sync.context import Pass, instant
from hub.sync.gate import Gate
from hub.sync.intake import Intake
from hub.sync.observe import GET_BATCH, hold_unread
from hub.sync.planning import Planned, Planner
from hub.sync.policy import Endpoint
from hub.sync.rounds import Rounds
from hub.sync.together import look_at

LIMIT = 500
"""Hints of one small pass."""
TRIES = 8
"""Small passes that try a record; after that it is left to the ordinary ones."""
LONGEST = 60.0
"""Seconds between two tries, at most."""
BUDGET_HOURS = 1
"""After so long without an ordinary pass, small passes have a new budget."""
WITNESSES = 3
"""Other records that are asked for when one is gone."""
_SPENT = "hints:"
"""Setting: what small passes have changed of an entity."""


class Look:
    """The hints of one entity, and what is found where they point."""

    def __init__(self, job: Pass, entity: str, limit: int = LIMIT) -> None:
        self.job = job
        self.entity = entity
        self.hub_ids: set[str] = set()
        """Records to be planned."""
        self._of: dict[tuple[str, str], str] = {}
        """(system, remote id) → hub id."""
        self._failed: set[tuple[str, str]] = set()
        """(system, remote id) that could not be asked for."""
        self._new = False
        with job.store.read() as connection:
            self.hints = hints.due(connection, entity, job.now(), limit)

    def observe(self) -> bool:
        """Ask for the records and take them in. False: not now, an ordinary pass has to come first."""
        endpoints = self.job.setup.of_entity(self.entity)
        if self._remapped(endpoints):
            return False
        for endpoint in endpoints:
            hold_unread(self.job, endpoint)
        for endpoint in endpoints:
            ids = [hint.remote_id for hint in self.hints if hint.system == endpoint.system]
            if ids and endpoint.direction != "out" and isinstance(endpoint.connector, Get):
                self._look(endpoint, ids)
        if self._new:
            told = {hint.system for hint in self.hints}
            for endpoint in endpoints:
                if endpoint.direction != "out" and endpoint.system not in told:
                    look_at(self.job, endpoint)
        return True

    def settle(self) -> None:
        """What was looked at is done with, unless something was in the way: then it is tried again a little later."""
        done, again = [], []
        with self.job.transaction(self.entity) as connection:
            open_ids = records.dirty_among(connection, self.entity, self.hub_ids) if self.job.report.failures else set()
            for hint in self.hints:
                key = (hint.system, hint.remote_id)
                failed = key in self._failed or hint.system in self.job.down or self._of.get(key) in open_ids
                if failed and hint.tries + 1 < TRIES:
                    after = instant(self.job.clock() + timedelta(seconds=min(LONGEST, 2.0**hint.tries)))
                    again.append((hint, after))
                else:
                    done.append(hint)
            hints.settle(connection, done)
            hints.put_off(connection, again)
            if self._new:
                self._tell_those_who_waited(connection)

    def defer(self) -> None:
        """Nothing was done: try again when an ordinary pass has been."""
        after = instant(self.job.clock() + timedelta(seconds=LONGEST))
        with self.job.transaction(self.entity) as connection:
            hints.put_off(connection, [(hint._replace(tries=0), after) for hint in self.hints])

    def _remapped(self, endpoints: Sequence[Endpoint]) -> bool:
        """Whether a mapping changed since its system was read with it: then everything has to be read again first."""
        with self.job.store.read() as connection:
            for endpoint in endpoints:
                lens = (runs.cursor(connection, endpoint.system, self.entity) or {}).get("lens")
                if endpoint.direction != "out" and lens is not None and lens != endpoint.lens.version:
                    return True
        return False

    def _look(self, endpoint: Endpoint, ids: list[str]) -> None:
        system = endpoint.system
        if system in self.job.down or (system, self.entity) in self.job.blocked:
            return  # never read, or in doubt: the ordinary pass sees these records anyway
        ids = self._read_here(endpoint, ids)
        for start in range(0, len(ids), GET_BATCH):
            for remotes in self._asked(endpoint, ids[start : start + GET_BATCH]):
                believed = self._believed(endpoint, remotes)
                with self.job.transaction(self.entity) as connection:
                    taken = Intake(self.job, endpoint).take(connection, believed)
                    known = shadows.known(connection, system, self.entity, [r.id for r in believed])
                self._new = self._new or bool(taken.new)
                found = {**{id: one.hub_id for id, one in known.items()}, **taken.hub_ids}
                self._of |= {(system, remote_id): hub_id for remote_id, hub_id in found.items()}
                self.hub_ids.update(found.values())
                self.job.emit(
                    "page.observed",
                    system=system,
                    entity=self.entity,
                    resource=endpoint.resource.name,
                    seen=len(believed),
                    changed=taken.changed,
                )

    def _read_here(self, endpoint: Endpoint, ids: list[str]) -> list[str]:
        """Those that this mapping reads: where it reads only a part of a resource, asking by id would not tell."""
        if set(endpoint.lens.read_options) <= {"fields"}:
            return ids
        with self.job.store.read() as connection:
            known = shadows.known(connection, endpoint.system, self.entity, ids)
        return [remote_id for remote_id in ids if remote_id in known]

    def _asked(self, endpoint: Endpoint, ids: list[str]) -> Iterator[list[Remote]]:
        """These records now, in one answer, or, where an id spoils it for all, in several."""
        lens = endpoint.lens
        try:
            remotes = endpoint.connector.get(endpoint.resource.name, ids, lens.remote_fields, lens.read_options)
        except HubError as error:
            down = isinstance(error, (AuthenticationError, Unavailable, RateLimited))
            if down or len(ids) == 1:
                self._failed.update((endpoint.system, remote_id) for remote_id in ids)
                self.job.failed(endpoint, error, down=down)
                return
            for part in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                if endpoint.system not in self.job.down:
                    yield from self._asked(endpoint, part)
            return
        yield remotes

    def _believed(self, endpoint: Endpoint, remotes: list[Remote]) -> list[Remote]:
        """Without deletions, where the system shows no other record that it must have."""
        gone = {remote.id for remote in remotes if remote.deleted or remote.record is None}
        if not gone:
            return remotes
        there = [remote for remote in remotes if remote.id not in gone]
        with self.job.store.read() as connection:
            if not shadows.known(connection, endpoint.system, self.entity, gone):
                return there
            if shadows.known(connection, endpoint.system, self.entity, [remote.id for remote in there]):
                return remotes
            others = shadows.some_live(connection, endpoint.system, self.entity, gone, WITNESSES)
        for answer in self._asked(endpoint, others) if others else ():
            if any(not remote.deleted and remote.record is not None for remote in answer):
                return remotes
        return there

    def _tell_those_who_waited(self, connection: Connection) -> None:
        """Observations that waited for a record of this entity: perhaps it is one of those just made."""
        told = []
        for endpoint in self.job.setup.endpoints:
            for row in work.waiting(connection, endpoint.system, endpoint.entity):
                if row["reason"] == "reference" and f"refers to {self.entity} " in row["detail"].get("message", ""):
                    told.append((endpoint.system, endpoint.entity, row["remote_id"]))
        hints.add(connection, told[:LIMIT], self.job.now())


class SmallRounds(Rounds):
    """Plans and applies the records of a look, and nothing else."""

    def __init__(self, job: Pass, look: Look) -> None:
        super().__init__(job, [look.entity])
        self.look = look
        self.gate = self._left = SharedBudget(job)

    def _pages(self, planner: Planner) -> Iterator[list[Planned]]:
        with self.job.store.read() as connection:
            ids = sorted(records.dirty_among(connection, self.look.entity, self.look.hub_ids))
        if ids:
            yield planner.plan_again(ids)

    def close(self) -> None:
        """Small passes approve nothing: that takes one that has heard every system."""
        self._left.spend(self._spent)
        self.plan.more += len(self.plan.writes)
        self.plan.writes.clear()  # a run every few hundred milliseconds: the journal has them


class SharedBudget(Gate):
    """What small passes may change together, until an ordinary pass has been."""

    def allowed(self, endpoint: Endpoint) -> int | None:
        """What the small passes before this one have left."""
        whole = super().allowed(endpoint)
        if whole is None:
            return None
        with self.job.store.read() as connection:
            spent = _spent(connection, endpoint.entity, self._hour())
        return max(0, whole - spent.get(endpoint.system, 0))

    def spend(self, spent: Mapping[tuple[str, str], int]) -> None:
        """Changes and deletions made, by (system, entity)."""
        for entity in {entity for (_, entity), number in spent.items() if number}:
            with self.job.transaction(entity) as connection:
                kept = _spent(connection, entity, self._hour())
                for (system, of), number in spent.items():
                    if of == entity:
                        kept[system] = kept.get(system, 0) + number
                runs.set_setting(connection, _SPENT + entity, dumps({"hour": self._hour(), "spent": kept}))

    def _hour(self) -> str:
        return str(int(self.job.clock().timestamp() // (BUDGET_HOURS * 3600)))


def renew_budget(job: Pass, entities: Sequence[str]) -> None:
    """An ordinary pass has been: small ones may change as much again."""
    with job.store.read() as connection:
        spent = runs.settings(connection, [_SPENT + entity for entity in entities])
    for entity in entities:
        if spent.get(_SPENT + entity):
            with job.transaction(entity) as connection:
                runs.set_setting(connection, _SPENT + entity, "")


def _spent(connection: Connection, entity: str, hour: str) -> dict[str, int]:
    """System → what small passes changed since the last ordinary one, or since the hour began."""
    kept = loads(runs.setting(connection, _SPENT + entity) or "{}")
    return dict(kept["spent"]) if kept and kept["hour"] == hour else {}
