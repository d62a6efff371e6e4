"""A tap that nobody here wrote, from the package index, in an environment of its own, as a system of a project.

Where the index can't be reached the test is skipped, with the reason in the summary.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from real.keeping import made, run
from typer.testing import CliRunner

TAP = "tap-rest-api-msdk==1.4.2"
NEEDS = (TAP, "setuptools<80")  # its SDK of 2024 asks for pkg_resources

HUB_YAML = """
version: 2
name: members
systems:
  club:
    connector: singer
    tap: {tap}
    config:
      api_url: {url}
      streams:
        - name: members
          path: /members
          primary_keys: [id]
          records_path: "$.members[*]"
          replication_key: changed
          start_date: "2020-01-01T00:00:00Z"
          source_search_field: since
          source_search_query: "$last_run_date"
          num_inference_records: 10
  books:
    connector: sql
    url: sqlite:///books.db
    keys_table: hub_keys
entities:
  customer:
    systems: {{club: in, books: both}}
"""
CLUB = """
version: 2
resource: members
entity: customer
match: [number]
fields:
  number: number
  name: name
  email: email
"""
BOOKS = """
version: 2
resource: customers
entity: customer
match: [number]
fields: {number: number, name: name, email: email}
"""


@dataclass
class Club:
    """An HTTP interface that only reads: /members, newest changes asked for by ``since``."""

    members: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def put(self, id: int, name: str, changed: str) -> None:
        self.members[id] = {
            "id": id,
            "number": f"M{id:03d}",
            "name": name,
            "email": f"m{id}@club.test",
            "changed": changed,
        }


@pytest.fixture
def club() -> Iterator[Club]:
    one = Club()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            since = parse_qs(urlsplit(self.path).query).get("since", [""])[0]
            one.asked.append(since)
            body = json.dumps({"members": [m for m in one.members.values() if m["changed"] >= since]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()


@pytest.fixture(scope="module")
def tap() -> Path:
    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder])
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run([*pip, *NEEDS])

    try:
        return made("tap-rest-api-msdk", " ".join(NEEDS), install) / "bin" / "tap-rest-api-msdk"
    except RuntimeError as problem:
        told = f"NOT TESTED: {TAP} can't be installed, is the package index reachable? {str(problem)[-300:]}"
        warnings.warn(told, stacklevel=1)
        pytest.skip(told)


@pytest.fixture
def project(club: Club, tap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "hub.yaml").write_text(HUB_YAML.format(tap=tap, url=club.url), "utf-8")
    for system, resource, text in (("club", "members", CLUB), ("books", "customers", BOOKS)):
        folder = tmp_path / "mappings" / system
        folder.mkdir(parents=True)
        (folder / f"{resource}.yaml").write_text(text, "utf-8")
    with sqlite3.connect(tmp_path / "books.db") as books:
        books.execute("create table customers (id integer primary key, number text unique, name text, email text)")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hub(*words: str) -> Any:
    from hub.cli.main import app

    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def in_the_books(project: Path) -> dict[str, str]:
    with sqlite3.connect(project / "books.db") as books:
        return dict(books.execute("select number, name from customers").fetchall())


def test_what_a_tap_reads_arrives_and_only_news_are_asked_for_afterwards(club: Club, project: Path):
    for n in range(1, 121):
        club.put(n, f"会员 {n}", f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z")
    checked = hub("check", "club")
    assert checked["systems"][0]["resources"] == {"members": 5}
    hub("sync", "--yes")
    assert in_the_books(project) == {f"M{n:03d}": f"会员 {n}" for n in range(1, 121)}

    club.put(7, "会员 七", "2026-01-02T00:00:00Z")
    club.put(200, "Neu", "2026-01-02T00:00:01Z")
    club.asked.clear()
    hub("sync", "--yes")
    assert in_the_books(project)["M007"] == "会员 七"
    assert len(in_the_books(project)) == 121
    assert any(since.startswith("2026-01-01T00:02:00") for since in club.asked), "it went on from its own state"

    before = (project / "books.db").stat().st_mtime_ns
    hub("sync", "--yes")
    assert (project / "books.db").stat().st_mtime_ns == before, "a quiet pass writes nothing"
