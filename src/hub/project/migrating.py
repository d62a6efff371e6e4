"""``hub migrate``: rewrites the files of a project that are of an earlier version of the language."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import ConfigurationError
from hub.mapping.grammar import VERSION
from hub.mapping.migrations import Change, Kind, rewritten, version_of
from hub.mapping.reading import read_yaml
from hub.project.finding import HUB_YAML

_BOM = "\ufeff"


@dataclass(slots=True)
class Migrated:
    """What ``hub migrate`` did (or would do) with one file."""

    file: Path
    before: int
    changes: list[Change] = field(default_factory=list)
    """Empty: the file was of the present version."""

    @property
    def after(self) -> int:
        return VERSION


def files_of(path: Path) -> Iterator[tuple[Path, Kind]]:
    """The files below a folder (or the one file) that have a version: ``hub.yaml`` and mappings, no examples.

    Raises ConfigurationError for a single file that is neither.
    """
    if path.is_file():
        kind = _kind(path)
        if kind is None:
            raise ConfigurationError(
                "this is neither hub.yaml nor a mapping",
                where=str(path),
                cure="a mapping has version:, resource: and entity:",
            )
        yield path, kind
        return
    for found in sorted(path.rglob("*.y*ml")):
        hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
        if not hidden and found.is_file() and (kind := _kind(found)) is not None:
            yield found, kind


def migrate(file: Path, kind: Kind, *, write: bool) -> Migrated:
    """Rewrite one file in the present version; ``write=False`` only looks.

    Raises ConfigurationError where that can't be done; the file is then as it was.
    """
    raw = file.read_bytes().decode("utf-8-sig")
    made, changes = rewritten(raw, kind, file=str(file))
    before = version_of(read_yaml(raw)[0].data) or VERSION  # type: ignore[union-attr]
    if write and changes:
        _replace(file, (_BOM if file.read_bytes().startswith(_BOM.encode()) else "") + made)
    return Migrated(file, before, changes)


def outdated(files: list[Path]) -> list[Path]:
    """Which of these are of an earlier version."""
    found = []
    for file in files:
        section, _ = read_yaml(file)
        said = version_of(section.data) if section is not None else None
        if said is not None and said < VERSION:
            found.append(file)
    return found


def _kind(path: Path) -> Kind | None:
    if path.name == HUB_YAML:
        return "project"
    if path.stem.endswith("_test"):
        return None
    section, _ = read_yaml(path)
    data = section.data if section is not None else None
    return "mapping" if isinstance(data, dict) and {"resource", "entity"} <= data.keys() else None


def _replace(file: Path, text: str) -> None:
    """All or nothing: a machine that goes down meanwhile leaves the old file or the new one. Its permissions stay."""
    target = file.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
