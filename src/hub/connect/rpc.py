"""JSON-RPC: one address, methods by name, and failures inside of good answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.connect.answers import Answer
from hub.connect.auth import SessionAuth, ended
from hub.connect.budget import budget_of
from hub.connect.http import Http, HttpOptions
from hub.connect.services import Services
from hub.errors import HubError, UnexpectedAnswer

NOBODY = (401, 403, 404, 405)


@dataclass
class JsonRpc:
    """``problem`` says what the ``error`` of an answer means: (error, where) → one of ``hub.errors``."""

    http: Http
    problem: Callable[[Any, str], HubError]

    def call(
        self, path: str, method: str, parameters: Sequence[Any], *, where: str, idempotent: bool = False, **options: Any
    ) -> tuple[Any, Answer]:
        """The result, and the answer it came in. ``options``: as ``Http.request`` takes them.

        Raises what HTTP in general means, what ``problem`` makes of an error, and UnexpectedAnswer for neither.
        """
        answer = self._post(path, method, parameters, where=where, idempotent=idempotent, **options)
        found = answer.json()
        if isinstance(found, dict) and found.get("error"):
            raise self.problem(found["error"], where)
        if not isinstance(found, dict) or "result" not in found:
            raise UnexpectedAnswer(f"neither result nor error: {answer.excerpt()}", where=where)
        return found["result"], answer

    def answered(self, path: str, method: str, *, where: str) -> Any:
        """The result of a call without parameters that nobody needs to be signed in for; None where there is nobody
        that speaks JSON-RPC at this path."""
        answer = self._post(path, method, [], where=where, idempotent=True, accept=NOBODY, expect="bytes", auth=False)
        found = answer.json_or_none()
        return found.get("result") if answer.status < 300 and isinstance(found, dict) else None

    def _post(self, path: str, method: str, parameters: Sequence[Any], **options: Any) -> Answer:
        return self.http.post(path, json={"id": 1, "method": method, "params": list(parameters)}, **options)


LogIn = Callable[[JsonRpc], dict[str, Any]]


class SessionRpc(JsonRpc):
    """JSON-RPC behind a log-in call. Thread-safe.

    ``log_in`` is handed a way to call that is not signed, and gives the session as ``SessionAuth`` keeps it, for
    ``seconds`` at most. ``account`` names the account and its credentials (``hub.connect.tokens.fingerprint``): whoever
    uses the same one shares session and rate budget.
    """

    def __init__(
        self,
        url: str,
        services: Services,
        *,
        account: str,
        log_in: LogIn,
        seconds: float,
        problem: Callable[[Any, str], HubError],
        options: HttpOptions | None = None,
        at_once: int | None = None,
    ) -> None:
        # Signing in goes through a door of its own: there 401 is no session's end.
        self._door = JsonRpc(Http(url, services, options=options), problem)
        self._auth = SessionAuth(services.cache, account, lambda: log_in(self._door), seconds)
        budget = budget_of(account, at_once=at_once)
        super().__init__(Http(url, services, auth=self._auth, classify=ended, options=options, budget=budget), problem)

    def session(self) -> dict[str, Any]:
        """What the log-in gave; logs in when there is no session."""
        return self._auth.get()

    def close(self) -> None:
        """Close the kept connections."""
        self.http.close()
        self._door.http.close()
