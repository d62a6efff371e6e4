"""The main job, small: the same sandboxes, story and checks as ``hub demo``, with fewer records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.demos import Teller
from hub.cli.main import app
from hub.cli.shell import Shell
from hub.demo import books
from hub.demo.company import Company, founded
from hub.demo.run import demo
from hub.demo.sandboxes import running_sandboxes
from hub.errors import Unavailable


@pytest.fixture(scope="module")
def told() -> tuple[dict[str, Any], str]:
    """The result of one demo, and what people were shown."""
    with redirect_stdout(io.StringIO()) as shown:
        result = demo(40, say=Teller(Shell()))
    return result, shown.getvalue()


def test_everything_is_where_it_belongs(told: tuple[dict[str, Any], str]) -> None:
    result, _ = told
    assert [check["what"] for check in result["checks"] if not check["ok"]] == []
    assert result["ok"] is True


def test_the_numbers_are_the_systems_own(told: tuple[dict[str, Any], str]) -> None:
    result, _ = told
    assert result["first_sync"]["matched_by_entity"]["customer"] == 32, "four fifths are known to both"
    assert result["quiet_pass"]["writes"] == 0
    assert result["quiet_pass"]["calls"] > 0
    assert (result["duplicates"], result["conflicts"]) == (0, 1)
    assert set(result["systems"]) == {"zoho", "kingdee", "finance_db"}
    assert result["systems"]["finance_db"]["records"]["customer"] == 48


def test_people_are_shown_what_moved_where(told: tuple[dict[str, Any], str]) -> None:
    shown = told[1]
    chapters = ("The company", "A plan first", "First sync", "A day at", "Second sync", "What came of", "A quiet pass")
    places = [shown.index(chapter) for chapter in chapters]
    assert places == sorted(places)
    assert "✗" not in shown
    assert "the quiet pass: " in shown
    assert "everything is where it belongs" in shown


def test_too_few_records_and_a_folder_in_the_way_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub-demo").mkdir()
    few, taken = (CliRunner().invoke(app, ["demo", *words]) for words in (("--records", "3"), ("--keep",)))
    assert (few.exit_code, taken.exit_code) == (2, 2)
    assert "hub-demo" in taken.stderr


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with founded(30) as made:
        yield made


def test_the_sandboxes_know_the_same_customers_written_differently(company: Company) -> None:
    zoho = {c["tax_id"]: c for c in books.customers(company, "zoho")}
    kingdee = {c["tax_id"]: c for c in books.customers(company, "kingdee")}
    shared = zoho.keys() & kingdee.keys()
    assert len(shared) == 24
    assert any(zoho[tax_id]["name"] != kingdee[tax_id]["name"] for tax_id in shared)


def test_the_auditor_finds_what_is_there_twice(company: Company) -> None:
    assert books.duplicates(company) == {}
    for _ in range(2):
        company.change("INSERT INTO customers (name, tax_no) VALUES ('A', 'T1')")
    try:
        assert books.duplicates(company) == {"finance_db": ["customer T1"]}
    finally:
        company.change("DELETE FROM customers")


def test_secrets_are_for_the_owner_only_and_nothing_stays(tmp_path: Path) -> None:
    with founded(25) as made:
        folder = made.folder
        assert (folder / ".env").stat().st_mode & 0o077 == 0
        assert "${ZOHO_CLIENT_SECRET}" in (folder / "hub.yaml").read_text("utf-8")
        processes = [sandbox.process for sandbox in made.sandboxes.values()]
    assert not folder.exists()
    assert all(process.poll() is not None for process in processes)


def test_a_sandbox_that_does_not_start_is_told_and_the_others_stop(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nonsense"), running_sandboxes({"zoho_crm": {"nonsense": 1}}, tmp_path):
        pass
