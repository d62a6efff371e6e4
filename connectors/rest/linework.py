"""Lines: as a list in the record, as a list of changes, or by calls of their own."""

from __future__ import annotations

from typing import Any

from hub.connect.capabilities import Record, Write
from hub.connect.lines import Compared, Identify, changed, compared
from hub.connect.templates import as_text
from hub.errors import Gone, HubError, RecordRejected

from .calls import Client, Extra
from .grammar import LinesConfig
from .grammar_calls import Call
from .places import found
from .reading import Reader
from .sighting import Shape


class LineWork:
    """Writes lines. The wanted list is complete: what is not in it is removed, and nothing is ever doubled."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def shaped(self, shape: Shape, body: Record, now: Record | None) -> Record:
        """The values with their lines as the product takes them. ``now``: the record as it is, None for a new one."""
        made = dict(body)
        for name, lines in shape.config.lines.items():
            if name not in made:
                continue
            if lines.write in ("apart", "never"):
                if lines.write == "never":
                    raise RecordRejected("these lines can't be written", field=name, where=shape.where)
                del made[name]
            elif now is None:
                made[name] = [{**lines.defaults, **_without(line, lines.id)} for line in made[name] or []]
            elif lines.write == "list" and lines.defaults:
                known = {as_text(found(line, lines.id or "")) for line in now.get(name) or []}
                made[name] = [
                    line if as_text(found(line, lines.id or "")) in known else {**lines.defaults, **line}
                    for line in made[name] or []
                ]
            elif lines.write == "changes":
                made[name] = self._changes(shape, name, lines, made[name] or [], now)
        return made

    def _changes(
        self, shape: Shape, name: str, lines: LinesConfig, wanted: list[Record], now: Record
    ) -> dict[str, Any]:
        made = lines_of(shape, name, lines, wanted, now)
        names = {"create": "create", "update": "update", "delete": "delete", **lines.names}
        edited = [line for line, before in made.kept if changed(line, before)]
        gone = [found(line, lines.id) for line in made.gone]
        return {names["create"]: made.new, names["update"]: edited, names["delete"]: gone}

    def written_apart(self, shape: Shape, id: str, write: Write, now: Record) -> HubError | None:
        """Lines that have calls of their own, after their record. The record is written whatever comes of them, so
        that a failure is told beside the result: the next update of the record takes the lines up again."""
        try:
            for name, lines in shape.config.lines.items():
                if lines.write == "apart" and name in write.values:
                    self._apart(shape, name, lines, id, write.values[name] or [], now)
        except HubError as problem:
            return problem
        return None

    def _apart(self, shape: Shape, name: str, lines: LinesConfig, id: str, wanted: list[Record], now: Record) -> None:
        if lines.list_ is not None:
            # As they are now: an earlier attempt may have written some of them.
            now = {**now, name: self._reader.lines_of(shape, name, lines, id)}
        made = lines_of(shape, name, lines, wanted, now)
        where = f"{shape.name}/{id}/{name}"
        held = {"resource": shape.name, "id": id}
        for line_id in (found(line, lines.id) for line in made.gone):
            if lines.delete is None:
                raise RecordRejected("lines can't be removed there", field=name, where=where)
            try:
                self._send(lines.delete, "delete", {**held, "line_id": line_id, "line": {}}, where, None)
            except Gone:
                continue
        for line, before in made.kept:
            changes = _without(changed(line, before), lines.id)
            if not changes:
                continue
            if lines.update is None:
                raise RecordRejected("lines can't be changed there", field=name, where=where)
            line_id = as_text(found(line, lines.id or ""))
            self._send(lines.update, "update", {**held, "line_id": line_id, "line": changes}, where, changes)
        for line in made.new:
            assert lines.create is not None
            self._send(lines.create, "create", {**held, "line": line}, where, line)

    def _send(self, call: Call, operation: Any, held: Record, where: str, body: Record | None) -> None:
        self._client.send(call, operation, held, where, Extra(default_body=body))


def lines_of(shape: Shape, name: str, lines: LinesConfig, wanted: list[Record], now: Record) -> Compared:
    """The wanted lines held against those that are there; new ones with the manifest's defaults."""
    if lines.id is None:
        raise RecordRejected("lines without ids can't be told apart", field=name, where=shape.where)
    made = compared(now.get(name) or [], wanted, identify(lines))
    made.new = [{**lines.defaults, **_without(line, lines.id)} for line in made.new]
    return made


def identify(lines: LinesConfig) -> Identify:
    """What tells a line from the others; nothing where lines have no ids."""
    return lambda line: as_text(found(line, lines.id)) if lines.id else None


def _without(line: Record, id: str | None) -> Record:
    return {name: value for name, value in line.items() if name != id}
