"""Submit, audit and back, forbid and void: moving many records between states, each with its own verdict (A8, A9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.errors import HubError, RecordRejected, Unavailable

from .client import Client
from .forms import FormInfo
from .queries import Column, Queries, Shape, literal, one_of
from .reading import version
from .replies import Status, Trouble, record_error

NAMES = {"Z": "draft", "A": "created", "B": "under audit", "C": "audited", "D": "to re-audit"}
SPELLINGS = ("ExcuteOperation", "ExecuteOperation")
_working: dict[str, str] = {}
"""Account → the spelling that was seen to work there."""


@dataclass(frozen=True, slots=True)
class State:
    """One record as it stands: its state letter, the version of ``Remote.version``, and its switches."""

    status: str
    version: str | None
    switches: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What became of a stage, by inner id."""

    done: set[str] = field(default_factory=set)
    errors: dict[str, HubError] = field(default_factory=dict)


class Stages:
    """The life cycle of one form's records."""

    def __init__(self, client: Client, queries: Queries, info: FormInfo, where: str, spelling: str) -> None:
        self._client = client
        self._queries = queries
        self._info = info
        self._where = where
        self._spelling = spelling

    def states(self, ids: Sequence[str]) -> dict[str, State]:
        """The records that exist, by inner id."""
        info = self._info
        columns = [Column("FModifyDate", ("@modified",), optional=True)]
        if info.status:
            columns.append(Column(info.status, ("@status",), optional=True))
        columns += [Column(key, (f"@{key}",), optional=True) for key in info.switches]
        found = self._queries.all(Shape(info, tuple(columns)), one_of(info.pk, map(literal, ids))) if ids else []
        return {
            str(f.pk): State(
                str(f.meta.get("status") or "").strip(), version(f.meta),
                {k: str(f.meta.get(k) or "").strip() for k in info.switches},
            )
            for f in found
        }  # fmt: skip

    def move(self, method: str, ids: Sequence[str], operation: str = "") -> Outcome:
        """Submit, Audit, UnAudit, CancelAssign, Delete or an operation, for these records at once. Never raises for a
        single record; a call that fails as a whole, or whose answer is lost, raises."""
        if not ids:
            return Outcome()
        data: dict[str, Any] = {"Ids": ",".join(ids), "Numbers": [], "NetworkCtrl": ""}
        status = self._client.write(method, self._info.id, data, self._info.id, operation)
        return self._sorted(status, ids)

    def _sorted(self, status: Status, ids: Sequence[str]) -> Outcome:
        done = {d.id or ids[d.index] for d in status.done if d.id or d.index < len(ids)} & set(ids)
        if status.ok and not status.done:
            # Some servers list nobody and mean everybody; whoever needs to know reads the states again.
            done = set(ids)
        outcome = Outcome(done)
        for at, id in enumerate(ids):
            if id not in done:
                mine = [e for e in status.errors if e.index == at] or [Trouble(status.text())]
                outcome.errors[id] = record_error(mine, status.code, f"{self._where}/{id}")
        return outcome

    def finish(self, wants: dict[str, str]) -> dict[str, HubError]:
        """Bring records to the wanted state: ``B`` by Submit, ``C`` by Submit and Audit. Who is there already, perhaps
        because the form goes on by itself, is left alone. Returns why, for those that did not get there."""
        wants = {i: w for i, w in wants.items() if w in ("B", "C")}
        if not wants:
            return {}
        try:
            errors = self._step("Submit", list(wants), ("B", "C"))
            audited = [i for i, w in wants.items() if w == "C" and i not in errors]
            return errors | self._step("Audit", audited, ("C",))
        except HubError as problem:
            return self._short_of(wants, problem)

    def _step(self, method: str, ids: list[str], fine: tuple[str, ...]) -> dict[str, HubError]:
        errors = self.move(method, ids).errors
        if errors:
            now = self.states(list(errors))
            errors = {i: e for i, e in errors.items() if i not in now or now[i].status not in fine}
        return errors

    def _short_of(self, wants: dict[str, str], problem: HubError) -> dict[str, HubError]:
        """After a call that failed as a whole: who is not in the wanted state."""
        try:
            now = self.states(list(wants))
        except HubError:
            return dict.fromkeys(wants, problem)
        return {i: problem for i, w in wants.items() if i not in now or now[i].status not in (w, "C")}

    def open_up(self, states: dict[str, State], allowed: bool) -> dict[str, HubError]:
        """Make audited records (and those under audit) changeable. Returns why, for those that stay shut."""
        shut = {i: s.status for i, s in states.items() if s.status in ("B", "C")}
        if not allowed:
            return {
                i: RecordRejected(
                    f"the record is {NAMES[s]} in Kingdee and can't be changed", code="12", where=f"{self._where}/{i}",
                    cure="un-audit it there, or set unaudit: true under write: in the mapping",
                )
                for i, s in shut.items()
            }  # fmt: skip
        errors = self.move("UnAudit", [i for i, s in shut.items() if s == "C"]).errors
        return errors | self.move("CancelAssign", [i for i, s in shut.items() if s == "B"]).errors

    def switch(self, key: str, value: str, ids: Iterable[str]) -> dict[str, HubError]:
        """Forbid, enable, void, close: the operation that moves ``key`` to ``value``. The field is read again: on some
        servers one spelling of the operation answers and does nothing (A2); then the other is tried."""
        operation, todo = self._info.switches[key][value], list(ids)
        errors: dict[str, HubError] = {}
        first = _working.get(self._client.auth.account, self._spelling)
        for spelling in (first, *(s for s in SPELLINGS if s != first)):
            waiting = [i for i in todo if i not in errors]
            if not waiting:
                break
            errors |= self.move(spelling, waiting, operation).errors
            now = self.states(waiting)
            moved = {i for i in waiting if i in now and now[i].switches.get(key) == value}
            todo = [i for i in todo if i not in moved]
            errors = {i: e for i, e in errors.items() if i not in moved}
            if moved:
                _working[self._client.auth.account] = spelling
        for i in todo:
            nothing = RecordRejected(f"{operation} was accepted and changed nothing", where=f"{self._where}/{i}")
            errors.setdefault(i, nothing)
        return errors


def half_done(error: HubError, id: str, where: str) -> HubError:
    """A record that was written but did not get to its state: somebody must know."""
    if isinstance(error, Unavailable):
        return error
    return RecordRejected(
        f"written, but not brought to its state: {error.what}", field=getattr(error, "field", None),
        code=getattr(error, "code", None), where=f"{where}/{id}", cure="submit or audit it in Kingdee, or replay",
    )  # fmt: skip
