"""Reading: single records, records by a field's values, ids of all, and the lines kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hub.connect.capabilities import Record, Remote, Result, Write
from hub.connect.templates import as_text
from hub.errors import AlreadyExists, ConfigurationError, Gone, HubError, RecordRejected, UnexpectedAnswer

from .calls import Client, Extra, pieces, rows_of
from .grammar import LinesConfig, ListConfig, LookupConfig
from .hooks import Steps
from .loading import Product
from .places import found, pick
from .sighting import Shape
from .walking import Walker

AT_ONCE = 4
Item = TypeVar("Item")
Made = TypeVar("Made")


class Reader:
    """One system's reads."""

    def __init__(self, product: Product, client: Client, steps: Steps) -> None:
        self._product = product
        self._client = client
        self._steps = steps

    @property
    def system(self) -> str:
        return self._client.system

    @property
    def client(self) -> Client:
        return self._client

    @property
    def steps(self) -> Steps:
        return self._steps

    def shape(self, name: str) -> Shape:
        """How a resource's records are looked at. Raises ConfigurationError for an unknown one."""
        where = f"{self._client.system}/{name}"
        config = self._product.resource(name, where)
        return Shape(name, config, config.time or self._product.manifest.time, self._steps, where)

    def walker(self, shape: Shape, config: ListConfig | None = None) -> Walker:
        """The walk through a resource's list. Raises ConfigurationError when it has none."""
        config = config or shape.config.list_
        if config is None:
            raise ConfigurationError(f"{shape.name!r} can't be listed", where=shape.where, cure="add 'list:' to it")
        paging = config.paging or self._product.manifest.paging
        if self._client.settings.page and paging.size_param:
            paging = paging.model_copy(update={"size": self._client.settings.page})
        return Walker(self._client, config, paging, shape.config.id, shape.where)

    def ids(self, name: str) -> Iterator[list[str]]:
        """See ``ListIds``."""
        shape = self.shape(name)
        for batch in self.walker(shape).walk({"resource": name}):
            rows = [row for row in shape.cleaned(batch.rows) if not shape.gone(row)]
            if rows:
                yield [shape.id(row) for row in rows]
            if batch.last and not batch.sure:
                raise UnexpectedAnswer("the list changed three times while it was read", where=shape.where)

    def get(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> list[Remote]:
        """See ``Get``: in the order of the ids."""
        shape = self.shape(name)
        rows = self.rows(shape, ids)
        remotes = {id: shape.remote(row, fields) for id, row in self.with_lines(shape, rows, fields).items()}
        return [remotes.get(id) or Remote(id, None, deleted=True) for id in ids]

    def rows(self, shape: Shape, ids: Sequence[str]) -> dict[str, Record]:
        """Whole records by id; those that are not there are missing."""
        wanted = list(dict.fromkeys(ids))
        lookup = shape.config.lookup
        rows: dict[str, Record] = {}
        if lookup is not None and (not lookup.fields or shape.config.id in lookup.fields):
            try:
                rows = {shape.id(row): row for row in self.look_up(shape, lookup, shape.config.id, wanted)}
            except RecordRejected:
                # A text that can't be an id spoils the question for all of them: each is asked for by itself.
                rows = {}
            if shape.config.get is None:
                return rows
        # Lists leave out what is archived or hidden; only the single call knows that a record is really gone.
        rest = [id for id in wanted if id not in rows]
        rows |= {id: row for id, row in zip(rest, _spread(lambda id: self._one(shape, id), rest), strict=True) if row}
        return {id: row for id, row in rows.items() if not shape.gone(row)}

    def look_up(self, shape: Shape, lookup: LookupConfig, field: str, values: Sequence[Any]) -> list[Record]:
        """The records whose field has one of these values. Raises UnexpectedAnswer when others come too: a filter that
        is not understood is passed over by some products, and the whole list comes back."""
        wanted = {as_text(value) for value in values}
        rows: list[Record] = []
        for some in pieces(sorted(wanted), lookup.most):
            found_rows = self._looked_up(shape, lookup, field, some)
            strange = [row for row in found_rows if as_text(found(row, field)) not in wanted]
            if strange:
                raise UnexpectedAnswer(
                    f"asked for {field} {as_text(some)[:80]}, got {len(strange)} other records: the filter is ignored",
                    where=shape.where,
                    cure="correct 'lookup:' in the manifest",
                )
            rows += found_rows
        return rows

    def _looked_up(self, shape: Shape, lookup: LookupConfig, field: str, values: list[str]) -> list[Record]:
        """What one call finds."""
        at = lookup.records or (shape.config.list_.records if shape.config.list_ else ".")
        held = {"resource": shape.name, "field": field, "values": values, "value": values[0]}
        answer = self._client.send(lookup, "list", held, shape.name, Extra(accept=lookup.empty))
        return [] if answer.status in lookup.empty else shape.cleaned(rows_of(answer, at, shape.where))

    def lookup_problem(self, shape: Shape, rows: Sequence[Record]) -> str | None:
        """What is wrong with looking records up, tried with some that are there; None where nothing is. A question for
        several values that the product understands as one finds nobody, and a lost create would be made again."""
        config, lookup = shape.config, shape.config.lookup
        for field in dict.fromkeys(filter(None, (config.id, config.key, *config.natural))):
            values = [as_text(value) for row in rows if (value := found(row, field)) not in (None, "")][:2]
            if lookup is None or not values or (lookup.fields and field not in lookup.fields):
                continue
            # The same one twice is a list of two, too.
            asked = (values * 2)[:2] if lookup.most > 1 else values[:1]
            there = {as_text(found(row, field)) for row in self._looked_up(shape, lookup, field, asked)}
            if missing := [value for value in asked if value not in there]:
                several = (
                    "; a list is joined by commas, or repeated under a key that ends in []" if len(asked) > 1 else ""
                )
                return (
                    f"asked for {field} {' and '.join(asked)}, it does not find {missing[0]}, which its list shows: "
                    f"correct 'lookup:' in the manifest{several}"
                )
        return None

    def with_lines(self, shape: Shape, rows: dict[str, Record], fields: Sequence[str]) -> dict[str, Record]:
        """The records with the lines that have to be fetched apart."""
        asked = {f.partition(".")[0] for f in fields}
        for name, lines in shape.config.lines.items():
            if lines.list_ is None or name not in asked or not rows:
                continue
            fetched = _spread(lambda id, n=name, one=lines: self.lines_of(shape, n, one, id), list(rows))  # type: ignore[misc]
            rows = {id: {**row, name: some} for (id, row), some in zip(rows.items(), fetched, strict=True)}
        return rows

    def lines_of(self, shape: Shape, name: str, lines: LinesConfig, id: str) -> list[Record]:
        """The lines of one record, by their own call."""
        assert lines.list_ is not None
        walker = Walker(
            self._client,
            lines.list_,
            lines.list_.paging or self._product.manifest.paging,
            lines.id or ".",
            f"{shape.where}/{name}",
            "get",
        )
        held = {"resource": shape.name, "id": id}
        rows: dict[str, Record] = {}
        for batch in walker.walk(held):
            for row in batch.rows:
                # Pages of a walk that is repeated show lines again.
                rows[as_text(found(row, lines.id)) if lines.id else str(len(rows))] = row
        return list(rows.values())

    def probe(self, name: str, writes: Sequence[Write], fields: Sequence[str]) -> list[Remote | None]:
        """See ``Probe``: by the hub's key, else by fields that are unique in the product."""
        shape = self.shape(name)
        lookup, key = shape.config.lookup, shape.config.key
        if lookup is None or not (key or shape.config.natural):
            raise ConfigurationError(
                f"a lost create of {name!r} can't be looked up", where=shape.where, cure="add 'key:' or 'natural:'"
            )
        ids: list[str | None]
        if key:
            rows = self.look_up(shape, lookup, key, [w.key for w in writes])
            by_key = {as_text(found(row, key)): shape.id(row) for row in rows}
            ids = [by_key.get(write.key) for write in writes]
        else:
            ids = [self._by_nature(shape, lookup, write) for write in writes]
        seen = {r.id: r for r in self.get(name, [id for id in ids if id], fields)}
        return [seen.get(id) if id else None for id in ids]

    def find_existing(self, shape: Shape, write: Write, result: Result) -> None:
        """Which record it was that is there already. With our key it is this very one, made by a request whose answer
        was lost: then the create has succeeded. Left as it is where nothing can be looked up."""
        error, lookup, key = result.error, shape.config.lookup, shape.config.key
        if lookup is None or not isinstance(error, AlreadyExists):
            return
        try:
            if key and (rows := self.look_up(shape, lookup, key, [write.key])):
                result.remote, result.error = Remote(shape.id(rows[0]), None, key=write.key), None
                return
            for field in filter(None, (error.field, *shape.config.natural)):
                value = found(write.values, field)
                if error.remote_id or value in (None, "") or (lookup.fields and field not in lookup.fields):
                    continue
                rows = self.look_up(shape, lookup, field, [value])
                error.remote_id = shape.id(rows[0]) if len(rows) == 1 else None
        except HubError:
            return

    def _by_nature(self, shape: Shape, lookup: LookupConfig, write: Write) -> str | None:
        said = {n: found(write.values, n) for n in shape.config.natural if found(write.values, n) not in (None, "")}
        if not said:
            raise ConfigurationError(
                f"can't tell whether this record of {shape.name!r} was made: it has none of "
                f"{', '.join(shape.config.natural)}",
                where=shape.where,
                cure="map one of them",
            )
        for field, value in said.items():
            rows = self.look_up(shape, lookup, field, [value])
            if len(rows) > 1:
                raise UnexpectedAnswer(f"{len(rows)} records have this {field}", where=shape.where)
            if rows:
                return shape.id(rows[0])
        return None

    def _one(self, shape: Shape, id: str) -> Record | None:
        call = shape.config.get
        if call is None:
            return None
        try:
            answer = self._client.send(call, "get", {"resource": shape.name, "id": id}, f"{shape.name}/{id}")
        except Gone:
            return None
        except RecordRejected as problem:
            raise UnexpectedAnswer(problem.what, where=problem.where, cure=problem.cure) from None
        row = pick(answer.json(), call.record)
        if row is None or row == []:
            return None
        if not isinstance(row, dict):
            raise UnexpectedAnswer(f"the answer has no record at {call.record!r}", where=f"{shape.where}/{id}")
        (cleaned,) = shape.cleaned([row])
        return cleaned


def _spread(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Some at a time, results in the order of the items."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))
