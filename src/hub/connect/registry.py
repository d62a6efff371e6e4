"""Finds connectors: the project's own first, then the bundled ones, then what installed packages offer.

A connector is a folder with a ``manifest.yaml``. Its modules are loaded as ``hub_connectors.<name>.<module>``, so they
import each other relatively and never need to be on ``sys.path``. A package offers one by an entry point of the group
``hub.connectors`` that names the package holding the manifest (``shop = "acme_shop.connector_folder"``); its modules
keep their own names.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from hub.connect.bundled import bundled_dir
from hub.connect.capabilities import Connector, Resource
from hub.connect.guarantees import CAPABILITIES, Known, read_known
from hub.connect.manifest import MANIFEST, Manifest, place_of, read_declaration, read_manifest
from hub.connect.positions import Problem
from hub.connect.services import Services
from hub.errors import ConfigurationError

GROUP = "hub.connectors"
NAMESPACE = "hub_connectors"
Origin = Literal["project", "bundled", "package"]

_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class ConnectorEntry:
    """A connector that was found; none of its code has run yet."""

    name: str
    manifest: Manifest
    folder: Path
    origin: Origin
    package: str | None = None
    """The importable package, for a connector from an entry point."""
    by: ConnectorEntry | None = None
    """For a product by declaration: the connector that reads its manifest."""
    file: Path | None = None
    """That manifest, where it is not the folder's ``manifest.yaml``."""

    @property
    def default_resources(self) -> tuple[str, ...]:
        """The resources that the manifest offers first."""
        return self.manifest.resources

    def open(self, settings: dict[str, Any], services: Services) -> Connector:
        """A connector for one system. Raises ConfigurationError for wrong settings; connects to nothing yet."""
        if self.by is not None:
            return self.by.open({**settings, "manifest": str(self.declaration)}, services)
        return cast(Connector, self._call(self.manifest.connector)(settings, services))

    def sandbox(self) -> Callable[..., Any] | None:
        """The function that makes this product's sandbox; None when the connector has none."""
        return self._call(self.manifest.sandbox) if self.manifest.sandbox else None

    def contract(self) -> Any:
        """The ``Contract`` that the connector is tried by (``hub.connect.contract``); None when it declares none."""
        return self._call(self.manifest.contract)() if self.manifest.contract else None

    def known(self) -> Known | None:
        """What ``capabilities.yaml`` beside the manifest says; None when the connector was never verified."""
        return read_known(self.folder / CAPABILITIES)

    def resources(self) -> list[Resource]:
        """The resources as a fresh account has them, known without touching a system; empty when there are none
        (a database has only its own)."""
        if self.by is not None:
            return self._declared()[0]
        if self.manifest.schemas:
            return list(self._call(self.manifest.schemas)())
        return [_read_resource(path) for path in sorted((self.folder / "schemas").glob("*.json"))]

    @property
    def declaration(self) -> Path:
        """The manifest of a product by declaration."""
        return self.file or self.folder / MANIFEST

    def problems(self) -> list[Problem]:
        """What is wrong with a product's declaration; empty for connectors with code of their own."""
        return self._declared()[1] if self.by is not None else []

    def _declared(self) -> tuple[list[Resource], list[Problem]]:
        if self.by is None or self.by.manifest.declared is None:
            raise ConfigurationError(
                f"the connector {self.manifest.by!r} reads no declarations",
                where=str(self.declaration),
                cure="write 'connector: rest', or module:function of your own code",
            )
        return cast("tuple[list[Resource], list[Problem]]", self.by._call(self.by.manifest.declared)(self.declaration))

    def module(self, name: str) -> ModuleType:
        """One of the connector's modules (``"connector"``, ``"sandbox.server"``)."""
        try:
            with _lock:
                return importlib.import_module(f"{self._loaded_package()}.{name}")
        except ImportError as error:
            raise ConfigurationError(
                f"connector {self.name!r} can't be loaded: {error}",
                where=str(self.folder),
                cure="install what it needs (see its README.md)",
            ) from error
        except SyntaxError as error:
            where = f"{error.filename}:{error.lineno}:{error.offset}"
            raise ConfigurationError(f"connector {self.name!r} can't be loaded: {error.msg}", where=where) from error

    def _call(self, target: str) -> Callable[..., Any]:
        module, _, function = target.partition(":")
        found = getattr(self.module(module), function, None)
        if not callable(found):
            raise ConfigurationError(
                f"{target!r} names no function of connector {self.name!r}", where=str(self.folder / MANIFEST)
            )
        return cast(Callable[..., Any], found)

    def _loaded_package(self) -> str:
        return self.package or _load_folder(self.name, self.folder)


def find(name: str, project_dir: Path | str | None = None, *, manifest: str | None = None) -> ConnectorEntry:
    """The connector of this name. Raises ConfigurationError, with a suggestion, when there is none.

    ``manifest``: a product's own declaration, as a system's settings name it (``connector: rest``); relative paths
    begin at the project's folder.
    """
    for found, origin, place in _places(project_dir):
        if found == name:
            entry = _entry(name, origin, place)
            if entry.manifest.by is not None:
                return replace(entry, by=_declaring(entry, project_dir))
            if manifest and entry.manifest.declared:
                path = Path(project_dir or ".") / manifest
                said = read_declaration(path)
                return ConnectorEntry(said.name, said, path.parent, "project", by=entry, file=path)
            return entry
    known = names(project_dir)
    near = difflib.get_close_matches(name, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"known connectors: {', '.join(known)}"
    raise ConfigurationError(f"no connector {name!r}", cure=cure)


def _declaring(entry: ConnectorEntry, project_dir: Path | str | None) -> ConnectorEntry:
    try:
        return find(str(entry.manifest.by), project_dir)
    except ConfigurationError as error:
        where = place_of(entry.declaration, "connector")
        raise ConfigurationError(f"connector: {error.what}", where=where, cure=error.cure) from None


def names(project_dir: Path | str | None = None) -> list[str]:
    """Names of all connectors that ``find`` would find, sorted."""
    return sorted({name for name, _, _ in _places(project_dir)})


def _places(project_dir: Path | str | None) -> Iterator[tuple[str, Origin, Path | EntryPoint]]:
    folders: list[tuple[Origin, Path]] = [("bundled", bundled_dir("connectors"))]
    if project_dir is not None:
        folders.insert(0, ("project", Path(project_dir).resolve() / "connectors"))
    for origin, folder in folders:
        for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
            yield manifest.parent.name, origin, manifest.parent
    for point in entry_points(group=GROUP):
        yield point.name, "package", point


def _entry(name: str, origin: Origin, place: Path | EntryPoint) -> ConnectorEntry:
    if isinstance(place, Path):
        return ConnectorEntry(name, read_manifest(place), place, origin)
    try:
        spec = importlib.util.find_spec(place.module)
    except ImportError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"the entry point of connector {name!r} names {place.module!r}, which is no installed package",
            where=f"entry point group {GROUP}",
            cure="install that package again",
        )
    folder = Path(next(iter(spec.submodule_search_locations)))
    manifest = read_manifest(folder)
    return ConnectorEntry(name, manifest, folder, origin, package=place.module)


def _load_folder(name: str, folder: Path) -> str:
    """Make ``folder`` importable and say as what. Two projects' connectors of one name may live in one process: the
    second gets a name of its own."""
    with _lock:
        package = f"{NAMESPACE}.{name}"
        loaded = sys.modules.get(package)
        if loaded is not None and str(folder) not in [str(Path(p).resolve()) for p in loaded.__path__]:
            package = f"{package}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
            loaded = sys.modules.get(package)
        if loaded is None:
            _make_package(package, folder)
        return package


def _make_package(package: str, folder: Path) -> None:
    init = folder / "__init__.py"
    loader_spec = importlib.util.spec_from_file_location(
        package, init if init.is_file() else None, loader=None, submodule_search_locations=[str(folder)]
    )
    if loader_spec is None or loader_spec.loader is None:
        module = ModuleType(package)
        module.__path__ = [str(folder)]
        sys.modules[package] = module
        return
    module = importlib.util.module_from_spec(loader_spec)
    sys.modules[package] = module
    try:
        loader_spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[package]
        raise


def _make_namespace() -> None:
    """``import hub_connectors.<bundled>.<module>`` works as soon as this module is imported (tests rely on it)."""
    if NAMESPACE not in sys.modules:
        namespace = ModuleType(NAMESPACE, "Connectors, as the registry found them.")
        namespace.__path__ = [str(bundled_dir("connectors"))]
        sys.modules[NAMESPACE] = namespace


def _read_resource(path: Path) -> Resource:
    try:
        return _resource_adapter().validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"not a resource's description: {error}", where=str(path)) from error


def _resource_adapter() -> TypeAdapter[Resource]:
    return TypeAdapter(Resource)


_make_namespace()
