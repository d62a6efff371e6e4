"""Joint passes: several processes that work on one entity at once, each with a partition of it.

See ``docs/decisions/partitions.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.connect.capabilities import Part
from hub.errors import ConfigurationError
from hub.sync.policy import Setup

_PART = re.compile(r"(\d{1,3})/(\d{1,3})")


def parse_part(text: str) -> Part:
    """``2/4`` as a part. Raises ConfigurationError for anything else."""
    found = _PART.fullmatch(text.strip())
    part = Part(int(found[1]), int(found[2])) if found else Part(0, 0)
    if not 1 <= part.number <= part.of:
        raise ConfigurationError(
            f"{text!r} is no partition", where="--partition", cure="write it like 2/4: the second of four"
        )
    return part


def check_part(setup: Setup, entities: Sequence[str], part: Part | None) -> None:
    """Raises ConfigurationError when one of these entities is not divided like that in hub.yaml."""
    for name in entities if part is not None else ():
        have = setup.policies[name].partitions
        if part is not None and part.of != have:
            raise ConfigurationError(
                f"partition {part} of {name}: hub.yaml divides it into {have}",
                where=f"entities.{name}.partitions",
                cure=f"set partitions: {part.of} there, or start {have} passes: --partition 1/{have} …",
            )
