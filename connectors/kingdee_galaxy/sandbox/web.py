"""The WSGI face: paths, the four body shapes, sessions and cookies, and the many ways an answer can look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from hub.connect.sandbox import FAULT, Operation

from . import metadata
from .auth import LOST, Doorkeeper, Session, StaleLink, WrongDataCentre, login_answer
from .saving import Refusals
from .service import Service, refused
from .store import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/k3cloud/"
SUFFIX = ".common.kdsvc"
FORMS = "kingdee.bos.webapi.servicesstub.dynamicformservice"
LOGIN = "kingdee.bos.webapi.servicesstub.authservice"
CENTRES = "kingdee.bos.servicefacade.servicesstub.account.accountservice"
LOGINS = {
    "validateuser": ("acctid", "username", "password", "lcid"),
    "loginbyappsecret": ("acctid", "username", "appid", "appsecret", "lcid"),
    "loginbysign": ("acctid", "username", "appid", "timestamp", "sign", "lcid"),
}
WRITES = {"save", "batchsave", "draft", "submit", "audit", "unaudit", "cancelassign", "delete", "push"} | {
    "excuteoperation", "executeoperation",
}  # fmt: skip
READS = {"executebillquery", "billquery", "view", "querybusinessinfo", "queryasyncresult"}
DATA_ONLY = {"executebillquery", "billquery", "querybusinessinfo", "queryasyncresult"}
FAULT_KINDS = frozenset({"session_lost", "expire_sessions", "msgcode", "response_error", "bare_array", "context_null",
                         "not_logged_in", "partial_batch", "half_batch"})  # fmt: skip
"""Bad answers only this product gives; see README.md of the connector."""

BUSY = "系统繁忙，请稍后再试"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder()
Data = dict[str, Any]
JSON = "application/json; charset=utf-8"


class Web:
    """One WSGI application around one service."""

    def __init__(self, service: Service, keeper: Doorkeeper) -> None:
        self.service = service
        self.keeper = keeper

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {k[5:].replace("_", "-").lower(): str(v) for k, v in environ.items() if k.startswith("HTTP_")}
        body = environ["wsgi.input"].read()
        path = environ["PATH_INFO"].encode("latin-1").decode()
        with self.service.store.lock:
            status, content, cookies = self._answer(str(environ["REQUEST_METHOD"]), path, headers, body, environ)
        date = self.keeper._clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        raw = content.encode() if isinstance(content, str) else _ENCODER.encode(content)
        start_response(status, [("Content-Type", JSON), ("Date", date), *(("Set-Cookie", c) for c in cookies)])
        return [raw]

    def _answer(
        self, verb: str, path: str, headers: dict[str, str], body: bytes, environ: Any
    ) -> tuple[str, Any, list[str]]:
        service, method = split_path(path)
        if verb != "POST" or not service:
            return "404 Not Found", "The resource cannot be found.", []
        arguments = unpack(body, headers.get("content-type", "") or str(environ.get("CONTENT_TYPE", "")))
        if service == CENTRES and method == "getdatacenterlist":
            return "200 OK", metadata.data_centres(self.keeper.account), []
        if service == LOGIN and method in LOGINS:
            return self._login(method, arguments)
        if service not in (FORMS, LOGIN, CENTRES):
            return "200 OK", self._text(f"{path_name(path).rpartition('.')[0]} no found."), []
        fault = environ.get(FAULT) or {}
        if fault.get("kind") == "expire_sessions":
            self.keeper.expire_all()
        try:
            session, new = self.keeper.come_in(headers, path)
        except WrongDataCentre:
            return "500 Internal Server Error", "Fail to verify thirty passport", []
        except StaleLink:
            return "200 OK", wrapped(method, refused([Refusal("时间戳验证失败，请求链接已失效", code=4)])), []
        cookies = _cookies(session) if new else []
        if session.user is None or fault.get("kind") == "session_lost":
            return "200 OK", wrapped(method, refused([Refusal(LOST, code=1)])), cookies
        if fault and fault.get("kind") not in ("expire_sessions", "partial_batch", "half_batch"):
            return *self._bad(method, fault), cookies
        return "200 OK", self._carry_out(method, path, arguments, session.user, fault), cookies

    def _login(self, method: str, arguments: Data) -> tuple[str, Any, list[str]]:
        names = LOGINS[method]
        if "parameters" in arguments:
            args = [str(a) for a in arguments["parameters"]]
        else:
            lower = {k.lower(): v for k, v in arguments.items()}
            args = [str(lower.get(n, "")) for n in names]
        session, message = self.keeper.login(method, args)
        return "200 OK", login_answer(session, message, self.keeper.account), _cookies(session) if session else []

    def _carry_out(self, method: str, path: str, arguments: Data, user: str, fault: Data) -> Any:
        try:
            form, operation, data = named(method, arguments)
            if "querymethod" in {k.lower() for k in arguments}:
                return self.service.poll(method, form, data, user)
            if fault.get("kind") == "partial_batch" and isinstance(data.get("Model"), list):
                data = {**data, "Model": data["Model"][: max(1, len(data["Model"]) // 2)]}
            message = str(fault.get("message") or BUSY) if fault.get("kind") == "half_batch" else ""
            with self.service.refusing(message):
                return self.service.call(method, form, operation, data, user)
        except KeyError:
            return self._text(f"{path_name(path)} no found.")
        except Refusals as problem:
            return wrapped(method, refused(problem.items))
        except Refusal as problem:
            return wrapped(method, refused([problem]))

    def _text(self, message: str) -> str:
        """How unhandled exceptions come out: plain text."""
        time = self.service.store.now()[:19].replace("T", " ")
        return f"response_error:发生时间：\t{time}\r\n错误编号：\t{'0' * 32}\r\n错误信息：\t{message}"

    def _bad(self, method: str, fault: Data) -> tuple[str, Any]:
        kind, message = str(fault["kind"]), str(fault.get("message") or BUSY)
        if kind == "response_error":
            return "200 OK", self._text(message)
        if kind == "bare_array":
            return "200 OK", [{"FieldName": fault.get("field"), "Message": message, "DIndex": 0}]
        if kind == "context_null":
            return "200 OK", self._text("ctx == null")
        if kind == "not_logged_in":
            return "403 Forbidden", "ByRspRetStatusCode -- N001"
        answer = refused([Refusal(message, code=int(fault.get("code", 13)))])
        depth = fault.get("depth")
        for _ in range(int(depth) if depth is not None else 0):
            answer = [answer]  # type: ignore[assignment]
        return "200 OK", answer if depth is not None else wrapped(method, answer)


def path_name(path: str) -> str:
    """``Namespace.Class.Method`` of a path, as sent."""
    at = path.lower().rfind(PREFIX)
    name = path[at + len(PREFIX) :] if at >= 0 else ""
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else ""


def split_path(path: str) -> tuple[str, str]:
    """(service, method) in lower case; empty when the path is no service call."""
    service, _, method = path_name(path).lower().rpartition(".")
    return service, method


def unpack(body: bytes, content_type: str) -> Data:
    """The arguments in any of the shapes clients send; {} for nonsense."""
    if "form-urlencoded" in content_type:
        return {k: v[-1] for k, v in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}
    try:
        found = _DECODER.decode(body) if body.strip() else {}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def named(method: str, arguments: Data) -> tuple[str, str, Data]:
    """(form, operation number, data) of the arguments; ``data`` may be a JSON text. Raises Refusal."""
    lower = {k.lower(): v for k, v in arguments.items()}
    if isinstance(lower.get("parameters"), list):
        values = list(lower["parameters"])
        form = "" if method in DATA_ONLY else str(values.pop(0) if values else "")
        operation = str(values.pop(0)) if method.endswith("uteoperation") and values else ""
        data = values[0] if values else {}
    else:
        form, operation = str(lower.get("formid") or ""), str(lower.get("opnumber") or "")
        data = lower.get("queryinfo", lower.get("data", {}))
    if isinstance(data, str):
        try:
            data = _DECODER.decode(data.encode()) if data.strip() else {}
        except msgspec.MsgspecError:
            raise Refusal("参数data不是有效的JSON", code=8) from None
    if not isinstance(data, dict):
        raise Refusal("参数data的格式不正确", code=8)
    return form, operation, data


def wrapped(method: str, answer: Any) -> Any:
    """ExecuteBillQuery puts its failures inside two arrays."""
    return [[answer]] if method == "executebillquery" else answer


def rows_of(operation: str, content: Any) -> list[Any] | None:
    """The rows in the answer of a query that begins with the inner id."""
    if not operation.startswith("ExecuteBillQuery") or not isinstance(content, list):
        return None
    good = content and all(isinstance(row, list) and row and isinstance(row[0], int) for row in content)
    return content if good else None


def _cookies(session: Session) -> list[str]:
    return [f"ASP.NET_SessionId={session.id[:24]}; path=/; HttpOnly", f"kdservice-sessionid={session.id}; path=/"]


def operation_of(path: str, body: bytes) -> Operation:
    """What a request asks for: ``"Save SAL_SaleOrder"``."""
    _, method = split_path(path)
    if not method:
        return Operation("unknown")
    kind: Callable[[str], Any] = lambda m: "write" if m in WRITES else "read" if m in READS else "other"  # noqa: E731
    try:
        form, _, data = named(method, unpack(body, "" if body[:1] in (b"{", b"") else "form-urlencoded"))
        form = form or str(next((v for k, v in data.items() if k.lower() == "formid"), ""))
    except (Refusal, UnicodeDecodeError):
        form = ""
    name = path_name(path).rpartition(".")[2]
    return Operation(f"{name} {form}".strip(), kind(method))
