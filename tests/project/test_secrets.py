"""Secrets are looked up, never written down, and never shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend

from hub.errors import ConfigurationError
from hub.project.prefect_blocks import block_secret
from hub.project.secrets import Secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    (tmp_path / ".env").write_text("FILE=from file\nBOTH=file\nQUOTED='a # b $HOME'\nEMPTY=\n")
    return Secrets(tmp_path, {"SHELL_NAME": "from shell", "BOTH": "shell"})


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("${SHELL_NAME}", "from shell"),
        ("${FILE}", "from file"),
        ("${BOTH}", "shell"),
        ("${QUOTED}", "a # b $HOME"),
        ("postgresql://hub:${FILE}@${BOTH}/x", "postgresql://hub:from file@shell/x"),
        ("${MISSING:-8080}", "8080"),
        ("${MISSING:-}", ""),
        ("$${FILE} costs $5", "${FILE} costs $5"),
        ("plain", "plain"),
    ],
)
def test_references_are_replaced(secrets: Secrets, written: str, wanted: str) -> None:
    assert secrets.resolve(written) == wanted


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("${MISSING}", "the secret MISSING is missing: it is neither in the environment nor in"),
        ("${EMPTY}", "the secret EMPTY is missing"),
        ("${}", "does not name a secret"),
        ("${TWO WORDS}", "does not name a secret"),
        ("${vault:a/b}", "${vault:…} is no place for secrets"),
        ("${keyring:nothing}", "names no entry"),
    ],
)
def test_what_is_missing_is_named(secrets: Secrets, written: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secrets.resolve(written)
    assert says in str(caught.value)


def test_an_env_file_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfNAME=with BOM\n")
    assert Secrets(tmp_path, {}).resolve("${NAME}") == "with BOM"
    (tmp_path / ".env").write_bytes("NAME=上海".encode("gb18030"))
    with pytest.raises(ConfigurationError, match="can't be read: it is not UTF-8"):
        Secrets(tmp_path, {}).resolve("${NAME}")


def test_values_are_not_shown(secrets: Secrets) -> None:
    secrets.resolve("${FILE}")
    assert "from" not in repr(secrets)


class MemoryKeyring(KeyringBackend):
    """A keyring that lasts as long as a test."""

    priority: ClassVar[float] = 1
    entries: ClassVar[dict[tuple[str, str], str]] = {("shop/eu", "admin"): "from keyring"}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def memory_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("memory_keyring")
def test_the_keyring(secrets: Secrets) -> None:
    assert secrets.resolve("${keyring:shop/eu/admin}") == "from keyring"
    with pytest.raises(ConfigurationError, match="the secret shop/eu/nobody is missing: it is not in the keyring"):
        secrets.resolve("${keyring:shop/eu/nobody}")


BLOCKS: dict[str, dict[str, Any]] = {
    "erp": {"value": {"password": "from block", "port": 5432}},
    "token": {"value": "from secret block"},
    "account": {"user": "u", "password": "from account"},
}


class Prefect(BaseHTTPRequestHandler):
    """The one call of a Prefect server that is used here."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers.get("Authorization") == "Bearer key" and self.path == "/api/block_documents/filter"
        names = asked["block_documents"]["name"]["any_"]
        found = [{"name": n, "data": BLOCKS[n]} for n in names if n in BLOCKS and asked["include_secrets"]]
        body = json.dumps(found if allowed else {"detail": "no"}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def prefect() -> Iterator[dict[str, str]]:
    server = HTTPServer(("127.0.0.1", 0), Prefect)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield {"PREFECT_API_URL": f"http://127.0.0.1:{server.server_port}/api/", "PREFECT_API_KEY": "key"}
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("erp/password", "from block"),
        ("erp/port", "5432"),
        ("token", "from secret block"),
        ("account/password", "from account"),
        ("erp", None),
        ("erp/nothing", None),
        ("nobody/x", None),
    ],
)
def test_blocks_of_a_prefect_server(prefect: dict[str, str], reference: str, wanted: str | None) -> None:
    assert block_secret(reference, prefect) == wanted


def test_a_prefect_server_that_refuses_or_is_missing(prefect: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="answers 401"):
        block_secret("erp/password", {**prefect, "PREFECT_API_KEY": "wrong"})
    with pytest.raises(ConfigurationError, match="PREFECT_API_URL is not set"):
        block_secret("erp/password", {})
    with pytest.raises(ConfigurationError, match="can't be read: ConnectionError"):
        block_secret("erp/password", {"PREFECT_API_URL": "http://127.0.0.1:1/api"})


def test_a_projects_own_source_can_be_plugged_in(tmp_path: Path) -> None:
    mine = Secrets(tmp_path, {}, {"vault": {"a/b": "from vault"}.get})
    assert mine.resolve("${vault:a/b}") == "from vault"
