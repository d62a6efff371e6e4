"""Products of models: what every one of them gets from the kit, on an imagined one that is a dictionary."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.connect.capabilities import Create, Delete, Get, ListChanges, ListIds, Remote, Update, Write
from hub.connect.models import ModelConnector
from hub.connect.workflow import steps_of
from hub.errors import AlreadyExists, Gone, RecordRejected, VersionConflict

START = datetime(2026, 1, 1, tzinfo=UTC)


class Product(ModelConnector):
    name, state, page, overlap = "imagined", "state", 2, 30.0

    def __init__(self):
        self.rows = {}
        self.clock = START
        self.now = lambda: self.clock
        self.taken = []

    def search(self, model, asked, fields, options):
        rows = {id: row for id, row in sorted(self.rows.items()) if id > asked.after}
        if asked.ids is not None:
            rows = {id: row for id, row in self.rows.items() if id in asked.ids}
        if asked.since is not None:
            rows = {id: row for id, row in rows.items() if row["at"] >= asked.since}
        found = list(rows.items())[: asked.size]
        return [Remote(str(id), dict(row), version=str(row["version"])) for id, row in found], self.clock

    def search_ids(self, model, after, size, options):
        return [id for id in sorted(self.rows) if id > after][:size]

    def make(self, model, writes, options):
        if any(write.values["name"] == "bad" for write in writes):
            raise RecordRejected("no")
        return [self.put(dict(write.values)) for write in writes]

    def put(self, row, id=None):
        id = id or len(self.rows) + 1
        before = self.rows.get(id, {"version": 0, "state": "draft"})
        self.rows[id] = {**before, **row, "at": self.clock, "version": before["version"] + 1}
        return id

    def change(self, model, write, there):
        self.put({name: value for name, value in write.values.items() if name != "state"}, int(write.id))

    def remove(self, model, write):
        if int(write.id) not in self.rows:
            raise RecordRejected("no such record")
        if self.rows[int(write.id)]["name"] == "kept":
            raise RecordRejected("it is used")
        del self.rows[int(write.id)]

    def steps(self, model):
        return steps_of("draft>done:finish")

    def take(self, model, id, step):
        self.taken.append((id, step.do))
        self.put({"state": step.value}, id)

    def twin(self, model, write):
        return next((Remote(str(id), row) for id, row in self.rows.items() if row["name"] == write.key), None)


@pytest.fixture
def product():
    made = Product()
    for number in range(5):
        made.put({"name": f"n{number}", "lines": [{"id": 1, "quantity": number}]})
    made.clock += timedelta(hours=1)
    return made


def test_it_can_what_the_engine_asks(product):
    for capability in (ListChanges, ListIds, Get, Create, Update, Delete):
        assert isinstance(product, capability)


def test_everything_is_read_by_id_and_then_only_what_changed(product):
    pages = list(product.list_changes("m", None, [], {}))
    assert [[one.id for one in page.records] for page in pages] == [["1", "2"], ["3", "4"], ["5"]]
    assert [page.complete for page in pages] == [False, False, True]
    product.clock += timedelta(hours=1)
    product.put({"name": "changed"}, 3)
    (page,) = product.list_changes("m", pages[-1].cursor, [], {})
    assert [one.id for one in page.records] == ["3"] and not page.complete


@pytest.mark.parametrize("cursor", ["2999-01-01T00:00:00+00:00", "2026-01-01", "no cursor of ours", ""])
def test_a_cursor_that_cannot_be_honoured_leads_to_everything(product, cursor):
    pages = list(product.list_changes("m", cursor, [], {}))
    assert sum(len(page.records) for page in pages) == 5 and pages[-1].complete


def test_ids_and_missing_records(product):
    assert [id for page in product.list_ids("m", {}) for id in page] == ["1", "2", "3", "4", "5"]
    found = product.get("m", ["2", "77", "none"], [], {})
    assert [(one.id, one.deleted) for one in found] == [("2", False), ("77", True), ("none", True)]


def test_a_bad_record_fails_alone_and_a_twin_is_named(product):
    product.put({"name": "twin"})
    writes = [Write("a", {"name": "a"}), Write("twin", {"name": "bad"}), Write("b", {"name": "bad"})]
    good, twin, bad = product.create("m", writes, [], {})
    assert good.remote.record["name"] == "a"
    assert isinstance(twin.error, AlreadyExists) and twin.error.remote_id == "6"
    assert type(bad.error) is RecordRejected


def test_a_state_is_reached_by_its_steps_and_only_when_wanted(product):
    (result,) = product.update("m", [Write("k", {"name": "x", "state": "done"}, id="1", version="1")], [], {})
    assert (result.remote.record["state"], product.taken) == ("done", [(1, "finish")])
    (result,) = product.update("m", [Write("k", {"state": "draft"}, id="1")], [], {})
    assert result.remote is not None and "can't get from 'done' to 'draft'" in result.problem.what


def test_a_stale_write_is_refused_before_anything_is_written(product):
    (stale,) = product.update("m", [Write("k", {"name": "x"}, id="1", version="0")], [], {})
    seen = {"lines": [{"id": 1, "quantity": 7}]}
    (lines,) = product.update("m", [Write("k", {"lines": []}, id="2", old=seen)], [], {})
    assert isinstance(stale.error, VersionConflict) and isinstance(lines.error, VersionConflict)
    assert (product.rows[1]["name"], product.rows[2]["lines"]) == ("n0", [{"id": 1, "quantity": 1}])


def test_what_is_gone_is_told_and_deleting_it_is_fine(product):
    (gone,) = product.update("m", [Write("k", {"name": "x"}, id="99")], [], {})
    assert isinstance(gone.error, Gone)
    product.put({"name": "kept"}, 3)
    writes = [Write("k", {}, id="1"), Write("k", {}, id="99"), Write("k", {}, id="3")]
    first, second, kept = product.delete("m", writes, {})
    assert first.remote.deleted and second.remote.deleted and isinstance(kept.error, RecordRejected)
