"""Recycled: records that were deleted in a system, and that somebody there took out of the recycle bin again."""

from __future__ import annotations

from collections.abc import Sequence

from hub.connect.capabilities import Get, Remote
from hub.errors import AuthenticationError, HubError, RateLimited
from hub.store import shadows
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync.context import Pass
from hub.sync.intake import Intake
from hub.sync.plan import Step
from hub.sync.policy import Endpoint

Item = tuple[Stored, Shadow | None, Step]
GET_BATCH = 100


def still_gone(job: Pass, endpoint: Endpoint, intake: Intake, items: Sequence[Item]) -> Sequence[Item]:
    """The creates that may be made. Of what was there before, the system is asked first: what is back is taken in
    again, or there would be two of it; and what can't be asked for stays to be planned again."""
    ids = [shadow.remote_id for _, shadow, _ in items if shadow is not None]
    if not ids or not isinstance(endpoint.connector, Get):
        return items
    try:
        seen = [
            remote for start in range(0, len(ids), GET_BATCH) for remote in _seen(endpoint, ids[start:][:GET_BATCH])
        ]
    except HubError as error:
        job.failed(endpoint, error, down=isinstance(error, (AuthenticationError, RateLimited)))
        return [item for item in items if item[1] is None]
    back = {remote.id: remote for remote in seen if remote.record is not None and not remote.deleted}
    if back:
        with job.transaction(endpoint.entity) as connection:
            if endpoint.direction == "out":  # nothing is read there that could say so
                shadows.set_gone(connection, endpoint.system, endpoint.entity, list(back), None)
            intake.take(connection, list(back.values()))
        job.again = True
    return [item for item in items if item[1] is None or item[1].remote_id not in back]


def _seen(endpoint: Endpoint, ids: list[str]) -> list[Remote]:
    assert isinstance(endpoint.connector, Get)
    lens = endpoint.lens
    return endpoint.connector.get(endpoint.resource.name, ids, lens.remote_fields, lens.read_options)
