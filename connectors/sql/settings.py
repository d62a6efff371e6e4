"""What hub.yaml says of one database: the closed grammar, checked before anything connects."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import ConfigurationError

Scalar = str | int | bool | None
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"} | {
    name: f"{name}+pymysql" for name in ("mysql", "mariadb")
}


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d+)\s*([smhd]?)", value.strip())
    if not found:
        raise ValueError("a duration is a number of seconds or like 60s, 5m, 2h, 1d")
    return int(found[1]) * _UNITS[found[2] or "s"]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone; give a name like Asia/Shanghai or UTC") from None
    return value


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=0)]
Zone = Annotated[str, AfterValidator(_zone)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
NewKey = Literal["database", "mapping", "next"]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Mark(_Closed):
    """A column that marks rows (deleted, archived). Without ``value``: true, or for a time column any time at all."""

    column: str
    value: str | int | bool | tuple[str | int, ...] | None = None
    """Several values all count as the mark; the first is what is written."""


class LinesSettings(_Closed):
    """A child table whose rows are the lines of a record."""

    field: str | None = Field(default=None, alias="as")
    """Name of the lines in the record; the child table's own name when left out."""
    db_schema: str | None = Field(default=None, alias="schema")
    parent: str | tuple[str, ...] | dict[str, str] | None = None
    """Child column(s) holding the parent's key, or child column → parent column; found by foreign key when left out."""
    key: Names = ()
    """What tells the lines of one parent apart; the rest of the primary key when left out."""
    id_as: str = "_id"
    """Name of the field that holds a line's own id."""
    cursor: Names = ()
    """Column(s) that say when a line last changed, for children that don't touch their parent."""
    new_key: NewKey | None = None


class TableSettings(_Closed):
    """One table or view as a resource. Everything has a default found by reflection."""

    table: str | None = None
    db_schema: str | None = Field(default=None, alias="schema")
    key: Names = ()
    cursor: Names = ()
    """When the row last changed; several columns: the first that is not NULL counts."""
    overlap: Seconds | None = None
    deleted: Mark | None = None
    archive: Mark | None = None
    version: str | None = None
    """Column that changes with every update (PostgreSQL: ``xmin`` needs no column)."""
    modified_by: str | None = None
    hub_key: str | None = None
    """Column for the hub's own key: makes creating safe."""
    natural_key: Names = ()
    new_key: NewKey | None = None
    touch: bool = False
    """Set the (first) cursor column to now on every write, for tables whose application does that itself."""
    timezone: Zone | None = None
    filter: dict[str, Scalar | tuple[Scalar, ...]] = {}
    lines: dict[str, LinesSettings] = {}
    hide: Names = ()
    """Columns that the hub neither reads nor writes."""


class Settings(_Closed):
    """One database."""

    url: SecretStr
    db_schema: str | None = Field(default=None, alias="schema")
    read_only: bool = False
    timezone: Zone | None = None
    """Where the clocks stood that wrote times without a zone."""
    overlap: Seconds = 60
    timeout: Seconds = 60
    page_size: int = Field(default=1000, ge=1, le=50_000)
    rounding: Literal["refuse", "database"] = "refuse"
    """What to do with a number that its column can't hold exactly."""
    keys_table: str | None = None
    """A table of the hub's own, made if missing, that remembers which rows it created: for tables without hub_key."""
    tables: dict[str, TableSettings] = {}

    def of_table(self, resource: str) -> TableSettings:
        return self.tables.get(resource, TableSettings())

    def parsed_url(self) -> URL:
        """The URL with the driver filled in. Raises ConfigurationError, never showing the password."""
        try:
            url = make_url(self.url.get_secret_value())
        except (ArgumentError, ValueError):
            raise ConfigurationError(
                "the database URL can't be read",
                cure="write it as postgresql://user:password@host/database, with special characters percent-encoded",
            ) from None
        return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def read_settings(settings: dict[str, Any], system: str) -> Settings:
    """Raises ConfigurationError that names the setting and what would be right."""
    try:
        return Settings.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        cure = _suggestion(path.rpartition(".")[2], path) if first["type"] == "extra_forbidden" else None
        what = f"unknown setting {path!r}" if cure else f"setting {path}: {first['msg']}"
        raise ConfigurationError(what, where=system, cure=cure) from None


def _suggestion(key: str, path: str) -> str:
    inside: dict[str, type[BaseModel]] = {
        "tables": TableSettings, "lines": LinesSettings, "deleted": Mark, "archive": Mark,
    }  # fmt: skip
    model: type[BaseModel] = Settings
    for part in path.split(".")[:-1]:
        model = inside.get(part, model)
    known = [info.alias or name for name, info in model.model_fields.items()]
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known settings: {', '.join(known)}"
