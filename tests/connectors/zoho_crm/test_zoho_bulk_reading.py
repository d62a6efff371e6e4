"""The first listing of a large module goes on in bulk files: same records, fewer calls, resumable at any point."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from hub_connectors.zoho_crm import costs

from hub.connect.capabilities import Reading
from hub.errors import AuthenticationError, UnexpectedAnswer

ACCOUNT = ["Account_Name", "Phone", "Parent_Account", "Owner", "Annual_Revenue", "Employees", "Created_Time"]
ORDER = ["Subject", "Account_Name", "Contact_Name", "Grand_Total", "Ordered_Items"]


@pytest.fixture
def large(make_world):
    """25 accounts, in files of 8 rows; the connector lists four and goes on in bulk."""
    world = make_world(records=25)
    world.app.calls.bulk.rows_per_job = 8
    return world


def shown(remotes: list[Any]) -> dict[str, Any]:
    return {r.id: (r.record, r.version, r.modified_at, r.modified_by, r.key) for r in remotes}


def feed(connector: Any, cursor: str | None = None, fields: list[str] = ACCOUNT, module: str = "Accounts") -> Any:
    return connector.list_changes(module, cursor, fields, {})


def test_bulk_files_show_what_lists_show(large):
    listed = large.seen(large.connector(page_size=4), "Accounts", ACCOUNT)
    large.calls()
    connector = large.connector(page_size=4, bulk_from=4)
    found, cursor, complete = large.read(connector, "Accounts", fields=ACCOUNT)
    assert complete and shown(found) == shown(listed) and len(shown(found)) == 25
    calls = large.calls()
    assert (calls["bulk_create"], calls["bulk_result"], calls["users"]) == (3, 3, 1)
    assert calls["list Accounts"] == 3, "one page before; what changed since, before the files are used and after"
    assert large.read(connector, "Accounts", cursor, ACCOUNT)[0] == []


def test_orders_take_their_lines_from_the_lines_own_module(make_world):
    world = make_world(orders=12)
    listed = world.seen(world.connector(), "Sales_Orders", ORDER)
    found = world.seen(world.connector(page_size=4, bulk_from=4), "Sales_Orders", ORDER)
    assert shown(found) == shown(listed)
    assert all(r.record["Ordered_Items"] for r in found)


@pytest.mark.parametrize("least", [None, 26])
def test_small_modules_are_listed(large, least):
    large.seen(large.connector(page_size=4, bulk_from=least), "Accounts", ACCOUNT)
    assert "bulk_create" not in large.calls()


def test_a_changed_since_reading_is_never_in_bulk(large):
    connector = large.connector(page_size=4, bulk_from=0)
    cursor = large.settled(connector, "Accounts", ACCOUNT)
    for row in large.app.records("Accounts"):
        large.app.edit("Accounts", row["id"], {"Phone": "021 5"}, "Ann Lee")
    large.calls()
    assert len(large.read(connector, "Accounts", cursor, ACCOUNT)[0]) == 25
    assert "bulk_create" not in large.calls()


def test_what_changes_meanwhile_comes_last_and_what_goes_is_told_by_the_next_pass(large):
    connector = large.connector(page_size=4, bulk_from=4)
    pages = feed(connector)
    seen = [next(pages), next(pages)]
    assert "bulk" in json.loads(seen[-1].cursor)
    large.clock.advance(300)
    ids = [row["id"] for row in large.app.records("Accounts")]
    large.app.edit("Accounts", ids[20], {"Phone": "021 9"}, "Ann Lee")
    made = large.app.create("Accounts", {"Account_Name": "新公司"}, "Ann Lee")["id"]
    seen += list(pages)
    phones = [r.record["Phone"] for page in seen for r in page.records if r.id == ids[20]]
    assert phones[-1] == "021 9"
    assert made in {r.id for page in seen for r in page.records}
    assert seen[-1].complete and "bulk" not in json.loads(seen[-1].cursor)
    large.app.delete("Accounts", ids[3], "王磊")
    large.clock.advance(10)
    (gone,) = large.read(connector, "Accounts", seen[-1].cursor, ACCOUNT)[0]
    assert (gone.id, gone.deleted) == (ids[3], True)


def test_it_goes_on_with_the_same_jobs_wherever_it_was_cut_off(large):
    whole = shown(large.seen(large.connector(page_size=4), "Accounts", ACCOUNT))
    large.calls()
    cursors: list[str | None] = [None]
    for page in feed(large.connector(page_size=4, bulk_from=4)):
        cursors.append(page.cursor)
    assert large.calls()["bulk_create"] == 3
    for cut, cursor in enumerate(cursors):
        large.clock.advance(61)  # ten files a minute
        rest = shown([r for page in feed(large.connector(page_size=4, bulk_from=4), cursor) for r in page.records])
        assert rest.items() <= whole.items()
        if cut == 0:
            assert rest == whole
    assert large.calls()["bulk_create"] == 3 + _jobs_to_make(cursors), "only what was not made yet"


def _jobs_to_make(cursors: list[str | None]) -> int:
    """Jobs that resuming at each of these cursors (but the first, which makes all three) has to make."""
    left = 0
    for cursor in cursors[1:]:
        place = json.loads(cursor or "{}").get("bulk")
        left += 3 - len(place["jobs"]) if place and not place["ready"] else 0
    return left


def test_nothing_is_missing_when_every_page_is_the_last_that_was_stored(large):
    """Each page is stored, then the process ends: what came in so far and what the next ones bring is everything."""
    whole = shown(large.seen(large.connector(page_size=4), "Accounts", ACCOUNT))
    known: dict[str, Any] = {}
    cursor = None
    for _ in range(60):
        page = next(iter(feed(large.connector(page_size=4, bulk_from=4), cursor)))
        known |= shown(page.records)
        cursor = page.cursor
        if "bulk" not in json.loads(cursor or "{}") and len(known) == 25:
            break
    assert known == whole


def test_a_file_that_is_hours_old_does_not_bring_back_old_values(large):
    pages = feed(large.connector(page_size=4, bulk_from=4))
    cursor = None
    for page in pages:
        cursor = page.cursor
        if json.loads(cursor).get("bulk", {}).get("ready"):
            break
    large.clock.advance(3600)
    id = large.app.records("Accounts")[20]["id"]
    large.app.edit("Accounts", id, {"Phone": "021 9"}, "Ann Lee")
    large.clock.advance(3600)
    found = [r for page in feed(large.connector(page_size=4, bulk_from=4), cursor) for r in page.records]
    assert {r.record["Phone"] for r in found if r.id == id} == {"021 9"}


def test_files_that_are_gone_are_made_anew(large):
    whole = shown(large.seen(large.connector(page_size=4), "Accounts", ACCOUNT))
    first = []
    for page in feed(large.connector(page_size=4, bulk_from=4)):
        first.append(page)
        if json.loads(page.cursor).get("bulk", {}).get("ready"):
            break
    large.clock.advance(25 * 3600)
    large.calls()
    rest = [r for page in feed(large.connector(page_size=4, bulk_from=4), first[-1].cursor) for r in page.records]
    assert shown(first[0].records) | shown(rest) == whole
    assert large.calls()["bulk_create"] == 3


def test_a_record_deleted_between_two_pages_hides_no_other(large):
    """Its successors move up: one of them would be in neither file."""
    connector = large.connector(page_size=4, bulk_from=4)
    ids = [row["id"] for row in large.app.records("Accounts")]
    found: dict[str, Any] = {}
    removed = False
    for page in feed(connector):
        found |= shown(page.records)
        place = json.loads(page.cursor).get("bulk")
        if place and len(place["jobs"]) == 1 and not removed:
            removed = True
            large.clock.advance(5)
            large.app.delete("Accounts", ids[6], "王磊")
            large.clock.advance(5)
    assert removed and set(ids) - {ids[6]} <= found.keys()
    assert large.calls()["bulk_create"] > 3


@pytest.mark.parametrize("error", [AuthenticationError, UnexpectedAnswer])
def test_where_bulk_read_is_refused_the_rest_is_listed(large, error, monkeypatch):
    connector = large.connector(page_size=4, bulk_from=4)

    def refused(*_: Any, **__: Any) -> Any:
        raise error("OAUTH_SCOPE_MISMATCH")

    monkeypatch.setattr(connector._api, "bulk_job", refused)
    found, cursor, complete = large.read(connector, "Accounts", fields=ACCOUNT)
    assert complete and len(shown(found)) == 25
    assert "bulk" not in json.loads(cursor)


def test_a_job_that_fails_or_takes_for_ever_is_given_up(large):
    large.app.calls.bulk.failing = "internal error"
    found, _, complete = large.read(large.connector(page_size=4, bulk_from=4), "Accounts", fields=ACCOUNT)
    assert complete and len(shown(found)) == 25
    large.app.calls.bulk.failing = ""
    found, _, complete = large.read(large.connector(page_size=4, bulk_from=4, bulk_wait=1), "Accounts", fields=ACCOUNT)
    assert complete and len(shown(found)) == 25
    assert large.slept, "it looks now and then, not all the time"


def test_fields_that_files_do_not_show_as_lists_do_keep_a_module_out(large):
    listed = large.seen(large.connector(page_size=4, bulk_from=4), "Accounts", [*ACCOUNT, "Tag"])
    assert len(shown(listed)) == 25
    assert "bulk_create" not in large.calls()


def test_what_is_no_such_file_is_given_up(large, monkeypatch):
    connector = large.connector(page_size=4, bulk_from=4)
    bad = io.BytesIO()
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("1.csv", "Id,Account_Name\n1\n")
    for content in (b"no zip", bad.getvalue()):
        monkeypatch.setattr(connector._api, "bulk_file", lambda *_, content=content: content)
        found, _, complete = large.read(connector, "Accounts", fields=ACCOUNT)
        assert complete and len(shown(found)) == 25


def test_what_it_takes_is_foretold(make_world):
    world = make_world(records=30)
    world.app.calls.bulk.rows_per_job = costs.BULK_ROWS
    connector = world.connector(page_size=4, bulk_from=8)
    connector.describe("Accounts")
    told = connector.read_cost("Accounts", Reading(None, 30, ACCOUNT, {}))
    before = dict(connector.usage)
    world.seen(connector, "Accounts", ACCOUNT)
    used = {name: connector.usage[name] - before.get(name, 0) for name in ("calls", "credits")}
    assert (told.calls, told.units) == (used["calls"], used["credits"])
    assert told.units >= 50
    listed = connector.read_cost("Accounts", Reading(None, 30, [*ACCOUNT, "Tag"], {}))
    assert listed.calls == listed.units == 8


def test_cells_with_commas_quotes_and_lines_come_back_whole(large):
    id = large.app.records("Accounts")[20]["id"]
    text = '上海"海川", 一号楼\n二层, "东"'
    large.app.edit("Accounts", id, {"Account_Name": text.replace("\n", " "), "Description": text}, "Ann Lee")
    large.clock.advance(5)
    large.app.edit("Accounts", large.app.records("Accounts")[0]["id"], {"Phone": "1"}, "Ann Lee")
    fields = ["Account_Name", "Description"]
    large.clock.advance(600)
    pages = list(feed(large.connector(page_size=4, bulk_from=4), fields=fields))
    texts = [r.record["Description"] for page in pages[:-1] for r in page.records if r.id == id]
    assert texts == [text], "from a file"


def test_a_cursor_of_another_day_is_read(large):
    cursor = json.dumps({"modified": "2026-03-01T00:00:00Z", "bulk": {"jobs": 3}})
    found, _, _ = large.read(large.connector(), "Accounts", cursor, ACCOUNT)
    assert len(found) == 25, "one that can't be read stands for everything"


def test_the_second_of_the_cut_is_not_lost(large):
    """Several records changed in the very second in which the listing ends and the bulk read begins."""
    rows = large.app.records("Accounts")
    large.clock.advance(5)
    for row in rows[2:9]:
        large.app.edit("Accounts", row["id"], {"Phone": "021 7"}, "Ann Lee")
    large.clock.advance(timedelta(hours=1).total_seconds())
    found = large.seen(large.connector(page_size=4, bulk_from=20), "Accounts", ACCOUNT)
    assert {row["id"] for row in rows} == {r.id for r in found}
