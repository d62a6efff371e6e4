"""Signed-in calls to one database, and what Tryton's exceptions mean.

Everything that goes wrong on the server arrives as ``{"error": [kind, …]}`` with status 200, and with the transaction
rolled back (trytond/protocols/jsonrpc.py, dispatcher.py): nothing was done.
"""

from __future__ import annotations

import base64
from typing import Any

from hub.connect.answers import Answer
from hub.connect.http import HttpOptions
from hub.connect.redact import remember
from hub.connect.rpc import JsonRpc, SessionRpc
from hub.connect.services import Services
from hub.connect.tokens import fingerprint
from hub.errors import HubError, RecordRejected, UnexpectedAnswer, VersionConflict

from .settings import Settings

LIFE = 12 * 3600.0  # the server ends idle sessions when it wants to, and then says 401


class Warned(RecordRejected):
    """The server asks a person whether they are sure; ``code`` names the question."""


class Client:
    """One user's calls on one database. Thread-safe."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings, self.where = settings, services.system
        self._password = settings.password.get_secret_value()
        remember(self._password)
        account = "tryton/" + fingerprint(settings.url, settings.database, settings.username, self._password)
        options = HttpOptions(read_timeout=settings.timeout, verify=settings.verify)
        self.rpc = SessionRpc(
            settings.url, services, account=account, log_in=self._log_in, seconds=LIFE, problem=problem,
            options=options, at_once=4,
        )  # fmt: skip

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
        self, model: str, method: str, *parameters: Any, timestamps: Any = None, idempotent: bool = False
    ) -> tuple[Any, Answer]:
        """The result, and the answer it came in."""
        session = self.rpc.session()
        context = {**session["context"], "active_test": False, **({"_timestamp": timestamps} if timestamps else {})}
        name, where = f"model.{model}.{method}", f"{self.where}/{model}"
        return self.rpc.call(session["path"], name, [*parameters, context], where=where, idempotent=idempotent)

    def _log_in(self, door: JsonRpc) -> dict[str, Any]:
        """The session: ``headers``, ``path``, ``version`` and the user's ``context`` (company, language)."""
        version, path = self._find(door)
        name = self._settings.username
        words = [name, {"password": self._password}, self._settings.language]
        (user, token, *_), _ = door.call(path, "common.db.login", words, where=self.where, idempotent=True)
        signed = base64.b64encode(f"{name}:{user}:{token}".encode()).decode()
        remember(token, signed)
        headers = {"Authorization": f"Session {signed}"}
        preferences = "model.res.user.get_preferences"
        context, _ = door.call(path, preferences, [True, {}], where=self.where, idempotent=True, headers=headers)
        return {"headers": headers, "path": path, "version": version, "context": context}

    def _find(self, door: JsonRpc) -> tuple[str, str]:
        """The server's version, and where its database answers: ``/<db>/rpc/`` since 7.8, ``/<db>/`` before."""
        for root in ("rpc/", ""):
            if version := door.answered(root, "common.server.version", where=self.where):
                return str(version), f"{self._settings.database}/{root}"
        raise UnexpectedAnswer("no Tryton server answers there", where=self.where, cure="check the setting url")


def problem(error: list[Any], where: str) -> HubError:
    """What an exception of the server is to us."""
    kind, told = error[0], error[1] if len(error) > 1 else ""
    if kind == "ConcurrencyException":
        return VersionConflict("somebody else changed the record meanwhile", where=where)
    if kind == "UserWarning":
        cure = "let a person do it there, or set skip_warnings"
        return Warned(" ".join(filter(None, told[1:3])), code=str(told[0]), where=where, cure=cure)
    if kind == "UserError":
        return RecordRejected(" ".join(filter(None, told[:2])), code="UserError", where=where)
    return RecordRejected(f"Tryton failed: {kind}", code="Exception", where=where, cure="see the server's log")
