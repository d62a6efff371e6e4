"""A mistake in a connector stays a matter of its own system.

What the hub did not foresee (``KeyError: 'id'``) is raised as an error of the closed list, so that the other systems go
on. During a write nobody knows how far it came: that is an unknown outcome, and is looked up before anything is sent
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from hub.connect.redact import redact
from hub.errors import HubError, UnexpectedAnswer, UnknownOutcome

_FEEDS = ("list_changes", "list_part", "list_ids")
_CALLS = ("check", "describe", "get", "probe")
_WRITES = ("create", "update", "delete", "finish")
_log = logging.getLogger("hub.connect")


def guard(connector: Any, system: str) -> None:
    """From now on what this connector raises when it reads or writes is a ``HubError``; the traceback goes to the
    log. Its other methods (what a call costs, webhooks) stay as they are."""
    for name in (*_FEEDS, *_CALLS, *_WRITES):
        method = getattr(connector, name, None)
        if method is not None:
            with_care = _in_pages if name in _FEEDS else _at_once
            setattr(connector, name, with_care(method, system, UnknownOutcome if name in _WRITES else UnexpectedAnswer))


def _at_once(method: Callable[..., Any], system: str, kind: type[HubError]) -> Callable[..., Any]:
    @wraps(method)
    def call(*given: Any, **named: Any) -> Any:
        try:
            return method(*given, **named)
        except HubError:
            raise
        except Exception as error:
            raise _told(error, method, system, given, kind) from error

    return call


def _in_pages(method: Callable[..., Iterator[Any]], system: str, kind: type[HubError]) -> Callable[..., Iterator[Any]]:
    @wraps(method)
    def pages(*given: Any, **named: Any) -> Iterator[Any]:
        try:
            yield from method(*given, **named)
        except HubError:
            raise
        except Exception as error:
            raise _told(error, method, system, given, kind) from error

    return pages


def _told(
    error: Exception, method: Callable[..., Any], system: str, given: tuple[Any, ...], kind: type[HubError]
) -> HubError:
    where = f"{system}/{given[0]}" if given and isinstance(given[0], str) else system
    what = redact(f"{type(error).__name__}: {error}")
    _log.error("%s: mistake in the connector's %s", where, method.__name__, exc_info=error)
    return kind(
        f"mistake in the connector's {method.__name__}: {what}",
        where=where,
        cure="tell whoever maintains the connector, with the traceback from the log",
    )
