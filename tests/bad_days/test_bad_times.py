"""Bad days of clocks, listings and disks: what looks like a catastrophe is asked about, and nothing is missed."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from bad_days.bad_company import ALWAYS, BadCompany, Row
from bad_days.bad_numbers import Numbers
from sqlalchemy import event, text

from hub.demo import books

MONTH = 30 * 86400.0
FAR = "2099-01-01 00:00:00.000"


def test_a_cursor_from_the_future_misses_no_edit(own_company: BadCompany) -> None:
    """A vendor's clock ran a month ahead while the hub read, and was put right."""
    company = own_company
    one, two = company.tax_ids()[:2]
    company.zoho.clock(advance=MONTH)
    company.kingdee.clock(advance=MONTH)
    company.edit("zoho", one, Website="https://ahead.example.com")
    company.edit("kingdee", one, FINVOICEBANKACCOUNT="62220007")
    assert company.sync().state == "done"
    cursors = " ".join(row["value"] or "" for row in company.stored("SELECT value FROM feed_cursor"))
    assert company.zoho.clock()[:7] in cursors, "no cursor is in the future: this test shows nothing"
    company.zoho.clock(real=True)
    company.kingdee.clock(real=True)
    company.edit("zoho", two, Website="https://after.example.com")
    company.edit("kingdee", two, FINVOICEBANKACCOUNT="62220008")
    said = company.hub("sync", "--json")
    assert (said.code, said.failures) == (0, [])
    for system in books.SYSTEMS:
        found = company.customer(system, two)
        assert (found["website"], found["bank_account"]) == ("https://after.example.com", "62220008"), system
    assert company.sync().writes == 0
    assert company.differences() == []


def test_one_row_from_the_future_hides_no_later_edit(company: BadCompany) -> None:
    one, two = company.tax_ids()[:2]
    key = int(company.customer("finance_db", one)["id"])
    company.rows("UPDATE customers SET website = ?, updated_at = ? WHERE id = ?", "https://2099.example.com", FAR, key)
    assert company.sync().state == "done"
    assert company.customer("zoho", one)["website"] == "https://2099.example.com"
    company.edit("finance_db", two, website="https://today.example.com")
    assert company.sync().state == "done"
    assert company.customer("kingdee", two)["website"] == "https://today.example.com"
    company.rows("UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = ?", key)


def test_an_empty_listing_archives_nobody(company: BadCompany, numbers: Numbers) -> None:
    """Kingdee answers for a while as if it had no customer at all, also when asked for each of them."""
    known = len(books.customers(company, "kingdee"))  # type: ignore[arg-type]
    title = numbers.title()
    company.new_order(title, company.tax_ids()[0], 2)
    company.fault("kingdee", kind="status", status=200, body=[], operation="ExecuteBillQuery BD_Customer", next=ALWAYS)
    said = company.hub("sync", "--full", "--json")
    assert (said.code, said.failures) == (1, [])
    assert [f["message"] for f in said.data["findings"]] == [
        f"the listing shows 0 of {known} known records; an empty listing is not believed:"
        " look at kingdee, then hub sync --full --yes"
    ]
    assert said.data["message"].endswith("a listing is not believed")
    for system in books.SYSTEMS:
        assert all(c["active"] for c in books.customers(company, system)), system  # type: ignore[arg-type]
        assert title in [d["title"] for d in books.orders(company, system)], system  # type: ignore[arg-type]
    company.mend()
    assert company.sync(full=True).state == "done"


def test_an_emptied_table_archives_nobody_and_comes_back_whole(company: BadCompany) -> None:
    """Somebody restores the finance database's customers from a backup: for a moment there are none."""
    saved = company.rows("SELECT * FROM customers")
    company.rows("DELETE FROM customers")
    report = company.sync(full=True)
    assert report.state == "needs_person"
    assert [f.message.partition(";")[2] for f in report.findings] == [
        " an empty listing is not believed: look at finance_db, then hub sync --full --yes"
    ]
    for system in ("zoho", "kingdee"):
        assert all(c["active"] for c in books.customers(company, system)), system  # type: ignore[arg-type]
    _restore(company, saved)
    assert company.sync(full=True).state == "done"


def test_a_full_disk_stops_the_pass_and_the_next_goes_on(company: BadCompany, numbers: Numbers) -> None:
    """The hub's own database finds no room while a pass reads: nothing half-known, nothing written twice."""
    made = [numbers.tax_id() for _ in range(12)]
    for tax_id in made:
        company.new_account(f"满盘有限公司 {tax_id[-6:]}", tax_id, Description="x" * 4000)
    with company.engine() as engine:
        _fill_the_disk(engine.store.engine)
        with pytest.raises(Exception) as caught:
            engine.sync()
    assert str(caught.value) == (
        "store: the hub's database has no room left; nothing of this step was stored"
        " → free some disk space and run the same command again: it resumes where it stopped"
    )
    company.later(121)
    assert company.hub("sync", "--json").code == 0
    for system in books.SYSTEMS:
        found = [c["tax_id"] for c in books.customers(company, system)]  # type: ignore[arg-type]
        assert [found.count(tax_id) for tax_id in made] == [1] * len(made), system


def test_a_store_from_an_old_backup_is_noticed_and_doubles_nothing(own_company: BadCompany, numbers: Numbers) -> None:
    """Somebody puts back what the hub knew before it made a customer and an order in two systems."""
    company, backup = own_company, own_company.folder / "backup.db"
    store = company.folder / ".hub/hub.db"
    company.stored("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(store, backup)
    tax_id, title = numbers.tax_id(), numbers.title()
    company.new_account(f"备份有限公司 {tax_id[-6:]}", tax_id)
    company.edit("kingdee", company.tax_ids()[0], FINVOICEBANKACCOUNT="62229999")
    assert company.sync().state == "done"
    company.new_order(title, tax_id, 3, 4)
    assert company.sync().state == "done"
    for part in store.parent.glob("hub.db-*"):
        part.unlink()
    shutil.copy(backup, store)
    written = company.writes()
    said = company.hub("sync", "--json")
    assert (said.code, said.data["writes"]) == (1, 0)
    assert said.data["message"].startswith("the hub's database knows less than the systems")
    (finding,) = [f["message"] for f in said.data["findings"] if f["kind"] == "behind"]
    assert finding.startswith("the hub's database is older than the work done with it: it lacks 2 passes, the last of")
    assert company.hub("sync", "--json").code == 1
    assert company.writes() == written
    assert company.hub("sync", "--yes", "--json").code == 0
    company.assert_agreement()
    for system in books.SYSTEMS:
        assert [c["tax_id"] for c in books.customers(company, system)].count(tax_id) == 1, system  # type: ignore[arg-type]
        assert [d["title"] for d in books.orders(company, system)].count(title) == 1, system  # type: ignore[arg-type]


def _fill_the_disk(database: Any) -> None:
    """From now on the store's file may grow by two pages only."""
    with database.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        free = connection.execute(text("PRAGMA freelist_count")).scalar_one()
    database.dispose()
    assert free < 20

    @event.listens_for(database, "connect")
    def limit(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 2}")


def _restore(company: BadCompany, rows: list[Row]) -> None:
    for row in rows:
        marks = ", ".join("?" * len(row))
        company.rows(f"INSERT INTO customers ({', '.join(row)}) VALUES ({marks})", *row.values())
