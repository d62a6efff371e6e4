"""Servers as child processes: on a free port, waited for, and gone when their starter is gone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

STARTUP_SECONDS = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[object],
    *,
    ready: str,
    folder: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers at the address ``ready`` with less than 500. What it prints goes to ``folder/log``."""
    words = [str(word) for word in command]
    if shutil.which("setpriv"):  # also ends when the tests are killed
        words = ["setpriv", "--pdeathsig=TERM", *words]
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            words, cwd=cwd or folder, env={**os.environ, **(env or {})}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, ready, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:  # it waits for its idle connections; what it holds is thrown away anyway
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                if session.get(ready, timeout=5).status_code < 500:
                    return
            except requests.RequestException:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the server does not answer at {ready}:\n{log.read_text('utf-8', 'replace')[-3000:]}"
                )
            time.sleep(0.2)
