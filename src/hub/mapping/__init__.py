"""The mapping language: one YAML file ties one resource of one product to one canonical entity, in both directions.

    lens, problems = load(path, specs=entities(), resource=connector_resource)

``lens`` (see ``hub.mapping.lens.Lens``) translates records; ``problems`` say file:line:column, what is wrong and what
would be right. See ``docs/mappings.md`` for the language.
"""

from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Got, Lens, LensField, LensLines, Position, Problem
from hub.mapping.load import compile_mapping, load, require
from hub.mapping.operators import load_functions, pair, registered

__all__ = [
    "CompiledLens", "Got", "Lens", "LensField", "LensLines", "Position", "Problem", "compile_mapping", "load",
    "load_functions", "pair", "registered", "require",
]  # fmt: skip
