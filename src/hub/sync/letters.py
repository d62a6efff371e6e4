"""Dead letters: showing them, trying them again, giving them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from hub.errors import ConfigurationError
from hub.store import records, runs, shadows, work
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
                records.mark(connection, row["entity"], [row["hub_id"]], 1)
            if status == "replay" and row["stage"] == "follow_up":
                _write_once_more(connection, row)
            if status == "replay" and row["stage"] == "observe":
                # Read everything once more: the feed has long gone past this record.
                runs.rewind(connection, row["system"], row["entity"])
    return len(wanted)


def _write_once_more(connection: Connection, row: Row) -> None:
    """The record is written, a later step failed: let what the step should have changed look unwritten, so that an
    update takes the step up."""
    shadow = shadows.by_hub(connection, [row["hub_id"]]).get(row["hub_id"], {}).get(row["system"])
    payload = loads_remote(row["payload"])
    if shadow is None:
        return
    # A state that was not reached stands there as "meant, but shown otherwise": that pairing is what must go. What we
    # left empty and the system filled in by itself stays paired, and so do lines.
    said = [name for name, value in payload.items() if value is not None and not isinstance(value, list)]
    unpaired = {name: value for name, value in shadow.meant.items() if name not in said}
    if len(unpaired) == len(shadow.meant) and said:
        unpaired[said[0]] = None
    shadows.set_meant(connection, shadow, unpaired)
