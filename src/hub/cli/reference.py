"""The commands as they are: the text of ``docs/commands.md``, and whether a command line shown somewhere exists."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import typer

HEAD = """\
# Commands

<!-- Generated from the program by `make generated`; a test compares. Don't edit. -->

One program, `hub`. Every command has `--help`, and `--json` for machines: one JSON object on standard output and
nothing else there. Errors say what happened, where (`file:line:column` or system/resource/record) and what to do. A
project is the folder with `hub.yaml`, found upwards from the current one, or named by `--project DIR`.

| exit code | means |
|---|---|
| 0 | done |
| 1 | done, but something needs a person: conflicts, dead letters, writes held for approval |
| 2 | your configuration or arguments are wrong |
| 3 | a system could not be reached or refused us |
| 70 | a mistake in the hub itself: run it again with `--debug` and report it |
| 130 | stopped by Ctrl-C: what was done is stored, the next pass goes on from there |

With `--json` an error is an object too: `{"ok": false, "error": {"type", "what", "where", "cure"}}`.
"""

COMMON = ("json", "debug", "project", "help")


def markdown() -> str:
    """The whole of ``docs/commands.md``."""
    commands = list(_commands(_tree(), ()))
    contents = [f"| [`hub {' '.join(path)}`](#{'-'.join(('hub', *path))}) | {_short(c)} |" for path, c in commands]
    return (
        "\n".join([HEAD, "| command | does |", "|---|---|", *contents, *(_section(p, c) for p, c in commands)]) + "\n"
    )


def unknown_words(words: Sequence[str]) -> str:
    """What is wrong with ``hub <words>``: a command or option that does not exist; empty when nothing is."""
    node: Any = _tree()
    path = "hub"
    for position, word in enumerate(words):
        children = getattr(node, "commands", {})
        if word.startswith("-"):
            if not _has_option(node, word.partition("=")[0]):
                return f"{path} has no option {word}"
        elif children:
            if word not in children:
                near = difflib.get_close_matches(word, children, n=1)
                return f"{path} has no command {word}" + (f"; did you mean {near[0]}?" if near else "")
            node, path = children[word], f"{path} {word}"
        elif position == len(words):
            break
    return ""


def _tree() -> Any:
    from hub.cli.main import app

    return typer.main.get_command(app)


def _commands(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in node.commands.items():
        if not getattr(child, "commands", None) or child.invoke_without_command:
            yield (*path, name), child
        if getattr(child, "commands", None):
            yield from _commands(child, (*path, name))


def _has_option(node: Any, word: str) -> bool:
    return word == "--help" or any(word in (*p.opts, *p.secondary_opts) for p in node.params)


def _short(command: Any) -> str:
    return _escaped(str(command.short_help or ""))


def _section(path: tuple[str, ...], command: Any) -> str:
    usage = " ".join(["hub", *path, *(_argument(p) for p in command.params if p.param_type_name == "argument")])
    rows = [_row(p) for p in command.params if p.name not in COMMON]
    table = ["| | |", "|---|---|", *rows] if rows else []
    *prose, example = inspect.cleandoc(command.help or "").split("\n\n")
    text = [" ".join(part.split()) for part in prose]
    lines = example.removeprefix("Example:").strip().splitlines()
    shown = "\n".join(["```bash syntax", *(line.strip() for line in lines), "```"])
    parts = [f"\n## hub {' '.join(path)}", f"`{usage}`", *text, "\n".join(table), shown]
    return "\n\n".join(part for part in parts if part)


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name = f"{name}…" if parameter.nargs == -1 else name
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = _argument(parameter).strip("[]")
    else:
        value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
        name = "/".join([*parameter.opts, *parameter.secondary_opts]) + value
    default = parameter.default
    said = "" if default is None or default is False or default in ("", ()) else f" (default {default})"
    return f"| `{name}` | {_escaped(parameter.help or '')}{said} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
