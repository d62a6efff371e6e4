"""What systems do that nobody asked them to: the habits of one system, and how it rewrites what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

REFUSED = "refused"
"""A text that holds this is refused by systems that refuse."""
CUT = 14
"""Characters that a system keeps that cuts texts: more than what makes a value traceable."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Quirks:
    """One system's habits; all off is a system as the contract of connectors describes it."""

    lag: int = 0
    """Seconds for which fresh writes are hidden from its lists."""
    ties: bool = False
    """Its cursor is a time in whole seconds: what changed in the last one comes again."""
    doubles: bool = False
    """Pages shift while they are read: a record comes on two of them."""
    skew: int = 0
    """Seconds its clock is ahead."""
    page: int = 50
    batch: int = 100
    tombstones: bool = True
    probe: str = "external"
    idempotent: bool = False
    """A create with a known external key changes the record that has it."""
    unique: bool = False
    """Refuses a second record with the same key field, whatever its case."""
    secretive: bool = False
    """… and does not say which record has it."""
    silent: bool = False
    """Does not read back what it wrote."""
    cuts: bool = False
    shouts: bool = False
    """Keeps texts in upper case."""
    rounds: bool = False
    """Keeps amounts with two decimals."""
    fills: bool = False
    """Gives a number to records that have none."""
    refuses: bool = False
    """Refuses texts with the word in ``REFUSED``."""

    def text(self, value: str) -> str:
        """A text as this system keeps it."""
        if self.cuts:
            value = value[:CUT].rstrip()
        return value.upper() if self.shouts else value

    def amount(self, value: str) -> str:
        """An amount (canonical text) as this system keeps it."""
        if not self.rounds:
            return value
        kept = format(Decimal(value).quantize(CENT, ROUND_HALF_UP), "f")
        return kept.rstrip("0").rstrip(".") if "." in kept else kept


def has_float(value: Any) -> bool:
    """Whether a binary fraction is anywhere in a record: money must never have been one."""
    if isinstance(value, dict):
        return any(has_float(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_float(item) for item in value)
    return isinstance(value, float)
