"""The engine: one pass from observing to reading back, and what operators ask of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.connect.capabilities import Cost, Part
from hub.connect.quota import urgently
from hub.errors import ConfigurationError
from hub.store import intents, runs
from hub.store.database import Store, open_store
from hub.sync import conflicts, costing, explain, hinted, letters, merging, splitting, status, undo
from hub.sync.at_once import AtOnce
from hub.sync.context import instant
from hub.sync.feeds import in_order
from hub.sync.holder import identity
from hub.sync.ids import new_id
from hub.sync.matching import refresh_index
from hub.sync.observe import hold_unread, observe
from hub.sync.planning import plan_anew
from hub.sync.policy import Retention, Setup
from hub.sync.prune import Pruned, Pruner
from hub.sync.reconcile import Reconciler
from hub.sync.recover import recover
from hub.sync.report import Observer, PassReport, Plan, silent
from hub.sync.rounds import Rounds, list_plan, write_key
from hub.sync.run import Run
from hub.sync.together import Together

MAX_ROUNDS = 6
SMALL_PASS_SECONDS = 60.0


class Engine:
    """Works on one project's store and systems. Use as a context manager, or ``close`` it."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        *,
        observer: Observer = silent,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ids: Callable[[], str] = new_id,
        owner: str | None = None,
        folder: Path | None = None,
        pool: Callable[[int], Executor] = ThreadPoolExecutor,
        patience: float = 0.0,
        hold: bool = True,
    ) -> None:
        self.setup = setup
        self.store = store
        self.observer = observer
        self.clock = clock
        self.ids = ids
        self.owner = owner or identity()
        self.folder = folder
        """Where passes are counted beside the store, so that one put back from a backup is noticed; None: nowhere."""
        self.pool = pool
        self.patience = patience
        """Seconds that a pass waits for small ones (``hinted``) to make way."""
        self.hold = hold
        """Whether a thread holds the leases beside the work; without, steps of the work alone do."""

    @classmethod
    def from_project(cls, project: Any, *, observer: Observer = silent) -> Engine:
        """The engine of an opened project (``hub.project.open_project``)."""
        folder = Path(project.folder) / ".hub"
        return cls(
            project.setup, open_store(project.store_url), observer=observer, folder=folder, patience=SMALL_PASS_SECONDS
        )

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()

    # passes ---------------------------------------------------------------------------------------------------------

    def sync(
        self,
        entities: Sequence[str] | None = None,
        systems: Sequence[str] | None = None,
        *,
        full: bool = False,
        yes: bool = False,
        partition: Part | None = None,
    ) -> PassReport:
        """One pass: observe, then plan and apply until nothing is left to write.

        ``systems``: observe only these (writes go wherever they belong). ``full``: read everything, not only changes.
        ``yes``: approve the first sync and go beyond the change budget. ``partition``: one of the passes that work on
        these entities together (see ``sync.joint``). Raises ConfigurationError for unknown names and Unavailable when
        another pass works on the same entity; what happens to single systems and records is in the report.
        """
        if partition is not None and systems:
            raise ConfigurationError(
                "a partition is read from all systems", where="--partition", cure="leave out --system"
            )
        with Run(self, "sync", entities, yes, partition=partition) as run:
            rounds = Rounds(run.job, run.entities)
            run.spending.begin(full=full, systems=systems)
            self._observe(run, systems, full, rounds)
            if rounds.wrote_new:
                self._recover(run)
            run.spending.go_on()
            self._write(run, rounds)
            self._keep_held_plan(run, rounds)
            hinted.renew_budget(run.job, run.entities)
        return run.job.report

    def hinted(self, entity: str) -> PassReport:
        """A small pass over the records of one entity that hints speak of (see ``sync.hinted``), as many as one takes.

        Raises Unavailable when another pass works on the entity: the hints wait.
        """
        with Run(self, "hints", [entity], False) as run:
            self._recover(run)
            look = hinted.Look(run.job, entity)
            if look.observe():
                self._write(run, hinted.SmallRounds(run.job, look))
                look.settle()
            else:
                look.defer()
        return run.job.report

    def plan(self, entities: Sequence[str] | None = None, systems: Sequence[str] | None = None) -> PassReport:
        """What a sync would write. Observes (which changes only the hub's own memory) and writes nothing anywhere."""
        with Run(self, "plan", entities, False) as run:
            self._observe(run, systems, False)
            plan = list_plan(run.job, run.entities, run.spending.write)
            run.spending.read()
            run.job.report.plan = plan
            self._save_plan(run, plan)
        return run.job.report

    def apply(self, plan_id: str) -> PassReport:
        """Exactly that plan: what its writes bring up (a number that a system gives, an edit that its lists had hidden)
        is left to the next pass. Raises ConfigurationError, naming a record, when anything it rests on has moved since.
        """
        with self.store.read() as connection:
            kept = runs.plan(connection, plan_id)
        if kept is None:
            raise ConfigurationError(
                f"there is no plan {plan_id}", where="plan", cure="hub plan makes one; hub status lists them"
            )
        if kept["status"] != "open":
            raise ConfigurationError(
                f"the plan {plan_id} is {kept['status']}", where="plan", cure="make a new one with hub plan"
            )
        with urgently(self.setup.quota), Run(self, "apply", kept["scope"]["entities"], False) as run:
            self._observe(run, None, False)
            now = list_plan(run.job, run.entities)
            if now.state != kept["state"]:
                moved = _moved(kept["body"]["writes"], [_write_key(w) for w in now.writes])
                with self.store.begin() as connection:
                    runs.set_plan(connection, plan_id, "stale")
                raise ConfigurationError(
                    f"{moved} changed since the plan was made; nothing was written",
                    where=f"plan {plan_id}",
                    cure="make a new plan with hub plan and read it",
                )
            run.job.yes = True  # to these writes, not to what was observed
            approved = frozenset(write_key(w.system, w.entity, w.hub_id, w.fields) for w in now.writes)
            self._write(run, Rounds(run.job, run.entities, approved))
            with self.store.begin() as connection:
                runs.set_plan(connection, plan_id, "applied")
        return run.job.report

    def undo(
        self, run: str, entities: Sequence[str] | None = None, field: str | None = None, *, carry_out: bool = True
    ) -> PassReport:
        """Take back what a run wrote (``last``: the newest that wrote anything), where nobody touched it since.

        ``entities``, ``field``: only these. ``carry_out=False``: plan it, and write nothing anywhere. The report's
        plan has the writes, and as held what is not taken back, with the reason. Raises ConfigurationError when there
        is no such run, or when it wrote nothing of what is asked for.
        """
        run_id, chosen = undo.scope(self.store, self.setup, run, entities, field)
        with urgently(self.setup.quota), Run(self, "undo", chosen or None, True) as under_way:
            undo.scope(self.store, self.setup, run_id, entities, field)  # pruned meanwhile? From now on it is not
            self._observe(under_way, None, False)
            if not chosen:
                held = splitting.split(under_way.job, run_id, carry_out=carry_out)
                under_way.job.report.plan = Plan(under_way.job.new_id(), "", under_way.job.now(), held=held)
                return under_way.job.report
            undoing = undo.Undo(under_way.job, run_id, under_way.entities, field, carry_out=carry_out)
            under_way.job.report.plan = undoing.work()
        return under_way.job.report

    def reconcile(self, entities: Sequence[str] | None = None, *, repair: bool = False) -> PassReport:
        """Read everything again and compare it with what the hub holds: counts, amounts, fields (``comparison``).

        ``repair``: then write what differs, as a pass does, within its budgets; the comparison is made once more.
        """
        with Run(self, "reconcile", entities, False) as run:
            self._observe(run, None, True)
            report = run.job.report
            report.comparison = [Reconciler(run.job, name, mark=repair).compare() for name in run.entities]
            if repair and report.differences:
                rounds = Rounds(run.job, run.entities)
                self._write(run, rounds)
                self._keep_held_plan(run, rounds)
                report.comparison = [Reconciler(run.job, name, mark=False).compare() for name in run.entities]
        return run.job.report

    def _write(self, run: Run, rounds: Rounds) -> None:
        """Rounds until nothing is left to write; a number given by one system may have to go to another."""
        for _ in range(MAX_ROUNDS):
            run.job.report.rounds += 1
            if not rounds.run():
                break
            self._recover(run)
        else:
            rounds.stop()
        rounds.close()
        run.job.report.plan = rounds.plan

    def _observe(self, run: Run, systems: Sequence[str] | None, full: bool, rounds: Rounds | None = None) -> None:
        """Read the systems; with ``rounds``, what the last one shows that is new is written while it is being read."""
        if run.job.part is None:
            self._recover(run)
        known = {endpoint.system for endpoint in self.setup.endpoints}
        for name in systems or ():
            if name not in known:
                raise ConfigurationError(f"there is no system {name}", cure=f"one of: {', '.join(sorted(known))}")
        for entity in run.entities:
            refresh_index(run.job, entity)
            plan_anew(run.job, entity)
            endpoints = self.setup.of_entity(entity)
            asked = [e for e in endpoints if systems is None or e.system in systems]
            for endpoint in endpoints:
                if endpoint not in asked:
                    hold_unread(run.job, endpoint)
            if self.setup.policies[entity].partitions > 1:
                Together(run.job, entity, full=full, rounds=rounds).read(asked)
                continue
            asked = in_order(run.job, asked)
            for endpoint in asked:
                at_once = AtOnce(rounds, endpoint) if rounds and endpoint is asked[-1] else None
                observe(run.job, endpoint, full=full, at_once=at_once)
                hold_unread(run.job, endpoint)
        if run.job.part is not None:  # what was in doubt elsewhere was found before its system was read
            self._recover(run)

    def _recover(self, run: Run) -> None:
        with self.store.read() as connection:
            unsettled = intents.unsettled(connection)
        for entity in run.entities if unsettled else ():
            for endpoint in self.setup.of_entity(entity):
                if (endpoint.system, entity) in unsettled and endpoint.system not in run.job.down:
                    recover(run.job, endpoint)

    def _keep_held_plan(self, run: Run, rounds: Rounds) -> None:
        """Writes that wait for approval are kept as a plan, so that approving them is one command."""
        if rounds.held_for_approval and run.job.part is not None:
            run.job.report.state = "needs_person"  # a plan would be of this part only: hub plan makes one of all
        elif rounds.held_for_approval:
            plan = list_plan(run.job, run.entities)
            plan.held[:0] = [held for held in rounds.plan.held if held.reason in {"first_sync", "budget"}]
            run.job.report.plan = plan
            self._save_plan(run, plan)
            run.job.report.state = "needs_person"

    def _save_plan(self, run: Run, plan: Plan) -> None:
        body = {"writes": [_write_key(w) for w in plan.writes], "plan": plan}
        with self.store.begin() as connection:
            runs.save_plan(connection, plan.id, plan.at, run.job.run, plan.state, {"entities": run.entities}, body)

    def prune(
        self,
        retention: Retention | None = None,
        *,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda gone: None,
    ) -> Pruned:
        """Take away what is older than the history that is kept (None: the project's ``retention``), or only count it.

        Passes may run meanwhile. ``progress`` is told how many entries have gone. Raises what ``Pruner.work`` does.
        """
        keep = retention or self.setup.retention
        return Pruner(self.store, self.setup, self.clock, self.owner, keep, progress=progress).work(dry_run=dry_run)

    # what operators ask -------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Systems, cursors, queues and the last runs."""
        return status.status(self.store, self.setup, instant(self.clock()))

    def costs(self) -> dict[str, tuple[Cost, Cost]]:
        """System → what reading it takes: in a pass in which nothing has changed, and in one that reads everything.
        Asks no system; those whose costs nobody can foretell are missing."""
        return costing.usual(self.setup, self.store, self.clock)

    def conflicts(self) -> list[dict[str, Any]]:
        """What waits for a person, oldest first."""
        return conflicts.listed(self.store, self.setup)

    def resolve(
        self,
        conflict_id: int,
        *,
        take: str | None = None,
        value: Any = None,
        link: str | None = None,
        new: bool = False,
    ) -> dict[str, Any]:
        """Decide a conflict: ``take`` theirs, ours or value (``value``); for a doubtful match ``link`` or ``new``."""
        with Run(self, "sync", None, False, quiet=True) as run:
            return conflicts.resolve(run.job, conflict_id, take=take, value=value, link=link, new=new)

    def letters(self) -> list[dict[str, Any]]:
        """Dead letters that are open, oldest first."""
        return letters.listed(self.store)

    def replay(self, letter_ids: Sequence[int] | None = None) -> int:
        """Try these letters (None: all) again in the next pass; returns how many."""
        return letters.set_status(self.store, letter_ids, "replay", instant(self.clock()))

    def discard(self, letter_ids: Sequence[int]) -> int:
        """Give these letters up, until the record changes; returns how many."""
        return letters.set_status(self.store, letter_ids, "discarded", instant(self.clock()))

    def merge(self, entity: str, keep: str, other: str) -> dict[str, Any]:
        """Two records that are one: ``other`` is merged into ``keep`` (hub ids, remote ids, numbers or names).

        Writes to no system: the next pass does. ``undo`` of its run takes it back. Raises ConfigurationError when they
        are not two living records, or something of them is open.
        """
        with Run(self, "merge", None, True) as run:
            return merging.merge(run.job, entity, keep, other)

    def explain(self, entity: str, key: str, field: str | None = None, at: str | None = None) -> dict[str, Any]:
        """Why each value of a record is what it is, or (``at``, ISO 8601, UTC) was what it was then. ``key``: a hub id,
        a remote id, a number or a name."""
        return explain.explain(self.store, self.setup, entity, key, field, at)


def _write_key(write: Any) -> list[str]:
    """What identifies a write of a plan, and a digest of what it does."""
    return [*write_key(write.system, write.entity, write.hub_id, write.fields), write.title]


def _moved(before: list[list[str]], now: list[list[str]]) -> str:
    """The first record that differs between two plans."""
    known, present = {tuple(w[:4]) for w in before}, {tuple(w[:4]) for w in now}
    for write in (*[w for w in before if tuple(w[:4]) not in present], *[w for w in now if tuple(w[:4]) not in known]):
        return f"{write[1]} {write[4]} ({write[0]})"
    return "something the plan rests on"
