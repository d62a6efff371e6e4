"""Change notifications: asking for them, and telling real ones from forged ones.

Zoho signs nothing; the token that it echoes is the only proof (API page "Notifications: enable"). A notification is a
hint to look at a record again, never data. Zoho may lose it, repeat it, or send it late: polling stays the truth.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import msgspec

from hub.connect.answers import decode
from hub.connect.services import Services
from hub.errors import AuthenticationError, RecordRejected, UnexpectedAnswer

from .api import ZohoApi, parse_time, utc_text

LIFE = timedelta(days=6)
"""A channel lives a week at most; one that asks for more silently gets an hour."""
TOKEN_LENGTH = 48


def subscribe(api: ZohoApi, services: Services, module: str, callback_url: str, secret: str) -> str:
    """Set up (or renew) the channel of one module; returns when it ends. Raises the errors of ``hub.errors``."""
    channel = channel_id(module, callback_url)
    wish: dict[str, Any] = {
        "channel_id": channel,
        "events": [f"{module}.all"],
        "notify_url": callback_url,
        "token": token_for(module, secret),
        "channel_expiry": (services.now() + LIFE).isoformat(timespec="seconds"),
        "return_affected_field_values": False,
        # Otherwise a change of any related record notifies too.
        "notify_on_related_action": False,
    }
    entry = api.watch(wish, renew=api.has_channel(channel))
    if entry.get("status") != "success":
        raise RecordRejected(
            f"{entry.get('code')}: {entry.get('message')}",
            code=str(entry.get("code")),
            where=api.place(module),
            cure="check that the callback address is public and https",
        )
    return utc_text(parse_time(entry["details"]["events"][0]["channel_expiry"]))


def unsubscribe(api: ZohoApi, module: str, callback_url: str) -> None:
    """End the channel of one module. Raises the errors of ``hub.errors``."""
    channel = channel_id(module, callback_url)
    if not api.has_channel(channel):
        return
    entry = api.unwatch(channel)
    if entry.get("status") != "success" and entry.get("code") != "NOT_SUBSCRIBED":
        raise RecordRejected(
            f"{entry.get('code')}: {entry.get('message')}", code=str(entry.get("code")), where=api.place(module)
        )


def hints(body: bytes, secret: str) -> list[tuple[str, str]]:
    """(module, id) of what a notification speaks of. Raises AuthenticationError when its token is not ours."""
    try:
        told = decode(body)
        module, ids, token = str(told["module"]), list(told["ids"]), str(told["token"])
    except (msgspec.DecodeError, KeyError, TypeError) as problem:
        raise UnexpectedAnswer("not a notification of Zoho CRM", where="webhook") from problem
    if not hmac.compare_digest(token.encode(), token_for(module, secret).encode()):
        raise AuthenticationError("a notification came with a wrong token", where="webhook")
    return [(module, str(id)) for id in ids]


def token_for(module: str, secret: str) -> str:
    """What Zoho echoes for a module: derived, so that the secret itself never leaves, and bound to the module."""
    return hmac.new(secret.encode(), module.encode(), hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def channel_id(module: str, callback_url: str) -> str:
    """A number that stays the same for a module and address, so that asking again renews and never doubles."""
    digest = hashlib.sha256(f"{module} {callback_url}".encode()).digest()
    return str(10**12 + int.from_bytes(digest[:5], "big"))
