"""The few calls to a Prefect server that the hub makes itself, over plain HTTP: Prefect is never imported for them.

Importing Prefect costs two seconds; these calls cost milliseconds, and the server's REST interface is the same for
every client version.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from hub.errors import AuthenticationError, ConfigurationError, HubError, Unavailable, UnexpectedAnswer

BUSY = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between two tries while the server is busy."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class PrefectApi:
    """A Prefect server's REST interface. ``url`` ends in ``/api``; ``auth`` is ``user:password``, if needed."""

    def __init__(self, url: str, *, auth: str | None = None, key: str | None = None, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._session = requests.Session()
        if urlsplit(url).hostname in _LOOPBACK:
            # A company proxy in the environment must not stand between us and our own machine.
            self._session.trust_env = False
        if auth:
            user, _, password = auth.partition(":")
            self._session.auth = (user, password)
        elif key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def __repr__(self) -> str:
        return f"PrefectApi({self.url!r})"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, timeout: float = 10.0) -> PrefectApi | None:
        """The server that ``PREFECT_API_URL`` names, None without one."""
        url = environ.get("PREFECT_API_URL")
        if not url:
            return None
        return cls(
            url, auth=environ.get("PREFECT_API_AUTH_STRING"), key=environ.get("PREFECT_API_KEY"), timeout=timeout
        )

    def close(self) -> None:
        self._session.close()

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def find(self, path: str) -> Any | None:
        """What is at ``path``, None when there is nothing."""
        return self._call("GET", path, missing=True)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path, missing=True)

    def healthy(self) -> bool:
        """Whether the server answers; never raises."""
        try:
            return self._call("GET", "/health") is True
        except HubError:
            return False

    def _call(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        where = f"{method} {self.url}{path}"
        try:
            answer = self._answer(method, path, body)
        except requests.RequestException as error:
            raise Unavailable(
                f"the Prefect server does not answer ({type(error).__name__})",
                where=where,
                cure="start it with 'hub up', or set PREFECT_API_URL to the address of a running one",
            ) from None
        if missing and answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise _error(answer, where)
        if answer.status_code == 204 or not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise UnexpectedAnswer(
                "the answer is not JSON: this is no Prefect server",
                where=where,
                cure="PREFECT_API_URL ends in /api, such as http://127.0.0.1:4200/api",
            ) from None

    def _answer(self, method: str, path: str, body: Any) -> requests.Response:
        """With SQLite, a busy server answers 503 and has done nothing: its own client tries again, and so do we."""
        for pause in (*BUSY, None):
            answer = self._session.request(method, f"{self.url}{path}", json=body, timeout=self.timeout)
            if answer.status_code != 503 or pause is None:
                break
            time.sleep(pause)
        return answer


def _error(answer: requests.Response, where: str) -> HubError:
    status = answer.status_code
    if status in (401, 403):
        return AuthenticationError(
            f"the Prefect server refuses us (HTTP {status})",
            where=where,
            cure="set PREFECT_API_AUTH_STRING to user:password of that server",
        )
    detail = " ".join(answer.text.split())[:300]
    if status == 404:
        return ConfigurationError(
            "not found on the Prefect server", where=where, cure="check that PREFECT_API_URL ends in /api"
        )
    if status >= 500:
        return Unavailable(f"the Prefect server failed (HTTP {status}): {detail}", where=where)
    return ConfigurationError(f"the Prefect server refuses this (HTTP {status}): {detail}", where=where)
