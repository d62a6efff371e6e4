"""A proposed mapping as the text of its file: plain YAML, each line with what speaks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hub.mapping.grammar import VERSION

if TYPE_CHECKING:
    from hub.mapping.scaffold import Block, Line

_PLAIN = re.compile(r"[A-Za-z_\u4e00-\u9fff](?:[\w.\-+ \u4e00-\u9fff]*[\w.\u4e00-\u9fff])?")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}
_LONG = 40
MATCHING = ("tax_id", "number", "einvoice_number", "barcode", "email")


def flow(value: Any) -> str:
    """A value in YAML's flow style, quoted where it has to be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def written(block: Block, *, resource: str, entity: str, head: str, rest: list[str]) -> str:
    """The whole file. ``head`` says what was looked at, ``rest`` are remote fields that nothing was found for."""
    active = {line.name for line in block.lines if line.active}
    rules = [name for name in MATCHING if name in active]
    parts = [
        f"# {head}",
        "# Each line says how sure it is and why; what is only a comment was not proven.",
        f"version: {VERSION}",
    ]
    parts += [f"resource: {flow(resource)}", f"entity: {entity}", ""]
    parts += ["match:", *(f"  - {name}" for name in rules), ""] if rules else [
        "match: []  # no field that tells records apart was found: every record would be a new one", ""
    ]  # fmt: skip
    parts += ["fields:", *_lines(block.lines, "  ")]
    for inner in block.inner:
        parts += [f"  {inner.name}:", *(f"    {key}: {flow(value)}" for key, value in inner.head.items())]
        parts += ["    fields:", *_lines(inner.lines, "      ")]
    if rest:
        parts += ["", "# Nothing was found for these fields of the system:", *_wrapped(rest)]
    return "\n".join(parts) + "\n"


def _lines(lines: list[Line], indent: str) -> Iterator[str]:
    for line in lines:
        told = f"{line.confidence} %, {line.reason}"
        if line.samples:
            told += ": " + "; ".join(_short(sample) for sample in line.samples)
        entry = f"{line.name}: {flow(line.rule)}"
        yield f"{indent}{entry}  # {told}" if line.active else f"{indent}# {entry}  # {told}"


def _short(sample: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in sample)
    return shown if len(shown) <= _LONG else shown[: _LONG - 1] + "…"


def _wrapped(names: list[str]) -> Iterator[str]:
    line = "#"
    for name in names:
        if len(line) + len(name) > 110:
            yield line
            line = "#"
        line += f" {''.join(c if c.isprintable() else ' ' for c in name)},"
    yield line.rstrip(",")
