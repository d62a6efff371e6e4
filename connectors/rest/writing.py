"""Writing: creates, updates that refuse stale ones, archiving, deletions; each record with a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.connect.answers import Answer
from hub.connect.capabilities import Record, Remote, Result, Write
from hub.connect.lines import check_unchanged
from hub.connect.outcomes import each, read_back, removed, together
from hub.connect.templates import as_text, fill_all
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

from .acting import Actor
from .batching import results_of
from .calls import Client, Extra
from .grammar import Fields, WriteConfig
from .hooks import Steps
from .linework import LineWork, identify
from .places import found, put
from .reading import Reader
from .sighting import Shape

One = Callable[[Write], Result]


class Writer:
    """One system's writes."""

    def __init__(self, client: Client, reader: Reader, steps: Steps) -> None:
        self._client = client
        self._reader = reader
        self._steps = steps
        self._lines = LineWork(client, reader)
        self._actor = Actor(client, reader)

    # --- create ---------------------------------------------------------------------------------------

    def create(self, name: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Result]:
        """See ``Create``."""
        shape = self._reader.shape(name)
        call = shape.config.upsert or self._call(shape, "create")
        if call.batch is not None:
            results = self._batch(shape, call, writes, "create", {})
        else:
            results = each(writes, lambda write: self._create(shape, call, write))
        for write, result in zip(writes, results, strict=True):
            if isinstance(result.error, AlreadyExists):
                self._reader.find_existing(shape, write, result)
        results = self._acted(shape, writes, results, {})
        return self._read_back(shape, writes, results, fields)

    def _create(self, shape: Shape, call: WriteConfig, write: Write) -> Result:
        body = self._body(shape, call, write, None)
        safe = call.repeatable or call is shape.config.upsert
        answer = self._send(shape, call, "create", write, body, idempotent=safe)
        id = self._new_id(shape, call, answer)
        if id is None:
            if answer.status >= 300 or not safe:
                what = f"the answer to a create has no id: {answer.excerpt(120)}"
                raise UnknownOutcome(what, where=shape.where, cure="correct 'record:' or 'id:' in the manifest")
            raise UnexpectedAnswer("the answer to a create has no id", where=shape.where)
        remote = Remote(id, None, key=write.key if shape.config.key else None)
        problem = self._lines.written_apart(shape, id, write, {})
        return Result(remote=remote, problem=problem)

    def _new_id(self, shape: Shape, call: WriteConfig, answer: Answer) -> str | None:
        body = answer.json_or_none()
        if call.id is not None:
            if call.id.startswith("header:"):
                # A Location header: the id is the last part of the address.
                value: Any = (answer.headers.get(call.id[7:]) or "").rstrip("/").rpartition("/")[2]
            else:
                value = found(body, call.id)
        else:
            value = found(found(body, call.record), shape.config.id)
        return as_text(value) if value not in (None, "") else None

    # --- update ---------------------------------------------------------------------------------------

    def update(self, name: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Result]:
        """See ``Update``."""
        shape = self._reader.shape(name)
        call = self._call(shape, "update")
        now = self._before(shape, writes, call)
        results: dict[int, Result] = {}
        ready = []
        for at, write in enumerate(writes):
            try:
                self._check(shape, write, now)
                ready.append((at, write))
            except HubError as error:
                results[at] = Result(error=error)
        some = [write for _, write in ready]
        if call.batch is not None:
            done = self._batch(shape, call, some, "update", now)
        else:
            done = each(some, lambda write: self._update(shape, call, write, now.get(str(write.id)) or {}))
        done = self._acted(shape, some, done, now)
        for (at, _), result in zip(ready, self._read_back(shape, some, done, fields), strict=True):
            results[at] = result
        return [results[at] for at in range(len(writes))]

    def _update(self, shape: Shape, call: WriteConfig, write: Write, now: Record) -> Result:
        body = self._body(shape, call, write, now)
        if call.send == "whole":
            writable = {n for n, f in shape.config.fields.items() if not f.read_only}
            body = {**{n: v for n, v in now.items() if n in writable}, **body}
        if body or not write.values:
            self._send(shape, call, "update", write, body)
        problem = self._lines.written_apart(shape, str(write.id), write, now)
        return Result(remote=Remote(str(write.id), None, key=write.key), problem=problem)

    def _before(self, shape: Shape, writes: Sequence[Write], call: WriteConfig) -> dict[str, Record]:
        """The records as they are now, where the write depends on it."""
        config = shape.config
        lines = any(name in write.values for name in config.lines for write in writes)
        acts = any(action.field in write.values for action in config.actions for write in writes)
        guarded = config.guard and not call.if_match and any(write.version for write in writes)
        if not (guarded or lines or acts or call.send == "whole"):
            return {}
        rows = self._reader.rows(shape, [str(write.id) for write in writes])
        return self._reader.with_lines(shape, rows, list(config.lines)) if lines else rows

    def _check(self, shape: Shape, write: Write, now: dict[str, Record]) -> None:
        """Raises Gone, and VersionConflict for a record or lines that somebody changed since they were seen."""
        config = shape.config
        row = now.get(str(write.id))
        where = f"{shape.where}/{write.id}"
        if config.guard and write.version and not (config.update and config.update.if_match):
            if row is None:
                raise Gone("the record is not there any more", where=where)
            if shape.version(row) != write.version:
                raise VersionConflict("the record was changed since it was last seen", where=where)
        for name, lines in config.lines.items():
            if config.guard and name in write.values and row is not None and isinstance(row.get(name), list):
                check_unchanged(name, (write.old or {}).get(name), row[name], identify(lines), where)

    # --- delete, archive ------------------------------------------------------------------------------

    def delete(self, name: str, writes: Sequence[Write]) -> list[Result]:
        """See ``Delete``."""
        shape = self._reader.shape(name)
        archived = [write for write in writes if write.mode == "archive"]
        done = dict(zip(map(id, archived), self._archive(shape, archived), strict=True)) if archived else {}
        others = [write for write in writes if write.mode != "archive"]
        if others:
            call = self._call(shape, "delete")
            now = self._before(shape, others, call)

            def remove(write: Write) -> None:
                self._check(shape, write, now)
                self._send(shape, call, "delete", write, None, idempotent=True)

            done |= dict(zip(map(id, others), removed(others, remove), strict=True))
        return [done[id(write)] for write in writes]

    def _archive(self, shape: Shape, writes: Sequence[Write]) -> list[Result]:
        archive = shape.config.archive
        if archive is None:
            raise ConfigurationError(
                f"records of {shape.name!r} can't be archived", where=shape.where, cure="add 'archive: {set: …}'"
            )
        changes = [Write(key=w.key, values=dict(archive.set_), id=w.id, version=w.version) for w in writes]
        results = self.update(shape.name, changes, list(archive.set_))
        for result in results:
            record = result.remote.record if result.remote else None
            if record is not None and any(found(record, name) != value for name, value in archive.set_.items()):
                told = f"the record was not archived: {', '.join(archive.set_)} did not change"
                result.remote, result.error = None, RecordRejected(told, where=shape.where)
        return results

    # --- parts ----------------------------------------------------------------------------------------

    def _call(self, shape: Shape, operation: str) -> WriteConfig:
        call: WriteConfig | None = getattr(shape.config, operation)
        if call is None:
            raise ConfigurationError(
                f"the manifest does not say how to {operation} {shape.name!r}",
                where=shape.where,
                cure=f"add '{operation}:' to the resource, or let the system take part with direction 'in'",
            )
        return call

    def _body(self, shape: Shape, call: WriteConfig, write: Write, now: Record | None) -> Record:
        """The values as they are sent: without what actions do, with lines as the product wants them."""
        operation = "create" if write.id is None else "update"
        acted = {action.field for action in shape.config.actions}
        body = {name: value for name, value in write.values.items() if name not in acted}
        body = self._lines.shaped(shape, body, now)
        if operation == "create" and shape.config.key and write.key:
            put(body, shape.config.key, write.key)
        if operation == "create":
            body = {**fill_all(call.defaults, {"settings": self._client.settings.values}), **body}
        if call.declared_only:
            body = _declared(body, shape.config.fields)
        return self._steps.write(body, shape.name, operation) if self._steps.write else body

    def _send(
        self,
        shape: Shape,
        call: WriteConfig,
        operation: str,
        write: Write,
        body: Record | None,
        *,
        idempotent: bool | None = None,
    ) -> Answer:
        held: dict[str, Any] = {"resource": shape.name, "key": write.key, "id": write.id, "version": write.version}
        held |= {"record": body, "records": [body]}
        headers = {call.if_match: write.version} if call.if_match and write.version else {}
        extra = Extra(headers=headers, default_body=body, idempotent=idempotent or call.repeatable or None)
        return self._client.send(call, operation, held, f"{shape.name}/{write.id or 'new'}", extra)  # type: ignore[arg-type]

    def _batch(
        self, shape: Shape, call: WriteConfig, writes: Sequence[Write], operation: str, now: dict[str, Record]
    ) -> list[Result]:
        def send(some: Sequence[Write]) -> list[Result]:
            return self._sent(shape, call, some, operation, now)

        # One bad record refused them all: nothing is done, and each is tried by itself.
        apart = call.all_or_nothing or len(writes) == 1
        return (together(writes, send) if apart else send(writes)) if writes else []

    def _sent(
        self, shape: Shape, call: WriteConfig, writes: Sequence[Write], operation: str, now: dict[str, Record]
    ) -> list[Result]:
        """A batch, in one call."""
        bodies = []
        for write in writes:
            body = self._body(shape, call, write, None if write.id is None else now.get(str(write.id)) or {})
            if write.id is not None:
                put(body, shape.config.id, write.id)
            bodies.append(body)
        held = {"resource": shape.name, "records": bodies}
        extra = Extra(idempotent=call.repeatable or None)
        answer = self._client.send(call, operation, held, shape.name, extra)  # type: ignore[arg-type]
        return results_of(shape, call, writes, bodies, answer)

    def _acted(
        self, shape: Shape, writes: Sequence[Write], results: list[Result], now: dict[str, Record]
    ) -> list[Result]:
        if shape.config.actions:
            for write, result in zip(writes, results, strict=True):
                if result.remote is not None and result.problem is None:
                    result.problem = self._actor.act(shape, result.remote.id, write, now.get(result.remote.id))
        return results

    def _read_back(
        self, shape: Shape, writes: Sequence[Write], results: list[Result], fields: Sequence[str]
    ) -> list[Result]:
        return read_back(writes, results, lambda ids: self._reader.get(shape.name, ids, fields))


def _declared(record: Record, fields: Fields, inside: bool = False) -> Record:
    """Only what is declared and can be written, at every depth; ids of what is inside stay, to tell it apart."""
    made: Record = {}
    for name, value in record.items():
        field = fields.get(name)
        if field is None or (field.read_only and not (inside and name == "id")):
            continue
        if field.fields and isinstance(value, list):
            value = [_declared(one, field.fields, True) if isinstance(one, dict) else one for one in value]
        elif field.fields and isinstance(value, dict):
            value = _declared(value, field.fields, True)
        made[name] = value
    return made
