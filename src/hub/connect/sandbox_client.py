"""A client of the control API: what the demo, benchmarks and tests use to play the people at the other end."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
import requests

from hub.connect.sandbox_rows import DECODER, ENCODER
from hub.errors import ConfigurationError, Unavailable

Record = dict[str, Any]


class ControlClient:
    """Speaks to one sandbox's ``control`` URL. Raises ConfigurationError where the sandbox refuses, Unavailable where
    it does not answer."""

    def __init__(self, control_url: str, timeout: float = 30.0) -> None:
        self._url = control_url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        # The control API is on this machine: a proxy from the environment would only be in the way.
        self._session.trust_env = False

    def stats(self) -> Record:
        return self._call("GET", "stats")

    def reset_stats(self) -> Record:
        """Start counting anew; returns the counts so far."""
        return self._call("POST", "reset_stats")

    def latency(self, ms: float, jitter: float = 0) -> None:
        self._call("POST", "latency", {"ms": ms, "jitter": jitter})

    def resources(self) -> dict[str, int]:
        """Name → number of records."""
        return dict(self._call("GET", "resources")["resources"])

    def records(self, resource: str) -> list[Record]:
        """Raw contents, amounts as Decimal."""
        return list(self._call("GET", "records", query={"resource": resource})["records"])

    def create(self, resource: str, values: Record, user: str = "user") -> Record:
        return dict(self._call("POST", "create", {"resource": resource, "values": values, "as": user})["record"])

    def edit(self, resource: str, id: str, values: Record, user: str = "user") -> Record:
        body = {"resource": resource, "id": id, "values": values, "as": user}
        return dict(self._call("POST", "edit", body)["record"])

    def delete(self, resource: str, id: str, user: str = "user") -> None:
        self._call("POST", "delete", {"resource": resource, "id": id, "as": user})

    def history(self, since: int = 0) -> list[Record]:
        return list(self._call("GET", "history", query={"since": str(since)})["history"])

    def add_faults(self, *faults: Record) -> None:
        self._call("POST", "faults", list(faults))

    def faults(self) -> list[Record]:
        """The faults in force, each with how often it hit."""
        return list(self._call("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def tell(self, url: str, key: str, *resources: str) -> None:
        """Have the hub's own message posted to ``url`` whenever one of these resources (none: any) changes there."""
        self._call("POST", "hooks", {"url": url, "key": key, "resources": list(resources)})

    def delivery(self, **how: Any) -> Record:
        """How these messages travel (see ``sandbox_hooks.Delivery``); returns what became of them so far."""
        return self._call("POST", "hooks", {"delivery": how} if how else {})

    def clock(self, **change: Any) -> str:
        """The sandbox's time; with ``advance=``, ``freeze=``/``step=`` or ``real=True`` after changing it."""
        return str(self._call("POST" if change else "GET", "clock", change or None)["now"])

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, verb: str, body: Any = None, query: dict[str, str] | None = None) -> Record:
        url = f"{self._url}/{verb}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else ENCODER.encode(body)
        try:
            response = self._session.request(
                method, url, data=data, headers={"Content-Type": "application/json"}, timeout=self._timeout
            )
        except requests.RequestException as problem:
            raise Unavailable(f"the sandbox does not answer ({type(problem).__name__})", where=url) from None
        try:
            found: Record = DECODER.decode(response.content)
        except msgspec.MsgspecError:
            found = {"error": response.text[:200]}
        if response.status_code != 200:
            raise ConfigurationError(str(found.get("error")), where=url, cure="check the resource, id and values")
        return found
