"""Writing: create, update, delete and archive; saved in batches, each record with its own result.

A create or update is a chain: (un-audit →) save → submit → audit. What was saved is never saved again because a later
stage failed: the result then carries the record *and* the problem, and the next update goes on from the state that the
record is in (A16.5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from hub.connect.capabilities import Record, Remote, Result, Write
from hub.errors import AlreadyExists, Gone, HubError, RecordRejected, Unavailable, UnknownOutcome, VersionConflict

from .client import Client
from .forms import WHILE_OPEN, FormInfo, form_info
from .metadata import Metadata
from .packets import Packer, Packet
from .queries import Column, Shape, one_of, quoted
from .reading import Reader, stage_of
from .replies import Status, Trouble, call_error, record_error
from .settings import Settings
from .stages import Stages, State, half_done

_CALL_CODES = frozenset({3, 5, 8})


class Writer:
    """Writes to one system."""

    def __init__(self, client: Client, metadata: Metadata, reader: Reader, settings: Settings, system: str) -> None:
        self._client = client
        self._metadata = metadata
        self._reader = reader
        self._settings = settings
        self._system = system

    def create(self, form: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """See ``Create``."""
        info, packer, stages = self._parts(form)
        results: list[Result | None] = [None] * len(writes)
        units = self._units(info, packer, list(writes))
        packets: dict[int, Packet] = {}
        for at, write in enumerate(writes):
            try:
                packets[at] = packer.create(write, options, units)
            except RecordRejected as problem:
                results[at] = Result(error=problem)
        saved: dict[int, str] = {}
        errors: dict[int, HubError] = {}
        self._save(info, packets, (), saved, errors)
        for at, error in self._found_again(form, writes, saved, errors, fields, options).items():
            results[at] = Result(error=error)
        problems = stages.finish({id: _stage(packets[at], options) for at, id in saved.items()})
        problems |= self._switch(stages, {id: _from_new(packets[at]) for at, id in saved.items()})
        self._read_back(form, saved, problems, results, fields, options)
        return [r or Result(error=UnknownOutcome("Kingdee said nothing of this record")) for r in results]

    def finish(self, form: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """See ``Finish``. What stands un-audited after an update or delete was opened by it; nothing in Kingdee tells
        whether a person un-audited it since, who would then have to do so once more."""
        _, packer, stages = self._parts(form)
        states = stages.states([str(w.id) for w in writes])
        wants: dict[str, str] = {}
        turns: dict[str, dict[str, str]] = {}
        for write in writes:
            id, goal, now = str(write.id), packer.goal(write), states.get(str(write.id))
            if now is None or now.version == write.version:
                continue
            if write.version is None:
                turns[id] = {k: v for k, v in _from_new(goal).items() if now.switches.get(k) != v}
            want = (_stage(goal, options) if write.values else "") or stage_of(write.version)
            if now.switches.get("FCancelStatus") != "B" and now.status not in (want, "C"):
                wants[id] = want
        problems = stages.finish(wants)
        problems |= self._switch(stages, turns)
        for problem in problems.values():
            if isinstance(problem, Unavailable):
                raise problem
        seen = self._reader.get(form, [str(w.id) for w in writes], fields, {"fields": options.get("fields") or []})
        where = f"{self._system}/{form}"
        return [
            Result(remote=r, problem=half_done(problems[r.id], r.id, where) if r.id in problems else None) for r in seen
        ]

    def _switch(self, stages: Stages, turns: dict[str, dict[str, str]], *, opened: bool = False) -> dict[str, HubError]:
        """Move state fields, those that move while a record is open or the others."""
        groups: dict[tuple[str, str], list[str]] = {}
        for id, switches in turns.items():
            for key, value in switches.items():
                if (key in WHILE_OPEN) == opened:
                    groups.setdefault((key, value), []).append(id)
        errors: dict[str, HubError] = {}
        for (key, value), ids in groups.items():
            try:
                errors |= stages.switch(key, value, ids)
            except HubError as problem:
                errors |= dict.fromkeys(ids, problem)
        return errors

    def _found_again(
        self, form: str, writes: Sequence[Write], saved: dict[int, str], errors: dict[int, HubError],
        fields: Sequence[str], options: Record,
    ) -> dict[int, HubError]:  # fmt: skip
        """Errors of a creation, completed: who is it that exists already, and was a record nobody spoke of created?"""
        silent = [at for at, e in errors.items() if isinstance(e, UnknownOutcome)]
        if silent:
            for at, remote in zip(silent, self._reader.probe(form, [writes[at] for at in silent], fields, options),
                                  strict=True):  # fmt: skip
                if remote is not None:
                    saved[at] = remote.id
                    del errors[at]
        twins = [at for at, e in errors.items() if isinstance(e, AlreadyExists)]
        info = self._metadata.info(form)
        numbers = {at: str(writes[at].values.get(info.number) or "").strip() for at in twins}
        known = {n.lower(): pk for n, pk in self._numbers(info, [n for n in numbers.values() if n]).items()}
        for at in twins:
            twin = errors[at]
            assert isinstance(twin, AlreadyExists)
            twin.remote_id = known.get(numbers[at].lower())
        return errors

    def _numbers(self, info: FormInfo, numbers: list[str]) -> dict[str, str]:
        found = self._reader.find(info, info.number, numbers) if numbers else []
        return {str(f.meta.get("found")).strip(): str(f.pk) for f in found}

    def update(self, form: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """See ``Update``. Kingdee has no If-Match: the versions are read again right before saving."""
        info, packer, stages = self._parts(form)
        results: list[Result | None] = [None] * len(writes)
        units = self._units(info, packer, list(writes))
        packets: dict[int, Packet] = {}
        for at, write in enumerate(writes):
            try:
                packets[at] = packer.update(write, options, units)
            except RecordRejected as problem:
                results[at] = Result(error=problem)
        states = self._fresh(stages, form, writes, list(packets), results)
        ready = {str(writes[at].id): at for at in packets if results[at] is None}
        turns = {i: _turns(packets[at], states[i]) for i, at in ready.items()}
        opening = {i: states[i] for i, at in ready.items() if _must_open(packets[at], states[i], turns[i])}
        for id, error in stages.open_up(opening, _on(options, "unaudit")).items():
            results[ready.pop(id)] = Result(error=error)
        saved, errors = self._save_updates(info, packets, ready, lambda: self._put_back(stages, opening, ready, {}))
        for at, error in errors.items():
            results[at] = Result(error=error)
        problems = self._switch(stages, {i: turns[i] for i, at in ready.items() if at in saved}, opened=True)
        wants = {i: _stage(packets[at], options) for i, at in ready.items() if at in saved}
        wants = {i: w for i, w in wants.items() if i in opening or states[i].status != w}
        problems |= self._put_back(stages, opening, ready, wants, set(problems) | _voided(turns))
        problems |= self._switch(stages, {i: turns[i] for i, at in ready.items() if at in saved})
        for id, why in problems.items():
            if (at := ready[id]) in errors:
                results[at] = Result(error=_both(errors[at], why))
        self._read_back(form, saved, problems, results, fields, options)
        return [r or Result(error=UnknownOutcome("Kingdee said nothing of this record")) for r in results]

    def _fresh(
        self, stages: Stages, form: str, writes: Sequence[Write], chosen: list[int], results: list[Result | None]
    ) -> dict[str, State]:
        """The present states, with results for records that are gone or have moved on."""
        states = stages.states([str(writes[at].id) for at in chosen])
        for at in chosen:
            write, where = writes[at], f"{self._system}/{form}/{writes[at].id}"
            now = states.get(str(write.id))
            if now is None:
                results[at] = Result(error=Gone("the record is not in Kingdee any more", where=where))
            elif write.version is not None and now.version != write.version:
                results[at] = Result(
                    error=VersionConflict("somebody changed the record in Kingdee since we read it", where=where)
                )
        return states

    def _put_back(
        self, stages: Stages, opened: dict[str, State], ready: dict[str, int], wants: dict[str, str],
        leave: Collection[str] = (),
    ) -> dict[str, HubError]:  # fmt: skip
        """Bring what was opened back to where it was, written or not, and what was written to where the mapping or the
        policy wants it."""
        before = {i: opened[i].status for i in ready if i in opened}
        goal = {**before, **{i: w or before.get(i, "") for i, w in wants.items()}}
        return stages.finish({i: w for i, w in goal.items() if i not in leave})

    def _save_updates(
        self, info: FormInfo, packets: dict[int, Packet], ready: dict[str, int], undo: Callable[[], Any]
    ) -> tuple[dict[int, str], dict[int, HubError]]:
        """One BatchSave for each set of changed fields: NeedUpDateFields holds for the whole call."""
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[int, Packet]] = {}
        saved: dict[int, str] = {}
        for id, at in ready.items():
            if packets[at].only:
                groups.setdefault((tuple(sorted(packets[at].only)), packets[at].lines), {})[at] = packets[at]
            else:
                saved[at] = id
        errors: dict[int, HubError] = {}
        for (only, _), group in groups.items():
            try:
                self._save(info, group, only, saved, errors)
            except HubError:
                undo()
                raise
        return saved, errors

    def _save(
        self, info: FormInfo, packets: dict[int, Packet], only: Sequence[str], saved: dict[int, str],
        errors: dict[int, HubError],
    ) -> None:  # fmt: skip
        """BatchSave, as many at once as the settings say. Notes inner ids and errors by the place of the write."""
        places = list(packets)
        for start in range(0, len(places), self._settings.batch):
            chunk = places[start : start + self._settings.batch]
            try:
                self._save_chunk(info, {at: packets[at] for at in chunk}, only, saved, errors)
            except HubError as problem:
                if not saved and not errors:
                    raise
                # Others have their results: those must not be lost with these.
                errors |= dict.fromkeys(chunk, problem)

    def _save_chunk(
        self, info: FormInfo, packets: dict[int, Packet], only: Sequence[str], saved: dict[int, str],
        errors: dict[int, HubError],
    ) -> None:  # fmt: skip
        places = list(packets)
        data: dict[str, Any] = {
            "Model": [packets[at].model for at in places], "NeedUpDateFields": list(only),
            "NeedReturnFields": [info.number], "IsVerifyBaseDataField": True,
            # Lines not in the packet are deleted, in every entry that is in it: only where the list is complete.
            "IsDeleteEntry": any(packets[at].lines for at in places), "BatchCount": 1,
        }  # fmt: skip
        status = self._client.write("BatchSave", info.id, data, info.id)
        if not status.ok and not status.done and status.code in _CALL_CODES:
            raise call_error(status, f"{self._system}/{info.id}")
        saved |= {places[d.index]: d.id for d in status.done if d.index < len(places)}
        self._note_errors(status, places, info, saved, errors)

    def _note_errors(
        self, status: Status, places: list[int], info: FormInfo, saved: dict[int, str], errors: dict[int, HubError]
    ) -> None:
        for index, at in enumerate(places):
            if at in saved:
                continue
            where = f"{self._system}/{info.id}/record {index + 1} of the batch"
            mine: list[Trouble] = [e for e in status.errors if e.index == index]
            # A batch may say yes and leave records out (A8): then nobody knows.
            left_out = UnknownOutcome(f"Kingdee's answer leaves the record out: {status.text()}", where=where)
            errors[at] = record_error(mine, status.code, where) if mine else left_out

    def _read_back(
        self, form: str, saved: dict[int, str], problems: dict[str, HubError], results: list[Result | None],
        fields: Sequence[str], options: Record,
    ) -> None:  # fmt: skip
        """Fill in the results of what was written."""
        ids = list(saved.values())
        try:
            more = {"fields": options.get("fields") or []}
            remotes = {r.id: r for r in self._reader.get(form, ids, fields, more)} if ids else {}
        except HubError:
            # What was written stays written; the engine looks at it again.
            remotes = {}
        for at, id in saved.items():
            problem = problems.get(id)
            results[at] = Result(
                remote=remotes.get(id) or Remote(id, None),
                problem=half_done(problem, id, f"{self._system}/{form}") if problem else None,
            )

    def delete(self, form: str, writes: Sequence[Write], options: Record) -> list[Result]:
        """See ``Delete``. Records are un-audited first; what can't be deleted then is audited again."""
        info, _, stages = self._parts(form, live=False)
        results: list[Result | None] = [None] * len(writes)
        states = stages.states([str(w.id) for w in writes])
        for mode in ("delete", "archive"):
            chosen = {str(w.id): at for at, w in enumerate(writes) if w.mode == mode}
            for id, at in chosen.items():
                write, now = writes[at], states.get(id)
                if now is None:
                    results[at] = Result(remote=Remote(id, None, deleted=True))
                elif write.version is not None and now.version != write.version:
                    where = f"{self._system}/{form}/{id}"
                    problem = VersionConflict("somebody changed the record in Kingdee since we read it", where=where)
                    results[at] = Result(error=problem)
            open_ids = {id: states[id] for id, at in chosen.items() if results[at] is None}
            act = self._remove if mode == "delete" else self._archive
            for id, result in act(info, stages, open_ids).items():
                results[chosen[id]] = result
        return [r or Result(error=UnknownOutcome("Kingdee said nothing of this record")) for r in results]

    def _remove(self, info: FormInfo, stages: Stages, states: dict[str, State]) -> dict[str, Result]:
        errors = stages.open_up(states, allowed=True)
        ids = [i for i in states if i not in errors]
        outcome = stages.move("Delete", ids)
        errors |= outcome.errors
        stages.finish({i: states[i].status for i in outcome.errors})
        return {
            i: Result(error=errors[i]) if i in errors and not isinstance(errors[i], Gone)
            else Result(remote=Remote(i, None, deleted=True))
            for i in states
        }  # fmt: skip

    def _archive(self, info: FormInfo, stages: Stages, states: dict[str, State]) -> dict[str, Result]:
        """Forbid base data, void a bill."""
        if info.archive is None:
            return {i: Result(error=RecordRejected(f"{info.id} can't be archived in Kingdee")) for i in states}
        key, value = info.archive
        todo = {i: s for i, s in states.items() if s.switches.get(key) != value}
        errors = stages.open_up(todo, allowed=True) if key in WHILE_OPEN else {}
        waiting = [i for i in todo if i not in errors]
        errors |= stages.switch(key, value, waiting)
        stages.finish({i: todo[i].status for i in waiting if i in errors and key in WHILE_OPEN})
        good = [i for i in states if i not in errors]
        try:
            seen = {r.id: r for r in self._reader.get(info.id, good, [], {})}
        except HubError:
            seen = {}
        return {i: Result(error=errors[i]) if i in errors else Result(remote=seen.get(i) or Remote(i, None))
                for i in states}  # fmt: skip

    def _units(self, info: FormInfo, packer: Packer, writes: list[Write]) -> dict[str, str]:
        """Material number → its unit of sale, for new lines that name none."""
        numbers = packer.materials_without_unit(writes)
        if not numbers or not info.units:
            return {}
        material = form_info("BD_MATERIAL", self._settings.forms.get("BD_MATERIAL"))
        columns = (Column(material.number, ("@number",)), Column(f"{info.units[2]}.FNumber", ("@unit",)))
        condition = one_of(material.number, map(quoted, sorted(numbers)))
        found = self._reader.queries.all(Shape(material, columns), condition)
        return {str(f.meta["number"]).strip(): str(f.meta["unit"]).strip() for f in found if f.meta.get("unit")}

    def _parts(self, form: str, live: bool = True) -> tuple[FormInfo, Packer, Stages]:
        info, where = self._metadata.info(form), f"{self._system}/{form}"
        resource = self._metadata.live(form) if live else self._metadata.known(form)
        stages = Stages(self._client, self._reader.queries, info, where, self._settings.operation)
        return info, Packer(info, resource, self._settings, where), stages


def _both(error: HubError, problem: HubError) -> HubError:
    """A record that was not written, and not audited again either. Where nobody knows whether it was written, it stays
    like that: called a rejection, nobody would look."""
    what = f"{error.what}; and it could not be audited again: {problem.what}"
    if isinstance(error, UnknownOutcome):
        return UnknownOutcome(what, where=error.where, cure=error.cure)
    return RecordRejected(what, field=getattr(error, "field", None), where=error.where, cure="audit it in Kingdee")


def _stage(packet: Packet, options: Record) -> str:
    """The state a written record shall get to: what the mapping writes, else the policy of its write: section; empty:
    as it is."""
    if packet.stage:
        return packet.stage
    return "C" if _on(options, "audit") else "B" if _on(options, "submit") else ""


def _from_new(packet: Packet) -> dict[str, str]:
    """Switches of a new record: it stands at A by itself."""
    return {k: v for k, v in packet.switches.items() if v != "A"}


def _turns(packet: Packet, now: State) -> dict[str, str]:
    return {k: v for k, v in packet.switches.items() if now.switches.get(k, v) != v}


def _must_open(packet: Packet, now: State, turns: dict[str, str]) -> bool:
    """Whether a record must be un-audited first: to save, to void, or because the mapping wants it back at draft."""
    return bool(packet.only) or packet.stage in ("A", "D", "Z") or any(k in WHILE_OPEN for k in turns)


def _voided(turns: dict[str, dict[str, str]]) -> set[str]:
    """Records being voided: they are not audited again."""
    return {i for i, t in turns.items() if t.get("FCancelStatus") == "B"}


def _on(options: Record, name: str) -> bool:
    return str(options.get(name, "")).strip().lower() in ("true", "1", "yes")
