"""What a check found: something a person should know. Nothing is ever repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["total", "tax_id", "einvoice_number", "phone", "email", "length"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt about one record. ``field`` is a canonical path (``lines[2].amount``: the line whose key is 2)."""

    kind: Kind
    field: str
    message: str
