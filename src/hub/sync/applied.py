"""The mapping that was last applied, remembered in the store: what a changed one is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.mapping.grammar import VERSION
from hub.mapping.lens import Lens
from hub.mapping.load import load
from hub.mapping.migrations import upgraded
from hub.mapping.reading import plain_section
from hub.model.spec import EntitySpec
from hub.store import runs
from hub.store.codec import dumps, loads
from hub.sync.lineage import remember_lines
from hub.sync.policy import Budget, Endpoint, EntityPolicy


class Applied(NamedTuple):
    """A mapping as it was when a pass last used it."""

    version: str
    said: dict[str, Any]


def remember(connection: Connection, endpoint: Endpoint) -> None:
    """Note that a pass used this endpoint's mapping; nothing is written where that is known already."""
    said = getattr(endpoint.lens, "said", None)
    known = last(connection, endpoint.system, endpoint.entity)
    if said and (known is None or known.version != endpoint.lens.version):
        remember_lines(connection, endpoint)
        text = dumps({"version": endpoint.lens.version, "said": _packed(said)})
        runs.set_setting(connection, _name(endpoint.system, endpoint.entity), text)


def policy_is_known(connection: Connection, policy: EntityPolicy) -> bool:
    """Whether a pass worked by this very policy last."""
    return runs.setting(connection, f"policy:{policy.entity}") == _said(policy)


def remember_policy(connection: Connection, policy: EntityPolicy) -> None:
    """Note that a pass works by this policy."""
    runs.set_setting(connection, f"policy:{policy.entity}", _said(policy))


def _said(policy: EntityPolicy) -> str:
    shallow = {part.name: getattr(policy, part.name) for part in fields(policy)}
    return dumps({**shallow, "budget": asdict(policy.budget)})


def last_policy(connection: Connection, entity: str) -> EntityPolicy | None:
    """The policy that a pass last worked by; None when none has noted it."""
    text = runs.setting(connection, f"policy:{entity}")
    if text is None:
        return None
    found = loads(text)
    found["budget"] = Budget(**found["budget"])
    found["conflict"] = _rule(found["conflict"])
    found["field_conflict"] = {name: _rule(rule) for name, rule in found["field_conflict"].items()}
    return EntityPolicy(**found)


def _rule(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said


def last(connection: Connection, system: str, entity: str) -> Applied | None:
    """The mapping that was last applied; None when no pass has noted it."""
    text = runs.setting(connection, _name(system, entity))
    if text is None:
        return None
    found = loads(text)
    return Applied(found["version"], _unpacked(found["said"]))


def compiled(
    applied: Applied, endpoint: Endpoint, specs: dict[str, EntitySpec], functions: Mapping[str, Any] | None
) -> Lens | None:
    """The mapping as it was, compiled again; None when it no longer fits the model or the system's description."""
    resource = endpoint.resource if endpoint.resource.fields else None
    functions = None if functions is None else dict(functions)
    top = f"version: {VERSION}\n"
    said, problems = upgraded(plain_section(applied.said, "as applied"), "mapping")
    if problems:
        return None  # a later hub applied it
    lens, _ = load(top, specs=specs, resource=resource, overrides=said, functions=functions, file="as applied")
    if lens is None:
        lens, _ = load(top, specs=specs, overrides=said, functions=functions, file="as applied")
    return lens


def _name(system: str, entity: str) -> str:
    return f"mapping:{system}:{entity}"


def _packed(data: Any) -> Any:
    """YAML as JSON: keys may be numbers, booleans or null there, and numbers have exact fractions."""
    if isinstance(data, dict):
        return {"map": [[_packed(key), _packed(value)] for key, value in data.items()]}
    if isinstance(data, (list, tuple)):
        return [_packed(item) for item in data]
    return {"number": str(data)} if isinstance(data, Decimal) else data


def _unpacked(data: Any) -> Any:
    if isinstance(data, list):
        return [_unpacked(item) for item in data]
    if isinstance(data, dict):
        if "number" in data:
            return Decimal(data["number"])
        return {_unpacked(key): _unpacked(value) for key, value in data["map"]}
    return data
