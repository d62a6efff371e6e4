"""Calls to one account set: paths, sessions, the envelope, a log-in that is never hammered."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connect.answers import Answer
from hub.connect.budget import budget_of
from hub.connect.http import Http, HttpOptions, Verdict
from hub.connect.redact import remember
from hub.connect.services import Services
from hub.errors import AuthenticationError, HubError, UnexpectedAnswer

from .auth import GalaxyAuth, login_signature
from .replies import CURE_LOGIN, Status, call_error, classify, status_of
from .settings import Settings

FORMS = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
LOGIN = "Kingdee.BOS.WebApi.ServicesStub.AuthService.LoginBySign"
CENTRES = "Kingdee.BOS.ServiceFacade.ServicesStub.Account.AccountService.GetDataCenterList"
REMEMBER_REFUSAL = 60.0
REMEMBER_LOCKOUT = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer of a query."""

    rows: list[list[Any]]
    server_time: datetime | None
    """What the server's HTTP clock said."""


class Client:
    """Thread-safe. ``usage`` counts calls by operation."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.system = services.system
        self._services = services
        self._settings = settings
        self.auth = GalaxyAuth(settings, services, self._login)
        self.usage: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._refusal_key = f"{services.system}/{self.auth.account}/refusal"
        self.http = Http(
            settings.url,
            services,
            auth=self.auth,
            classify=self._classify,
            budget=budget_of(
                self.auth.account,
                per_second=settings.calls_per_second,
                at_once=settings.sessions + 1,
                per_day=settings.calls_per_day,
                day=settings.time_zone,
            ),
            options=HttpOptions(
                verify=settings.verify, read_timeout=settings.timeout, headers={"Accept-Charset": "utf-8"}
            ),
        )

    def query(self, data: dict[str, Any], where: str) -> Rows | Status:
        """ExecuteBillQuery; a Status when it failed for a reason of its own."""
        answer = self._post(f"{FORMS}.ExecuteBillQuery", {"data": data}, True, where)
        found = answer.json()
        status = status_of(found)
        if status is not None:
            return status
        if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
            raise UnexpectedAnswer("a query's answer is no table", where=where)
        return Rows(found, answer.server_time())

    def write(self, method: str, form: str, data: dict[str, Any], where: str, operation: str = "") -> Status:
        """Save, BatchSave, Submit …: never repeated, except after a lost session (then it never ran: A3.4)."""
        body = {"formid": form, **({"opNumber": operation} if operation else {}), "data": data}
        answer = self._post(f"{FORMS}.{method}", body, False, where)
        status = status_of(answer.json())
        if status is None:
            raise UnexpectedAnswer(f"the answer to {method} has no ResponseStatus", where=where)
        return status

    def business_info(self, form: str) -> dict[str, Any]:
        """QueryBusinessInfo: the form's metadata. Raises ConfigurationError for a form that is not there."""
        answer = self._post(f"{FORMS}.QueryBusinessInfo", {"data": {"FormId": form}}, True, form)
        status = status_of(answer.json())
        if status is None:
            raise UnexpectedAnswer("the answer to QueryBusinessInfo has no ResponseStatus", where=form)
        if not status.ok:
            raise call_error(status, f"{self._services.system}/{form}")
        found = status.result.get("NeedReturnData")
        return found if isinstance(found, dict) else {}

    def data_centre(self) -> dict[str, Any]:
        """Our data centre as the server lists it; empty when it doesn't. Needs no log-in."""
        found = self._post(CENTRES, {}, True, "data centres", auth=False).json_or_none()
        centres = found if isinstance(found, list) else []
        return next((c for c in centres if isinstance(c, dict) and c.get("Id") == self._settings.acct_id), {})

    def close(self) -> None:
        self.http.close()

    def _post(self, service: str, body: dict[str, Any], idempotent: bool, where: str, auth: bool = True) -> Answer:
        refusal = self._services.cache.get(self._refusal_key)
        if refusal and auth:
            raise AuthenticationError(refusal, where=self._services.system, cure=f"{CURE_LOGIN}; not tried again yet")
        with self._lock:
            self.usage[service.rpartition(".")[2]] += 1
        try:
            with self.auth.session():
                return self.http.post(
                    f"{service}.common.kdsvc", json=body, idempotent=idempotent, auth=auth,
                    where=f"{self._services.system}/{where}",
                )  # fmt: skip
        except AuthenticationError as problem:
            # Five wrong log-ins lock the user for half an hour: remember the answer instead of asking again.
            locked = "次数超限" in problem.what or "锁定" in problem.what
            self._services.cache.set(self._refusal_key, problem.what, REMEMBER_LOCKOUT if locked else REMEMBER_REFUSAL)
            raise AuthenticationError(problem.what, where=self._services.system, cure=problem.cure) from None
        except HubError as problem:
            problem.where = problem.where or f"{self._services.system}/{where}"
            raise

    def _classify(self, answer: Answer) -> Verdict:
        verdict = classify(answer)
        if verdict is None and answer.status < 300:
            self.auth.learn(answer.headers)
        return verdict

    def _login(self) -> str:
        settings, stamp = self._settings, str(int(self._services.now().timestamp()))
        secret = settings.app_secret.get_secret_value()
        signed = login_signature(settings.acct_id, settings.username, settings.app_id, secret, stamp)
        parameters = [settings.acct_id, settings.username, settings.app_id, stamp, signed, settings.lcid]
        with self._lock:
            self.usage["LoginBySign"] += 1
        answer = self.http.post(
            f"{LOGIN}.common.kdsvc", json={"parameters": parameters}, auth=False, idempotent=False,
            headers={"Cookie": "Theme=standard"}, where=f"{self._services.system}/login",
        )  # fmt: skip
        found = answer.json()
        found = found if isinstance(found, dict) else {}
        if str(found.get("LoginResultType")) != "1":
            message = found.get("Message") or f"LoginResultType {found.get('LoginResultType')}"
            raise AuthenticationError(f"Kingdee refuses the log-in: {message}", cure=CURE_LOGIN)
        session = str(found.get("KDSVCSessionId") or "")
        remember(session)
        return session
