"""The canonical model: the records that every system's records are translated to. It knows no other part of the hub.

``entities()`` gives the specs the engine and the mappings work with; they are read off the SQLModel classes, which are
also what an analyst queries. Importing this package loads no database library; asking for the entities does.
"""

from __future__ import annotations

from hub.model.spec import EntitySpec, FieldSpec, TypeName

__all__ = ["EntitySpec", "FieldSpec", "TypeName", "entities"]


def entities() -> dict[str, EntitySpec]:
    """The bundled entities by name, referred-to ones first; a new dict of shared specs."""
    from hub.model.registry import specs

    return dict(specs())
