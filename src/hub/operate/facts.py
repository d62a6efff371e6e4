"""What the operating side needs to know of a project: names, systems per entity, schedules. Plain values."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import ConfigurationError
from hub.project.schedule import Notify, Schedule
from hub.sync.policy import Direction

if TYPE_CHECKING:
    from hub.project import Project

ENVIRONMENT = "HUB_PROJECT"
"""Where the project lies on a worker that keeps it elsewhere than the machine it was deployed from."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One project, as schedules, run names and deployments see it."""

    name: str
    folder: Path
    entities: Mapping[str, Mapping[str, Direction]]
    """Entity → system → direction; what is referred to first."""
    schedules: Mapping[str, tuple[Schedule, ...]] = field(default_factory=dict)
    timezone: str = "UTC"
    notify: Notify | None = None
    prune_at: str | None = None
    """When the history is pruned, as five cron fields; None: by hand only."""

    webhooks: str = ""
    """Host and port on which the webhook intake listens; empty: the project has none."""
    partitions: Mapping[str, int] = field(default_factory=dict)
    """Entity → into how many passes its work is divided; one that is missing is not."""

    @property
    def systems(self) -> list[str]:
        return list(dict.fromkeys(system for of_entity in self.entities.values() for system in of_entity))


def facts_of(project: Project) -> Facts:
    """The facts of an open project (``connect=False`` is enough, but for the webhook of ``notify``)."""
    return Facts(
        # What Prefect does not allow in names.
        name=re.sub(r"[/%&<>]", "-", project.name),
        folder=project.folder.resolve(),
        entities={name: dict(policy.systems) for name, policy in project.setup.policies.items()},
        partitions={name: policy.partitions for name, policy in project.setup.policies.items()},
        schedules=dict(project.schedules),
        timezone=project.timezone,
        notify=project.notify,
        prune_at=project.prune_at,
        webhooks=project.webhooks.listen if project.webhooks is not None else "",
    )


def project_folder(folder: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The project's folder on this machine: ``folder``, else the one that ``HUB_PROJECT`` names.

    Raises ConfigurationError when there is no ``hub.yaml`` in either.
    """
    for candidate in (folder, environ.get(ENVIRONMENT)):
        if candidate and (Path(candidate) / "hub.yaml").is_file():
            return Path(candidate).resolve()
    raise ConfigurationError(
        "there is no project here (no hub.yaml)",
        where=folder,
        cure=f"copy the project to this machine and set {ENVIRONMENT} for the worker, or run 'hub deploy' again",
    )
