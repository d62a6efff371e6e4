"""Verifying a connector: try it out, and hold what was found against its ``capabilities.yaml``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.connect.capabilities import Connector, Record
from hub.connect.contract.declare import Contract, Options
from hub.connect.contract.record import Capabilities, capabilities, read
from hub.connect.contract.servers import ServerWorld
from hub.connect.contract.suite import START, Finding, Tried, try_out
from hub.connect.contract.worlds import LiveWorld, SandboxWorld, World
from hub.connect.guarantees import CAPABILITIES
from hub.connect.registry import ConnectorEntry
from hub.errors import ConfigurationError

Told = Callable[[Finding], None]
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Outcome:
    """What verifying found out."""

    tried: Tried
    found: Capabilities
    path: Path
    """Where ``capabilities.yaml`` is, or would be."""
    differences: list[str]
    """In what it differs from the findings; empty when it says just that."""

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self.tried.findings if finding.state == "broken"]

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.found.text(), "utf-8")
        self.differences = []


def verify(entry: ConnectorEntry, options: Options | None = None, told: Told = lambda _: None) -> Outcome:
    """Try a connector in its own world: its sandbox, or what its contract says. ``options``: those of the world.

    Raises ConfigurationError when it declares no contract or has no world to be tried in.
    """
    contract = contract_of(entry)
    try:
        given = options or {}
        imagined = entry.manifest.sandbox is not None
        make = contract.world or (lambda one, said: (SandboxWorld if imagined else ServerWorld)(one, contract, said))
        world = make(entry, given)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the sandbox doesn't take this: {error}", where=f"hub connector verify {entry.name}"
        ) from error
    # What was tried before may still be there, unless the world was made for this.
    start = _never_before() if world.real else START
    return _tried(entry, contract, world, entry.folder / CAPABILITIES, start, told)


def verify_live(
    entry: ConnectorEntry,
    system: str,
    settings: Record,
    connect: Callable[[Record], Connector],
    path: Path,
    told: Told = lambda _: None,
    *,
    scratch: Options | None = None,
) -> Outcome:
    """Try a connector in a system that is in use. ``settings``: the system's; ``connect``: added settings → connector;
    ``path``: where the findings about this system are kept. ``scratch``: it is a test server of the product, in which
    every record may be touched; with these options of ``ServerWorld``."""
    contract = contract_of(entry)
    make = contract.live
    world: World
    if scratch is not None:
        world = ServerWorld(entry, contract, {**settings, **scratch})
    else:
        world = make(entry, settings) if make is not None else LiveWorld(system, f"the system {system}", connect)
    return _tried(entry, contract, world, path, _never_before(), told)


def contract_of(entry: ConnectorEntry) -> Contract:
    """The connector's contract. Raises ConfigurationError when it declares none."""
    found = entry.contract()
    if not isinstance(found, Contract):
        raise ConfigurationError(
            f"connector {entry.name!r} doesn't say how it can be tried",
            where=str(entry.folder / "manifest.yaml"),
            cure="write a contract.py and name it: contract: contract:contract (docs/connectors/guide.md)",
        )
    return found


def _tried(entry: ConnectorEntry, contract: Contract, world: World, path: Path, start: str, told: Told) -> Outcome:
    try:
        before = read(path)
        tried = try_out(contract, world, start=start, told=told)
    finally:
        world.close()
    found = capabilities(entry.name, [tried], before)
    missing = [f"there is no {path.name} yet"]
    return Outcome(tried, found, path, missing if before is None else found.differences(before))


def _never_before() -> str:
    """What words of this run begin with: an account that is tried twice must not know them."""
    number, text = int(time.time()), ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return f"H{text}"
