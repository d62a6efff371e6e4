"""Which guarantee a create has: how it is found again when its answer is lost, and whether that was ever proven.

A connector *declares* it (``Resource.probe``); the contract suite *proves* it, and keeps the proof in
``capabilities.yaml``. The hub creates records by itself only where a lost one can be found again: see
docs/decisions/proven-creates.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hub.connect.capabilities import Create, Probe, Resource
from hub.errors import ConfigurationError

CAPABILITIES = "capabilities.yaml"
OTHERS = "others"
"""Stands for the resources of a connector that weren't tried themselves."""

How = Literal["external", "natural", "none"]
Proof = Literal["proven", "declared", "none"]
_WORDS = {"external": "the hub's own key", "natural": "a natural key"}


@dataclass(frozen=True, slots=True)
class Known:
    """What ``capabilities.yaml`` says, as far as the engine needs it."""

    tier: str
    creates: dict[str, tuple[str, ...]]
    path: Path


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What becomes of a create with a lost answer."""

    how: How
    """By what the record is found again."""
    proof: Proof
    says: str
    """For people, in a few words."""
    held: str = ""
    """Why the hub makes no records here by itself; empty: it does."""


def read_known(path: Path) -> Known | None:
    """What the file says; None when there is none. Raises ConfigurationError when it can't be understood."""
    if not path.is_file():
        return None
    try:
        data: Any = YAML(typ="safe").load(path.read_text("utf-8"))
        creates = {str(name): tuple(str(kind) for kind in kinds) for name, kinds in data["creates"].items()}
        return Known(str(data["tier"]), creates, path)
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            "this is not what hub connector verify writes", where=str(path), cure="delete it, and verify again"
        ) from error


def guarantee(connector: Any, resource: Resource, known: Known | None) -> Guarantee:
    """The guarantee of creates here. ``known`` of None: the connector was never verified, and is believed."""
    if not isinstance(connector, Create) or not resource.writable:
        return Guarantee("none", "none", "the hub creates nothing here")
    how: How = resource.probe if isinstance(connector, Probe) else "none"
    if how == "none":
        return Guarantee(
            "none",
            "none",
            "a create with a lost answer can't be found again",
            "a create with a lost answer can't be found again, neither by a key of the hub nor by a natural key",
        )
    words = _WORDS[how]
    if known is None:
        return Guarantee(
            how, "declared", f"a lost create is found by {words}, says the connector; nobody has proven it"
        )
    if how in known.creates.get(resource.name, known.creates.get(OTHERS, ())):
        return Guarantee(how, "proven", f"a lost create is found by {words} (proven)")
    return Guarantee(
        "none",
        "none",
        f"that a lost create is found by {words} is not proven",
        f"that a create with a lost answer is found by {words} is not proven "
        f"({known.path.parent.name}/{known.path.name})",
    )
