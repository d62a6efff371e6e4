"""The systems of a project: their connectors, opened with resolved settings, and what is known of their resources.

What a resource looks like is asked once of the live system and then remembered below ``.hub/schemas/``, so that
opening a project costs no call and works while a system is down. Without that memory the connector's bundled
description is used. ``System.refresh`` asks again; ``hub check`` tells where live resources drift from mappings.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import TypeAdapter, ValidationError

from hub.connect import registry
from hub.connect.capabilities import Connector, Resource
from hub.connect.guarantees import Known as VerifiedAs
from hub.connect.guarantees import read_known
from hub.connect.guarding import guard
from hub.connect.quota import Quota
from hub.connect.redact import remember
from hub.connect.registry import ConnectorEntry
from hub.connect.services import Cache, Services
from hub.connect.tokens import FileCache
from hub.errors import ConfigurationError, HubError
from hub.mapping.lens import Problem
from hub.mapping.reading import Section, Where
from hub.project.config import SystemConfig
from hub.project.secrets import Secrets, literal_secrets, resolved_settings

if TYPE_CHECKING:
    from hub.store.cache import SharedCaches

_NAME = re.compile(r"[a-z][a-z0-9_]*")
PRIVATE = ".hub"
"""Folder for what the hub keeps beside hub.yaml; only its owner may look into it."""
VERIFIED = "capabilities"
"""Folder beside hub.yaml: what ``hub connector verify --system`` found out about single systems."""


@dataclass(frozen=True, slots=True)
class Known:
    """A resource, and where its description comes from."""

    resource: Resource
    """Without fields when nothing is known of it."""
    source: Literal["live", "remembered", "bundled", "nowhere"]
    error: HubError | None = None
    """Why the live system could not be asked."""


@dataclass(slots=True)
class System:
    """One configured system. ``connector`` is None when the project was opened without connecting, or could not be."""

    name: str
    entry: ConnectorEntry
    schemas: Path
    connector: Connector | None = None
    mark: str = ""
    """Changes with the settings: what was remembered of another account is not believed."""
    failure: HubError | None = None
    """Why the system could not be asked for its resources in this process; it is not asked twice."""
    settings: dict[str, Any] = field(default_factory=dict, repr=False)
    """As given to the connector, secrets resolved; empty when it was not opened."""
    known: VerifiedAs | None = None
    """What was found out about the connector by verifying it, in this system or in its sandbox."""
    services: Services | None = field(default=None, repr=False)
    _bundled: dict[str, Resource] | None = field(default=None, repr=False)

    def connect(self, more: dict[str, Any]) -> Connector:
        """Another connector to this system, with added settings. Raises ConfigurationError when it was never opened."""
        if self.services is None:
            raise ConfigurationError(f"the system {self.name!r} is not connected", where=self.name)
        return self.entry.open({**self.settings, **more}, self.services)

    def resource(self, name: str) -> Known:
        """What is known: as remembered, else as the live system says (remembered from then on), else as bundled."""
        found = self.remembered(name)
        if found is not None:
            return Known(found, "remembered")
        error: HubError | None = self.failure
        if self.connector is not None and error is None:
            try:
                return Known(self.refresh(name), "live")
            except ConfigurationError as wrong:
                error = wrong
            except HubError as failure:
                error = self.failure = failure
        bundled = self.bundled().get(name)
        return Known(bundled or Resource(name), "bundled" if bundled else "nowhere", error)

    def refresh(self, name: str) -> Resource:
        """The live system's description, remembered from now on. Raises the errors of ``Connector.describe``."""
        if self.connector is None:
            raise ConfigurationError(f"the system {self.name!r} is not connected", where=self.name)
        found = {resource.name: resource for resource in self.connector.describe(name)}
        if name not in found:
            raise ConfigurationError(f"the system {self.name!r} has no resource {name!r}", where=f"{self.name}/{name}")
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_bytes(_adapter().dump_json(found[name]))
        temporary.replace(path)
        return found[name]

    def remembered(self, name: str) -> Resource | None:
        """The live system's description as it was when it was last asked."""
        try:
            return _adapter().validate_json(self._path(name).read_bytes())
        except (OSError, ValidationError):
            return None

    def bundled(self) -> dict[str, Resource]:
        """The resources that the connector describes without touching a system, by name."""
        if self._bundled is None:
            self._bundled = {resource.name: resource for resource in self.entry.resources()}
        return self._bundled

    def _path(self, name: str) -> Path:
        return self.schemas / f"{quote(name, safe='')}-{self.mark}.json"


@cache
def _adapter() -> TypeAdapter[Resource]:
    return TypeAdapter(Resource)


@dataclass(slots=True)
class Opener:
    """Opens the systems of one project."""

    folder: Path
    section: Section
    secrets: Secrets
    connect: bool
    quota: Quota | None = None
    caches: SharedCaches | None = None

    def open(self, name: str, config: SystemConfig) -> tuple[System | None, list[Problem]]:
        """One system, and everything that is wrong with its part of hub.yaml. Never raises for wrong settings."""
        where: Where = ("systems", name)
        if not _NAME.fullmatch(name):
            cure = "lower-case letters, digits and _, a letter first"
            return None, [Problem(self.section.key_at(where), f"{name!r} can't name a system", cure)]
        try:
            manifest = config.settings.get("manifest")
            entry = registry.find(config.connector, self.folder, manifest=manifest and str(manifest))
            problems = entry.problems()
        except ConfigurationError as error:
            return None, [self._problem((*where, "connector"), error)]
        if any(problem.severity == "error" for problem in problems):
            return None, problems
        problems += literal_secrets(self.section, where, config.settings, entry.manifest.secrets)
        secrets = self.secrets if self.connect else self.secrets.at_hand()
        settings, missing = resolved_settings(secrets, self.section, where, config.settings)
        settings = _anchored(settings, self.folder)
        system = System(name, entry, self.folder / PRIVATE / "schemas" / name, mark=_mark(entry, settings))
        if self.connect:
            problems += missing or ([] if problems else self._connected(system, settings, where))
        return system, problems

    def _connected(self, system: System, settings: dict[str, Any], where: Where) -> list[Problem]:
        manifest = system.entry.manifest
        remember(*(str(settings[key]) for key in manifest.secrets if settings.get(key)))
        try:
            services = Services(system.name, self._cache(system, settings), quota=self.quota)
            system.connector = system.entry.open(settings, services)
            guard(system.connector, system.name)
            system.settings, system.services = settings, services
            system.known = read_known(self.folder / VERIFIED / f"{system.name}.yaml") or system.entry.known()
        except ConfigurationError as error:
            return [self._problem(where, error)]
        return []

    def _cache(self, system: System, settings: dict[str, Any]) -> Cache:
        """Where tokens are kept: for all hosts that share a store, if there is something to encrypt them with."""
        secrets = [str(settings[key]) for key in system.entry.manifest.secrets if settings.get(key)]
        if self.caches is not None and secrets:
            return self.caches.of(system.name, secrets)
        return FileCache(private_folder(self.folder) / "cache")

    def _problem(self, where: Where, error: ConfigurationError) -> Problem:
        """``error.where`` may name one of the settings; then that is the place to look at."""
        setting = (error.where or "").rpartition("/")[2].rpartition(".")[2]
        place = (*where, setting)
        position = self.section.at(place if place in self.section.values else where)
        elsewhere = f"{error.where}: " if error.where and ":" in error.where else ""
        return Problem(position, f"{elsewhere}{error.what}", error.cure or "")


def private_folder(folder: Path) -> Path:
    """The project's ``.hub`` folder, made if missing, readable by its owner only."""
    path = folder / PRIVATE
    path.mkdir(mode=0o700, exist_ok=True)
    # One that stood open (unpacked from an archive, made by hand) is closed; not ours to close: left as it is.
    with suppress(PermissionError):
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    return path


def anchored_url(url: str, folder: Path) -> str:
    """A SQLite URL whose relative path is meant from the project's folder, wherever the program was started."""
    scheme, slashes, path = url.partition(":///")
    if not slashes or scheme.partition("+")[0] != "sqlite" or path.startswith(("/", ":memory:", "file:")) or not path:
        return url
    return f"{scheme}:///{folder.resolve() / path}"


def _anchored(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {key: anchored_url(value, folder) if isinstance(value, str) else value for key, value in settings.items()}


def _mark(entry: ConnectorEntry, settings: Mapping[str, Any]) -> str:
    import hub

    known = {key: _harmless(key in entry.manifest.secrets, value) for key, value in settings.items()}
    # A declared product is what its manifest says: another text, and what was remembered of it is not believed.
    declared = hashlib.sha256(entry.declaration.read_bytes()).hexdigest() if entry.by is not None else ""
    text = json.dumps([hub.__version__, entry.name, str(entry.folder), declared, known], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _harmless(secret: bool, value: Any) -> Any:
    """What may be hashed: of a secret only a URL's host and path."""
    if not secret:
        return value
    parts = urlsplit(value) if isinstance(value, str) and "://" in value else None
    return [parts.scheme, parts.netloc.rpartition("@")[2], parts.path] if parts else None
