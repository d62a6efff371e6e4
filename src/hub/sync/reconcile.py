"""Reconcile: what the hub holds against what every system shows, record by record and field by field.

Everything was read again before. A difference is *open* when the next pass would write it. It is the system's *own*
when the hub knows of it and leaves it: a value the system rewrites, one that was taken back there, a field that is
only read or only fills blanks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Create
from hub.store import records, shadows, work
from hub.store.records import Stored
from hub.store.shadows import LIVE, Shadow
from hub.sync.context import Pass
from hub.sync.decide import ABSENT
from hub.sync.places import differs
from hub.sync.plan import Target, differences
from hub.sync.planning import title
from hub.sync.policy import Endpoint
from hub.sync.refs import hub_table, translate

Row = dict[str, Any]
Values = dict[str, Any]
PAGE = 1000
SAMPLES = 5


@dataclass(slots=True)
class _Tally:
    """One system's books of one entity."""

    endpoint: Endpoint
    linked: int = 0
    archived: int = 0
    missing: int = 0
    """Should be there and are not."""
    kept_out: int = 0
    """Are not there on purpose: deleted there, or their create was taken back."""
    left_over: int = 0
    """Should be gone and are not."""
    fields: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, []]))
    """Field → [open differences, own ones, samples]."""
    amounts: dict[tuple[str, str], list[Decimal]] = field(default_factory=dict)
    """(field, currency) → [sum in the hub, sum in the system], over the records that both have."""


class Reconciler:
    """Compares one entity. ``mark``: what is open gets planned by the next round."""

    def __init__(self, job: Pass, entity: str, *, mark: bool) -> None:
        self.job = job
        self.entity = entity
        self.mark = mark
        self.spec = job.spec(entity)
        self.policy = job.setup.policies[entity]
        self.money = [name for name, spec in self.spec.fields.items() if spec.type == "money"]
        self.tallies = [_Tally(endpoint) for endpoint in job.setup.of_entity(entity)]
        self.hub = 0

    def compare(self) -> Row:
        """The comparison of this entity, a page of records at a time."""
        after = ""
        while True:
            with self.job.store.read() as connection:
                page = records.page(connection, self.entity, after, PAGE)
                unsettled = self._page(connection, page)
            if unsettled and self.mark:
                with self.job.transaction(self.entity) as connection:
                    records.mark(connection, self.entity, unsettled, 1)
            if len(page) < PAGE:
                return self._told()
            after = page[-1].hub_id

    def _page(self, connection: Connection, page: list[Stored]) -> list[str]:
        linked = shadows.all_of(connection, [record.hub_id for record in page])
        self.hub += sum(record.deleted_at is None for record in page)
        unsettled: dict[str, None] = {}
        for tally in self.tallies:
            system = tally.endpoint.system
            own = {hub_id: [s for s in found if s.system == system] for hub_id, found in linked.items()}
            live = {hub_id: s for hub_id, found in own.items() for s in found if s.gone in LIVE}
            shown = self._shown(connection, tally.endpoint, live)
            for record in page:
                if self._record(tally, record, live.get(record.hub_id), own.get(record.hub_id, []), shown):
                    unsettled[record.hub_id] = None
        return list(unsettled)

    def _shown(self, connection: Connection, endpoint: Endpoint, live: dict[str, Shadow]) -> dict[str, Values]:
        shown = {hub_id: endpoint.lens.get(shadow.data).values for hub_id, shadow in live.items()}
        paths = self.job.refs(endpoint)
        table = hub_table(connection, endpoint.system, shown.values(), paths)
        for values in shown.values():
            translate(values, paths, table, unknown="?")
        return shown

    def _record(
        self, tally: _Tally, record: Stored, live: Shadow | None, own: list[Shadow], shown: dict[str, Values]
    ) -> bool:
        """Count one record in one system; whether something is open."""
        if record.deleted_at is not None:
            left = live is not None and live.gone is None and self._should_go(tally.endpoint)
            tally.left_over += left
            return left
        if live is None:
            missing = self._should_be(tally.endpoint) and all(shadow.gone == "hub" for shadow in own)
            tally.missing += missing
            tally.kept_out += bool(own) and not missing
            return missing
        if live.gone == "archived":
            tally.archived += 1
            return False
        tally.linked += 1
        self._sum(tally, record, shown[record.hub_id])
        return self._fields(tally, record, live, shown[record.hub_id])

    def _should_be(self, endpoint: Endpoint) -> bool:
        may = self.policy.create.get(endpoint.system, True) and endpoint.resource.writable
        return endpoint.direction != "in" and may and isinstance(endpoint.connector, Create)

    def _should_go(self, endpoint: Endpoint) -> bool:
        if endpoint.direction == "in" or self.policy.deletes == "ignore":
            return False
        return self.policy.deletes == "propagate" or endpoint.resource.archive

    def _fields(self, tally: _Tally, record: Stored, live: Shadow, shown: Values) -> bool:
        endpoint = tally.endpoint
        target = _target(endpoint, shown, live)
        open_ = differences(record.values, target) if endpoint.direction != "in" else {}
        for name, lens_field in endpoint.lens.fields.items():
            if name not in record.values or (lens_field.direction == "out" and name not in open_):
                continue
            wanted, have = record.values[name], shown.get(name, ABSENT)
            if name not in open_ and not differs(name, lens_field, wanted, have):
                continue
            row = tally.fields[name]
            row[0 if name in open_ else 1] += 1
            if len(row[2]) < SAMPLES:
                seen = None if have is ABSENT else have
                row[2].append({"record": title(self.job, record), "hub": wanted, "system": seen, "open": name in open_})
        return bool(open_)

    def _sum(self, tally: _Tally, record: Stored, shown: Values) -> None:
        currency = str(record.values.get("currency") or "")
        for name in self.money:
            if name not in tally.endpoint.lens.fields or tally.endpoint.lens.fields[name].direction == "out":
                continue
            pair = tally.amounts.setdefault((name, currency), [Decimal(0), Decimal(0)])
            for place, values in enumerate((record.values, shown)):
                pair[place] += Decimal(values.get(name) or 0)

    def _told(self) -> Row:
        with self.job.store.read() as connection:
            waiting = {
                t.endpoint.system: len(work.waiting_ids(connection, t.endpoint.system, self.entity))
                for t in self.tallies
            }
        systems = []
        for tally in self.tallies:
            endpoint, system = tally.endpoint, tally.endpoint.system
            read = endpoint.direction != "out" and (system, self.entity) not in self.job.blocked
            systems.append(
                {
                    "system": system,
                    "direction": endpoint.direction,
                    "read": read,
                    "records": self.job.counts(endpoint).seen if read else None,
                    "linked": tally.linked,
                    "archived": tally.archived,
                    "waiting": waiting[system],
                    "missing": tally.missing,
                    "kept_out": tally.kept_out,
                    "left_over": tally.left_over,
                    "fields": [
                        {"field": name, "open": row[0], "own": row[1], "samples": row[2]}
                        for name, row in sorted(tally.fields.items(), key=lambda item: -item[1][0])
                    ],
                    "amounts": [
                        {"field": name, "currency": currency, "hub": str(pair[0]), "system": str(pair[1])}
                        for (name, currency), pair in sorted(tally.amounts.items())
                    ],
                }
            )
        return {"entity": self.entity, "hub": self.hub, "systems": systems}


def _target(endpoint: Endpoint, shown: Values, live: Shadow) -> Target:
    return Target(
        endpoint.system,
        endpoint.entity,
        endpoint.resource.name,
        endpoint.lens.fields,
        (),
        live.remote_id,
        None,
        shown,
        live.meant,
        False,
        "ignore",
        False,
        False,
        {},
    )
