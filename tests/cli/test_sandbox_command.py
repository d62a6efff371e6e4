"""``hub sandbox``: one ready line, a server until Ctrl-C, and words for what it doesn't take."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

TOY = """
from hub.connect.sandbox import Operation, SandboxApp


class Toy(SandboxApp):
    name = "toy"
    path = "/api/"

    def __init__(self, records, seed, colour="red"):
        super().__init__()
        if seed < 0:
            raise ValueError("the seed is below 0")
        self.items = [{"id": str(n), "colour": colour, "seed": seed} for n in range(records)]

    def wsgi(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    def operation(self, method, path, body):
        return Operation(f"{method} {path}", "read")

    def credentials(self, base_url):
        return {"key": "k"}

    def samples(self):
        return {"item": "0"}

    def resources(self):
        return ["items"]

    def records(self, resource):
        return self.items

    def create(self, resource, values, user):
        raise LookupError(resource)

    def edit(self, resource, id, values, user):
        raise LookupError(resource)

    def delete(self, resource, id, user):
        raise LookupError(resource)


def create_sandbox(records=100, seed=1, **options):
    return Toy(records, seed, **options)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project with a connector of its own that has a sandbox."""
    folder = tmp_path / "connectors" / "toy"
    folder.mkdir(parents=True)
    (tmp_path / "hub.yaml").write_text("version: 1\n", "utf-8")
    (folder / "manifest.yaml").write_text(
        "name: toy\ntitle: Toy\nconnector: connector:open\nsandbox: sandbox:create_sandbox\n", "utf-8"
    )
    (folder / "sandbox.py").write_text(TOY, "utf-8")
    return tmp_path


def _command(toy: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "hub.cli", "sandbox", "toy", "--project", str(toy), *words]


def test_it_says_when_it_is_ready_and_serves_until_interrupted(toy: Path) -> None:
    words = (
        "--records",
        "3",
        "--seed",
        "7",
        "--option",
        "colour=蓝",
        "--latency",
        "1",
        "--faults",
        '{"kind": "empty"}',
    )
    process = subprocess.Popen(_command(toy, *words), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["url"].endswith("/api/")
        assert (ready["credentials"], ready["samples"]) == ({"key": "k"}, {"item": "0"})
        answers = [requests.get(ready["url"], timeout=10).text for _ in range(2)]
        assert answers == ["", "hello"]
        records = requests.get(ready["control"] + "/records?resource=items", timeout=10).json()["records"]
        assert records == [{"id": str(n), "colour": "蓝", "seed": 7} for n in range(3)]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
        assert (rest, process.returncode) == ("", 0)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--option", "color=x"), "color"),
        (("--option", "x"), "NAME=VALUE"),
        (("--seed", "-1"), "below 0"),
        (("--faults", "{"), "not JSON"),
        (("--faults", "[3]"), "a fault is a JSON object"),
        (("--faults", '[{"kind": "earthquake"}]'), "earthquake"),
        (("--faults", "status@often"), "status@often"),
        (("--faults", "@nowhere.json"), "no such file"),
    ],
)
def test_what_it_does_not_take_is_told(hub, toy: Path, words: tuple[str, ...], told: str) -> None:
    said = hub("sandbox", "toy", "--project", toy, *words)
    assert said.code == 2
    assert told in said.err
    assert said.out == ""


def test_a_taken_port_is_told(hub, toy: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = hub("sandbox", "toy", "--project", toy, "--port", taken.getsockname()[1])
    assert said.code == 2
    assert "--port 0" in said.err


def test_unknown_connectors_and_those_without_a_sandbox_are_told(hub, tmp_path: Path) -> None:
    said = hub("sandbox", "zoho", "--json")
    assert said.code == 2
    assert "zoho_crm" in said.data["error"]["cure"]
    assert "has no sandbox" in hub("sandbox", "sql").err
