"""Who holds a lease: a process, told so exactly that others on the same machine see when it has died.

A pid alone would say too little: pids are given again, and each container counts its own. So the machine's boot, the
container's count of processes and the moment the process began go with it. Where any of that can't be read, nobody is
taken for dead, and a lease runs out by itself.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
GONE = frozenset("ZX")
"""States of processes that have ended and were not collected yet."""


def identity() -> str:
    """This process: ``host:pid@mark:began``."""
    began = _began(os.getpid())
    return f"{socket.gethostname()}:{os.getpid()}@{_machine()}:{began or ''}"


_left: set[str] = set()


def leave(owner: str) -> None:
    """Note that this process, which goes on, does no more under this name: the store was away when it had to say so."""
    _left.add(owner)


def is_dead(owner: str) -> bool:
    """Whether the process that called itself so has certainly ended. False where that can't be known from here."""
    if owner in _left:
        return True
    name, _, mark = owner.partition("/")[0].rpartition("@")
    host, _, pid = name.rpartition(":")
    machine, _, began = mark.rpartition(":")
    if not (began and machine and pid.isdigit()) or (host, machine) != (socket.gethostname(), _machine()):
        return False
    try:
        now = _began(int(pid))
    except ProcessLookupError:
        return True
    return now is not None and now != began


def _machine() -> str:
    """This boot of this machine, and the count of processes this one is in; empty when that can't be told."""
    if not sys.platform.startswith("linux"):
        return _elsewhere_booted()
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:13]}.{(PROC / 'self/ns/pid').stat().st_ino}"
    return ""


def _began(pid: int) -> str | None:
    """When a process began, in the machine's own terms; None when that is hidden. Raises ProcessLookupError when there
    is no such process any more."""
    if not sys.platform.startswith("linux"):
        return _began_elsewhere(pid)
    with suppress(PermissionError):  # somebody else's, and there
        os.kill(pid, 0)
    try:
        # The name stands in brackets and may hold anything: what counts comes after it.
        rest = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if rest[0] in GONE:
        raise ProcessLookupError(pid)
    return rest[19]


def _elsewhere_booted() -> str:
    import psutil  # slow to import: not where /proc says as much

    return str(int(psutil.boot_time()))


def _began_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise ProcessLookupError(pid)
        return str(process.create_time())
    except psutil.NoSuchProcess:
        raise ProcessLookupError(pid) from None
    except psutil.Error:
        return None
