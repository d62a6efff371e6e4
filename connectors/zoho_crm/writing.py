"""Writing: creates that are safe to repeat, updates that refuse stale ones, lines that never double, deletions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.connect.capabilities import Record, Remote, Result, Write
from hub.errors import (
    AlreadyExists,
    ConfigurationError,
    Gone,
    HubError,
    RecordRejected,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)

from .api import ZohoApi, parse_time, utc_text
from .lines import get_singly
from .metadata import Metadata
from .problems import duplicate_of, record_error
from .reading import Reader
from .settings import Settings
from .walking import STAMP

MOST_IN_QUERY = 50


@dataclass(slots=True)
class _Ready:
    """An update that passed the checks made before it is sent."""

    at: int
    body: Record
    version: str
    adds_lines: bool


class Writer:
    """One system's writes."""

    def __init__(self, api: ZohoApi, settings: Settings, metadata: Metadata, reader: Reader, options: Record) -> None:
        """``options``: the mapping's ``write:`` section. Raises ConfigurationError for what it can't say."""
        self._trigger = trigger_of(options, settings, api.place("write"))
        self._api = api
        self._settings = settings
        self._metadata = metadata
        self._reader = reader

    # --- create ---------------------------------------------------------------------------------------

    def create(self, module: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Result]:
        """See ``Create``.

        A plain insert, not the vendor's upsert: with a unique key field a repeated insert is refused and names the
        record that is there, while an upsert would write over whatever record any unique field happens to match.
        """
        kind = self._key_kind(module)
        subforms = self._metadata.subforms(module, list({name for w in writes for name in w.values}))
        data = [self._new_body(write, kind, subforms) for write in writes]
        safe = kind in ("unique", "external")
        entries = self._api.write(
            "POST", f"/{module}", data, idempotent=safe, trigger=self._trigger, where=module
        ).entries
        made: dict[int, str] = {}
        doubtful: set[int] = set()
        results: dict[int, Result] = {}
        for at, entry in enumerate(entries):
            if entry.get("status") == "success":
                made[at] = str(entry["details"]["id"])
                continue
            held = duplicate_of(entry, self._settings.key_field) if safe else None
            if held is None:
                results[at] = Result(error=record_error(entry, self._place(module, writes[at])))
            else:
                # Our key is there: this very record, made by a request whose answer was lost.
                made[at] = held
                doubtful.add(at)
        lines = {id: sum(len(writes[at].values.get(n) or []) for n in subforms) for at, id in made.items()}
        found = self._read_back(module, lines, fields)
        for at, id in made.items():
            remote = found.get(id) if found is not None else None
            if at in doubtful and found is not None and (remote is None or remote.key != writes[at].key):
                results[at] = Result(error=self._not_ours(module, writes[at], id))
            else:
                results[at] = Result(remote=remote or Remote(id=id, record=None, key=writes[at].key))
        return [results[at] for at in range(len(writes))]

    def _new_body(self, write: Write, kind: str, subforms: dict[str, str]) -> Record:
        body = dict(write.values)
        for name in subforms:
            if body.get(name):
                body[name] = [{k: v for k, v in line.items() if k != "id"} for line in body[name]]
        if kind != "missing" and self._settings.key_field:
            body[self._settings.key_field] = write.key
        return body

    def _not_ours(self, module: str, write: Write, id: str) -> HubError:
        return AlreadyExists(
            f"the value of {self._settings.key_field} is held by record {id}, which is deleted or another's",
            remote_id=id,
            field=self._settings.key_field,
            code="DUPLICATE_DATA",
            where=self._place(module, write),
            cure="restore the record from the recycle bin, or delete it there for good",
        )

    # --- update ---------------------------------------------------------------------------------------

    def update(self, module: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Result]:
        """See ``Update``.

        One read before the batch shows which writes are stale; the batch then carries the newest modification time of
        that read, so anything changed in between makes the server refuse it (412), and each record is sent by itself.
        """
        subforms = self._metadata.subforms(module, list({name for w in writes for name in w.values}))
        before = self._before(module, writes, subforms)
        results: dict[int, Result] = {}
        ready: list[_Ready] = []
        for at, write in enumerate(writes):
            try:
                ready.append(self._prepared(module, at, write, before.get(str(write.id)), subforms))
            except HubError as error:
                results[at] = Result(error=error)
        groups = [[r for r in ready if not r.adds_lines], [r for r in ready if r.adds_lines]]
        failures = []
        for group in filter(None, groups):
            try:
                results.update(self._send(module, writes, group))
            except HubError as error:
                failures.append(error)
                results.update({r.at: Result(error=error) for r in group})
        if failures and not any(r.remote for r in results.values()):
            raise next((f for f in failures if isinstance(f, UnknownOutcome)), failures[0])
        self._fill_in(module, writes, results, fields)
        return [results[at] for at in range(len(writes))]

    def _before(self, module: str, writes: Sequence[Write], subforms: dict[str, str]) -> dict[str, Record]:
        """What the records are now: with lines where lines are to be written, else only their modification time."""
        with_lines = [str(w.id) for w in writes if any(name in w.values for name in subforms)]
        others = [str(w.id) for w in writes if str(w.id) not in set(with_lines)]
        found = get_singly(self._api, self._settings, module, with_lines)
        if others:
            found |= {row["id"]: row for row in self._reader.listed(module, others, [])}
        return found

    def _prepared(self, module: str, at: int, write: Write, now: Record | None, subforms: dict[str, str]) -> _Ready:
        where = self._place(module, write)
        if now is None:
            raise Gone("the record is not there any more", where=where)
        if write.version is not None and utc_text(parse_time(now[STAMP])) != write.version:
            raise VersionConflict("the record was changed since it was last seen", where=where)
        body: Record = {**write.values, "id": str(write.id)}
        adds = False
        for name in subforms:
            if name in body:
                body[name] = line_changes(body[name] or [], now.get(name) or [], f"{where}/{name}")
                adds = adds or any("id" not in line for line in body[name])
        return _Ready(at, body, now[STAMP], adds)

    def _send(self, module: str, writes: Sequence[Write], group: list[_Ready]) -> dict[int, Result]:
        newest = max((r.version for r in group), key=parse_time)
        safe = not any(r.adds_lines for r in group)
        answer = self._api.write(
            "PUT",
            f"/{module}",
            [r.body for r in group],
            idempotent=safe,
            trigger=self._trigger,
            unmodified_since=newest,
            where=module,
        )
        if answer.stale:
            return {r.at: self._send_one(module, writes[r.at], r) for r in group}
        return {
            r.at: self._outcome(module, writes[r.at], entry) for r, entry in zip(group, answer.entries, strict=True)
        }

    def _send_one(self, module: str, write: Write, ready: _Ready) -> Result:
        try:
            answer = self._api.write(
                "PUT", f"/{module}/{write.id}", [ready.body], idempotent=not ready.adds_lines, trigger=self._trigger,
                unmodified_since=ready.version, where=module,
            )  # fmt: skip
        except HubError as error:
            return Result(error=error)
        if answer.stale:
            conflict = VersionConflict(
                "the record was changed since it was last seen", where=self._place(module, write)
            )
            return Result(error=conflict, attempts=2)
        return self._outcome(module, write, answer.entries[0])

    def _outcome(self, module: str, write: Write, entry: Record) -> Result:
        if entry.get("status") != "success":
            return Result(error=record_error(entry, self._place(module, write)))
        return Result(remote=Remote(id=str(write.id), record=None, key=write.key))

    def _fill_in(self, module: str, writes: Sequence[Write], results: dict[int, Result], fields: Sequence[str]) -> None:
        done = [at for at, result in results.items() if result.remote is not None]
        found = self._read_back(module, [str(writes[at].id) for at in done], fields)
        for at in done:
            results[at].remote = (found or {}).get(str(writes[at].id)) or results[at].remote

    # --- delete, archive, probe -----------------------------------------------------------------------

    def delete(self, module: str, writes: Sequence[Write]) -> list[Result]:
        """See ``Delete``."""
        archived = [w for w in writes if w.mode == "archive"]
        if archived:
            return self._in_order(writes, archived, lambda some: self._archive(module, some), module)
        results: dict[int, Result] = {}
        going: list[tuple[int, Write]] = []
        before = self._before(module, writes, {}) if any(w.version for w in writes) else None
        for at, write in enumerate(writes):
            now = before.get(str(write.id)) if before is not None else None
            if before is not None and now is None:
                results[at] = _deleted(write)
            elif now is not None and write.version and utc_text(parse_time(now[STAMP])) != write.version:
                what = "the record was changed since it was last seen"
                results[at] = Result(error=VersionConflict(what, where=self._place(module, write)))
            else:
                going.append((at, write))
        if going:
            entries = self._api.delete(module, [str(w.id) for _, w in going], self._trigger).entries
            refused = {at: entry for (at, _), entry in zip(going, entries, strict=True) if entry["status"] != "success"}
            there = self._before(module, [writes[at] for at in refused], {}) if refused else {}
            for at, write in going:
                if at in refused and str(write.id) in there:
                    results[at] = Result(error=_not_deleted(refused[at], self._place(module, write)))
                else:
                    results[at] = _deleted(write)
        return [results[at] for at in range(len(writes))]

    def _in_order(
        self,
        writes: Sequence[Write],
        archived: Sequence[Write],
        archive: Callable[[Sequence[Write]], list[Result]],
        module: str,
    ) -> list[Result]:
        """Both modes in one batch: each its own way, results in the order of the writes."""
        others = [w for w in writes if w.mode != "archive"]
        done = dict(zip(map(id, archived), archive(archived), strict=True))
        if others:
            done |= dict(zip(map(id, others), self.delete(module, others), strict=True))
        return [done[id(w)] for w in writes]

    def _archive(self, module: str, writes: Sequence[Write]) -> list[Result]:
        values = self._settings.archive.get(module)
        if not values:
            raise ConfigurationError(
                f"records of {module} can't be archived",
                where=self._api.place(module),
                cure=f"say in the system's settings what archived means: archive: {{{module}: {{Field: value}}}}",
            )
        as_updates = [Write(key=w.key, values=dict(values), id=w.id, version=w.version) for w in writes]
        results = self.update(module, as_updates, list(values))
        for write, result in zip(writes, results, strict=True):
            record = result.remote.record if result.remote else None
            if record is not None and any(record.get(name) != value for name, value in values.items()):
                # Unknown field names are passed over in silence, so a success proves nothing.
                result.remote = None
                result.error = RecordRejected(
                    f"the record was not archived: {', '.join(values)} did not change",
                    where=self._place(module, write),
                    cure=f"make these fields in {module}, or change the system's archive setting",
                )
        return results

    def probe(self, module: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Remote | None]:
        """See ``Probe``: by the external field, else by COQL, which reads the database and not the search index."""
        kind, key_field = self._key_kind(module), self._settings.key_field
        if kind == "missing" or not key_field:
            raise ConfigurationError(
                f"{module} has no field for the hub's key, so a lost create can't be looked up",
                where=self._api.place(module),
                cure=f"make a unique text field {key_field or 'Hub_Key'} in {module}",
            )
        keys = [w.key for w in writes]
        if kind == "external":
            external = f"{module}.{key_field}"
            rows = self._reader.listed(module, keys, [key_field], external=external) if _plain(keys) else None
        else:
            rows = None
        if rows is None:
            rows = []
            for start in range(0, len(keys), MOST_IN_QUERY):
                literals = ", ".join(_quoted(key) for key in keys[start : start + MOST_IN_QUERY])
                condition = f"{key_field} in ({literals})"
                query = f"select {key_field} from {module} where {condition} limit 200"  # noqa: S608
                rows += self._api.coql(query, module)
        ids = {str(row[key_field]): str(row["id"]) for row in rows if row.get(key_field)}
        found = self._reader.fetch(module, list(ids.values()), fields)
        return [found.get(ids[key]) if key in ids else None for key in keys]

    # --- helpers --------------------------------------------------------------------------------------

    def _read_back(
        self, module: str, ids: Sequence[str] | dict[str, int], fields: Sequence[str]
    ) -> dict[str, Remote] | None:
        """What the system stored; None when that can't be read now (the write itself is done). ``ids`` of records made
        just now come with the number of lines they were given."""
        try:
            if not ids:
                return {}
            if isinstance(ids, dict):
                return self._reader.fetch_created(module, ids, fields)
            return self._reader.fetch(module, ids, fields)
        except HubError:
            return None

    def _key_kind(self, module: str) -> str:
        return self._metadata.key_kind(module, self._settings.key_field) if self._settings.key_field else "missing"

    def _place(self, module: str, write: Write) -> str:
        return self._api.place(f"{module}/{write.id or write.key}")


def trigger_of(options: Record, settings: Settings, where: str) -> list[str] | None:
    """Automations that writes start: by the mapping (``write: {trigger: [workflow]}``), else by the settings."""
    if unknown := set(options) - {"trigger"}:
        raise ConfigurationError(
            f"unknown write options: {', '.join(sorted(unknown))}", where=where, cure="Zoho CRM knows only: trigger"
        )
    if "trigger" not in options:
        return settings.trigger
    trigger = options["trigger"]
    if trigger is not None and not (isinstance(trigger, list) and all(isinstance(t, str) for t in trigger)):
        raise ConfigurationError(
            "trigger is a list of automations, or null for all of them",
            where=where,
            cure="for example [workflow], or []",
        )
    return trigger


def line_changes(wanted: Sequence[Record], now: Sequence[Record], where: str) -> list[Record]:
    """What to send so that exactly the wanted lines are there: the vendor adds lines without ``id``, changes those
    with one, keeps those not mentioned, and removes those marked ``_delete``. An empty list removes all."""
    there = {str(line["id"]) for line in now}
    kept = [str(line["id"]) for line in wanted if line.get("id")]
    if unknown := set(kept) - there:
        raise VersionConflict(f"lines {', '.join(sorted(unknown))} are not there any more", where=where)
    if len(set(kept)) != len(kept):
        raise UnexpectedAnswer("two lines were to be written with the same id", where=where)
    sent: list[Record] = [{k: v for k, v in line.items() if k != "id" or v} for line in wanted]
    if not sent:
        return []
    return sent + [{"id": id, "_delete": None} for id in sorted(there - set(kept))]


def _deleted(write: Write) -> Result:
    return Result(remote=Remote(id=str(write.id), record=None, key=write.key, deleted=True))


def _not_deleted(entry: Record, where: str) -> HubError:
    error = record_error(entry, where)
    return error if isinstance(error, RecordRejected) else RecordRejected("record not deleted", where=where)


def _plain(keys: Sequence[str]) -> bool:
    """Whether keys can stand in an ``ids`` parameter, which separates by commas."""
    return not any("," in key for key in keys)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
