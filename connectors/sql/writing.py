"""Create, update and delete: a batch in one transaction; when the database refuses it, each record in its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from hub.connect.capabilities import Remote, Result, Write
from hub.errors import AlreadyExists, Gone, HubError, RecordRejected, Unavailable, UnknownOutcome, VersionConflict

from .database import Database
from .faults import is_crossing, translate
from .keys import equals, row_id
from .prepare import wanted
from .tables import Source

Work = Callable[[sa.Connection, Sequence[Write]], list[Result]]
_TRIES = 20
"""Only for what the database rolled back because someone else was quicker."""
_OF_ONE_RECORD = (RecordRejected, VersionConflict, Gone)


class InLines(Exception):
    """A database error that happened while writing lines, not the record itself. Never leaves this package."""

    def __init__(self, field: str, error: DBAPIError) -> None:
        super().__init__(field)
        self.field = field
        self.error = error


class Batches:
    """Runs one kind of work over writes, each record with its own result."""

    def __init__(self, database: Database, source: Source, work: Work) -> None:
        self.database = database
        self.source = source
        self.work = work

    def run(self, writes: Sequence[Write]) -> list[Result]:
        """Raises what concerns all writes (the database is away, the user may not); then nothing was done, except for
        UnknownOutcome: the answer to the commit of the whole batch was lost."""
        if not writes:
            return []
        if len(writes) > 1 and self.source.table.transactional:
            try:
                return self.database.transaction(lambda connection: self.work(connection, writes))
            except InLines as refused:
                self._raise_if_it_concerns_all(refused.error)
            except DBAPIError as error:
                self._raise_if_it_concerns_all(error)
            except (*_OF_ONE_RECORD, StatementError):
                pass  # one record was refused half-way: found again below, record by record
        return self._one_by_one(writes)

    def _raise_if_it_concerns_all(self, error: DBAPIError) -> None:
        found = self._error(error)
        if not isinstance(found, RecordRejected) and not is_crossing(error):
            raise found from error

    def _one_by_one(self, writes: Sequence[Write]) -> list[Result]:
        results: list[Result] = []
        for number, write in enumerate(writes):
            result = self._alone(write)
            if (
                number == 0
                and result.error is not None
                and not isinstance(result.error, (*_OF_ONE_RECORD, UnknownOutcome))
            ):
                raise result.error
            results.append(result)
            if isinstance(result.error, Unavailable):
                away = Unavailable("not tried: the database went away", where=self.database.services.system)
                return results + [Result(error=away) for _ in writes[number + 1 :]]
        return results

    def _alone(self, write: Write) -> Result:
        for attempt in range(1, _TRIES + 1):
            try:
                result = self.database.transaction(lambda connection: self.work(connection, [write]))[0]
                result.attempts = attempt
                return result
            except InLines as refused:
                return Result(error=self._in_lines(refused), attempts=attempt)
            except DBAPIError as error:
                found = self._named(self._error(error), write)
                if attempt < _TRIES and (is_crossing(error) or self._number_taken(found)):
                    continue
                return Result(error=self._lost(error, found), attempts=attempt)
            except StatementError as error:
                where = self.database.services.system
                return Result(error=RecordRejected(str(error.orig), where=where), attempts=attempt)
            except HubError as error:
                return Result(error=error, attempts=attempt)
        raise AssertionError("unreachable")

    def _error(self, error: DBAPIError) -> HubError:
        where = f"{self.database.services.system}/{self.source.name}"
        return translate(error, where, self.source.table.unique)

    def _lost(self, error: DBAPIError, found: HubError) -> HubError:
        """A table without transactions may have kept part of what was sent."""
        if self.source.table.transactional or not isinstance(found, Unavailable):
            return found
        return UnknownOutcome(found.what, where=found.where)

    def _in_lines(self, refused: InLines) -> HubError:
        lines = self.source.lines[refused.field]
        found = translate(refused.error, f"{self.database.services.system}/{self.source.name}", lines.table.unique)
        if not isinstance(found, RecordRejected):
            return self._lost(refused.error, found)
        field = f"{refused.field}.{found.field}" if found.field else refused.field
        return RecordRejected(found.what, field=field, code=found.code, where=found.where, cure=found.cure)

    def _number_taken(self, found: HubError) -> bool:
        """Someone else took the number that was next."""
        table = self.source.table
        return isinstance(found, AlreadyExists) and table.new_key == "next" and found.field == ", ".join(table.key)

    def _named(self, found: HubError, write: Write) -> HubError:
        """Add to a refusal which record is in the way, or what to do about a missing key."""
        table = self.source.table
        if isinstance(found, AlreadyExists):
            if self._made_twice(found, write):
                cure = "its counter lags behind its rows: set the sequence or auto_increment beyond the highest key"
                return RecordRejected(
                    f"the database made a {found.field} that it has already",
                    field=found.field,
                    where=found.where,
                    cure=cure,
                )
            found.remote_id = self._in_the_way(found, write)
        elif isinstance(found, RecordRejected) and found.field in table.key and write.id is None:
            found.cure = f"write {found.field} in the mapping, or set new_key: next if it just counts up"
        return found

    def _made_twice(self, found: AlreadyExists, write: Write) -> bool:
        table = self.source.table
        return table.new_key == "database" and (found.field or "").split(", ") == [
            n for n in table.key if n not in write.values
        ]

    def _in_the_way(self, found: AlreadyExists, write: Write) -> str | None:
        table = self.source.table
        columns = (found.field or "").split(", ")
        try:
            row = wanted(self.source, write).row
        except HubError:
            return None
        if not columns or any(row.get(name) is None for name in columns):
            return None
        chosen = equals([table.column(name) for name in columns], [row[name] for name in columns])
        try:
            with self.database.reading() as connection:
                other = connection.execute(sa.select(*table.key_columns()).where(chosen)).first()
        except HubError:
            return None
        return row_id(table, other) if other is not None else None


def succeeded(remote: Remote | None, identity: str) -> Result:
    """``remote`` is None when the row can't be read back (it left the view): the engine then looks again."""
    return Result(remote=remote or Remote(identity, None))
