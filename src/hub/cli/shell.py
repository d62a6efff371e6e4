"""What every command is given: where to print, which project, and how an outcome becomes an exit code.

| code | meaning                                                       |
|------|---------------------------------------------------------------|
| 0    | done                                                          |
| 1    | done, but something needs a person                            |
| 2    | the user's configuration or arguments are wrong               |
| 3    | a system could not be reached or refused us                   |
| 70   | a mistake in the hub itself; ``--debug`` shows where          |
| 130  | stopped by Ctrl-C                                             |
"""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from hub import errors
from hub.cli.plain import PlainFormatter, escaped_json

if TYPE_CHECKING:
    from rich.console import Console

DONE, NEEDS_PERSON, WRONG, UNREACHABLE, BUG, STOPPED = 0, 1, 2, 3, 70, 130

PERSON = (errors.RecordRejected, errors.VersionConflict, errors.Gone)
"""Errors about one record: a person looks at it. ConfigurationError is the user's; the others are a system's."""

ISSUE_HINT = "run it again with --debug and report what it prints"


class Shell:
    """Prints results and errors. ``json``: exactly one object on standard output, for machines."""

    def __init__(self, *, json: bool = False, debug: bool = False, project: Path | None = None) -> None:
        self.json = json
        self.debug = debug
        self._project = project
        self._answered = False

    @functools.cached_property
    def out(self) -> Console:
        """Standard output, for people."""
        return _console(sys.stdout)

    @functools.cached_property
    def err(self) -> Console:
        """Standard error: progress, hints, errors."""
        return _console(sys.stderr)

    @property
    def project_dir(self) -> Path:
        """The project's folder. Raises ConfigurationError when there is none here or above."""
        from hub.project import find_project

        if self._project and not (self._project / "hub.yaml").is_file():
            raise errors.ConfigurationError(
                "there is no hub.yaml in this folder", where=str(self._project), cure="make a project with hub init DIR"
            )
        return find_project(self._project)

    @property
    def project_or_none(self) -> Path | None:
        """As ``project_dir``; None outside a project (unless one was asked for)."""
        try:
            return self.project_dir
        except errors.ConfigurationError:
            if self._project:
                raise
            return None

    def answer(self, data: Any, show: Callable[[Console], None] | str) -> None:
        """The command's one result: ``data`` for machines; ``show`` (a function of a console, or a text) for people."""
        if self.json:
            self._answered = True
            sys.stdout.write(to_json(data) + "\n")
            sys.stdout.flush()
        elif isinstance(show, str):
            self.out.print(show, markup=False, highlight=False, soft_wrap=True)
        else:
            show(self.out)

    def note(self, text: str) -> None:
        """A remark beside the result."""
        self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    def failed(self, error: BaseException) -> int:
        """Say what happened, where and what to do; returns the exit code."""
        known = _without_secrets(as_hub_error(error))
        if self.debug:
            self.note(_traceback(error))
        else:
            self._render(known)
        if self.json and not self._answered:
            told = {"type": type(known).__name__, "what": known.what, "where": known.where, "cure": known.cure}
            self.answer({"ok": False, "error": told}, "")
        return exit_code(known)

    def _render(self, error: errors.HubError) -> None:
        from rich.text import Text

        lines = [Text.assemble((f"{_title(error)}: ", "bold red"), error.what)]
        if error.where:
            lines.append(Text.assemble(("  where: ", "dim"), error.where))
        if error.cure:
            lines.append(Text.assemble(("  to do: ", "dim"), error.cure))
        for line in lines:
            self.err.print(line, soft_wrap=True, highlight=False)


class InternalError(errors.HubError):
    """Something that nobody raised on purpose. Only ever made here, to be shown."""


def as_hub_error(error: BaseException) -> errors.HubError:
    """The error itself, or one that says in the same words what this machine or the hub got wrong."""
    if isinstance(error, errors.HubError):
        return error
    if isinstance(error, OSError) and error.strerror:
        where = str(error.filename) if error.filename else None
        return errors.Unavailable(f"this machine says: {error.strerror}", where=where)
    text = " ".join(str(error).split())[:500]
    return InternalError(f"{type(error).__name__}: {text}", cure=ISSUE_HINT)


def _without_secrets(error: errors.HubError) -> errors.HubError:
    """The last net: whatever got into a message, secrets don't get onto the screen."""
    from hub.connect.redact import redact

    error.what = redact(error.what)
    error.where = error.where and redact(error.where)
    error.cure = error.cure and redact(error.cure)
    return error


def _traceback(error: BaseException) -> str:
    import traceback

    from hub.connect.redact import redact

    return redact("".join(traceback.format_exception(error))).rstrip()


def exit_code(error: errors.HubError) -> int:
    """The exit code that an error stands for."""
    if isinstance(error, InternalError):
        return BUG
    if isinstance(error, errors.ConfigurationError):
        return WRONG
    return NEEDS_PERSON if isinstance(error, PERSON) else UNREACHABLE


def to_json(data: Any) -> str:
    """One line of JSON; decimals and paths as text, Chinese as itself, control characters of all kinds escaped."""
    return escaped_json(json.dumps(data, ensure_ascii=False, default=str))


def guarded(shell: Shell, work: Callable[[], int | None]) -> int:
    _log_to_standard_error(logging.DEBUG if shell.debug else logging.WARNING)
    try:
        return work() or DONE
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        shell.note("stopped; what was done is stored, and the next pass goes on from there")
        return STOPPED
    except Exception as error:  # the last line of defence: people get words, not a traceback
        return shell.failed(error)


def _log_to_standard_error(level: int) -> None:
    """The hub's own remarks, secrets masked; libraries are heard only when something is wrong."""

    from hub.connect.redact import protect

    handler = protect(logging.StreamHandler(sys.stderr))
    handler.setFormatter(PlainFormatter("%(levelname)s %(name)s: %(message)s" if level < 30 else "%(message)s"))
    logger = logging.getLogger("hub")
    logger.handlers = [handler]
    logger.setLevel(level)


def _title(error: errors.HubError) -> str:
    if isinstance(error, InternalError):
        return "mistake in the hub"
    if isinstance(error, errors.ConfigurationError):
        return "wrong"
    return "needs a person" if isinstance(error, PERSON) else "failed"


def _console(stream: Any) -> Console:
    from hub.cli.console import PlainConsole

    # Piped output is for grep and less: one record a line, however long.
    width = None if stream.isatty() else 200
    return PlainConsole(file=stream, width=width, markup=False, highlight=False)
