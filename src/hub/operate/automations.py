"""Automations and the notification block of a project, as bodies for Prefect's REST interface. Pure.

Names speak: Prefect shows a trigger of this kind only as "a custom trigger".
"""

from __future__ import annotations

import hashlib
from typing import Any

from hub.operate.artifacts import slug
from hub.operate.deployments import HEARTBEAT, fingerprint
from hub.project.schedule import Notify

SILENT = 3 * HEARTBEAT
"""Seconds without a sign of life after which a run counts as dead: less would end healthy runs."""
_RUNS = {"prefect.resource.id": ["prefect.flow-run.*"]}
# Suspended runs have no process, and so no heartbeat, on purpose.
_AT_REST = ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended")


def zombies() -> dict[str, Any]:
    """Ends runs whose process died together with its worker; the open-source server has nothing of the kind.

    Only runs with the tag ``hub``, and only after a first heartbeat: other flows on the server may have slower ones.
    """
    return _automation(
        "hub: end runs whose process is gone",
        f"A run that gave no sign of life for {SILENT} seconds is marked as crashed. Its work is safe: the next pass "
        "goes on where it stopped.",
        {
            "type": "event",
            "posture": "Proactive",
            "after": ["prefect.flow-run.heartbeat"],
            "expect": ["prefect.flow-run.heartbeat", *(f"prefect.flow-run.{state}" for state in _AT_REST)],
            "match": _RUNS,
            "match_related": _tagged("hub"),
            "for_each": ["prefect.resource.id"],
            "threshold": 1,
            "within": SILENT,
        },
        {
            "type": "change-flow-run-state",
            "state": "CRASHED",
            "message": f"no sign of life for {SILENT} seconds: its process is gone",
        },
    )


def failures(project: str, block_id: str | None) -> dict[str, Any]:
    """Tells when a run of this project failed or crashed: through the block, else only in the event feed."""
    action: dict[str, Any] = {"type": "do-nothing"}
    if block_id:
        action = {
            "type": "send-notification",
            "block_document_id": block_id,
            "subject": "hub: {{ flow_run.name }} {{ flow_run.state.name }}",
            "body": "{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
        }
    where = "the webhook of hub.yaml" if block_id else "the event feed (hub.yaml names no webhook: notify)"
    return _automation(
        f"hub {project}: tell when a run failed or crashed",
        f"Every failed or crashed run of {project} is told to {where}.",
        {
            "type": "event",
            "posture": "Reactive",
            "expect": ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"],
            "match": _RUNS,
            "match_related": _tagged(f"project:{project}"),
            "for_each": ["prefect.resource.id"],
            "threshold": 1,
            "within": 0,
        },
        action,
    )


def _tagged(tag: str) -> dict[str, Any]:
    return {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}


def _automation(name: str, description: str, trigger: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    body = {"name": name, "description": description, "trigger": trigger, "actions": [action]}
    mark = fingerprint(body)
    return {**body, "description": f"{description} ({mark})", "enabled": True}


BLOCK_TYPE = "custom-webhook"

_TEXT = "{{subject}}\n{{body}}"
_SHAPES: dict[str, dict[str, Any]] = {
    "json": {"subject": "{{subject}}", "body": "{{body}}"},
    "slack": {"text": _TEXT},
    "wecom": {"msgtype": "text", "text": {"content": _TEXT}},
    "dingtalk": {"msgtype": "text", "text": {"content": _TEXT}},
    "feishu": {"msg_type": "text", "content": {"text": _TEXT}},
}


def block(project: str, notify: Notify) -> tuple[str, dict[str, Any]]:
    """(name, data) of the block that posts to the project's webhook. The address is one of its secret values.

    The data's own ``name`` carries a fingerprint of it all: secrets come back masked, so this is what can be compared.
    """
    mark = hashlib.sha256(f"{notify.format} {notify.webhook}".encode()).hexdigest()[:10]
    data = {
        "name": f"hub {project} ({mark})",
        "url": "{{address}}",
        "method": "POST",
        "json_data": _SHAPES[notify.format],
        "timeout": 10,
        "allow_private_urls": True,
        "secrets": {"address": notify.webhook},
    }
    return block_name(project), data


def block_name(project: str) -> str:
    return slug("hub", project, "notify")
