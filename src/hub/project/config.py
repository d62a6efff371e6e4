"""The grammar of ``hub.yaml``. It is closed: what is not described here is an error, not ignored.

These classes read the file, and the JSON Schema for editors (``schemas/hub.schema.json``) is generated from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from hub.model.spec import TypeName
from hub.project.schedule import Schedule, Schedules
from hub.project.webhooks import WebhooksConfig

Direction = Literal["both", "in", "out"]
STORE = "sqlite:///.hub/hub.db"
SHORTEST_HISTORY = 7
"""Days, as in ``hub.sync.prune``."""
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_POLICIES = ("newest", "hold", "owner")


class Strict(BaseModel):
    """Base of all sections. Values are never shown in errors: one of them may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _or_empty(value: Any) -> Any:
    return {} if value is None else value


def _shorthand(expand: Callable[[Any], Any], written: Any) -> BeforeValidator:
    return BeforeValidator(expand, json_schema_input_type=written)


def _share(value: Any) -> Any:
    if isinstance(value, str):
        match = _SHARE.fullmatch(value.strip())
        if match is None:
            raise ValueError("a share is written like 10% or 0.1")
        return float(match[1]) / 100
    return value


def _conflict(value: Any) -> Any:
    if isinstance(value, str) and value in _POLICIES:
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError("expected newest, hold, owner, or a list of systems, the one that wins first")


def _creating(value: Any) -> Any:
    if isinstance(value, bool) or value == "unproven":
        return value
    raise ValueError("expected true, false or unproven")


Creating = Annotated[bool | Literal["unproven"], _shorthand(_creating, bool | Literal["unproven"])]
Conflict = Annotated[
    Literal["newest", "hold", "owner"] | tuple[str, ...],
    _shorthand(_conflict, Literal["newest", "hold", "owner"] | list[str]),
]
WrittenSchedules = Annotated[
    Schedules, _shorthand(lambda value: value, str | bool | None | Schedule | list[str | Schedule])
]


class NotifyConfig(Strict):
    """Who hears of failed passes; ``hub.project.schedule.Notify`` once the address is resolved."""

    webhook: str = Field(repr=False, description="Address that gets a POST with JSON: ${NAME} of the environment.")
    format: Literal["json", "slack", "wecom", "dingtalk", "feishu"] = Field(
        "json", description="Shape of the JSON: the hub's own, or that of a chat's robot."
    )


class SystemConfig(BaseModel):
    """One configured instance of a product. All further keys are the connector's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    connector: str = Field(description="Connector that speaks the product's API: zoho_crm, kingdee_galaxy, sql …")
    mappings: Annotated[dict[str, dict[str, Any] | None], _shorthand(_or_empty, dict[str, dict[str, Any] | None])] = (
        Field(
            default={},
            description="Resource → fields added to its mapping, or lines of it overridden (null removes one), "
            "for this system only.",
        )
    )

    @property
    def settings(self) -> dict[str, Any]:
        """The connector's own settings, as written: references to secrets are not resolved."""
        return dict(self.__pydantic_extra__ or {})


class Participation(Strict):
    """How a system takes part in an entity."""

    direction: Direction = Field(description="in: the hub reads it; out: the hub writes it; both.")
    resource: str | None = Field(
        None, description="Resource to use, where the system has several mappings of the entity."
    )


def _participation(value: Any) -> Any:
    return {"direction": value} if isinstance(value, str) else value


class BudgetConfig(Strict):
    """A pass that would change or delete more than the larger of the two stops and asks."""

    floor: int = Field(50, ge=0, description="So many writes in one system are always allowed.")
    share: Annotated[float, _shorthand(_share, float | str)] = Field(
        0.10, ge=0, le=1, description="Share of a system's records, like 10%."
    )


class EntityConfig(Strict):
    """How one entity is kept in agreement."""

    systems: dict[str, Annotated[Participation, _shorthand(_participation, Direction | Participation)]] = Field(
        description="System → both, in or out. The first is observed first."
    )
    authority: Annotated[dict[str, str], _shorthand(_or_empty, dict[str, str])] = Field(
        default={}, description="Field → the system that owns it: others never change it."
    )
    conflict: Conflict = Field("newest", description="Who wins when two systems changed one field.")
    field_conflict: Annotated[dict[str, Conflict], _shorthand(_or_empty, dict[str, Any])] = Field(
        default={}, description="The same for single fields."
    )
    deletes: Literal["ignore", "archive", "propagate"] = Field(
        "archive", description="What a deletion in one system does in the others."
    )
    budget: BudgetConfig = Field(default=BudgetConfig(), description="How much one pass may change unasked.")
    create: Annotated[dict[str, Creating], _shorthand(_or_empty, dict[str, Creating])] = Field(
        default={},
        description="System → false: records are never created there, only updated. unproven: they are created there "
        "even if one whose answer was lost can't be found again, and may then be there twice.",
    )
    schedule: WrittenSchedules | None = Field(
        None, description="When passes run: 15m, {cron: …}, a list of both, or off; the project's when left out."
    )
    partitions: int = Field(
        1,
        ge=1,
        le=32,
        description="Parts in which its systems are read where they can be, so that as many passes work on it at once.",
    )

    @field_validator("systems")
    @classmethod
    def _somebody(cls, systems: dict[str, Participation]) -> dict[str, Participation]:
        if not systems:
            raise ValueError("name at least one system that takes part")
        return systems


class FieldDeclaration(Strict):
    """A field that the canonical model lacks."""

    type: TypeName = Field(description="Type of the field.")
    description: str = ""
    choices: list[str] = Field(default=[], description="For enum: the values it can have.")
    ref: str | None = Field(None, description="For ref: the entity it points at.")
    key: str | None = Field(None, description="For lines: the field that tells lines apart.")
    fields: dict[str, Declaration] = Field(default={}, description="For lines: the fields of a line.")
    max_length: int | None = Field(None, ge=1, description="Longer texts are reported.")


def _declaration(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Declaration = Annotated[FieldDeclaration, _shorthand(_declaration, TypeName | FieldDeclaration)]


class EntityDeclaration(Strict):
    """An entity that the canonical model lacks."""

    description: str = ""
    title: list[str] = Field(default=[], description="Fields that name a record to a person, first one present.")
    fields: dict[str, Declaration] = Field(description="Its fields.")


class ModelConfig(Strict):
    """What the project adds to the canonical model."""

    fields: Annotated[dict[str, dict[str, Declaration]], _shorthand(_or_empty, dict[str, dict[str, Declaration]])] = (
        Field(default={}, description="Entity (or entity.lines) → fields added to it.")
    )
    entities: Annotated[dict[str, EntityDeclaration], _shorthand(_or_empty, dict[str, EntityDeclaration])] = Field(
        default={}, description="Entities added to the model."
    )


def _age(value: Any) -> Any:
    if value is None or value is False or (isinstance(value, str) and value.strip().lower() in {"off", "none"}):
        return None
    match = re.fullmatch(r"(\d+)\s*d", value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) < SHORTEST_HISTORY:
        raise ValueError(
            f"write days, such as 90d (at least {SHORTEST_HISTORY}d: passes look back so far), or off: keep everything"
        )
    return int(match[1])


class RetentionConfig(Strict):
    """How much history is kept: whichever of the two reaches back further."""

    older_than: Annotated[int | None, _shorthand(_age, str | None)] = Field(
        90, description="What happened so long ago may go, such as 90d; off: nothing ever goes."
    )
    keep_runs: int = Field(
        20,
        ge=1,
        description="What happened since the last so many passes that wrote anything stays, however old.",
    )
    at: str = Field("40 3 * * *", description="When hub up and hub deploy prune: five cron fields, in the time zone.")

    @field_validator("at")
    @classmethod
    def _five_fields(cls, text: str) -> str:
        return str(Schedule(cron=text).cron)


def _retention(value: Any) -> Any:
    off = value is None or value is False or (isinstance(value, str) and value.strip().lower() in {"off", "none"})
    return {"older_than": "off"} if off else value


class HubConfig(Strict):
    """A whole ``hub.yaml``."""

    version: Literal[2] = Field(description="Version of this grammar; `hub migrate` rewrites a file of an earlier one.")
    name: str | None = Field(None, description="Name of the project; the folder's name when left out.")
    store: str = Field(STORE, description="The hub's own database: SQLite or PostgreSQL, as SQLAlchemy writes URLs.")
    timezone: str = Field("UTC", description="Time zone of schedules and reports, like Asia/Shanghai.")
    systems: Annotated[dict[str, SystemConfig], _shorthand(_or_empty, dict[str, SystemConfig])] = Field(
        default={}, description="The systems, each with a name of your choice."
    )
    entities: Annotated[dict[str, EntityConfig], _shorthand(_or_empty, dict[str, EntityConfig])] = Field(
        default={}, description="What is kept in agreement, and how."
    )
    model: Annotated[ModelConfig, _shorthand(_or_empty, ModelConfig)] = Field(
        default=ModelConfig(), description="Fields and entities that the canonical model lacks."
    )
    schedule: WrittenSchedules | None = Field(
        None, description="When passes of every entity run, unless it says otherwise."
    )
    notify: NotifyConfig | None = Field(None, description="Who hears of failed passes.")
    retention: Annotated[RetentionConfig, _shorthand(_retention, RetentionConfig | bool | str | None)] = Field(
        default=RetentionConfig(), description="How much history is kept; off: all of it."
    )
    webhooks: WebhooksConfig | None = Field(None, description="Where systems can tell the hub of a change.")

    @field_validator("timezone")
    @classmethod
    def _a_known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone; write a name like Asia/Shanghai")
        return name
