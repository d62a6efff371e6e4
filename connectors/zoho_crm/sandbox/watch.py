"""Change notifications: channels below ``/actions/watch`` and their callbacks (API pages "Notification APIs").

How callbacks travel, and what goes wrong with them on their way (lost, sent twice, late, out of order, forged), is the
sandbox kit's ``Sender``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connect.sandbox_hooks import Message, Sender

from ..seed import MODULES, module_id
from . import problems
from .problems import ApiProblem
from .records import Records

Body = dict[str, Any]
Reply = tuple[int, Body | None]
LONGEST, SHORTEST = timedelta(weeks=1), timedelta(hours=1)
LONGEST_TOKEN = 50
OPERATIONS = {"create": "insert", "update": "update", "delete": "delete"}
EVENTS = {"create": "create", "edit": "update", "delete": "delete"}
_MESSAGES = {
    "enable": "Successfully subscribed for actions-watch of the given module",
    "change": "Successfully updated the subscribe details",
    "remove": "Successfully removed the subscribe details",
    "disable": "Successfully un-subscribed from actions-watch",
}


@dataclass(slots=True)
class Channel:
    """One subscription."""

    id: str
    events: list[str]
    url: str
    token: str | None
    expires: datetime
    values: bool = False
    related: bool = True


@dataclass
class Watch:
    """All channels of the org."""

    records: Records
    channels: dict[str, Channel] = field(default_factory=dict)
    sender: Sender = field(default_factory=Sender)

    def enable(self, body: Any, *, existing: bool = False) -> Reply:
        """``POST`` (201) and ``PUT`` (200): set channels up, or anew."""
        results = [self._enable(one, at, existing) for at, one in enumerate(_entries(body))]
        return _summed(results, 200 if existing else 201)

    def change(self, body: Any) -> Reply:
        """``PATCH``: change some keys, or drop events (``_delete_events``)."""
        return _summed([self._change(one, at) for at, one in enumerate(_entries(body))], 200)

    def disable(self, params: Mapping[str, str]) -> Reply:
        """``DELETE ?channel_ids=``"""
        ids = [i for i in params.get("channel_ids", "").split(",") if i]
        if not ids:
            raise problems.missing_param("channel_ids")
        results = []
        for id in ids:
            channel = self.channels.pop(id, None)
            if channel is None:
                results.append(problems.error("NOT_SUBSCRIBED", "user has not subscribed for this channel", {"id": id}))
            else:
                results.append(problems.success(_MESSAGES["disable"], {"channel_id": id}))
        return _summed(results, 200)

    def list(self, params: Mapping[str, str]) -> Reply:
        """``GET``: channels that have not ended; 204 when there are none."""
        now, wanted, module = self.records.now(), params.get("channel_id"), params.get("module")
        found = [
            self._shown(channel, event)
            for channel in self.channels.values()
            for event in channel.events
            if channel.expires > now and wanted in (None, channel.id) and module in (None, event.partition(".")[0])
        ]
        if not found:
            return 204, None
        return 200, {"watch": found, "info": {"per_page": 200, "count": len(found), "page": 1, "more_records": False}}

    def note(self, module: str, id: str, action: str, values: Body) -> None:
        """A record changed: queue a callback for every channel that wants to know."""
        now = self.records.now()
        for channel in self.channels.values():
            if channel.expires <= now or not _wanted(channel.events, module, action):
                continue
            fields = [*values, "Modified_Time"] if action == "update" else []
            body = {
                "server_time": int(now.timestamp() * 1000), "query_params": {}, "module": module,
                "resource_uri": f"https://www.zohoapis.com/crm/v2/{module}", "ids": [id],
                "operation": OPERATIONS[action], "channel_id": channel.id, "token": channel.token,
                "affected_fields": [{id: fields}] if fields else [],
            }  # fmt: skip
            if channel.values and fields:
                body["affected_values"] = [{"record_id": id, "values": values}]
            self._post(channel.url, body)

    def flush(self) -> None:
        """Wait until every callback queued so far has been sent."""
        self.sender.flush()

    # --- channels -------------------------------------------------------------------------------------

    def _enable(self, one: Body, at: int, existing: bool) -> Body:
        for name in ("channel_id", "events", "notify_url"):
            if not one.get(name):
                return problems.mandatory(name, f"$.watch[{at}].{name}")
        wrong = _wrong(one, at)
        if wrong:
            return wrong
        id = str(one["channel_id"])
        if existing and id not in self.channels:
            return problems.error("NOT_SUBSCRIBED", "user has not subscribed for this channel", {"id": id})
        channel = self.channels[id] = Channel(
            id, list(one["events"]), one["notify_url"], one.get("token"), self._expiry(one.get("channel_expiry")),
            bool(one.get("return_affected_field_values")), bool(one.get("notify_on_related_action", True)),
        )  # fmt: skip
        return problems.success(_MESSAGES["enable"], {"events": [self._told(channel, e) for e in channel.events]})

    def _change(self, one: Body, at: int) -> Body:
        channel = self.channels.get(str(one.get("channel_id")))
        if channel is None:
            id = str(one.get("channel_id"))
            return problems.error("NOT_SUBSCRIBED", "user has not subscribed for this channel", {"id": id})
        wrong = _wrong(one, at)
        if wrong:
            return wrong
        if one.get("_delete_events"):
            channel.events = [e for e in channel.events if e not in one.get("events", [])]
            if not channel.events:
                del self.channels[channel.id]
            return problems.success(_MESSAGES["remove"], {"channel_id": channel.id})
        channel.events = list(one.get("events") or channel.events)
        channel.url = one.get("notify_url") or channel.url
        channel.token = one.get("token") or channel.token
        if "channel_expiry" in one:
            channel.expires = self._expiry(one["channel_expiry"])
        return problems.success(_MESSAGES["change"], {"events": [self._told(channel, e) for e in channel.events]})

    def _expiry(self, asked: Any) -> datetime:
        """A week at most; missing, or too far away: one hour, without a word."""
        now = self.records.now()
        try:
            moment = datetime.fromisoformat(str(asked)).astimezone(UTC)
        except ValueError:
            return now + SHORTEST
        return moment if now < moment <= now + LONGEST else now + SHORTEST

    def _told(self, channel: Channel, event: str) -> Body:
        module = event.partition(".")[0]
        return {
            "channel_expiry": self.records.org.local(channel.expires), "resource_id": module_id(module),
            "resource_uri": f"https://www.zohoapis.com/crm/v2/{module}", "resource_name": module,
            "channel_id": channel.id,
        }  # fmt: skip

    def _shown(self, channel: Channel, event: str) -> Body:
        return {
            **self._told(channel, event), "events": [event], "notify_url": channel.url, "token": channel.token,
            "fields": None, "notification_condition": None, "notify_on_related_action": channel.related,
            "return_affected_field_values": channel.values,
        }  # fmt: skip

    # --- callbacks ------------------------------------------------------------------------------------

    def _post(self, url: str, body: Body) -> None:
        def forged() -> Message:
            return Message(url, json.dumps({**body, "token": "guessed"}).encode())

        self.sender.post(Message(url, json.dumps(body).encode()), forged)


def _entries(body: Any) -> list[Body]:
    entries = body.get("watch") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
        raise ApiProblem(
            400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "watch", "json_path": "$.watch"}
        )
    return entries


def _wrong(one: Body, at: int) -> Body | None:
    if len(str(one.get("token") or "")) > LONGEST_TOKEN:
        return problems.invalid("token", f"$.watch[{at}].token", maximum_length=LONGEST_TOKEN)
    for place, event in enumerate(one.get("events") or []):
        module, _, kind = str(event).partition(".")
        if module not in MODULES or kind not in (*EVENTS, "all"):
            return problems.invalid("events", f"$.watch[{at}].events[{place}]")
    return None


def _wanted(events: list[str], module: str, action: str) -> bool:
    return any(
        name == module and (kind == "all" or EVENTS[kind] == action)
        for name, _, kind in (event.partition(".") for event in events)
    )


def _summed(results: list[Body], good: int) -> Reply:
    fine = sum(r["status"] == "success" for r in results)
    return good if fine == len(results) else 207 if fine else 400, {"watch": results}
