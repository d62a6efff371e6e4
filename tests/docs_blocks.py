"""The fenced blocks of the documentation, and what each says is to be done with it.

Every ``bash`` and ``yaml`` block says in its info string how it is checked, so that nothing escapes:

| info string                       | what the test does                                                            |
|-----------------------------------|-------------------------------------------------------------------------------|
| ``bash session=NAME``             | runs it; blocks of one session share a folder, its variables and its directory |
| ``bash session=NAME background``  | starts its one command, waits for a line of output (``ready=WORD``: one that   |
|                                   | has this word), stops it when the session ends                                |
| ``bash session=NAME exit=1``      | runs it and expects that exit code                                             |
| ``bash ci``                       | each line is a ``make`` target that continuous integration runs                |
| ``bash syntax``                   | nothing is run; every ``hub`` command and option in it must exist              |
| ``yaml session=NAME file=PATH``   | written to that file of the session                                            |
| ``yaml mapping``                  | a whole mapping: must load without problems                                    |
| ``yaml hub``                      | a whole or partial ``hub.yaml``: must fit its schema                           |
| ``yaml parse``                    | must be YAML                                                                   |
| ``text session=NAME output``      | what the block before printed; ``…`` stands for anything                       |

``json`` and ``python`` blocks must parse; other languages are for reading only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SHELL = {"bash", "sh", "shell", "console"}
YAML = {"yaml", "yml"}
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block. ``line`` is where its text starts."""

    file: Path
    line: int
    language: str
    words: frozenset[str]
    options: dict[str, str] = field(hash=False)
    text: str

    @property
    def where(self) -> str:
        return f"{self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file}:{self.line}"

    @property
    def session(self) -> str | None:
        return self.options.get("session")


def blocks_of(file: Path) -> list[Block]:
    """The fenced blocks of one Markdown file, in order."""
    found: list[Block] = []
    fence = info = ""
    indent = start = 0
    body: list[str] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = FENCE.match(line)
        if not fence and match:
            fence, info, indent = match["fence"], match["info"].strip(), len(match["indent"])
            start, body = number + 1, []
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            found.append(_block(file, start, info, "\n".join(body) + "\n"))
            fence = ""
        elif fence:
            body.append(line[min(indent, len(line) - len(line.lstrip())) :])
    if fence:
        raise AssertionError(f"{file}:{start - 1}: the block is never closed")
    return found


def _block(file: Path, line: int, info: str, text: str) -> Block:
    language, *rest = info.split() or [""]
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    words = frozenset(word for word in rest if "=" not in word)
    return Block(file, line, language.lower(), words, options, text)


def documents() -> list[Path]:
    """Every Markdown file that readers are shown."""
    return sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "connectors").rglob("*.md")])


def problem_with(block: Block) -> str | None:
    """Why a block's info string is not one of the table above; None when it is."""
    known: set[frozenset[str]]
    if block.language in SHELL:
        known = (
            {frozenset(), frozenset({"background"})} if block.session else {frozenset({"ci"}), frozenset({"syntax"})}
        )
        needs = {"session", "exit", "ready"}
    elif block.language in YAML:
        known = {frozenset()} if block.session else {frozenset({w}) for w in ("mapping", "hub", "parse")}
        needs = {"session", "file"}
        if block.session and "file" not in block.options:
            return "a yaml block of a session says file=PATH"
    elif block.session:
        known, needs = {frozenset({"output"})}, {"session"}
    else:
        return None
    if block.words not in known or not set(block.options) <= needs:
        choices = " or ".join(sorted(" ".join(sorted(words)) or "session=NAME" for words in known))
        return f"a {block.language} block must say how it is checked: {choices} (see tests/docs_blocks.py)"
    return None
