"""How figures become rows, marks and the table in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.bench import Bench
from benchmarks.measure import Failed, Measured, Server
from benchmarks.results import Mark, Row, number, share


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


def share_of_limit(score: float) -> Row:
    return Row("B1", "full sync", "CPU s", score=score, scored="of the limit", target=0.5, first=0.33)


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
    ("unit", "score", "required", "says"),
    [
        ("calls", 1.2, None, "asked is ≤ 1.10, the first mark"),
        ("calls", 1.08, None, ""),
        ("calls", 1.08, "target", "asked is ≤ 1.05, the target mark"),
        ("CPU s", 1.2, None, ""),
        ("CPU s", 1.2, "first", "asked is ≤ 1.10, the first mark"),
    ],
)
def test_a_run_fails_for_missed_marks_that_are_required(
    unit: str, score: float, required: Mark | None, says: str
) -> None:
    row = Row("B6", "API calls", unit, score=score, scored="× 300", target=1.05, first=1.1, better="less")
    assert row.fault(required) == (f"B6 API calls: {number(score)} × 300; {says}" if says else "")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (share_of_limit(0.23), ""),
        (share_of_limit(0.21), "asked is ≥ 0.22, a third off the first mark 0.33"),
        (Row("B13", "", "×", score=1.6, scored="× clean", target=1.1, first=1.25, better="less"), ""),
        (Row("B13", "", "×", score=1.7, scored="× clean", target=1.1, first=1.25, better="less"), "asked is ≤ 1.67"),
        (Row("B6", "", "calls", score=1.0, target=1.05, first=1.1, better="less", exact=1.0), ""),
        (Row("B6", "", "calls", score=1.01, target=1.05, first=1.1, better="less", exact=1.0), "≤ 1.00, exactly"),
        (Row("B7", "", "calls", score=5, target=4, first=4, better="less", exact=4), "≤ 4.00, exactly"),
        (Row("B4", "", "CPU s", score=9.0, scored="CPU s", target=0.3, first=0.5, better="less"), ""),
        (Row("B9", "", "s", score=9.0, scored="× reading", target=1.2, first=1.5, better="less"), ""),
    ],
)
def test_a_quick_run_asks_for_exact_counts_and_forgives_ratios_a_third(row: Row, says: str) -> None:
    assert says in row.fault("margin")
    assert bool(says) is bool(row.fault("margin"))


def test_a_ratio_that_falls_short_in_one_pair_is_measured_again_in_more(
    monkeypatch: pytest.MonkeyPatch, bench_server: Server, tmp_path: Path
) -> None:
    asked: list[int] = []
    found = {1: 0.1, run.AGAIN: 0.4}

    def case(bench: Bench) -> list[Row]:
        asked.append(bench.pairs)
        return [share_of_limit(found[bench.pairs])]

    monkeypatch.setitem(run.CASES, "full", (case, "full"))
    bench = Bench(bench_server, tmp_path, 10, 1, lambda text: None)
    assert [row.score for row in run.steady("full", bench, "margin")] == [0.4]
    assert asked == [1, run.AGAIN]


@pytest.mark.parametrize(("name", "quick", "n"), [("latency", True, 5), ("latency", False, 20), ("full", True, 20)])
def test_a_quick_run_waits_less(
    monkeypatch: pytest.MonkeyPatch, bench_server: Server, tmp_path: Path, name: str, quick: bool, n: int
) -> None:
    asked: list[int] = []

    def case(bench: Bench) -> list[Row]:
        asked.append(bench.n)
        return []

    monkeypatch.setitem(run.CASES, name, (case, name))
    run.measured(name, Bench(bench_server, tmp_path, 20, 1, lambda text: None, quick=quick))
    assert asked == [n]


def test_a_wrong_count_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []
    row = Row("B6", "API calls", "calls", score=1.01, scored="× 300", target=1.05, first=1.1, better="less", exact=1.0)

    def case(bench: Bench) -> list[Row]:
        asked.append(bench.pairs)
        return [row]

    monkeypatch.setitem(run.CASES, "full", (case, "full"))
    monkeypatch.setattr(run, "warm_up", lambda server: None)
    assert run.main(["--quick", "full"]) == 1
    assert asked == [1]
    assert "FAILED B6 API calls: 1.01 × 300; asked is ≤ 1.00, exactly" in capsys.readouterr().out


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
