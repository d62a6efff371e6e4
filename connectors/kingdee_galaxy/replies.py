"""What Galaxy's answers mean: HTTP 200 says nothing about success, and failures come in seven shapes (A4).

| shape                                                    | where it is recognised       |
|----------------------------------------------------------|------------------------------|
| envelope ``{"Result": {"ResponseStatus": …}}``               | ``status_of``                 |
| the envelope inside one or two arrays (queries)             | ``status_of``                 |
| a bare array of ``{FieldName, Message, DIndex}``            | ``status_of``                 |
| plain text ``response_error:…``                              | ``classify``                  |
| HTTP 401, 403 ``ByRspRetStatusCode -- N001``                  | ``classify``                  |
| an HTML page, broken JSON, nothing at all                  | the HTTP toolkit              |
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from hub.connect.answers import Answer
from hub.connect.http import Renew, Verdict
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    HubError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

LOST = re.compile(r"会话信息已丢失|Session information is lost|ctx\s*==\s*null|未登录", re.IGNORECASE)
MISSING_FIELD = re.compile(r"标识为(\S+?)的字段不存在|列名\s*'([^']+)'\s*无效")
_UNKNOWN_FORM = re.compile(r"业务对象.{0,3}不存在")
_DUPLICATE = re.compile(r"重复|唯一性|已存在相同")
_STALE = re.compile(r"已被其他用户修改|已经被修改")
_BUSY = re.compile(r"死锁|deadlock|超时|timeout|网控|网络控制|正在被.{0,20}(编辑|操作|占用)", re.IGNORECASE)
_CURES = (
    (re.compile("未审核|禁用|不存在"), "audit or enable what it refers to in Kingdee, then replay"),
    (re.compile("必填|必录"), "map the field, or give it under write: defaults: in the mapping"),
    (re.compile("长度"), "shorten it, or cut it in the mapping"),
)
_TAGS = re.compile(r"<[^>]{1,200}>")
CURE_LOGIN = "check acct_id, username, app_id and app_secret, and 系统管理 → 第三方系统登录授权 in Kingdee"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One entry of ``Errors``. ``index`` is the place in the input."""

    message: str
    field: str | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """One entry of ``SuccessEntitys``."""

    index: int
    id: str
    number: str


@dataclass(frozen=True, slots=True)
class Status:
    """A ResponseStatus, read leniently."""

    ok: bool
    code: int = 0
    errors: tuple[Trouble, ...] = ()
    done: tuple[Done, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """All messages in one line."""
        return "; ".join(dict.fromkeys(e.message for e in self.errors)) or f"MsgCode {self.code} without a message"


def status_of(data: Any) -> Status | None:
    """The status in an answer's JSON; None when it is something else, such as the rows of a query."""
    while isinstance(data, list) and len(data) == 1 and isinstance(data[0], (list, dict)):
        data = data[0]
    if isinstance(data, list):
        return _bare(data)
    if not isinstance(data, dict):
        return None
    if "Result" not in data:
        return _bare([data])
    result = data["Result"] if isinstance(data["Result"], dict) else {}
    found = result.get("ResponseStatus")
    if not isinstance(found, dict):
        return None
    converted = result.get("ConvertResponseStatus")
    errors = _troubles(found.get("Errors")) + (
        _troubles(converted.get("Errors")) if isinstance(converted, dict) else ()
    )
    refused = isinstance(converted, dict) and not _true(converted.get("IsSuccess"))
    return Status(
        ok=_true(found.get("IsSuccess")) and not refused,
        code=_whole(found.get("MsgCode")),
        errors=errors,
        done=tuple(
            Done(_whole(e.get("DIndex")), str(e.get("Id") or ""), str(e.get("Number") or ""))
            for e in found.get("SuccessEntitys") or [] if isinstance(e, dict)
        ),
        result=result,
    )  # fmt: skip


def _bare(data: list[Any]) -> Status | None:
    if data and all(isinstance(e, dict) and {"FieldName", "Message"} <= set(e) for e in data):
        return Status(ok=False, code=11, errors=_troubles(data))
    return None


def _troubles(found: Any) -> tuple[Trouble, ...]:
    items = [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []
    return tuple(Trouble(clean(e.get("Message")), e.get("FieldName") or None, _whole(e.get("DIndex"))) for e in items)


def clean(message: Any) -> str:
    """A message without HTML and line ends."""
    return " ".join(html.unescape(_TAGS.sub(" ", str(message or ""))).split())


def _true(value: Any) -> bool:
    # The official templates show "IsSuccess": "false", a string.
    return str(value).strip().lower() == "true"


def _whole(value: Any) -> int:
    text = str(value if value is not None else 0).strip()
    return int(text) if text.lstrip("-").isdigit() else 0


def classify(answer: Answer) -> Verdict:
    """The verdict on a whole answer; what concerns single records is left to the caller."""
    head = answer.body[:400].decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if answer.status in (401, 403):
        return Renew(AuthenticationError(f"Kingdee refuses us (HTTP {answer.status})", cure=CURE_LOGIN))
    if re.search(r"verify\s*thirty\s*passport", head, re.IGNORECASE):
        return AuthenticationError("Kingdee knows no such data centre or authorisation", cure=CURE_LOGIN)
    if head.startswith("response_error:"):
        return _text_answer(answer, clean(answer.body.decode("utf-8", "replace")[len("response_error:") :]))
    if head.startswith(("[", "{")) and answer.status < 500:
        status = status_of(answer.json_or_none())
        return None if status is None or status.ok else _whole_failure(status, answer)
    return None


def _text_answer(answer: Answer, text: str) -> Verdict:
    message = text.partition("错误信息：")[2].strip() or text
    if LOST.search(text):
        return Renew(AuthenticationError(f"Kingdee lost our session: {message}", cure=CURE_LOGIN))
    if message.endswith("no found."):
        return ConfigurationError(f"this Galaxy server has no such service: {message}", cure="its patch may be too old")
    if answer.idempotent:
        return Unavailable(f"Kingdee failed: {message[:300]}")
    return UnknownOutcome(f"Kingdee failed while writing: {message[:300]}")


def _whole_failure(status: Status, answer: Answer) -> Verdict:
    """Codes that concern the call, not a record (A4's table)."""
    text = status.text()
    if status.code == 1 or LOST.search(text):
        return Renew(AuthenticationError(f"Kingdee lost our session: {text}", cure=CURE_LOGIN))
    if status.code == 14:
        return RateLimited(f"Kingdee's call limit is reached: {text}", cure="ask Kingdee for a larger contract")
    if status.code == 2:
        return ConfigurationError(
            f"the integration user has no permission: {text}", cure="give it the right in Kingdee"
        )
    if status.code == 7:
        return AuthenticationError(
            f"Kingdee's licence does not allow this: {text}", cure="tell Kingdee's administrator"
        )
    if status.code == 15:
        return ConfigurationError(f"Kingdee refuses the administrator: {text}", cure="use an integration user")
    if "时间戳验证失败" in text:
        return AuthenticationError(f"Kingdee finds our clock wrong: {text}", cure="set this machine's clock")
    if answer.idempotent and (_BUSY.search(text) or status.code in (6, 13)):
        return Unavailable(f"Kingdee is busy: {text}")
    return None


def call_error(status: Status, where: str) -> HubError:
    """A failed call that is no record's fault: a query, or a packet that Kingdee could not read."""
    text = status.text()
    if _UNKNOWN_FORM.search(text):
        return ConfigurationError(f"Kingdee has no such form: {text}", where=where, cure="check the resource's name")
    return ConfigurationError(f"Kingdee refuses the call: {text}", where=where, cure="check the names in the mapping")


def record_error(troubles: list[Trouble], code: int, where: str) -> HubError:
    """What is wrong with one record."""
    text = "; ".join(dict.fromkeys(t.message for t in troubles)) or f"MsgCode {code} without a message"
    field = next((t.field for t in troubles if t.field), None)
    if _DUPLICATE.search(text):
        return AlreadyExists(text, field=field, code=str(code), where=where)
    if _STALE.search(text):
        return VersionConflict(text, where=where)
    if code == 13 or _BUSY.search(text):
        return Unavailable(text, where=where, cure="somebody has the record open in Kingdee; it is tried again")
    if code == 10:
        return Gone(text, where=where)
    cure = next((cure for pattern, cure in _CURES if pattern.search(text)), None)
    return RecordRejected(text, field=field, code=str(code), where=where, cure=cure)


def missing_field(text: str) -> str | None:
    """The field that a query's complaint says does not exist."""
    found = MISSING_FIELD.search(text)
    return (found[1] or found[2]) if found else None
