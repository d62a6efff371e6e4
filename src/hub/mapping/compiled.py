"""The compiled mapping: fast for records that are right, careful for those that aren't."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.mapping.faithful import faithful
from hub.mapping.lens import Got, LensField, Record, Values
from hub.mapping.paths import Step, show
from hub.mapping.plan import ConstantOut, Lines, Node, Picks, Plan, Walk
from hub.mapping.walk import get_all, put_all

_NONE: tuple[()] = ()


@dataclass(slots=True)
class CompiledLens:
    """Implements ``hub.mapping.lens.Lens``. Pure and thread-safe; equal files make lenses of equal ``version``."""

    plan: Plan
    fast_get: Callable[[Record], Values]
    """Raises anything for a record that it can't translate in full."""
    fast_put: Callable[[Values], Record]
    """For creates; raises anything for values that it can't express."""
    entity: str = ""
    resource: str = ""
    file: str = ""
    version: str = ""
    match: tuple[tuple[str, ...], ...] = ()
    fields: dict[str, LensField] = field(default_factory=dict)
    remote_fields: tuple[str, ...] = ()
    remote_paths: tuple[str, ...] = ()
    """All remote paths that are read or written, those of lines behind the path of their list."""
    read_options: Record = field(default_factory=dict)
    write_options: Record = field(default_factory=dict)
    faithful: bool = False
    """See ``Lens.faithful``."""
    said: Record = field(default_factory=dict)
    """The whole file as plain data: ``load`` makes the same mapping of it again."""

    def __post_init__(self) -> None:
        plan = self.plan
        self.entity, self.resource, self.file = plan.entity, plan.resource, plan.file
        self.version, self.match = plan.version, plan.match
        self.read_options, self.write_options = plan.read_options, plan.write_options
        self.said = plan.said
        self.faithful = faithful(plan.nodes)
        self.fields = {node.name: node.lens_field() for node in plan.nodes if not isinstance(node, ConstantOut)}
        paths = [path for node in plan.nodes if not isinstance(node, ConstantOut) for path in _paths(node)]
        self.remote_fields = tuple(dict.fromkeys(str(path[0]) for path in paths))
        self.remote_paths = tuple(dict.fromkeys(map(show, paths)))

    def get(self, record: Record) -> Got:
        """See ``Lens.get``."""
        try:
            return Got(self.fast_get(record), _NONE)
        except Exception:  # whatever it was, the careful walk names the field
            return self.careful_get(record)

    def get_many(self, records: Sequence[Record]) -> list[Got]:
        """See ``Lens.get_many``."""
        fast, made = self.fast_get, []
        for record in records:
            try:
                made.append(Got(fast(record), _NONE))
            except Exception:  # as above
                made.append(self.careful_get(record))
        return made

    def put(self, values: Values, old: Record | None) -> Record:
        """See ``Lens.put``."""
        if old is None:
            try:
                return self.fast_put(values)
            except Exception:  # the careful walk says which field, as RecordRejected
                return put_all(self.plan.nodes, values, None)
        return put_all(self.plan.nodes, values, old)

    def careful_get(self, record: Record) -> Got:
        """``get`` by the slow way only."""
        walk = Walk()
        values = get_all(self.plan.nodes, record, walk)
        return Got(values, tuple(walk.problems))

    def careful_put(self, values: Values, old: Record | None) -> Record:
        """``put`` by the slow way only."""
        return put_all(self.plan.nodes, values, old)

    def __repr__(self) -> str:
        return f"<mapping {self.resource} ↔ {self.entity} from {self.file}>"


def _paths(node: Node) -> list[tuple[Step, ...]]:
    if isinstance(node, Lines):
        inner = [path for part in node.nodes if not isinstance(part, ConstantOut) for path in _paths(part)]
        return [node.steps, *((*node.steps, *path) for path in inner)]
    if isinstance(node, Picks):
        parts = [part for nodes in node.entries.values() for part in nodes if not isinstance(part, ConstantOut)]
        return [path for part in parts for path in _paths(part)]
    return list(node.paths())
