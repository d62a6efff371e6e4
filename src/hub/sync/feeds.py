"""Feeds that were begun before their turn: who is read last decides whose new records are written while reading."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import chain

from hub.connect.capabilities import ListChanges, ListParts, Page
from hub.errors import HubError
from hub.sync.context import Pass
from hub.sync.policy import Endpoint

AHEAD = 1
"""Pages that are read before their turn: joined ones, so that the reader has enough to do. More would take memory."""


def in_order(job: Pass, endpoints: list[Endpoint]) -> list[Endpoint]:
    """The order of the project, but first what is not read at all, and what was never read and holds nothing: what is
    written to a new, empty system can then be written page by page while the full one is read. A system without records
    decides nothing, so its turn doesn't matter otherwise."""
    quiet = [endpoint for endpoint in endpoints if endpoint.direction == "out"]
    read = [endpoint for endpoint in endpoints if endpoint.direction != "out"]
    empty = [endpoint for endpoint in read[1:] if _shows_nothing(job, endpoint)]
    return [*quiet, *empty, *(endpoint for endpoint in read if endpoint not in empty)]


def opened(job: Pass, endpoint: Endpoint, start: str | None) -> Iterable[Page]:
    """The endpoint's feed from ``start``; the one that was begun already, if it was."""
    assert isinstance(endpoint.connector, ListChanges)
    begun = job.begun.pop((endpoint.system, endpoint.entity, endpoint.part), None)
    if begun is not None:
        return begun
    connector, name, lens = endpoint.connector, endpoint.resource.name, endpoint.lens
    if endpoint.part is None:
        return connector.list_changes(name, start, lens.remote_fields, lens.read_options)
    assert isinstance(connector, ListParts)
    return connector.list_part(name, endpoint.part, start, lens.remote_fields, lens.read_options)


def ahead(pages: Iterator[Page], pool: Callable[[int], Executor]) -> Iterator[Page]:
    """The same pages; the next ones are asked for while this one is being worked on. An error comes in its turn."""
    reader = pool(1)
    try:
        coming = deque(reader.submit(next, pages, None) for _ in range(AHEAD))
        while True:
            page = coming.popleft().result()
            if page is None:
                return
            coming.append(reader.submit(next, pages, None))
            yield page
    finally:
        reader.shutdown(cancel_futures=True)


def _shows_nothing(job: Pass, endpoint: Endpoint) -> bool:
    """Whether a system that was never read turns out to be empty. Its first page is kept for its turn."""
    key = (endpoint.system, endpoint.entity)
    if endpoint.system in job.down or key in job.blocked:
        return False
    if job.cursor(endpoint):
        return False
    pages: Iterator[Page] = iter(opened(job, endpoint, None))
    try:
        first = next(pages, Page([], None))
    except HubError:
        return False  # it will be told when its turn comes and it fails again
    job.begun[(*key, endpoint.part)] = chain([first], pages)
    return first.complete and not first.records
