"""The change feed: by cursor column where there is one, else a scan of everything by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Page, Remote
from hub.errors import ConfigurationError

from .cursors import Feed, Position, Token, parse
from .database import Database
from .keys import after, among
from .rows import CHUNK, Shape, shape
from .tables import Lines, Source

Rows = Sequence[Sequence[Any]]


def list_changes(database: Database, source: Source, cursor: str | None, fields: Sequence[str]) -> Iterator[Page]:
    """Pages as ``ListChanges`` promises. Each page is one short transaction; nothing stays open between two."""
    wanted = shape(source, fields)
    if not source.settings.cursor:
        yield from _scan(database, wanted)
        return
    with database.reading() as connection:
        now = database.now(connection)
        fresh = Token(Position(seen=now), _newest_lines(connection, source, now))
    token = _honoured(database, source, parse(cursor), now)
    feed = Feed(source, source.table, source.settings.cursor)
    yield from _unstamped(database, wanted, feed)
    if token is None:
        yield from _stamped(database, wanted, feed, fresh, now=now)
        yield Page([], fresh.text(), complete=True)
        return
    start = feed.start(token.main, now)
    carried = Token(Position(token.main.at, token.main.key, now), token.lines)
    yield from _stamped(database, wanted, feed, carried, start=start, now=now)
    for lines in source.lines.values():
        if lines.settings.cursor:
            yield from _changed_lines(database, wanted, lines, carried, now)
    yield Page([], carried.text())


def list_ids(database: Database, source: Source) -> Iterator[list[str]]:
    """Ids of all rows in scope that aren't marked as deleted."""
    for remotes in _by_key(database, shape(source, source.table.key), source.live()):
        yield [remote.id for remote in remotes]


def _scan(database: Database, wanted: Shape) -> Iterator[Page]:
    for remotes in _by_key(database, wanted, []):
        yield Page(remotes, None)
    yield Page([], None, complete=True)


def _by_key(database: Database, wanted: Shape, conditions: list[sa.ColumnElement[bool]]) -> Iterator[list[Remote]]:
    keys = wanted.source.table.key_columns()
    last: tuple[Any, ...] | None = None
    while True:
        more = [after(keys, last)] if last is not None else []
        rows, remotes, ended = _page(database, wanted, [*conditions, *more], keys)
        if rows:
            yield remotes
            last = wanted.key(rows[-1])
        if ended:
            return


def _unstamped(database: Database, wanted: Shape, feed: Feed) -> Iterator[Page]:
    """Rows without a time can't say whether they changed: they come every time."""
    for remotes in _by_key(database, wanted, [feed.expression.is_(None)]):
        yield Page(remotes, None)


def _stamped(
    database: Database,
    wanted: Shape,
    feed: Feed,
    token: Token,
    *,
    start: sa.ColumnElement[bool] | None = None,
    now: datetime,
) -> Iterator[Page]:
    while True:
        rows, remotes, ended = _page(
            database, wanted, [feed.expression.is_not(None) if start is None else start], feed.order()
        )
        if rows:
            _advance(token.main, feed, [(_stamp(wanted, row), wanted.key(row)) for row in rows], now)
            yield Page(remotes, token.text())
            start = after(feed.order(), [_stamp(wanted, rows[-1]), *wanted.key(rows[-1])])
        if ended:
            return


def _advance(position: Position, feed: Feed, seen: list[tuple[Any, tuple[Any, ...]]], now: datetime) -> None:
    """Move to the last row that is not from the future, never backwards."""
    for at, key in reversed(seen):
        if not feed.is_future(at, now):
            if position.at is None or at >= position.at:
                position.at, position.key = at, key
            return


def _stamp(wanted: Shape, row: Sequence[Any]) -> Any:
    assert wanted.cursor is not None
    return row[wanted.cursor]


def _page(
    database: Database, wanted: Shape, conditions: list[sa.ColumnElement[bool]], order: Sequence[sa.ColumnElement[Any]]
) -> tuple[Rows, list[Remote], bool]:
    """At most one page of rows, as records too, and whether it was the last. Raises ConfigurationError when the key
    does not tell rows apart: paging by it would lose some."""
    size = database.settings.page_size
    select = wanted.select.where(*wanted.source.scope(), *conditions).order_by(*order).limit(size + 1)
    with database.reading() as connection:
        rows: Rows = connection.execute(select).all()
        keys = [wanted.key(row) for row in rows]
        if len(set(keys)) != len(keys):
            raise ConfigurationError(
                f"several rows of {wanted.source.name!r} have the same {', '.join(wanted.source.table.key)}",
                where=database.services.system,
                cure="choose a key that is unique",
            )
        remotes = wanted.remotes(connection, rows[:size])
    return rows[:size], remotes, len(rows) <= size


def _honoured(database: Database, source: Source, token: Token | None, now: datetime) -> Token | None:
    """The token, unless there is reason to read everything again."""
    if token is None or token.main.at is None:
        return None
    feed = Feed(source, source.table, source.settings.cursor)
    followed = {lines.field for lines in source.lines.values() if lines.settings.cursor}
    try:
        future = feed.is_future(token.main.at, now)
        feed.start(token.main, now)
    except TypeError:  # the column is of another kind than it was
        return None
    if future or (token.main.seen is not None and token.main.seen > now):
        database.services.log.warning("%s: the cursor of %s is from the future; reading everything",
                                      database.services.system, source.name)  # fmt: skip
        return None
    return token if followed <= set(token.lines) else None


def _newest_lines(connection: sa.Connection, source: Source, now: datetime) -> dict[str, Position]:
    """Where the feeds of the lines begin after a complete reading."""
    found = {}
    for lines in source.lines.values():
        if lines.settings.cursor:
            feed = Feed(source, lines.table, lines.settings.cursor, tuple(lines.join))
            last = sa.select(*feed.order()).where(feed.expression.is_not(None))
            row = connection.execute(last.order_by(*(part.desc() for part in feed.order())).limit(1)).first()
            known = row is not None and not feed.is_future(row[0], now)
            found[lines.field] = Position(row[0], tuple(row[1:]), now) if row and known else Position(seen=now)
    return found


def _changed_lines(database: Database, wanted: Shape, lines: Lines, token: Token, now: datetime) -> Iterator[Page]:
    """The records whose lines changed, for lines that don't touch their parent."""
    feed = Feed(wanted.source, lines.table, lines.settings.cursor, tuple(lines.join))
    last = token.lines[lines.field]
    start = [] if last.at is None else [feed.start(last, now)]
    position = token.lines[lines.field] = Position(last.at, last.key, now)
    joined = [lines.table.column(name) for name in lines.join]
    size = database.settings.page_size
    while True:
        select = sa.select(*feed.order(), *joined).where(*(start or [feed.expression.is_not(None)]))
        with database.reading() as connection:
            rows = connection.execute(select.order_by(*feed.order()).limit(size)).all()
            parents = list(dict.fromkeys(tuple(row[-len(joined) :]) for row in rows))
            remotes = _with_parents(connection, wanted, lines, parents)
        if rows:
            seen = [tuple(row[: -len(joined)]) for row in rows]
            _advance(position, feed, [(row[0], row[1:]) for row in seen], now)
            yield Page(remotes, token.text())
            start = [after(feed.order(), seen[-1])]
        if len(rows) < size:
            return


def _with_parents(
    connection: sa.Connection, wanted: Shape, lines: Lines, parents: list[tuple[Any, ...]]
) -> list[Remote]:
    table = wanted.source.table
    found: list[Remote] = []
    columns = [table.column(name) for name in lines.join.values()]
    for start in range(0, len(parents), CHUNK):
        chosen = among(columns, parents[start : start + CHUNK])
        rows = connection.execute(wanted.select.where(*wanted.source.scope(), chosen)).all()
        found += wanted.remotes(connection, rows)
    return found
