"""Rules of changing and deleting: nothing stale is written, nothing is changed twice, gone is gone."""

from __future__ import annotations

from hub.connect.capabilities import Delete, Remote, Result, Update
from hub.connect.contract.bench import Bench, error_of
from hub.connect.contract.rules import Facts, rule
from hub.connect.contract.verdicts import Broken, must
from hub.errors import Gone, HubError, UnknownOutcome, VersionConflict

MOMENT = 5.0
"""Seconds after which a change shows in the coarsest of versions."""


@rule("silver", Update)
def tells_what_it_changed(bench: Bench) -> Facts:
    """An update changes the given fields only, and answers with what the system has then."""
    before = bench.record()
    bench.world.advance(MOMENT)
    text = bench.word()
    after = _written(bench, bench.update(before, {bench.trial.text: text}))
    now = bench.get(before.id)
    must(bench.text_of(now) == text, "an update that was accepted did not change the record")
    must(after.record == now.record, "it answered with other values than the record has")
    others = [n for n, v in (before.record or {}).items() if n in bench.fields and n != bench.trial.text
              and (now.record or {}).get(n) != v and not _counts(n)]  # fmt: skip
    if now.version is None:
        return {"update_version": "none", **_moved(others)}
    must(now.version != before.version, "an update did not move the version: stale writes can't be told")
    return {"update_version": "moves", **_moved(others)}


def _counts(name: str) -> bool:
    return "modif" in name.lower() or "version" in name.lower() or "changed" in name.lower()


def _moved(names: list[str]) -> Facts:
    if not names:
        return {}
    raise Broken(f"an update of one field changed others too: {', '.join(names)}")


@rule("silver", Delete)
def deletes_twice(bench: Bench) -> None:
    """A record can be deleted, and deleting what is gone already is a success."""
    record = bench.record()
    for _ in range(2):
        result = bench.delete(record)
        must(result.error is None, f"a delete was refused: {result.error}")
    bench.made.pop(record.id, None)
    must(bench.get(record.id).deleted, "a record is still there after a delete that succeeded")


@rule("gold", Update)
def repeats_updates_safely(bench: Bench) -> Facts:
    """An update sent twice, or one whose answer is lost, leaves the record as one update does."""
    record = bench.record()
    first = bench.word()
    now = _written(bench, bench.update(record, {bench.trial.text: first}))
    again = _written(bench, bench.update(now, {bench.trial.text: first}))
    must(bench.text_of(again) == first, "the same update, sent twice, changed the record")
    second = bench.word()
    with bench.world.bad_day("lost"):
        try:
            result = bench.update(again, {bench.trial.text: second})
        except HubError as error:
            result = Result(error=error)
    now = bench.get(record.id)
    must(bench.text_of(now) in (first, second), "an update whose answer was lost left something else")
    if result.error is None:
        must(bench.text_of(now) == second, "an update that is said to be done is not")
        return {"lost_update": "found at once"}
    repeated = _written(bench, bench.update(now, {bench.trial.text: second}))
    must(bench.text_of(repeated) == second, "after a lost answer the update can't be made any more")
    if isinstance(result.error, VersionConflict):
        # Sent again, and refused because of the first time: the engine looks, and finds its own write.
        return {"lost_update": "looked at again"}
    must(isinstance(result.error, UnknownOutcome), f"a lost answer is reported as {type(result.error).__name__}")
    return {"lost_update": "unknown outcome"}


@rule("gold", Update)
def refuses_stale_writes(bench: Bench) -> None:
    """An update planned from a state that has passed is a VersionConflict, and what a person wrote stays."""
    seen = bench.record()
    bench.world.advance(MOMENT)
    theirs = bench.word()
    bench.edit(seen, theirs)
    bench.world.advance(MOMENT)
    error = error_of(bench.update(seen, {bench.trial.text: bench.word()}))
    must(isinstance(error, VersionConflict), f"a stale write is reported as {type(error).__name__}: {error}")
    must(bench.text_of(bench.get(seen.id)) == theirs, "a stale write overwrote what somebody had written")
    if isinstance(bench.connector, Delete):
        error = error_of(bench.delete(seen))
        must(isinstance(error, VersionConflict), f"a stale delete is reported as {type(error).__name__}: {error}")
        must(not bench.get(seen.id).deleted, "a stale delete removed what somebody had just changed")


@rule("gold", Update)
def tells_what_is_gone(bench: Bench) -> None:
    """An update of a record that somebody deleted is Gone, and doesn't bring it back."""
    record = bench.record()
    bench.remove(record)
    error = error_of(bench.update(record, {bench.trial.text: bench.word()}))
    must(isinstance(error, Gone), f"it is reported as {type(error).__name__}: {error}")
    must(bench.get(record.id).deleted, "an update brought a deleted record back")


def _written(bench: Bench, result: Result) -> Remote:
    if result.error is not None:
        raise Broken(f"a valid update was refused: {result.error}")
    must(result.remote, "an update was answered with neither a record nor an error")
    assert result.remote is not None
    must(result.problem is None, f"an update left a problem: {result.problem}")
    return result.remote if result.remote.record is not None else bench.get(result.remote.id)
