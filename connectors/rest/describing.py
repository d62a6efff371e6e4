"""Resources and their fields: as the manifest declares them, or as the live system describes itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.connect.capabilities import Field, Record, Resource
from hub.connect.templates import as_text
from hub.errors import ConfigurationError

from .grammar import DescribeFields, FieldConfig, Fields, ResourceConfig
from .loading import ANY, Product
from .places import found
from .reading import Reader
from .walking import Walker

BATCH = 20
"""Records of one write call to the connector, where the product takes them one by one."""


def declared(product: Product) -> list[Resource]:
    """The named resources as the manifest alone knows them."""
    return [resource_of(name, config, fields_of(config.fields)) for name, config in product.named.items()]


def resource_of(name: str, config: ResourceConfig, fields: Iterable[Field]) -> Resource:
    """What holds for a resource, by its part of the manifest."""
    create = config.create or config.upsert
    sizes = [call.batch for call in (config.create, config.update) if call is not None and call.batch]
    deletes = config.deletes or ("tombstones" if config.deleted is not None else "listing")
    return Resource(
        name=name,
        label=config.label,
        fields=tuple(fields),
        id_field=config.id,
        line_ids={lines: one.id for lines, one in config.lines.items() if one.id is not None},
        writable=create is not None or config.update is not None,
        batch=min(sizes) if sizes else BATCH,
        parallel=config.parallel,
        probe="external" if config.key else "natural" if config.natural else "none",
        deletes=deletes,
        archive=config.archive is not None,
    )


def fields_of(fields: Fields) -> list[Field]:
    """The kit's fields of what the manifest says."""
    return [_field(name, config) for name, config in fields.items()]


def _field(name: str, config: FieldConfig) -> Field:
    return Field(
        name=name,
        type=config.type,
        label=config.label,
        required=config.required,
        read_only=config.read_only,
        unique=config.unique,
        max_length=config.max_length,
        scale=config.scale,
        choices=tuple(config.choices),
        reference=config.reference,
        fields=tuple(fields_of(config.fields)),
    )


class Describer:
    """Asks the live system, as far as the manifest says how."""

    def __init__(self, product: Product, reader: Reader) -> None:
        self._product = product
        self._reader = reader

    def all(self) -> list[Resource]:
        """Every resource: the named ones, and those that the system lists."""
        names = list(self._product.named)
        describe = self._product.manifest.describe
        if describe is not None and describe.resources is not None and ANY in self._product.manifest.resources:
            names += [as_text(found(row, describe.name)) for row in self._rows(describe.resources, "")]
        return [self.one(name) for name in dict.fromkeys(filter(None, names))]

    def one(self, name: str) -> Resource:
        """One resource with its fields. Raises ConfigurationError when there is none."""
        shape = self._reader.shape(name)
        config = shape.config
        fields = {field.name: field for field in fields_of(config.fields)}
        describe = self._product.manifest.describe
        if describe is not None and describe.fields is not None:
            live = {field.name: field for field in self._live(describe.fields, name)}
            if not live:
                raise ConfigurationError(f"there is no resource {name!r}", where=shape.where)
            # What the manifest declares explains what the system has no words for (lines, objects); of the rest the
            # system knows better: fields become mandatory, or of another type.
            wordless = {n: f for n, f in fields.items() if f.type == "lines" or (n in live and live[n].type == "any")}
            fields = {**live, **wordless}
            fields |= self._lines(config, fields)
        return resource_of(name, config, fields.values())

    def _lines(self, config: ResourceConfig, fields: dict[str, Field]) -> dict[str, Field]:
        """Lines that are a resource of their own have that one's fields."""
        describe = self._product.manifest.describe
        made = {}
        for name, lines in config.lines.items():
            if (
                lines.watch is None
                or describe is None
                or describe.fields is None
                or fields.get(name, Field(name)).fields
            ):
                continue
            below = tuple(self._live(describe.fields, lines.watch.resource))
            made[name] = Field(name, "lines", label=fields.get(name, Field(name)).label, fields=below)
        return made

    def _live(self, describe: DescribeFields, name: str) -> list[Field]:
        return [self._row(describe, row, name) for row in self._rows(describe, name)]

    def _rows(self, config: Any, name: str) -> list[Record]:
        paging = config.paging or self._product.manifest.paging.model_copy(
            update={"page": None, "offset": None, "token": None, "link": None, "after": None, "total": None}
        )
        where = f"{self._reader.system}/{name}"
        at = getattr(config, "name", None) or self._product.manifest.describe.name  # type: ignore[union-attr]
        walker = Walker(self._reader.client, config, paging, at, where, "describe")
        return [row for batch in walker.walk({"resource": name}) for row in batch.rows]

    def _row(self, describe: DescribeFields, row: Record, resource: str) -> Field:
        said = as_text(found(row, describe.type))
        reference = as_text(found(row, describe.reference)) or None
        kind = describe.types.get(said, "any")
        required = bool(found(row, describe.required))
        if describe.optional is not None:
            required = found(row, describe.optional) is False
        choices = found(row, describe.choices)
        made = Field(
            name=as_text(found(row, describe.name)),
            type="reference" if reference and describe.member else kind,
            label=as_text(found(row, describe.label)),
            required=required,
            read_only=bool(found(row, describe.read_only)),
            unique=bool(found(row, describe.unique)),
            max_length=_number(found(row, describe.max_length)) if kind == "text" else None,
            scale=_number(found(row, describe.scale)) if kind == "decimal" else None,
            choices=tuple(_choice(one, describe.choice) for one in choices) if isinstance(choices, list) else (),
            reference=reference,
            fields=(Field(describe.member, "text"),) if reference and describe.member else (),
        )
        field = self._reader.steps.field
        return field(made, row, resource) if field else made  # type: ignore[no-any-return]


def _choice(item: Any, member: str) -> str:
    return as_text(found(item, member) if isinstance(item, dict) else item)


def _number(value: Any) -> int | None:
    try:
        return int(value) if value is not None else None
    except (TypeError, ValueError):
        return None
