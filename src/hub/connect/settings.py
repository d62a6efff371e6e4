"""A system's settings, checked by a model of the connector's own."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hub.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


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
