"""What waits for a person: ``hub conflicts`` and ``hub letters``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command, group
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError
from hub.sync.paths import split

if TYPE_CHECKING:
    from rich.console import Console

    from hub.model.spec import FieldSpec
    from hub.sync.engine import Engine

Row = dict[str, Any]
Conflict = Annotated[int, typer.Argument(metavar="ID", help="The conflict's number in hub conflicts.")]
Letters = Annotated[list[int] | None, typer.Argument(metavar="ID", help="Numbers in hub letters.")]


def register(app: typer.Typer) -> None:
    conflicts = group(app, "conflicts", list_conflicts)
    command(conflicts, "show")(show_conflict)
    command(conflicts, "resolve")(resolve)
    letters = group(app, "letters", list_letters)
    command(letters, "show")(show_letter)
    command(letters, "replay")(replay)
    command(letters, "discard")(discard)


def list_conflicts(shell: Shell) -> int:
    """What waits for a person: two sides changed one field, or a record may be one of several.

    Example: hub conflicts
    """
    from hub.operate.tables import conflict_rows

    rows = _stored(shell, lambda engine: engine.conflicts())
    return _listed(shell, "conflicts", rows, conflict_rows(rows), "decide one: hub conflicts resolve ID --take theirs")


def show_conflict(shell: Shell, conflict: Conflict) -> None:
    """One conflict: what the value was, what each side made of it, and when.

    Example: hub conflicts show 3
    """
    _show_one(shell, _one(_stored(shell, lambda engine: engine.conflicts()), conflict, "conflict"))


def resolve(
    shell: Shell,
    conflict: Conflict,
    *,
    take: Annotated[
        str | None, typer.Option(metavar="SIDE", help="theirs or ours, as hub conflicts shows them.")
    ] = None,
    value: Annotated[str | None, typer.Option(metavar="VALUE", help="A value of your own instead.")] = None,
    link: Annotated[str | None, typer.Option(metavar="HUB_ID", help="A doubtful match: it is this record.")] = None,
    new: Annotated[bool, typer.Option("--new", help="A doubtful match: it is a new record.")] = False,
) -> None:
    """Decide a conflict; the next pass writes what was decided.

    Example: hub conflicts resolve 3 --take theirs
    """
    if [take, value, link, new or None].count(None) != 3:
        raise ConfigurationError(
            "one answer is needed",
            where=f"conflict {conflict}",
            cure="--take theirs|ours, --value V, --link ID or --new",
        )
    if take not in (None, "theirs", "ours"):
        raise ConfigurationError(f"--take {take} is neither side", cure="--take theirs or --take ours")

    def work(engine: Engine) -> Row:
        if value is None:
            return engine.resolve(conflict, take=take, link=link, new=new)
        row = _one(engine.conflicts(), conflict, "conflict")
        return engine.resolve(conflict, take="value", value=_canonical(engine, row, value))

    row = _stored(shell, work)
    shell.answer(row, f"conflict {conflict} is decided ({row['resolution']}); hub sync writes it")


def list_letters(shell: Shell) -> int:
    """Dead letters: what could not be done, why, and what to do about it.

    Example: hub letters
    """
    from hub.operate.tables import letter_rows

    rows = _stored(shell, lambda engine: engine.letters())
    return _listed(shell, "letters", rows, letter_rows(rows), "after mending: hub letters replay ID, or --all")


def show_letter(
    shell: Shell, letter: Annotated[int, typer.Argument(metavar="ID", help="The letter's number in hub letters.")]
) -> None:
    """One dead letter with what was sent.

    Example: hub letters show 2
    """
    _show_one(shell, _one(_stored(shell, lambda engine: engine.letters()), letter, "letter"))


def replay(
    shell: Shell,
    letters: Letters = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
) -> None:
    """Try letters again in the next pass.

    Example: hub letters replay 2 5
    """
    _need_letters(letters, everything)
    count = _stored(shell, lambda engine: engine.replay(None if everything else letters))
    shell.answer({"replayed": count}, f"{count} to be tried again by the next pass: hub sync")


def discard(shell: Shell, letters: Letters = None) -> None:
    """Give letters up, until their records change.

    Example: hub letters discard 2
    """
    _need_letters(letters, False)
    count = _stored(shell, lambda engine: engine.discard(letters or []))
    shell.answer({"discarded": count}, f"{count} given up")


def _stored(shell: Shell, work: Any) -> Any:
    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        return work(engine)


def _listed(shell: Shell, name: str, rows: list[Row], shown: Sequence[dict[str, str]], hint: str) -> int:
    from hub.cli.output import section

    def show(console: Console) -> None:
        section(console, "", shown, f"no open {name}")
        if rows:
            console.print(hint)

    shell.answer({name: rows}, show)
    return NEEDS_PERSON if rows else DONE


def _one(rows: list[Row], number: int, noun: str) -> Row:
    for row in rows:
        if row["id"] == number:
            return row
    raise ConfigurationError(f"there is no open {noun} {number}", cure=f"hub {noun}s lists them")


def _show_one(shell: Shell, row: Row) -> None:
    from hub.cli.output import pairs, section
    from hub.operate.tables import cell

    shell.answer(row, lambda console: section(console, "", pairs({name: cell(value) for name, value in row.items()})))


def _need_letters(letters: list[int] | None, everything: bool) -> None:
    if bool(letters) == everything:
        raise ConfigurationError("no letter is named", cure="give their numbers (see hub letters)")


def _canonical(engine: Engine, row: Row, text: str) -> Any:
    """The user's text in the field's canonical form. Raises ConfigurationError when it does not fit."""
    from hub.model.forms import form_of

    spec = _field_spec(engine, row)
    try:
        if spec.type == "lines":
            raise ValueError("whole lines are not typed here")
        return form_of(spec)(text)
    except ValueError as error:
        raise ConfigurationError(
            str(error), where=f"conflict {row['id']}, {row['path']}", cure="--take theirs or ours"
        ) from error


def _field_spec(engine: Engine, row: Row) -> FieldSpec:
    """The field of ``phone`` or ``lines[3].quantity``."""
    first, _, name = split(str(row["path"]))
    spec = engine.setup.specs[row["entity"]].fields.get(first)
    if spec is not None and name and spec.lines is not None:
        spec = spec.lines.fields.get(name)
    if spec is None:
        raise ConfigurationError(
            "this conflict is not about one value", where=f"conflict {row['id']}", cure="--take theirs or --take ours"
        )
    return spec
