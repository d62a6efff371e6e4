"""What a system of this connector is configured with in hub.yaml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hub.connect.settings import checked

DataCenter = Literal["us", "eu", "in", "au", "jp", "cn", "ca", "sa", "uk"]

ACCOUNTS_URLS: dict[str, str] = {
    "us": "https://accounts.zoho.com",
    "eu": "https://accounts.zoho.eu",
    "in": "https://accounts.zoho.in",
    "au": "https://accounts.zoho.com.au",
    "jp": "https://accounts.zoho.jp",
    "cn": "https://accounts.zoho.com.cn",
    "ca": "https://accounts.zohocloud.ca",
    "sa": "https://accounts.zoho.sa",
    "uk": "https://accounts.zoho.uk",
}
"""Accounts server by data centre (API page "Multi DC"). The API's own host always comes from the token's answer."""

ARCHIVED: dict[str, dict[str, Any]] = {
    "Accounts": {"Customer_Status": "Inactive"},
    "Contacts": {"Contact_Status": "Inactive"},
    "Products": {"Product_Active": False},
}


class Settings(BaseModel):
    """Settings of one Zoho CRM org. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    data_center: DataCenter = "us"
    accounts_url: str = ""
    """Instead of the data centre's accounts server (a test server, a new data centre)."""
    api_url: str = ""
    """Instead of the API domain that the token's answer names."""
    key_field: str | None = "Hub_Key"
    """Field of every module that holds the hub's own key: text, unique or external. None: there is none."""
    trigger: list[str] | None = []
    """Automations that the hub's writes start (workflow, approval, blueprint, …): none by default. Null: all."""
    archive: dict[str, dict[str, Any]] = ARCHIVED
    """Module → what "archived" means there: the fields to set instead of deleting."""
    overlap: int = Field(default=120, ge=0)
    """How far behind the last seen change each incremental read begins."""
    page_size: int = Field(default=200, ge=1, le=200)
    ids_per_call: int = Field(default=100, ge=1, le=100)
    """Ids in one GET. The vendor's specification hints at 1,024 characters (50 ids); lower it if a call is refused."""
    token_records: int = Field(default=100_000, ge=400)
    """Records that one chain of page tokens yields at most."""
    line_gets: int = Field(default=200, ge=0)
    """Changed orders or invoices that are fetched one by one for their lines before all lines are listed instead."""
    line_modules: bool = True
    """Whether lines may be listed as a module of their own (``GET Ordered_Items``)."""
    bulk_from: int | None = Field(default=20_000, ge=0)
    """Records a first listing has shown when the rest is read in bulk files. Null: never."""
    bulk_wait: float = Field(default=3600, gt=0)
    """How long the vendor may take for one bulk file before the rest is listed after all."""
    calls_at_once: int = Field(default=5, ge=1)
    """Calls under way at once (the free edition allows 5, the largest 25)."""
    calls_per_second: float | None = Field(default=None, gt=0)
    credits_per_day: int | None = Field(default=None, ge=1)
    """Credits that this org may use in 24 hours, all its apps together (5,000 in the free edition; the others by their
    number of users). Null: unknown until the vendor says what is left, which it does once half are used."""
    connect_timeout: float = Field(default=10, gt=0)
    read_timeout: float = Field(default=60, gt=0)
    attempts: int = Field(default=5, ge=1)
    verify: bool | str = True
    """Check TLS certificates; a path names a CA bundle."""

    @model_validator(mode="after")
    def _fill_address(self) -> Settings:
        if not self.accounts_url:
            object.__setattr__(self, "accounts_url", ACCOUNTS_URLS[self.data_center])
        return self


def read_settings(given: dict[str, Any], system: str) -> Settings:
    """Checked settings. Raises ConfigurationError that names the wrong keys, never their values."""
    return checked(Settings, given, where=system, cure="see the settings in connectors/zoho_crm/README.md")
