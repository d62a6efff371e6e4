"""The connector: any model of a Tryton database as a resource, with the buttons of its workflow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.connect.capabilities import Health, Record, Remote, Resource, Write
from hub.connect.models import Asked, ModelConnector
from hub.connect.outcomes import carried_out
from hub.connect.services import Services
from hub.connect.settings import checked
from hub.connect.workflow import Step
from hub.errors import ConfigurationError

from .client import Client
from .models import KEY_PREFIX, Models
from .settings import Settings

BY_ID = [["id", "ASC"]]


class TrytonConnector(ModelConnector):
    """Implements Connector, ListChanges, ListIds, Get, Create, Update, Delete and Probe. Thread-safe."""

    name, state = "tryton", "state"

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings, self.now = settings, services.now
        self.page, self.overlap = settings.page, settings.overlap
        self._client = Client(settings, services)
        self.rpc = self._client.rpc
        self._models = Models(self._client, settings)

    def check(self) -> Health:
        session = self.rpc.session()
        company = session["context"].get("company.rec_name") or session["context"].get("company")
        problems = () if company else ("the user has no company: choose one in its preferences",)
        details = {"version": session["version"], "company": str(company or "none")}
        return Health(identity=self._settings.username, details=details, problems=problems)

    def describe(self, resource: str | None = None) -> list[Resource]:
        return [self._described(name) for name in ([resource] if resource else self._settings.resources)]

    def search(
        self, model: str, asked: Asked, fields: Sequence[str], options: Record
    ) -> tuple[list[Remote], datetime | None]:
        wanted = ["id", ">", asked.after] if asked.ids is None else ["id", "in", list(asked.ids)]
        domain = [*options.get("domain", []), wanted, *self._models.since(model, asked.since, fields)]
        return self._found(model, domain, fields, asked.size)

    def search_ids(self, model: str, after: int, size: int, options: Record) -> list[int]:
        domain = [*options.get("domain", []), ["id", ">", after]]
        return list(self._client.read(model, "search", domain, 0, size, BY_ID))

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        path = self._settings.key(resource)
        if path is None:
            raise ConfigurationError(f"no field tells which {resource} is ours", where=self._client.where)
        keys, head = [self._models.key(path, write) for write in writes], path.partition(".")[0]
        found, _ = self._found(resource, [[path, "in", keys]], [*fields, head], None)
        known = {KEY_PREFIX + one.key if one.key else (one.record or {}).get(head): one for one in found}
        return [known.get(key) for key in keys]

    def twin(self, model: str, write: Write) -> Remote | None:
        return self.probe(model, [write], [], {})[0] if self._settings.key(model) else None

    def make(self, model: str, writes: Sequence[Write], options: Record) -> list[int]:
        rows = [self._new(model, write, options) for write in writes]
        part = self._settings.known(model, "part")
        if part is None:
            return list(self._client.write(model, "create", rows))
        # The record that these are parts of is created with them in it.
        owner, listed = self._models.relation(model, part), self._settings.known(model, "parts")
        whole = [{**(row.pop(part, None) or {}), listed: [["create", [row]]]} for row in rows]
        owners = self._client.write(owner, "create", whole)
        with carried_out(f"{self._client.where}/{model}"):
            made = {one["id"]: one[listed][0] for one in self._client.read(owner, "read", owners, [listed])}
            return [made[one] for one in owners]

    def change(self, model: str, write: Write, there: Remote) -> None:
        now, part = there.record or {}, self._settings.known(model, "part")
        values = self._models.sent(model, write.values, now)
        if owned := values.pop(part, None):
            self._client.write(self._models.relation(model, part), "write", [now[part]["id"]], owned)
        if values:
            self._sent(model, "write", write, values)

    def remove(self, model: str, write: Write) -> None:
        values = [{"active": False}] if write.mode == "archive" else []
        self._sent(model, "write" if values else "delete", write, *values)

    def steps(self, model: str) -> list[Step]:
        return self._settings.steps(model)

    def take(self, model: str, id: int, step: Step) -> None:
        self._client.write(model, step.do, [id])

    def _described(self, model: str) -> Resource:
        self._models.forget(model)
        needed = [name for name, one in self._models.of(model).items() if one.get("required")]
        # What has a default, and numbers that Tryton counts up itself.
        given = {*self._client.read(model, "default_get", needed, False)}
        given |= {name for name in needed if f"{name}_readonly" in self._models.of(model)}
        path = self._settings.key(model)
        return Resource(
            name=model, label=model, batch=self._settings.page, parallel=2,
            fields=self._models.described(model, given, writable={self.state}),
            line_ids=dict.fromkeys(self._models.lines(model), "id"), archive="active" in self._models.of(model),
            probe="none" if path is None else "external" if "." in path else "natural",
        )  # fmt: skip

    def _found(
        self, model: str, domain: list[Any], fields: Sequence[str], size: int | None
    ) -> tuple[list[Remote], datetime | None]:
        names = self._models.names(model, fields)
        rows, answer = self._client.call(model, "search_read", domain, 0, size, BY_ID, names, idempotent=True)
        return [self._models.remote(model, row) for row in rows], answer.server_time()

    def _sent(self, model: str, method: str, write: Write, *values: Record) -> None:
        """A change that is refused when the record moved on since it was planned."""
        stamps = {f"{model},{write.id}": write.version} if write.version else None
        self._client.write(model, method, [int(write.id or 0)], *values, timestamps=stamps)

    def _new(self, model: str, write: Write, options: Record) -> Record:
        """The values of a new record: as given, with the hub's key and what Tryton itself adds to them."""
        defaults, path = options.get("defaults", {}), self._settings.key(model) or ""
        part, (head, _, member) = self._settings.known(model, "part"), path.partition(".")
        given = {**defaults, **write.values}
        if part in given:
            given[part] = {**defaults.get(part, {}), **given[part]}
        made = self._models.sent(model, given, {})
        if member:
            made[head] = [*made.get(head, []), ["create", [{member: self._models.key(path, write)}]]]
        elif head and not made.get(head):
            made[head] = self._models.key(head, write)
        follow = self._settings.known(model, "follow") or []
        return self._followed(model, made, follow, self._settings.known(model, "follow_lines") or {})

    def _followed(
        self, model: str, made: Record, names: list[str], lines: dict[str, list[str]], above: Record | None = None
    ) -> Record:
        """What the server's own rules say follows from the fields ``names``, where nothing was said about it."""
        definitions = self._models.of(model)
        names = [name for name in names if made.get(name)]
        known = {**(self._client.read(model, "default_get", list(definitions), False) if names else {}), **made}
        for name in names:
            plain = {one: value for one, value in known.items() if not isinstance(value, list)}
            asked = {one: plain.get(one) for one in definitions[name]["on_change"]}
            if above is not None:
                # The client knows a line's parent; its company decides which taxes and prices are seen.
                asked |= {one: above.get(one.split(".")[-1]) for one in asked if "." in one or one == "company"}
            told = self._client.read(model, "on_change", asked, [name])
            for field, value in [pair for one in (told if isinstance(told, list) else [told]) for pair in one.items()]:
                if field in definitions and not definitions[field].get("readonly") and made.get(field) is None:
                    added = value["add"] if isinstance(value, dict) and "add" in value else None
                    known[field] = made[field] = value if added is None else [["add", [one[1]["id"] for one in added]]]
        for field, after in lines.items():
            for command in made.get(field, []):
                relation = self._models.relation(model, field)
                command[1] = [self._followed(relation, line, after, {}, known) for line in command[1]]
        return made


def open_connector(settings: dict[str, Any], services: Services) -> TrytonConnector:
    """A connector for one database. Raises ConfigurationError for wrong settings; calls nothing yet."""
    cure = "see the settings in connectors/tryton/README.md"
    return TrytonConnector(checked(Settings, settings, where=services.system, cure=cure), services)
