"""Who may come in: three log-in calls, header signatures, sessions (A3 of the vendor notes; decision table A3.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from hub.connect.sandbox import SandboxClock

IDLE = timedelta(minutes=20)
LOCK_AFTER = 5
LOCKED = timedelta(minutes=30)
LCIDS = ("2052", "1033", "3076")
_PAD = b"0054f397c6234378b09ca7d3e5debce7"
LOST = "会话信息已丢失，请重新登录"


@dataclass(frozen=True, slots=True)
class Account:
    """The one integration user and its authorised application."""

    acct_id: str
    username: str
    password: str = field(repr=False)
    app_id: str
    app_secret: str = field(repr=False)


class WrongDataCentre(Exception):
    """The account set of a signature does not exist: not even an envelope comes back."""


class StaleLink(Exception):
    """The time stamp is older than the authorisation's link-validity limit allows."""


@dataclass(slots=True)
class Session:
    id: str
    user: str | None
    """None: a cookie was given out, but nobody is logged in with it."""
    used: datetime


class Doorkeeper:
    """Sessions and their beginnings. Called under the store's lock."""

    def __init__(self, account: Account, clock: SandboxClock, *, link_minutes: float | None = None) -> None:
        self.account = account
        self._clock = clock
        self._link = timedelta(minutes=link_minutes) if link_minutes else None
        self._sessions: dict[str, Session] = {}
        self._failures = 0
        self._locked_until: datetime | None = None
        self.logins = 0
        """Log-in calls and signatures that made a session, refused ones too."""

    def expire_all(self) -> None:
        """Forget every session, as a recycled application pool does."""
        self._sessions.clear()

    def come_in(self, headers: Mapping[str, str], path: str) -> tuple[Session, bool]:
        """The session of a request, and whether it is new. A live one is taken whatever the signature says; otherwise
        a signature makes one; otherwise the session has no user. Raises WrongDataCentre and StaleLink."""
        session = self._live(session_id(headers))
        if session is not None:
            return session, False
        user = self._signed(headers, path) if "x-kd-appkey" in headers else None
        return self._open(user), True

    def _live(self, id: str) -> Session | None:
        session = self._sessions.get(id)
        if session is None or session.user is None:
            return None
        now = self._clock.now()
        if now - session.used > IDLE:
            del self._sessions[id]
            return None
        session.used = now
        return session

    def _open(self, user: str | None) -> Session:
        session = Session(str(uuid.uuid4()), user, self._clock.now())
        if user is not None:
            self._sessions[session.id] = session
        return session

    def _signed(self, headers: Mapping[str, str], path: str) -> str | None:
        self.logins += 1
        account = self.account
        try:
            data = base64.b64decode(headers.get("x-kd-appdata", ""), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        acct, user, lcid, *_ = [*data.split(","), "", "", ""]
        if acct != account.acct_id:
            raise WrongDataCentre
        app_id = headers.get("x-kd-appkey", "")
        if user != account.username or app_id != account.app_id or lcid not in LCIDS:
            return None
        if not _same(headers.get("x-kd-signature", ""), sign(account.app_secret, app_id + data)):
            return None
        stamp, nonce = headers.get("x-api-timestamp", ""), headers.get("x-api-nonce", "")
        text = f"POST\n{quote(path).replace('/', '%2F')}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{stamp}\n"
        if not _same(headers.get("x-api-signature", ""), sign(client_secret(app_id), text)):
            return None
        if self._link and abs(self._clock.now().timestamp() - float(stamp or 0)) > self._link.total_seconds():
            raise StaleLink
        return user

    def login(self, method: str, args: list[str]) -> tuple[Session | None, str]:
        """One of the log-in calls with its arguments in order; the session, or None and the message."""
        self.logins += 1
        if self._locked_until and self._clock.now() < self._locked_until:
            return None, "登录失败：密码错误次数超限，用户已被锁定，请30分钟后再试"
        problem = self._login_problem(method, args)
        if not problem:
            self._failures = 0
            return self._open(self.account.username), ""
        self._failures += 1
        if self._failures >= LOCK_AFTER:
            self._locked_until, self._failures = self._clock.now() + LOCKED, 0
        return None, problem

    def _login_problem(self, method: str, args: list[str]) -> str:
        account = self.account
        acct, user, rest = [*args, "", ""][0], [*args, "", ""][1], [*args[2:], "", "", ""]
        if acct != account.acct_id:
            return "数据中心不存在或已停用"
        if user != account.username:
            return "用户名或密码错误"
        if method == "validateuser":
            return "" if _same(rest[0], account.password) else "用户名或密码错误"
        if rest[0] != account.app_id:
            return "第三方系统登录授权不存在或已禁用"
        if method == "loginbyappsecret":
            return "" if _same(rest[1], account.app_secret) else "应用密钥不正确"
        wanted = sign_login(acct, user, rest[0], account.app_secret, rest[1])
        return "" if _same(rest[2], wanted) else "签名不匹配"


def session_id(headers: Mapping[str, str]) -> str:
    """The session a request names, in its header or cookie."""
    if headers.get("kdservice-sessionid"):
        return headers["kdservice-sessionid"]
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name.lower() == "kdservice-sessionid":
            return value.strip()
    return ""


def sign(key: str, text: str) -> str:
    """base64 of the lower-case hex of HMAC-SHA256."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()


def client_secret(app_id: str) -> str:
    """The HMAC key hidden in the app id's second part; empty when that is not 32 characters of base64."""
    parts = app_id.split("_")
    if len(parts) != 2 or len(parts[1]) != 32:
        return ""
    return base64.b64encode(bytes(a ^ b for a, b in zip(base64.b64decode(parts[1]), _PAD, strict=False))).decode()


def sign_login(*parts: str) -> str:
    """LoginBySign's signature: SHA-256 of the five strings in byte order."""
    return hashlib.sha256("".join(sorted(parts, key=str.encode)).encode()).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def login_answer(session: Session | None, message: str, account: Account) -> dict[str, Any]:
    """The body of an answer to a log-in call."""
    mismatch = "签名" in message
    context = None if session is None else {
        "UserLocale": "zh-CN", "SessionId": session.id, "UserId": 100123, "UserName": account.username,
        "CustomName": "沙盒有限公司", "DBid": account.acct_id, "DataCenterName": "沙盒账套", "DatabaseType": 3,
        "DisplayVersion": "8.2.0.0", "CurrentOrganizationInfo": {"ID": 1, "AcctOrgType": "1", "Name": "总公司"},
    }  # fmt: skip
    return {
        "Message": message or None, "MessageCode": "002005000003016" if mismatch else None,
        "LoginResultType": 1 if session else 0, "Context": context, "KDSVCSessionId": session.id if session else None,
        "FormId": None, "RedirectFormParam": None, "FormInputObject": None, "ErrorStackTrace": None, "Lcid": 2052,
        "AccessToken": None, "KdAccessResult": None, "IsSuccessByAPI": session is not None,
    }  # fmt: skip
