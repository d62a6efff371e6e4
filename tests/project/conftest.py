"""A small project with a connector of its own, so that these tests need no product."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

MANIFEST = """
name: memo
title: Memo
secrets: [token]
"""

CONNECTOR = """
from hub.connect.capabilities import Field, Resource
from hub.errors import ConfigurationError, Unavailable

COMMON = (Field("no", "text"), Field("title", "text"), Field("limit", "decimal"), Field("owner", "reference"))


def open_connector(settings, services):
    unknown = set(settings) - {"token", "url", "down", "readonly", "extra_field"}
    if unknown:
        raise ConfigurationError(f"unknown setting {min(unknown)!r}", where=f"{services.system}.{min(unknown)}")
    return Memo(settings, services)


class Memo:
    name = "memo"

    def __init__(self, settings, services):
        self.settings = settings
        self.services = services
        self.asked = 0
        self.closed = False

    def check(self):
        raise NotImplementedError

    def describe(self, resource=None):
        self.asked += 1
        if self.settings.get("down"):
            raise Unavailable("the memo server does not answer", where=self.services.system)
        extra = (Field(self.settings["extra_field"], "text"),) if "extra_field" in self.settings else ()
        writable = not self.settings.get("readonly")
        known = [Resource(name, fields=COMMON + extra, writable=writable) for name in ("People", "Firms")]
        found = [r for r in known if resource in (None, r.name)]
        if not found:
            raise ConfigurationError(f"no resource {resource!r}", cure="there are: People, Firms")
        return found

    def list_changes(self, resource, cursor, fields, options):
        return iter(())

    def create(self, resource, writes, fields, options):
        return []

    def update(self, resource, writes, fields, options):
        return []

    def close(self):
        self.closed = True
        if self.settings.get("url") == "bad-close":
            raise RuntimeError("can't close")
"""

MAPPING = """
version: 1
resource: People
entity: customer
match: [number]
fields:
  number: no
  name: title
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with the connector ``memo`` and its mapping People → customer; hub.yaml is still missing."""
    project = tmp_path / "acme"
    write(project / "connectors/memo/manifest.yaml", MANIFEST)
    write(project / "connectors/memo/connector.py", CONNECTOR)
    write(project / "mappings/memo/People.yaml", MAPPING)
    return project


@pytest.fixture
def hub_yaml(folder: Path) -> Callable[[str], Path]:
    """Writes hub.yaml and returns the project's folder."""

    def made(text: str) -> Path:
        write(folder / "hub.yaml", text)
        return folder

    return made


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), "utf-8")
