"""Signing in: access tokens from a refresh token, shared by everything that uses the same credentials.

Zoho allows ten token requests in ten minutes and lets the sixteenth token end the first (API pages "Token validity",
"Refresh"), so one token serves all threads and processes. Which host the API is on comes with the token: never guessed.
"""

from __future__ import annotations

import json
from typing import Any

from hub.connect.answers import Answer
from hub.connect.auth import TokenAuth
from hub.connect.http import Http, HttpOptions, Signed
from hub.connect.redact import redact, remember
from hub.connect.services import Services
from hub.connect.tokens import Token, Tokens, fingerprint
from hub.errors import AuthenticationError, RateLimited, UnexpectedAnswer

from .settings import Settings

THROTTLED_SECONDS = 600.0
DEFAULT_LIFE = 3600.0
_CURES = {
    "invalid_code": "make a new refresh token (in the API console of the org's own data centre)",
    "invalid_client": "check client_id, and that data_center or accounts_url is the one it was made in",
    "invalid_client_secret": "check client_secret",
}


class ZohoAuth:
    """Puts ``Authorization: Zoho-oauthtoken …`` on requests (the word is not Bearer)."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._where = services.system
        self._secrets = (settings.client_secret.get_secret_value(), settings.refresh_token.get_secret_value())
        remember(*self._secrets)
        options = HttpOptions(
            connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout, verify=settings.verify, pool=1
        )
        self._http = Http(settings.accounts_url, services, options=options)
        self.account = fingerprint(settings.accounts_url, settings.client_id, *self._secrets)
        """Names these credentials in caches, without telling them."""
        self._tokens = Tokens(services.cache, f"zoho_crm/{self.account}/token", self._fetch)
        self._signing = TokenAuth(self._tokens, _signed)

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Signs a request; fetches a token first when there is none."""
        return self._signing.headers(method, path)

    def refused(self, headers: dict[str, str]) -> None:
        """The token in these headers is no longer taken."""
        self._signing.refused(headers)

    def api_url(self) -> str:
        """Where the API is: as configured, else as the token's answer says. Raises UnexpectedAnswer where that would
        leave TLS."""
        if self._settings.api_url:
            return self._settings.api_url
        found = str(json.loads(self._tokens.get())["api_domain"])
        if self._settings.accounts_url.startswith("https://") and not found.startswith("https://"):
            raise UnexpectedAnswer(
                "the accounts server names an API address without TLS, to which no token is sent",
                where=self._where,
                cure="write the API's address into api_url if this is meant",
            )
        return found

    def close(self) -> None:
        self._http.close()

    def _fetch(self) -> Token:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._settings.client_id,
            "client_secret": self._secrets[0],
            "refresh_token": self._secrets[1],
        }
        # Asking again after a lost answer only makes one more token.
        answer = self._http.post(
            "/oauth/v2/token", data=form, idempotent=True, accept=(400, 401), expect="bytes", where=self._where
        )
        body = answer.json_or_none()
        if not isinstance(body, dict) or not body.get("access_token"):
            raise self._refusal(answer, body)
        remember(body["access_token"])
        kept = {"token": body["access_token"], "api_domain": body.get("api_domain") or self._settings.accounts_url}
        return Token(json.dumps(kept), _life(body))

    def _refusal(self, answer: Answer, body: Any) -> Exception:
        # Errors come with status 200 as well as 400: only the body tells (API page "Access and refresh tokens").
        if b"access denied" in answer.body.lower():
            return RateLimited(
                "too many token requests: ten in ten minutes are allowed",
                wait=THROTTLED_SECONDS,
                where=self._where,
                cure="let everything that uses these credentials share one cache folder",
            )
        code = redact(str(body["error"])) if isinstance(body, dict) and body.get("error") else ""
        if not code:
            return UnexpectedAnswer(f"the accounts server answered {answer.excerpt()!r}", where=self._where)
        cure = _CURES.get(code, "check client_id, client_secret and refresh_token")
        return AuthenticationError(
            f"the accounts server refuses the credentials ({code})", where=self._where, cure=cure
        )


def _signed(kept: str) -> Signed:
    return Signed({"Authorization": f"Zoho-oauthtoken {json.loads(kept)['token']}"})


def _life(body: dict[str, Any]) -> float:
    seconds = body.get("expires_in_sec") or body.get("expires_in") or DEFAULT_LIFE
    # Older servers told milliseconds in expires_in; no token lives a day.
    return float(seconds) / 1000 if float(seconds) > 86400 else float(seconds)
