"""Opens a project: reads ``hub.yaml``, opens its connectors, compiles its mappings, and hands the engine its set-up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from hub.connect.redact import remember
from hub.errors import ConfigurationError
from hub.mapping.lens import Position, Problem
from hub.mapping.migrations import upgraded
from hub.mapping.reading import Section, Where, read_yaml
from hub.mapping.validate import validated
from hub.model import entities
from hub.model.declare import declare
from hub.model.spec import EntitySpec
from hub.project.config import STORE, HubConfig
from hub.project.endpoints import EndpointMaker
from hub.project.finding import HUB_YAML, find_project
from hub.project.policies import policies
from hub.project.schedule import DEFAULT, Notify, Schedule
from hub.project.secrets import Secrets, literal_secrets, resolved_settings
from hub.project.systems import Opener, System, anchored_url, private_folder
from hub.project.webhooks import Webhooks
from hub.store.quota import SharedQuota
from hub.sync.holder import identity, is_dead
from hub.sync.policy import Retention, Setup

if TYPE_CHECKING:
    from hub.store.cache import SharedCaches

_log = logging.getLogger("hub.project")


@dataclass(slots=True)
class Project:
    """A project, opened. ``close`` it, or use it as a context manager."""

    name: str
    folder: Path
    setup: Setup
    store_url: str = ""
    """SQLAlchemy URL of the hub's database; SQLite paths are absolute."""
    timezone: str = "UTC"
    schedules: dict[str, tuple[Schedule, ...]] = field(default_factory=dict)
    """Entity → when its passes run; empty for an entity that runs only by hand."""
    notify: Notify | None = None
    webhooks: Webhooks | None = None
    prune_at: str | None = None
    """When the history is pruned, as five cron fields in ``timezone``; None: never."""
    systems: dict[str, System] = field(default_factory=dict)
    mappings: dict[tuple[str, str], Path] = field(default_factory=dict)
    """(system, entity) → the mapping file in use."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong, or doubtful, in hub.yaml and the mappings; in the order of the files."""
    quota: SharedQuota | None = field(default=None, repr=False)
    """What vendors allow our accounts, shared by everybody with this store."""
    caches: SharedCaches | None = field(default=None, repr=False)
    """Tokens shared by hosts; None: with a SQLite store they are in files of this machine."""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def be_urgent(self) -> None:
        """From now on a person or a webhook waits for what is done here: it goes before passes that can wait."""
        if self.quota is not None:
            self.quota.urgent = True

    def close(self) -> None:
        """Close the connectors. Never raises: what a connector says at its end is only logged."""
        for system in self.systems.values():
            connector, system.connector = system.connector, None
            if connector is not None:
                try:
                    connector.close()
                except Exception:
                    _log.warning("closing %s failed", system.name, exc_info=True)
        quota, self.quota = self.quota, None
        if quota is not None:
            quota.close()
        if self.caches is not None:
            self.caches.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_project(
    path: Path | str | None = None,
    *,
    connect: bool = True,
    strict: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Project:
    """Open the project in this folder or above it.

    ``connect=False`` resolves no secrets and opens no connectors: endpoints then have ``connector=None``, which is
    enough to check files and to name things. A system that is down does not stop the opening.

    Raises ConfigurationError with every error of hub.yaml and the mappings; ``strict=False`` leaves them in
    ``Project.problems`` and returns what could be built.
    """
    folder = find_project(path)
    project = _Building(folder, connect, environment).build()
    if strict and project.errors:
        project.close()
        raise summed_up(project.errors)
    return project


def summed_up(problems: list[Problem]) -> ConfigurationError:
    """Several problems as one error: the first one's place and cure, and all the others below it."""
    first = problems[0]
    if len(problems) == 1:
        return ConfigurationError(first.message, where=str(first.position), cure=first.cure or None)
    listed = "\n".join(f"  {problem}" for problem in problems)
    return ConfigurationError(f"{len(problems)} things are wrong:\n{listed}", where=first.position.file)


class _Building:
    """One opening: each step adds to the project and to its problems."""

    def __init__(self, folder: Path, connect: bool, environment: Mapping[str, str] | None) -> None:
        self.connect = connect
        self.secrets = Secrets(folder) if environment is None else Secrets(folder, environment)
        self.project = Project(folder.name, folder, Setup({}, {}, []))
        self.problems = self.project.problems

    def build(self) -> Project:
        path = self.project.folder / HUB_YAML
        section, problems = read_yaml(path)
        self.problems += problems
        if section is None or problems:
            return self.project
        section, problems = upgraded(section, "project")
        self.problems += problems
        if problems:
            return self.project
        config, problems = validated(HubConfig, section, noun=HUB_YAML)
        self.problems += problems
        if config is not None:
            try:
                self._all(config, section)
            except BaseException:
                self.project.close()
                raise
        self.problems.sort(key=lambda p: (p.position.file != str(path), p.position))
        return self.project

    def _all(self, config: HubConfig, section: Section) -> None:
        project = self.project
        project.name = config.name or project.folder.resolve().name
        project.timezone = config.timezone
        self._store(config, section)
        self._notify(config, section)
        self._webhooks(config, section)
        specs = self._specs(section)
        made, problems = policies(config, specs, section)
        self.problems += problems
        project.schedules = _schedules(config, list(made))
        project.quota = SharedQuota(project.store_url, identity(), is_dead=is_dead)
        if self.connect:
            project.caches = _caches(project.store_url)
        opener = Opener(project.folder, section, self.secrets, self.connect, project.quota, project.caches)
        for name, system_config in config.systems.items():
            system, problems = opener.open(name, system_config)
            self.problems += problems
            if system is not None:
                project.systems[name] = system
        maker = EndpointMaker(project.folder, section, specs, project.systems, self.connect)
        endpoints = maker.make(config, made)
        self.problems += maker.problems
        project.mappings = maker.files
        kept = Retention(config.retention.older_than, config.retention.keep_runs)
        project.setup = Setup(specs, made, endpoints, kept, project.quota)
        project.prune_at = config.retention.at if kept.days is not None else None

    def _store(self, config: HubConfig, section: Section) -> None:
        self.problems += literal_secrets(section, (), {"store": config.store}, ())
        url = self._resolved(config.store, "store", section) if self.connect else config.store
        if self.connect:
            private_folder(self.project.folder)
            if url and "@" in url:
                remember(url)
        self.project.store_url = anchored_url(url or STORE, self.project.folder)

    def _notify(self, config: HubConfig, section: Section) -> None:
        if config.notify is None:
            return
        self.problems += literal_secrets(section, ("notify",), {"webhook": config.notify.webhook}, ("webhook",))
        data, missing = resolved_settings(
            self.secrets, section, ("notify",), {"webhook": config.notify.webhook, "format": config.notify.format}
        )
        if not self.connect and missing:
            return
        self.problems += missing
        if not missing:
            try:
                self.project.notify = Notify.model_validate(data)
            except ValidationError as error:
                message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
                self.problems.append(Problem(section.at(("notify", "webhook")), message))

    def _webhooks(self, config: HubConfig, section: Section) -> None:
        written = config.webhooks
        if written is None:
            return
        where: Where = ("webhooks",)
        given = {"address": written.address, "secret": written.secret}
        self.problems += literal_secrets(section, where, given, ("secret",))
        for at, name in enumerate(written.systems or ()):
            if name not in config.systems:
                cure = f"one of: {', '.join(config.systems)}"
                self.problems.append(Problem(section.at((*where, "systems", at)), f"there is no system {name!r}", cure))
        data, missing = resolved_settings(self.secrets, section, where, given)
        if not self.connect:
            return
        self.problems += missing
        if not missing:
            remember(data["secret"])
            try:
                self.project.webhooks = Webhooks.of(written, **data)
            except ValueError as error:
                cure = 'make one: python -c "import secrets; print(secrets.token_hex(24))"'
                self.problems.append(Problem(section.at((*where, "secret")), str(error), cure))

    def _resolved(self, text: str, key: str, section: Section) -> str | None:
        data, missing = resolved_settings(self.secrets, section, (), {key: text})
        self.problems += missing
        return None if missing else str(data[key])

    def _specs(self, section: Section) -> dict[str, EntitySpec]:
        below = section.section("model")
        specs, troubles = declare(entities(), below.data if below is not None and below.data else {})
        for trouble in troubles:
            position: Position = below.key_at(trouble.where) if below else section.at()
            self.problems.append(Problem(position, trouble.message, trouble.cure))
        return specs


def _caches(store_url: str) -> SharedCaches | None:
    if not store_url.startswith("postgresql"):
        return None
    from hub.store.cache import SharedCaches  # what it encrypts with is slow to import

    return SharedCaches(store_url)


def _schedules(config: HubConfig, names: list[str]) -> dict[str, tuple[Schedule, ...]]:
    """Each entity's schedules: its own, else the project's, else the default."""
    general = DEFAULT if config.schedule is None else config.schedule
    made = {}
    for name in names:
        own = config.entities[name].schedule
        made[name] = general if own is None else own
    return made
