"""Workflow: values that a record gets by calls (validate, confirm, submit), not by being written."""

from __future__ import annotations

from hub.connect.capabilities import Record, Write
from hub.errors import HubError, RecordRejected

from .calls import Client, Extra
from .grammar import Action
from .places import found
from .reading import Reader
from .sighting import Shape
from .verdicts import same

MOST_STEPS = 10


class Actor:
    """Makes the calls that lead a record to a wanted value."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def act(self, shape: Shape, id: str, write: Write, now: Record | None) -> HubError | None:
        """What went wrong, None when every wanted value is reached. The record itself is written already."""
        for field in dict.fromkeys(action.field for action in shape.config.actions):
            if field not in write.values:
                continue
            try:
                self._reach(shape, id, field, write.values[field], now if write.id is not None else None)
            except HubError as problem:
                return problem
        return None

    def _reach(self, shape: Shape, id: str, field: str, wanted: object, now: Record | None) -> None:
        where = f"{shape.where}/{id}"
        row = now if now is not None else self._row(shape, id)
        before: list[object] = []
        while not same(found(row, field), wanted):
            value = found(row, field)
            if value in before or len(before) >= MOST_STEPS:
                told = f"{field} is {value!r} after all calls, not {wanted!r}: the system did not carry them out"
                raise RecordRejected(told, field=field, where=where)
            before.append(value)
            action = _fitting(shape.config.actions, field, value, wanted)
            if action is None:
                cure = "set it there by hand, or add an action to the manifest"
                raise RecordRejected(
                    f"{field} can't get from {value!r} to {wanted!r}", field=field, where=where, cure=cure
                )
            for call in action.calls:
                held = {"resource": shape.name, "id": id, "record": row, "value": wanted}
                self._client.send(call, "action", held, f"{shape.name}/{id}", Extra())
            row = self._row(shape, id)

    def _row(self, shape: Shape, id: str) -> Record:
        return self._reader.rows(shape, [id]).get(id) or {}


def _fitting(actions: list[Action], field: str, value: object, wanted: object) -> Action | None:
    """The action that leads to the wanted value from here; it may lead there by a value in between."""
    for action in actions:
        if action.field != field or not same(action.value, wanted):
            continue
        if not action.from_ or any(same(value, one) for one in action.from_):
            return action
    steps = [a for a in actions if a.field == field and any(same(value, one) for one in a.from_)]
    reaching = [a for a in actions if a.field == field and same(a.value, wanted)]
    # One stop on the way: from here to a value from which the wanted one can be reached.
    return next((s for s in steps for r in reaching if any(same(s.value, one) for one in r.from_)), None)
