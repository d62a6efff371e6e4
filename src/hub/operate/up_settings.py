"""Prefect's settings for ``hub up``: on this machine alone, offline, telling nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hub.operate.deployments import HEARTBEAT
from hub.operate.facts import ENVIRONMENT

HOST = "127.0.0.1"
AT_ONCE = 4
"""Passes that run at the same time on a host: each is a process of some 100 MB."""

_NOT_OURS = ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_PROFILE", "PREFECT_CLIENT_")
"""What the user may have set for another server."""


def server_environment(
    home: Path, port: int, environ: Mapping[str, str] = os.environ, *, host: str = HOST
) -> dict[str, str]:
    """The server's environment. ``PREFECT_SERVER_…`` and database settings of the user's win (PostgreSQL, a login).
    ``host``: the address at which it can be reached."""
    inherited = {k: v for k, v in environ.items() if not k.startswith(_NOT_OURS)}
    defaults = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LEVEL": "INFO",
    }
    if "PREFECT_API_DATABASE_CONNECTION_URL" in inherited:
        del defaults["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    forced = {
        **_apart(home),
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        # Relative: with an own port the UI would otherwise still call port 4200.
        "PREFECT_SERVER_UI_API_URL": "/api",
        # Where links in notifications lead: to the newer UI, as "/" does.
        "PREFECT_UI_URL": f"http://{host}:{port}/v2",
        # The UI's files are copied at the start: not into the package, which may be read-only or shared.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    if login := inherited.get("PREFECT_SERVER_API_AUTH_STRING"):
        forced["PREFECT_API_AUTH_STRING"] = login
    return {**defaults, **inherited, **forced}


def client_environment(home: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a worker without a server beside it: the user's, with the server that they name."""
    inherited = {name: value for name, value in environ.items() if name != "PREFECT_PROFILE"}
    return {"PREFECT_LOGGING_LEVEL": "INFO", **inherited, **_apart(home)}


def _apart(home: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
    }


def worker_arguments(work_pool: str, name: str, at_once: int) -> list[str]:
    """Prefect's own worker, for Python's command line."""
    worker = ["-m", "prefect", "worker", "start", "--pool", work_pool, "--type", "process"]
    return [*worker, "--name", name, "--limit", str(at_once), "--install-policy", "never"]


def worker_environment(environment: Mapping[str, str], api_url: str, project: Path) -> dict[str, str]:
    """The worker's, and so its runs'. ``project``: where it lies here, should it lie elsewhere than where it was
    deployed from."""
    return {
        **environment,
        ENVIRONMENT: str(project),
        "PREFECT_API_URL": api_url,
        # Two, four … 128 seconds between tries: a server that is away for four minutes costs no run.
        "PREFECT_CLIENT_MAX_RETRIES": "7",
        # What it answers while its database is away.
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
        "PREFECT_LOGGING_EXTRA_LOGGERS": "hub",
        "PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES": "false",
    }
