"""The work of one transaction: creating, updating and deleting rows, and reading back what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hub.connect.capabilities import Remote, Result, Write
from hub.errors import AlreadyExists, Gone, RecordRejected, VersionConflict

from .database import Database
from .keys import among, equals, key_values, row_id
from .keytable import KeyTable
from .linework import check_unchanged, delete_lines, write_lines
from .prepare import Row, Wanted, complete_new, marking, same, touched, wanted
from .rows import Shape, child_rows, shape
from .tables import Source
from .writing import InLines, succeeded

Found = dict[str, tuple[Row, Remote]]
"""Id → the row's driver values and what reading it gives."""


class RowWork:
    """Works on one resource; ``fields`` are read back."""

    def __init__(
        self, database: Database, source: Source, keys: KeyTable | None, fields: Sequence[str], *, upsert: bool = False
    ) -> None:
        self.database = database
        self.source = source
        self.keys = keys
        self.fields = fields
        self.upsert = upsert
        self.where = f"{database.services.system}/{source.name}"

    def create(self, connection: sa.Connection, writes: Sequence[Write]) -> list[Result]:
        results: list[Result | None] = [None] * len(writes)
        new: dict[int, Wanted] = {}
        for number, write in enumerate(writes):
            try:
                new[number] = self._new(write)
            except RecordRejected as error:
                results[number] = Result(error=error)
        for number, identity in self._ours(connection, new).items():
            results[number] = self._adopt(connection, new.pop(number), identity)
        for number, identity in self._of_others(connection, new).items():
            each = new.pop(number)
            if self.upsert:
                results[number] = self._adopt(connection, each, identity)
            else:
                what = f"there is a row with this {', '.join(self.source.table.key)} already"
                results[number] = Result(error=AlreadyExists(what, remote_id=identity, where=self.where))
        self._insert(connection, list(new.values()))
        for each in new.values():
            self._write_lines(connection, each, each.lines, {})
        read = self._read_back(connection, [each.key for each in new.values()])
        created = []
        for number, each in new.items():
            identity = row_id(self.source.table, each.key)
            created.append((each.write.key, identity))
            results[number] = succeeded(read.get(identity), identity)
        if self.keys is not None:
            self.keys.note(connection, self.source.name, created)
        return [result for result in results if result is not None]

    def update(self, connection: sa.Connection, writes: Sequence[Write]) -> list[Result]:
        found = self._lock(connection, writes)
        results: list[Result | None] = [None] * len(writes)
        done: dict[int, Wanted] = {}
        groups: dict[tuple[str, ...], list[Wanted]] = {}
        for number, write in enumerate(writes):
            try:
                row, _ = self._current(found, write)
                each = wanted(self.source, write)
                each.key = tuple(row[name] for name in self.source.table.key)
                self._check_lines(connection, each, row)
                each.row = self._changes(each, row)
            except (RecordRejected, VersionConflict, Gone) as error:
                results[number] = Result(error=error)
                continue
            done[number] = each
            lines_changed = self._write_lines(connection, each, each.lines, row)
            if each.row or lines_changed:
                each.row |= touched(self.source, self.database.services.now)
            if each.row or (lines_changed and self._bumped(())):
                groups.setdefault(tuple(sorted(each.row)), []).append(each)
        for names, members in groups.items():
            self._update(connection, names, members)
        read = self._read_back(connection, [each.key for each in done.values()])
        for number, each in done.items():
            identity = row_id(self.source.table, each.key)
            results[number] = succeeded(read.get(identity), identity)
        return [result for result in results if result is not None]

    def delete(self, connection: sa.Connection, writes: Sequence[Write]) -> list[Result]:
        found = self._lock(connection, writes)
        results = []
        for write in writes:
            try:
                row, _ = self._current(found, write)
                results.append(self._remove(connection, write, row))
            except Gone:
                results.append(Result(remote=Remote(write.id or "", None, deleted=True)))
            except (VersionConflict, RecordRejected) as error:
                results.append(Result(error=error))
        return results

    # Creating

    def _new(self, write: Write) -> Wanted:
        each = wanted(self.source, write)
        complete_new(self.source, each, self.database.services.now)
        table = self.source.table
        missing = [name for name in table.key if name not in each.row and not table.columns[name].filled]
        if missing and table.new_key == "mapping":
            raise RecordRejected(
                f"{', '.join(missing)} is missing, and the database doesn't make it up",
                field=missing[0],
                where=self.where,
                cure=f"write {missing[0]} in the mapping, or set new_key: next if it just counts up",
            )
        return each

    def _ours(self, connection: sa.Connection, new: dict[int, Wanted]) -> dict[int, str]:
        """The new records that an earlier try has created already: their rows, by the hub's key."""
        if name := self.source.settings.hub_key:
            return self._ids_by(connection, (name,), new)
        if self.keys is None:
            return {}
        noted = self.keys.row_ids(connection, self.source.name, [each.write.key for each in new.values()])
        ids = {number: noted[each.write.key] for number, each in new.items() if each.write.key in noted}
        keys = [key for identity in ids.values() if (key := key_values(self.source.table, identity)) is not None]
        there = self._read_back(connection, keys)
        return {number: identity for number, identity in ids.items() if identity in there}

    def _of_others(self, connection: sa.Connection, new: dict[int, Wanted]) -> dict[int, str]:
        """The new records whose key, given by the mapping, has a row already."""
        names = self.source.table.key
        return self._ids_by(connection, names, {n: e for n, e in new.items() if all(name in e.row for name in names)})

    def _ids_by(self, connection: sa.Connection, names: tuple[str, ...], new: dict[int, Wanted]) -> dict[int, str]:
        if not new:
            return {}
        table = self.source.table
        values = {number: tuple(each.row[name] for name in names) for number, each in new.items()}
        columns = [table.column(name) for name in names]
        select = sa.select(*columns, *table.key_columns()).where(among(columns, list(values.values())))
        ids = {tuple(row[: len(names)]): row_id(table, row[len(names) :]) for row in connection.execute(select)}
        return {number: ids[value] for number, value in values.items() if value in ids}

    def _adopt(self, connection: sa.Connection, each: Wanted, identity: str) -> Result:
        """The row is there and may be written: bring it to what was wanted."""
        return self.update(connection, [Write(each.write.key, each.write.values, id=identity)])[0]

    def _insert(self, connection: sa.Connection, new: Sequence[Wanted]) -> None:
        table = self.source.table
        if table.new_key == "next":
            self._number(connection, [each for each in new if table.key[-1] not in each.row])
        groups: dict[tuple[str, ...], list[Wanted]] = {}
        for each in new:
            groups.setdefault(tuple(sorted(each.row)), []).append(each)
        for names, members in groups.items():
            if set(table.key) <= set(names):
                connection.execute(sa.insert(table.sql), [each.row for each in members])
                for each in members:
                    each.key = tuple(each.row[name] for name in table.key)
            elif len(members) > 1 and self._tells_in_order(connection, names):
                insert = sa.insert(table.sql).returning(*table.key_columns(), sort_by_parameter_order=True)
                for each, row in zip(members, connection.execute(insert, [m.row for m in members]), strict=True):
                    each.key = tuple(row)
            else:
                for each in members:
                    each.key = self._insert_one(connection, each)

    def _tells_in_order(self, connection: sa.Connection, names: tuple[str, ...]) -> bool:
        """Whether one statement may insert many rows and tell the key of each. It spells out the type of every column,
        so that all must have one, and takes no expressions."""
        if not connection.dialect.insert_executemany_returning_sort_by_parameter_order:
            return False
        columns = self.source.table.columns
        typed = all(not isinstance(columns[name].sql.type, sa.types.NullType) for name in names)
        return (typed or self.database.family == "sqlite") and not self.source.settings.touch

    def _insert_one(self, connection: sa.Connection, each: Wanted) -> tuple[Any, ...]:
        """Insert a row whose key the database makes, and learn the key."""
        table = self.source.table
        insert = sa.insert(table.sql).values(each.row)
        if connection.dialect.insert_returning:
            return tuple(connection.execute(insert.returning(*table.key_columns())).one())
        missing = [name for name in table.key if name not in each.row]
        done = connection.execute(insert)
        if len(missing) != 1 or not table.columns[missing[0]].counts:
            raise RecordRejected(
                f"the database doesn't tell which {', '.join(missing)} it made", field=missing[0], where=self.where
            )
        return tuple(each.row.get(name, done.lastrowid) for name in table.key)

    def _number(self, connection: sa.Connection, new: Sequence[Wanted]) -> None:
        """Count on from the highest number. Should someone be quicker, the database refuses and it runs again."""
        if not new:
            return
        table = self.source.table
        column = table.columns[table.key[-1]]
        highest = connection.execute(sa.select(sa.func.max(column.sql))).scalar()
        for number, each in enumerate(new, int(highest or 0) + 1):
            try:
                each.row[column.name] = column.put(number)
            except ValueError as error:
                raise RecordRejected(f"no number is left: {error}", field=column.name, where=self.where) from error

    # Updating

    def _lock(self, connection: sa.Connection, writes: Sequence[Write]) -> Found:
        """The rows as they are now, locked in the order of their key so that two batches never wait for each other."""
        names = dict.fromkeys(name for write in writes for name in [*write.values, *(write.old or {})])
        known = [name for name in names if name in self.source.table.columns]
        joins = [name for lines in self.source.lines.values() for name in lines.join.values()]
        reading = shape(self.source, [*known, *joins, *self.source.table.key])
        keys = [key_values(self.source.table, write.id or "") for write in writes]
        given = [key for key in keys if key is not None]
        select = reading.select.where(*self.source.scope(), among(self.source.table.key_columns(), given))
        select = self.database.locked(select.order_by(*self.source.table.key_columns()))
        rows = connection.execute(select).all()
        remotes = reading.remotes(connection, rows)
        return {remote.id: (_row(reading, row), remote) for row, remote in zip(rows, remotes, strict=True)}

    def _current(self, found: Found, write: Write) -> tuple[Row, Remote]:
        """Raises Gone, or VersionConflict when the row is not as it was when the write was planned."""
        where = f"{self.where}/{write.id}"
        if write.id not in found or found[write.id][1].deleted:
            raise Gone(f"there is no row {write.id}", where=where)
        row, remote = found[write.id]
        if write.version is not None and remote.version is not None:
            if write.version != remote.version:
                raise VersionConflict(f"version {remote.version} instead of {write.version}", where=where)
            return row, remote
        for name, value in (write.old or {}).items():
            column = self.source.table.columns.get(name)
            if column is not None and name in row and not same(column, row[name], value):
                raise VersionConflict(f"{name} is {column.get(row[name])!r} instead of {value!r}", where=where)
        return row, remote

    def _changes(self, each: Wanted, row: Row) -> Row:
        columns = self.source.table.columns
        changes = {n: v for n, v in each.row.items() if not same(columns[n], row[n], columns[n].get(v))}
        if moved := changes.keys() & set(self.source.table.key):
            raise RecordRejected("the key of a row can't be changed", field=min(moved), where=self.where)
        return changes

    def _update(self, connection: sa.Connection, names: tuple[str, ...], members: Sequence[Wanted]) -> None:
        table = self.source.table
        fixed = {name: members[0].row[name] for name in names if isinstance(members[0].row[name], sa.ClauseElement)}
        bound = [name for name in names if name not in fixed]
        columns = table.key_columns()
        keys = [sa.bindparam(f"hub_key_{n}", type_=column.type) for n, column in enumerate(columns)]
        values = {name: sa.bindparam(f"hub_value_{n}", type_=table.column(name).type) for n, name in enumerate(bound)}
        statement = sa.update(table.sql).where(equals(columns, keys)).values({**values, **fixed, **self._bumped(names)})
        connection.execute(
            statement,
            [
                {f"hub_key_{n}": part for n, part in enumerate(each.key)}
                | {f"hub_value_{n}": each.row[name] for n, name in enumerate(bound)}
                for each in members
            ],
        )

    def _bumped(self, names: Iterable[str]) -> dict[str, Any]:
        """A version that counts is counted up, as every program that relies on it does."""
        name = self.source.settings.version
        column = self.source.table.columns.get(name or "")
        if column is None or column.name in names or column.kind.field != "integer" or column.fixed:
            return {}
        return {column.name: sa.func.coalesce(column.sql, 0) + 1}

    # Lines, deleting, reading back

    def _check_lines(self, connection: sa.Connection, each: Wanted, row: Row) -> None:
        for name in each.lines:
            lines, old = self.source.lines[name], (each.write.old or {}).get(name)
            if old is not None:
                parent = tuple(row[column] for column in lines.join.values())
                current = child_rows(connection, lines, [parent], lock=self.database.locked)[0]
                check_unchanged(lines, current, old, f"{self.where}/{each.write.id}")

    def _write_lines(self, connection: sa.Connection, each: Wanted, wanted_lines: dict[str, Any], row: Row) -> bool:
        changed = False
        for name, records in wanted_lines.items():
            lines = self.source.lines[name]
            known = row or each.row | dict(zip(self.source.table.key, each.key, strict=True))
            parent = tuple(known[column] for column in lines.join.values())
            try:
                current = child_rows(connection, lines, [parent], lock=self.database.locked)[0] if row else []
                changed |= write_lines(connection, lines, parent, current, wanted=records, where=self.where)
            except DBAPIError as error:
                raise InLines(name, error) from error
        return changed

    def _remove(self, connection: sa.Connection, write: Write, row: Row) -> Result:
        settings, table = self.source.settings, self.source.table
        key = [row[name] for name in table.key]
        mark = settings.archive if write.mode == "archive" and settings.archive else settings.deleted
        if write.mode == "archive" and mark is None:
            raise RecordRejected(
                "this table has no way to archive", where=self.where, cure="set archive: {column: …} for it"
            )
        if mark is not None:
            change = marking(self.source, mark, self.database.services.now)
            statement = sa.update(table.sql).where(equals(table.key_columns(), key))
            connection.execute(statement.values(change | self._bumped(change)))
            read = self._read_back(connection, [tuple(key)])
            return succeeded(read.get(write.id or ""), write.id or "")
        for lines in self.source.lines.values():
            delete_lines(connection, lines, tuple(row[name] for name in lines.join.values()))
        connection.execute(sa.delete(table.sql).where(equals(table.key_columns(), key)))
        if self.keys is not None:
            self.keys.forget(connection, self.source.name, [write.id or ""])
        return Result(remote=Remote(write.id or "", None, deleted=True))

    def _read_back(self, connection: sa.Connection, keys: Sequence[tuple[Any, ...]]) -> dict[str, Remote]:
        if not keys:
            return {}
        reading = shape(self.source, self.fields)
        rows = connection.execute(reading.select.where(among(self.source.table.key_columns(), keys))).all()
        return {remote.id: remote for remote in reading.remotes(connection, rows)}


def _row(reading: Shape, row: Sequence[Any]) -> Row:
    return {name: row[at] for name, at in reading.positions.items()}
