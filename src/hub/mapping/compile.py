"""The fast way through a record: Python source generated from a plan's nodes.

Names and values of the mapping reach the source only as ``repr`` of a ``str``, everything else through the namespace;
all identifiers are made here. The generated functions raise (anything) for what they can't do, and the caller takes the
careful walk of ``hub.mapping.walk`` instead, so the two must agree on every record that the fast one accepts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.mapping import quick
from hub.mapping.lens import Record, Values
from hub.mapping.operators.tables import Values as ValueTable
from hub.mapping.operators.texts import Text
from hub.mapping.paths import ABSENT, Step, read
from hub.mapping.plan import ConstantIn, Lines, Node, Picks, Place, Plan, Single, blank
from hub.model import forms


class NotRight(Exception):
    """The generated code met something that the careful walk has to explain."""


def refuse(*_: Any) -> Any:
    """Called by generated code where it can't go on."""
    raise NotRight


class Source:
    """Lines of generated source and the objects they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.space: dict[str, Any] = {"A": ABSENT, "S": refuse, "TEXT": forms.text, "READ": read, "BLANK": blank}
        self.count = 0

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def bind(self, thing: Any) -> str:
        """A name for an object."""
        name = self.fresh("K")
        self.space[name] = thing
        return name

    def literal(self, value: Any) -> str:
        """A value as source: by ``repr`` where that is exact for sure, else by name."""
        plain = value is None or value.__class__ in (str, bool) or (value.__class__ is int and abs(value) < 2**63)
        return repr(value) if plain else self.bind(value)

    def emit(self, depth: int, *lines: str) -> None:
        self.lines.extend("    " * depth + line for line in lines)

    def function(self, name: str) -> Callable[..., Any]:
        code = compile("\n".join(self.lines) + "\n", f"<mapping {name}>", "exec")
        exec(code, self.space)  # noqa: S102  the source is made here, of nothing but own identifiers and reprs
        made: Callable[..., Any] = self.space[name]
        return made


def compile_get(plan: Plan) -> Callable[[Record], Values]:
    """``get`` for records that are right."""
    source = Source()
    source.emit(0, "def get(r):", "    o = {}", "    g = r.get")
    reader = Reader(source)
    for node in plan.nodes:
        if node.reads:
            reader.node(node, 1, "r", "o")
    source.emit(1, "return o")
    return source.function("get")


class Reader:
    """Generates the reading of nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.parents: dict[tuple[str, tuple[Step, ...]], str] = {}

    def node(self, node: Node, depth: int, record: str, out: str) -> None:
        if isinstance(node, Single):
            self.single(node, depth, record, out)
        elif isinstance(node, ConstantIn):
            self.source.emit(depth, f"{out}[{node.name!r}] = {self.source.literal(node.value)}")
        elif isinstance(node, Lines):
            self.lines(node, depth, record, out)
        elif isinstance(node, Picks):
            self.picks(node, depth, record, out)

    # Where values come from -----------------------------------------------------------------------------------------

    def fetch(self, steps: tuple[Step, ...], depth: int, record: str) -> str:
        """An expression for what the record holds at the path: a value, None or A (absent)."""
        if not all(isinstance(step, str) for step in steps):
            return f"READ({record}, {self.source.bind(steps)})"
        name = repr(steps[-1])
        if len(steps) == 1:
            return f"{'g' if record == 'r' else 'g' + record}({name}, A)"
        parent = self.parent(steps[:-1], depth, record)
        other = f"({parent} if {parent} is None or {parent} is A else S())"
        return f"{parent}.get({name}, A) if {parent}.__class__ is dict else {other}"

    def parent(self, steps: tuple[Step, ...], depth: int, record: str) -> str:
        """A variable that holds the object at the path, read once for all fields in it."""
        known = self.parents.get((record, steps))
        if known is None:
            expression = self.fetch(steps, depth, record)
            known = self.source.fresh("p")
            self.source.emit(depth, f"{known} = {expression}")
            self.parents[record, steps] = known
        return known

    # One value ------------------------------------------------------------------------------------------------------

    def single(self, node: Single, depth: int, record: str, out: str) -> None:
        emit = self.source.emit
        if len(node.targets) > 1:
            self.several(node, depth, record, out)
            return
        emit(depth, f"v = {self.fetch(node.targets[0].steps, depth, record)}")
        slot = f"{out}[{node.name!r}]"
        plain = node.chain.assume is None and not node.ignore_blank
        if plain and self.is_text(node):
            emit(
                depth,
                "if v.__class__ is str:",
                f"    {slot} = v.strip() or None if v.isascii() and '\\r' not in v and '\\0' not in v else TEXT(v)",
                f"elif v is None: {slot} = None",
                f"elif v is not A: {slot} = TEXT(v)",
            )
            return
        emit(depth, "if v is not A:")
        self.convert(node, depth + 1, out)
        self.store(node, depth + 1, slot)

    def store(self, node: Single, depth: int, slot: str) -> None:
        """``x`` into its place."""
        if node.chain.assume is not None:
            self.source.emit(depth, f"if x is None: x = {self.source.literal(node.chain.assume)}")
        if node.ignore_blank:
            self.source.emit(depth, f"if x is not None: {slot} = x")
        else:
            self.source.emit(depth, f"{slot} = x")

    def is_text(self, node: Single) -> bool:
        ops = node.chain.ops
        return len(ops) == 1 and isinstance(ops[0], Text) and node.chain.form in (None, forms.text)

    def convert(self, node: Single, depth: int, out: str) -> None:
        """``v`` into ``x``, through the chain."""
        emit, bind, chain = self.source.emit, self.source.bind, node.chain
        ops, form = chain.ops, chain.form
        if len(ops) == 1 and isinstance(ops[0], ValueTable):
            words = {key: value for (_, key), value in ops[0].inward.items() if key.__class__ is str}
            table, whole = bind({word: self.final(chain.form, value) for word, value in words.items()}), bind(chain.get)
            emit(depth, f"x = {table}.get(v, A) if v.__class__ is str else A", f"if x is A: x = {whole}(v)")
            return
        if chain.siblings:
            emit(depth, f"x = {bind(chain.get)}(v, {out})")
            return
        direct = ops[0].direct()
        if any(op.null for op in ops):
            emit(depth, f"x = {bind(chain.get)}(v)")
            return
        if direct in quick.FEW:
            emit(depth, f"x = None if v is None else {bind(quick.Memo(direct))}[v]")
        elif direct is not None:
            emit(depth, f"x = None if v is None else {bind(quick.SHORT.get(direct, direct))}(v)")
        else:
            emit(depth, f"x = None if BLANK(v) else {bind(ops[0].get)}(v)")
        for op in ops[1:]:
            emit(depth, f"if x is not None: x = {bind(op.get)}(x)")
        if form is not None:
            emit(depth, f"if x is not None: x = {bind(form)}(x)")

    @staticmethod
    def final(form: Callable[[Any], Any] | None, value: Any) -> Any:
        return value if form is None or value is None else form(value)

    def several(self, node: Single, depth: int, record: str, out: str) -> None:
        emit = self.source.emit
        parts = [self.source.fresh("v") for _ in node.targets]
        for part, target in zip(parts, node.targets, strict=True):
            emit(depth, f"{part} = {self.fetch(target.steps, depth, record)}")
        emit(depth, f"if not ({' is '.join(parts)} is A):")
        values = ", ".join(f"None if {part} is A else {part}" for part in parts)
        emit(depth + 1, f"x = {self.source.bind(node.chain.get)}([{values}])")
        chain_assumes = Single(node.name, node.position, ignore_blank=node.ignore_blank)
        self.store(chain_assumes, depth + 1, f"{out}[{node.name!r}]")

    # Lines ----------------------------------------------------------------------------------------------------------

    def lines(self, node: Lines, depth: int, record: str, out: str) -> None:
        source, emit = self.source, self.source.emit
        rows, row, line, seen, number = (source.fresh(letter) for letter in ("w", "r", "o", "s", "n"))
        slot = f"{out}[{node.name!r}]"
        emit(depth, f"{rows} = {self.fetch(node.steps, depth, record)}")
        emit(depth, f"if {rows} is None: {slot} = []", f"elif {rows} is not A:")
        emit(depth + 1, f"if {rows}.__class__ is not list: S()", f"{seen} = {{}}")
        emit(depth + 1, f"for {number}, {row} in enumerate({rows}, 1):")
        emit(depth + 2, f"if {row}.__class__ is not dict: S()", f"g{row} = {row}.get", f"{line} = {{}}")
        for part in node.nodes:
            if isinstance(part, Place) and part.reads:
                emit(depth + 2, f"{line}[{part.name!r}] = {number}")
            elif part.reads:
                self.node(part, depth + 2, row, line)
        emit(depth + 2, f"k = {line}.get({node.key!r})", f"if k is None or k in {seen}: S()", f"{seen}[k] = {line}")
        emit(depth + 1, f"{slot} = [{seen}[k] for k in sorted({seen})]")

    def picks(self, node: Picks, depth: int, record: str, out: str) -> None:
        source, emit = self.source, self.source.emit
        found, spoken = source.fresh("l"), source.fresh("s")
        emit(depth, f"{found} = []", f"{spoken} = False")
        for key in sorted(node.entries):
            line = source.fresh("o")
            emit(depth, f"{line} = {{{node.key!r}: {source.literal(key)}}}")
            constants: dict[str, Any] = {}
            for part in node.entries[key]:
                if part.reads and isinstance(part, ConstantIn):
                    constants[part.name] = part.value
                elif part.reads:
                    self.node(part, depth, record, line)
            emit(depth, f"if len({line}) > 1:", f"    {spoken} = True")
            emit(depth + 1, f"if list({line}.values()).count(None) + 1 < len({line}):")
            if constants:
                emit(depth + 2, f"{line}.update({source.bind(constants)})")
            emit(depth + 2, f"{found}.append({line})")
        emit(depth, f"if {spoken}: {out}[{node.name!r}] = {found}")
