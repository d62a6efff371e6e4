"""``hub deploy``: everything a project needs on a Prefect server. Running it again changes nothing.

What an operator changed in the UI (a schedule switched off, an automation paused) stays, until hub.yaml changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from hub.errors import ConfigurationError
from hub.operate import automations
from hub.operate.api import PrefectApi
from hub.operate.deployments import Wanted, wanted
from hub.operate.facts import Facts, facts_of
from hub.operate.process_pool import TEMPLATE

if TYPE_CHECKING:
    from hub.project import Project

Change = Literal["created", "updated", "unchanged", "paused", "removed"]
STALE = "hub-stale"
"""Version of a deployment that we paused: when its entity comes back, so does it."""


@dataclass(slots=True)
class DeployResult:
    """What was done, by name."""

    api: str
    work_pool: str
    done: dict[str, Change] = field(default_factory=dict)
    """``work pool hub``, ``deployment sync/acme-customer``, ``automation …`` → what became of it."""
    advice: list[str] = field(default_factory=list)
    """Settings of the server that only its administrator can change."""

    @property
    def changed(self) -> bool:
        return any(change != "unchanged" for change in self.done.values())

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "changed": self.changed}


def deploy(
    project: Project | Facts, *, work_pool: str = "hub", api_url: str | None = None, api: PrefectApi | None = None
) -> DeployResult:
    """Register the project's deployments, automations and notification with a Prefect server.

    ``project`` is an open ``hub.project.Project`` (or its ``Facts``); the server is ``api``, else the one at
    ``api_url``, else the one that ``PREFECT_API_URL`` names. Raises ConfigurationError without a server or when it
    refuses a schedule, AuthenticationError, Unavailable.
    """
    facts = project if isinstance(project, Facts) else facts_of(project)
    server = api or (PrefectApi(api_url) if api_url else PrefectApi.from_environment())
    if server is None:
        raise ConfigurationError(
            "no Prefect server is named",
            where="PREFECT_API_URL",
            cure="set PREFECT_API_URL (such as http://127.0.0.1:4200/api), or use 'hub up', which brings its own",
        )
    result = DeployResult(server.url, work_pool)
    _work_pool(server, work_pool, result)
    found = wanted(facts, work_pool)
    for deployment in found:
        _deployment(server, deployment, result)
    _stale(server, facts, found, result)
    _automation(server, automations.zombies(), result)
    _automation(server, automations.failures(facts.name, _notification(server, facts, result)), result)
    result.advice.extend(_advice(server))
    return result


def _work_pool(api: PrefectApi, name: str, result: DeployResult) -> None:
    if api.find(f"/work_pools/{quote(name, safe='')}") is not None:
        result.done[f"work pool {name}"] = "unchanged"
        return
    api.post(
        "/work_pools/",
        {
            "name": name,
            "type": "process",
            "description": "Passes of the hub, each a process of its own on a worker of this pool.",
            "base_job_template": TEMPLATE,
        },
    )
    result.done[f"work pool {name}"] = "created"


def _deployment(api: PrefectApi, deployment: Wanted, result: DeployResult) -> None:
    label = f"deployment {deployment.full_name}"
    present = api.find(f"/deployments/name/{deployment.flow}/{quote(deployment.name, safe='')}")
    body = dict(deployment.body)
    if present is not None:
        if present.get("version") == body["version"]:
            result.done[label] = "unchanged"
            return
        body["paused"] = bool(present.get("paused")) and present.get("version") != STALE
        body["schedules"] = _keep_switches(body["schedules"], present.get("schedules") or [])
    flow = api.post("/flows/", {"name": deployment.flow})
    api.post("/deployments/", {**body, "flow_id": flow["id"]})
    result.done[label] = "updated" if present is not None else "created"


def _keep_switches(schedules: list[dict[str, Any]], present: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A schedule that an operator switched off stays off when it changes."""
    off = {s.get("slug") for s in present if not s.get("active", True)}
    return [{**s, "active": s["slug"] not in off} for s in schedules]


def _stale(api: PrefectApi, facts: Facts, found: list[Wanted], result: DeployResult) -> None:
    """Pause deployments of entities that left hub.yaml. Not deleted: that would break a run under way."""
    names = {d.full_name for d in found}
    query = {"deployments": {"tags": {"all_": ["hub", f"project:{facts.name}"]}}, "limit": 200}
    for present in api.post("/deployments/filter", query) or []:
        flow = api.get(f"/flows/{present['flow_id']}")["name"]
        full_name = f"{flow}/{present['name']}"
        if full_name in names or present.get("paused"):
            continue
        api.patch(f"/deployments/{present['id']}", {"paused": True, "version": STALE})
        result.done[f"deployment {full_name}"] = "paused"


def _automation(api: PrefectApi, body: dict[str, Any], result: DeployResult) -> None:
    label = f"automation {body['name']}"
    query = {"automations": {"name": {"any_": [body["name"]]}}}
    present = api.post("/automations/filter", query) or []
    if not present:
        api.post("/automations/", body)
        result.done[label] = "created"
    elif present[0].get("description") == body["description"]:
        result.done[label] = "unchanged"
    else:
        api.put(f"/automations/{present[0]['id']}", {**body, "enabled": present[0].get("enabled", True)})
        result.done[label] = "updated"


def _notification(api: PrefectApi, facts: Facts, result: DeployResult) -> str | None:
    """The id of the block that posts to the project's webhook; None without one."""
    name = automations.block_name(facts.name)
    label = f"block {automations.BLOCK_TYPE}/{name}"
    present = api.find(f"/block_types/slug/{automations.BLOCK_TYPE}/block_documents/name/{name}")
    if facts.notify is None:
        if present is not None:
            # Its address is a secret: it does not stay where nobody needs it.
            api.delete(f"/block_documents/{present['id']}")
            result.done[label] = "removed"
        return None
    _, data = automations.block(facts.name, facts.notify)
    if present is not None:
        if present["data"].get("name") == data["name"]:
            result.done[label] = "unchanged"
        else:
            api.patch(f"/block_documents/{present['id']}", {"data": data, "merge_existing_data": False})
            result.done[label] = "updated"
        return str(present["id"])
    kind = api.get(f"/block_types/slug/{automations.BLOCK_TYPE}")
    schemas = api.post("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})
    body = {"name": name, "data": data, "block_type_id": kind["id"], "block_schema_id": schemas[0]["id"]}
    created = api.post("/block_documents/", body)
    result.done[label] = "created"
    return str(created["id"])


def _advice(api: PrefectApi) -> list[str]:
    """What the server's administrator should set: retention, analytics. Says nothing where the server tells nothing."""
    settings = api.find("/admin/settings")
    server = settings.get("server") if isinstance(settings, dict) else None
    if not isinstance(server, dict):
        return []
    advice = []
    vacuum = (server.get("services") or {}).get("db_vacuum") or {}
    enabled = vacuum.get("enabled")
    if enabled is not None and "flow_runs" not in (
        enabled if isinstance(enabled, list | set | tuple) else str(enabled)
    ):
        advice.append(
            "flow runs, logs and artifacts are kept for ever: set "
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED=events,flow_runs on the server (90 days are kept)"
        )
    if server.get("analytics_enabled"):
        advice.append("the server reports its use to its makers: set PREFECT_SERVER_ANALYTICS_ENABLED=false on it")
    return advice
