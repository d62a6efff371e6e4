"""Workflow: values that a record gets by calls (validate, confirm, submit), not by being written."""

from __future__ import annotations

from hub.connect.capabilities import Record, Write
from hub.connect.workflow import Step, reach
from hub.errors import HubError

from .calls import Client, Extra
from .places import found
from .reading import Reader
from .sighting import Shape


class Actor:
    """Makes the calls that lead a record to a wanted value."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def act(self, shape: Shape, id: str, write: Write, now: Record | None) -> HubError | None:
        """What went wrong, None when every wanted value is reached. The record itself is written already."""
        for field in dict.fromkeys(action.field for action in shape.config.actions):
            if field in write.values:
                problem = self._reach(shape, id, field, write.values[field], now if write.id is not None else None)
                if problem is not None:
                    return problem
        return None

    def _reach(self, shape: Shape, id: str, field: str, wanted: object, now: Record | None) -> HubError | None:
        steps = [Step(a.value, a.calls, tuple(a.from_)) for a in shape.config.actions if a.field == field]
        known = [] if now is None else [now]
        row: Record = {}

        def look() -> object:
            nonlocal row
            row = known.pop() if known else self._reader.rows(shape, [id]).get(id) or {}
            return found(row, field)

        def do(step: Step) -> None:
            for call in step.do:
                held = {"resource": shape.name, "id": id, "record": row, "value": step.value}
                self._client.send(call, "action", held, f"{shape.name}/{id}", Extra())

        return reach(steps, wanted, look=look, do=do, field=field, where=f"{shape.where}/{id}")
