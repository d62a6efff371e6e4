"""Records as Tryton shapes them: what to ask for, what a row says, what to send, and the hub's own key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.connect.capabilities import Record, Remote, Write
from hub.connect.lines import Compared
from hub.connect.model_fields import ModelFields
from hub.connect.typed_json import moment, plain, typed

from .client import Client
from .settings import Settings

KEY_PREFIX = "hub:"


class Models(ModelFields):
    """The models of one database."""

    def __init__(self, client: Client, settings: Settings) -> None:
        super().__init__(
            lambda model: client.read(model, "fields_get", []),
            lambda model: settings.known(model, "part"),
            client.where,
        )
        self._settings = settings

    def names(self, model: str, fields: Sequence[str]) -> list[str]:
        """What to ask for: fields, moments of change, and where the hub's key is."""
        path = self._settings.key(model) or ""
        keys = [path] if "." in path else []
        return list(dict.fromkeys(["write_date", "create_date", "_timestamp", *self.paths(model, fields), *keys]))

    def since(self, model: str, at: datetime | None, fields: Sequence[str]) -> list[Any]:
        """Changed since then: the record, or a child of it, which does not touch it."""
        places = ["", *(f"{name}." for name in fields if self.below(model, name) is not None)]
        dates = [f"{place}{name}" for place in places for name in ("write_date", "create_date")]
        return [["OR", *([name, ">=", moment(at)] for name in dates)]] if at else []

    def remote(self, model: str, row: Record) -> Remote:
        # Children come under "lines.", with a dot.
        record = {name.removesuffix("."): plain(value) for name, value in row.items()}
        stamp, created = record.pop("_timestamp", None), record.pop("create_date", None)
        head, _, member = (self._settings.key(model) or "").partition(".")
        mine = [one for one in record.get(head) or [] if member and str(one[member]).startswith(KEY_PREFIX)]
        if mine:
            record[head] = [one for one in record[head] if one not in mine]
        key = str(mine[0][member]).removeprefix(KEY_PREFIX) if mine else None
        changed = record.pop("write_date", None) or created
        return Remote(str(record["id"]), record, version=stamp, modified_at=changed, key=key)

    def key(self, path: str, write: Write) -> str:
        """What the field of the hub's key holds: a number that the record brings along, else the hub's own."""
        return KEY_PREFIX + write.key if "." in path else str(write.values.get(path) or KEY_PREFIX + write.key)

    def sent(self, model: str, values: Record, there: Record) -> Record:
        """The values as the server takes them, without the state, which buttons change."""
        stateless = {name: value for name, value in values.items() if name != "state"}
        return self.values(model, stateless, there, _typed, _commands)


def _typed(name: str, value: Any, kind: str) -> Any:
    return [["add", value]] if kind == "many2many" and value else typed(name, value, kind)


def _commands(lines: Compared) -> list[list[Any]]:
    made: list[list[Any]] = [["write", [now["id"]], values] for values, now in lines.kept]
    if lines.gone:
        made.append(["delete", [line["id"] for line in lines.gone]])
    return [*made, ["create", lines.new]] if lines.new else made
