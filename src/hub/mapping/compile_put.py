"""The fast way out: generated source that makes the remote record of a create. Updates take the careful walk.

A create has no old record, so nothing has to be compared or kept; that leaves little enough to generate.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.mapping.compile import Source
from hub.mapping.fitting import as_decimal, as_text
from hub.mapping.lens import Record, Values
from hub.mapping.operators.numbers import Number
from hub.mapping.operators.tables import Values as ValueTable
from hub.mapping.paths import Target
from hub.mapping.plan import ConstantOut, Lines, Node, Picks, Plan, Single


def compile_put(plan: Plan) -> Callable[[Values], Record]:
    """``put`` for creates of values that can be expressed."""
    source = Source()
    source.emit(0, "def put(c):", "    o = {}", "    g = c.get")
    writer = Writer(source)
    for node in plan.nodes:
        if node.writes:
            writer.node(node, 1, "c", "o")
    source.emit(1, "return o")
    return source.function("put")


class Writer:
    """Generates the writing of nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def node(self, node: Node, depth: int, values: str, out: str) -> None:
        emit = self.source.emit
        if isinstance(node, ConstantOut):
            self.assign(node.target, depth, out, self.source.literal(node.value), maybe_null=False)
        elif isinstance(node, Lines):
            self.lines(node, depth, values, out)
        elif isinstance(node, Picks):
            self.picks(node, depth, values, out)
        elif isinstance(node, Single):
            emit(depth, f"v = {'g' if values == 'c' else 'g' + values}({node.name!r}, A)")
            if node.default is not None:
                emit(depth, f"if v is None or v is A: v = {self.source.literal(node.default)}")
            if node.required:
                emit(depth, "if v is None or v is A: S()")
            emit(depth, "if v is not A:")
            if node.beside:
                emit(depth + 1, f"{self.source.bind(node.put)}({out}, v, None, {values})")
            else:
                self.single(node, depth + 1, out)

    def single(self, node: Single, depth: int, out: str) -> None:
        """``v`` into the remote record."""
        emit, chain = self.source.emit, node.chain
        table = chain.ops[0] if len(chain.ops) == 1 and isinstance(chain.ops[0], ValueTable) else None
        words = self.words(node, table) if table is not None else None
        by_op = any(op.null or op.complement for op in chain.ops) or len(node.targets) > 1
        if words is None and by_op:
            emit(depth, f"{self.source.bind(node.put)}({out}, v, None)")
            return
        if words is not None:
            emit(depth, f"x = {self.source.bind(words)}.get(v, A) if v.__class__ is str else A", "if x is A:")
            emit(depth + 1, f"{self.source.bind(node.put)}({out}, v, None)")
            emit(depth, "else:")
            self.assign(node.targets[0], depth + 1, out, "x", maybe_null=False)
            return
        self.convert(node, depth)
        if node.null_as is not None:
            emit(depth, f"if x is None: x = {self.source.literal(node.null_as)}")
        if node.max_length is not None:
            emit(depth, f"if x.__class__ is str and len(x) > {node.max_length}: S()")
        self.assign(node.targets[0], depth, out, "x", maybe_null=node.null_as is None)

    def words(self, node: Single, table: ValueTable) -> dict[str, Any] | None:
        """A value table as a dict from canonical words to what is written, those that need no second look."""
        made: dict[str, Any] = {}
        for _, canonical in table.outward:
            if canonical.__class__ is str:
                try:
                    remote = node.chain.put(canonical, None)
                except ValueError:
                    continue
                short = remote.__class__ is not str or node.max_length is None or len(remote) <= node.max_length
                if remote is not None and short:
                    made[canonical] = remote
        return made

    def convert(self, node: Single, depth: int) -> None:
        """``v`` into ``x``, through the chain backwards."""
        emit, bind, chain = self.source.emit, self.source.bind, node.chain
        if all(op.straight() for op in chain.ops) and chain.to_remote in (None, as_text):
            emit(depth, f"x = v if v is None or v.__class__ is str else {bind(chain.put)}(v, A)")
            return
        only = chain.ops[0] if len(chain.ops) == 1 and chain.to_remote in (None, as_decimal) else None
        if isinstance(only, Number) and only.exact():
            emit(depth, f"x = None if v is None else {bind(Decimal)}(v)")
            return
        calls = [op.put for op in reversed(chain.ops)] + ([chain.to_remote] if chain.to_remote else [])
        emit(depth, f"x = None if v is None else {bind(calls[0])}(v)")
        for call in calls[1:]:
            emit(depth, f"if x is not None: x = {bind(call)}(x)")

    def assign(self, target: Target, depth: int, out: str, value: str, *, maybe_null: bool) -> None:
        """A value to its path. Paths into lists, and nulls that clear a parent, are left to the target itself."""
        emit, steps = self.source.emit, target.steps
        if len(steps) == 1:
            emit(depth, f"{out}[{steps[0]!r}] = {value}")
            return
        whole = f"{self.source.bind(target.write)}({out}, {value}, None)"
        if not all(isinstance(step, str) for step in steps):
            emit(depth, whole)
            return
        if maybe_null and target.clear == "parent":
            emit(depth, f"if {value} is None: {whole}", "else:")
            depth += 1
        here = out
        for step in steps[:-1]:
            inner = self.source.fresh("d")
            emit(depth, f"{inner} = {here}.get({step!r})")
            emit(depth, f"if {inner}.__class__ is not dict: {inner} = {here}[{step!r}] = {{}}")
            here = inner
        emit(depth, f"{here}[{steps[-1]!r}] = {value}")

    def lines(self, node: Lines, depth: int, values: str, out: str) -> None:
        source, emit = self.source, self.source.emit
        given, line, made, rows = (source.fresh(letter) for letter in ("w", "c", "o", "l"))
        emit(depth, f"{given} = {values}.get({node.name!r}, A)", f"if {given} is not A:", f"    {rows} = []")
        emit(depth + 1, f"for {line} in sorted({given} or (), key={source.bind(_by(node.key))}):")
        emit(depth + 2, f"g{line} = {line}.get", f"{made} = {{}}")
        for part in node.nodes:
            if part.writes:
                self.node(part, depth + 2, line, made)
        emit(depth + 2, f"{rows}.append({made})")
        self.assign(node.target, depth + 1, out, rows, maybe_null=False)

    def picks(self, node: Picks, depth: int, values: str, out: str) -> None:
        source, emit = self.source, self.source.emit
        given, known, line = (source.fresh(letter) for letter in ("w", "k", "c"))
        emit(depth, f"{given} = {values}.get({node.name!r}, A)", f"if {given} is not A:")
        emit(depth + 1, f"{known} = {{{line}.get({node.key!r}): {line} for {line} in {given} or ()}}")
        for key, parts in node.entries.items():
            writing = [part for part in parts if part.writes]
            if not writing:
                continue
            emit(depth + 1, f"{line} = {known}.get({source.literal(key)})", f"if {line} is not None:")
            emit(depth + 2, f"g{line} = {line}.get")
            for part in writing:
                self.node(part, depth + 2, line, out)
            emit(depth + 1, "else:", "    pass")
            for part in writing:
                if isinstance(part, ConstantOut):
                    self.node(part, depth + 2, line, out)
                elif isinstance(part, Single) and not part.required:
                    emit(depth + 2, f"v = {source.literal(part.default)}")
                    self.single(part, depth + 2, out)


def _by(key: str) -> Callable[[Values], Any]:
    return lambda line: line[key]
