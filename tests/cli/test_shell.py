"""What holds for every command: exit codes, errors in words, one JSON object, nothing heavy loaded."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from hub import errors
from hub.cli.registering import command
from hub.cli.shell import Shell


def _app(work: Callable[[Shell], Any]) -> typer.Typer:
    app = typer.Typer()

    def go(shell: Shell, word: Annotated[str, typer.Argument()] = "x", *, loud: bool = False) -> int | None:
        """Does it.

        Example: hub go
        """
        return work(shell)

    command(app, "go")(go)

    @app.callback()
    def root() -> None: ...

    return app


def _raising(error: BaseException) -> typer.Typer:
    def work(_: Shell) -> int:
        raise error

    return _app(work)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigurationError("x"), 2),
        (errors.AuthenticationError("x"), 3),
        (errors.RateLimited("x", wait=3), 3),
        (errors.Unavailable("x"), 3),
        (errors.UnknownOutcome("x"), 3),
        (errors.UnexpectedAnswer("x"), 3),
        (errors.RecordRejected("x"), 1),
        (errors.AlreadyExists("x"), 1),
        (errors.Gone("x"), 1),
        (errors.VersionConflict("x"), 1),
        (OSError(28, "No space left on device"), 3),
        (ZeroDivisionError("x"), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_says_who_must_act(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(_raising(error), ["go"])
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_an_error_says_what_where_and_the_cure() -> None:
    error = errors.ConfigurationError("no field 'phnoe'", where="hub.yaml:3:5", cure="did you mean 'phone'?")
    result = CliRunner().invoke(_raising(error), ["go"])
    assert result.stderr == "wrong: no field 'phnoe'\n  where: hub.yaml:3:5\n  to do: did you mean 'phone'?\n"


def test_values_that_look_like_markup_are_printed_as_they_are() -> None:
    result = CliRunner().invoke(_raising(errors.RecordRejected("[red]客户[/nope]", where="a[b]")), ["go"])
    assert "[red]客户[/nope]" in result.stderr
    assert "a[b]" in result.stderr


def test_with_json_an_error_is_one_object() -> None:
    error = errors.AuthenticationError("refused", where="zoho", cure="look at the credentials")
    result = CliRunner().invoke(_raising(error), ["go", "--json"])
    assert json.loads(result.stdout) == {
        "ok": False,
        "error": {
            "type": "AuthenticationError",
            "what": "refused",
            "where": "zoho",
            "cure": "look at the credentials",
        },
    }
    assert result.exit_code == 3


def test_an_error_after_the_answer_does_not_print_a_second_object() -> None:
    def work(shell: Shell) -> None:
        shell.answer({"done": 1}, "done")
        raise errors.Unavailable("closing failed")

    result = CliRunner().invoke(_app(work), ["go", "--json"])
    assert json.loads(result.stdout) == {"done": 1}
    assert result.exit_code == 3


def test_debug_shows_where_it_was_raised() -> None:
    result = CliRunner().invoke(_raising(ZeroDivisionError("by zero")), ["go", "--debug"])
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError: by zero" in result.stderr


def test_a_mistake_of_the_hub_is_told_without_a_traceback() -> None:
    result = CliRunner().invoke(_raising(KeyError("secret")), ["go"])
    assert result.stderr.startswith("mistake in the hub: KeyError: 'secret'")
    assert "--debug" in result.stderr


def test_the_result_is_for_people_or_for_machines() -> None:
    app = _app(lambda shell: shell.answer({"name": "客户"}, "客户 [1]"))
    assert CliRunner().invoke(app, ["go"]).stdout == "客户 [1]\n"
    assert CliRunner().invoke(app, ["go", "--json"]).stdout == '{"name": "客户"}\n'


def test_arguments_and_options_of_the_command_are_kept() -> None:
    app = _app(lambda _: None)
    assert CliRunner().invoke(app, ["go", "word", "--loud"]).exit_code == 0
    assert CliRunner().invoke(app, ["go", "--laud"]).exit_code == 2


def _hub(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_wrong_command_line_is_an_object_too() -> None:
    done = _hub("nonsense", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["what"].startswith("No such command 'nonsense'")
    assert "No such command" in done.stderr


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from hub.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'prefect', 'sqlalchemy', 'sqlmodel', 'pydantic', 'requests', 'rich', 'ruamel', 'alembic'}\n"
        "sys.exit(f'loaded: {heavy & set(sys.modules)}' if code or heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_command_has_help_with_an_example_that_exists() -> None:
    import shlex

    from hub.cli.main import app
    from hub.cli.reference import _commands, unknown_words

    found = list(_commands(typer.main.get_command(app), ()))
    assert found
    for path, node in found:
        text = node.help or ""
        assert "Example:" in text, path
        for line in text.partition("Example:")[2].strip().splitlines():
            words = shlex.split(line)
            assert words[: len(path) + 1] == ["hub", *path], (path, line)
            assert not unknown_words(words[1:]), (path, line)


def test_chinese_columns_are_aligned() -> None:
    from rich.console import Console

    from hub.cli.output import table

    stream = io.StringIO()
    Console(file=stream, width=100).print(table([{"name": "上海客户", "n": "1"}, {"name": "Ab", "n": "2"}]))
    lines = stream.getvalue().splitlines()
    columns = {_width(line[: max(line.find("1"), line.find("2"))]) for line in lines if "客户" in line or "Ab" in line}
    assert len(columns) == 1


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
