"""HTTP for connectors: one session a system, JSON without floats, errors sorted by what the caller does next.

What becomes of a failed request depends on one question, *can it have been carried out?*

| what happened                                      | idempotent            | otherwise          |
|----------------------------------------------------|-----------------------|--------------------|
| no connection (refused, name unknown, TLS, timeout) | Unavailable, repeated | Unavailable        |
| connection lost, answer late or cut short          | Unavailable, repeated | UnknownOutcome     |
| 429                                                | RateLimited, repeated | RateLimited        |
| 5xx                                                | Unavailable, repeated | UnknownOutcome     |
| HTML or broken JSON where JSON was due             | UnexpectedAnswer      | UnknownOutcome     |
| longer than ``largest_answer``                     | UnexpectedAnswer      | UnknownOutcome     |
| 401                                                | AuthenticationError   | AuthenticationError |
| any other 3xx, 4xx                                 | UnexpectedAnswer      | UnexpectedAnswer   |

A vendor's own rules come first (``Classify``): errors inside a 200, a 401 that only means the token ended, codes that
are a record's fault. Nothing here repeats a request that is not idempotent, except after ``Renew``, where the vendor
has said that it was turned away at the door.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from hub.connect.answers import Answer, encode, failure
from hub.connect.budget import Budget
from hub.connect.quota import Slots
from hub.connect.redact import redact, redact_headers
from hub.connect.services import Services
from hub.connect.wire import lost, whole
from hub.errors import (
    ConfigurationError,
    HubError,
    RateLimited,
    Unavailable,
)

Expect = Literal["json", "bytes"]
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Renew:
    """A classifier's verdict: the credentials ended, and the request was turned away without being carried out.

    They are renewed and the request is sent once more; if it is refused again, ``error`` is raised.
    """

    error: HubError


Verdict = HubError | Renew | None
Classify = Callable[[Answer], Verdict]
"""Looks at every answer, good ones too. None: leave it to the general rules."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request about to be sent, for ways of signing that cover more than its path."""

    method: str
    path: str
    """The URL's path without host and query."""
    query: str = ""
    """As it goes into the URL."""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """What credentials add to a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


@runtime_checkable
class Signer(Protocol):
    """An ``Auth`` that looks at the whole request, or whose credentials travel as parameters."""

    def sign(self, outgoing: Outgoing) -> Signed: ...


class Auth(Protocol):
    """Puts credentials on requests."""

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Headers that sign this request; may log in first. ``path`` is the URL's path without host and query."""
        ...

    def refused(self, headers: dict[str, str]) -> None:
        """The system turned these headers away: forget what they were made of, unless it has been renewed since."""
        ...


@dataclass(slots=True)
class HttpOptions:
    """How to call a system. Times in seconds."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    verify: bool | str = True
    """TLS certificates are checked; a path names a CA bundle of your own."""
    attempts: int = 5
    """How often an idempotent request is sent at most."""
    longest_wait: float = 60.0
    """A longer wait asked for by the system is not sat out here: RateLimited goes to the caller."""
    pool: int = 8
    """Connections kept open."""
    largest_answer: int = 256 * 1024 * 1024
    """Bytes, unpacked. A longer answer is not read to its end: a few kilobytes of gzip can unpack to any amount."""
    headers: dict[str, str] = field(default_factory=dict)


class Http:
    """One system's HTTP. Thread-safe; connections are kept and reused."""

    def __init__(
        self,
        base_url: str,
        services: Services,
        *,
        auth: Auth | None = None,
        classify: Classify | None = None,
        budget: Budget | None = None,
        options: HttpOptions | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"{redact(base_url)!r} is not a web address", where=services.system, cure="write https://host/…"
            )
        self.base_url = base_url.rstrip("/")
        self.usage: Counter[str] = Counter()
        """``calls`` sent, ``retries`` among them, ``errors``."""
        self._services = services
        self._auth = auth
        self._classify = classify
        self._slots: Slots | None = budget
        if services.quota is not None and budget is not None and budget.owner:
            self._slots = services.quota.share(budget, services.system)  # with all others who use the account
        self._options = options or HttpOptions()
        self._lock = threading.Lock()
        self._session = self._make_session()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        accept: Collection[int] = (),
        expect: Expect = "json",
        where: str | None = None,
        auth: bool = True,
        cost: int = 1,
    ) -> Answer:
        """Send one request below the base URL (or to a whole URL on the same host) and return its answer.

        ``json`` is encoded with Decimals as exact numbers; ``data`` is bytes, or a form. ``idempotent`` defaults to
        True for GET and HEAD; such requests are repeated, with growing waits and as the system asks (Retry-After).
        ``accept``: statuses from 300 on that are good answers here. ``expect="json"``: an answer with content must be
        JSON. ``where`` names the place in messages (``zoho/Accounts``).
        ``cost``: of the day's limit, in the budget's unit. Raises the errors of the table above, and
        what the classifier says.
        """
        call = _Call(
            method=method.upper(),
            url=self._url(path),
            params={k: v for k, v in (params or {}).items() if v is not None},
            body=encode(json) if json is not None else data,
            headers={**({"Content-Type": "application/json"} if json is not None else {}), **(headers or {})},
            idempotent=method.upper() in IDEMPOTENT_METHODS if idempotent is None else idempotent,
            accept=frozenset(accept),
            expect=expect,
            where=where or self._services.system,
            auth=self._auth if auth else None,
            cost=cost,
        )
        if not call.idempotent:
            return self._send_signed(call)
        retrying = Retrying(
            retry=retry_if_exception_type((Unavailable, RateLimited)),
            stop=self._stop,
            wait=self._wait,
            sleep=self._services.sleep,
            before_sleep=self._note_retry,
            reraise=True,
        )
        return retrying(self._send_signed, call)

    def get(self, path: str, **options: Any) -> Answer:
        """``request("GET", …)``."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """``request("POST", …)``."""
        return self.request("POST", path, **options)

    def told_left(self, left: int) -> None:
        """The vendor said how much of the day is left, in the budget's unit."""
        if self._slots:
            self._slots.told(left)

    def sign_with(self, auth: Auth | None) -> None:
        """Put these credentials on the requests from now on: for log-ins that themselves need this object."""
        self._auth = auth

    @property
    def services(self) -> Services:
        """What the hub lent."""
        return self._services

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _make_session(self) -> requests.Session:
        session = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=self._options.pool, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # What the environment says of proxies and certificates: asked once, not for every call (a third of its cost).
        session.trust_env = False
        session.proxies.update(requests.utils.get_environ_proxies(self.base_url))
        verify = self._options.verify
        secure = self.base_url.lower().startswith("https:")
        # A bundle's path is looked up on the disk for every call, even where nothing is encrypted.
        session.verify = (_ca_bundle() or True) if verify is True and secure else verify
        session.headers.update({"User-Agent": "connector-hub", "Accept": "application/json", **self._options.headers})
        # Without this, requests takes credentials from ~/.netrc and overwrites our Authorization header.
        session.auth = _unsigned
        return session

    def _url(self, path: str) -> str:
        if "://" not in path:
            return f"{self.base_url}/{path.lstrip('/')}"
        ours, theirs = urlsplit(self.base_url), urlsplit(path)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            # Credentials go on every request: an address in a vendor's answer must not lead them to another host.
            raise ConfigurationError(f"{redact(path)!r} is not on {ours.netloc}", where=self._services.system)
        return path

    def _send_signed(self, call: _Call) -> Answer:
        signed = _signed(call)
        answer, verdict = self._send(call, signed)
        if isinstance(verdict, Renew) and call.auth:
            call.auth.refused(dict(signed.headers))
            signed = _signed(call)
            answer, verdict = self._send(call, signed)
        error = verdict.error if isinstance(verdict, Renew) else verdict
        error = error or failure(answer, call.where, call.accept)
        if error is None and call.expect == "json":
            error = answer.json_problem(call.where)
        if error is None:
            return answer
        if isinstance(error, RateLimited) and error.wait and self._slots:
            self._slots.pause(min(error.wait, self._options.longest_wait))
        self._count("errors")
        # A vendor's own words may repeat what it was sent.
        error.what = redact(error.what)
        error.args = (error.what,)
        raise error

    def _send(self, call: _Call, signed: Signed) -> tuple[Answer, Verdict]:
        options = self._options
        with self._slot(call):
            self._count("calls")
            started = time.monotonic()
            try:
                response = self._session.send(
                    self._prepared(call, signed),
                    timeout=(options.connect_timeout, options.read_timeout),
                    allow_redirects=False,
                    stream=True,
                )
                body = whole(response, options.largest_answer, idempotent=call.idempotent, where=call.where)
            except requests.RequestException as problem:
                self._count("errors")
                raise lost(problem, call.url, idempotent=call.idempotent, where=call.where) from None
        answer = Answer(
            status=response.status_code,
            headers=response.headers,
            body=body,
            idempotent=call.idempotent,
            received=self._services.now(),
        )
        self._log(call, signed.headers, answer, time.monotonic() - started)
        return answer, self._classify(answer) if self._classify else None

    def _prepared(self, call: _Call, signed: Signed) -> requests.PreparedRequest:
        """As ``Session.request`` would make it; what that merges for each call from the session is the same for all."""
        session = self._session
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=call.method,
            url=call.url,
            headers={**session.headers, **call.headers, **signed.headers},
            data=call.body,
            params={**call.params, **signed.params},
            auth=_unsigned,
            cookies=session.cookies,
        )
        return prepared

    def _slot(self, call: _Call) -> AbstractContextManager[None]:
        if self._slots is None:
            return nullcontext()
        return self._slots.slot(self._services.sleep, cost=call.cost, ending=not call.idempotent)

    def _log(self, call: _Call, signed: Mapping[str, str], answer: Answer, seconds: float) -> None:
        log = self._services.log
        if not log.isEnabledFor(logging.DEBUG):
            return
        headers = redact_headers({**call.headers, **signed})
        body = call.body.decode("utf-8", "replace") if isinstance(call.body, bytes) else urlencode(call.body or {})
        query = "&".join(f"{k}={v}" for k, v in call.params.items())
        log.debug(
            "%s %s?%s %s %s → %s in %d ms: %s",
            call.method, redact(call.url), redact(query), headers, redact(body[:2000]), answer.status,
            seconds * 1000, redact(answer.body[:2000].decode("utf-8", "replace")),
        )  # fmt: skip

    def _stop(self, state: RetryCallState) -> bool:
        problem = state.outcome.exception() if state.outcome else None
        wait = getattr(problem, "wait", None)
        if getattr(problem, "spread", False) or (wait is not None and wait > self._options.longest_wait):
            return True
        return stop_after_attempt(self._options.attempts)(state)

    def _wait(self, state: RetryCallState) -> float:
        asked = getattr(state.outcome.exception(), "wait", None) if state.outcome else None
        backoff = wait_random_exponential(multiplier=1, max=self._options.longest_wait)(state)
        return float(asked) if asked is not None else backoff

    def _note_retry(self, state: RetryCallState) -> None:
        self._count("retries")
        problem = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        self._services.log.info("%s; trying again in %.1f s", redact(str(problem)), pause)

    def _count(self, what: str) -> None:
        with self._lock:
            self.usage[what] += 1


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, as it is sent again and again."""

    method: str
    url: str
    params: Mapping[str, Any]
    body: bytes | Mapping[str, str] | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    idempotent: bool
    accept: frozenset[int]
    expect: Expect
    where: str
    auth: Auth | None = field(repr=False)
    cost: int = 1


def _signed(call: _Call) -> Signed:
    if call.auth is None:
        return Signed()
    path = urlsplit(call.url).path
    if not isinstance(call.auth, Signer):
        return Signed(call.auth.headers(call.method, path))
    body = call.body if isinstance(call.body, bytes) else urlencode(call.body or {}).encode()
    return call.auth.sign(Outgoing(call.method, path, urlencode(call.params, doseq=True), body))


def _ca_bundle() -> str | None:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
