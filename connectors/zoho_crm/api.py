"""The API's calls, one method each: addresses, parameters, headers and credits; no decisions."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.connect.answers import Answer
from hub.connect.budget import budget_of
from hub.connect.capabilities import Record
from hub.connect.http import Http, HttpOptions
from hub.connect.services import Services
from hub.errors import HubError, UnexpectedAnswer, UnknownOutcome

from .auth import ZohoAuth
from .problems import classify, request_code
from .settings import Settings

BASE = "/crm/v8"
BULK = "/crm/bulk/v8/read"
JOB_CREDITS = 50


@dataclass(slots=True)
class Rows:
    """One page of a list."""

    data: list[Record]
    token: str | None
    more: bool
    server_time: datetime | None
    code: str | None = None
    """The vendor's code, when the call was refused for its page token."""


@dataclass(slots=True)
class Written:
    """The answer to a write: an entry a record, in order; ``stale`` when the whole batch was refused by 412."""

    entries: list[Record]
    stale: bool = False


class ZohoApi:
    """Thread-safe. The API's host is learnt from the first token, so nothing is called before it is needed."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self.auth = ZohoAuth(settings, services)
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._counted: Counter[str] = Counter()
        # Credits and calls at once are counted by org; the credentials are the nearest we know of it.
        self._budget = budget_of(
            f"zoho_crm:{self.auth.account}",
            per_second=settings.calls_per_second,
            at_once=settings.calls_at_once,
            per_day=settings.credits_per_day,
            unit="credits",
        )
        if services.quota is not None:
            services.quota.share(self._budget, services.system)  # known from now on, though nothing is called yet

    @property
    def usage(self) -> dict[str, int]:
        """``calls``, ``retries``, ``errors`` and ``credits`` so far (credits by the vendor's price list)."""
        return {**(self._http.usage if self._http else {}), **self._counted}

    def page(
        self,
        module: str,
        fields: Sequence[str],
        *,
        ids: Sequence[str] = (),
        since: datetime | None = None,
        token: str | None = None,
        order: tuple[str, str] | None = ("Modified_Time", "asc"),
        external: str | None = None,
    ) -> Rows:
        """One page of ``GET /{module}``. ``order``: (sort_by, sort_order). ``external``: the ids are values of it."""
        params: dict[str, Any] = {"fields": ",".join(fields)}
        if ids:
            params["ids"] = ",".join(ids)
        else:
            params |= {"per_page": self._settings.page_size, "page_token": token}
            if order:
                params |= {"sort_by": order[0], "sort_order": order[1]}
        headers = {"If-Modified-Since": _moment(since)} if since else {}
        if external:
            headers["X-EXTERNAL"] = external
        answer = self._call("GET", f"/{module}", params=params, headers=headers, accept=(400,), where=module)
        code = request_code(answer)
        if code is not None and not token:
            raise UnexpectedAnswer(f"{code}: {answer.excerpt()}", where=self.place(module))
        body = answer.json() or {}
        info = body.get("info") or {}
        return Rows(
            list(body.get("data") or []),
            info.get("next_page_token"),
            bool(info.get("more_records")),
            answer.server_time(),
            code,
        )

    def get(self, module: str, id: str) -> Record | None:
        """``GET /{module}/{id}``: everything, lines too; None when it is not there."""
        body = self._call("GET", f"/{module}/{id}", where=module).json()
        return dict(body["data"][0]) if body and body.get("data") else None

    def deleted(self, module: str, since: datetime | None, page: int) -> Rows:
        """``GET /{module}/deleted``"""
        headers = {"If-Modified-Since": _moment(since)} if since else {}
        params = {"per_page": 200, "page": page}
        answer = self._call("GET", f"/{module}/deleted", params=params, headers=headers, credits=2, where=module)
        body = answer.json() or {}
        more = bool((body.get("info") or {}).get("more_records"))
        return Rows(list(body.get("data") or []), None, more, answer.server_time())

    def coql(self, query: str, where: str) -> list[Record]:
        """``POST /coql``: the rows. Reads the database, not the search index that lags."""
        answer = self._call("POST", "/coql", json={"select_query": query}, idempotent=True, where=where)
        return list((answer.json() or {}).get("data") or [])

    def write(
        self,
        method: str,
        path: str,
        data: Sequence[Record],
        *,
        idempotent: bool,
        trigger: list[str] | None,
        unmodified_since: str | None = None,
        where: str,
    ) -> Written:
        """Insert (POST) or update (PUT) up to 100 records. Raises for the whole request, not for records.

        ``trigger``: automations to start; None: all of them.
        """
        body: Record = {"data": list(data)}
        if trigger is not None:
            body["trigger"] = trigger
        headers = {"If-Unmodified-Since": unmodified_since} if unmodified_since else {}
        credits = max(1, min(10, -(-len(data) // 10)))
        answer = self._call(
            method,
            path,
            json=body,
            headers=headers,
            idempotent=idempotent,
            accept=(400, 412),
            credits=credits,
            where=where,
        )
        return self._written(answer, len(data), where)

    def delete(self, module: str, ids: Sequence[str], trigger: list[str] | None) -> Written:
        """``DELETE /{module}?ids=…``; repeating it does no harm."""
        params = {"ids": ",".join(ids)}
        if trigger == []:
            params["wf_trigger"] = "false"
        answer = self._call("DELETE", f"/{module}", params=params, idempotent=True, accept=(400,), where=module)
        return self._written(answer, len(ids), module)

    def has_channel(self, channel: str) -> bool:
        """Whether a notification channel of this number is there."""
        answer = self._call("GET", "/actions/watch", params={"channel_id": channel}, where="watch")
        return bool((answer.json() or {}).get("watch"))

    def watch(self, channel: Record, *, renew: bool) -> Record:
        """Set a notification channel up, or anew; its entry in the answer."""
        answer = self._call(
            "PUT" if renew else "POST", "/actions/watch", json={"watch": [channel]}, idempotent=True, accept=(400,),
            where="watch",
        )  # fmt: skip
        entries = (answer.json() or {}).get("watch") or []
        if len(entries) != 1:
            raise UnexpectedAnswer(f"a channel was answered by {answer.excerpt()}", where=self.place("watch"))
        return dict(entries[0])

    def unwatch(self, channel: str) -> Record:
        """End a notification channel; its entry in the answer."""
        answer = self._call(
            "DELETE", "/actions/watch", params={"channel_ids": channel}, idempotent=True, accept=(400,), where="watch"
        )
        entries = (answer.json() or {}).get("watch") or [{}]
        return dict(entries[0])

    def bulk_job(self, module: str, query: Record) -> tuple[str, datetime | None]:
        """``POST /crm/bulk/v8/read``: (id of the job, the server's clock). One made twice costs credits only."""
        answer = self._call(
            "POST", "", base=BULK, json={"query": query}, idempotent=True, credits=JOB_CREDITS, where=module
        )
        entries = (answer.json() or {}).get("data") or [{}]
        job = (entries[0].get("details") or {}).get("id")
        if not job:
            raise UnexpectedAnswer(f"a bulk read was answered by {answer.excerpt()}", where=self.place(module))
        return str(job), answer.server_time()

    def bulk_state(self, module: str, job: str) -> Record | None:
        """``GET /crm/bulk/v8/read/{job}``; None when there is no such job (any more)."""
        answer = self._call("GET", f"/{job}", base=BULK, accept=(404,), where=module)
        entries = None if answer.status == 404 else (answer.json() or {}).get("data")
        return dict(entries[0]) if entries else None

    def bulk_file(self, module: str, job: str) -> bytes:
        """``GET /crm/bulk/v8/read/{job}/result``: a zipped CSV. The vendor allows ten a minute."""
        return self._call("GET", f"/{job}/result", base=BULK, expect="bytes", where=module).body

    def users(self) -> list[Record]:
        """``GET /users``: all users, those who left too."""
        found: list[Record] = []
        more, page = True, 1
        while more:
            params = {"type": "AllUsers", "per_page": 200, "page": page}
            body = self._call("GET", "/users", params=params, where="users").json() or {}
            found += [{"name": u.get("full_name"), "id": u["id"], "email": u.get("email")} for u in body["users"]]
            more, page = bool((body.get("info") or {}).get("more_records")), page + 1
        return found

    def modules(self) -> list[Record]:
        return list(self._call("GET", "/settings/modules", where="modules").json()["modules"])

    def fields(self, module: str) -> list[Record]:
        answer = self._call("GET", "/settings/fields", params={"module": module}, where=module)
        return list((answer.json() or {}).get("fields") or [])

    def user(self) -> tuple[Record, Answer]:
        """The user behind the token, and the whole answer for its headers."""
        answer = self._call("GET", "/users", params={"type": "CurrentUser"}, where="users")
        return dict(answer.json()["users"][0]), answer

    def org(self) -> Record:
        return dict(self._call("GET", "/org", where="org").json()["org"][0])

    def place(self, what: str) -> str:
        """Where something happened, for messages."""
        return f"{self._services.system}/{what}"

    def close(self) -> None:
        self.auth.close()
        if self._http:
            self._http.close()

    def _call(
        self, method: str, path: str, *, where: str, credits: int = 1, base: str = BASE, **options: Any
    ) -> Answer:
        with self._lock:
            self._counted["credits"] += credits
        try:
            http = self._open()
            answer = http.request(method, base + path, where=self.place(where), cost=credits, **options)
        except HubError as error:
            # What the classifier says does not know where it happened.
            error.where = error.where or self.place(where)
            raise
        left = answer.headers.get("X-API-CREDITS-REMAINING")
        if left and left.isdigit():
            http.told_left(int(left))  # sent once half of the day's credits are used
        return answer

    def _open(self) -> Http:
        with self._lock:
            if self._http is None:
                settings = self._settings
                self._http = Http(
                    self.auth.api_url(),
                    self._services,
                    auth=self.auth,
                    classify=classify,
                    budget=self._budget,
                    options=HttpOptions(
                        connect_timeout=settings.connect_timeout,
                        read_timeout=settings.read_timeout,
                        verify=settings.verify,
                        attempts=settings.attempts,
                        pool=settings.calls_at_once,
                    ),
                )
            return self._http

    def _written(self, answer: Answer, count: int, where: str) -> Written:
        body = answer.json()
        entries = body.get("data") if isinstance(body, dict) else None
        if answer.status == 412:
            return Written(list(entries or []), stale=True)
        if not isinstance(entries, list) or len(entries) != count:
            what = f"a write of {count} records was answered by {answer.excerpt()}"
            done = answer.status < 300 and not answer.idempotent
            raise (UnknownOutcome if done else UnexpectedAnswer)(what, where=self.place(where))
        return Written(entries)


def parse_time(text: str) -> datetime:
    """A datetime of the API (any offset) in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """``2026-01-28T06:30:05Z``"""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
