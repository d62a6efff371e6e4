"""What tests see of a hub that dies: commands go to a process whose children kill themselves at a given moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


class MortalHub:
    """Runs ``hub sync`` (with ``more`` words) in processes that are killed at the n-th moment."""

    def __init__(self, folder: Path, *more: str) -> None:
        self._words = ["sync", *more, "--project", str(folder)]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("mortal_hub.py")), str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._answer() == {"ready": True}

    def sync(self, moment: int = 0, of: str = "") -> dict[str, Any]:
        """``of``: count only moments before and after requests whose address contains this."""
        assert self._process.stdin is not None
        order = {"words": self._words, "moment": moment, "of": of}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))
