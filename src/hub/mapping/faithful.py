"""Whether a mapping brings every value back exactly as it was sent, so that an answer equal to what was sent says
nothing new and need not be read.

Operators that even something out, cut off or stand for several values at once are held to their canonical form by the
laws, not to the value itself; a mapping with one of those is read back in the usual way. When in doubt: not faithful.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.mapping.operators import Operator
from hub.mapping.operators.codes import Currency, Email, Phone, TaxId
from hub.mapping.operators.numbers import Number
from hub.mapping.operators.python import Python
from hub.mapping.operators.tables import Boolean, Values
from hub.mapping.plan import Chain, ConstantOut, Lines, Node, Picks, Single

_BY_TYPE = (Phone, Email, TaxId, Currency)
"""Their canonical form is the type's own: values of a record have it already."""


def faithful(nodes: Iterable[Node]) -> bool:
    """Whether ``get(put(values))`` is ``values``, for every record that has only canonical values."""
    return all(_faithful(node) for node in nodes)


def _faithful(node: Node) -> bool:
    if isinstance(node, ConstantOut):
        return True
    if node.direction == "out":
        return False
    if isinstance(node, Single):
        blanks = node.ignore_blank or node.null_as is not None or node.default is not None
        return not blanks and len(node.targets) == 1 and _chain(node.chain)
    if isinstance(node, Lines):
        return all(part.direction == "both" and _faithful(part) for part in node.nodes)
    if isinstance(node, Picks):
        return all(part.direction == "both" and _faithful(part) for parts in node.entries.values() for part in parts)
    return False


def _chain(chain: Chain) -> bool:
    return chain.assume is None and not chain.several and all(map(_operator, chain.ops))


def _operator(op: Operator) -> bool:
    if isinstance(op, Python) or op.complement or op.several or op.siblings:
        return False
    if isinstance(op, Boolean):
        return op.table is None or _table(op.table)
    if isinstance(op, Values):
        return _table(op)
    if op.null:
        return False
    if isinstance(op, Number):
        return op.exact()
    return isinstance(op, _BY_TYPE) or type(op).form is Operator.form


def _table(table: Values) -> bool:
    """Each canonical value has a remote one of its own, and null is null."""
    one_to_one = not (table.has_rest or table.catches or table.passes)
    return one_to_one and table.form(None) is None and all(table.get(table.put(w)) == w for w in table.words())
