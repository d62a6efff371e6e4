"""Tokens on several hosts that share a PostgreSQL store: fetched once, encrypted, refused once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from quota.counted_company import Company
from sqlalchemy import create_engine, text

from hub.connect.tokens import Token, Tokens
from hub.store.cache import SharedCaches, StoreCache

pytestmark = pytest.mark.postgres
SECRETS = ["a client secret", "a refresh token"]


@pytest.fixture
def hosts(postgres_url: str) -> Iterator[list[StoreCache]]:
    """Three hosts with the same credentials."""
    caches = [SharedCaches(postgres_url) for _ in range(3)]
    yield [one.of("crm", SECRETS) for one in caches]
    for one in caches:
        one.close()


def test_a_token_is_fetched_once_however_many_hosts_ask(hosts: list[StoreCache]) -> None:
    fetched: list[str] = []

    def fetch() -> Token:
        fetched.append("token")
        return Token(f"token {len(fetched)}", 3600)

    tokens = [Tokens(host, "crm/account/token", fetch) for host in hosts for _ in range(3)]
    got: list[str] = []
    threads = [threading.Thread(target=lambda one=one: got.append(one.get())) for one in tokens]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (fetched, set(got)) == (["token"], {"token 1"})


def test_a_refused_token_is_fetched_anew_by_one_host_and_used_by_the_others(hosts: list[StoreCache]) -> None:
    fetched: list[str] = []

    def fetch() -> Token:
        fetched.append("token")
        return Token(f"token {len(fetched)}", 3600)

    one, other, _ = (Tokens(host, "crm/account/token", fetch) for host in hosts)
    assert one.get() == other.get() == "token 1"
    one.refused("token 1")
    assert one.get() == "token 2"
    other.refused("token 1")
    assert other.get() == "token 2"
    assert len(fetched) == 2


def test_what_is_stored_says_nothing_without_the_credentials(hosts: list[StoreCache], postgres_url: str) -> None:
    hosts[0].set("crm/account/token", "very secret", 3600)
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, value FROM shared_value")).all()
    engine.dispose()
    assert [name for name, _ in rows] == ["crm/account/token"]
    assert "secret" not in rows[0][1]
    stranger = SharedCaches(postgres_url)
    assert stranger.of("crm", ["another secret"]).get("crm/account/token") is None
    stranger.close()
    assert hosts[1].get("crm/account/token") == "very secret"


def test_what_has_expired_is_gone(hosts: list[StoreCache]) -> None:
    hosts[0].set("crm/account/token", "old", -1)
    assert hosts[1].get("crm/account/token") is None
    assert hosts[0].get("crm/account/token") is None


def test_two_processes_of_one_project_log_in_once(company: Company, postgres_url: str) -> None:
    for name, more in (("hub.yaml", "\nstore: ${HUB_STORE}\n"), (".env", f"HUB_STORE={postgres_url}\n")):
        path = company.folder / name
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    command = [sys.executable, "-m", "hub.cli", "check", "zoho", "--json", "--project", str(company.folder)]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=120)[0] for one in pair]
    assert [one.returncode for one in pair] == [0, 0], said
    assert company.zoho.control.stats.operations["token"] == 1
    assert not list((company.folder / ".hub").glob("cache/zoho*token*.json"))
