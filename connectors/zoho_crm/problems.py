"""The vendor's error codes, sorted into the hub's errors (API pages "Status codes", and each call's own list)."""

from __future__ import annotations

import re
from typing import Any

from hub.connect.answers import CURE_BUSY, Answer
from hub.connect.http import Renew, Verdict
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    HubError,
    RateLimited,
    RecordRejected,
    VersionConflict,
)

Entry = dict[str, Any]
_RATE = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"})
_PERMISSION = frozenset({"NO_PERMISSION", "AUTHORIZATION_FAILED", "OAUTH_SCOPE_MISMATCH", "AUTHENTICATION_FAILURE"})
_CURES = {
    "RECORD_LOCKED": "unlock the record in Zoho CRM",
    "NOT_APPROVED": "approve the record in Zoho CRM, then replay",
    "NOT_REVIEWED": "review the record in Zoho CRM, then replay",
    "RECORD_IN_BLUEPRINT": "finish its blueprint step, or take the field out of the mapping",
    "MANDATORY_NOT_FOUND": "map the field, or give it a constant or default",
    "STORAGE_SPACE_EXCEEDED": "free storage in the org",
}
_PLACE = re.compile(r"^\$\.data\[\d+\]\.?")


def classify(answer: Answer) -> Verdict:
    """Whole requests that were refused; None for what the caller or the general rules look at."""
    if answer.status < 400 or not answer.body:
        return None
    body = answer.json_or_none()
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return None
    message = str(body.get("message") or "")
    if code == "INVALID_TOKEN":
        # Ended, revoked, garbage or of another data centre: a new one is tried once.
        return Renew(
            AuthenticationError(
                "the API does not take a token it has just been given",
                cure="check that data_center (or accounts_url) is the one of this org",
            )
        )
    if code in _RATE:
        return RateLimited(f"{code}: {message}", wait=answer.retry_after(), cure=CURE_BUSY)
    if code in _PERMISSION:
        needs = body.get("details", {}).get("permissions") if isinstance(body.get("details"), dict) else None
        cure = (
            f"give the hub's user {', '.join(map(str, needs))}" if needs else "check the token's scopes and the profile"
        )
        return AuthenticationError(f"{code}: {message}", cure=cure)
    if code == "INVALID_MODULE":
        return ConfigurationError(
            f"{code}: {message}", cure="check the resource's name, and that the hub's user may see that tab"
        )
    if code == "INVALID_URL_PATTERN":
        return ConfigurationError(f"{code}: {message}", cure="check api_url")
    return None


def request_code(answer: Answer) -> str | None:
    """The code of a refused request, None for a good answer."""
    body = answer.json_or_none() if answer.status >= 400 else None
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) else None


def record_error(entry: Entry, where: str) -> HubError:
    """The error that one record's entry in a write's answer stands for."""
    entries = _flat(entry)
    first = entries[0]
    code = str(first.get("code") or "UNKNOWN")
    details = first.get("details") or {}
    field = _field(details)
    what = "; ".join(_say(one) for one in entries)
    if code == "ALREADY_MODIFIED":
        return VersionConflict("the record was changed since it was last seen", where=where)
    if code == "INVALID_DATA" and field == "id":
        return Gone("there is no record of this id", where=where)
    if code == "DUPLICATE_DATA":
        held = str(details["id"]) if details.get("id") else None
        return AlreadyExists(what, remote_id=held, field=field, code=code, where=where)
    return RecordRejected(what, field=field, code=code, where=where, cure=_CURES.get(code))


def duplicate_of(entry: Entry, key_field: str | None = None) -> str | None:
    """Id of the record that holds a unique value this entry wanted (in ``key_field``, if given)."""
    for one in _flat(entry):
        details = one.get("details") or {}
        if one.get("code") == "DUPLICATE_DATA" and details.get("id") and key_field in (None, details.get("api_name")):
            return str(details["id"])
    return None


def _flat(entry: Entry) -> list[Entry]:
    if entry.get("code") == "MULTIPLE_OR_MULTI_ERRORS":
        inner = (entry.get("details") or {}).get("errors")
        if inner:
            return list(inner)
    return [entry]


def _field(details: dict[str, Any]) -> str | None:
    """The field's path inside the record: ``Ordered_Items[1].Quantity``."""
    path = _PLACE.sub("", str(details.get("json_path") or ""))
    return path or (str(details["api_name"]) if details.get("api_name") else None)


def _say(entry: Entry) -> str:
    details = entry.get("details") or {}
    more = [
        f"{name.replace('_', ' ')} {details[name]}"
        for name in ("expected_data_type", "maximum_length", "supported_values")
        if details.get(name)
    ]
    field = _field(details)
    text = f"{entry.get('code')}: {entry.get('message')}" + (f" ({', '.join(more)})" if more else "")
    return f"{field}: {text}" if field else text
