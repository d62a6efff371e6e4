"""Observe: read what changed in a system since the cursor, a page at a time; find what was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from hub.connect.capabilities import Get, ListChanges, ListIds, Page, Remote
from hub.errors import AuthenticationError, HubError, RateLimited, Unavailable
from hub.store import runs, shadows, work
from hub.sync import applied, behind, outcomes
from hub.sync.at_once import AtOnce
from hub.sync.context import Pass, instant
from hub.sync.feeds import ahead, opened
from hub.sync.intake import Intake, Taken
from hub.sync.matching import in_turn, still_new
from hub.sync.policy import Endpoint
from hub.sync.second_look import doubtful, line_keys
from hub.sync.spreading import rationed

GET_BATCH = 100
JOINED = 1000
Feed = Literal["changes", "listed", "nothing missing"]
"""``listed``: a complete listing whose ids were kept, to be compared with what is known. ``nothing missing``: one that
needs no comparing, because nothing was known before it or deletions don't show in it."""
FEEDS: tuple[Feed, ...] = ("changes", "listed", "nothing missing")
"""As they are noted of a part, by number."""
UNREAD = "unread"
"""Instead of a mapping's version: a new one began to read everything anew, and was not done. Whichever mapping comes
next, this one again or the old one, reads everything."""


def observe(job: Pass, endpoint: Endpoint, *, full: bool = False, at_once: AtOnce | None = None) -> None:
    """Read one endpoint. A failure is reported and leaves what was stored so far; the rest of the pass goes on.

    ``at_once`` is given the records that are simply new, page by page, before the next page is read.
    """
    if endpoint.direction == "out":
        with job.transaction(endpoint.entity) as connection:
            applied.remember(connection, endpoint)
        if job.behind and endpoint.system not in job.down:
            _find_lost(job, endpoint)
        return
    if endpoint.system in job.down:
        job.blocked.add((endpoint.system, endpoint.entity))
    if (endpoint.system, endpoint.entity) in job.blocked:
        return  # creates still in doubt, too, would look like records of somebody else's
    with _blocking(job, endpoint):
        _observe(job, endpoint, full, at_once)


@contextmanager
def _blocking(job: Pass, endpoint: Endpoint) -> Iterator[None]:
    """A failure is reported, and nothing is written there in this pass."""
    try:
        yield
    except HubError as error:
        job.blocked.add((endpoint.system, endpoint.entity))
        job.failed(endpoint, error, down=isinstance(error, (AuthenticationError, Unavailable, RateLimited)))


def finish(job: Pass, endpoint: Endpoint, parts: Sequence[Endpoint], *, full: bool = False) -> None:
    """All parts of an endpoint were read in this joint pass: what could only be said of the whole is done now."""
    with _blocking(job, endpoint):
        _finish(job, endpoint, parts, full)


def _finish(job: Pass, endpoint: Endpoint, parts: Sequence[Endpoint], full: bool) -> None:
    system, entity = endpoint.system, endpoint.entity
    intake = Intake(job, endpoint)
    _redo_waiting(job, endpoint, intake)
    if line_keys(job, endpoint):
        _look_at_lines(job, endpoint, intake)
    with job.store.read() as connection:
        rows = runs.cursors_of(connection, entity)
    listed = {rows[system, str(part.part)]["listed"] for part in parts}
    whole, all_listed = rows.get((system, ""), {}), listed == {FEEDS.index("listed")}
    changes = {"lens": endpoint.lens.version, "observed_at": job.now()}
    believed = True
    if listed == {FEEDS.index("nothing missing")}:
        changes["listed_at"] = changes["observed_at"]
    elif all_listed or sweep_is_due(job, endpoint, whole, full):
        believed = _find_deleted(job, endpoint, intake, listed=all_listed, parts=len(parts))
    known_lens = whole.get("lens")
    unread = all_listed and not believed and known_lens not in (None, endpoint.lens.version)
    with job.transaction(entity) as connection:
        for part in parts if unread else ():  # what the listing lacks was not read with this mapping yet
            runs.set_cursor(connection, system, entity, str(part.part), lens=UNREAD)
        runs.set_cursor(connection, system, entity, **{**changes, "lens": UNREAD} if unread else changes)
        applied.remember(connection, endpoint)
    job.heard.add((system, entity))
    if unread:
        job.blocked.add((system, entity))


def _find_lost(job: Pass, endpoint: Endpoint) -> None:
    """Where nothing is read otherwise: records of the hub's own making that a store put back from a backup doesn't know
    would be made again."""
    connector, system, entity, lens = endpoint.connector, endpoint.system, endpoint.entity, endpoint.lens
    if not isinstance(connector, ListChanges):
        return
    intake = Intake(job, endpoint)
    with _blocking(job, endpoint):
        for page in connector.list_changes(endpoint.resource.name, None, lens.remote_fields, lens.read_options):
            live = {remote.id: remote for remote in page.records if not remote.deleted}
            with job.transaction(entity) as connection:
                known = shadows.known(connection, system, entity, live)
                found = [(key, remote.key) for key, remote in live.items() if key not in known]
                lost = behind.lost(job, connection, endpoint, found)
                intake.take(connection, [live[key] for key, own in found if own in lost])


def hold_unread(job: Pass, endpoint: Endpoint) -> None:
    """Write nothing where what is there was never read to its end: it could be there already."""
    key = (endpoint.system, endpoint.entity)
    if endpoint.direction == "out" or key in job.blocked or key in job.heard:
        return
    if not job.cursor(endpoint).get("observed_at"):
        job.blocked.add(key)
        message = (
            f"nothing is written to {endpoint.system} before it was read once: hub sync without a choice of systems"
        )
        job.find("unread", endpoint, "", message)


def _observe(job: Pass, endpoint: Endpoint, full: bool, at_once: AtOnce | None) -> None:
    cursor = job.cursor(endpoint)
    known_lens = cursor.get("lens")
    relearn = known_lens is not None and known_lens != endpoint.lens.version
    start = None if full or relearn else cursor.get("value")
    intake = Intake(job, endpoint, relearn=relearn)
    intake.doubts = line_keys(job, endpoint)
    if endpoint.part is None:
        _redo_waiting(job, endpoint, intake)
    first_lens = None if known_lens else endpoint.lens.version
    if relearn:
        with job.transaction(endpoint.entity) as connection:
            runs.set_cursor(connection, endpoint.system, endpoint.entity, str(endpoint.part or ""), lens=UNREAD)
    feed = _read_pages(job, endpoint, intake, start, first_lens=first_lens, at_once=at_once)
    changes: dict[str, Any] = {"lens": endpoint.lens.version, "observed_at": job.now()}
    if endpoint.part is not None:
        with job.transaction(endpoint.entity) as connection:
            part, listed = str(endpoint.part), FEEDS.index(feed)
            runs.set_cursor(connection, endpoint.system, endpoint.entity, part, **changes, listed=listed)
        return
    if intake.doubts:
        _look_at_lines(job, endpoint, intake)
    if feed == "nothing missing":
        changes["listed_at"] = changes["observed_at"]
    unsure = relearn and feed == "listed"
    if unsure:
        del changes["lens"]  # what the listing lacks was not read with this mapping yet
    with job.transaction(endpoint.entity) as connection:
        runs.set_cursor(connection, endpoint.system, endpoint.entity, **changes)
        applied.remember(connection, endpoint)
    key = (endpoint.system, endpoint.entity)
    job.heard.add(key)
    if feed == "listed" or (feed == "changes" and sweep_is_due(job, endpoint, cursor, full)):
        believed = _find_deleted(job, endpoint, intake, listed=feed == "listed")
        if unsure and not believed:
            job.blocked.add(key)
        elif unsure:
            with job.transaction(endpoint.entity) as connection:
                runs.set_cursor(connection, endpoint.system, endpoint.entity, lens=endpoint.lens.version)


def _read_pages(
    job: Pass, endpoint: Endpoint, intake: Intake, start: str | None, *, first_lens: str | None, at_once: AtOnce | None
) -> Feed:
    """Take in the feed, and say what it was."""
    system, entity, part = endpoint.system, endpoint.entity, str(endpoint.part or "")
    complete = False
    listing = start is None and endpoint.resource.deletes != "none"
    if listing:
        with job.transaction(entity) as connection:
            shadows.start_listing(connection, system, entity, part)
            # Where nothing is known yet, nothing can be missing from the listing.
            waits = work.waiting_ids(connection, system, entity)
            listing = bool(waits) or _was_known(job, connection, endpoint)
    pages = rationed(job, endpoint, opened(job, endpoint, start))
    read, next_look = 0, JOINED
    joined = _joined(pages)
    # What is new is written while reading.
    writing = at_once if at_once is not None and at_once.is_allowed() else None
    intake.marks_new = writing is None
    with writing or nullcontext():
        for page in ahead(joined, job.pool) if start is None else joined:
            if writing is not None:
                writing.make_way(page.records)
            read += len(page.records)
            learn = start is None and read >= next_look
            next_look *= 10 if learn else 1
            taken = in_turn(
                job, endpoint, partial(_store, job, endpoint, intake, page, writing, first_lens, listing, learn)
            )
            complete = complete or page.complete
            job.emit(
                "page.observed",
                system=system,
                entity=entity,
                resource=endpoint.resource.name,
                seen=len(page.records),
                changed=taken.changed,
            )
            if writing is not None:
                writing.send()
    intake.marks_new = True
    if not complete or start is not None:
        return "changes"
    return "listed" if listing else "nothing missing"


def _store(
    job: Pass,
    endpoint: Endpoint,
    intake: Intake,
    page: Page,
    writing: AtOnce | None,
    first_lens: str | None,
    listing: bool,
    learn: bool,
) -> Taken:
    """Take in one page, and all that belongs to it, in one transaction."""
    system, entity, part = endpoint.system, endpoint.entity, str(endpoint.part or "")
    with job.transaction(entity, beside=True) as connection:
        taken = intake.take(connection, page.records)
        if writing is not None:
            writing.take(connection, taken)
        if listing:
            shadows.seen(connection, system, entity, _live_ids(page), part)
        if page.cursor is not None:
            changes: dict[str, Any] = {"value": page.cursor}
            if first_lens is not None:
                changes["lens"] = first_lens
            runs.set_cursor(connection, system, entity, part, **changes)
        if job.ahead and taken.new:
            still_new(connection, job, endpoint, taken.new)
        if learn:  # at last: it locks the table, and who waits for a turn must not hold what others need in theirs
            shadows.learn_statistics(connection)
    return taken


def _was_known(job: Pass, connection: Connection, endpoint: Endpoint) -> bool:
    """Whether anything was known of a system before: of what others are reading just now, nothing can be missing."""
    joint = job.joint.get(endpoint.entity)
    if joint is not None:
        return endpoint.system not in joint.fresh
    return shadows.count(connection, endpoint.system, endpoint.entity) > 0


def _joined(pages: Iterable[Page]) -> Iterator[Page]:
    """Small pages joined to larger ones: a transaction costs as much for ten records as for a thousand. An empty page
    with a cursor is not held back: the system prepares what was asked for, and where that is must not be forgotten.

    When the feed breaks off, what it gave so far is handed out before the error is raised.
    """
    held = Page([], None)
    try:
        for page in pages:
            held = Page(held.records + page.records, page.cursor or held.cursor, page.complete)
            if len(held.records) >= JOINED or (page.cursor is not None and not page.records):
                full, held = held, Page([], None)
                yield full
    except HubError:
        if held.records:
            yield held
        raise
    yield held


def _live_ids(page: Page) -> list[str]:
    return list(dict.fromkeys(remote.id for remote in page.records if not remote.deleted))


def _redo_waiting(job: Pass, endpoint: Endpoint, intake: Intake) -> None:
    """Observations that waited for something they refer to: perhaps it is there by now."""
    with job.store.read() as connection:
        rows = work.waiting(connection, endpoint.system, endpoint.entity)
    again = [outcomes.waited(row) for row in rows if row["reason"] == "reference"]
    if again:
        with job.transaction(endpoint.entity) as connection:
            intake.take(connection, again)


def sweep_is_due(job: Pass, endpoint: Endpoint, cursor: dict[str, Any], full: bool) -> bool:
    """Whether all ids have to be listed, to find what was deleted."""
    if endpoint.resource.deletes != "listing" or not isinstance(endpoint.connector, ListIds):
        return False
    if full:
        return True
    listed_at = cursor.get("listed_at") or ""
    return listed_at < instant(job.clock() - timedelta(seconds=endpoint.sweep_every))


def _find_deleted(job: Pass, endpoint: Endpoint, intake: Intake, *, listed: bool, parts: int = 1) -> bool:
    """What a complete listing (of so many ``parts``) does not show is gone — after a second look at each, and never all
    at once. Whether the listing was believed."""
    system, entity = endpoint.system, endpoint.entity
    if not listed:
        with job.transaction(entity) as connection:
            shadows.start_listing(connection, system, entity)
        for ids in endpoint.connector.list_ids(endpoint.resource.name, endpoint.lens.read_options):
            with job.transaction(entity) as connection:
                shadows.seen(connection, system, entity, ids)
    with job.transaction(entity) as connection:
        missing = [remote_id for remote_id, _ in shadows.unseen(connection, system, entity)]
        waits = work.waiting_ids(connection, system, entity)
        unlinked = waits - shadows.known(connection, system, entity, waits).keys()
        unlinked_missing = shadows.unlisted(connection, system, entity, unlinked)
        known = shadows.count_there(connection, system, entity)
        empty = listed and parts > 1 and len(shadows.parts_seen(connection, system, entity)) < parts
        runs.set_cursor(connection, system, entity, listed_at=job.now())
    if not missing and not unlinked_missing:
        return True
    doubt = _doubt(job, entity, len(missing), known)
    if empty and len(missing) > 1:
        doubt = doubt or "a part of it came back empty, and that is not believed"
    if doubt and not job.yes:
        say = f"the listing shows {known - len(missing)} of {known} known records; {doubt}"
        job.find("listing", endpoint, "", f"{say}: look at {system}, then hub sync --full --yes")
        return False
    missing += unlinked_missing
    if isinstance(endpoint.connector, Get):
        for start in range(0, len(missing), GET_BATCH):
            look_again(job, endpoint, intake, missing[start : start + GET_BATCH])
    else:
        with job.transaction(entity) as connection:
            intake.take(connection, [Remote(key, None, deleted=True) for key in missing])
    return True


def _doubt(job: Pass, entity: str, missing: int, known: int) -> str:
    """Why so many deletions at once are not believed; empty when they are."""
    budget = job.setup.policies[entity].budget
    allowed = max(budget.floor, int(budget.share * known))
    if missing > allowed:
        return f"{missing} deletions at once exceed the budget of {allowed} and are not believed"
    # A restored, emptied or wrongly filtered system looks like this long before so few records exceed a budget.
    return "an empty listing is not believed" if missing == known > 1 else ""


def _look_at_lines(job: Pass, endpoint: Endpoint, intake: Intake) -> None:
    """Records of which a list showed fewer lines than before, one by one: those that are gone then are gone."""
    intake.doubts = {}
    ids = doubtful(job, endpoint)
    for start in range(0, len(ids), GET_BATCH):
        look_again(job, endpoint, intake, ids[start : start + GET_BATCH])


def look_again(job: Pass, endpoint: Endpoint, intake: Intake, remote_ids: Iterable[str]) -> None:
    """Observe these records now, one call for all of them."""
    remotes = endpoint.connector.get(
        endpoint.resource.name, list(remote_ids), endpoint.lens.remote_fields, endpoint.lens.read_options
    )
    with job.transaction(endpoint.entity) as connection:
        intake.take(connection, remotes)
