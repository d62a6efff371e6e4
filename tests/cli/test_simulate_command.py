"""``hub simulate``: what it prints, keeps and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from simulate.sabotages import sabotaged


def test_the_command_tells_what_it_promises(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = hub("simulate", "--seed", 1001, "--steps", 40, "--json")
    assert said.code == 0
    assert set(said.data) == {"seeds", "steps", "violations", "seconds"}
    assert (said.data["seeds"], said.data["steps"], said.data["violations"]) == (1, 40, [])


def test_the_command_tells_and_keeps_the_story_of_a_broken_law(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with sabotaged("float_money"):
        said = hub("simulate", "--seed", 0, "--steps", 120, "--keep", tmp_path / "kept.json", "--json")
        assert said.code == 1
        (found, *_) = said.data["violations"]
        assert set(found) == {"seed", "law", "story"}
        assert found["law"] in found["story"]
        again = hub("simulate", "--replay", tmp_path / "kept.json", "--json")
        assert again.code == 1
    assert json.loads((tmp_path / "kept.json").read_text("utf-8"))[0]["seed"] == 0
    assert hub("simulate", "--replay", tmp_path / "kept.json", "--json").code == 0


def test_a_file_that_holds_no_stories_is_refused(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text('{"a": 1}', "utf-8")
    said = hub("simulate", "--replay", tmp_path / "x.json")
    assert said.code == 2
    assert "--keep" in said.err


def test_a_missing_file_is_told(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub("simulate", "--replay", "nowhere.json").code == 2
