"""Who may come in, and who may look: servers on loopback, files for their owner only."""

from __future__ import annotations

import inspect
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.connect import registry
from hub.connect.sandbox import serve
from hub.errors import ConfigurationError
from hub.operate.facts import Facts
from hub.operate.up import up
from hub.operate.up_settings import HOST
from hub.project import open_project
from hub.store.database import open_store

ROOT = Path(__file__).parents[2]
LOOPBACK = {"127.0.0.1", "::1"}


@pytest.fixture
def generous() -> Iterator[None]:
    """A user whose files everybody may read."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    """Whatever somebody else on the machine could get at, from the folder down."""
    if folder.stat().st_mode & 0o077 == 0:
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            found += readable_by_others(path)
        elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(str(path))
    return found


@pytest.mark.parametrize("name", ["zoho_crm", "kingdee_galaxy"])
def test_a_sandbox_listens_on_loopback_only(name: str) -> None:
    create = registry.find(name).sandbox()
    assert create is not None
    with serve(create(records=2, products=2, orders=0, invoices=0)) as running:
        port = int(running.base_url.rpartition(":")[2])
        ours = [c for c in psutil.Process().net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port]
        assert {c.laddr.ip for c in ours} == {"127.0.0.1"}


def test_nothing_in_the_program_binds_to_every_address() -> None:
    wrong = []
    for folder in ("src", "connectors", "flows"):
        for path in (ROOT / folder).rglob("*.py"):
            for at, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if re.search(r"""0\.0\.0\.0|["']::["']|INADDR_ANY|bind\(\(\s*["']["']""", line):
                    wrong.append(f"{path.relative_to(ROOT)}:{at}: {line.strip()}")
    assert wrong == []


def test_the_prefect_server_of_hub_up_is_told_to_listen_on_loopback() -> None:
    """That it does is seen with a real one in tests/operate."""
    assert HOST in LOOPBACK
    assert inspect.signature(up).parameters["host"].default == HOST


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "::", "prefect.example.com"])
def test_a_prefect_server_that_others_can_reach_needs_a_login(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    with pytest.raises(ConfigurationError, match="has no login"):
        up(Facts("acme", tmp_path, {}), "", host=host, port=0)
    assert list(tmp_path.iterdir()) == []


def test_the_hubs_own_files_are_for_their_owner_only(tmp_path: Path, generous: None) -> None:
    (tmp_path / "hub.yaml").write_text("version: 1\n", "utf-8")
    with open_project(tmp_path) as project:
        store = open_store(project.store_url)
        with store.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE more (x)")
        names = {p.name for p in (tmp_path / ".hub").iterdir()}
        assert {"hub.db"} <= names
        assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / ".hub").iterdir()), "the write-ahead log too"
        store.close()
    assert readable_by_others(tmp_path / ".hub") == []


def test_a_store_elsewhere_is_for_its_owner_only_too(tmp_path: Path, generous: None) -> None:
    store = open_store(f"sqlite:///{tmp_path}/data/deep/hub.db")
    store.close()
    assert readable_by_others(tmp_path / "data") == []
    assert (tmp_path / "data/deep/hub.db").stat().st_mode & 0o077 == 0


def test_a_private_folder_that_stood_open_is_closed(tmp_path: Path, generous: None) -> None:
    (tmp_path / "hub.yaml").write_text("version: 1\n", "utf-8")
    (tmp_path / ".hub").mkdir(mode=0o777)
    open_project(tmp_path).close()
    assert (tmp_path / ".hub").stat().st_mode & 0o077 == 0


def test_a_plan_on_disk_is_for_its_owner_only(tmp_path: Path, generous: None) -> None:
    """It holds customers, old values and new."""
    (tmp_path / "hub.yaml").write_text("version: 1\n", "utf-8")
    plan = tmp_path / "plan.json"
    for _ in range(2):
        result = CliRunner().invoke(app, ["plan", "--out", str(plan), "--project", str(tmp_path)])
        assert result.exit_code == 0, result.output
        assert plan.stat().st_mode & 0o077 == 0
        plan.chmod(0o666)


def test_a_new_projects_secrets_would_be_ignored_by_git(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["init", str(tmp_path / "p")])
    assert result.exit_code == 0
    ignored = (tmp_path / "p/.gitignore").read_text("utf-8").split()
    assert {".env", ".hub/"} <= set(ignored)
