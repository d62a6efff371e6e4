"""Who may call, and how often: the accounts server, access tokens, scopes, credits and calls at once."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from . import problems

Body = dict[str, Any]
DAY = timedelta(hours=24)
THROTTLE_WINDOW = timedelta(minutes=10)
ALL_SCOPES = (
    "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.users.ALL ZohoCRM.org.ALL ZohoCRM.coql.READ "
    "ZohoCRM.bulk.ALL ZohoCRM.notifications.ALL ZohoCRM.apis.READ ZohoSearch.securesearch.READ ZohoFiles.files.ALL"
)


def secret(*parts: object) -> str:
    """A repeatable secret in the vendor's form (``1000.<32 hex>.<32 hex>``)."""
    text = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"1000.{text[:32]}.{text[32:]}"


@dataclass
class Accounts:
    """The accounts server: ``POST /oauth/v2/token`` (API pages "Access and refresh tokens", "Token validity")."""

    now: Callable[[], datetime]
    seed: int = 1
    token_seconds: float = 3600
    throttle: int = 10
    """Token requests in ten minutes for one refresh token."""
    alive: int = 15
    """Access tokens alive for one refresh token."""
    scopes: str = ALL_SCOPES
    client_id: str = field(init=False)
    client_secret: str = field(init=False)
    refresh_token: str = field(init=False)
    grant_code: str | None = field(init=False)
    """A code for ``grant_type=authorization_code``: works once."""
    _tokens: dict[str, datetime] = field(default_factory=dict)
    _requests: deque[datetime] = field(default_factory=deque)
    _made: int = 0

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"client {self.seed}".encode()).hexdigest()
        self.client_id = f"1000.{digest[:30].upper()}"
        self.client_secret = digest[:42]
        self.refresh_token = secret("refresh", self.seed)
        self.grant_code = secret("code", self.seed)

    def token(self, form: Mapping[str, str], api_domain: str) -> tuple[int, Body]:
        """The answer to a token request; errors mostly come with status 200."""
        grant = form.get("grant_type")
        if form.get("client_id") != self.client_id:
            return 200, {"error": "invalid_client"}
        if form.get("client_secret") != self.client_secret:
            return 200, {"error": "invalid_client_secret"}
        answer: Body = {}
        if grant == "authorization_code":
            if not form.get("code") or form["code"] != self.grant_code:
                return 200, {"error": "invalid_code"}
            self.grant_code = None
            answer["refresh_token"] = self.refresh_token
        elif grant == "refresh_token":
            if not form.get("refresh_token") or form["refresh_token"] != self.refresh_token:
                return 200, {"error": "invalid_code"}
        else:
            return 200, {"error": "unsupported_grant_type"}
        if self._throttled():
            return 400, {
                "error_description": "You have made too many requests continuously. Please try again after some time.",
                "error": "Access Denied",
                "status": "failure",
            }
        return 200, {
            "access_token": self._issue(), **answer, "scope": self.scopes, "api_domain": api_domain,
            "token_type": "Bearer", "expires_in": int(self.token_seconds),
        }  # fmt: skip

    def revoke(self, form: Mapping[str, str]) -> tuple[int, Body]:
        """``POST /oauth/v2/token/revoke``"""
        token = form.get("token")
        if token == self.refresh_token:
            self.refresh_token = ""
            self._tokens.clear()
            return 200, {"status": "success"}
        if token in self._tokens:
            del self._tokens[token]
            return 200, {"status": "success"}
        return 200, {"error": "invalid_token"}

    def end_tokens(self) -> None:
        """All access tokens end now: what a test does in the middle of paging."""
        self._tokens.clear()

    def check(self, authorization: str | None, needed: tuple[str, ...]) -> datetime:
        """When the caller's token ends. Raises ApiProblem."""
        word, _, token = (authorization or "").partition(" ")
        if word != "Zoho-oauthtoken" or not token:
            raise problems.no_authentication()
        ends = self._tokens.get(token)
        if ends is None or ends <= self.now():
            raise problems.invalid_token()
        granted = self.scopes.replace(",", " ").split()
        if not all(any(covers(have, want) for have in granted) for want in needed):
            raise problems.wrong_scope()
        return ends

    def _issue(self) -> str:
        self._made += 1
        token = secret("access", self.seed, self._made, self.now().isoformat())
        self._tokens[token] = self.now() + timedelta(seconds=self.token_seconds)
        while len(self._tokens) > self.alive:
            del self._tokens[next(iter(self._tokens))]
        return token

    def _throttled(self) -> bool:
        now = self.now()
        while self._requests and self._requests[0] <= now - THROTTLE_WINDOW:
            self._requests.popleft()
        if len(self._requests) >= self.throttle:
            return True
        self._requests.append(now)
        return False


def covers(have: str, want: str) -> bool:
    """Whether a granted scope covers a needed one (``modules.ALL`` covers ``modules.accounts.READ``)."""
    mine, theirs = have.lower().split("."), want.lower().split(".")
    action = theirs[-1]
    group, of = mine[:-1], theirs[:-1]
    grants = {"all": True, "write": action in ("create", "update", "delete", "write")}.get(mine[-1], mine[-1] == action)
    return grants and of[: len(group)] == group


@dataclass
class Quota:
    """Credits of a rolling day, and calls at once (API page "API limits")."""

    now: Callable[[], datetime]
    credits: int = 5_000_000
    at_once: int = 20
    sub_at_once: int = 10
    _spent: deque[tuple[datetime, int]] = field(default_factory=deque)
    _used: int = 0
    _calls: int = 0
    _sub_calls: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def call(self, cost: int, sub: bool) -> Iterator[None]:
        """Around each call. Raises ApiProblem when a limit is reached."""
        with self._lock:
            self._forget_old()
            sub_calls = self._sub_calls + sub
            if self._calls + 1 > self.at_once or sub_calls > self.sub_at_once or self._used + cost > self.credits:
                raise problems.too_many_requests()
            self._calls += 1
            self._sub_calls = sub_calls
            self._used += cost
            self._spent.append((self.now(), cost))
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                self._sub_calls -= sub

    def headers(self) -> list[tuple[str, str]]:
        """``X-API-CREDITS-REMAINING``, once half of the day's credits are used."""
        with self._lock:
            self._forget_old()
            left = self.credits - self._used
        return [("X-API-CREDITS-REMAINING", str(left))] if self._used * 2 >= self.credits else []

    @property
    def used(self) -> int:
        """Credits spent in the last 24 hours."""
        return self._used

    def _forget_old(self) -> None:
        limit = self.now() - DAY
        while self._spent and self._spent[0][0] <= limit:
            self._used -= self._spent.popleft()[1]


def write_cost(records: int) -> int:
    """Credits of an insert, update or upsert: one for every ten records begun."""
    return max(1, min(10, -(-records // 10)))
