"""A real project (two SQLite databases) and a way to run the program in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from operate import twin_databases
from typer.testing import CliRunner


@dataclass(frozen=True)
class Said:
    """What one command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as the one JSON object that it must be."""
        return json.loads(self.out)


Hub = Callable[..., Said]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Run ``hub WORDS`` in this process."""
    from hub.cli.main import app

    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    def run(*words: str | Path) -> Said:
        result = CliRunner().invoke(app, [str(word) for word in words])
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose CRM has five customers and whose ERP has none; the current folder is in it."""
    folder = twin_databases.build(tmp_path / "twins", customers=5)
    monkeypatch.chdir(folder)
    return folder
