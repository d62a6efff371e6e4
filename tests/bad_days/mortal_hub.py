"""A process that carries out ``hub`` commands in children, each of which kills itself at a given moment.

Started as ``python mortal_hub.py PROJECT``; reads JSON lines ``{"words": […], "moment": n, "of": …}`` and answers with
``{"status": …}``: the exit code, or minus the signal. Moments are counted over everything that can tear a pass apart:
before and after each statement and commit in any database, before and after each request; ``of``: only of requests
whose address contains this. Moment 0: live to the end; ``"moments"`` then tells how many there were. One process for
many commands, because importing the hub and reading the mappings costs more than a pass.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from typing import Any

import requests
from bad_company import read_once
from sqlalchemy import event
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

import hub.operate.announce
import hub.sync.engine  # noqa: F401
from hub.cli.main import app
from hub.mapping.reading import read_yaml
from hub.project import open_project


class Fate:
    """Counts moments and ends the process at one of them, as a power cut would: nothing runs after it."""

    def __init__(self) -> None:
        self.left = -1
        self.seen = 0
        self.of = ""

    def moment(self, *_: Any, address: str = "", **__: Any) -> None:
        if self.of not in address:
            return
        self.seen += 1
        if self.seen == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


fate = Fate()


def watch_everything() -> None:
    for name in ("before_cursor_execute", "after_cursor_execute", "begin", "commit"):
        event.listen(Engine, name, fate.moment)
    send = requests.Session.send

    def watched(session: requests.Session, request: Any, **options: Any) -> Any:
        fate.moment(address=request.url)
        answer = send(session, request, **options)
        fate.moment(address=request.url)
        return answer

    requests.Session.send = watched  # type: ignore[method-assign]


def run(words: list[str], moment: int, of: str) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        fate.left, fate.of = moment or -1, of
        with contextlib.redirect_stdout(io.StringIO()):
            result = CliRunner().invoke(app, words)
        os.write(writing, json.dumps({"moments": fate.seen, "said": result.output[-2000:]}).encode())
        os._exit(result.exit_code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), **(json.loads(told) if told else {})}


def main() -> None:
    sys.modules["hub.mapping.load"].read_yaml = read_once(read_yaml)  # type: ignore[attr-defined]
    open_project(sys.argv[1], connect=False).close()
    watch_everything()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(run(order["words"], order["moment"], order["of"])), flush=True)


if __name__ == "__main__":
    main()
