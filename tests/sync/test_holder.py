"""Whose lease it is, and whether that process has died."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
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


def test_where_there_is_no_proc_the_system_is_asked_in_its_own_way(
    other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS and Windows: boot time and start of a process are told by psutil."""
    assert other.stdout is not None
    other.stdout.readline()
    monkeypatch.setattr(sys, "platform", "darwin")
    mine = identity()
    assert not is_dead(f"{mine}/run1")
    name, _, began = mine.rpartition(":")
    assert is_dead(f"{name}:{float(began) - 60}/run1"), "a pid given again"
    host, _, rest = mine.partition(":")
    mark = rest.partition("@")[2].rpartition(":")[0]
    there = str(psutil.Process(other.pid).create_time())
    theirs = f"{host}:{other.pid}@{mark}:{there}/run1"
    assert not is_dead(theirs)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(theirs), "nobody has collected it yet"
    other.wait()
    assert is_dead(theirs)


def test_a_process_that_may_not_be_looked_at_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = identity()
    monkeypatch.setattr(sys, "platform", "darwin")
    theirs = identity()

    def denied(pid: int) -> psutil.Process:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(psutil, "Process", denied)
    assert not is_dead(f"{theirs}/run1")
    monkeypatch.undo()
    monkeypatch.setattr("hub.sync.holder.PROC", Path("/nowhere"))
    assert not is_dead(f"{mine}/run1"), "nothing of it can be read: it is waited for"
    assert identity().partition("@")[2] == ":", "and this process says nothing that could be compared"
