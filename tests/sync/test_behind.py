"""A store put back from a backup: the hub notices that the systems know more than it does, and asks first."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, World

from hub.store import runs
from hub.sync import ids


class Office:
    """A world whose store can be put back; ``beside``: passes are counted beside the store too."""

    def __init__(self, folder: Path, *, beside: bool) -> None:
        self.folder = folder
        # Names match nobody: what the hub lost it can't find again by itself.
        self.world = World(folder, mappings={"customer": CUSTOMERS.replace("[[tax_id], [name]]", "[[tax_id]]")})
        self.path = folder / "hub.db"
        self.beside = beside

    def sync(self, **options: Any) -> Any:
        with self.world.engine() as engine:
            engine.ids = ids.new_id
            engine.folder = self.folder if self.beside else None
            return engine.sync(**options)

    def backup(self) -> None:
        self._checkpoint()
        shutil.copy(self.path, self.folder / "backup.db")

    def restore(self) -> None:
        for part in self.folder.glob("hub.db-*"):
            part.unlink()
        shutil.copy(self.folder / "backup.db", self.path)
        self.world.clock.now += timedelta(hours=1)

    def _checkpoint(self) -> None:
        with self.world.engine() as engine, engine.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def names(self) -> tuple[list[str], list[str]]:
        return tuple(sorted(r["name"] for r in s.records("customers")) for s in (self.world.crm, self.world.erp))  # type: ignore[return-value]


@pytest.fixture(params=[True, False], ids=["counted beside", "told by a key"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    return _opened(tmp_path, beside=request.param)


def _opened(folder: Path, *, beside: bool) -> Office:
    office = Office(folder, beside=beside)
    office.world.crm.add("customers", name="A")
    office.sync(yes=True)
    office.backup()
    return office


def test_nothing_is_written_before_somebody_agrees(office: Office) -> None:
    world = office.world
    late = world.crm.add("customers", name="B", tel="0571-87654321")
    office.sync()
    office.restore()
    world.crm.edit("customers", late, name="B GmbH")
    before = world.crm.writes + world.erp.writes
    report = office.sync()
    assert (report.state, report.writes) == ("needs_person", 0)
    assert report.message.startswith("the hub's database knows less than the systems")
    (finding,) = [f for f in report.findings if f.kind == "behind"]
    assert "put back from a backup" in finding.message
    assert finding.message.endswith(
        "look at hub plan, decide what hub conflicts lists, then approve the plan: hub apply PLAN, or hub sync --yes"
    )
    assert office.sync().state == "needs_person", "asking once is not enough"
    assert world.crm.writes + world.erp.writes == before


def test_what_the_hub_made_since_is_made_no_second_time(office: Office) -> None:
    """No match rule finds it: a person says which it is, and until then nothing new is made there."""
    world = office.world
    world.crm.add("customers", name="B")
    office.sync()
    assert office.names() == (["A", "B"], ["A", "B"])
    office.restore()
    office.sync()
    office.sync(yes=True)
    assert office.names() == (["A", "B"], ["A", "B"])
    with world.engine() as engine:
        engine.ids = ids.new_id
        (conflict,) = [c for c in engine.conflicts() if c["path"] == "match"]
        with engine.store.read() as connection:
            twins = (
                connection.exec_driver_sql("SELECT hub_id FROM hub_record WHERE data LIKE '%\"B\"%'").scalars().all()
            )
        assert len(twins) == 1
        engine.resolve(conflict["id"], link=twins[0])
    report = office.sync()
    assert (report.state, report.writes, office.names()) == ("done", 0, (["A", "B"], ["A", "B"]))


def test_an_older_value_of_the_hub_overwrites_no_edit(tmp_path: Path) -> None:
    """The ERP cuts names. Without its memory the hub would take what it wrote there for a newer edit."""
    office = _opened(tmp_path, beside=True)
    world = office.world
    world.erp.rewrite = lambda row: row.update(name=row["name"][:5]) if "name" in row else None
    (customer,) = world.crm.rows["customers"]
    world.crm.edit("customers", customer, name="A much longer name")
    office.sync()
    assert office.names() == (["A much longer name"], ["A muc"])
    office.restore()
    office.sync()
    office.sync(yes=True)
    assert office.names()[0] == ["A much longer name"]


def test_after_an_agreement_all_is_as_before(office: Office) -> None:
    world = office.world
    late = world.crm.add("customers", name="B", tel="0571-87654321")
    office.sync()
    office.restore()
    office.sync()
    with world.engine() as engine:
        engine.ids = ids.new_id
        with engine.store.begin() as connection:
            assert runs.setting(connection, "behind")
    office.sync(yes=True)
    with world.engine() as engine:
        engine.ids = ids.new_id
        for conflict in engine.conflicts():
            with engine.store.read() as connection:
                statement = "SELECT hub_id FROM hub_record WHERE data LIKE '%\"B\"%'"
                (twin,) = connection.exec_driver_sql(statement).scalars().all()
            engine.resolve(conflict["id"], link=twin)
    world.crm.edit("customers", late, name="B GmbH")
    report = office.sync()
    assert (report.state, report.findings) == ("done", [])
    assert office.names() == (["A", "B GmbH"], ["A", "B GmbH"])


def test_another_hubs_keys_are_no_sign(office: Office) -> None:
    """Two hubs may write to one system, each with its own keys."""
    world = office.world
    stranger = world.erp.add("customers", name="B")
    world.erp.row("customers", stranger)["_key"] = ids.new_id()
    report = office.sync()
    assert (report.state, report.findings) == ("done", [])
    assert office.names() == (["A", "B"], ["A", "B"])
