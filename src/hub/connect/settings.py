"""A system's settings, checked by a model of the connector's own."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


class SystemSettings(BaseModel):
    """What every system over HTTP has; a connector adds its own. Unknown keys are errors, values never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(description="Address of the system.")
    timeout: float = Field(default=60, gt=0, description="Seconds to wait for an answer.")
    verify: bool | str = Field(default=True, description="Check TLS certificates; a path names a CA bundle.")


def checked(model: type[Model], given: dict[str, Any], *, where: str, cure: str) -> Model:
    """The settings as the model. Raises ConfigurationError that names every wrong key, and never a value: one of them
    may be a secret."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("; ".join(wrong), where=where, cure=cure) from None
