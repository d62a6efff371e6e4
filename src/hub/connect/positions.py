"""Places in users' files, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Position(NamedTuple):
    """Where something stands in a user's file; ``str()`` gives ``file:line:column``."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a user's file (a mapping, a hub.yaml, a manifest), for a person to mend."""

    position: Position
    message: str
    cure: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.position}: {self.message}" + (f" → {self.cure}" if self.cure else "")
