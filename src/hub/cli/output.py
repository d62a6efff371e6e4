"""How results look to people: plain tables whose Chinese columns line up, and a pass told in a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Row = Mapping[str, str]


def table(rows: Sequence[Row], title: str = "") -> Table:
    """A table of ``rows`` (all with the same keys). Nothing in a cell is taken as markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from hub.cli.plain import visible

    made = Table(
        title=Text(visible(title)) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    names = list(rows[0]) if rows else []
    for name in names:
        made.add_column(
            Text(visible(name)), justify="right" if all(_number(row.get(name, "")) for row in rows) else "left"
        )
    for row in rows:
        made.add_row(*(Text(visible(row.get(name, "")), overflow="fold") for name in names))
    return made


def section(console: Console, title: str, rows: Sequence[Row], empty: str = "") -> None:
    """A titled table; where there are no rows, ``empty`` or nothing."""
    if rows:
        console.print(table(rows, title))
    elif empty:
        console.print(empty)


def lines(text: str) -> Callable[[Console], None]:
    """A result that is only text."""
    return lambda console: console.print(text, soft_wrap=True)


def pairs(items: Mapping[str, Any]) -> list[dict[str, str]]:
    """A mapping as two columns."""
    return [{"": str(name), " ": str(value)} for name, value in items.items()]


def _number(text: str) -> bool:
    return text == "" or text.replace(",", "").replace(".", "", 1).lstrip("-").isdigit()
