"""``hub prune`` as people and machines use it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from operate.twin_databases import execute


def years_ago(folder: Path) -> None:
    """All that happened so far happened in another time."""
    with sqlite3.connect(folder / ".hub" / "hub.db") as store:
        for table, columns in (("journal", ("at",)), ("run", ("started", "finished"))):
            for column in columns:
                store.execute(f"UPDATE {table} SET {column} = '2020' || substr({column}, 5)")


def test_old_history_goes_and_every_command_says_so(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    runs = []
    for last in range(4):
        execute(twins, "crm", f"UPDATE customers SET phone = '+861380000000{last}' WHERE number = 'C001'")
        runs.append(hub("sync", "--json").data["run"])
    years_ago(twins)
    there = hub("status", "--json").data["store"]
    tried = hub("prune", "--keep-runs", "1", "--dry-run", "--json").data
    assert (tried["dry_run"], tried["entries"], tried["runs"]) == (True, 3, 4)
    done = hub("prune", "--keep-runs", "1", "--json").data
    assert (done["entries"], done["runs"]) == (tried["entries"], tried["runs"])
    now = hub("status", "--json").data["store"]
    assert now["history"] == there["history"] - 3
    assert now["since"].startswith("2020-")
    assert "in full since 2020-" in hub("status").out
    told = hub("explain", "customer", "C001", "phone").out
    assert "2 changes since 2020-" in told
    assert "older than the history kept (pruned on 2" in told
    gone = hub("undo", runs[0])
    assert (gone.code, "older than the history kept" in gone.err) == (2, True)
    assert hub("undo", runs[-1], "--yes", "--json").data["written"] == 1
    assert hub("sync", "--full", "--json").data["writes"] == 0
    hub("prune", "--keep-runs", "1")
    assert "nothing is that old" in hub("prune", "--keep-runs", "1").out


def test_wrong_questions_are_told(hub: Any, twins: Path) -> None:
    assert "write days" in hub("prune", "--older-than", "soon").err
    assert "keep 7d or more" in hub("prune", "--older-than", "2d").err
    assert hub("prune", "--keep-runs", "0").code == 2


def test_a_project_can_keep_everything(hub: Any, twins: Path) -> None:
    hub("sync", "--yes")
    years_ago(twins)
    with (twins / "hub.yaml").open("a") as file:
        file.write("\nretention: off\n")
    assert "retention is off" in hub("prune").out
    assert hub("prune", "--older-than", "30d", "--json").data["days"] == 30
