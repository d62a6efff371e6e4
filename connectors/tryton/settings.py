"""Settings of a Tryton system, and what the connector knows of Tryton's own modules (``models.yaml``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from ruamel.yaml import YAML

from hub.connect.settings import SystemSettings
from hub.connect.workflow import Step, steps_of

KNOWN: dict[str, dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("models.yaml"))


class Settings(SystemSettings):
    """One database of a Tryton server, one user."""

    database: str = Field(min_length=1)
    username: str = Field(min_length=1)
    password: SecretStr
    language: str = "en"
    resources: list[str] = Field(default=[*KNOWN], description="Models offered by hub describe.")
    keys: dict[str, str | None] = Field(default={}, description="Model → field that tells which record is ours.")
    workflow: dict[str, str] = Field(default={}, description="Model → its buttons, as state>next state:button …")
    skip_warnings: bool = Field(default=False, description="Say yes to the server's warnings, as a person would.")
    overlap: float = Field(default=30, ge=0, description="Seconds read again before the cursor.")
    page: int = Field(default=200, ge=1, le=1000, description="Records asked for, or created, at once.")
    timeout: float = Field(default=120, gt=0, description="Seconds to wait for an answer.")

    def known(self, model: str, what: str) -> Any:
        return KNOWN.get(model, {}).get(what)

    def key(self, model: str) -> str | None:
        return self.keys.get(model, self.known(model, "key"))

    def steps(self, model: str) -> list[Step]:
        return steps_of(self.workflow.get(model) or self.known(model, "buttons") or "")
