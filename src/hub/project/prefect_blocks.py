"""Secrets kept in blocks of a Prefect server, read over its REST API: importing Prefect would cost two seconds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hub.errors import ConfigurationError

TIMEOUT = 15
"""Seconds."""


def block_secret(reference: str, environment: Mapping[str, str] | None = None) -> str | None:
    """``block-name`` (its only value) or ``block-name/key`` (one member). None when the block or the key is missing.

    The server is the one Prefect's own settings name: ``PREFECT_API_URL``, with ``PREFECT_API_KEY`` or
    ``PREFECT_API_AUTH_STRING``. Raises ConfigurationError when it is not configured, not reachable, or refuses.
    """
    environment = os.environ if environment is None else environment
    url = environment.get("PREFECT_API_URL", "").rstrip("/")
    if not url:
        raise ConfigurationError(
            f"${{prefect:{reference}}} needs a Prefect server, and PREFECT_API_URL is not set",
            cure="set PREFECT_API_URL, or keep the secret in .env",
        )
    name, _, key = reference.partition("/")
    for document in _documents(url, name, environment):
        value = _member(document.get("data") or {}, key)
        if isinstance(value, (str, int)):
            return str(value)
    return None


def _documents(url: str, name: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    import requests

    headers = {}
    auth: tuple[str, str] | None = None
    if key := environment.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    elif pair := environment.get("PREFECT_API_AUTH_STRING"):
        user, _, password = pair.partition(":")
        auth = (user, password)
    body = {"block_documents": {"name": {"any_": [name]}, "is_anonymous": {"eq_": False}}, "include_secrets": True}
    try:
        answer = requests.post(
            f"{url}/block_documents/filter",
            json=body,
            headers=headers,
            auth=auth,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        found = answer.json() if answer.ok else None
    except (requests.RequestException, ValueError) as error:
        raise ConfigurationError(
            f"the Prefect server at {url} can't be read: {type(error).__name__}", cure="check PREFECT_API_URL"
        ) from None
    if not isinstance(found, list):
        raise ConfigurationError(
            f"the Prefect server at {url} answers {answer.status_code} when asked for the block {name!r}",
            cure="check PREFECT_API_URL and PREFECT_API_KEY or PREFECT_API_AUTH_STRING",
        )
    return found


def _member(data: dict[str, Any], key: str) -> Any:
    """One member of a block's data; Secret and JSON blocks keep theirs below ``value``."""
    inner = data.get("value")
    if key:
        return inner.get(key) if isinstance(inner, dict) and key in inner else data.get(key)
    return inner if inner is not None else next(iter(data.values()), None) if len(data) == 1 else None
