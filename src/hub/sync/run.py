"""A pass from its first to its last entry in the store."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hub.connect.capabilities import Part
from hub.connect.redact import redact
from hub.errors import ConfigurationError, HubError
from hub.store import intents, runs, work
from hub.sync import behind
from hub.sync.context import Pass, instant
from hub.sync.costing import Spending
from hub.sync.holder import leave as left_behind
from hub.sync.holding import Holding
from hub.sync.joint import check_part, leave, own_ids, owns
from hub.sync.leasing import patiently, take_leases
from hub.sync.policy import Setup
from hub.sync.report import PassReport
from hub.sync.summary import finish_message

if TYPE_CHECKING:
    from hub.sync.engine import Engine


class Run:
    """A pass under way: leases taken and given back, the run noted. A context manager."""

    def __init__(
        self,
        engine: Engine,
        kind: Any,
        entities: Sequence[str] | None,
        yes: bool,
        *,
        quiet: bool = False,
        partition: Part | None = None,
    ) -> None:
        self.engine = engine
        self.entities = _known(engine.setup, entities)
        if partition is not None:
            check_part(engine.setup, self.entities, partition)
        self.quiet = quiet
        run_id = engine.ids()
        report = PassReport(run_id, kind, instant(engine.clock()))
        self.job = Pass(
            run_id,
            engine.setup,
            engine.store,
            engine.clock,
            engine.ids if partition is None else own_ids(engine.ids, partition),
            engine.observer,
            report,
            yes,
            pool=engine.pool,
            part=partition,
        )

        self.spending = Spending(self.job, self.entities)

    def __enter__(self) -> Run:
        job = self.job
        patiently(self._begin, job, self.entities, self.engine.patience)
        # A pass makes many short-lived objects and no cycles: looking for garbage less often saves a tenth of its time.
        self.gc_threshold = gc.get_threshold()
        gc.set_threshold(200_000, 20, 100)
        behind.note(job, self.engine.folder)
        if not self.quiet:
            job.emit(
                "pass.started",
                entities=list(self.entities),
                systems=sorted({e.system for e in job.setup.endpoints}),
                mode=job.report.kind,
            )
        self.holding = Holding(job) if self.engine.hold else None
        return self

    def _begin(self) -> None:
        job = self.job
        with job.store.begin() as connection:
            take_leases(job, connection, self.engine.owner, self.entities)
            for entity in self.entities:
                joint = job.joint.get(entity)
                shared = joint is not None and joint.id != job.run  # others' may be under way
                intents.spell_out(connection, entity, mine=partial(owns, job.part if shared else None))
            behind.begin(job, connection, self.engine.folder)
            if not self.quiet:
                runs.start_run(connection, job.run, job.report.kind, job.report.started)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        job, report = self.job, self.job.report
        job.dismiss()
        if self.holding is not None:
            self.holding.end()
        gc.set_threshold(*self.gc_threshold)
        try:
            if not self.quiet and report.kind != "hints":  # small passes come often, and nobody reads their costs
                self.spending.end()
            with job.store.begin() as connection:
                for entity in job.joint if error is None and job.part is not None else ():
                    leave(job, connection, entity)
                for lease in job.leases.values():
                    runs.free_lease(connection, lease)
                if self.quiet:
                    return
                report.open_conflicts, report.open_letters = work.count_open(connection)
                report.finished = job.now()
                if error is not None:
                    report.state = "failed"
                    report.message = redact(str(error)) if isinstance(error, HubError) else type(error).__name__
                else:
                    finish_message(report)
                runs.finish_run(connection, job.run, report.finished, report.state, report.message, report.as_dict())
                if report.kind == "hints" and not report.happened:  # most often an echo of the hub's own writes
                    runs.drop_run(connection, job.run)
        except HubError:
            for lease in job.leases.values():
                left_behind(lease.owner)
            if error is None:
                raise
        job.emit("pass.finished", state=report.state, message=report.message)


def _known(setup: Setup, entities: Sequence[str] | None) -> list[str]:
    if not entities:
        return list(setup.policies)
    for name in entities:
        if name not in setup.policies:
            raise ConfigurationError(
                f"there is no entity {name} in hub.yaml", cure=f"one of: {', '.join(setup.policies)}"
            )
    return [name for name in setup.policies if name in entities]
