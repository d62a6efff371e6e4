"""Apply: intents first, then the calls, then what the systems answered — each record for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Get, Remote, Result, Write
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    HubError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)
from hub.store import intents, records, runs
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import outcomes
from hub.sync.confirm import Confirmer
from hub.sync.context import Pass
from hub.sync.intents import intend, intend_together
from hub.sync.outcomes import Letter
from hub.sync.picking import picked
from hub.sync.plan import Action, Step
from hub.sync.planning import mark_of
from hub.sync.policy import Endpoint
from hub.sync.readback import Done
from hub.sync.recycled import still_gone
from hub.sync.refs import remote_table, translate
from hub.sync.spreading import check_writes

Values = dict[str, Any]
DOUBTFUL = (UnknownOutcome, UnexpectedAnswer)
"""After these nobody knows whether the write was carried out."""
GET_BATCH = 100


@dataclass(slots=True)
class Job:
    """One write under way."""

    record: Stored
    shadow: Shadow | None
    step: Step
    values: Values
    """The canonical values sent (references still the hub's)."""
    write: Write

    def seen_again(self, result: Result) -> str | None:
        """Id of the record that has to be looked at before this result can be stored."""
        if isinstance(result.error, VersionConflict):
            return self.write.id
        if isinstance(result.error, AlreadyExists) and self.step.action == "create":
            return result.error.remote_id
        if result.error is None and self.step.action in {"create", "update"}:
            found = result.remote.id if result.remote is not None else self.write.id
            return found if result.remote is None or result.remote.record is None else None
        return None


Item = tuple[Stored, Shadow | None, Step]
AtLast = Callable[[Connection], None]
ACTIONS: tuple[Action, ...] = ("create", "update", "archive", "delete")
Answer = tuple[list[Result], HubError | None]
"""The results of a call, or why the whole call failed."""
Calling = tuple[list[Job], Future[Answer]]
"""Writes sent together, and what will come of them."""
Call = tuple[list[Job], list[Result], HubError | None]
"""Writes sent together, and what came of them."""


def nothing_more(_: Connection) -> None:
    """Where nothing else has to be stored together with the answers."""


class Writer:
    """Writes to one endpoint."""

    def __init__(self, job: Pass, endpoint: Endpoint) -> None:
        self.job = job
        self.endpoint = endpoint
        self.lens = endpoint.lens
        self.confirmer = Confirmer(job, endpoint)
        self.written: set[str] = set()
        """Hub ids whose write succeeded."""
        self.settled: set[str] = set()
        """… and changed nothing that other systems would have to be told."""

    def write(self, items: Sequence[Item], *, alone: bool = False) -> int:
        """Carry out these steps; returns how many succeeded. What fails becomes a letter or waits for the next pass.

        ``alone``: no other system is written these records meanwhile, so they stay as they are until the answers come.
        """
        before = len(self.written)
        by_action: dict[Action, list[Item]] = {}
        for item in items:
            by_action.setdefault(item[2].action, []).append(item)
        for action in ACTIONS:
            if action in by_action and self.endpoint.system not in self.job.down:
                self._write(action, by_action[action], alone)
        return len(self.written) - before

    def _write(self, action: Action, items: Sequence[Item], alone: bool) -> None:
        if action == "create":
            items = still_gone(self.job, self.endpoint, self.confirmer.intake, items)
        with self.job.transaction(self.endpoint.entity, beside=True) as connection:
            jobs = self.prepare(connection, action, items, alone=alone)
        self.send(action, jobs)

    def prepare(self, connection: Connection, action: Action, items: Sequence[Item], *, alone: bool) -> list[Job]:
        """Store the intents of these steps, all of one action; what can't be sent is left out. See ``write``."""
        jobs = self._translated(connection, items)
        where = (self.job.run, self.endpoint.system, self.endpoint.entity, action)
        (intend_together if alone else intend)(connection, where, jobs, self.job.now())
        return jobs

    def send(self, action: Action, jobs: list[Job]) -> None:
        """Make the calls of what was prepared and stored, and take in the answers."""
        self.finish(self.begin(action, jobs))

    def begin(self, action: Action, jobs: list[Job]) -> list[Calling]:
        """Have the calls of what was prepared and stored made, several at a time; ``finish`` has to follow. The lease
        is held meanwhile (``holding``): were it to run out in a long call, another pass would take over, find the
        record not there yet, and send it again."""
        size = max(1, self.endpoint.resource.batch)
        chunks = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        workers = self._workers()
        return [(chunk, workers.submit(self._call, action, chunk)) for chunk in chunks]

    def finish(self, calling: list[Calling], at_last: AtLast = nothing_more) -> None:
        """Wait for these calls and take in the answers. ``at_last``: the end of the transaction that does so."""
        try:
            calls = [(chunk, *call.result()) for chunk, call in calling]
        except BaseException:
            self.job.dismiss()
            raise
        self._settle(calls, self._look(calls), at_last)

    def _workers(self) -> Executor:
        return self.job.workers(max(1, self.endpoint.resource.parallel))

    def withdraw(self, jobs: Sequence[Job]) -> None:
        """Send nothing of what was prepared after all: it stays to be planned."""
        ids = [one.record.hub_id for one in jobs]
        with self.job.transaction(self.endpoint.entity) as connection:
            intents.settle_intents(connection, self.job.run, self.endpoint.system, self.endpoint.entity, ids)
            records.mark(connection, self.endpoint.entity, ids, 1)

    def _look(self, calls: list[Call]) -> dict[str, Remote]:
        """The records that have to be seen once more before their answers can be stored: as few calls as can be."""
        connector = self.endpoint.connector
        answered = [(chunk, results) for chunk, results, failure in calls if failure is None]
        ids = [
            one.seen_again(result)
            for chunk, results in answered
            for one, result in zip(chunk, results, strict=True)
            if result.error is not None or result.remote is None or result.remote.record is None
        ]
        wanted = list(dict.fromkeys(key for key in ids if key))
        if not wanted or not isinstance(connector, Get):
            return {}
        name, fields, options = self.endpoint.resource.name, self.lens.remote_fields, self.lens.read_options
        batches = [wanted[start : start + GET_BATCH] for start in range(0, len(wanted), GET_BATCH)]
        workers = self._workers()
        asked = [workers.submit(connector.get, name, batch, fields, options) for batch in batches]
        try:
            return {remote.id: remote for answer in asked for remote in answer.result()}
        except HubError as error:
            self.job.failed(self.endpoint, error, down=isinstance(error, (AuthenticationError, RateLimited)))
            return {}

    def _translated(self, connection: Connection, items: Sequence[Item]) -> list[Job]:
        """Translate canonical values to the system's fields; what can't be expressed there becomes a letter."""
        paths = self.job.refs(self.endpoint)
        values = [
            picked(record.values, step.write) if step.values is None else step.values for record, _, step in items
        ]
        table = remote_table(connection, self.endpoint.system, values, paths)
        jobs, letters = [], []
        for (record, shadow, step), wanted in zip(items, values, strict=True):
            sent = dict(wanted) if paths else wanted
            if paths and translate(sent, paths, table):
                continue  # what it refers to was not created after all: the next pass tries again
            live = shadow if shadow is not None and step.action != "create" else None
            try:
                payload = (
                    self.lens.put(sent, live.data if live else None) if step.action in {"create", "update"} else {}
                )
            except RecordRejected as error:
                letters.append(_letter(record, shadow, step, wanted, error))
                continue
            write = Write(
                key=record.hub_id,
                values=payload,
                id=live.remote_id if live else None,
                version=live.version if live else None,
                old=live.data if live else None,
                mode="archive" if step.action == "archive" else "delete",
            )
            jobs.append(Job(record, live, step, wanted, write))
        outcomes.letters(self.job, connection, self.endpoint, letters)
        return jobs

    def _call(self, action: str, chunk: list[Job]) -> Answer:
        """Make the call; runs in a worker thread, touches nothing but the connector."""
        connector, name = self.endpoint.connector, self.endpoint.resource.name
        options = self.lens.write_options
        writes = [one.write for one in chunk]
        if self.job.overdue():
            return [], Unavailable(
                "this pass was away for longer than its lease; nothing was sent", where=self.endpoint.system
            )
        call: Callable[[], list[Result]]
        if action == "create":
            call = lambda: connector.create(name, writes, self.lens.remote_fields, options)  # noqa: E731
        elif action == "update":
            call = lambda: connector.update(name, writes, self.lens.remote_fields, options)  # noqa: E731
        else:
            call = lambda: connector.delete(name, writes, options)  # noqa: E731
        try:
            check_writes(self.job, self.endpoint, action, writes)
            results = call()
        except HubError as error:
            return [], error
        if len(results) != len(chunk):
            return [], UnexpectedAnswer(f"{len(results)} results for {len(chunk)} writes", where=self.endpoint.system)
        for result in results if action == "create" else ():
            if result.remote is None and result.error is None:
                result.error = UnexpectedAnswer("a create was answered without the record's id")
        return results, None

    def _settle(self, calls: list[Call], fresh: Mapping[str, Remote], at_last: AtLast) -> None:
        """Store what became of these calls, in one transaction: should it fail, the intents are there to be probed."""
        jobs: list[Job] = []
        results: list[Result] = []
        smooth = all(result.error is None for _, answers, _ in calls for result in answers)
        with self.job.transaction(self.endpoint.entity, beside=smooth) as connection:
            for chunk, answers, failure in calls:
                if failure is not None:
                    self._call_failed(connection, chunk, failure)
                else:
                    jobs += chunk
                    results += answers
            if jobs:
                self._store_results(connection, jobs, results, fresh)
            at_last(connection)
        failed = sum(result.error is not None for result in results)
        self.job.emit(
            "batch.written",
            system=self.endpoint.system,
            entity=self.endpoint.entity,
            resource=self.endpoint.resource.name,
            ok=len(results) - failed,
            failed=failed,
        )

    def _call_failed(self, connection: Connection, chunk: list[Job], failure: HubError) -> None:
        ids = [one.record.hub_id for one in chunk]
        system, entity = self.endpoint.system, self.endpoint.entity
        if isinstance(failure, DOUBTFUL):
            intents.doubt_intents(connection, self.job.run, system, entity, ids)
            self.job.again = True  # recover looks before anything is sent again
        if isinstance(failure, UnknownOutcome):
            return
        if isinstance(failure, UnexpectedAnswer):
            self.job.failed(self.endpoint, failure, down=False)
            self.job.blocked.add((system, entity))
            return
        intents.settle_intents(connection, self.job.run, system, entity, ids)
        down = isinstance(failure, (AuthenticationError, Unavailable, RateLimited))
        self.job.failed(self.endpoint, failure, down=down)
        self.job.blocked.add((system, entity))

    def _store_results(
        self, connection: Connection, chunk: list[Job], results: list[Result], fresh: Mapping[str, Remote]
    ) -> None:
        """Confirm what succeeded, in bulk; treat each failure for itself."""
        unread = self._unread(chunk, results, fresh)
        done = [
            (one, result)
            for one, result in zip(chunk, results, strict=True)
            if result.error is None and one.record.hub_id not in unread
        ]
        if done:
            answers = [(one, _read_back(one, result.remote, fresh)) for one, result in done]
            settled = self.confirmer.confirm(
                connection,
                [Done(one.record, one.shadow, one.step, remote, one.write.values) for one, remote in answers],
            )
            self.settled |= settled
            self.written |= {one.record.hub_id for one, _ in done} - self.confirmer.refused
        doubtful, letters = list(unread), []
        for one, result in zip(chunk, results, strict=True):
            told = None if result.error is None else self._told(connection, one, result.error, fresh)
            if told is not None:
                letters.append(_letter(one.record, one.shadow, one.step, one.values, told))
            if result.problem is not None:
                letters.append(_letter(one.record, one.shadow, one.step, one.values, result.problem, "follow_up"))
            if isinstance(result.error, DOUBTFUL):
                doubtful.append(one.record.hub_id)
        outcomes.letters(self.job, connection, self.endpoint, letters)
        ids = [one.record.hub_id for one in chunk if one.record.hub_id not in doubtful]
        intents.settle_intents(connection, self.job.run, self.endpoint.system, self.endpoint.entity, ids)
        if unread:
            intents.name_intents(connection, self.job.run, self.endpoint.system, self.endpoint.entity, unread)
        if doubtful:
            self.job.again = True
            intents.doubt_intents(connection, self.job.run, self.endpoint.system, self.endpoint.entity, doubtful)

    def _unread(self, chunk: list[Job], results: list[Result], fresh: Mapping[str, Remote]) -> dict[str, str]:
        """Hub id → remote id of what was written, and could not be read back: what the system made of it is not known,
        so that its own rewriting would pass for an edit. It stays in doubt until it was seen."""
        if not isinstance(self.endpoint.connector, Get):
            return {}
        ids = {
            one.record.hub_id: one.seen_again(result)
            for one, result in zip(chunk, results, strict=True)
            if result.error is None and (result.remote is None or result.remote.record is None)
        }
        return {hub_id: remote_id for hub_id, remote_id in ids.items() if remote_id and remote_id not in fresh}

    def _told(self, connection: Connection, one: Job, error: HubError, fresh: Mapping[str, Remote]) -> HubError | None:
        """What a person has to be told of a write that failed; None where the hub helps itself."""
        if isinstance(error, DOUBTFUL):
            # Closed when the record is found; if it is not, this keeps it from being sent over and over.
            return error if isinstance(error, UnexpectedAnswer) and self.endpoint.resource.probe != "none" else None
        if self.confirmer.recovered(connection, one.record, one.shadow, one.step, error, fresh):
            self.job.again = True
            return None
        if isinstance(error, VersionConflict) and isinstance(self.endpoint.connector, Get):
            return None  # it could not be looked at just now: it stays to be planned again
        if isinstance(error, (Unavailable, RateLimited, AuthenticationError)):
            self.job.failed(self.endpoint, error, down=isinstance(error, AuthenticationError))
            return None  # nothing was done: it stays to be planned again
        return error

    def give_up(self, record: Stored, shadow: Shadow | None, step: Step) -> None:
        """This record never comes to rest: a person has to look at it."""
        error = UnexpectedAnswer(
            f"{', '.join(step.fields) or step.action} is written again and again and never comes to rest: a system"
            " answers each write with another change",
            cure="hub explain shows who changes what; give the field an owner, or map it in one direction",
        )
        values = {name: record.values.get(name) for name in step.write}
        with self.job.transaction(self.endpoint.entity) as connection:
            said = _letter(record, shadow, step, values, error)
            outcomes.letters(self.job, connection, self.endpoint, [said])


def _letter(
    record: Stored, shadow: Shadow | None, step: Step, values: Values, error: HubError, stage: str | None = None
) -> Letter:
    stage = stage or ("delete" if step.action in {"delete", "archive"} else "write")
    return outcomes.refused(stage, record, shadow, values, error, mark_of(record, shadow))


def _read_back(one: Job, answer: Remote | None, fresh: Mapping[str, Remote]) -> Remote | None:
    """What the system has now: its answer, or what a second look showed where it did not say."""
    if one.step.action not in {"create", "update"} or (answer is not None and answer.record is not None):
        return answer
    seen = fresh.get(answer.id if answer is not None else one.write.id or "")
    return seen if seen is not None and seen.record is not None else answer


def approve(job: Pass, endpoint: Endpoint) -> None:
    """The first sync of this endpoint is approved from now on."""
    if job.cursor(endpoint).get("approved"):
        return
    with job.transaction(endpoint.entity) as connection:
        runs.set_cursor(connection, endpoint.system, endpoint.entity, approved=1)
