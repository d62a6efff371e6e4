"""Running programs and measuring them: CPU seconds, wall seconds and peak memory of the whole process.

Nothing heavy is imported here: Linux counts the memory of the process that forks into the peak of its child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
COMPILED = str(Path(tempfile.gettempdir()) / f"hub-bench-compiled-{os.getuid()}")
"""Where compiled programs are kept, apart from the checkout."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


_encode = msgspec.json.Encoder(decimal_format="number").encode


class Failed(Exception):
    """A measured program ended with an error, or its results are wrong."""


@dataclass
class Measured:
    """What one run took and did."""

    cpu: float
    """Seconds, user and system, all threads."""
    wall: float
    """Seconds."""
    rss: float = 0.0
    """Peak resident memory in MB."""
    calls: dict[str, int] = field(default_factory=dict)
    """Operation (``list a/customers``) → calls that the server counted."""
    output: dict[str, Any] = field(default_factory=dict)
    """The JSON object it printed last."""

    def count(self, verb: str) -> int:
        """Calls of one kind: ``list``, ``upsert`` … over all systems."""
        return sum(n for name, n in self.calls.items() if name.split(" ")[0] == verb)

    @property
    def all_calls(self) -> int:
        return sum(self.calls.values())


def environment() -> dict[str, str]:
    """The environment of measured programs: this checkout importable, nothing between them and the server.

    Programs are compiled once and kept, as an installation does it, also where this machine is told not to: compiling
    the libraries at every start would take longer than most passes.
    """
    left_out = (*PROXIES, "PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [env.get("PYTHONPATH")])]
    return env | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONPYCACHEPREFIX": COMPILED}


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of the benchmark's own modules."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


def run(command: Sequence[str], accept: Sequence[int] = (0,)) -> Measured:
    """Run to the end. Raises Failed, with the end of its standard error, for an exit code that isn't accepted."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT)
    output, errors = _drain(process)
    usage = _wait(process)
    wall = time.perf_counter() - started
    if process.returncode not in accept:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}: {output[-1500:]}\n{errors[-3000:]}")
    return Measured(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output=_last_object(output))


def _drain(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Both outputs to their ends, without waiting for the process: that must be done by ``wait4``."""
    assert process.stdout is not None
    assert process.stderr is not None
    import threading

    errors: list[bytes] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    output = process.stdout.read()
    reader.join()
    return output.decode("utf-8", "replace"), errors[0].decode("utf-8", "replace")


def _wait(process: subprocess.Popen[bytes]) -> Any:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def _last_object(output: str) -> dict[str, Any]:
    """The JSON object on standard output: all of it, or its last line."""
    for text in (output, output.strip().rpartition("\n")[2]):
        try:
            found = json.loads(text)
        except ValueError:
            continue
        return found if isinstance(found, dict) else {}
    return {}


class Warm:
    """A program that stays up and makes a pass for each line it is sent (``--warm``)."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=ROOT
        )
        self._read()

    def do(self, what: str) -> Measured:
        """One pass: ``sync`` or ``full``."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n".encode())
        self.process.stdin.flush()
        said = self._read()
        return Measured(said["cpu"], said["wall"], output=said)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise Failed(f"{' '.join(self.command)} ended with {self.process.returncode}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> float:
        """End it; its peak memory in MB."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        peak: float = _wait(self.process).ru_maxrss / 1024
        return peak


class Server:
    """The benchmark server, in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, verb: str, body: Any = None) -> Any:
        """One control call (see ``benchmarks/server.py``). Raises Failed with the server's words."""
        data = None if body is None else _encode(body)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/control/{verb}", data=data, timeout=600) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Failed(f"control {verb}: {error.read().decode()}") from None


@contextmanager
def server() -> Iterator[Server]:
    """A benchmark server on a free port, ended at the end."""
    process = subprocess.Popen(python("server"), stdout=subprocess.PIPE, env=environment(), cwd=ROOT)
    try:
        assert process.stdout is not None
        yield Server(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]
