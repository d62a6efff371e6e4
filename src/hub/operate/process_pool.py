"""What a worker of the hub's work pool can be told for each run. The shape is Prefect's, of its process workers."""

from __future__ import annotations

from typing import Any

_VARIABLES: dict[str, dict[str, Any]] = {
    "name": {"title": "Name", "type": "string", "description": "Name of the run's process."},
    "env": {
        "title": "Environment variables",
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "description": "Added to the worker's own environment.",
    },
    "labels": {"title": "Labels", "type": "object", "additionalProperties": {"type": "string"}},
    "command": {
        "title": "Command",
        "anyOf": [{"type": "string"}, {"type": "null"}],
        "default": None,
        "description": "Leave blank.",
    },
    "stream_output": {
        "title": "Stream output",
        "type": "boolean",
        "default": True,
        "description": "Show the run's output in the worker's.",
    },
    "working_dir": {
        "title": "Working directory",
        "anyOf": [{"type": "string", "format": "path"}, {"type": "null"}],
        "default": None,
        "description": "Leave blank for a temporary one.",
    },
}

TEMPLATE: dict[str, Any] = {
    "job_configuration": {name: f"{{{{ {name} }}}}" for name in _VARIABLES},
    "variables": {"type": "object", "properties": _VARIABLES},
}
