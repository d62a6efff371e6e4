"""Prune: take away what is older than the history that is kept, a little at a time.

What ``explain`` needs to say where a value comes from stays, and so do the runs that ``undo`` can take back (see
``compact``). Nothing a pass decides by is touched. Each step is a short transaction of its own: a pass may run
meanwhile, and a prune that was cut off goes on from where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from hub.errors import ConfigurationError, Unavailable
from hub.store import parts, pruning, runs, space
from hub.store.database import Store
from hub.store.journal import Logged
from hub.store.pruning import Horizon
from hub.store.runs import Lease
from hub.sync.compact import Compacted, compacted
from hub.sync.context import LEASE_SECONDS, instant
from hub.sync.holder import is_dead
from hub.sync.oscillation import WINDOW
from hub.sync.policy import Retention, Setup

LEASE = "history"
PAGE = 500
"""Entries looked at together."""
RECORDS = 50
"""Records whose older history is read, and rewritten, in one step."""
ROWS = 2000
"""Rows of other tables that one step takes away."""
SHOWN_RUNS = 50
SHORTEST = WINDOW.days
"""Days: a pass looks back as far as this, for fields that go back and forth."""
PER_SECOND = 10_000_000
"""Bytes of a SQLite file that are written anew in a second, on a slow disk."""


@dataclass(slots=True)
class Pruned:
    """What was taken away; with ``dry_run``, what would be."""

    dry_run: bool
    days: int | None
    keep_runs: int
    before: str = ""
    """History from this moment on is whole (ISO 8601, UTC)."""
    entries: int = 0
    """Entries of the journal that were taken away."""
    summed_up: int = 0
    """… and that now stand for several."""
    runs: int = 0
    letters: int = 0
    conflicts: int = 0
    plans: int = 0
    listed: int = 0
    """Ids that ended listings had left behind."""
    history_rows: int = 0
    """Entries that the journal has now."""
    bytes_before: int = 0
    bytes_after: int = 0
    space: str = ""
    """What became of the room on the disk, in words."""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(slots=True)
class Pruner:
    """One prune. ``owner`` tells who holds its lease; ``progress`` hears how many entries have gone."""

    store: Store
    setup: Setup
    clock: Callable[[], datetime]
    owner: str
    retention: Retention
    progress: Callable[[int], None] = lambda gone: None
    _bound: int = 0
    """Up to which entry of the journal this prune goes."""
    _held: set[tuple[str, str]] = field(default_factory=set)
    """(system, entity) whose first sync nobody has approved yet: what was seen there is still to be shown."""

    def work(self, *, dry_run: bool = False) -> Pruned:
        """Prune. Raises ConfigurationError for a retention that can't be, Unavailable while another prune or an undo
        is at work."""
        days, keep = self.retention.days, self.retention.keep_runs
        done = Pruned(dry_run, days, keep, bytes_before=space.size(self.store).total)
        if days is None:
            done.space = "nothing is pruned: retention is off"
        else:
            _possible(days, keep)
            cutoff = instant(self.clock() - timedelta(days=days))
            if dry_run:
                self._rehearse(done, cutoff)
            else:
                self._carry_out(done, cutoff)
        with self.store.read() as connection:
            done.history_rows = history_rows(connection)
        done.bytes_after = space.size(self.store).total
        return done

    # what is asked for ----------------------------------------------------------------------------------------------

    def _horizon(self, connection: Connection, cutoff: str) -> tuple[Horizon, int, list[str]]:
        """(how far it was pruned, up to which entry it may be now, the runs that stay)."""
        kept = pruning.runs_that_wrote(connection, self.retention.keep_runs)
        # Never the last entry: new ones are numbered after it.
        most = min(pruning.last_before(connection, cutoff), pruning.newest_id(connection) - 1)
        bound = min([most, *(begun for _, begun in kept)])
        self._held = self._unapproved(connection)
        return pruning.horizon(connection), max(bound, 0), [run for run, _ in kept]

    def _unapproved(self, connection: Connection) -> set[tuple[str, str]]:
        approved = {(row["system"], row["entity"]): bool(row["approved"]) for row in runs.cursors(connection)}
        ends = [(e.system, e.entity) for e in self.setup.endpoints if e.direction != "in"]
        return {key for key in ends if not approved.get(key, False)}

    def _stays(self, entry: Logged) -> bool:
        return entry.kind == "observed" and (entry.system, entry.entity) in self._held

    def _steps(self, after: int, to: int) -> Iterator[tuple[Compacted, int]]:
        """What goes of the records with entries after an id, some records at a time, and up to which id all of them
        were looked at by then."""
        while after < to:
            with self.store.read() as connection:
                hub_ids, reached = pruning.older(connection, after, to, PAGE)
            for start in range(0, len(hub_ids), RECORDS) or (0,):
                some = hub_ids[start : start + RECORDS]
                found = Compacted()
                with self.store.read() as connection:
                    for entries in pruning.histories(connection, some, to).values():
                        one = compacted(entries, self._stays)
                        found.gone += one.gone
                        found.instead |= one.instead
                if start + RECORDS >= len(hub_ids):
                    after = reached
                yield found, after

    # trying it --------------------------------------------------------------------------------------------------------

    def _rehearse(self, done: Pruned, cutoff: str) -> None:
        with self.store.read() as connection:
            was, to, kept = self._horizon(connection, cutoff)
            done.before = max(was.before, pruning.at(connection, to) or "")
            done.runs = len(_old_runs(connection, was, to, cutoff, kept))
            for what in pruning.OVER:
                setattr(done, what, pruning.count_over(connection, what, cutoff))
            done.listed = pruning.count_seen(connection)
        gone: set[int] = set()
        instead: set[int] = set()
        for found, _ in self._steps(was.to, to):  # records with entries on several pages come again
            gone.update(found.gone)
            instead |= found.instead.keys()
        done.entries, done.summed_up = len(gone), len(instead - gone)

    # doing it ---------------------------------------------------------------------------------------------------------

    def _carry_out(self, done: Pruned, cutoff: str) -> None:
        lease = self._begin(done, cutoff)
        try:
            self._journal(done, lease)
            for what in pruning.OVER:
                setattr(done, what, self._repeat(lease, partial(_over, what, cutoff)))
            self._listed(done)
            done.space = self._space(lease)
        finally:
            with self.store.begin() as connection:
                runs.free_lease(connection, lease)

    def _begin(self, done: Pruned, cutoff: str) -> Lease:
        """Runs go first: from then on nobody can ask for one of them to be taken back."""
        now = self.clock()
        with self.store.begin() as connection:
            undoing = pruning.running(connection, "undo", instant(now - timedelta(days=1)))
            if undoing is not None:
                raise Unavailable(
                    f"another pass takes back what a run wrote ({undoing})",
                    where="store",
                    cure="prune when it has ended",
                )
            lease = runs.take_lease(connection, LEASE, f"{self.owner}/prune", now, LEASE_SECONDS, is_dead)
            was, to, kept = self._horizon(connection, cutoff)
            before = max(was.before, pruning.at(connection, to) or "")
            gone = _old_runs(connection, was, to, cutoff, kept)
            pruning.drop_runs(connection, gone)
            if gone or to > was.to:
                pruning.set_horizon(connection, was._replace(before=before, on=instant(now)))
        done.before, done.runs = before, len(gone)
        self._bound = to
        return lease

    def _journal(self, done: Pruned, lease: Lease) -> None:
        """Step by step: reading is no lock, and writing a step takes some milliseconds."""
        with self.store.read() as connection:
            was = pruning.horizon(connection)
        for found, reached in self._steps(was.to, self._bound):
            with self.store.begin() as connection:
                self._renew(connection, lease)
                pruning.rewrite(connection, found.gone, found.instead.values())
                was = was._replace(to=reached, on=instant(self.clock()), removed=was.removed + len(found.gone))
                pruning.set_horizon(connection, was)
            done.entries += len(found.gone)
            done.summed_up += len(found.instead)
            self.progress(done.entries)

    def _repeat(self, lease: Lease, step: Callable[[Connection], int]) -> int:
        total = 0
        while True:
            with self.store.begin() as connection:
                self._renew(connection, lease)
                count = step(connection)
            total += count
            if count < ROWS:
                return total

    def _renew(self, connection: Connection, lease: Lease) -> None:
        runs.renew_lease(connection, lease, self.clock(), LEASE_SECONDS)

    def _listed(self, done: Pruned) -> None:
        """Ids of ended listings: where no pass is at work, none of them is needed."""
        for entity in self.setup.policies:
            lease = self._take([entity], LEASE_SECONDS)
            if lease:
                try:
                    done.listed += self._repeat(lease[0], partial(_seen, entity))
                finally:
                    self._free(lease)

    def _space(self, lease: Lease) -> str:
        reason = space.why_not(self.store)
        if reason:
            return reason
        seconds = max(4 * LEASE_SECONDS, space.size(self.store).total // PER_SECOND)
        leases = self._take(list(self.setup.policies), seconds)
        if not leases:
            return "a pass is at work: the space is given back the next time"
        with self.store.begin() as connection:  # nothing can be renewed meanwhile
            runs.extend_lease(connection, lease, self.clock(), seconds)
        try:
            return space.give_back(self.store)
        finally:
            self._free(leases)

    def _take(self, entities: list[str], seconds: int) -> list[Lease]:
        """The leases of these entities, so that no pass begins meanwhile; none when one is held."""
        now, held = self.clock(), f"{self.owner}/prune"
        try:
            with self.store.begin() as connection:
                names = [f"entity:{name}" for name in entities]
                leases = [runs.take_lease(connection, name, held, now, seconds, is_dead) for name in names]
                for name in names:
                    parts.clear_parts(connection, name, now, is_dead)
                return leases
        except Unavailable as error:
            if "another pass" not in error.what:
                raise
            return []

    def _free(self, leases: list[Lease]) -> None:
        with self.store.begin() as connection:
            for lease in leases:
                runs.free_lease(connection, lease)


def _old_runs(connection: Connection, was: Horizon, to: int, cutoff: str, kept: list[str]) -> list[str]:
    """Runs that go: old ones, and all that began before what is told in full from now on."""
    gone = set(pruning.old_runs(connection, cutoff, kept, SHOWN_RUNS))
    return sorted(gone | set(pruning.runs_from_before(connection, to, kept)) if to > was.to else gone)


def _over(what: str, before: str, connection: Connection) -> int:
    return pruning.drop_over(connection, what, before, ROWS)


def _seen(entity: str, connection: Connection) -> int:
    return pruning.drop_seen(connection, entity, ROWS)


def history_rows(connection: Connection) -> int:
    """How many entries the journal has, without counting them: what was written less what was taken away."""
    return max(pruning.newest_id(connection) - pruning.horizon(connection).removed, 0)


def _possible(days: int, keep_runs: int) -> None:
    if days < SHORTEST:
        raise ConfigurationError(
            f"the last {SHORTEST} days of history can't be pruned: passes look back so far",
            where="retention",
            cure=f"keep {SHORTEST}d or more",
        )
    if keep_runs < 1:
        raise ConfigurationError("at least one run has to stay", where="retention", cure="keep_runs: 1 or more")
