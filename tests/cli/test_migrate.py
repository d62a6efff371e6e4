"""``hub migrate``: says what it would change, changes that and nothing else, and leaves a project that still works."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app

HUB = """# ours
version: 1
systems:
  crm:
    connector: sql
    url: "sqlite:///crm.db"
    mappings:
      people: {fields: {currency: {constant: CNY}}}   # all of them
entities:
  customer:
    systems: {crm: both}
"""
MAPPING = """version: 1   # first
resource: people
entity: customer
match: [number]
fields:
  number: nr
  country: {constant: CN}  # 中国
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mappings/crm").mkdir(parents=True)
    (tmp_path / "hub.yaml").write_text(HUB, "utf-8")
    (tmp_path / "mappings/crm/people.yaml").write_text(MAPPING, "utf-8")
    (tmp_path / "mappings/crm/people_test.yaml").write_text("- name: one\n  remote: {nr: A}\n", "utf-8")
    (tmp_path / "mappings/crm/notes.yaml").write_text("hello: world\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, dict]:
    result = CliRunner().invoke(app, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_check_says_what_it_would_change_and_changes_nothing(project: Path) -> None:
    code, told = run("migrate", "--check")
    assert (code, told["files"], told["checked"]) == (1, 2, True)
    assert [(Path(f["file"]).name, f["from"], f["to"]) for f in told["migrated"]] == [
        ("hub.yaml", 1, 2), ("people.yaml", 1, 2)]  # fmt: skip
    assert {k: told["migrated"][1]["changes"][1][k] for k in ("line", "column", "old", "new")} == {
        "line": 7, "column": 13, "old": "constant", "new": "always"}  # fmt: skip
    assert (project / "hub.yaml").read_text("utf-8") == HUB


def test_it_rewrites_the_words_that_changed_and_nothing_else(project: Path) -> None:
    mapping = project / "mappings/crm/people.yaml"
    mapping.chmod(0o640)
    assert run("migrate")[0] == 0
    assert mapping.read_text("utf-8") == MAPPING.replace("version: 1", "version: 2").replace("constant", "always")
    assert (project / "hub.yaml").read_text("utf-8") == HUB.replace("version: 1", "version: 2").replace(
        "constant", "always"
    )
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o640
    assert sorted(p.name for p in mapping.parent.iterdir()) == ["notes.yaml", "people.yaml", "people_test.yaml"]
    assert run("migrate", "--check") == (0, {"checked": True, "files": 2, "migrated": []})


def test_validate_says_the_same_before_and_after(project: Path) -> None:
    before = run("validate")[1]
    run("migrate")
    after = run("validate")[1]
    assert [Path(f).name for f in before.pop("outdated")] == ["hub.yaml", "people.yaml"]
    assert after.pop("outdated") == []
    assert before == after


def test_one_bad_file_keeps_all_the_others_as_they_are(project: Path) -> None:
    bad = project / "mappings/crm/later.yaml"
    bad.write_text("version: 9\nresource: x\nentity: customer\nfields: {number: n}\n", "utf-8")
    code, told = run("migrate")
    assert code == 2
    assert told["error"]["where"] == f"{bad}:1:10"
    assert (project / "hub.yaml").read_text("utf-8") == HUB


def test_a_file_that_has_no_version_is_named(project: Path) -> None:
    code, told = run("migrate", str(project / "mappings/crm/notes.yaml"))
    assert code == 2
    assert told["error"]["what"] == "this is neither hub.yaml nor a mapping"
