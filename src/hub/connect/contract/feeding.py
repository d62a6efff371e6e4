"""Rules of following: changes, ties, deletions, broken cursors and interrupted readings; nothing is ever missed."""

from __future__ import annotations

from datetime import datetime

from hub.connect.capabilities import Get, ListChanges, ListIds
from hub.connect.contract.bench import HOUR, Bench, Feed
from hub.connect.contract.rules import Facts, rule
from hub.connect.contract.verdicts import NotTried, must

DAYS = 3 * 24 * HOUR


@rule("silver", ListChanges)
def sees_changes(bench: Bench) -> Facts:
    """What somebody changes after a cursor is shown by the next reading from there."""
    record = bench.record()
    before = _settled(bench)
    text = bench.word()
    bench.edit(record, text)
    bench.world.advance(HOUR)
    after = bench.feed(before.cursor)
    must(record.id in after.seen, "a changed record is missing from the next reading")
    must(bench.text_of(after.seen[record.id]) == text, "the next reading shows the record as it was before the change")
    must(before.cursor is None or not after.complete or after.live() == bench.feed().live(),
         "a reading of changes says that it was a complete listing")  # fmt: skip
    return {"feed": "changes" if before.cursor is not None else "everything, every time", **_order(after, bench)}


def _order(after: Feed, bench: Bench) -> Facts:
    told = [remote.modified_at for remote in bench.feed().seen.values() if remote.modified_at]
    times = [datetime.fromisoformat(moment) for moment in told]
    if not times or after.cursor is None:
        return {}
    return {"order": "oldest change first" if times == sorted(times) else "none"}


@rule("silver", ListChanges)
def sees_ties(bench: Bench) -> None:
    """A change made in the same second as the last one seen is not passed over."""
    first, second = bench.record(), bench.record()
    before = _settled(bench)
    bench.edit(first, bench.word())
    between = bench.feed(before.cursor)
    text = bench.word()
    bench.edit(second, text)
    bench.world.advance(HOUR)
    after = bench.feed(between.cursor)
    must(second.id in after.seen, "a change within the second of the last one seen was passed over")
    must(bench.text_of(after.seen[second.id]) == text, "a second change within one second was passed over")


@rule("silver", ListChanges)
def resumes(bench: Bench) -> Facts:
    """A reading that is broken off can be taken up at the last page's cursor without a gap."""
    whole = bench.feed()
    pages = bench.pages(connector=bench.paging())
    first = next(pages)
    if first.complete:
        raise NotTried("everything fits on one page")
    close = getattr(pages, "close", None)
    if close is not None:
        close()
    rest = bench.feed(first.cursor, bench.paging())
    seen = {remote.id for remote in first.records} | rest.live()
    missing = whole.live() - seen
    must(not missing, f"{len(missing)} of {len(whole.seen)} records were skipped when the reading was taken up again")
    must(not rest.complete or rest.live() >= whole.live(),
         "the second half of a listing says it was complete: the first half would be taken for deleted")  # fmt: skip
    return {"resumes": "where it stopped" if first.cursor is not None else "from the start"}


@rule("silver", ListChanges)
def honours_no_bad_cursor(bench: Bench) -> None:
    """A cursor that makes no sense, or lies in the future, leads to an earlier one, never to 'now'."""
    whole = bench.feed()
    for wrong in ("no cursor of ours", '{"half": '):
        found = bench.feed(wrong)
        must(found.live() >= whole.live(), f"with the cursor {wrong!r} only {len(found.live())} records were shown")
    if not bench.world.moves_time or whole.cursor is None:
        return
    record = bench.record()
    ahead = _settled(bench).cursor
    bench.world.advance(-DAYS)
    try:
        text = bench.word()
        bench.edit(record, text)
        found = bench.feed(ahead)
        shown = found.seen.get(record.id)
        must(shown is not None and bench.text_of(shown) == text,
             "after the clock was set back, changes are passed over until it has caught up")  # fmt: skip
    finally:
        bench.world.advance(DAYS)


@rule("silver", ListChanges)
def sees_deletions(bench: Bench) -> Facts:
    """A record that somebody deletes shows as deleted in the way that the resource's description says."""
    record = bench.record()
    before = _settled(bench)
    bench.remove(record)
    bench.world.advance(HOUR)
    how = bench.resource.deletes
    if isinstance(bench.connector, Get):
        must(bench.get(record.id).deleted, "a deleted record can still be got")
    if how == "tombstones":
        shown = bench.feed(before.cursor).seen.get(record.id)
        must(shown is not None and shown.deleted, "the feed does not show that the record was deleted")
    elif how == "listing":
        listing = bench.feed()
        must(listing.complete and record.id not in listing.live(), "a complete listing still shows the deleted record")
        if isinstance(bench.connector, ListIds):
            ids = [id for page in bench.connector.list_ids(bench.trial.resource, bench.trial.read) for id in page]
            must(record.id not in ids, "the deleted record is still among the ids")
            must(set(ids) == listing.live(), "the ids are not those of the listing")
    return {"deletions": how}


def _settled(bench: Bench) -> Feed:
    """A reading after which some time has passed."""
    bench.world.advance(HOUR)
    found = bench.feed()
    bench.world.advance(HOUR)
    return bench.feed(found.cursor)
