"""Settings of a Tryton system, and what the connector knows of Tryton's own modules."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from hub.errors import ConfigurationError

KEYS = {
    "party.party": "identifiers.code",
    "product.product": "suffix_code",
    "sale.sale": "reference",
    "account.invoice": "reference",
}
OWNED = {"product.product": ("template", "products")}
"""Model → the record that it is a part of, and the field there that lists it: read and written as one."""
ON_CHANGE: dict[str, tuple[list[str], dict[str, list[str]]]] = {
    "sale.sale": (["party"], {"lines": ["product"]}),
    "account.invoice": (["party"], {"lines": ["product"]}),
}
"""Fields after which Tryton's own client asks the server what follows from them (addresses, taxes, units)."""
WORKFLOW = {
    "sale.sale": "draft>quotation:quote quotation>confirmed:confirm confirmed>processing:process quotation>draft:draft "
    "confirmed>draft:draft draft>cancelled:cancel quotation>cancelled:cancel cancelled>draft:draft",
    "account.invoice": "draft>validated:validate_invoice validated>posted:post draft>posted:post validated>draft:draft "
    "draft>cancelled:cancel validated>cancelled:cancel cancelled>draft:draft",
    "stock.shipment.out": "draft>waiting:wait waiting>assigned:assign_try assigned>picked:pick picked>packed:pack "
    "packed>done:do packed>shipped:ship shipped>done:do draft>cancelled:cancel waiting>cancelled:cancel",
}
"""Model → its buttons, as ``state>next state:button``."""


class Settings(BaseModel):
    """One database of a Tryton server, one user."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(description="Address of the server, without the database.")
    database: str = Field(min_length=1)
    username: str = Field(min_length=1)
    password: SecretStr
    language: str = "en"
    resources: list[str] = Field(default=[*KEYS, "stock.shipment.out"], description="Models offered by hub check.")
    keys: dict[str, str | None] = Field(
        default={}, description="Model → field that holds the hub's key, or a natural one."
    )
    workflow: dict[str, str] = Field(default={}, description="Model → its buttons, as state>next state:button …")
    skip_warnings: bool = Field(default=False, description="Say yes to the server's warnings, as a person would.")
    overlap: float = Field(default=30, ge=0, description="Seconds read again before the cursor.")
    page: int = Field(default=200, ge=1, le=1000, description="Records asked for, or created, at once.")
    timeout: float = Field(default=120, gt=0, description="Seconds to wait for an answer.")
    verify: bool | str = True

    def key_of(self, model: str) -> str | None:
        return self.keys.get(model, KEYS.get(model))

    def buttons(self, model: str) -> dict[tuple[str, str], str]:
        steps = [
            step.replace(">", ":").split(":") for step in self.workflow.get(model, WORKFLOW.get(model, "")).split()
        ]
        return {(before, after): button for before, after, button in steps}


def read_settings(given: dict[str, Any], system: str) -> Settings:
    """Checked settings. Raises ConfigurationError that names the wrong keys, never their values."""
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
        cure = "see the settings in connectors/tryton/README.md"
        raise ConfigurationError("; ".join(wrong), where=system, cure=cure) from None
