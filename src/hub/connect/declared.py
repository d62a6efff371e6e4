"""What the kit offers for products by declaration, by way of the connector that reads their manifests."""

from __future__ import annotations

from typing import Any, cast

from hub.connect import registry


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of manifests by the connector ``rest``: for editors."""
    return cast("dict[str, Any]", registry.find("rest").module("schema").manifest_schema())
