"""How figures become rows, marks and the table in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.measure import Failed, Measured
from benchmarks.results import Row, number, share


@pytest.mark.parametrize(
    ("better", "score", "verdict"),
    [
        ("more", 0.51, "target"),
        ("more", 0.40, "first"),
        ("more", 0.30, "missed"),
        ("less", 0.2, "target"),
        ("less", 0.6, "missed"),
    ],
)
def test_a_row_says_which_mark_it_reaches(better: str, score: float, verdict: str) -> None:
    first = 0.33 if better == "more" else 0.5
    row = Row("B1", "x", "CPU s", score=score, target=0.5 if better == "more" else 0.3, first=first, better=better)  # type: ignore[arg-type]
    assert row.verdict == verdict


def test_without_the_hub_there_is_no_verdict() -> None:
    assert Row("B1", "x", "CPU s", limit=5.6, target=0.5).verdict == ""


def test_the_share_is_taken_from_medians() -> None:
    hub = [Measured(cpu, cpu) for cpu in (10.0, 12.0, 99.0)]
    limit = [Measured(cpu, cpu) for cpu in (6.0, 6.0, 1.0)]
    row = share("B1", "x", hub, limit)
    assert (row.hub, row.limit, row.score) == (12.0, 6.0, 0.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0141, "0.014"), (0.14, "0.14"), (5.61, "5.61"), (56.1, "56.1"), (120000, "120,000"), (0, "0")],
)
def test_figures_show_the_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text


CONDITIONS = {
    "date": "2026-01-15",
    "cpu": "X",
    "cores": 2,
    "memory_mb": 8000,
    "system": "Linux",
    "python": "3.11.7",
    "load": 0.1,
    "records": 100_000,
    "pairs": 5,
}


def test_the_table_replaces_the_one_in_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{run.BEGIN}\nold\n{run.END}\nafter\n")
    monkeypatch.setattr(run, "DOCUMENT", document)
    row = Row("B1", "full sync", "CPU s", 12.0, 6.0, 0.5, "of the limit", 0.5, 0.33, note="why")
    run.write([row], CONDITIONS)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| B1 | full sync | CPU s | 12.0 | 6.00 | 0.50 of the limit | ≥ 0.50 | ≥ 0.33 | target |" in text
    assert "100,000 records" in text
    assert "- B1 full sync: why" in text
    assert "old" not in text


def test_a_document_without_markers_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("mine")
    monkeypatch.setattr(run, "DOCUMENT", document)
    with pytest.raises(Failed, match="has no"):
        run.write([], CONDITIONS)
    assert document.read_text() == "mine"


@pytest.mark.parametrize(
    ("unit", "score", "required", "is_short"),
    [
        ("calls", 1.2, None, True),
        ("calls", 1.08, None, False),
        ("calls", 1.08, "target", True),
        ("CPU s", 1.2, None, False),
        ("CPU s", 1.2, "first", True),
    ],
)
def test_a_run_fails_for_missed_marks_that_are_required(
    unit: str, score: float, required: str | None, is_short: bool
) -> None:
    row = Row("B6", "x", unit, score=score, target=1.05, first=1.1, better="less")
    assert run.short(row, required) is is_short


def test_an_unknown_benchmark_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run.main(["full", "nonsense"])
    assert left.value.code == 2
    assert "no benchmark 'nonsense'" in capsys.readouterr().err


def test_the_limits_run_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--limits-only", "--records", "300", "--pairs", "1", "full"]) == 0
    output = capsys.readouterr().out
    assert "B1   full sync, 300 customers, SQLite" in output
    assert "FAILED" not in output
