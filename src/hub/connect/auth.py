"""Ways of proving who we are (``hub.connect.http.Auth``), for connectors by declaration and in Python alike.

| way                               | class                                    |
|-----------------------------------|------------------------------------------|
| API key, Basic, fixed bearer      | ``FixedAuth``                            |
| OAuth 2 (client credentials, refresh token, authorization code, password) | ``TokenAuth`` with ``OAuth`` |
| log-in call that hands out a session token | ``TokenAuth`` with a function of yours |
| log-in that tells more than a token (context, version, path) | ``SessionAuth`` |
| signature over the request        | ``SigningAuth``                          |
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.connect.answers import Answer
from hub.connect.http import Http, Outgoing, Renew, Signed, Verdict
from hub.connect.redact import redact, remember
from hub.connect.services import Cache
from hub.connect.tokens import Token, Tokens
from hub.errors import AuthenticationError, UnexpectedAnswer

KEEP_REFRESH = 400 * 86400.0
"""How long a refresh token that replaced the configured one is kept, in seconds."""


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    remember(password)
    made = base64.b64encode(f"{user}:{password}".encode()).decode()
    remember(made)
    return f"Basic {made}"


@dataclass(slots=True)
class FixedAuth:
    """The same headers or parameters on every request: nothing to renew."""

    fixed: Signed

    def headers(self, method: str, path: str) -> dict[str, str]:
        return dict(self.fixed.headers)

    def sign(self, outgoing: Outgoing) -> Signed:
        return self.fixed

    def refused(self, headers: dict[str, str]) -> None:
        pass


@dataclass(slots=True)
class TokenAuth:
    """A token that ends and is fetched again. ``put`` makes headers or parameters of it."""

    tokens: Tokens
    put: Callable[[str], Signed]
    _sent: tuple[Signed, str] = field(default_factory=lambda: (Signed(), ""), repr=False)

    def headers(self, method: str, path: str) -> dict[str, str]:
        return dict(self.sign(Outgoing(method, path)).headers)

    def sign(self, outgoing: Outgoing) -> Signed:
        token = self.tokens.get()
        signed = self.put(token)
        self._sent = (signed, token)
        return signed

    def refused(self, headers: dict[str, str]) -> None:
        signed, token = self._sent
        # Another thread may have fetched the next token already; then there is nothing to forget.
        if dict(signed.headers) == headers:
            self.tokens.refused(token)


class SessionAuth:
    """A log-in whose outcome is more than a token, kept whole for all processes of the account.

    ``log_in`` gives a JSON object: ``headers`` go on every request, the rest is the connector's own. ``key``: as
    ``Tokens`` wants it. ``seconds``: how long it is kept at most; the product may end it earlier (``ended``).
    """

    def __init__(self, cache: Cache, key: str, log_in: Callable[[], dict[str, Any]], seconds: float) -> None:
        self._tokens = Tokens(cache, key, lambda: Token(json.dumps(log_in()), seconds))

    def get(self) -> dict[str, Any]:
        """The session; logs in when there is none."""
        found: dict[str, Any] = json.loads(self._tokens.get())
        return found

    def headers(self, method: str, path: str) -> dict[str, str]:
        found: dict[str, str] = self.get()["headers"]
        return found

    def refused(self, headers: dict[str, str]) -> None:
        kept = self._tokens.get()
        # Another thread may have logged in again already; then there is nothing to forget.
        if json.loads(kept)["headers"] == headers:
            self._tokens.refused(kept)


def ended(answer: Answer) -> Verdict:
    """A classifier's rule for sessions and tokens: 401 says that it ended, and that nothing was done."""
    if answer.status != 401:
        return None
    return Renew(AuthenticationError("the system ended our session, and a new one too", cure="check the user's rights"))


@dataclass(slots=True)
class SigningAuth:
    """A signature over each request."""

    make: Callable[[Outgoing], Signed]

    def headers(self, method: str, path: str) -> dict[str, str]:
        return dict(self.make(Outgoing(method, path)).headers)

    def sign(self, outgoing: Outgoing) -> Signed:
        return self.make(outgoing)

    def refused(self, headers: dict[str, str]) -> None:
        pass


def hmac_text(secret: str, text: str, digest: str = "sha256", encoding: Literal["hex", "base64"] = "hex") -> str:
    """HMAC of a text, written as most products want it."""
    made = hmac.new(secret.encode(), text.encode(), digest)
    return made.hexdigest() if encoding == "hex" else base64.b64encode(made.digest()).decode()


def body_digest(outgoing: Outgoing, digest: str = "sha256") -> str:
    """Hex digest of a request's body, for signatures."""
    return hashlib.new(digest, outgoing.body).hexdigest()


@dataclass(slots=True)
class OAuth:
    """Access tokens by RFC 6749. ``form`` is what the grant sends besides the client's own name and secret.

    A refresh token that is replaced by its use is kept in ``cache``, under ``key``; an authorization code is used once
    and what it gave is kept the same way.
    """

    http: Http
    url: str
    client_id: str
    client_secret: str
    form: Mapping[str, str]
    where: str
    cache: Cache
    key: str
    client_in: Literal["body", "header"] = "body"
    life: float = 3600.0
    """Seconds a token lives when the answer does not say."""

    def fetch(self) -> Token:
        """A new access token. Raises AuthenticationError with what the server says."""
        remember(self.client_secret, *(v for k, v in self.form.items() if k in ("refresh_token", "code", "password")))
        kept = self.cache.get(self.key)
        form = {"grant_type": "refresh_token", "refresh_token": kept} if kept else dict(self.form)
        body = self._asked(form)
        remember(str(body["access_token"]), str(body.get("refresh_token") or ""))
        if body.get("refresh_token") and body["refresh_token"] != form.get("refresh_token"):
            self.cache.set(self.key, str(body["refresh_token"]), KEEP_REFRESH)
        return Token(str(body["access_token"]), _seconds(body.get("expires_in"), self.life))

    def _asked(self, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {}
        sent = dict(form)
        if self.client_in == "header":
            headers["Authorization"] = basic(self.client_id, self.client_secret)
        else:
            sent |= {"client_id": self.client_id, "client_secret": self.client_secret}
        # An authorization code and a rotating refresh token may be used once: never sent twice.
        again = form.get("grant_type") in ("client_credentials", "password")
        answer = self.http.post(
            self.url, data=sent, headers=headers, idempotent=again, accept=(400, 401, 403), expect="bytes", auth=False,
            where=self.where,
        )  # fmt: skip
        body = answer.json_or_none()
        if not isinstance(body, dict) or not body.get("access_token"):
            raise oauth_refusal(answer, body, self.where)
        return body


def oauth_refusal(answer: Answer, body: Any, where: str) -> AuthenticationError | UnexpectedAnswer:
    """What an answer without a token means (RFC 6749, 5.2)."""
    code = redact(str(body["error"])) if isinstance(body, dict) and body.get("error") else ""
    if not code and answer.status not in (401, 403):
        return UnexpectedAnswer(f"the token server answered {answer.excerpt()!r}", where=where)
    cures = {
        "invalid_grant": "get a new refresh token (or code) and put it into the configuration",
        "invalid_client": "check the client's id and secret",
        "invalid_scope": "check the scope",
    }
    told = redact(str(body.get("error_description") or "")) if isinstance(body, dict) else ""
    what = f"the token server refuses the credentials ({code or answer.status})" + (f": {told}" if told else "")
    return AuthenticationError(what, where=where, cure=cures.get(code, "check the credentials"))


def _seconds(told: Any, otherwise: float) -> float:
    try:
        return float(told) if told is not None else otherwise
    except (TypeError, ValueError):
        return otherwise
