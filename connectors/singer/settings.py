"""What hub.yaml says of a system that a Singer tap reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.connect.redact import is_secret, remember
from hub.connect.settings import checked


class StreamSettings(BaseModel):
    """What the tap's catalog does not say of a stream, or says wrongly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str] | None = Field(default=None, description="Fields that tell records apart (key properties).")
    modified: str | None = Field(default=None, description="Field with the moment of the last change.")


class Settings(BaseModel):
    """One tap with its configuration. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tap: list[str] = Field(min_length=1, description="The program: a name or path, with arguments.")
    config: dict[str, Any] = Field(default={}, description="The tap's own configuration.")
    env: dict[str, str] = Field(default={}, description="Environment variables for the tap; it gets no others of ours.")
    streams: dict[str, StreamSettings] = {}
    catalog_option: str = Field(default="--catalog", description="Old taps want --properties.")
    idle: float = Field(default=600, gt=0, description="A tap that says nothing for so long is ended.")
    page: int = Field(default=1000, ge=1, description="Records handed on at once.")

    @field_validator("tap", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return shlex.split(value) if isinstance(value, str) else value


def read_settings(given: dict[str, Any], system: str) -> Settings:
    """Checked settings. Raises ConfigurationError that names the wrong keys, never their values."""
    made = checked(Settings, given, where=system, cure="see the settings in connectors/singer/README.md")
    remember(*_secrets(made.config), *made.env.values())
    return made


def _secrets(config: Any, name: str = "") -> Iterator[str]:
    if isinstance(config, dict):
        for key, value in config.items():
            yield from _secrets(value, str(key))
    elif isinstance(config, list):
        for item in config:
            yield from _secrets(item, name)
    elif isinstance(config, str) and is_secret(name):
        yield config
