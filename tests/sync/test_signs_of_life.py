"""A feed whose system takes its time: where it stands is stored, though there is nothing to take in yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.connect.capabilities import Page
from hub.errors import Unavailable
from hub.store import runs


def test_where_a_feed_stands_survives_a_crash_before_its_first_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, mappings={"customer": World(tmp_path).mappings["customer"]})
    world.crm.add("customers", name="A")
    usual, asked = world.crm.list_changes, []

    def preparing(name: str, cursor: str | None, fields: Sequence[str], options: dict[str, Any]) -> Iterator[Page]:
        asked.append(cursor)
        if cursor is None:
            yield Page([], "job 7 is being prepared")
            raise Unavailable("the process ends here")
        yield from usual(name, None, fields, options)

    monkeypatch.setattr(world.crm, "list_changes", preparing)
    world.sync()
    with world.engine() as engine, engine.store.read() as connection:
        assert (runs.cursor(connection, "crm", "customer") or {})["value"] == "job 7 is being prepared"
    world.sync()
    assert asked == [None, "job 7 is being prepared"]
    assert [row["name"] for row in world.erp.records("customers")] == ["A"]
