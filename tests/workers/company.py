"""A company whose hub runs on several hosts: PostgreSQL and Prefect's server here, workers elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate import twin_databases as twins
from operate.running_hub import environment
from sqlalchemy import create_engine, text
from workers.hosts import HERE, Host, network

from hub.operate.api import PrefectApi
from hub.operate.processes import marked
from tests.crash.cluster import Cluster, cluster

LOGIN = "hub:only-for-tests"
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
PATIENCE = 180.0


@dataclass
class Company:
    """The project, its database server, its Prefect server and its hosts."""

    folder: Path
    database: Cluster
    hosts: list[Host]
    port: int
    up: subprocess.Popen[str] | None = None
    api: PrefectApi = field(init=False)

    def __post_init__(self) -> None:
        self.store_url = f"postgresql+psycopg://hub@{HERE}/hub"
        self.api = PrefectApi(f"http://{HERE}:{self.port}/api", auth=LOGIN, timeout=30)
        self._engine = create_engine(self.store_url, pool_pre_ping=True)

    # processes -------------------------------------------------------------------------------------------------------

    def start_server(self) -> None:
        """``hub up`` without a worker of its own; returns when it is ready."""
        words = ["-m", "hub.cli", "up", "--project", str(self.folder), "--host", HERE, "--port", str(self.port)]
        ours = {
            "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://hub@{HERE}/prefect",
        }
        with (self.folder / "up.log").open("a") as log:
            self.up = subprocess.Popen(
                [sys.executable, *words, "--at-once", "0", "--json"],
                stdout=subprocess.PIPE, stderr=log, text=True, env={**environment(), **ours},
            )  # fmt: skip
        assert self.up.stdout is not None
        line = self.up.stdout.readline()
        assert line and json.loads(line)["ready"], (self.folder / "up.log").read_text()

    def stop_server(self, sign: signal.Signals = signal.SIGINT) -> None:
        assert self.up is not None
        self.up.send_signal(sign)
        self.up.wait(90)

    def start_worker(self, host: Host) -> None:
        """``hub worker`` on a host, with nothing but what the guide says that it needs."""
        words = [sys.executable, "-m", "hub.cli", "worker", "--project", str(self.folder), "--at-once", "1"]
        ours = {"PREFECT_API_URL": self.api.url, "PREFECT_API_AUTH_STRING": LOGIN}
        host.run(words, {**environment(), **ours}, self.folder / f"{host.name}.log")

    def online(self) -> set[str]:
        workers = self.api.post("/work_pools/hub/workers/filter", {}) or []
        return {worker["name"] for worker in workers if worker["status"] == "ONLINE"}

    # runs ------------------------------------------------------------------------------------------------------------

    def start(self) -> str:
        """A run of the customers, as the UI starts one; its id."""
        found = self.api.get("/deployments/name/sync/twins-customer")["id"]
        body = {"parameters": {}, "state": {"type": "SCHEDULED"}}
        return str(self.api.post(f"/deployments/{found}/create_flow_run", body)["id"])

    def run_of(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/flow_runs/{run_id}")
        return found

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run, once it has ended; where it crashed, the one that was started in its place."""
        self.until(lambda: self.run_of(run_id)["state_type"] in ENDED, "an end of the run")
        run = self.run_of(run_id)
        if run["state_type"] != "CRASHED":
            return run
        body = {"flow_runs": {"idempotency_key": {"any_": [f"after {run_id}"]}}}
        self.until(lambda: bool(self.api.post("/flow_runs/filter", body)), f"a run in place of {run['state']}")
        return self.ended(self.api.post("/flow_runs/filter", body)[0]["id"])

    def until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
        """Seconds until ``condition`` held."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < patience, f"there never was {what}\n{self.told()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def told(self) -> str:
        """The last lines of everybody."""
        files = [*self.folder.glob("*.log"), *(self.folder / ".hub").glob("*/*.log")]
        return "\n".join(f"--- {f.relative_to(self.folder)}\n{f.read_text()[-1500:]}" for f in files)

    def said(self, host: Host) -> str:
        """All that a host's runs and its worker have said."""
        return (self.folder / ".hub" / f"worker-{host.name}" / "worker.log").read_text()

    # the store and the systems ---------------------------------------------------------------------------------------

    def ask(self, statement: str) -> list[Any]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def at_work(self) -> str:
        """The host whose pass holds the customers' lease; empty: none does."""
        rows = self.ask("SELECT owner FROM lease WHERE name = 'entity:customer' AND expires <> ''")
        return str(rows[0][0]).partition(":")[0] if rows else ""

    def host(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def written(self) -> int:
        """Writes that the journal has."""
        return int(self.ask("SELECT count(*) FROM journal WHERE kind = 'written'")[0][0])

    def rename(self, number: str, name: str) -> None:
        twins.execute(self.folder, "crm", "UPDATE customers SET name = ? WHERE number = ?", name, number)

    def name_in_erp(self, number: str) -> str:
        return twins.contents(self.folder, "erp")[number][0]

    def kill_run(self, name: str) -> None:
        """SIGKILL to the process that carries out the run on this host."""
        rows = self.ask("SELECT owner FROM lease WHERE name = 'entity:customer'")
        inside = int(str(rows[0][0]).partition("@")[0].rpartition(":")[2])
        for process in marked(hashlib.sha256(f"{self.folder.resolve()}\0{name}".encode()).hexdigest()[:16]):
            status = Path(f"/proc/{process.pid}/status").read_text()
            if [int(n) for n in status.partition("NSpid:")[2].split("\n")[0].split()][-1] == inside:
                process.kill()

    def at_rest_with_both(self) -> None:
        """Both hosts work again, for the next test."""
        for host in self.hosts:
            if not host.running:
                self.start_worker(host)
        self.until(lambda: self.online() == {host.name for host in self.hosts}, "both workers")

    @contextlib.contextmanager
    def held_in_mid_run(self, number: str, name: str) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """An edit is being carried on and stands still between being noted and being written: the ERP's database is
        locked. Gives (run, host at work, what lets it go on)."""
        lock = sqlite3.connect(self.folder / "erp.db", isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        try:
            self.rename(number, name)
            run = self.start()
            self.until(lambda: bool(self.ask("SELECT 1 FROM intent")), "a write that was noted")
            yield run, self.at_work(), lambda: lock.in_transaction and lock.execute("ROLLBACK") and None
        finally:
            lock.close()

    def is_at_rest(self) -> None:
        """The next pass writes nothing, and both systems have the same."""
        before = self.written()
        run = self.ended(self.start())
        assert (run["state_type"], self.written() - before) == ("COMPLETED", 0), run["state"]
        names = [
            {number: name for number, (name, _) in twins.contents(self.folder, one).items()} for one in ("crm", "erp")
        ]
        assert names[0] == names[1]
        assert self.ask("SELECT count(*) FROM intent") == [(0,)]
        assert self.ask("SELECT count(*) FROM letter WHERE status = 'open'") == [(0,)]


@contextlib.contextmanager
def company(folder: Path, programs: Path) -> Iterator[Company]:
    """Everything runs, and the first sync is done."""
    twins.build(folder)
    with (folder / "hub.yaml").open("a", encoding="utf-8") as file:
        file.write('store: "${HUB_STORE}"\n')
    with (folder / ".env").open("a", encoding="utf-8") as file:
        file.write(f"HUB_STORE=postgresql+psycopg://hub@{HERE}/hub\n")
    with network("worker-a", "worker-b") as hosts, cluster(programs, HERE) as database:
        database.make("prefect")
        with socket.socket() as free:
            free.bind((HERE, 0))
            port = free.getsockname()[1]
        made = Company(folder, database, hosts, port)
        try:
            made.start_server()
            for host in hosts:
                made.start_worker(host)
            made.until(lambda: made.online() == {"worker-a", "worker-b"}, "two workers")
            first = made.ended(made.start())["state"]
            assert first["message"] == "12 customers written", f"{first}\n{made.told()}"
            yield made
        finally:
            for host in hosts:
                host.lose_power()
            if made.up is not None and made.up.poll() is None:
                made.stop_server()
            made._engine.dispose()
            made.api.close()
