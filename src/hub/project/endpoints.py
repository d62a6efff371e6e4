"""Ties systems, mappings and resources together: one endpoint for each system that takes part in an entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.connect.capabilities import Create, Delete, ListChanges, Resource, Update
from hub.connect.guarantees import guarantee
from hub.errors import ConfigurationError, HubError
from hub.mapping import load
from hub.mapping.lens import Lens, Position, Problem
from hub.mapping.operators.python import load_functions
from hub.mapping.reading import Section, Where
from hub.mapping.suggest import did_you_mean
from hub.model.spec import EntitySpec
from hub.project.config import HubConfig
from hub.project.mappings import MappingFile, find_mapping, mapping_files, mapping_folders
from hub.project.systems import Known, System
from hub.sync.policy import Endpoint, EntityPolicy


class EndpointMaker:
    """Makes the endpoints of one project and gathers what is wrong on the way."""

    def __init__(
        self, folder: Path, section: Section, specs: dict[str, EntitySpec], systems: dict[str, System], connect: bool
    ) -> None:
        self.folder = folder
        self.section = section
        self.specs = specs
        self.systems = systems
        self.connect = connect
        self.problems: list[Problem] = []
        self.files: dict[tuple[str, str], Path] = {}
        self._used: dict[str, set[str]] = {}
        self._pairs: dict[str, Any] | None = None

    def make(self, config: HubConfig, policies: dict[str, EntityPolicy]) -> list[Endpoint]:
        """The endpoints, entity by entity in the order of the policies."""
        made = []
        for entity, policy in policies.items():
            for name in policy.systems:
                system = self.systems.get(name)
                if system is not None:
                    endpoint = self._endpoint(system, entity, config, policy)
                    if endpoint is not None:
                        made.append(endpoint)
        self._unused_overrides(config)
        return made

    def _endpoint(self, system: System, entity: str, config: HubConfig, policy: EntityPolicy) -> Endpoint | None:
        where: Where = ("entities", entity, "systems", system.name)
        wanted = config.entities[entity].systems[system.name].resource
        file = self._file(system, entity, wanted, config, where)
        if file is None:
            return None
        self.files[(system.name, entity)] = file.path
        self._used.setdefault(system.name, set()).add(file.resource)
        known = self._known(system, file.resource, where)
        lens, resource = self._lens(system, file, known)
        if lens is None:
            return None
        endpoint = Endpoint(system.name, entity, policy.systems[system.name], lens, resource, system.connector)
        if system.connector is not None:
            _guard(endpoint, system, policy)
            title = f"{system.name} ({system.entry.name})"
            self.problems += _able(endpoint, title, policy.deletes, self.section.at(where))
        return endpoint

    def _file(
        self, system: System, entity: str, wanted: str | None, config: HubConfig, where: Where
    ) -> MappingFile | None:
        folders = mapping_folders(self.folder, system.name, config.systems[system.name].connector)
        found = find_mapping(folders, entity, wanted)
        if len(found) == 1:
            return found[0]
        if found:
            self._used.setdefault(system.name, set()).update(f.resource for f in found)
            names = ", ".join(f.resource for f in found)
            self._say(
                where,
                f"{system.name} has {len(found)} mappings of {entity}: {names}",
                f"choose one: {system.name}: {{direction: …, resource: {found[0].resource}}}",
            )
            return None
        looked = ", ".join(str(folder) for folder in folders)
        what = f"of {wanted} to {entity}" if wanted else f"of {entity}"
        self._say(where, f"{system.name} has no mapping {what}; looked in {looked}", self._instead(folders, entity))
        return None

    def _instead(self, folders: list[Path], entity: str) -> str:
        known = sorted({f"{f.resource} → {f.entity}" for folder in folders for f in mapping_files(folder)})
        write = f"write one into {folders[0]} with 'entity: {entity}'"
        return f"{write}; there are: {', '.join(known)}" if known else write

    def _known(self, system: System, name: str, where: Where) -> Known:
        known = system.resource(name)
        if isinstance(known.error, ConfigurationError):
            self._say(where, f"{system.name}: {known.error.what}", known.error.cure or "")
        elif known.error is not None and known.source == "nowhere":
            self._say(
                where,
                f"{system.name} can't be asked about {name} now ({known.error.what}): its mapping is not checked "
                "against it",
                "run 'hub check' when it is back",
                severity="warning",
            )
        return known

    def _lens(self, system: System, file: MappingFile, known: Known) -> tuple[Lens | None, Resource]:
        """The mapping, held against the best description of the resource there is. A mistake is only believed when the
        live system was asked after it was made: it may have got the field since."""
        lens, problems = self._loaded(system, file, known.resource)
        if lens is None and known.source == "remembered" and system.connector is not None:
            try:
                known = Known(system.refresh(file.resource), "live")
                lens, problems = self._loaded(system, file, known.resource)
            except HubError as error:
                known = Known(known.resource, "remembered", error)
        if lens is None and known.source != "live":
            lens, problems = self._doubtful(system, file, known, problems)
        self.problems += problems
        return lens, known.resource

    def _doubtful(
        self, system: System, file: MappingFile, known: Known, problems: list[Problem]
    ) -> tuple[Lens | None, list[Problem]]:
        """Mistakes found without the live system. While it is down they must not stop the others' pass: what is only
        wrong by an old description becomes a warning. Offline they stay errors, with a word on fields of one's own."""
        lens, certain = self._loaded(system, file, Resource(file.resource))
        if known.error is not None and not isinstance(known.error, ConfigurationError) and lens is not None:
            note = f"{system.name} can't be asked now ({known.error.what})"
            return lens, [replace(p, severity="warning", cure=f"{p.cure}; {note}") for p in problems]
        if known.source == "bundled" and lens is not None:
            hint = f"or, where it is a field of your own account, let 'hub check {system.name}' learn it"
            problems = [p if p in certain else replace(p, cure=f"{p.cure}; {hint}".lstrip("; ")) for p in problems]
        return None, problems

    def _loaded(self, system: System, file: MappingFile, resource: Resource) -> tuple[Lens | None, list[Problem]]:
        overrides = self.section.section("systems", system.name, "mappings", file.resource)
        return load(
            file.path,
            specs=self.specs,
            resource=resource if resource.fields else None,
            overrides=overrides if overrides is not None and overrides.data else None,
            functions=self._functions(),
        )

    def _functions(self) -> dict[str, Any]:
        if self._pairs is None:
            self._pairs, problems = load_functions(self.folder / "functions")
            self.problems += problems
        return self._pairs

    def _unused_overrides(self, config: HubConfig) -> None:
        for name, system in config.systems.items():
            used = self._used.get(name, set())
            for resource in system.mappings:
                if resource not in used and name in self.systems:
                    where = ("systems", name, "mappings", resource)
                    cure = did_you_mean(resource, sorted(used), noun="in use:")
                    message = f"no mapping of {resource!r} is in use in {name}, so this changes nothing"
                    self.problems.append(Problem(self.section.key_at(where), message, cure))

    def _say(self, where: Where, message: str, cure: str, severity: Any = "error") -> None:
        self.problems.append(Problem(self.section.key_at(where), message, cure, severity))


def _guard(endpoint: Endpoint, system: System, policy: EntityPolicy) -> None:
    """Hold creates back where nothing proves that a lost one would be found again, and don't rely on such a probe."""
    promise = guarantee(system.connector, endpoint.resource, system.known)
    endpoint.resource = replace(endpoint.resource, probe=promise.how)
    if promise.held and endpoint.direction != "in" and system.name not in policy.unproven:
        endpoint.unproven = (
            f"{promise.held} → hub check {system.name} says what is missing; or accept the risk in hub.yaml: "
            f"entities.{endpoint.entity}.create: {{{system.name}: unproven}}"
        )


def _able(endpoint: Endpoint, title: str, deletes: str, position: Position) -> Iterator[Problem]:
    """Whether the connector can do what the policy asks of it."""
    connector, resource = endpoint.connector, endpoint.resource
    if endpoint.direction in ("both", "in") and not isinstance(connector, ListChanges):
        yield Problem(position, f"{title} can't be read from: it lists no changes", "set it to out")
    if endpoint.direction in ("both", "out"):
        if not isinstance(connector, (Create, Update)):
            yield Problem(position, f"{title} can't be written to", "set it to in")
        elif not resource.writable:
            yield Problem(position, f"{resource.name} of {title} is read-only", "set it to in")
        elif deletes != "ignore" and not isinstance(connector, Delete):
            message = f"{title} can't delete or archive records: deletions made elsewhere will not reach it"
            yield Problem(position, message, "set deletes: ignore", "warning")
