"""Logging in: request signatures or LoginBySign, and the few sessions that calls share.

A Galaxy session handles its requests one after another (A3.4), so parallel calls take different sessions, each held by
one call at a time. Session ids are kept in the hub's cache: a new process goes on with them instead of logging in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from hub.connect.redact import remember
from hub.connect.services import Services
from hub.connect.tokens import Token, Tokens, fingerprint

from .settings import Settings

_PAD = b"0054f397c6234378b09ca7d3e5debce7"
_CLIENT_PART = 32
IDLE = 18 * 60.0
"""A session idles out after 20 minutes by default, sliding (A3.4)."""
_SET_COOKIE = re.compile(r"kdservice-sessionid=([^;,\s]+)", re.IGNORECASE)


def sign(key: str, text: str) -> str:
    """base64 of the lower-case hex (not the bytes) of HMAC-SHA256 (A3.2)."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()


def client_secret(app_id: str) -> str:
    """The gateway's HMAC key, hidden in the app id's second part; empty when that has not its 32 characters."""
    parts = app_id.split("_")
    if len(parts) != 2 or len(parts[1]) != _CLIENT_PART:
        return ""
    try:
        raw = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        return ""
    return base64.b64encode(bytes(a ^ b for a, b in zip(raw, _PAD, strict=False))).decode()


def login_signature(acct_id: str, username: str, app_id: str, app_secret: str, timestamp: str) -> str:
    """The sign of LoginBySign: SHA-256 over the five strings in byte order (A3.1)."""
    parts = sorted((acct_id, username, app_id, app_secret, timestamp), key=str.encode)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def signature_headers(settings: Settings, path: str, timestamp: int) -> dict[str, str]:
    """The headers of one signed request. ``path`` is the URL's path; ``timestamp`` in seconds."""
    app_id, stamp = settings.app_id, str(timestamp)
    parts = app_id.split("_")
    identity = f"{settings.acct_id},{settings.username},{settings.lcid},{settings.org_number or 0}"
    text = f"POST\n{quote(path).replace('/', '%2F')}\n\nx-api-nonce:{stamp}\nx-api-timestamp:{stamp}\n"
    return {
        "X-Api-ClientID": parts[0] if len(parts) == 2 else "",
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": stamp,
        "x-api-nonce": stamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": sign(client_secret(app_id), text),
        "X-Kd-Appkey": app_id,
        "X-Kd-Appdata": base64.b64encode(identity.encode()).decode(),
        "X-Kd-Signature": sign(settings.app_secret.get_secret_value(), app_id + identity),
    }


@dataclass(slots=True)
class Slot:
    """One session's place. ``id`` is empty before its first call."""

    key: str
    id: str = ""


class GalaxyAuth:
    """Puts signature or session on requests (``hub.connect.http.Auth``)."""

    def __init__(self, settings: Settings, services: Services, login: Callable[[], str]) -> None:
        self._settings = settings
        self._services = services
        self._held = threading.local()
        secret = settings.app_secret.get_secret_value()
        remember(secret)
        self.account = "kingdee/" + fingerprint(
            settings.url, settings.acct_id, settings.username, settings.app_id, secret, str(settings.lcid)
        )
        self._free: queue.LifoQueue[Slot] = queue.LifoQueue()
        self._tokens: dict[str, Tokens] = {}
        for number in reversed(range(settings.sessions)):
            slot = Slot(f"{services.system}/{self.account}/session{number}")
            self._free.put(slot)
            self._tokens[slot.key] = Tokens(services.cache, slot.key, lambda: Token(login(), IDLE), margin=0)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold one session for the calls of this thread; waits while all are in use."""
        slot = self._free.get()
        self._held.slot = slot
        try:
            yield
        finally:
            self._held.slot = None
            self._free.put(slot)

    def headers(self, method: str, path: str) -> dict[str, str]:
        slot: Slot = self._held.slot
        if self._settings.auth == "session":
            slot.id = self._tokens[slot.key].get()
            return _session_headers(slot.id)
        slot.id = slot.id or self._services.cache.get(slot.key) or ""
        signed = signature_headers(self._settings, path, int(self._services.now().timestamp()))
        return {**signed, **_session_headers(slot.id)}

    def refused(self, headers: dict[str, str]) -> None:
        slot: Slot = self._held.slot
        if self._settings.auth == "session":
            self._tokens[slot.key].refused(headers.get("kdservice-sessionid", ""))
        elif self._services.cache.get(slot.key) == slot.id:
            self._services.cache.set(slot.key, "", 0)
        slot.id = ""

    def learn(self, headers: Mapping[str, str]) -> None:
        """Keep the session that an accepted answer handed out, and note that it is in use."""
        slot: Slot | None = getattr(self._held, "slot", None)
        if slot is None:
            return
        found = _SET_COOKIE.search(headers.get("Set-Cookie") or "")
        if found and found[1] != slot.id:
            slot.id = found[1]
            remember(slot.id)
            self._services.cache.set(slot.key, slot.id, IDLE)


def _session_headers(id: str) -> dict[str, str]:
    # The cookie is always our own: the HTTP session's jar knows nothing of which call holds which session.
    if not id:
        return {"Cookie": "Theme=standard"}
    return {"kdservice-sessionid": id, "Cookie": f"Theme=standard; kdservice-sessionid={id}"}
