"""``docs/messages.md``: everything that ``hub validate`` can say about a mapping, gathered from where it is said."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hub.connect
import hub.mapping

FOLDER = Path(hub.mapping.__file__).parent
READING = [Path(hub.connect.__file__).parent / name for name in ("reading.py", "validate.py")]
SAID = {"FitError": 0, "Problem": 1, "problem": 1, "PathError": 0}
"""What is called to say something, and which of its arguments is the message; the cure comes after it."""
CURES = {"did_you_mean": "did you mean …? (or the names that are there)", "_describe": "what the key is for"}
HEAD = """# Messages of `hub validate`

Everything that `hub validate` can say about a mapping file, with what it advises: `…` stands for what is in the file.
It says this at `file:line:column`. What is wrong with an argument begins with the names of operator and argument
(`phone: style: …`), and the advice is what the argument means. What it says of the laws, and of mappings that don't
settle together, is in [mappings](mappings.md#laws).

This file is generated from the program (`make generated`).

"""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that can be said; parts that depend on the file are ``…``."""

    says: str
    cure: str


def messages() -> list[Message]:
    """Everything that is said of a mapping file, in order of its words."""
    found: set[Message] = set()
    for file in [*sorted(FOLDER.rglob("*.py")), *READING]:
        if file.name not in ("laws.py", "record_laws.py", "pingpong.py", "examples.py", "scaffold.py"):
            found |= set(_in(ast.parse(file.read_text("utf-8"))))
    return sorted(found, key=lambda one: (one.says.strip("'…").lower(), one.cure))


def markdown() -> str:
    """The whole document."""
    rows = [f"| {_cell(one.says)} | {_cell(one.cure)} |" for one in messages()]
    return HEAD + "\n".join(["| it says | what to do |", "|---|---|", *rows]) + "\n"


def _in(tree: ast.Module) -> Iterator[Message]:
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.FunctionDef, ast.Module)):
            named = {
                target.id: node.value
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(scope) if isinstance(scope, ast.FunctionDef) else ():
                if isinstance(node, ast.Call):
                    yield from _said(node, named)


def _said(call: ast.Call, named: dict[str, ast.expr]) -> Iterator[Message]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = SAID.get(name)
    if at is None or len(call.args) <= at:
        return
    after = [*call.args[at + 1 : at + 2], *(k.value for k in call.keywords if k.arg == "cure")]
    for says in _texts(call.args[at], named):
        cures = list(_texts(after[0], named)) if after else [""]
        for cure in cures or [""]:
            if says.strip("… :"):
                yield Message(says, "" if cure == "…" else cure)


def _texts(node: ast.expr, named: dict[str, ast.expr]) -> Iterator[str]:
    """The texts that an expression can be, as far as they stand in the program."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield "".join(parts).replace("……", "…")
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, named)
        yield from _texts(node.orelse, named)
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in CURES:
        yield CURES[getattr(node.func, "id", "")]
    elif isinstance(node, ast.Name) and node.id in named:
        yield from _texts(named[node.id], {k: v for k, v in named.items() if k != node.id})
    else:
        yield "…"


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    return plain.replace("[", "\\[")
