"""The laws of a project's mappings, each alone and all of an entity together: what ``hub validate`` tries.

Values are generated, and where the hub has seen records of a system before, those are tried too. The hub's own store is
only read, and only where it is a file on this machine: validating reaches no system and no server.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from hub.connect.capabilities import Resource
from hub.errors import HubError
from hub.mapping.compiled import CompiledLens
from hub.mapping.laws import check_laws
from hub.mapping.lens import Problem
from hub.mapping.pingpong import Participant, check_pingpong
from hub.model.spec import EntitySpec
from hub.project.opening import Project
from hub.sync.policy import Endpoint

SAMPLE = 100
"""Recorded records of one system and entity that are tried."""
_FILE = "sqlite:///"


def proven(project: Project) -> list[Problem]:
    """What is wrong with the mappings in use beyond their grammar, sorted; empty when all laws hold."""
    setup = project.setup
    endpoints = [e for e in setup.endpoints if isinstance(e.lens, CompiledLens) and e.entity in setup.specs]
    recorded = _recorded(project, endpoints)
    found: list[Problem] = []
    for endpoint in endpoints:
        found += alone(endpoint.lens, setup.specs[endpoint.entity], _known(endpoint.resource), recorded[_key(endpoint)])
    for entity in dict.fromkeys(e.entity for e in endpoints):
        policy = setup.policies.get(entity)
        participants = [
            Participant(e.system, e.lens, _known(e.resource), e.direction, recorded[_key(e)])  # type: ignore[arg-type]
            for e in (setup.of_entity(entity) if policy else [])
            if isinstance(e.lens, CompiledLens)
        ]
        found += check_pingpong(participants, setup.specs[entity], policy.authority if policy else None)
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.position, problem.message))


def alone(
    lens: Any, spec: EntitySpec, resource: Resource | None = None, recorded: Iterable[dict[str, Any]] = ()
) -> list[Problem]:
    """What is wrong with one mapping beyond its grammar."""
    return check_laws(lens, spec, resource, list(recorded))


def _key(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.system, endpoint.entity


def _known(resource: Resource | None) -> Resource | None:
    return resource if resource is not None and resource.fields else None


def _recorded(project: Project, endpoints: list[Endpoint]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Records as last seen, the same ones every time; none where there is no store yet, or it is a server."""
    made: dict[tuple[str, str], list[dict[str, Any]]] = {_key(endpoint): [] for endpoint in endpoints}
    url = project.store_url
    if not url.startswith(_FILE) or not Path(url.removeprefix(_FILE)).is_file():
        return made
    from hub.store import shadows
    from hub.store.database import open_store

    try:
        store = open_store(url, migrate=False)
    except HubError:
        return made  # another version's store: 'hub sync' tells about it
    try:
        with store.read() as connection:
            for system, entity in made:
                made[system, entity] = shadows.sample(connection, system, entity, SAMPLE)
    except (HubError, DBAPIError):
        return {key: [] for key in made}
    finally:
        store.close()
    return made
