"""The answer to a batch: which result belongs to which record, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from hub.connect.answers import Answer
from hub.connect.capabilities import Record, Remote, Result, Write
from hub.connect.templates import as_text
from hub.errors import UnknownOutcome

from .grammar import Each, WriteConfig
from .places import found, pick
from .sighting import Shape
from .verdicts import of_item


def results_of(
    shape: Shape, call: WriteConfig, writes: Sequence[Write], bodies: Sequence[Record], answer: Answer
) -> list[Result]:
    """A result for each write. Raises UnknownOutcome when the answer doesn't tell what became of them."""
    assert call.each is not None
    items = pick(answer.json_or_none(), call.each.at)
    if not isinstance(items, list):
        raise UnknownOutcome(
            f"the answer to a batch has no results at {call.each.at!r}: {answer.excerpt(120)}", where=shape.where
        )
    paired = _by_key(shape, writes, items) if call.each.pair == "key" else _in_order(shape, writes, items)
    return [_result(shape, call.each, write, item) for write, item in zip(writes, paired, strict=True)]


def _in_order(shape: Shape, writes: Sequence[Write], items: list[object]) -> list[object]:
    if len(items) != len(writes):
        raise UnknownOutcome(f"{len(writes)} records were answered by {len(items)} results", where=shape.where)
    return items


def _by_key(shape: Shape, writes: Sequence[Write], items: list[object]) -> list[object]:
    """Some products answer in an order of their own."""
    key = shape.config.key or "."
    by_key = {as_text(found(item, key)): item for item in items}
    by_id = {as_text(found(item, shape.config.id)): item for item in items}
    return [by_id.get(str(write.id)) if write.id is not None else by_key.get(write.key) for write in writes]


def _result(shape: Shape, each: Each, write: Write, item: object) -> Result:
    if item is None:
        return Result(error=UnknownOutcome("the answer does not speak of this record", where=shape.where))
    error = of_item(item, each.errors, [])
    if error is not None:
        error.where = error.where or f"{shape.where}/{write.id or 'new'}"
        return Result(error=error)
    id = write.id or as_text(found(item, each.id))
    if not id:
        return Result(error=UnknownOutcome("the result of this record has no id", where=shape.where))
    return Result(remote=Remote(str(id), None, key=write.key if shape.config.key else None))
