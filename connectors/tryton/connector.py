"""The connector: any model of a Tryton database as a resource, with the buttons of its workflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.connect.capabilities import Health, Page, Record, Remote, Resource, Result, Write
from hub.connect.services import Services
from hub.errors import AlreadyExists, ConfigurationError, Gone, HubError, RecordRejected

from .client import Client
from .settings import ON_CHANGE, OWNED, Settings, read_settings
from .shapes import KEY_PREFIX, Definitions, commands, described, is_moment, moment, plain, row, simple, typed


class TrytonConnector:
    """Implements Connector, ListChanges, ListIds, Get, Create, Update, Delete and Probe. Thread-safe."""

    name = "tryton"

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings, self._services = settings, services
        self._client = Client(settings, services)
        self._known: dict[str, Definitions] = {}

    @property
    def usage(self) -> dict[str, int]:
        """``calls``, ``retries`` and ``errors`` so far."""
        return self._client.http.usage

    def check(self) -> Health:
        session = self._client.session()
        company = session["context"].get("company.rec_name") or session["context"].get("company")
        problems = () if company else ("the user has no company: choose one in its preferences",)
        details = {"version": session["version"], "company": str(company or "none")}
        return Health(identity=self._settings.username, details=details, problems=problems)

    def describe(self, resource: str | None = None) -> list[Resource]:
        return [self._described(name) for name in ([resource] if resource else self._settings.resources)]

    def close(self) -> None:
        self._client.close()

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        first, last, since = "", 0, is_moment(cursor)
        names = self._names(resource, fields)
        while True:
            domain = [*options.get("domain", []), ["id", ">", last], *self._since(resource, since, fields)]
            found, answer = self._client.call(
                resource, "search_read", domain, 0, self._settings.page, [["id", "ASC"]], names, idempotent=True
            )
            now = answer.server_time() or self._services.now()
            if since and datetime.fromisoformat(since) > now:
                since = None  # the server's clock was put back, or its database restored: everything again
                continue
            # What the walk misses because it changes meanwhile is found from its beginning on.
            first = first or (now - timedelta(seconds=self._settings.overlap)).isoformat()
            done = len(found) < self._settings.page
            yield Page(
                [self._remote(resource, one) for one in found], first if done else None, complete=done and since is None
            )
            if done:
                return
            last = found[-1]["id"]

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        last, size = 0, 10_000
        while True:
            domain = [*options.get("domain", []), ["id", ">", last]]
            found = self._client.read(resource, "search", domain, 0, size, [["id", "ASC"]])
            yield [str(one) for one in found]
            if len(found) < size:
                return
            last = found[-1]

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        domain = [["id", "in", [int(one) for one in ids]]]
        found = self._client.read(resource, "search_read", domain, 0, len(ids), None, self._names(resource, fields))
        known = {one["id"]: self._remote(resource, one) for one in found}
        return [known.get(int(one)) or Remote(one, None, deleted=True) for one in ids]

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        path = self._settings.key_of(resource)
        if path is None:
            raise ConfigurationError(f"no field tells which {resource} is ours", where=self._services.system)
        wanted = [self._key(path, write) for write in writes]
        found = self._client.read(resource, "search_read", [[path, "in", wanted]], 0, None, None, ["id", path])
        head, _, member = path.partition(".")
        ids = {
            value: row["id"]
            for row in found
            for value in ([c[member] for c in row[f"{head}."]] if member else [row[head]])
        }
        there = (
            {one.id: one for one in self.get(resource, [str(one) for one in ids.values()], fields, options)}
            if ids
            else {}
        )
        return [there.get(str(ids.get(key))) for key in wanted]

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        try:
            rows = [self._new(resource, write, options) for write in writes]
            ids = self._created(resource, rows)
        except RecordRejected as error:  # a call is carried out as a whole or not at all
            if len(writes) > 1:
                return [one for write in writes for one in self.create(resource, [write], fields, options)]
            there = self.probe(resource, writes, [], options)[0] if self._settings.key_of(resource) else None
            return [Result(error=AlreadyExists(error.what, remote_id=there.id, where=error.where) if there else error)]
        return self._finished(resource, list(zip(writes, map(str, ids), strict=True)), fields)

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return [self._updated(resource, write, fields) for write in writes]

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        results = []
        for write in writes:
            stamps = {f"{resource},{write.id}": write.version} if write.version else None
            values = [{"active": False}] if write.mode == "archive" else []
            try:
                method = "write" if values else "delete"
                self._client.write(resource, method, [int(write.id or 0)], *values, timestamps=stamps)
                results.append(Result(remote=Remote(write.id or "", None, deleted=not values)))
            except RecordRejected as error:
                gone = self.get(resource, [write.id or "0"], ["id"], {})[0].deleted
                results.append(
                    Result(remote=Remote(write.id or "", None, deleted=True)) if gone else Result(error=error)
                )
            except HubError as error:
                results.append(Result(error=error))
        return results

    def _updated(self, resource: str, write: Write, fields: Sequence[str]) -> Result:
        definitions, key = self._definitions(resource), int(write.id or 0)
        stamps = {f"{resource},{key}": write.version} if write.version else None
        try:
            there = self._client.read(resource, "read", [key], self._names(resource, list(write.values)))[0]
            there = plain(there)
            own: Record = {}
            for name, value in write.values.items():
                relation = definitions[name].get("relation") if name in definitions else None
                if name == OWNED.get(resource, ("",))[0]:
                    values = row(value, self._definitions(str(relation)), there[name])
                    if values:
                        self._client.write(str(relation), "write", [there[name]["id"]], values)
                elif isinstance(value, list) and definitions[name]["type"] == "one2many":
                    own[name] = commands(there[name], value, self._definitions(str(relation)))
                elif name != "state":
                    own[name] = typed(name, value, definitions.get(name, {}).get("type", "char"))
            if own:
                self._client.write(resource, "write", [key], own, timestamps=stamps)
        except RecordRejected as error:
            gone = self.get(resource, [str(key)], ["id"], {})[0].deleted
            return Result(error=Gone("the record is not there any more", where=error.where) if gone else error)
        except HubError as error:
            return Result(error=error)
        return self._finished(resource, [(write, str(key))], fields)[0]

    def _finished(self, resource: str, done: list[tuple[Write, str]], fields: Sequence[str]) -> list[Result]:
        """Push the buttons that lead to the wanted states, and read all back."""
        problems = {key: self._push(resource, key, write.values.get("state")) for write, key in done}
        found = self.get(resource, [key for _, key in done], fields, {})
        return [Result(remote=one, problem=problems[one.id]) for one in found]

    def _push(self, resource: str, key: str, wanted: str | None) -> HubError | None:
        buttons, pushed = self._settings.buttons(resource), 0
        while wanted and buttons:
            state = self._client.read(resource, "read", [int(key)], ["state"])[0]["state"]
            if state == wanted:
                return None
            button = next_button(buttons, state, wanted)
            pushed += 1
            if button is None or pushed > len(buttons):
                return RecordRejected(f"no button leads from {state} to {wanted}", field="state", where=resource)
            try:
                self._client.write(resource, button, [int(key)])
            except HubError as error:
                return error
        return None

    def _new(self, resource: str, write: Write, options: Record) -> Record:
        """The values of a new record: as given, with the hub's key and what Tryton itself adds to them."""
        definitions, values = self._definitions(resource), {**options.get("defaults", {}), **write.values}
        path = self._settings.key_of(resource)
        head, _, member = (path or "").partition(".")
        made: Record = {}
        for name, value in values.items():
            one = definitions.get(name, {"type": "char"})
            if one["type"] == "one2many":
                made[name] = [["create", [row(line, self._definitions(one["relation"])) for line in value or []]]]
            elif name == OWNED.get(resource, ("",))[0]:
                made[name] = row(
                    {**options.get("defaults", {}).get(name, {}), **value}, self._definitions(one["relation"])
                )
            elif name != "state":
                made[name] = typed(name, value, one["type"])
        if member:
            made.setdefault(head, [["create", []]])[0][1].append({member: self._key(path or "", write)})
        elif head and not made.get(head):
            made[head] = self._key(head, write)
        return self._followed(resource, made)

    def _followed(self, model: str, made: Record, above: Record | None = None) -> Record:
        """What the server's own rules say follows from these values, where nothing was said about it."""
        names, children = ON_CHANGE.get(model, ([], {})) if above is None else (list(above["names"]), {})
        definitions = self._definitions(model)
        names = [name for name in names if made.get(name)]
        defaults = self._client.read(model, "default_get", list(definitions), False) if names else {}
        known = {**defaults, **made}
        for name in names:
            asked = {
                n: None if isinstance(known.get(n), list) else known.get(n) for n in definitions[name]["on_change"]
            }
            if above:
                # The client knows a line's parent; its company decides which taxes and prices are seen.
                asked |= {n: above["values"].get(n.split(".")[-1]) for n in asked if "." in n or n == "company"}
            told = self._client.read(model, "on_change", asked, [name])
            for change in told if isinstance(told, list) else [told]:
                for field, value in change.items():
                    if field in definitions and not definitions[field].get("readonly") and made.get(field) is None:
                        added = isinstance(value, dict) and "add" in value
                        known[field] = made[field] = (
                            [["add", [one[1]["id"] for one in value["add"]]]] if added else value
                        )
        for lines, after in children.items():
            for command in made.get(lines, []):
                relation = str(definitions[lines]["relation"])
                command[1] = [self._followed(relation, line, {"names": after, "values": known}) for line in command[1]]
        return made

    def _created(self, resource: str, rows: list[Record]) -> list[int]:
        if resource not in OWNED:
            found: list[int] = self._client.write(resource, "create", rows)
            return found
        owner, field = OWNED[resource]
        model = str(self._definitions(resource)[owner]["relation"])
        whole = [{**(one.pop(owner, None) or {}), field: [["create", [one]]]} for one in rows]
        owners = self._client.write(model, "create", whole)
        made = {one["id"]: one[field][0] for one in self._client.read(model, "read", owners, [field])}
        return [made[one] for one in owners]

    def _key(self, path: str, write: Write) -> str:
        """What the field of the hub's key holds: a number that the record brings along, else the hub's own."""
        return KEY_PREFIX + write.key if "." in path else str(write.values.get(path) or KEY_PREFIX + write.key)

    def _since(self, resource: str, cursor: str | None, fields: Sequence[str]) -> list[Any]:
        """Changed since then: the record, or a child of it, which does not touch it."""
        if not cursor:
            return []
        definitions = self._definitions(resource)
        inside = [f"{name}." for name in fields if definitions.get(name, {}).get("type") == "one2many"]
        inside += [f"{name}." for name in fields if name == OWNED.get(resource, ("",))[0]]
        dates = [f"{place}{name}" for place in ["", *inside] for name in ("write_date", "create_date")]
        return [["OR", *([name, ">=", moment(cursor)] for name in dates)]]

    def _names(self, resource: str, fields: Sequence[str]) -> list[str]:
        """What to ask for, so that children come as records."""
        definitions = self._definitions(resource)
        wanted = list(fields) or simple(definitions)
        if unknown := [name for name in wanted if name not in definitions]:
            raise ConfigurationError(f"{resource} has no field {', '.join(unknown)}", where=self._services.system)
        names = ["write_date", "create_date", "_timestamp"]
        for name in wanted:
            one = definitions[name]
            inside = one["type"] == "one2many" or name == OWNED.get(resource, ("",))[0]
            names += [f"{name}.{n}" for n in ["id", *simple(self._definitions(one["relation"]))]] if inside else [name]
        path = self._settings.key_of(resource) or ""
        return [*names, path] if "." in path and path not in names else names

    def _remote(self, resource: str, row: Record) -> Remote:
        stamp = row.pop("_timestamp", None)
        record = plain(row)
        head, _, member = (self._settings.key_of(resource) or "").partition(".")
        keys = [str(c[member]) for c in record.get(head) or [] if member and str(c[member]).startswith(KEY_PREFIX)]
        if keys:
            record[head] = [c for c in record[head] if not str(c[member]).startswith(KEY_PREFIX)]
        key = keys[0].removeprefix(KEY_PREFIX) if keys else None
        changed = record.pop("write_date", None) or record.get("create_date")
        record.pop("create_date", None)
        return Remote(str(record["id"]), record, version=stamp, modified_at=changed, key=key)

    def _definitions(self, model: str) -> Definitions:
        if model not in self._known:
            try:
                self._known[model] = self._client.read(model, "fields_get", [])
            except RecordRejected as error:
                raise ConfigurationError(f"there is no model {model!r}", where=self._services.system) from error
        return self._known[model]

    def _described(self, model: str) -> Resource:
        self._known.pop(model, None)
        definitions = self._definitions(model)
        defaults = self._client.read(
            model, "default_get", [n for n, d in definitions.items() if d.get("required")], False
        )
        fields, lines = [], {}
        for name, one in definitions.items():
            inside = one["type"] == "one2many" or name == OWNED.get(model, ("",))[0]
            below = self._definitions(one["relation"]) if inside else {}
            if one["type"] == "one2many":
                lines[name] = "id"
            given = name in defaults or f"{name}_readonly" in definitions  # a number that Tryton counts up itself
            fields.append(described(name, one, tuple(described(n, below[n]) for n in simple(below)), given))
        path = self._settings.key_of(model)
        return Resource(
            name=model, label=model, fields=tuple(fields), line_ids=lines, batch=self._settings.page, parallel=2,
            probe="none" if path is None else "external" if "." in path else "natural", archive="active" in definitions,
        )  # fmt: skip


def next_button(buttons: dict[tuple[str, str], str], state: str, wanted: str) -> str | None:
    """The button to push first on the shortest way from one state to another."""
    ways = [(after, button) for (before, after), button in buttons.items() if before == state]
    seen = {state}
    while ways:
        at, first = ways.pop(0)
        if at == wanted:
            return first
        if at not in seen:
            seen.add(at)
            ways += [(after, first) for (before, after) in buttons if before == at]
    return None


def open_connector(settings: dict[str, Any], services: Services) -> TrytonConnector:
    """A connector for one database. Raises ConfigurationError for wrong settings; calls nothing yet."""
    return TrytonConnector(read_settings(settings, services.system), services)
