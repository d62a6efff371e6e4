"""Hosts to try several workers on: network namespaces with a name, processes and a link of their own, on one machine.

The machine itself is the one with PostgreSQL and Prefect's server. What a host writes is on the disk that all share, as
the systems are in these tests: whoever is cut off from the database can still write to them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NET = "10.77.93"
HERE = f"{NET}.1"
"""Where hosts reach this machine."""
BRIDGE = "hubnet"


def why_not() -> str:
    """Why hosts can't be had here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--pid", "--fork", "true"], check=False, capture_output=True, text=True
    )
    if tried.returncode == 0:
        tried = subprocess.run(["ip", "netns", "list"], check=False, capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


@dataclass
class Host:
    """One host: ``run`` starts programs on it, ``lose_power`` ends them all without a good-bye."""

    name: str
    number: int
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def link(self) -> str:
        return f"hub-{self.name}"

    def make(self) -> None:
        inside = f"{self.link}-in"
        _do("ip", "netns", "add", self.link)
        _do("ip", "link", "add", self.link, "type", "veth", "peer", "name", inside)
        _do("ip", "link", "set", self.link, "master", BRIDGE, "up")
        _do("ip", "link", "set", inside, "netns", self.link)
        self._inside("ip", "addr", "add", f"{NET}.{self.number}/24", "dev", inside)
        self._inside("ip", "link", "set", inside, "up")
        self._inside("ip", "link", "set", "lo", "up")

    def remove(self) -> None:
        self.lose_power()
        for words in (("link", "del", self.link), ("netns", "del", self.link)):
            subprocess.run(["ip", *words], check=False, capture_output=True)

    def run(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[str]:
        """Start a program there; its output goes to ``log``."""
        apart = ["ip", "netns", "exec", self.link, "unshare", "--uts", "--pid", "--fork", "--mount-proc"]
        start = f'hostname {self.name} && exec "$@"'
        with log.open("a") as output:
            process = subprocess.Popen(
                [*apart, "--kill-child=KILL", "sh", "-c", start, "sh", *words],
                env=dict(environment), stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        return process

    def lose_power(self) -> None:
        """Every process there is killed at once: the first of its count of processes takes all others along."""
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()
        while self._pids():
            time.sleep(0.01)

    def _pids(self) -> str:
        """Who lives there: after a kill it takes a moment until nobody does."""
        return subprocess.run(["ip", "netns", "pids", self.link], check=False, capture_output=True, text=True).stdout

    def cut(self) -> None:
        """Pull the cable."""
        _do("ip", "link", "set", self.link, "down")

    def mend(self) -> None:
        """Plug it in again."""
        _do("ip", "link", "set", self.link, "up")

    def _inside(self, *words: str) -> None:
        _do("ip", "netns", "exec", self.link, *words)


@contextlib.contextmanager
def network(*names: str) -> Iterator[list[Host]]:
    """Hosts on one network with this machine."""
    hosts = [Host(name, number) for number, name in enumerate(names, 11)]
    _remove(hosts)  # what a killed test left
    _do("ip", "link", "add", BRIDGE, "type", "bridge")
    try:
        _do("ip", "addr", "add", f"{HERE}/24", "dev", BRIDGE)
        _do("ip", "link", "set", BRIDGE, "up")
        for host in hosts:
            host.make()
        yield hosts
    finally:
        _remove(hosts)


def _remove(hosts: Sequence[Host]) -> None:
    for host in hosts:
        host.remove()
    subprocess.run(["ip", "link", "del", BRIDGE], check=False, capture_output=True)


def _do(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
