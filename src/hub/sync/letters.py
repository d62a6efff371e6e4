"""Dead letters: showing them, trying them again, giving them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.errors import ConfigurationError
from hub.store import records, runs, work
from hub.store.codec import loads_remote
from hub.store.database import Store

Row = dict[str, Any]


def listed(store: Store) -> list[Row]:
    """Open letters, payload decoded."""
    with store.read() as connection:
        rows = work.letters(connection, ("open", "replay"))
    for row in rows:
        row["payload"] = loads_remote(row["payload"])
    return rows


def set_status(store: Store, letter_ids: Sequence[int] | None, status: str, now: str) -> int:
    """Mark letters for replay or as discarded. Raises ConfigurationError for one that is not open."""
    with store.begin() as connection:
        there = {row["id"]: row for row in work.letters(connection, ("open", "replay"))}
        wanted = list(there) if letter_ids is None else list(letter_ids)
        for letter_id in wanted:
            if letter_id not in there:
                raise ConfigurationError(f"there is no open letter {letter_id}", cure="hub letters lists them")
        for letter_id in wanted:
            row = there[letter_id]
            work.set_letter(connection, letter_id, status, now)
            if row["hub_id"]:
                records.mark(connection, [row["hub_id"]], 1)
            if status == "replay" and row["stage"] == "observe":
                # Read everything once more: the feed has long gone past this record.
                runs.set_cursor(connection, row["system"], row["entity"], value=None)
    return len(wanted)
