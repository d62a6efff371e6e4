"""Which call of the API a request is, what it costs, which scope it needs, and who answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..seed import MODULES
from . import problems

Kind = Literal["read", "write", "other"]
_SCOPE_NAMES = {"Sales_Orders": "salesorders", "Ordered_Items": "salesorders", "Invoiced_Items": "invoices"}
_ACTIONS = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "DELETE": "DELETE"}


@dataclass(frozen=True, slots=True)
class Route:
    """One recognised call."""

    call: str
    """``list``, ``get``, ``insert`` … (a method name of the app's dispatcher)."""
    kind: Kind
    scopes: tuple[str, ...]
    module: str = ""
    id: str = ""

    @property
    def name(self) -> str:
        """How counters and fault patterns call it: ``"list Accounts"``."""
        return f"{self.call} {self.module}".strip()


CALLS: dict[tuple[str, str], tuple[str, Kind, tuple[str, ...]]] = {
    ("GET", "settings/modules"): ("modules", "read", ("ZohoCRM.settings.modules.READ",)),
    ("GET", "settings/fields"): ("fields", "read", ("ZohoCRM.settings.fields.READ",)),
    ("GET", "settings/layouts"): ("layouts", "read", ("ZohoCRM.settings.layouts.READ",)),
    ("GET", "users"): ("users", "read", ("ZohoCRM.users.READ",)),
    ("GET", "org"): ("org", "read", ("ZohoCRM.org.READ",)),
    ("GET", "org/currencies"): ("currencies", "read", ("ZohoCRM.settings.currencies.READ",)),
    ("GET", "__apis"): ("apis", "read", ("ZohoCRM.apis.READ",)),
    ("POST", "actions/watch"): ("watch_enable", "other", ("ZohoCRM.notifications.CREATE",)),
    ("GET", "actions/watch"): ("watch_list", "other", ("ZohoCRM.notifications.READ",)),
    ("PUT", "actions/watch"): ("watch_replace", "other", ("ZohoCRM.notifications.UPDATE",)),
    ("PATCH", "actions/watch"): ("watch_change", "other", ("ZohoCRM.notifications.UPDATE",)),
    ("DELETE", "actions/watch"): ("watch_disable", "other", ("ZohoCRM.notifications.DELETE",)),
    ("POST", "coql"): ("coql", "read", ("ZohoCRM.coql.READ",)),
}


def recognise(method: str, path: str) -> Route:
    """The call behind a method and path. Raises ApiProblem for what is no call of the API."""
    if path in ("/oauth/v2/token", "/oauth/v2/token/revoke"):
        return Route("revoke" if path.endswith("revoke") else "token", "other", ())
    if path == "/crm/bulk/v8/read" or path.startswith("/crm/bulk/v8/read/"):
        return _bulk(method, path.removeprefix("/crm/bulk/v8/read").strip("/"))
    if not path.startswith("/crm/v8/"):
        raise problems.invalid_url()
    rest = path.removeprefix("/crm/v8/").strip("/")
    fixed = CALLS.get((method, rest))
    if fixed:
        return Route(*fixed)
    if any(rest == known for _, known in CALLS):
        raise problems.invalid_method()
    parts = rest.split("/")
    if parts[0] == "settings" and method == "GET" and len(parts) >= 3:
        return _metadata(parts)
    if parts[0] not in MODULES:
        raise problems.invalid_module()
    return _record_call(method, parts)


def _record_call(method: str, parts: list[str]) -> Route:
    module, rest = parts[0], parts[1:]
    name = _SCOPE_NAMES.get(module, module.lower())
    scopes: tuple[str, ...] = (f"ZohoCRM.modules.{name}.{_ACTIONS.get(method, 'READ')}",)

    def route(call: str, kind: Kind, id: str = "") -> Route:
        return Route(call, kind, scopes, module, id)

    if not rest:
        whole = {"GET": "list", "POST": "insert", "PUT": "update", "DELETE": "delete"}.get(method)
        if not whole:
            raise problems.invalid_method()
        return route(whole, "read" if method == "GET" else "write")
    if rest == ["upsert"] and method == "POST":
        return route("upsert", "write")
    if rest == ["deleted"] and method == "GET":
        return route("deleted", "read")
    if rest == ["search"] and method == "GET":
        return Route("search", "read", (*scopes, "ZohoSearch.securesearch.READ"), module)
    if rest == ["actions", "count"] and method == "GET":
        return Route("count", "read", (*scopes, "ZohoSearch.securesearch.READ"), module)
    if len(rest) == 1 and rest[0] not in ("upsert", "deleted", "search", "actions"):
        single = {"GET": "get", "PUT": "update_one", "DELETE": "delete_one"}.get(method)
        if not single:
            raise problems.invalid_method()
        return route(single, "read" if method == "GET" else "write", rest[0])
    raise problems.invalid_method() if len(rest) == 1 else problems.invalid_url()


def _metadata(parts: list[str]) -> Route:
    if parts[1] == "modules" and len(parts) == 3:
        return Route("module", "read", ("ZohoCRM.settings.modules.READ",), id=parts[2])
    if parts[1] == "fields" and len(parts) == 3:
        return Route("field", "read", ("ZohoCRM.settings.fields.READ",), id=parts[2])
    if parts[1] == "layouts" and len(parts) == 3:
        return Route("layout", "read", ("ZohoCRM.settings.layouts.READ",), id=parts[2])
    raise problems.invalid_url()


def _bulk(method: str, rest: str) -> Route:
    scopes = ("ZohoCRM.bulk.READ",)
    if method == "POST" and not rest:
        return Route("bulk_create", "other", ("ZohoCRM.bulk.CREATE",))
    if method == "GET" and rest.endswith("/result"):
        return Route("bulk_result", "read", scopes, id=rest.removesuffix("/result"))
    if method == "GET" and rest and "/" not in rest:
        return Route("bulk_job", "read", scopes, id=rest)
    raise problems.invalid_url()


def cost(route: Route, records: int, params: dict[str, str]) -> int:
    """Credits of a call (API page "API limits"); COQL's are known only when it has run."""
    if route.call in ("insert", "update", "update_one", "upsert"):
        return max(1, min(10, -(-records // 10)))
    if route.call in ("token", "revoke"):
        return 0
    if route.call == "list" and params.get("cvid"):
        return 3
    return {"deleted": 2, "bulk_create": 50}.get(route.call, 1)


def counts_twice(route: Route, records: int, params: dict[str, str]) -> bool:
    """Whether the lower limit of calls at once holds for it too."""
    if route.call == "list":
        return "cvid" in params or "sort_by" in params
    return route.call == "coql" or (route.call in ("insert", "update", "upsert") and records > 10)
