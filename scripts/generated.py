"""The generated files of the repository: written anew, or (``--check``) compared with what is there.

Each is made by a function without arguments that returns the whole text, or its data: what writes and what checks is
one.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

GENERATED = {
    "docs/commands.md": "hub.cli.reference:markdown",
    "docs/messages.md": "hub.cli.messages:markdown",
    "schemas/hub.schema.json": "hub.project.schema:schema_text",
    "schemas/manifest.schema.json": "hub.connect.declared:manifest_schema",
    "schemas/mapping.schema.json": "hub.mapping.schema:mapping_schema",
    "schemas/mapping-examples.schema.json": "hub.mapping.schema:examples_schema",
}


def text_of(maker: str) -> str:
    """The text that ``module:function`` makes, or the JSON of the data that it makes."""
    module, _, function = maker.partition(":")
    made: Any = getattr(importlib.import_module(module), function)()
    text = made if isinstance(made, str) else json.dumps(made, indent=2, ensure_ascii=False)
    return text.rstrip() + "\n"


def difference(path: str) -> str:
    """A diff between the file that is there and what would be written now; empty when they are the same."""
    file = ROOT / path
    old = file.read_text(encoding="utf-8") if file.is_file() else ""
    new = text_of(GENERATED[path])
    return "".join(
        difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"{path} (there)", f"{path} (made)")
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check = parser.parse_args().check
    stale = 0
    for path, maker in GENERATED.items():
        diff = difference(path)
        if not diff:
            continue
        stale += 1
        if check:
            print(diff)
            print(f"{path} is out of date: run make generated")
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text_of(maker), encoding="utf-8")
            print(f"{path} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
