"""``hub schema`` on a real database: what is not bundled is learned from the system itself."""

from __future__ import annotations

import json
from pathlib import Path


def _paths(twins: Path) -> set[str]:
    schema = json.loads((twins / ".hub-schemas" / "mapping.schema.json").read_text("utf-8"))
    known = [part["then"] for part in schema["allOf"] if part["if"]["properties"].get("resource")]
    return {name for then in known for name in then["properties"]["fields"]["additionalProperties"]["anyOf"][0]["enum"]}


def test_a_database_is_learned_when_it_is_asked(hub, twins: Path) -> None:
    said = hub("schema", "--json")
    assert said.code == 0
    assert said.data["systems"]["crm"]["fields"] == 0
    assert _paths(twins) == set()
    said = hub("schema", "--live", "--json")
    assert said.code == 0, said.err
    assert said.data["systems"]["crm"] == {"resources": 1, "fields": 4}
    assert _paths(twins) == {"number", "name", "phone", "updated_at"}
    assert hub("sync").code == 0
    hub("schema")  # what a pass has learned is remembered
    assert "phone" in _paths(twins)
