"""A first manifest out of an OpenAPI description. What the description does not say is a comment to be answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from hub.connect.positions import Problem
from hub.connect.reading import read_yaml
from hub.errors import ConfigurationError

from .loading import load
from .openapi import Description, Found

_MODIFIED = ("updated_at", "date_updated", "updatedAt", "modified_at", "modifiedAt", "last_modified", "lastModified",
             "modified", "updated", "write_date", "LastUpdated", "changed_at", "changedAt")  # fmt: skip
_SINCE = ("updated_since", "modified_since", "updated_after", "modified_after", "since", "updatedSince", "updatedAfter",
          "updated_at[gte]", "updated_at[$gte]", "changed_since", "start_date")  # fmt: skip
_SIZES = ("per_page", "page_size", "pageSize", "perPage", "limit", "size", "count", "$top", "max_results", "pagelen")
_PAGES = ("page", "page_number", "pageNumber", "p")
_OFFSETS = ("offset", "skip", "start", "$skip", "startAt", "from")
_CURSORS = ("cursor", "page_token", "pageToken", "starting_after", "next_token", "nextToken", "after")
_NEXT = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "cursor", "next")
_TOTALS = ("total", "total_count", "totalCount", "count", "totalElements", "total_results")
_KEYS = ("external_id", "externalId", "external_ref", "reference_id", "client_reference")
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def draft(file: Path, name: str) -> tuple[str, list[Problem]]:
    """The manifest's text, and what is still wrong with it. Raises ConfigurationError for a file that describes
    nothing."""
    about = Description(_read(file))
    found = about.resources()
    if not found:
        raise ConfigurationError(
            "the description has no collection that can be read",
            where=str(file),
            cure="a collection is GET /things and GET /things/{id}; else write it by hand (docs/connectors/rest.md)",
        )
    text = "\n".join(_lines(about, found, name)) + "\n"
    return text, load(text, file=f"{name}/manifest.yaml")[1]


def _read(file: Path) -> dict[str, Any]:
    if file.suffix == ".json":
        # Descriptions grow to megabytes, for which a reader that knows positions is too slow.
        try:
            data = json.loads(file.read_bytes())
        except (OSError, ValueError) as problem:
            raise ConfigurationError(f"the description can't be read: {problem}", where=str(file)) from None
    else:
        section, problems = read_yaml(file)
        if section is None:
            raise ConfigurationError(problems[0].message, where=str(problems[0].position))
        data = section.data
    if not isinstance(data, dict) or not ({"openapi", "swagger"} & data.keys()):
        raise ConfigurationError("this is no OpenAPI description: it has no 'openapi:'", where=str(file))
    return cast("dict[str, Any]", _named(data))


def _named(part: Any) -> Any:
    """All keys as texts: YAML reads the status 200 as a number."""
    if isinstance(part, dict):
        return {str(key): _named(value) for key, value in part.items()}
    return [_named(one) for one in part] if isinstance(part, list) else part


def _lines(about: Description, found: list[Found], name: str) -> Iterator[str]:
    yield "# Drafted from an OpenAPI description. Lines with 'check:' say what it could not tell."
    yield "connector: rest"
    yield f"name: {name}"
    yield f"title: {_quoted(about.title or name)}"
    yield "version: 1"
    yield ""
    yield from _access(about)
    yield ""
    yield "# check: where refusals say why (a path into the answer), and which answers mean what (errors:)."
    yield "# message: error.message"
    yield ""
    yield "resources:"
    for one in found:
        yield from _resource(about, one)


def _access(about: Description) -> Iterator[str]:
    settings, auth = _auth(about)
    yield "settings:"
    default = f", default: {_quoted(about.server)}" if about.server.startswith("http") else ""
    yield f"  url: {{description: Address of the API{default}}}"
    yield from settings
    yield ""
    if auth:
        yield "auth:"
        yield from auth
    else:
        yield "# check: the description names no way to log in (auth:)."
    yield ""
    yield "# check: a call that tells who we are."
    yield '# check: {call: GET /me, identity: "{name}"}'


def _auth(about: Description) -> tuple[list[str], list[str]]:
    """Settings and the way of logging in; the first scheme that can do without a person."""
    for scheme in sorted(about.schemes().values(), key=lambda one: one.get("type") == "oauth2"):
        kind, how = scheme.get("type"), str(scheme.get("scheme") or "").lower()
        if kind == "apiKey" and scheme.get("in") in ("header", "query"):
            place = "header" if scheme["in"] == "header" else "param"
            return [_secret("key", "API key")], [f'  {place}: {{{_quoted(scheme["name"])}: "{{settings.key}}"}}']
        if (kind == "http" and how == "basic") or kind == "basic":
            settings = ["  user: Name of the hub's user", _secret("password", "Its password")]
            return settings, ['  basic: {user: "{settings.user}", password: "{settings.password}"}']
        if kind == "http" and how == "bearer":
            return [_secret("token", "Access token")], ['  bearer: "{settings.token}"']
        if kind == "oauth2":
            return _oauth(scheme)
    return [], []


def _oauth(scheme: dict[str, Any]) -> tuple[list[str], list[str]]:
    flows: dict[str, Any] = scheme.get("flows") or {str(scheme.get("flow") or ""): scheme}
    flow: dict[str, Any] = flows.get("clientCredentials") or flows.get("application") or {}
    grant = "client_credentials" if flow else "refresh_token"
    flow = flow or (next(iter(flows.values())) if flows else {})
    url = flow.get("tokenUrl") or "/oauth/token"
    settings = ["  client_id: Client id", _secret("client_secret", "Client secret")]
    lines = ["  oauth2:", f"    grant: {grant}", f"    url: {_quoted(url)}", '    client_id: "{settings.client_id}"',
             '    client_secret: "{settings.client_secret}"']  # fmt: skip
    if grant == "refresh_token":
        settings.append(_secret("refresh_token", "Refresh token, fetched once by a person"))
        lines.append('    refresh_token: "{settings.refresh_token}"')
    scopes = " ".join(map(str, flow.get("scopes") or ()))
    return settings, [*lines, *([f"    scope: {_quoted(scopes)}"] if scopes else [])]


def _secret(name: str, description: str) -> str:
    return f"  {name}: {{secret: true, description: {description}}}"


def _resource(about: Description, one: Found) -> Iterator[str]:
    fields = dict(about.fields(one.schema)) or {"id": {"type": "text"}}
    id = next((n for n in ("id", "uuid", "_id", f"{one.name.removesuffix('s')}_id", *fields) if n in fields), "id")
    modified = [name for name in _MODIFIED if name in fields]
    yield f"  {_quoted(one.name)}:"
    if id != "id":
        yield f"    id: {_quoted(id)}"
    if modified:
        yield f"    modified: {_quoted(modified[0])}"
    yield "    list:"
    yield f"      call: GET {one.path}"
    if one.rows != ".":
        yield f"      records: {one.rows}"
    yield from _paging(about, one)
    yield from _changes(about, one, modified)
    yield f'    get: {{call: "GET {one.item}"{"" if one.record == "." else f", record: {one.record}"}}}'
    yield from _writes(about, one)
    yield from _probe(about, one, fields)
    yield "    fields:"
    yield from (f"      {_quoted(name)}: {_flow(said)}" for name, said in fields.items())


def _paging(about: Description, one: Found) -> Iterator[str]:
    asked = about.parameters(one.operations["list"])
    answer = about.properties(about.answer(one.operations["list"]))
    parts: list[str] = []
    if way := _first(_CURSORS, asked):
        at = _first(_NEXT, answer)
        parts = [f"token: {way}", f"at: {at or 'next_cursor'}"]
        if at is None:
            yield "      # check: where the answer has the next cursor."
    elif way := _first(_PAGES, asked):
        parts = [f"page: {way}"]
    elif way := _first(_OFFSETS, asked):
        parts = [f"offset: {_quoted(way)}"]
    size = _first([name for name in _SIZES if name != way], asked) if parts else None
    if not parts:
        yield "      # check: the description names no way of paging; is it all in one answer?"
        return
    if size is not None:
        schema = asked[size].get("schema") or asked[size]
        parts += [f"size_param: {_quoted(size)}", f"size: {schema.get('maximum') or 100}"]
    total = _first(_TOTALS, answer)
    if total and not parts[0].startswith("token"):
        parts.append(f"total: {total}")
    yield f"      paging: {{{', '.join(parts)}}}"


def _changes(about: Description, one: Found, modified: list[str]) -> Iterator[str]:
    since = _first(_SINCE, about.parameters(one.operations["list"]))
    if since and modified:
        yield f'      changes: {{query: {{{_quoted(since)}: "{{since}}"}}}}'
    else:
        what = "a field with the moment of the last change" if not modified else "a parameter to narrow the list by it"
        yield f"      # check: {what} (changes:); without it every pass reads everything."


def _writes(about: Description, one: Found) -> Iterator[str]:
    done = one.operations
    if "create" in done:
        record, _ = about._record(about.answer(done["create"]))
        yield f'    create: {{call: "POST {one.path}", record: {_quoted(record)}}}'
    if "patch" in done or "put" in done or "post" in done:
        verb = next(verb for verb in ("patch", "put", "post") if verb in done)
        whole = ", send: whole" if verb == "put" else ""
        yield f'    update: {{call: "{verb.upper()} {one.item}"{whole}}}'
    if "delete" in done:
        yield f"    delete: DELETE {one.item}"


def _probe(about: Description, one: Found, fields: dict[str, Any]) -> Iterator[str]:
    if "create" not in one.operations:
        return
    asked = about.parameters(one.operations["list"])
    key = _first(_KEYS, fields)
    if key and key in asked:
        yield f"    key: {key}"
        yield f'    lookup: {{call: "GET {one.path}", most: 1, query: {{{key}: "{{value}}"}}, fields: [{key}]}}'
    else:
        yield "    # check: a field for the hub's key, and a list narrowed by it (key:, lookup:): without them a create"
        yield "    # whose answer was lost can't be found again, and goes to a person."


def _first(names: Iterable[str], there: Any) -> str | None:
    return next((name for name in names if name in there), None)


def _flow(said: dict[str, Any]) -> str:
    """A field in YAML's short form."""
    if said.keys() == {"type"}:
        return f"{said['type']}"
    parts = []
    for key, value in said.items():
        if key == "fields":
            shown = "{" + ", ".join(f"{_quoted(n)}: {_flow(f)}" for n, f in value.items()) + "}"
        elif isinstance(value, list):
            shown = "[" + ", ".join(map(_quoted, value)) + "]"
        else:
            shown = str(value).lower() if isinstance(value, bool) else str(value)
        parts.append(f"{key}: {shown}")
    return "{" + ", ".join(parts) + "}"


def _quoted(value: Any) -> str:
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
