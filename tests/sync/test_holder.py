"""Whose lease it is, and whether that process has died."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hub.sync.holder import identity, is_dead

SAY = "from hub.sync.holder import identity; print(identity(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process, waiting."""
    process = subprocess.Popen([sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_dead_once_it_was_killed_collected_or_not(other: subprocess.Popen[str]) -> None:
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    assert not is_dead(f"{name}/run1")
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(f"{name}/run1"), "nobody has collected it yet"
    other.wait()
    assert is_dead(f"{name}/run1")


def test_this_process_lives() -> None:
    assert not is_dead(identity())
    assert not is_dead(f"{identity()}/run1")


def test_a_pid_given_again_is_another_process() -> None:
    name, _, began = identity().rpartition(":")
    assert is_dead(f"{name}:{int(began) - 1}/run1")


def test_nobody_is_taken_for_dead_who_cannot_be_seen_from_here() -> None:
    host, _, rest = identity().partition(":")
    _, _, mark = rest.partition("@")
    machine, _, began = mark.partition(":")
    gone = 2**22 + 1  # more than any pid
    assert is_dead(f"{host}:{gone}@{machine}:{began}"), "or else the rest shows nothing"
    for name in (
        f"elsewhere:{gone}@{machine}:{began}",
        f"{host}:{gone}@00000000-0000.1:{began}",
        f"{host}:{gone}@{machine}:",
        f"{host}:{gone}@:{began}",
        f"{host}:{gone}",
        f"{host}:@{machine}:{began}",
        "worker-1",
        "",
    ):
        assert not is_dead(f"{name}/run1"), name
