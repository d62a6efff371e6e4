"""A user's own project as the ground of a simulation: its mappings and policies, against systems made from what is
known of its resources. Reaches no system."""

from __future__ import annotations

from pathlib import Path

from hub.errors import ConfigurationError
from hub.mapping.operators.python import load_functions
from hub.project import open_project
from hub.simulate.ground import Ground, Part


def ground_of(folder: Path) -> Ground:
    """The project in this folder. Raises ConfigurationError when its files are wrong or nothing in it can be simulated:
    an entity needs two systems, and a match rule over a text that all of them read and write."""
    project = open_project(folder, connect=False)
    functions, _ = load_functions(folder / "functions")
    parts = {
        (e.system, e.entity): Part(e.system, e.entity, e.direction, e.lens, e.resource, e.unproven)
        for e in project.setup.endpoints
    }
    policies = dict(project.setup.policies)
    for entity in list(policies):
        if sum(of == entity for _, of in parts) < 2:
            del policies[entity]
    if not policies:
        raise ConfigurationError(
            "no entity has two systems that keep it",
            where=str(folder / "hub.yaml"),
            cure="name two systems at an entity",
        )
    parts = {key: part for key, part in parts.items() if key[1] in policies}
    return Ground(project.setup.specs, policies, parts, functions=functions).settle()
