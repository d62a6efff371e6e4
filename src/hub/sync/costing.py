"""Cost before you pay: what a pass will take of each account, foretold by the connectors, and what it then made.

Only accounts whose calls are counted have costs (``Setup.quota``), and only connectors that can foretell theirs
(``hub.connect.capabilities.Costs``). Foretelling asks no system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Cost, Costs, Writing
from hub.connect.capabilities import Reading as Wanted
from hub.store import shadows
from hub.store.database import Store
from hub.sync.context import Pass
from hub.sync.observe import sweep_is_due
from hub.sync.plan import Step
from hub.sync.planning import Planned, Planner
from hub.sync.policy import Endpoint, Setup
from hub.sync.report import Finding, PassReport, SystemCost, silent

ACTIONS = ("create", "update", "archive", "delete")


class Spending:
    """The costs of one pass, for its report."""

    def __init__(self, job: Pass, entities: Sequence[str]) -> None:
        self.job = job
        self.entities = entities
        quota = job.setup.quota
        endpoints = [e for entity in entities for e in job.setup.of_entity(entity)]
        self._before = {e.system: quota.made(e.system) or (0, 0) for e in endpoints} if quota is not None else {}
        self._reading: dict[str, Cost] = {}
        self._writing: dict[str, Cost] = {}
        self._written: set[tuple[str, str]] = set()

    @property
    def counted(self) -> bool:
        """Whether anybody counts."""
        return self.job.setup.quota is not None

    def begin(self, *, full: bool = False, systems: Sequence[str] | None = None) -> None:
        """A pass that writes begins: what reading will take, and a word beforehand where the day has not that much."""
        if not self.counted:
            return
        self.read(full=full, systems=systems)
        if self._limited():
            self._warn("reading")

    def go_on(self) -> None:
        """Everything was read, and what that took is known: what the writes will take, where that is limited."""
        quota = self.job.setup.quota
        if quota is None or not self._limited():
            return
        for system, (calls, units) in self._before.items():
            if (now := quota.made(system)) is not None:
                self._reading[system] = Cost(now[0] - calls, now[1] - units)
        for entity in self.entities:
            for page in Planner(self.job, entity, only_plan=True).pages():
                self.write(entity, page)
        self._warn("writing")

    def read(self, *, full: bool = False, systems: Sequence[str] | None = None) -> None:
        """What reading takes: changes since the cursors, if nothing changed; or everything that is known."""
        if not self.counted:
            return
        self._reading = {}
        with self.job.store.read() as connection:
            for entity in self.entities:
                for endpoint in self.job.setup.of_entity(entity):
                    if systems is None or endpoint.system in systems:
                        self._add(self._reading, endpoint, reading_cost(self.job, connection, endpoint, full=full))

    def write(self, entity: str, page: list[Planned]) -> None:
        """What one page of a plan takes, in the batches in which it will be sent."""
        if not self.counted:
            return
        endpoints = {e.system: e for e in self.job.setup.of_entity(entity)}
        todo: dict[tuple[str, str], list[tuple[Planned, Step]]] = {}
        for planned in page:
            for step in planned.verdict.steps:
                todo.setdefault((step.system, step.action), []).append((planned, step))
        for (system, action), items in todo.items():
            endpoint = endpoints[system]
            size = max(1, endpoint.resource.batch)
            for start in range(0, len(items), size):
                self._add(self._writing, endpoint, self._batch_cost(endpoint, action, items[start : start + size]))

    def end(self) -> None:
        """Put into the report what was foretold, what was made, and what is left."""
        quota, report = self.job.setup.quota, self.job.report
        if quota is None:
            return
        report.costs = []
        for system, (calls, units) in self._before.items():
            now = quota.made(system)
            foretold = system in self._reading or system in self._writing
            standing = quota.standing(system) if foretold or now is not None else None
            if standing is None:
                continue
            reading, writing = self._reading.get(system, Cost()), self._writing.get(system, Cost())
            made = (now[0] - calls, now[1] - units) if now is not None else (0, 0)
            report.costs.append(
                SystemCost(
                    system,
                    standing.unit,
                    [reading.calls, reading.units],
                    [writing.calls, writing.units],
                    list(made),
                    standing.used,
                    standing.per_day,
                    standing.left,
                    standing.kept,
                    standing.by_vendor,
                    standing.more_in,
                )
            )

    def _batch_cost(self, endpoint: Endpoint, action: str, items: Sequence[tuple[Planned, Step]]) -> Cost | None:
        key = (endpoint.system, endpoint.resource.name)
        first = key not in self._written
        self._written.add(key)
        return writing_cost(endpoint, action, items, first=first)

    def _add(self, sums: dict[str, Cost], endpoint: Endpoint, cost: Cost | None) -> None:
        if cost is not None:
            sums[endpoint.system] = sums.get(endpoint.system, Cost()) + cost

    def _limited(self) -> bool:
        quota = self.job.setup.quota
        return quota is not None and any(quota.limited(system) for system in self._before)

    def _warn(self, what: str) -> None:
        """Say, before it begins, what will not fit into the day."""
        self.end()
        report = self.job.report
        for cost in report.costs:
            needed = cost.writing[1] if what == "writing" else cost.reading[1]
            if cost.left is None or needed <= max(0, cost.left - cost.kept):
                continue
            message = short(cost, what, needed)
            report.findings = [f for f in report.findings if (f.kind, f.system) != ("quota", cost.system)]
            report.findings.append(Finding("quota", "", "", message, cost.system))
            self.job.emit("quota.short", system=cost.system, message=message)


def short(cost: SystemCost, what: str, needed: int) -> str:
    """In words, that a pass takes more than is left."""
    kept = f", {cost.kept:,} of them kept for urgent work" if cost.kept else ""
    return (
        f"{cost.system}: {what} takes about {needed:,} {cost.unit}, and {cost.left or 0:,} are left today{kept}: "
        "this pass does what fits, later passes go on with the rest"
    )


def reading_cost(job: Pass, connection: Connection, endpoint: Endpoint, *, full: bool = False) -> Cost | None:
    """What observing an endpoint takes; None when nobody can say."""
    connector, lens = endpoint.connector, endpoint.lens
    if endpoint.direction == "out" or not isinstance(connector, Costs):
        return None
    known = shadows.count(connection, endpoint.system, endpoint.entity)
    parts = endpoint.parts(job.setup.policies[endpoint.entity].partitions) or [endpoint]
    cost, listed = Cost(), False
    for part in parts:
        cursor = job.cursor(part)
        relearn = cursor.get("lens") is not None and cursor["lens"] != lens.version
        start = None if full or relearn else cursor.get("value")
        seen = known // len(parts) if start is None else 0
        cost += connector.read_cost(endpoint.resource.name, Wanted(start, seen, lens.remote_fields, lens.read_options))
        listed = listed or start is None
    if not listed and sweep_is_due(job, endpoint, job.cursor(endpoint), full):
        cost += connector.ids_cost(endpoint.resource.name, known, lens.read_options)
    return cost


def writing_cost(
    endpoint: Endpoint, action: str, items: Sequence[tuple[Planned, Step]], *, first: bool = False
) -> Cost | None:
    """What one batch of writes takes (``first`` of its resource in a pass); None when nobody can say."""
    connector, lens = endpoint.connector, endpoint.lens
    if not isinstance(connector, Costs):
        return None
    lines = [_lines(planned.record.values, step.write) for planned, step in items]
    writing = Writing(
        action=action,  # type: ignore[arg-type]
        records=len(items),
        fields=lens.remote_fields,
        options=lens.write_options,
        with_lines=sum(count is not None for count in lines) if action in ("create", "update") else 0,
        lines=sum(count or 0 for count in lines),
        shapes=len({frozenset(step.write) for _, step in items}),
        first=first,
    )
    return connector.write_cost(endpoint.resource.name, writing)


def usual(setup: Setup, store: Store, clock: Callable[[], datetime]) -> dict[str, tuple[Cost, Cost]]:
    """System → what observing it takes: a pass in which nothing has changed, and one that reads everything."""
    job = Pass("", setup, store, clock, str, silent, PassReport("", "plan", ""))
    found: dict[str, tuple[Cost, Cost]] = {}
    with store.read() as connection:
        for endpoint in setup.endpoints:
            quiet, whole = (reading_cost(job, connection, endpoint, full=full) for full in (False, True))
            if quiet is not None and whole is not None:
                before = found.get(endpoint.system, (Cost(), Cost()))
                found[endpoint.system] = (before[0] + quiet, before[1] + whole)
    return found


def _lines(values: dict[str, Any], written: Iterable[str]) -> int | None:
    """How many lines are written of a record; None when none of its lists is."""
    lists = [found for name in written if isinstance(found := values.get(name), list)]
    return sum(map(len, lists)) if lists else None
