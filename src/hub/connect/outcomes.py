"""What becomes of many writes: a result for each, whether the product takes them one by one or all at once.

| the product takes           | use        |
|-----------------------------|------------|
| one record a call           | ``each``   |
| many, all of them or none   | ``together`` |
| a deletion a call           | ``removed`` |

and ``read_back`` in the end, so that every result tells what the system made of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hub.connect.capabilities import Remote, Result, Write
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    HubError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

REFUSED = (RecordRejected, Gone, VersionConflict)
"""Errors that concern a record and not the system: the others of its batch go on."""


def each(writes: Sequence[Write], one: Callable[[Write], Result]) -> list[Result]:
    """A call a record. What concerns the system and not the record ends the round: the rest would fare no better.
    Raises such an error only when nothing was done yet."""
    results: list[Result] = []
    for write in writes:
        try:
            results.append(one(write))
        except UnknownOutcome as error:
            results.append(Result(error=error))
        except (AuthenticationError, ConfigurationError, RateLimited, Unavailable) as error:
            if not results:
                raise
            results += [Result(error=error) for _ in range(len(writes) - len(results))]
            break
        except HubError as error:
            results.append(Result(error=error))
    return results


def together(writes: Sequence[Write], send: Callable[[Sequence[Write]], list[Result]]) -> list[Result]:
    """A call that is carried out as a whole or not at all. Where it is refused, each record is sent alone, so that a
    bad one fails by itself. What else goes wrong with the whole call is raised."""
    try:
        return send(writes)
    except REFUSED as error:
        if len(writes) == 1:
            return [Result(error=error)]
    return each(writes, lambda write: send([write])[0])


def removed(writes: Sequence[Write], remove: Callable[[Write], None]) -> list[Result]:
    """A call a record; one that is gone already is as wanted."""

    def one(write: Write) -> Result:
        deleted = write.mode == "delete"
        try:
            remove(write)
        except Gone:
            deleted = True  # somebody was faster
        return Result(remote=Remote(str(write.id), None, deleted=deleted))

    return each(writes, one)


def read_back(writes: Sequence[Write], results: list[Result], get: Callable[[list[str]], list[Remote]]) -> list[Result]:
    """Each result with the record as the system has it now. A failure here makes no write fail: the engine looks at
    the record again."""
    ids = [result.remote.id for result in results if result.remote is not None]
    try:
        seen = {remote.id: remote for remote in get(ids)} if ids else {}
    except HubError:
        seen = {}
    for write, result in zip(writes, results, strict=True):
        now = seen.get(result.remote.id) if result.remote is not None else None
        # Fresh records may be hidden from lists for a while: that they are not shown yet is no deletion.
        if now is not None and not (now.deleted and write.id is None):
            result.remote = now
    return results


def named_twins(writes: Sequence[Write], results: list[Result], twin: Callable[[Write], Remote | None]) -> list[Result]:
    """Refused creates of records that are there already say which. ``twin`` looks; where it can't, the refusal
    stays."""
    for write, result in zip(writes, results, strict=True):
        error = result.error
        if not isinstance(error, RecordRejected) or isinstance(error, AlreadyExists):
            continue
        try:
            there = twin(write)
        except HubError:
            continue
        if there is not None:
            result.error = AlreadyExists(error.what, remote_id=there.id, code=error.code, where=error.where)
    return results


@contextmanager
def carried_out(where: str) -> Iterator[None]:
    """Around what must follow for a write to be complete. It was sent: a failure now leaves its outcome unknown, and
    must not look like one in which nothing was done."""
    try:
        yield
    except UnknownOutcome:
        raise
    except HubError as error:
        raise UnknownOutcome(f"sent, and then: {error.what}", where=error.where or where, cure=error.cure) from error
