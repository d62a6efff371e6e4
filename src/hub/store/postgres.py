"""How the hub talks to a PostgreSQL server that may be on another host: neither waits for ever for the other.

A host that loses its power or its link says no good-bye. Left alone, the server would keep that host's transaction, and
the locks in it, for hours, so that nobody could take over; and the host would wait as long for an answer.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

SILENT = 20
"""Seconds without any sign from the other side after which a connection is given up, by either."""
IDLE = 30
"""Seconds that a transaction may stand still: a process that was suspended in the middle of one loses it."""

_CLIENT = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": str(SILENT * 1000),
    "application_name": "hub",
}
_SERVER = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": str(SILENT * 1000),
    "idle_in_transaction_session_timeout": f"{IDLE}s",
}


def postgres_engine(url: URL, **options: Any) -> Engine:
    """An engine for this server. What the URL itself says of a connection holds (``?connect_timeout=3``)."""
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    arguments = {name: value for name, value in _CLIENT.items() if name not in url.query}
    said = url.query.get("options", "")
    ours = " ".join(f"-c {name}={value}" for name, value in _SERVER.items())
    # The last one of a setting counts.
    arguments["options"] = f"{ours} {said if isinstance(said, str) else ' '.join(said)}".strip()
    return create_engine(url, connect_args=arguments, **options)
