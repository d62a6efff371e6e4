"""Which deployments a project gets, as bodies for Prefect's REST interface. Pure.

A deployment per entity, not per system: one pass of an entity looks at all its systems together, and two at a time
would only wait for each other. Schedules that look at some systems only are schedules of that one deployment.
Complete listings (``full: true``) have a deployment of their own: there a run that comes too early waits, where the
frequent ones are simply dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.operate.facts import Facts
from hub.operate.words import route, tags
from hub.project.schedule import Schedule

STEP = "hub.operate.prefect_steps.use_flows"
HEARTBEAT = 30
"""Seconds between two signs of life of a run: the shortest that Prefect allows."""
APART = timedelta(seconds=20)
"""Entities with the same interval start this far apart, what is referred to first: they are processes of their own."""

_ENVIRONMENT = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "hub",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
    # The flow files may lie in a checkout with a pyproject.toml: nothing is to be installed from it before a run.
    "PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One deployment as it should be. ``body`` lacks only the flow's id."""

    flow: str
    name: str
    body: dict[str, Any]

    @property
    def full_name(self) -> str:
        return f"{self.flow}/{self.name}"


def wanted(facts: Facts, work_pool: str) -> list[Wanted]:
    """Every deployment of the project."""
    found = []
    for position, entity in enumerate(facts.entities):
        schedules = facts.schedules.get(entity, ())
        often, full = [s for s in schedules if not s.full], [s for s in schedules if s.full]
        for part in _parts(facts, entity):
            found.append(_of_entity(facts, work_pool, entity, _schedules(facts, often, position), part))
            if full:
                found.append(_of_entity(facts, work_pool, entity, _schedules(facts, full, position), part, full=True))
    everything = _wanted(facts, work_pool, "sync", name=f"{facts.name}-everything")
    by_hand = (_wanted(facts, work_pool, flow) for flow in ("plan", "apply", "approve"))
    nightly = [Schedule(cron=facts.prune_at)] if facts.prune_at else []
    prune = _wanted(facts, work_pool, "prune", schedules=_schedules(facts, nightly, 0), collision="CANCEL_NEW")
    return [*found, everything, *by_hand, prune]


_WHAT_FOR = {
    "sync": "All entities in one pass, what is referred to first. No schedule: for the first sync and for catching up "
    "by hand.",
    "plan": "What a sync would write, per field old → new. Writes nothing anywhere; ends with the plan's id.",
    "apply": "Carries out exactly the plan with this id: **running it is the approval**. Refuses, naming the record, "
    "if anything moved since.",
    "approve": "Asks on a form: apply this plan? and, for up to ten open conflicts, whose value holds? The form opens "
    "from the run's page while the run is paused (menu ⋮, Resume).",
    "prune": "Takes away history that is older than what `retention` in hub.yaml keeps, a little at a time; passes may "
    "run meanwhile.",
}


def _parts(facts: Facts, entity: str) -> list[str]:
    """Of an entity whose work is divided: its parts, each with a deployment of its own and the same schedule."""
    number = facts.partitions.get(entity, 1)
    return [f"{part}/{number}" for part in range(1, number + 1)] if number > 1 else [""]


def _of_entity(
    facts: Facts, work_pool: str, entity: str, schedules: Sequence[dict[str, Any]], part: str, *, full: bool = False
) -> Wanted:
    how = "Reads everything and compares" if full else "Carries what changed"
    rhythm = "" if schedules else " No schedule: by hand only."
    divided = f" Part {part}: all parts run at the same time." if part else ""
    place = f"-{part.replace('/', '-of-')}" if part else ""
    return _wanted(
        facts,
        work_pool,
        "sync",
        name=f"{facts.name}-{entity}{place}{'-full' if full else ''}",
        description=f"{how}: {entity}, {route(facts.entities[entity])}.{divided}{rhythm}",
        parameters={
            "entities": [entity],
            **({"full": True} if full else {}),
            **({"partition": part} if part else {}),
        },
        entity=entity,
        schedules=schedules,
        collision="ENQUEUE" if full else "CANCEL_NEW",
    )


def _wanted(
    facts: Facts,
    work_pool: str,
    flow: str,
    *,
    name: str = "",
    description: str = "",
    parameters: dict[str, Any] | None = None,
    entity: str = "",
    schedules: Sequence[dict[str, Any]] = (),
    collision: str = "ENQUEUE",
) -> Wanted:
    of_run = tags(facts.name, [entity] if entity else [], list(facts.entities[entity]) if entity else [])
    body: dict[str, Any] = {
        "name": name or f"{facts.name}-{flow}",
        "description": description or _WHAT_FOR[flow],
        "tags": of_run,
        "parameters": {"project": str(facts.folder), **(parameters or {})},
        "parameter_openapi_schema": parameter_schema(flow, facts),
        "enforce_parameter_schema": True,
        "entrypoint": f"{flow}.py:{flow}",
        "pull_steps": [{STEP: {"project": str(facts.folder), "file": f"{flow}.py"}}],
        "work_pool_name": work_pool,
        "job_variables": {"env": dict(_ENVIRONMENT)},
        "schedules": list(schedules),
    }
    if flow != "approve":
        body["concurrency_limit"] = 1
        body["concurrency_options"] = {"collision_strategy": collision}
    body["version"] = fingerprint(body)
    return Wanted(flow, body["name"], body)


def fingerprint(body: Any) -> str:
    """The same for the same wishes: what a second ``hub deploy`` compares."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return f"hub-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _schedules(facts: Facts, schedules: Iterable[Schedule], position: int) -> list[dict[str, Any]]:
    return [
        {
            "schedule": _rhythm(schedule, facts.timezone, position),
            "active": True,
            "slug": f"schedule-{number}",
            "parameters": {"systems": list(schedule.systems)} if schedule.systems else {},
        }
        for number, schedule in enumerate(schedules, 1)
    ]


def _rhythm(schedule: Schedule, timezone: str, position: int) -> dict[str, Any]:
    if schedule.cron:
        return {"cron": schedule.cron, "timezone": schedule.timezone or timezone, "day_or": True}
    # A fixed anchor: the default, "now", would be another schedule at every deploy.
    anchor = datetime(2020, 1, 1, tzinfo=UTC) + APART * position
    return {"interval": schedule.seconds, "anchor_date": anchor.isoformat(), "timezone": "UTC"}


_DESCRIPTIONS = {
    "project": "Folder of the project (the one with hub.yaml) on the worker.",
    "entities": "Entities of this pass; none means all.",
    "systems": "Observe only these systems; none means all.",
    "full": "Read everything instead of what changed since the last pass.",
    "yes": "Write what a first sync or the change budget would otherwise hold for approval.",
    "partition": "One of the passes that work on these entities together, such as 2/4; none: the whole.",
    "plan_id": "Id of a stored plan: the runs of plan, and passes that were held, end with it.",
    "minutes": "How long the form waits for an answer.",
}


def parameter_schema(flow: str, facts: Facts) -> dict[str, Any]:
    """What the run form offers and the server checks: the project's own entities and systems to choose from."""
    text = {"type": "string"}
    kinds: dict[str, dict[str, Any]] = {
        "project": text,
        "entities": {"type": "array", "items": {**text, "enum": list(facts.entities)}, "default": []},
        "systems": {"type": "array", "items": {**text, "enum": facts.systems}, "default": []},
        "full": {"type": "boolean", "default": False},
        "yes": {"type": "boolean", "default": False},
        "partition": {**text, "default": ""},
        "plan_id": text if flow == "apply" else {**text, "default": ""},
        "minutes": {"type": "integer", "default": 60, "minimum": 1, "maximum": 1440},
    }
    names = PARAMETERS[flow]
    return {
        "title": "Parameters",
        "type": "object",
        "properties": {
            name: {"title": name, "description": _DESCRIPTIONS[name], "position": position, **kinds[name]}
            for position, name in enumerate(names)
        },
        "required": [name for name in names if "default" not in kinds[name]],
        "definitions": {},
    }


PARAMETERS = {
    "sync": ("project", "entities", "systems", "full", "yes", "partition"),
    "plan": ("project", "entities", "systems"),
    "apply": ("project", "plan_id"),
    "approve": ("project", "plan_id", "minutes"),
    "prune": ("project",),
}
"""Parameters of each flow, in the order of its function."""
