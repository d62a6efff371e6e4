"""The settings of a Kingdee Galaxy system, as they stand in ``hub.yaml``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.connect.settings import checked


class FormSettings(BaseModel):
    """What the hub must know of a form that it does not know by itself (or where yours differs)."""

    model_config = ConfigDict(extra="forbid")

    pk: str | None = Field(default=None, description="Field key of the inner id (FID for bills, FSupplierId …).")
    number: str | None = Field(default=None, description="Field key of the number (FBillNo, FNumber).")
    entries: dict[str, str] | None = Field(default=None, description="Entry key → key of its lines' own id.")
    subheads: dict[str, list[str]] | None = Field(default=None, description="Sub-head key → keys of its fields.")
    changed_by: list[str] | None = Field(default=None, description="Time fields that move when a record changes.")
    organisations: list[str] | None = Field(default=None, description="Fields filled with org_number on creation.")


class Settings(BaseModel):
    """One account set (数据中心), one integration user."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: str = Field(description="Address of your site, ending in /k3cloud/.")
    acct_id: str = Field(min_length=1, description="Data centre id (账套 ID).")
    username: str = Field(min_length=1, description="The integration user.")
    app_id: str = Field(min_length=1, description="Application id of 第三方系统登录授权.")
    app_secret: SecretStr = Field(description="Its secret.")
    lcid: int = Field(default=2052, description="Language: 2052 simplified Chinese, 1033 English, 3076 traditional.")
    org_number: str | None = Field(default=None, description="Organisation that new records belong to.")
    auth: Literal["signature", "session"] = Field(
        default="signature", description="Sign every request, or log in (LoginBySign) and keep a session."
    )
    key_field: str | None = Field(default="F_HUB_KEY", description="Custom text field holding the hub's key.")
    defaults: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Form → fields that a new record gets when the mapping does not give them."
    )
    forms: dict[str, FormSettings] = Field(default_factory=dict)
    page_rows: int = Field(default=2000, ge=10, le=10000, description="Rows asked for at once.")
    batch: int = Field(default=20, ge=1, le=100, description="Records a BatchSave carries.")
    overlap: float = Field(default=60, ge=0, description="Seconds read again before the cursor.")
    clock_slack: float = Field(
        default=120, ge=0, description="How far the server's HTTP clock may be from its database's, in seconds."
    )
    time_zone: str = Field(default="Asia/Shanghai", description="Zone of the server's naive times.")
    sessions: int = Field(default=2, ge=1, le=5, description="Sessions at once; calls within one wait for each other.")
    calls_per_second: float | None = Field(default=None, gt=0)
    calls_per_day: int | None = Field(
        default=None, ge=1, description="Calls a day (in time_zone) that your contract allows; null: no limit is known."
    )
    operation: Literal["ExcuteOperation", "ExecuteOperation"] = Field(
        default="ExcuteOperation", description="Spelling to try first; the other is tried when nothing happened."
    )
    probe_wait: float = Field(default=3, ge=0, description="Seconds before a second look for a lost creation.")
    verify: bool | str = Field(default=True, description="TLS check: true, false, or the path of your CA file.")
    timeout: float = Field(default=120, gt=0, description="Seconds to wait for an answer.")

    @field_validator("url")
    @classmethod
    def _ends_in_k3cloud(cls, url: str) -> str:
        url = url.rstrip("/")
        if not url.lower().endswith("/k3cloud"):
            raise ValueError("must end in /k3cloud/")
        return url + "/"


def read_settings(given: dict[str, Any], system: str) -> Settings:
    """The checked settings. Raises ConfigurationError naming each wrong one; values are never shown."""
    cure = "see connectors/kingdee_galaxy/README.md for all settings"
    return checked(Settings, given, where=f"systems.{system}", cure=cure)
