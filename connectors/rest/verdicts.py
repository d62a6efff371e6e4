"""What an answer means: the manifest's rules first, then what HTTP statuses mean in general."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.connect.answers import CURE_BUSY, CURE_LATER, Answer
from hub.connect.http import Renew, Verdict
from hub.connect.redact import redact
from hub.connect.workflow import same
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    HubError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)

from .grammar_calls import ErrorRule
from .places import found, in_answer

WRITES = ("create", "update", "delete", "action")
_REFUSED = (400, 403, 405, 406, 409, 413, 415, 422, 423)
CURE_RIGHTS = "give the hub's user the right to do this"
CURE_CREDENTIALS = "check the credentials in hub.yaml"
Look = Callable[[str | None], Any]


def judged(
    answer: Answer, operation: str, rules: Iterable[ErrorRule], messages: list[str], *, renewable: bool
) -> Verdict:
    """The verdict on a whole answer; None where it is good, or the general rules know better."""

    def look(at: str | None) -> Any:
        return in_answer(answer, at)

    for rule in rules:
        if rule.status and answer.status not in rule.status:
            continue
        if (not rule.on or operation in rule.on) and fits(rule, look):
            if rule.raise_ == "ignore":
                return None
            told = said(look, [rule.message, *messages] if rule.message else messages) or answer.excerpt()
            return verdict(rule, look, told, answer.retry_after())
    return _general(answer, operation, look, messages, renewable)


def of_item(item: Any, rules: Iterable[ErrorRule], messages: list[str]) -> HubError | None:
    """The error that one record's result in a batch's answer stands for."""

    def look(at: str | None) -> Any:
        return found(item, at)

    for rule in rules:
        if fits(rule, look):
            told = said(look, [rule.message, *messages] if rule.message else messages) or "refused without a reason"
            made = verdict(rule, look, told, None)
            return made.error if isinstance(made, Renew) else made
    return None


def fits(rule: ErrorRule, look: Look) -> bool:
    """Whether the rule's place holds what it looks for."""
    if rule.at is None:
        return True
    value = look(rule.at)
    if rule.is_:
        return any(same(value, one) for one in rule.is_)
    if rule.not_:
        return value is not None and not any(same(value, one) for one in rule.not_)
    if rule.has is not None:
        return rule.has.casefold() in str(value if value is not None else "").casefold()
    return value not in (None, "", False, [], {})


def said(look: Look, places: Iterable[str | None]) -> str:
    """What the answer says, at the first place that says something."""
    for at in places:
        value = look(at)
        if value not in (None, "", [], {}):
            return redact(" ".join(str(value).split()))[:500]
    return ""


def verdict(rule: ErrorRule, look: Look, told: str, wait: float | None) -> Verdict:
    """The error that a rule stands for."""
    cure = rule.cure
    code = _text(look(rule.code))
    field = _text(look(rule.field))
    match rule.raise_:
        case "authentication":
            return AuthenticationError(told, cure=cure or CURE_CREDENTIALS)
        case "renew":
            return Renew(AuthenticationError(told, cure=cure or CURE_CREDENTIALS))
        case "rate_limit":
            return RateLimited(told, wait=_seconds(look(rule.wait), wait), cure=cure or CURE_BUSY)
        case "unavailable":
            return Unavailable(told, cure=cure or CURE_LATER)
        case "unknown_outcome":
            return UnknownOutcome(told, cure=cure)
        case "exists":
            return AlreadyExists(told, remote_id=_text(look(rule.id)), field=field, code=code, cure=cure)
        case "gone":
            return Gone(told, cure=cure)
        case "conflict":
            return VersionConflict(told, cure=cure)
        case "configuration":
            return ConfigurationError(told, cure=cure)
        case "unexpected":
            return UnexpectedAnswer(told, cure=cure)
    return RecordRejected(told, field=field, code=code, cure=cure)


def _general(answer: Answer, operation: str, look: Look, messages: list[str], renewable: bool) -> Verdict:
    status = answer.status
    if status < 400:
        return None
    told = said(look, messages) or answer.excerpt()
    if operation == "login" and status < 500 and status != 429:
        return AuthenticationError(f"the log-in is refused: {told}", cure=CURE_CREDENTIALS)
    if status == 401:
        refused = AuthenticationError(f"the system refuses our credentials: {told}", cure=CURE_CREDENTIALS)
        return Renew(refused) if renewable else refused
    if status == 404 and operation in ("get", "update", "delete", "action"):
        return Gone(f"the record is not there: {told}")
    if status == 412:
        return VersionConflict(f"the record moved on: {told}")
    if operation in WRITES and status in _REFUSED:
        return RecordRejected(f"status {status}: {told}", code=str(status), cure=CURE_RIGHTS if status == 403 else None)
    if status == 403:
        return AuthenticationError(f"we may not do this there: {told}", cure=CURE_RIGHTS)
    if status == 404:
        return ConfigurationError(f"there is nothing at this address: {told}", cure="check url and the resource's name")
    return UnexpectedAnswer(f"status {status}: {told}") if status < 429 else None


def _text(value: Any) -> str | None:
    return redact(str(value))[:200] if value not in (None, "", [], {}) else None


def _seconds(value: Any, otherwise: float | None) -> float | None:
    try:
        return float(value) if value is not None else otherwise
    except (TypeError, ValueError):
        return otherwise
