"""JSON-RPC: signing in, typed JSON, and what Tryton's exceptions mean.

Everything that goes wrong on the server arrives as ``{"error": [kind, …]}`` with status 200, and with the transaction
rolled back (trytond/protocols/jsonrpc.py, dispatcher.py): nothing was done.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hub.connect.answers import Answer
from hub.connect.budget import budget_of
from hub.connect.http import Http, HttpOptions, Renew, Verdict
from hub.connect.redact import remember
from hub.connect.services import Services
from hub.connect.tokens import Token, Tokens, fingerprint
from hub.errors import AuthenticationError, HubError, RecordRejected, UnexpectedAnswer, VersionConflict

from .settings import Settings

LIFE = 12 * 3600.0  # the server ends idle sessions when it wants to, and then says 401


class Warned(RecordRejected):
    """The server asks a person whether they are sure; ``code`` names the question."""


class Client:
    """One user's calls on one database. Thread-safe."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings, self._where = settings, services.system
        self._password = settings.password.get_secret_value()
        remember(self._password)
        options = HttpOptions(read_timeout=settings.timeout, verify=settings.verify)
        account = fingerprint(settings.url, settings.database, settings.username, self._password)
        budget = budget_of(f"tryton/{account}", at_once=4)
        self.http = Http(settings.url, services, auth=self, classify=_ended, options=options, budget=budget)
        self._door = Http(settings.url, services, options=options)
        """For signing in, where 401 is no session's end."""
        self._tokens = Tokens(services.cache, f"tryton/{account}", self._log_in)

    def close(self) -> None:
        self.http.close()
        self._door.close()

    def session(self) -> dict[str, Any]:
        """``header``, ``path``, ``version`` and the user's ``context`` (company, language)."""
        found: dict[str, Any] = json.loads(self._tokens.get())
        return found

    def headers(self, method: str, path: str) -> dict[str, str]:
        return {"Authorization": self.session()["header"]}

    def refused(self, headers: dict[str, str]) -> None:
        kept = self._tokens.get()
        if json.loads(kept)["header"] == headers.get("Authorization"):
            self._tokens.refused(kept)

    def read(self, model: str, method: str, *parameters: Any) -> Any:
        """A call that changes nothing: repeated when it fails in passing."""
        return self.call(model, method, *parameters, idempotent=True)[0]

    def write(self, model: str, method: str, *parameters: Any, timestamps: dict[str, str] | None = None) -> Any:
        """A call that changes something. Raises VersionConflict when a record moved on since its timestamp."""
        for _ in range(5):
            try:
                return self.call(model, method, *parameters, timestamps=timestamps)[0]
            except Warned as warning:
                if not self._settings.skip_warnings:
                    raise
                self.call("res.user.warning", "skip", warning.code, idempotent=True)
        return self.call(model, method, *parameters, timestamps=timestamps)[0]

    def call(
        self,
        model: str,
        method: str,
        *parameters: Any,
        timestamps: dict[str, str] | None = None,
        idempotent: bool = False,
    ) -> tuple[Any, Answer]:
        """The result, and the answer it came in."""
        session = self.session()
        context = {**session["context"], "active_test": False, **({"_timestamp": timestamps} if timestamps else {})}
        body = {"id": 1, "method": f"model.{model}.{method}", "params": [*parameters, context]}
        where = f"{self._where}/{model}"
        answer = self.http.post(session["path"], json=body, idempotent=idempotent, where=where)
        found = answer.json()
        if isinstance(found, dict) and found.get("error"):
            raise _problem(found["error"], where)
        if not isinstance(found, dict) or "result" not in found:
            raise UnexpectedAnswer(f"neither result nor error: {answer.excerpt()}", where=where)
        return found["result"], answer

    def _log_in(self) -> Token:
        version, path = self._find()
        parameters = [self._settings.username, {"password": self._password}, self._settings.language]
        user, token = self._plain(path, "common.db.login", parameters)["result"][:2]
        word = base64.b64encode(f"{self._settings.username}:{user}:{token}".encode()).decode()
        header = f"Session {word}"
        remember(token, word)
        context = self._plain(path, "model.res.user.get_preferences", [True, {}], Authorization=header)["result"]
        return Token(json.dumps({"header": header, "path": path, "version": version, "context": context}), LIFE)

    def _find(self) -> tuple[str, str]:
        """The server's version, and where its database answers: ``/<db>/rpc/`` since 7.8, ``/<db>/`` before."""
        for root, path in (("rpc/", f"{self._settings.database}/rpc/"), ("", f"{self._settings.database}/")):
            answer = self._post(root, "common.server.version", [], accept=(401, 404, 405), expect="bytes")
            found = answer.json_or_none()
            if answer.status == 200 and isinstance(found, dict) and found.get("result"):
                return str(found["result"]), path
        raise UnexpectedAnswer("no Tryton server answers there", where=self._where, cure="check the setting url")

    def _plain(self, path: str, method: str, parameters: list[Any], **headers: str) -> dict[str, Any]:
        answer = self._post(path, method, parameters, accept=(401,), headers=headers)
        if answer.status == 401:
            what = f"Tryton refuses the user {self._settings.username!r}"
            raise AuthenticationError(what, where=self._where, cure="check username, password and database")
        found = answer.json()
        if not isinstance(found, dict) or "result" not in found:
            raise UnexpectedAnswer(f"no result of {method}: {answer.excerpt()}", where=self._where)
        return found

    def _post(self, path: str, method: str, parameters: list[Any], **options: Any) -> Answer:
        body = {"id": 1, "method": method, "params": parameters}
        if 401 in options["accept"]:
            options["expect"] = "bytes"
        return self._door.post(path, json=body, idempotent=True, where=self._where, **options)


def _ended(answer: Answer) -> Verdict:
    """401 to a session: it ended, and nothing was done."""
    return (
        Renew(AuthenticationError("Tryton ended the session", cure="check the user")) if answer.status == 401 else None
    )


def _problem(error: list[Any], where: str) -> HubError:
    kind, told = error[0], error[1] if len(error) > 1 else ""
    if kind == "ConcurrencyException":
        return VersionConflict("somebody else changed the record meanwhile", where=where)
    if kind == "UserWarning":
        cure = "let a person do it there, or set skip_warnings"
        return Warned(" ".join(filter(None, told[1:3])), code=str(told[0]), where=where, cure=cure)
    if kind == "UserError":
        return RecordRejected(" ".join(filter(None, told[:2])), code="UserError", where=where)
    return RecordRejected(f"Tryton failed: {kind}", code="Exception", where=where, cure="see the server's log")
