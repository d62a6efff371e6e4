"""Paths into remote records: the kit's own, since manifests name places in answers with them too."""

from hub.connect.paths import ABSENT, Absent, Clear, Item, Matching, PathError, Record, Step, Target, parse, read, show

__all__ = [
    "ABSENT",
    "Absent",
    "Clear",
    "Item",
    "Matching",
    "PathError",
    "Record",
    "Step",
    "Target",
    "parse",
    "read",
    "show",
]
