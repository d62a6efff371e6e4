"""Finds the mapping file of each system and entity.

The first of these folders that has a mapping of the entity decides: ``<project>/mappings/<system>/``,
``<project>/mappings/<connector>/``, the bundled ``mappings/<connector>/``. One resource per system and entity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hub.connect.bundled import bundled_dir
from hub.mapping.reading import read_yaml

_HEAD = re.compile(r"^(entity|resource)[ \t]*:[ \t]*([\w.\-]+)[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file, as far as one must know it to choose it."""

    path: Path
    entity: str
    resource: str


def mapping_folders(project: Path, system: str, connector: str) -> list[Path]:
    """Where mappings of a system are looked for, in order."""
    own = project / "mappings"
    return [own / system, own / connector, bundled_dir("mappings") / connector]


def mapping_files(folder: Path) -> list[MappingFile]:
    """The mapping files of a folder, without examples (``*_test.yaml``)."""
    paths = sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml") and not p.stem.endswith("_test"))
    return [found for path in paths if (found := _head(path)) is not None]


def find_mapping(folders: list[Path], entity: str, resource: str | None) -> list[MappingFile]:
    """The candidates in the first folder that has any; more than one means that the project has to choose."""
    for folder in folders:
        found = [f for f in mapping_files(folder) if f.entity == entity and resource in (None, f.resource)]
        if found:
            return found
    return []


def _head(path: Path) -> MappingFile | None:
    """``entity`` and ``resource`` of a file; None when it has none. Parsing the whole file costs a hundred times more,
    and is done only for files that write the two in an unusual way."""
    try:
        found = dict(_HEAD.findall(path.read_text("utf-8-sig")))
    except (OSError, UnicodeDecodeError):
        return None
    if len(found) < 2:
        section, _ = read_yaml(path)
        data = section.data if section else None
        found = {k: str(v) for k, v in data.items() if k in ("entity", "resource")} if isinstance(data, dict) else {}
    if "entity" not in found:
        return None
    return MappingFile(path, found["entity"], found.get("resource", path.stem))
