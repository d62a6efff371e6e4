"""The JSON Schema of ``hub.yaml`` for editors. ``python -m hub.project.schema`` writes ``schemas/hub.schema.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hub.project.config import HubConfig

FILE = Path("schemas") / "hub.schema.json"


def hub_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the grammar."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **HubConfig.model_json_schema(mode="validation"),
        "title": "hub.yaml",
    }


def schema_text() -> str:
    """As it lies in the repository."""
    return json.dumps(hub_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(schema_text(), "utf-8")
