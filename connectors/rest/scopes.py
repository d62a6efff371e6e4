"""What can be filled into a text, by where the text stands in a manifest."""

from __future__ import annotations

from hub.connect.reading import Where

SETTINGS = ("url", "verify", "timeout", "calls_per_second", "calls_per_day", "page")
"""Settings that every system of every product has."""
EACH = frozenset({"each", "make"})
"""``{each: "{record.items}", make: {id: "{item.id}"}}`` in a body is a list: ``make`` for each {item}."""
_SIGNED = frozenset({"settings", "method", "path", "query", "body", "body_digest", "time", "nonce"})
_AUTH = frozenset({"settings"})
_OPERATIONS: dict[str, frozenset[str]] = {
    "list": frozenset(),
    "get": frozenset({"id"}),
    "lookup": frozenset({"field", "values", "value"}),
    "create": frozenset({"record", "records", "key"}),
    "upsert": frozenset({"record", "key"}),
    "update": frozenset({"record", "records", "id", "key", "version"}),
    "delete": frozenset({"id", "ids", "version"}),
}


def known_names(where: Where) -> frozenset[str] | None:
    """The names that may be filled in at a place; None where an answer is filled in, which may hold anything."""
    if "make" in where:
        return (known_names(where[: where.index("make")]) or frozenset()) | {"item"}
    top = where[0] if where else ""
    if top == "auth":
        return _auth(where)
    if top == "check":
        return None if len(where) > 1 and where[1] in ("identity", "details") else _AUTH
    if top == "webhooks":
        return _webhooks(where)
    if top == "describe":
        return frozenset({"settings", "resource"})
    if top == "defaults":
        return _resource(where[1:])
    if top == "resources":
        return _resource(where[2:])
    return _AUTH


def _auth(where: Where) -> frozenset[str]:
    way, part = (*where, "", "", "")[1:3]
    if way == "hmac":
        return _SIGNED if part == "sign" else _SIGNED | {"signature"} if part in ("header", "param") else _AUTH
    if way in ("login", "oauth2") and part in ("header", "param"):
        return _AUTH | {"token"}
    return _AUTH


def _webhooks(where: Where) -> frozenset[str]:
    if where[1:2] == ("subscribe",):
        return frozenset({"settings", "resource", "callback", "secret"})
    return frozenset({"settings", "secret", "body"})


def _resource(where: Where) -> frozenset[str]:
    base = frozenset({"settings", "resource"})
    first = str(where[0]) if where else ""
    if first == "actions":
        return base | {"id", "record", "value"}
    if first == "lines":
        part = where[2] if len(where) > 2 else ""
        line = {"create": {"line"}, "update": {"line", "line_id"}, "delete": {"line", "line_id"}}.get(str(part), set())
        return base | {"id"} | line
    if first == "archive":
        return base
    names = base | _OPERATIONS.get(first, frozenset())
    return names | {"since"} if "changes" in where else names | {"part"} if "parts" in where else names
