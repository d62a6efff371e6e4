"""Doors: who may tell the hub of changes, what proves a message, and which records it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.connect import hooks
from hub.connect.capabilities import Get, Subscribe
from hub.errors import HubError, UnexpectedAnswer
from hub.project import Project
from hub.project.webhooks import Webhooks

LONGEST_ID = 200
MOST = 2000
"""Records that one message may tell of."""
Told = tuple[str, str, str]
"""(system, entity, remote id)."""


@dataclass(frozen=True, slots=True)
class Door:
    """One system's way in."""

    system: str
    key: str = field(repr=False)
    entities: Mapping[str, Sequence[str]]
    """Resource → the entities that are read from it."""
    connector: Any

    def told(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        """What a message tells of; nothing where it is about what the hub does not read.

        ``headers`` have names in lower case. Raises AuthenticationError when it is forged, other errors of
        ``hub.errors`` when it can't be understood.
        """
        found = hooks.read(headers, body, self.key)
        if found is None:
            if not isinstance(self.connector, Subscribe):
                raise UnexpectedAnswer("a message without the header X-Hub-Signature", where=self.system)
            found = self._asked(dict(headers), body)
        good = [(resource, id) for resource, id in found if id and len(id) <= LONGEST_ID and id.isprintable()]
        return [(self.system, entity, id) for resource, id in good[:MOST] for entity in self.entities.get(resource, ())]

    def _asked(self, headers: dict[str, str], body: bytes) -> list[tuple[str, str]]:
        try:
            return list(self.connector.hints(headers, body, self.key))
        except HubError:
            raise
        except Exception as error:
            # A stranger wrote this message: no shape of it may stop the intake.
            raise UnexpectedAnswer(f"{type(error).__name__} while reading a notification", where=self.system) from None


def doors_of(project: Project, webhooks: Webhooks) -> dict[str, Door]:
    """System → its door, of all systems that are read and can be asked for single records."""
    doors = {}
    for name, system in project.systems.items():
        entities: dict[str, list[str]] = {}
        for endpoint in project.setup.endpoints:
            if endpoint.system == name and endpoint.direction != "out" and isinstance(endpoint.connector, Get):
                entities.setdefault(endpoint.resource.name, []).append(endpoint.entity)
        if entities:
            doors[name] = Door(name, webhooks.key_of(name), entities, system.connector)
    return doors
