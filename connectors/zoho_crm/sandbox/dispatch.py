"""Carries out a recognised call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..seed import MODULES, module_id
from . import problems
from .bulk import BulkRead
from .coql import run_query
from .lists import Lists
from .org import INTEGRATION
from .problems import ApiProblem
from .records import Records
from .routes import CALLS, Route
from .search import Search
from .watch import Watch
from .writes import Writes

if TYPE_CHECKING:
    from .app import Request

Reply = tuple[int, Any]


@dataclass
class Calls:
    """One method a call, named as in ``routes``."""

    records: Records
    lists: Lists
    writes: Writes
    search_index: Search
    watch: Watch
    bulk: BulkRead

    def answer(self, route: Route, request: Request) -> Reply:
        """Status and body (None: nothing, bytes: a file). Raises ApiProblem."""
        reply: Reply = getattr(self, route.call)(route, request)
        return reply

    # --- records --------------------------------------------------------------------------------------

    def list(self, route: Route, request: Request) -> Reply:
        return self.lists.page(route.module, request.params, _given(request), INTEGRATION.id)

    def get(self, route: Route, request: Request) -> Reply:
        return self.lists.one(route.module, route.id, _given(request))

    def deleted(self, route: Route, request: Request) -> Reply:
        return self.lists.deleted(route.module, request.params, _given(request))

    def count(self, route: Route, request: Request) -> Reply:
        criteria = request.params.get("criteria")
        test = self.search_index.criteria(route.module, criteria) if criteria else None
        return self.lists.count(route.module, test)

    def search(self, route: Route, request: Request) -> Reply:
        return self.search_index.page(route.module, request.params)

    def coql(self, route: Route, request: Request) -> Reply:
        body = request.json()
        if not isinstance(body, dict):
            raise problems.bad_body()
        status, answer, _ = run_query(self.records, body.get("select_query"))
        return status, answer

    def insert(self, route: Route, request: Request) -> Reply:
        return self.writes.insert(route.module, request.json())

    def update(self, route: Route, request: Request) -> Reply:
        return self.writes.update(route.module, request.json(), _given(request))

    def update_one(self, route: Route, request: Request) -> Reply:
        return self.writes.update(route.module, request.json(), _given(request), id=route.id)

    def upsert(self, route: Route, request: Request) -> Reply:
        return self.writes.upsert(route.module, request.json(), _given(request))

    def delete(self, route: Route, request: Request) -> Reply:
        return self.writes.delete(route.module, request.params, _given(request))

    def delete_one(self, route: Route, request: Request) -> Reply:
        return self.writes.delete(route.module, request.params, _given(request), id=route.id)

    # --- metadata -------------------------------------------------------------------------------------

    def modules(self, route: Route, request: Request) -> Reply:
        return 200, {"modules": [self.records.org.module_answer(name) for name in MODULES]}

    def module(self, route: Route, request: Request) -> Reply:
        name = next((m for m in MODULES if route.id in (m, module_id(m))), None)
        if name is None:
            raise problems.invalid_module()
        return 200, {"modules": [self.records.org.module_answer(name)]}

    def fields(self, route: Route, request: Request) -> Reply:
        return 200, {"fields": self.records.org.visible_fields(self._asked_module(request))}

    def field(self, route: Route, request: Request) -> Reply:
        found = [f for f in self.records.org.visible_fields(self._asked_module(request)) if f["id"] == route.id]
        return (200, {"fields": found}) if found else (204, None)

    def layouts(self, route: Route, request: Request) -> Reply:
        return 200, {"layouts": [self.records.org.layout_answer(self._asked_module(request))]}

    def layout(self, route: Route, request: Request) -> Reply:
        answer = self.records.org.layout_answer(self._asked_module(request))
        return (200, {"layouts": [answer]}) if answer["id"] == route.id else (204, None)

    def _asked_module(self, request: Request) -> str:
        name = request.params.get("module")
        if not name:
            raise problems.missing_param("module")
        if name not in MODULES:
            raise problems.invalid_module()
        return name

    # --- organisation ---------------------------------------------------------------------------------

    def users(self, route: Route, request: Request) -> Reply:
        org, now = self.records.org, self.records.now()
        kind = request.params.get("type", "AllUsers")
        users = [INTEGRATION] if kind == "CurrentUser" else list(org.users.values())
        if kind == "AdminUsers":
            users = [u for u in users if u.admin]
        answers = [org.user_answer(user, now) for user in users]
        return 200, {
            "users": answers,
            "info": {"per_page": 200, "count": len(answers), "page": 1, "more_records": False},
        }

    def org(self, route: Route, request: Request) -> Reply:
        return 200, {"org": [self.records.org.org_answer()]}

    def currencies(self, route: Route, request: Request) -> Reply:
        return 200, {"currencies": self.records.org.currency_answers()}

    def apis(self, route: Route, request: Request) -> Reply:
        listed = [{"path": f"/crm/v8/{path}", "operation_types": [{"method": m}]} for m, path in CALLS]
        return 200, {"__apis": listed}

    # --- bulk read and change notifications -----------------------------------------------------------

    def bulk_create(self, route: Route, request: Request) -> Reply:
        if not str(request.headers["Content-Type"] or "").startswith("application/json"):
            raise ApiProblem(415, "MEDIA_TYPE_NOT_SUPPORTED", "Media type is not supported")
        return self.bulk.create(request.json())

    def bulk_job(self, route: Route, request: Request) -> Reply:
        return self.bulk.job(route.id)

    def bulk_result(self, route: Route, request: Request) -> Reply:
        return self.bulk.result(route.id)

    def watch_enable(self, route: Route, request: Request) -> Reply:
        return self.watch.enable(request.json())

    def watch_replace(self, route: Route, request: Request) -> Reply:
        return self.watch.enable(request.json(), existing=True)

    def watch_change(self, route: Route, request: Request) -> Reply:
        return self.watch.change(request.json())

    def watch_list(self, route: Route, request: Request) -> Reply:
        return self.watch.list(request.params)

    def watch_disable(self, route: Route, request: Request) -> Reply:
        return self.watch.disable(request.params)


def _given(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if value}
