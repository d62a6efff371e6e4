"""In-memory systems for tests of the engine: they speak the capability interfaces and can misbehave on request."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connect.capabilities import Health, Page, Part, Remote, Resource, Result, Write
from hub.errors import AlreadyExists, Gone, HubError, RecordRejected, VersionConflict
from hub.mapping import load
from hub.model import entities
from hub.store.database import open_store
from hub.sync.engine import Engine
from hub.sync.policy import Endpoint, EntityPolicy, Setup


class Clock:
    """Time that moves only when told, or by a second a look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 15, 1, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now

    def text(self) -> str:
        return self().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class FakeSystem:
    """One product with any number of collections."""

    def __init__(
        self, name: str, clock: Clock, *, tombstones: bool = True, probe: str = "external", batch: int = 100
    ) -> None:
        self.name = name
        self.clock = clock
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.log: dict[str, list[tuple[int, str]]] = {}
        self.keys: dict[str, dict[str, str]] = {}
        self.numbers = itertools.count(1)
        self.seq = itertools.count(1)
        self.tombstones = tombstones
        self.probe_kind = probe
        self.batch = batch
        self.calls: list[str] = []
        self.in_parts = True
        """Whether it can be listed in parts; asked only where an entity is divided."""
        self.parts_read: list[str] = []
        self.writes = 0
        self.unique: dict[str, str] = {}
        self.reject: Callable[[dict[str, Any]], str | None] = lambda record: None
        self.rewrite: Callable[[dict[str, Any]], None] = lambda record: None
        self.before: Callable[[str], None] = lambda verb: None
        """Called before each call; may raise."""
        self.after: Callable[[str], None] = lambda verb: None
        """Called after a write took effect, before its answer; may raise."""

    # as a user of the product would -----------------------------------------------------------------------------

    def add(self, resource: str, **values: Any) -> str:
        remote_id = f"{self.name}{next(self.numbers)}"
        self._put(resource, remote_id, values, by="user")
        return remote_id

    def edit(self, resource: str, remote_id: str, **values: Any) -> None:
        self._put(resource, remote_id, values, by="user")

    def remove(self, resource: str, remote_id: str) -> None:
        del self.rows[resource][remote_id]
        self.log.setdefault(resource, []).append((next(self.seq), remote_id))

    def records(self, resource: str) -> list[dict[str, Any]]:
        return [{k: v for k, v in r.items() if not k.startswith("_")} for r in self.rows.get(resource, {}).values()]

    def row(self, resource: str, remote_id: str) -> dict[str, Any]:
        return self.rows[resource][remote_id]

    def _put(self, resource: str, remote_id: str, values: dict[str, Any], *, by: str) -> None:
        rows = self.rows.setdefault(resource, {})
        row = rows.setdefault(remote_id, {})
        row.update(copy.deepcopy(values))
        for line_no, line in enumerate(row.get("lines") or [], 1):
            line.setdefault("id", f"L{remote_id}-{line_no}-{next(self.seq)}")
        self.rewrite(row)
        row["_version"] = str(next(self.seq))
        row["_at"] = self.clock.text()
        row["_by"] = by
        self.log.setdefault(resource, []).append((int(row["_version"]), remote_id))

    # the connector -----------------------------------------------------------------------------------------------

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        self.before(verb)

    def check(self) -> Health:
        return Health(self.name)

    def describe(self, resource: str | None = None) -> list[Resource]:
        return []

    def close(self) -> None:
        pass

    def _remote(self, resource: str, remote_id: str) -> Remote:
        row = self.rows.get(resource, {}).get(remote_id)
        if row is None:
            return Remote(remote_id, None, deleted=True)
        record = {k: copy.deepcopy(v) for k, v in row.items() if not k.startswith("_")}
        return Remote(
            remote_id,
            record,
            row["_version"],
            row["_at"],
            row["_by"],
            ref=record.get("number_ref"),
            key=row.get("_key"),
        )

    def has_parts(self, resource: str, options: dict[str, Any]) -> bool:
        return self.in_parts

    def list_part(
        self, resource: str, part: Part, cursor: str | None, fields: Sequence[str], options: dict[str, Any]
    ) -> Iterator[Page]:
        """By the number in a record's id."""
        self.parts_read.append(str(part))
        for page in self.list_changes(resource, cursor, fields, options):
            mine = [r for r in page.records if int(r.id.removeprefix(self.name)) % part.of == part.number - 1]
            yield Page(mine, page.cursor, page.complete)

    def list_changes(
        self, resource: str, cursor: str | None, fields: Sequence[str], options: dict[str, Any]
    ) -> Iterator[Page]:
        self._call("list")
        if cursor is None:
            ids = list(self.rows.get(resource, {}))
            last = max((s for s, _ in self.log.get(resource, [])), default=0)
        else:
            changed = [(s, i) for s, i in self.log.get(resource, []) if s > int(cursor)]
            ids = list(dict.fromkeys(i for _, i in changed))
            last = max((s for s, _ in changed), default=int(cursor))
            if not self.tombstones:
                ids = [i for i in ids if i in self.rows.get(resource, {})]
        pages = [ids[n : n + 50] for n in range(0, len(ids), 50)] or [[]]
        for number, page in enumerate(pages):
            final = number == len(pages) - 1
            if number:
                self._call("list")
            yield Page(
                [self._remote(resource, i) for i in page], str(last) if final else None, final and cursor is None
            )

    def list_ids(self, resource: str, options: dict[str, Any]) -> Iterator[list[str]]:
        self._call("list_ids")
        yield list(self.rows.get(resource, {}))

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: dict[str, Any]) -> list[Remote]:
        self._call("get")
        return [self._remote(resource, i) for i in ids]

    def create(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Result]:
        self._call("create")
        results = [self._guard(lambda w=w: self._create(resource, w)) for w in writes]
        self.after("create")
        return results

    def _create(self, resource: str, write: Write) -> Remote:
        self._check(resource, write.values, None)
        if self.probe_kind == "external" and write.key in self.keys.setdefault(resource, {}):
            remote_id = self.keys[resource][write.key]
        else:
            remote_id = f"{self.name}{next(self.numbers)}"
        self._put(resource, remote_id, {**write.values, "_key": write.key}, by="hub")
        self.keys.setdefault(resource, {})[write.key] = remote_id
        self.writes += 1
        return self._remote(resource, remote_id)

    def update(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Result]:
        self._call("update")
        results = [self._guard(lambda w=w: self._update(resource, w)) for w in writes]
        self.after("update")
        return results

    def _update(self, resource: str, write: Write) -> Remote:
        assert write.id is not None
        row = self.rows.get(resource, {}).get(write.id)
        if row is None:
            raise Gone("no such record")
        if write.version is not None and row["_version"] != write.version:
            raise VersionConflict("the record moved on")
        self._check(resource, write.values, write.id)
        self._put(resource, write.id, write.values, by="hub")
        self.writes += 1
        return self._remote(resource, write.id)

    def delete(self, resource: str, writes: Sequence[Write], options: dict[str, Any]) -> list[Result]:
        self._call("delete")
        results = []
        for write in writes:
            assert write.id is not None
            if write.id in self.rows.get(resource, {}):
                if write.mode == "archive":
                    self._put(resource, write.id, {"archived": True}, by="hub")
                else:
                    self.remove(resource, write.id)
                self.writes += 1
            results.append(Result(Remote(write.id, None, deleted=True)))
        self.after("delete")
        return results

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Remote | None]:
        self._call("probe")
        found = [self.keys.get(resource, {}).get(w.key) for w in writes]
        return [self._remote(resource, i) if i in self.rows.get(resource, {}) else None for i in found]

    def _guard(self, call: Callable[[], Remote]) -> Result:
        try:
            return Result(call())
        except HubError as error:
            return Result(error=error)

    def _check(self, resource: str, values: dict[str, Any], own: str | None) -> None:
        reason = self.reject(values)
        if reason:
            raise RecordRejected(reason, field=next(iter(values), None), code="REFUSED")
        name = self.unique.get(resource)
        if name and values.get(name) is not None:
            for other, row in self.rows.get(resource, {}).items():
                if other != own and row.get(name) == values[name]:
                    raise AlreadyExists("duplicate", remote_id=other, field=name)

    def describe_resource(self, name: str) -> Resource:
        return Resource(
            name,
            id_field="id",
            line_ids={"lines": "id"},
            batch=self.batch,
            parallel=2,
            probe=self.probe_kind,
            deletes="tombstones" if self.tombstones else "listing",
            archive=True,
        )


CUSTOMERS = """
version: 1
resource: customers
entity: customer
match: [[tax_id], [name]]
fields:
  name: name
  number: code
  tax_id: tax
  phone: {field: tel, via: {phone: {region: CN}}}
  credit_limit: {field: credit, via: money}
  description: {field: note, strength: weak}
"""

PRODUCTS = """
version: 1
resource: products
entity: product
match: [[number]]
fields:
  number: code
  name: name
"""

ORDERS = """
version: 1
resource: orders
entity: order
match: [[number]]
fields:
  number: no
  title: title
  customer: {field: customer, ref: customer}
  order_date: {field: date, via: date}
  lines:
    field: lines
    key: line_no
    fields:
      line_no: seq
      product: {field: product, ref: product}
      quantity: qty
      unit_price: price
"""


class World:
    """Systems, a store and an engine on simulated time."""

    def __init__(
        self,
        path: Any,
        *,
        systems: Sequence[str] = ("crm", "erp"),
        mappings: dict[str, str] | None = None,
        directions: dict[str, str] | None = None,
        store_url: str | None = None,
        **policy: Any,
    ) -> None:
        self.clock = Clock()
        self.systems = {name: FakeSystem(name, self.clock) for name in systems}
        self.url = store_url or f"sqlite:///{path}/hub.db"
        self.mappings = mappings or {"customer": CUSTOMERS, "product": PRODUCTS, "order": ORDERS}
        self.directions = directions or dict.fromkeys(systems, "both")
        self.policy = policy
        self.counter = itertools.count(1)
        self.overrides: dict[tuple[str, str], str] = {}
        """(system, entity) → a mapping text of its own."""
        self.down: dict[str, HubError] = {}

    def engine(self) -> Engine:
        specs = entities()
        endpoints = []
        for entity, text in self.mappings.items():
            for name, system in self.systems.items():
                text = self.overrides.get((name, entity), text)
                resource = system.describe_resource(text.partition("resource: ")[2].split()[0])
                lens, problems = load(text, specs=specs, resource=resource, file=f"{name}/{entity}.yaml")
                assert lens is not None, [str(p) for p in problems]
                endpoints.append(Endpoint(name, entity, self.directions[name], lens, resource, system))  # type: ignore[arg-type]
        policies = {e: EntityPolicy(e, dict(self.directions), **self.policy) for e in self.mappings}  # type: ignore[arg-type]
        setup = Setup(specs, policies, endpoints)
        ids = lambda: f"h{next(self.counter):08d}"  # noqa: E731
        return Engine(setup, open_store(self.url), clock=self.clock, ids=ids, owner="test")

    def sync(self, **options: Any) -> Any:
        with self.engine() as engine:
            return engine.sync(**{"yes": True, **options})

    def __getattr__(self, name: str) -> FakeSystem:
        try:
            return self.__dict__["systems"][name]
        except KeyError:
            raise AttributeError(name) from None
