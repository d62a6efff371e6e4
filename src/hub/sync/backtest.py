"""Backtest: what a changed mapping makes of the recorded observations. Asks no system and stores nothing.

Every record as last seen is read by the mapping that was last applied and by the changed one. Then the very functions
that a pass uses say what would come of it: what the hub would hold, and what it would write where.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from hub.mapping.lens import Got, Lens, LensField
from hub.store import observed, records, runs, shadows
from hub.store.database import Store
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import applied
from hub.sync.decide import ABSENT, Sight, by_key, decide
from hub.sync.paths import plain
from hub.sync.plan import Target, differences
from hub.sync.policy import Endpoint, Setup
from hub.sync.refs import RefPath, hub_table, ref_paths, translate

Values = dict[str, Any]
What = Literal["read", "unreadable", "decision", "hub", "write", "unwritten", "delete"]
SAMPLES = 3
PAGE = 500


@dataclass(slots=True)
class Difference:
    """One field that comes out differently, with the first few records in which it does."""

    what: What
    """``read``: what is read differs. ``unreadable``: it can't be read any more. ``hub``: the hub would hold another
    value. ``write``: it would be written, in ``system``, from → to. Of policies also ``decision``: an edit would have
    been judged otherwise, ``unwritten``: a write would not have been made, ``delete``: a deletion would have meant
    something else."""
    system: str
    field: str
    records: int = 0
    samples: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """``record`` (its title), ``id`` (in the mapping's system), ``path``, ``before``, ``after``; the last two are
    missing where nothing is read."""
    _last: str | None = None

    def add(self, sample: dict[str, Any]) -> None:
        if self._last != sample["id"]:
            self._last = sample["id"]
            self.records += 1
            if len(self.samples) < SAMPLES:
                self.samples.append(sample)


@dataclass(slots=True)
class Backtest:
    """What one changed mapping makes of one resource's recorded observations."""

    system: str
    entity: str
    resource: str
    file: str
    compared_with: str
    records: int = 0
    """Records looked at."""
    differing: int = 0
    """… of which something comes out differently."""
    unrecorded: list[str] = dataclasses.field(default_factory=list)
    """Remote fields that were never asked for so far: only the next pass can say what they hold."""
    differences: list[Difference] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        names = ("system", "entity", "resource", "file", "compared_with", "records", "differing", "unrecorded")
        shown = ("what", "system", "field", "records", "samples")
        told = [{name: getattr(d, name) for name in shown} for d in self.differences]
        return {**{name: getattr(self, name) for name in names}, "differences": told}


def changed_endpoints(store: Store, setup: Setup, entities: list[str] | None = None) -> list[Endpoint]:
    """The endpoints whose mapping is another one than a pass last applied."""
    found = []
    with store.read() as connection:
        for endpoint in setup.endpoints:
            if entities is None or endpoint.entity in entities:
                version = _applied_version(connection, endpoint)
                if version is not None and version != endpoint.lens.version:
                    found.append(endpoint)
    return found


def backtest(
    store: Store,
    setup: Setup,
    endpoint: Endpoint,
    *,
    lens: Lens | None = None,
    functions: Mapping[str, Any] | None = None,
    since: str | None = None,
) -> Backtest:
    """Try ``lens`` (None: the endpoint's own) on the observations recorded for the endpoint.

    ``since`` (ISO 8601, UTC): only records that changed since then. ``functions``: the project's Python pairs.
    """
    new = lens or endpoint.lens
    with store.read() as connection:
        old, told = _baseline(connection, setup, endpoint, new, functions)
    report = Backtest(endpoint.system, endpoint.entity, endpoint.resource.name, new.file, told)
    if old is not None:
        report.unrecorded = sorted(set(new.remote_fields) - set(old.remote_fields))
    trial = _Trial(setup, endpoint, old, new, report)
    after = ""
    while True:
        with store.read() as connection:
            page = observed.page(connection, endpoint.system, endpoint.entity, after=after, limit=PAGE, since=since)
            trial.page(connection, page)
        if len(page) < PAGE:
            order = {"read": 0, "unreadable": 1, "hub": 2, "write": 3}
            report.differences.sort(key=lambda d: (order[d.what], d.system != endpoint.system, d.system, -d.records))
            return report
        after = page[-1].remote_id


def _applied_version(connection: Connection, endpoint: Endpoint) -> str | None:
    cursor = runs.cursor(connection, endpoint.system, endpoint.entity) or {}
    if endpoint.direction != "out":
        return cursor.get("lens")
    known = applied.last(connection, endpoint.system, endpoint.entity)
    return known.version if known else None


def _baseline(
    connection: Connection, setup: Setup, endpoint: Endpoint, new: Lens, functions: Mapping[str, Any] | None
) -> tuple[Lens | None, str]:
    """The mapping to compare with, and how that is told; None: only the hub's own values are left to compare with."""
    version = _applied_version(connection, endpoint)
    if version is not None and endpoint.lens.version == version and endpoint.lens is not new:
        return endpoint.lens, "the mapping in use"
    known = applied.last(connection, endpoint.system, endpoint.entity)
    if known is not None and known.version == version:
        old = applied.compiled(known, endpoint, setup.specs, functions)
        # The same words with another version: a function or the system's description changed, and the old one is lost.
        same_words = known.said == getattr(new, "said", None) and known.version != new.version
        if old is not None and not same_words:
            return old, "the mapping as last applied"
    return None, "what the hub holds"


@dataclass(slots=True)
class _Reading:
    """One record through one mapping."""

    got: Got
    values: Values
    """With the hub's ids as references."""
    waits: bool
    """Refers to something that the hub doesn't know."""


class _Trial:
    """Both mappings over the observations of one endpoint, a page at a time."""

    def __init__(self, setup: Setup, endpoint: Endpoint, old: Lens | None, new: Lens, report: Backtest) -> None:
        self.setup = setup
        self.endpoint = endpoint
        self.policy = setup.policies[endpoint.entity]
        self.old = old
        self.new = new
        self.report = report
        self.others = [
            e for e in setup.of_entity(endpoint.entity) if e.system != endpoint.system and e.direction != "in"
        ]
        self.by_name: dict[tuple[str, str, str], Difference] = {}

    def page(self, connection: Connection, page: list[Shadow]) -> None:
        before = self._read(connection, self.endpoint, self.old, page) if self.old is not None else None
        after = self._read(connection, self.endpoint, self.new, page)
        stored = records.load(connection, [shadow.hub_id for shadow in page])
        systems = [e.system for e in self.others]
        elsewhere = shadows.by_hub(connection, stored, systems) if systems and stored else {}
        for index, shadow in enumerate(page):
            record = stored.get(shadow.hub_id)
            if record is None or record.deleted_at is not None:
                continue
            self.report.records += 1
            note = self._noting(record, shadow)
            old = before[index] if before is not None else None
            new = after[index]
            self._compare_reading(note, record, shadow, old, new)
            if not new.got.problems and not new.waits:
                self._compare_outcome(connection, note, record, shadow, old, new, elsewhere.get(record.hub_id, {}))
            self.report.differing += note.found

    def _read(self, connection: Connection, endpoint: Endpoint, lens: Lens, page: list[Shadow]) -> list[_Reading]:
        gots = lens.get_many([shadow.data for shadow in page])
        paths = self._paths(endpoint, lens)
        table = hub_table(connection, endpoint.system, [got.values for got in gots], paths)
        made = []
        for got in gots:
            values = dict(got.values)
            made.append(_Reading(got, values, bool(translate(values, paths, table))))
        return made

    def _paths(self, endpoint: Endpoint, lens: Lens) -> tuple[RefPath, ...]:
        mapped = {e.entity for e in self.setup.endpoints if e.system == endpoint.system}
        return tuple(path for path in ref_paths(lens) if path.entity in mapped)

    def _noting(self, record: Stored, shadow: Shadow) -> _Noting:
        spec = self.setup.specs[record.entity]
        title = next((str(record.values[n]) for n in spec.title if record.values.get(n)), shadow.remote_id)
        return _Noting(self._difference, title, shadow.remote_id)

    def _difference(self, what: What, system: str, name: str) -> Difference:
        key = (what, system, name)
        if key not in self.by_name:
            self.by_name[key] = Difference(what, system, name)
            self.report.differences.append(self.by_name[key])
        return self.by_name[key]

    def _compare_reading(
        self, note: _Noting, record: Stored, shadow: Shadow, old: _Reading | None, new: _Reading
    ) -> None:
        system = self.endpoint.system
        known_bad = {problem.field for problem in old.got.problems} if old else set()
        bad = set()
        for problem in new.got.problems:
            bad.add(problem.field.partition("[")[0])
            if problem.field not in known_bad:
                note("unreadable", system, problem.field, problem.value, problem.message)
        if old is None:
            self._compare_with_hub(note, record, shadow, new, bad)
            return
        assert self.old is not None
        fields = {**self.old.fields, **self.new.fields}
        for name, lens_field in fields.items():
            if name not in bad:
                pair = (old.got.values.get(name, ABSENT), new.got.values.get(name, ABSENT))
                for path, was, now in _differing(name, lens_field, *pair):
                    note("read", system, path, was, now)

    def _compare_with_hub(self, note: _Noting, record: Stored, shadow: Shadow, new: _Reading, bad: set[str]) -> None:
        held = {**record.values, **shadow.meant}
        for name, now in new.values.items():
            lens_field = self.new.fields[name]
            if name in bad or (name not in held and now is None):
                continue
            for path, was, shown in _differing(name, lens_field, held.get(name, ABSENT), now):
                note("read", self.endpoint.system, path, was, shown)

    def _compare_outcome(
        self,
        connection: Connection,
        note: _Noting,
        record: Stored,
        shadow: Shadow,
        old: _Reading | None,
        new: _Reading,
        elsewhere: dict[str, Shadow],
    ) -> None:
        """What the hub would hold and what it would write, by both mappings."""
        linked = frozenset({self.endpoint.system, *(s for s, other in elsewhere.items() if other.gone is None)})
        held_old, held_new = record.values, record.values
        if self.endpoint.direction != "out":
            held_new = self._decided(self.new, record, shadow, new.values, linked)
            if old is not None and self.old is not None:
                held_old = self._decided(self.old, record, shadow, old.values, linked)
        for name, lens_field in self.new.fields.items():
            for path, was, now in _differing(name, lens_field, held_old.get(name, ABSENT), held_new.get(name, ABSENT)):
                note("hub", "", path, was, now)
        if self.endpoint.direction != "in":
            would = _writes(self.endpoint, self.new, held_new, new.values, shadow)
            did = _writes(self.endpoint, self.old, held_old, old.values, shadow) if old and self.old else {}
            note.writes(self.endpoint.system, did, would)
        if held_old is held_new or held_old == held_new:
            return
        for endpoint in self.others:
            theirs = elsewhere.get(endpoint.system)
            if theirs is not None and theirs.gone is None:
                shown = self._read(connection, endpoint, endpoint.lens, [theirs])[0].values
                did = _writes(endpoint, endpoint.lens, held_old, shown, theirs)
                note.writes(endpoint.system, did, _writes(endpoint, endpoint.lens, held_new, shown, theirs))

    def _decided(self, lens: Lens, record: Stored, shadow: Shadow, values: Values, linked: frozenset[str]) -> Values:
        """What the hub holds once a pass has read the unchanged record by this mapping."""
        sight = Sight(
            self.endpoint.system, values, values, shadow.meant, record.values, record.stamps,
            shadow.modified_at or "", linked,
        )  # fmt: skip
        return decide(sight, lens.fields, self.policy).values


@dataclass(slots=True)
class _Noting:
    """Notes what differs in one record."""

    difference: Callable[[What, str, str], Difference]
    title: str
    remote_id: str
    found: bool = False

    def __call__(self, what: What, system: str, path: str, before: Any, after: Any) -> None:
        self.found = True
        sample = {"record": self.title, "id": self.remote_id, "path": path, "before": before, "after": after}
        sample = {name: value for name, value in sample.items() if value is not ABSENT}
        self.difference(what, system, plain(path)).add(sample)

    def writes(self, system: str, did: dict[str, list[Any]], would: dict[str, list[Any]]) -> None:
        """Writes that only the changed mapping leads to."""
        for path, (was, now) in would.items():
            if did.get(path) != [was, now]:
                self("write", system, path, was, now)


def _writes(endpoint: Endpoint, lens: Lens, held: Values, shown: Values, shadow: Shadow) -> dict[str, list[Any]]:
    """Path → [old, new] of what a plan would write into an existing record, conflicts and references left aside."""
    target = Target(
        system=endpoint.system, entity=endpoint.entity, resource=endpoint.resource.name, fields=lens.fields, sends=(),
        remote_id=shadow.remote_id, gone=None, shown=shown, meant=shadow.meant, may_create=False, deletes="ignore",
        can_delete=False, can_archive=False, linked={},
    )  # fmt: skip
    return {path: pair for paths in differences(held, target).values() for path, pair in paths.items()}


def _differing(name: str, lens_field: LensField, was: Any, now: Any) -> list[tuple[str, Any, Any]]:
    """(path, was, now) of each value that differs; of lines each field of each line."""
    if was == now:
        return []
    lines = lens_field.lines
    if lines is None or not isinstance(was, list) or not isinstance(now, list):
        return [(name, was, now)]
    was_by, now_by = by_key(was, lines), by_key(now, lines)
    made: list[tuple[str, Any, Any]] = []
    for key in dict.fromkeys([*was_by, *now_by]):
        path = f"{name}[{key}]"
        if key not in was_by or key not in now_by:
            made.append((path, was_by.get(key, ABSENT), now_by.get(key, ABSENT)))
            continue
        one, other = was_by[key], now_by[key]
        made += [
            (f"{path}.{field_name}", one.get(field_name, ABSENT), other.get(field_name, ABSENT))
            for field_name in dict.fromkeys([*one, *other])
            if one.get(field_name, ABSENT) != other.get(field_name, ABSENT)
        ]
    return made
