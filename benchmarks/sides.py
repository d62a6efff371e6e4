"""The two sides of each comparison, with one face: the hub as its users run it, and the scripts by hand."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Literal, Protocol

from benchmarks import measure
from benchmarks.measure import Measured, Warm

Ways = Literal["one", "both"]
PROJECT = Path(__file__).resolve().parent / "project"
ENTITY = {"customers": "customer", "products": "product", "orders": "order"}


class Side(Protocol):
    """One side with a memory of its own, keeping system ``b`` like system ``a``."""

    name: str
    b: str
    """Its own target on the server, so that both sides can start from the same state."""

    def start(self, a: str, b: str, store: str | None = None, ways: Ways = "one") -> None:
        """Begin with an empty memory. ``store`` is a URL; default: a SQLite file of its own."""
        ...

    def cold(self, *resources: str, full: bool = False) -> Measured:
        """One pass in a new process."""
        ...

    def warm(self, *resources: str) -> Warm:
        """A process that stays up; its passes are measured one by one."""
        ...


class ByHand:
    """The ``limit_*`` scripts."""

    name = "limit"

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder / "limit"
        self.b = ""

    def start(self, a: str, b: str, store: str | None = None, ways: Ways = "one") -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.b = b
        self.script = "limit_sync" if ways == "one" else "limit_both"
        store = store or f"sqlite:///{self.folder / 'memory.db'}"
        self.arguments = ["--url", self.url, "--from", a, "--to", b, "--store", store]

    def cold(self, *resources: str, full: bool = False) -> Measured:
        return measure.run(self._command(resources, ["--full"] if full else []))

    def warm(self, *resources: str) -> Warm:
        return Warm(self._command(resources, ["--warm"]))

    def _command(self, resources: tuple[str, ...], more: list[str]) -> list[str]:
        named = [word for name in resources for word in ("--resource", name)]
        return measure.python(self.script, *self.arguments, *named, *more)


class Hub:
    """A project of the hub, driven by its command line (cold) or by its engine in one process (warm)."""

    name = "hub"

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder / "hub"
        self.b = ""

    def start(self, a: str, b: str, store: str | None = None, ways: Ways = "one", partitions: int = 1) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(PROJECT, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.b = b
        directions = "{a: in, b: out}" if ways == "one" else "{a: both, b: both}"
        lines = ["version: 2", f"store: {store}" if store else "store: sqlite:///.hub/hub.db", "systems:"]
        for name, system in (("a", a), ("b", b)):
            resources = "[customers, products, orders]"
            lines.append(f"  {name}: {{connector: bench, url: {self.url}/{system}, resources: {resources}}}")
        lines.append("entities:")
        policy = f"{{systems: {directions}, partitions: {partitions}}}"
        lines += [f"  {entity}: {policy}" for entity in ("customer", "product", "order")]
        (self.folder / "hub.yaml").write_text("\n".join(lines) + "\n")

    def cold(self, *resources: str, full: bool = False, part: str = "") -> Measured:
        entities = [ENTITY[name] for name in resources]
        one_of = ["--partition", part] if part else []
        return self._command("sync", *entities, "--yes", *(["--full"] if full else []), *one_of)

    def letters(self) -> list[dict[str, Any]]:
        """The open dead letters."""
        found: list[dict[str, Any]] = self._command("letters").output["letters"]
        return found

    def status(self) -> dict[str, Any]:
        """What ``hub status`` says."""
        return self._command("status").output

    def _command(self, *words: str) -> Measured:
        program = str(Path(sys.executable).with_name("hub"))
        # Exit code 1: done, but something needs a person. That is how bad records are reported.
        return measure.run([program, *words, "--project", str(self.folder), "--json"], accept=(0, 1))

    def warm(self, *resources: str) -> Warm:
        return Warm(measure.python("hub_warm", str(self.folder), *(ENTITY[name] for name in resources)))
