"""The hub's own notification, and the keys that prove notifications real.

Products that can't tell anybody of a change can often run a few lines of somebody's: a form plugin of an ERP, a trigger
with a script, an automation of an OA. Those lines post::

    {"resource": "BD_Customer", "ids": ["100123"]}

(or a list of such objects) with the header ``X-Hub-Signature: sha256=<HMAC-SHA256 of the body, hex>``, made with the
system's key. Such a message is taken from every system, whatever else its connector understands. Sending one twice, or
an old one again, does no harm: it is a hint to look at a record once more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

import msgspec

from hub.errors import AuthenticationError, UnexpectedAnswer

HEADER = "x-hub-signature"
PREFIX = "sha256="
KEY_LENGTH = 48
"""Characters. The vendors allow 50 at most (Zoho CRM's ``token``)."""


def key_of(secret: str, system: str) -> str:
    """A system's own key, so that no system can speak for another, and the secret itself is given to none."""
    return hmac.new(secret.encode(), f"webhook {system}".encode(), hashlib.sha256).hexdigest()[:KEY_LENGTH]


def sign(body: bytes, key: str) -> str:
    """What the header ``X-Hub-Signature`` of a message says."""
    return PREFIX + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def written(resource: str, ids: Iterable[str]) -> bytes:
    """A message that tells of these records."""
    return msgspec.json.encode({"resource": resource, "ids": list(ids)})


class _Told(msgspec.Struct, forbid_unknown_fields=False):
    resource: str
    ids: list[str | int]


def read(headers: Mapping[str, str], body: bytes, key: str) -> list[tuple[str, str]] | None:
    """(resource, id) of what a message of the hub's own kind speaks of; None when it is none. ``headers`` have names in
    lower case. Raises AuthenticationError when it is forged, UnexpectedAnswer when it can't be understood."""
    given = headers.get(HEADER)
    if given is None:
        return None
    if not hmac.compare_digest(given.encode(), sign(body, key).encode()):
        raise AuthenticationError("a notification came with a wrong signature", where="webhook")
    try:
        told = msgspec.json.decode(body, type=_Told | list[_Told])  # type: ignore[arg-type]
    except msgspec.DecodeError as problem:
        cure = 'send {"resource": "…", "ids": ["…"]}'
        raise UnexpectedAnswer(f"a notification can't be understood: {problem}", where="webhook", cure=cure) from None
    entries = told if isinstance(told, list) else [told]
    return [(entry.resource, str(id)) for entry in entries for id in entry.ids]
