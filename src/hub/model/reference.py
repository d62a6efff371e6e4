"""``docs/model.md``: the canonical model as a page, made from the specs.

``python -m hub.model.reference`` writes it."""

from __future__ import annotations

from pathlib import Path

from hub.model.projection import entity_tables
from hub.model.registry import specs
from hub.model.spec import EntitySpec, FieldSpec

FILE = Path("docs") / "model.md"

_HEAD = """# The canonical model

The records that every system's records are translated to. Mappings name these fields; the tables are there to be
queried with plain SQL, in the hub's own database (SQLite or PostgreSQL). Fields and entities that are missing here are
declared in `hub.yaml` (see [hub-yaml.md](hub-yaml.md)); declared fields of these entities are in the column `extra`.

<!-- Made from src/hub/model by `make generated`: change it there. -->

Every table has `hub_id` (the hub's id of the record, for ever the same), `created_at`, `updated_at` and `extra`. Tables
of lines have the `hub_id` of their record and `position`, counted from 1. A field of type `ref` is the column
`<field>_id` and holds the other record's `hub_id`. On PostgreSQL amounts are `numeric`, dates `date`, instants
`timestamptz`; on SQLite amounts are exact text (write `CAST(total AS NUMERIC)` to compare or add), dates and instants
ISO text.

The tables are views of the hub's own records: there is nothing to be kept up, and nothing to write to. Each query reads
the JSON behind them, about ten microseconds a record on SQLite. A report over very many records copies what it needs
first: `CREATE TABLE report.customer AS SELECT …`, or a materialized view on PostgreSQL, in a schema or file of its own.

## Types

| type | written inside the hub | accepted |
|---|---|---|
| `text`, `longtext` | Unicode NFC, no white space at the ends, line ends `\\n`; empty is null | texts, numbers, dates |
| `integer` | whole number, 64 bits | numbers without a fraction |
| `decimal`, `money` | plain notation, exact, at most 38 digits | numbers; never binary floats |
| `rate` | as decimal, in percent (13 % is `13`) | as decimal |
| `boolean` | true, false | true, false, 1, 0; other words by a value table |
| `date` | `2026-01-15` | ISO dates; a date and time only at midnight without a zone |
| `instant` | `2026-01-15T09:30:12Z`, UTC | ISO 8601 with an offset |
| `enum` | one of its choices | its choices; others by a value table |
| `currency` | ISO 4217 code | the code; English and Chinese names |
| `country` | ISO 3166-1 alpha-2 code | alpha-2, alpha-3; English and Chinese names |
| `phone` | E.164, extension as `;ext=12` | what the numbering plans understand; anything else is kept as it is |
| `email` | domain in lower case | anything; what is not one address is kept |
| `tax_id` | letters and digits, upper case | anything |
| `ref` | the other record's `hub_id` | |
| `lines` | a list, told apart and sorted by its key | |

## What is checked

Reported as findings, never repaired, never in the way of a sync: totals that don't match their lines, check digits of
统一社会信用代码 and VAT numbers, numbers of 数电票 (20 digits, province), implausible phone numbers and e-mail
addresses, texts longer than usual. Sums may differ by half of the currency's smallest unit for each rounded figure in
them, at least by one unit; price times quantity also by half of the price's last digit times the quantity.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_entity(spec) for spec in specs().values())])


def _entity(spec: EntitySpec) -> str:
    tables = entity_tables(spec.name)
    assert tables is not None
    parts = [f"## {spec.name}", "", f"{spec.description} Table `{tables.table.name}`.", "", *_fields(spec)]
    for child in tables.children.values():
        lines = spec.fields[child.field].lines
        assert lines is not None
        told = f"Told apart by `{lines.key}`. Table `{child.table.name}`, by `{child.parent_column}`."
        parts += [f"### {spec.name}.{child.field}", "", told, "", *_fields(lines)]
    return "\n".join(parts)


def _fields(spec: EntitySpec) -> list[str]:
    rows = [f"| `{field.name}` | {_type(field)} | {_text(field)} |" for field in spec.fields.values()]
    return ["| field | type | |", "|---|---|---|", *rows, ""]


def _type(field: FieldSpec) -> str:
    return f"{field.type} → {field.ref}" if field.ref else field.type


def _text(field: FieldSpec) -> str:
    description = field.description.replace("``", "`")
    choices = ", ".join(f"`{choice}`" for choice in field.choices)
    return f"{description} One of {choices}." if choices else description


if __name__ == "__main__":
    FILE.write_text(markdown().rstrip() + "\n", "utf-8")
