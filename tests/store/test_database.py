"""The hub's database: made, migrated, private, and the same on SQLite and PostgreSQL."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, text
from sync.fakes import World

from hub.errors import ConfigurationError, Unavailable
from hub.model.columns import metadata as canonical
from hub.store import database, runs
from hub.store.database import HEAD, open_store
from hub.store.tables import metadata as own


@pytest.mark.parametrize("way", ["all the migrations", "at once"])
def test_a_new_database_has_exactly_the_tables_that_are_declared(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "all the migrations":
        monkeypatch.setattr(database, "_is_new", lambda engine: False)
    store = open_store(f"sqlite:///{tmp_path}/hub.db")
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "alembic_version_hub"})
        assert context.get_current_revision() == HEAD
        differences = [d for d in compare_metadata(context, own) if "alembic" not in str(d)]
        views = inspect(connection).get_view_names()
    store.close()
    assert differences == []
    assert set(views) == set(canonical.tables)


def test_tables_of_an_older_version_give_way_to_the_views(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.begin() as connection:
        for name in canonical.tables:
            connection.execute(text(f"DROP VIEW {name}"))
            connection.execute(text(f"CREATE TABLE {name} (hub_id TEXT)"))
        connection.execute(text("UPDATE alembic_version_hub SET version_num = '0001'"))
    store.close()
    store = open_store(sqlite_url)
    assert set(inspect(store.engine).get_view_names()) == set(canonical.tables)
    store.close()


def test_the_newest_migration_is_the_one_the_program_expects() -> None:
    versions = Path(open_store.__code__.co_filename).parent / "migrations" / "versions"
    assert max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py")) == HEAD


def test_nobody_else_can_read_the_database(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/private/hub.db").close()
    assert stat.S_IMODE((tmp_path / "private/hub.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


@pytest.mark.parametrize(("url", "part"), [("nonsense", "not a database URL"), ("mysql://x/y", "can't hold")])
def test_a_url_that_cannot_work_says_what_would(url: str, part: str) -> None:
    with pytest.raises(ConfigurationError, match=part):
        open_store(url)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crm.add("customers", name="A")
    world.sync()
    names = [f"{n} {'x' * 2000}" for n in range(60)]
    for name in names:
        world.crm.add("customers", name=name)
    with world.engine() as engine:
        database = engine.store.engine
        with database.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        database.dispose()

        @event.listens_for(database, "connect")
        def fill_the_disk(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={pages + 4}")

        with pytest.raises(Unavailable, match="no room left"):
            engine.sync(yes=True)
    world.sync()
    assert sorted(r["name"] for r in world.erp.records("customers")) == sorted(["A", *names])


def test_a_store_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sync()
    world.url = f"sqlite:///file:{tmp_path}/hub.db?mode=ro&uri=true"
    with pytest.raises(ConfigurationError, match="can't be written"):
        world.sync()


def test_a_disk_that_is_full_when_the_answers_come_doubles_nothing(tmp_path: Path) -> None:
    """The records were created, and the hub can't note it: it looks for them before it sends anything again."""
    world = World(tmp_path)
    world.crm.add("customers", name="A")
    world.sync()
    names = [f"{n} {'x' * 2000}" for n in range(60)]
    for name in names:
        world.crm.add("customers", name=name)
    with world.engine() as engine:

        def fill_the_disk(verb: str) -> None:
            if verb == "create":
                database = engine.store.engine
                database.dispose()
                event.listen(database, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count=1"))

        world.erp.after = fill_the_disk
        with pytest.raises(Unavailable, match="no room left"):
            engine.sync(yes=True)
    world.erp.after = lambda verb: None
    assert len(world.erp.records("customers")) == 61, "or else this shows nothing"
    created = world.erp.calls.count("create")
    world.clock.now += timedelta(seconds=200)
    world.sync()
    assert sorted(r["name"] for r in world.erp.records("customers")) == sorted(["A", *names])
    assert world.erp.calls.count("create") == created


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    open_store(f"sqlite:///{path}").close()
    path.write_bytes(b"no database at all, but of some length " * 400)
    with pytest.raises(ConfigurationError) as caught:
        open_store(f"sqlite:///{path}")
    assert str(caught.value) == (
        "store: the hub's database is damaged → put a backup in its place: the next pass says what it lacks before it"
        " writes anything"
    )


@pytest.mark.postgres
def test_a_server_that_only_reads_is_named(tmp_path: Path, postgres_url: str) -> None:
    world = World(tmp_path, store_url=postgres_url)
    world.sync()
    with world.engine() as engine, engine.store.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    world.crm.add("customers", name="A")
    with pytest.raises(ConfigurationError, match="can't be written; nothing of this step was stored"):
        world.sync()
    assert world.erp.records("customers") == []


@pytest.mark.postgres
def test_a_connection_that_is_cut_is_a_store_that_failed(postgres_url: str) -> None:
    store = open_store(postgres_url)
    for transaction in (store.read, store.begin):
        with pytest.raises(Unavailable) as caught, transaction() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with store.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            connection.execute(text("SELECT 1"))
        assert caught.value.where == "store"
        assert caught.value.what.startswith("the hub's database failed: ")
    store.close()


@pytest.mark.postgres
def test_the_pass_works_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    world = World(tmp_path, store_url=postgres_url, deletes="propagate")
    c = world.crm.add("customers", name="杭州云帆", tel="0571-87654321", credit=5)
    p = world.crm.add("products", code="P1", name="轴承")
    world.crm.add(
        "orders", no="SO1", customer=c, date="2026-01-15", lines=[{"seq": 1, "product": p, "qty": 2, "price": 3}]
    )
    world.sync()
    assert len(world.erp.records("orders")) == 1
    world.crm.edit("customers", c, credit=6)
    world.sync()
    assert world.erp.records("customers")[0]["credit"] == 6
    with world.engine() as engine:
        assert engine.sync().writes == 0
        assert engine.explain("customer", "杭州云帆", "credit_limit")["fields"]["credit_limit"]["value"] == "6"
        with engine.store.read() as connection:
            row = connection.execute(text("SELECT credit_limit, name FROM customer")).one()
            assert (str(row[0]), row[1]) == ("6", "杭州云帆")
            lines = connection.execute(text("SELECT quantity * unit_price FROM sales_order_line")).scalar_one()
            assert lines == 6
            assert "hub_record" in inspect(connection).get_table_names()
    world.crm.remove("customers", c)
    world.sync()
    assert world.erp.records("customers") == []


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    store = open_store(url)
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version_hub SET version_num = '9999'"))
    store.close()
    with pytest.raises(ConfigurationError, match="newer version of the hub"):
        open_store(url)


@pytest.mark.postgres
def test_two_who_come_for_the_very_first_lease_wait_for_each_other(postgres_url: str) -> None:
    store = open_store(postgres_url)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with ThreadPoolExecutor(1) as pool:
        with store.begin() as connection:
            runs.take_lease(connection, "entity:customer", "one", now, 60)

            def second() -> None:
                with store.begin() as other:
                    runs.take_lease(other, "entity:customer", "two", now, 60)

            waiting = pool.submit(second)
        with pytest.raises(Unavailable, match="another pass is at work on customer"):
            waiting.result(timeout=30)
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_processes_that_start_together_make_the_tables_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/hub.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))
    assert all(inspect(store.engine).has_table("hub_record") for store in stores)
    for store in stores:
        store.close()
