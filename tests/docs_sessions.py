"""Runs the blocks of one documentation session as a reader would type them: one folder, one shell, real servers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from docs_blocks import SHELL, YAML, Block

PORT = re.compile(r"(?:--port[ =]|(?:127\.0\.0\.1|localhost):)(\d{4,5})")
READY_SECONDS = 120
BLOCK_SECONDS = 240

# What a shell keeps between two prompts: where it is and what was exported.
PROLOGUE = """
set -euo pipefail
[ ! -f "$DOCS_STATE/env" ] || source "$DOCS_STATE/env"
[ ! -f "$DOCS_STATE/pwd" ] || cd "$(cat "$DOCS_STATE/pwd")"
trap 'code=$?; declare -px | grep -v "DOCS_STATE" >"$DOCS_STATE/env"; pwd >"$DOCS_STATE/pwd"; exit $code' EXIT
"""


class Session:
    """Use as a context manager; ``folder`` is the reader's empty home."""

    def __init__(self, folder: Path, blocks: Iterable[Block]) -> None:
        self.folder = folder
        self.state = Path(tempfile.mkdtemp(prefix="docs-state-"))
        self.blocks = list(blocks)
        self.output = ""
        self.background: list[subprocess.Popen[str]] = []
        self.ports = {port: str(_free_port()) for b in self.blocks for port in PORT.findall(b.text)}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.background):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def run(self) -> None:
        """All blocks, in order. Raises AssertionError naming the block's place in the document."""
        for block in self.blocks:
            if block.language in SHELL:
                self._start(block) if "background" in block.words else self._run(block)
            elif block.language in YAML:
                path = self._directory() / block.options["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self._text(block), encoding="utf-8")
            else:
                self._compare(block)

    def _text(self, block: Block) -> str:
        """The block's text with free ports in place of those that the document shows."""
        text = block.text
        for shown, free in self.ports.items():
            text = re.sub(rf"(?<!\d){shown}(?!\d)", free, text)
        return text

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in {"TMPDIR", "HUB_NORTHWIND", "CI"}}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {
            **kept, "PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": "120",
            "DO_NOT_TRACK": "1", "DOCS_STATE": str(self.state),
        }  # fmt: skip

    def _directory(self) -> Path:
        state = self.state / "pwd"
        return Path(state.read_text(encoding="utf-8").strip()) if state.is_file() else self.folder

    def _run(self, block: Block) -> None:
        done = subprocess.run(
            ["bash", "-c", PROLOGUE + self._text(block)],
            cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=BLOCK_SECONDS,
        )  # fmt: skip
        self.output = done.stdout
        wanted = int(block.options.get("exit", "0"))
        assert done.returncode == wanted, (
            f"{block.where}: exit {done.returncode}, the document says {wanted}\n"
            f"{block.text}\n{done.stdout}\n{done.stderr}"
        )

    def _start(self, block: Block) -> None:
        process = subprocess.Popen(
            ["bash", "-c", PROLOGUE.replace("trap ", ": ") + "exec " + self._text(block).strip()],
            cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.background.append(process)
        assert process.stdout is not None
        timer = threading.Timer(READY_SECONDS, process.kill)
        timer.start()
        wanted = block.options.get("ready", "")
        self.output = process.stdout.readline()
        while self.output and wanted not in self.output:
            self.output = process.stdout.readline()
        timer.cancel()
        assert self.output and process.poll() is None, f"{block.where}: ended instead of getting ready\n{block.text}"
        threading.Thread(target=process.stdout.read, daemon=True).start()

    def _compare(self, block: Block) -> None:
        """Every shown line is in the output, in this order; ``…`` in a line stands for anything."""
        printed = [" ".join(line.split()) for line in self.output.splitlines()]
        at = 0
        for shown in self._text(block).splitlines():
            if shown.strip() in ("", "…"):
                continue
            pattern = ".*".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
            hits = [n for n, line in enumerate(printed[at:], at) if re.fullmatch(pattern, line)]
            assert hits, (
                f"{block.where}: the document shows\n  {shown}\nwhich is not in what was printed:\n{self.output}"
            )
            at = hits[0] + 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
