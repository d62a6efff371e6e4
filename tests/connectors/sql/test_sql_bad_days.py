"""When the database is away, refuses, or answers no more."""

from __future__ import annotations

import threading
import traceback

import pytest
from sql_worlds import NoCache, everything, new, only, refused
from sqlalchemy import event, make_url, text

from hub.connect import registry
from hub.connect.capabilities import Write
from hub.connect.services import Services
from hub.errors import (
    AuthenticationError,
    ConfigurationError,
    HubError,
    RecordRejected,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

LINES = {"orders": {"lines": {"order_lines": {"as": "lines"}}}}


def customer(name: str) -> Write:
    return new({"customer_id": name, "company_name": name}, name)


def hang_up(world, connection) -> None:
    """The server drops this connection."""
    ask = "SELECT pg_backend_pid()" if world.name == "postgresql" else "SELECT connection_id()"
    number = connection.execute(text(ask)).scalar_one()
    kill = "SELECT pg_terminate_backend(:n)" if world.name == "postgresql" else f"KILL {int(number)}"
    world.run(kill, **({"n": number} if world.name == "postgresql" else {}))


def test_nobody_at_home_is_unavailable(server):
    scheme = server.url.partition("://")[0]
    with pytest.raises(Unavailable):
        server.open(f"{scheme}://hub:pw@127.0.0.1:1/db").check()


def test_a_wrong_password_is_an_authentication_error_that_does_not_show_it(server):
    connector = server.open(server.wrong_password())
    with pytest.raises(AuthenticationError) as caught:
        connector.check()
    shown = "".join(traceback.format_exception(caught.value)) + repr(connector) + repr(connector.settings)
    assert "sesame-opens" not in shown


def test_an_unknown_database_is_the_users_to_mend(server):
    with pytest.raises(ConfigurationError, match=r"(?i)database"):
        server.open(server.url.rpartition("/")[0] + "/no_such_database").check()


def test_a_missing_sqlite_file_is_not_created(lite, tmp_path):
    path = tmp_path / "typo.db"
    with pytest.raises(ConfigurationError, match=r"there is no SQLite file .*typo\.db"):
        lite.open(f"sqlite:///{path}").check()
    assert not path.exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "can't be read"),
        ("nosuchdb://host/db", "no database dialect"),
        ("oracle+oracledb://u:sesame@host/db", "pip install oracledb"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained_without_its_password(lite, url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        lite.open(url).check()
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tabels": {}}, "unknown setting 'tabels' → did you mean 'tables'"),
        ({"tables": {"a": {"keys": "x"}}}, "unknown setting 'tables.a.keys' → did you mean 'key'"),
        ({"tables": {"a": {"lines": {"b": {"parents": "x"}}}}}, "did you mean 'parent'"),
        ({"overlap": "soon"}, "setting overlap: .*like 60s"),
        ({"timezone": "Shanghai"}, "'Shanghai' is no time zone"),
        ({"rounding": "up"}, "setting rounding: "),
    ],
)
def test_wrong_settings_are_explained(lite, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        lite.open(**settings)


def test_a_broken_connection_before_the_commit_means_nothing_was_done(server):
    connector = server.open()
    connector.check()

    @event.listens_for(connector.database.engine, "before_cursor_execute")
    def once(connection, cursor, statement, *_):
        if statement.startswith("INSERT") and not done:
            done.append(True)
            hang_up(server, connection)

    done: list[bool] = []
    with pytest.raises(Unavailable) as caught:
        connector.create("customers", [customer("A"), customer("B")], [], {})
    assert not isinstance(caught.value, UnknownOutcome)
    assert server.rows("SELECT * FROM customers") == []
    assert len(connector.create("customers", [customer("A"), customer("B")], [], {})) == 2


def test_a_lost_answer_to_the_commit_is_an_unknown_outcome(server):
    connector = server.open()
    connector.check()

    @event.listens_for(connector.database.engine, "commit")
    def once(connection):
        if not done:
            done.append(True)
            hang_up(server, connection)

    done: list[bool] = []
    with pytest.raises(UnknownOutcome):
        connector.create("customers", [customer("A"), customer("B")], [], {})
    assert connector.probe("customers", [customer("A")], [], {}) == [None]


def test_when_the_database_goes_away_the_rest_is_not_tried(server):
    connector = server.open()
    connector.check()
    bad = new({"customer_id": "B", "company_name": "B", "credit": "-1"}, "B")

    @event.listens_for(connector.database.engine, "commit")
    def at_the_second(connection):
        done.append(True)
        if len(done) == 2:
            hang_up(server, connection)

    done: list[bool] = []
    writes = [customer("A"), bad, customer("C"), customer("D")]
    results = connector.create("customers", writes, [], {})
    kinds = [type(r.error) for r in results]
    assert kinds == [type(None), RecordRejected, UnknownOutcome, Unavailable]
    assert server.rows("SELECT customer_id FROM customers") == [("A",)]


def test_what_a_person_changes_between_reading_and_writing_is_never_overwritten(server):
    """The other edit is under way, holding the row, when the write comes."""
    server.run("INSERT INTO customers (customer_id, company_name) VALUES ('A', 'A')")
    connector = server.open()
    old = everything(connector, "customers")[0].record
    errors = []

    def write() -> None:
        update = Write("h", {"note": "hub"}, id="A", old=old)
        errors.append(refused(connector.update("customers", [update], [], {})))

    with server.engine.connect() as person:
        person.execute(text("UPDATE customers SET phone = '1' WHERE customer_id = 'A'"))
        thread = threading.Thread(target=write)
        thread.start()
        person.commit()
        thread.join(30)
    assert isinstance(errors[0], VersionConflict)
    assert server.rows("SELECT phone, note FROM customers") == [("1", None)]


def test_two_writers_counting_up_never_take_the_same_number(world):
    settings = {"counters": {"new_key": "next"}}
    connectors = [world.open(tables=settings) for _ in range(2)]
    failures: list[HubError] = []

    def write(connector, title: str) -> None:
        for n in range(10):
            (result,) = connector.create("counters", [new({"title": f"{title}{n}"})], [], {})
            if result.error:
                failures.append(result.error)

    threads = [threading.Thread(target=write, args=(c, t)) for c, t in zip(connectors, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert world.rows("SELECT count(*), count(DISTINCT code) FROM counters") == [(20, 20)]


def test_a_deferred_constraint_refuses_only_its_record(postgres):
    postgres.run("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    postgres.run("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers DEFERRABLE INITIALLY DEFERRED")
    writes = [new({"number": "N1"}, "a"), new({"number": "N2", "customer_id": "NOBDY"}, "b")]
    results = postgres.open().create("orders", writes, [], {})
    assert results[0].error is None
    assert isinstance(results[1].error, RecordRejected)
    assert postgres.rows("SELECT number FROM orders") == [("N1",)]


def test_a_trigger_may_refuse_and_may_rewrite(postgres):
    postgres.run(
        "CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.company_name = 'bad' THEN RAISE EXCEPTION 'we do not deal with %', NEW.company_name; END IF;"
        " NEW.company_name = upper(NEW.company_name); RETURN NEW; END $$"
    )
    postgres.run("CREATE TRIGGER t BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION upper_name()")
    results = postgres.open().create("customers", [customer("good"), customer("bad")], ["company_name"], {})
    assert results[0].remote.record == {"company_name": "GOOD"}
    assert "we do not deal with bad" in str(results[1].error)


def test_a_user_who_may_only_read_is_told_to_ask_for_more(postgres):
    postgres.run("DROP ROLE IF EXISTS reader_only")
    postgres.run("CREATE ROLE reader_only LOGIN PASSWORD 'pw'")
    try:
        postgres.run("GRANT SELECT ON customers TO reader_only")
        url = make_url(postgres.url).set(username="reader_only", password="pw").render_as_string(hide_password=False)
        connector = postgres.open(url)
        assert everything(connector, "customers") == []
        with pytest.raises(ConfigurationError, match=r"permission denied .*GRANT"):
            connector.create("customers", [customer("A"), customer("B")], [], {})
    finally:
        postgres.run("DROP OWNED BY reader_only")
        postgres.run("DROP ROLE reader_only")


def test_a_table_without_transactions_says_so_and_still_works(mariadb):
    mariadb.run("CREATE TABLE plain (id INTEGER PRIMARY KEY, name VARCHAR(5) NOT NULL) ENGINE=MyISAM")
    connector = mariadb.open(tables={"plain": {}})
    assert "no transactions" in str(connector.check().problems)
    writes = [new({"id": 1, "name": "a"}), new({"id": 2, "name": None}), new({"id": 3, "name": "c"})]
    results = connector.create("plain", writes, [], {})
    assert [r.error is None for r in results] == [True, False, True]
    assert mariadb.rows("SELECT id FROM plain") == [(1,), (3,)]


def test_mariadb_is_never_let_to_cut_values(mariadb):
    mariadb.run("CREATE TABLE narrow (id INTEGER PRIMARY KEY, amount TINYINT)")
    connector = mariadb.open()
    only(connector.create("narrow", [new({"id": 1, "amount": 100})], [], {}))
    with connector.database.engine.connect() as connection:
        assert "STRICT_ALL_TABLES" in connection.execute(text("SELECT @@sql_mode")).scalar_one()


def test_nothing_is_connected_before_it_is_needed():
    connector = registry.find("sql").open({"url": "postgresql://u:sesame@127.0.0.1:1/db"}, Services("db", NoCache()))
    assert "sesame" not in repr(connector)
    connector.close()
