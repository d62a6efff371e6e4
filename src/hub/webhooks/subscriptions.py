"""Subscriptions: systems are asked to tell of changes, again before they forget it, and no longer when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connect.capabilities import Subscribe, Unsubscribe
from hub.errors import HubError
from hub.project import Project
from hub.project.webhooks import Webhooks
from hub.store import hints, runs
from hub.store.database import Store
from hub.sync.context import instant
from hub.sync.holder import is_dead
from hub.sync.leasing import is_taken

AGAIN = timedelta(hours=1)
"""After so long, what could not be asked for is asked for again."""
LEASE = timedelta(minutes=5)
Row = dict[str, Any]
_log = logging.getLogger("hub.webhooks")


@dataclass(frozen=True, slots=True)
class Wish:
    """One resource that a system shall tell of."""

    system: str
    resource: str
    address: str
    connector: Any


def wishes(project: Project, webhooks: Webhooks) -> Iterator[Wish]:
    """What is wanted: every resource that is read, of the systems that can be asked (and are named)."""
    seen = set()
    for endpoint in project.setup.endpoints:
        key = (endpoint.system, endpoint.resource.name)
        named = webhooks.systems is None or endpoint.system in webhooks.systems
        if named and endpoint.direction != "out" and key not in seen and isinstance(endpoint.connector, Subscribe):
            seen.add(key)
            yield Wish(*key, webhooks.address_of(endpoint.system), endpoint.connector)


class Subscriptions:
    """Keeps one project's subscriptions. Several processes may: one of them asks at a time."""

    def __init__(self, store: Store, owner: str, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.owner = f"{owner}/subscriptions"
        self.clock = clock

    def renew(self, project: Project, webhooks: Webhooks) -> list[Row]:
        """Ask for what is missing or will end, and end what is wanted no more; returns what was done."""
        wanted = {(wish.system, wish.resource): wish for wish in wishes(project, webhooks)}
        with self.store.read() as connection:
            known = {(row["system"], row["resource"]): row for row in hints.subscriptions(connection)}
        due = [wish for key, wish in wanted.items() if self._is_due(known.get(key), wish)]
        over = [row for key, row in known.items() if key not in wanted]
        if not due and not over:
            return []
        try:
            with self.store.begin() as connection:
                lease = runs.take_lease(
                    connection, "subscriptions", self.owner, self.clock(), LEASE.total_seconds(), is_dead
                )
        except HubError as error:
            if is_taken(error):
                return []
            raise
        try:
            return [*(self._end(project, row) for row in over), *(self._ask(known, webhooks, wish) for wish in due)]
        finally:
            with self.store.begin() as connection:
                runs.free_lease(connection, lease)

    def end(self, project: Project) -> list[Row]:
        """End all of them."""
        with self.store.read() as connection:
            rows = hints.subscriptions(connection)
        return [self._end(project, row) for row in rows]

    def _is_due(self, row: Row | None, wish: Wish) -> bool:
        if row is None or row["address"] != wish.address:
            return True
        now, asked = self.clock(), datetime.fromisoformat(row["asked_at"])
        if row["problem"]:
            return now - asked > AGAIN
        if not row["expires"]:
            return False
        # At half of its life: one that fails then has the other half to succeed.
        return now > asked + (_moment(row["expires"]) - asked) / 2

    def _ask(self, known: dict[tuple[str, str], Row], webhooks: Webhooks, wish: Wish) -> Row:
        before = known.get((wish.system, wish.resource))
        if before is not None and before["address"] != wish.address:
            _ended(wish.connector, wish.system, wish.resource, before["address"])
        row = {"system": wish.system, "resource": wish.resource, "address": wish.address, "problem": ""}
        row |= {"asked_at": instant(self.clock()), "expires": ""}
        try:
            row["expires"] = wish.connector.subscribe(wish.resource, wish.address, webhooks.key_of(wish.system)) or ""
        except HubError as error:
            row["problem"] = f"{error.what}{' → ' + error.cure if error.cure else ''}"
            row["expires"] = before["expires"] if before else ""
            _log.warning("%s does not tell of %s: %s", wish.system, wish.resource, error.what)
        with self.store.begin() as connection:
            hints.set_subscription(connection, row)
        return row

    def _end(self, project: Project, row: Row) -> Row:
        system = project.systems.get(row["system"])
        if system is not None:
            _ended(system.connector, row["system"], row["resource"], row["address"])
        with self.store.begin() as connection:
            hints.drop_subscription(connection, row["system"], row["resource"])
        return {**row, "problem": "", "expires": instant(self.clock())}


def _ended(connector: Any, system: str, resource: str, address: str) -> None:
    if not isinstance(connector, Unsubscribe):
        return
    try:
        connector.unsubscribe(resource, address)
    except HubError as error:  # it runs out by itself; what it still tells meets a door
        _log.warning("%s goes on telling of %s until it forgets: %s", system, resource, error.what)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
