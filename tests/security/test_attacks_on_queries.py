"""Names and values that try to become part of a query: SQL, Kingdee's FilterString, Zoho's COQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from security.attack_words import IDENTIFIERS, NAMES

from hub.connect import registry
from hub.connect.capabilities import Write
from hub.connect.sandbox import Running, serve
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError, HubError

PLAIN = [name for name in NAMES if len(name) < 100]


def opened(name: str, settings: dict[str, Any]) -> Any:
    services = Services(name, MemoryCache(), sleep=lambda _: None)
    return registry.find(name).open(settings, services)


# --- SQL ------------------------------------------------------------------------------------------------------------


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, hub_key TEXT UNIQUE)")
        connection.execute("INSERT INTO customers (name) VALUES ('the one that must stay')")
        connection.commit()
    return path


def test_sql_values_are_stored_as_they_are_and_nothing_else_happens(database: Path) -> None:
    connector = opened("sql", {"url": f"sqlite:///{database}", "tables": {"customers": {"hub_key": "hub_key"}}})
    writes = [Write(f"k{at} {name}", {"name": name}) for at, name in enumerate(NAMES)]
    results = connector.create("customers", writes, ["name"], {})
    assert [r.error for r in results] == [None] * len(NAMES)
    assert [r.remote.record["name"] for r in results] == list(NAMES)
    found = connector.probe("customers", writes, ["name"], {})
    assert [r.record["name"] for r in found] == list(NAMES), "each is found by its own hostile key, and only by that"
    assert [r.deleted for r in connector.get("customers", list(NAMES), ["name"], {})] == [True] * len(NAMES)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (1 + len(NAMES),)
    connector.close()


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_sql_names_of_tables_and_columns_are_only_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {quoted(name)} (id INTEGER PRIMARY KEY, {quoted(name)} TEXT)")
        connection.execute(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('before')")
        connection.commit()
    connector = opened("sql", {"url": f"sqlite:///{path}", "tables": {name: {"natural_key": name}}})
    [made] = connector.create(name, [Write("k", {name: "new"})], [name], {})
    assert made.error is None
    [changed] = connector.update(name, [Write("k", {name: "newer"}, id=made.remote.id, old={name: "new"})], [name], {})
    assert changed.remote.record[name] == "newer"
    records = [r.record[name] for page in connector.list_changes(name, None, [name], {}) for r in page.records]
    assert sorted(records) == ["before", "newer"]
    connector.close()


def test_an_unknown_column_or_table_is_refused_before_any_statement(database: Path) -> None:
    connector = opened("sql", {"url": f"sqlite:///{database}"})
    for name in IDENTIFIERS:
        with pytest.raises(ConfigurationError, match="which is no column"):
            connector.create("customers", [Write("k", {name: "x"})], ["name"], {})
        with pytest.raises(HubError):
            list(connector.list_changes(name, None, ["name"], {}))
    connector.close()


# --- Kingdee's FilterString ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kingdee() -> Iterator[tuple[Running, Any]]:
    with serve(registry.find("kingdee_galaxy").sandbox()(records=12, products=5, orders=2, invoices=1)) as running:  # type: ignore[misc]
        connector = opened("kingdee_galaxy", {"url": running.url, "probe_wait": 0, **running.ready()["credentials"]})
        yield running, connector
        connector.close()


@pytest.mark.parametrize("name", PLAIN)
def test_kingdee_finds_nothing_by_a_hostile_key_number_or_id(kingdee: tuple[Running, Any], name: str) -> None:
    _, connector = kingdee
    write = Write(name, {"FNumber": name, "FName": "x"})
    assert connector.probe("BD_Customer", [write], ["FName"], {}) == [None]
    try:
        [gone] = connector.get("BD_Customer", [name], ["FName"], {})
    except ConfigurationError as refused:
        assert "将字符串转换为数值时出错" in refused.what, "inner ids are numbers there: the server says so"
    else:
        assert gone.deleted


@pytest.mark.parametrize("name", [n for n in PLAIN if n.isprintable()])
def test_kingdee_keeps_a_hostile_name_and_finds_it_by_its_hostile_key(kingdee: tuple[Running, Any], name: str) -> None:
    running, connector = kingdee
    before = len(running.app.records("BD_Customer"))
    write = Write(f"key {name}", {"FName": name, "FTRADINGCURRID": {"FNumber": "PRE001"}})
    [made] = connector.create("BD_Customer", [write], ["FName"], {})
    assert made.error is None and made.remote.record["FName"] == name
    [found] = connector.probe("BD_Customer", [write], ["FName"], {})
    assert found.id == made.remote.id
    assert len(running.app.records("BD_Customer")) == before + 1


# --- Zoho's COQL and criteria ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zoho() -> Iterator[tuple[Running, Any]]:
    with serve(registry.find("zoho_crm").sandbox()(records=8, products=4, orders=2, throttle=1000)) as running:  # type: ignore[misc]
        connector = opened("zoho_crm", running.ready()["credentials"])
        yield running, connector
        connector.close()


def test_zoho_finds_nothing_by_hostile_keys_and_ids(zoho: tuple[Running, Any]) -> None:
    _, connector = zoho
    writes = [Write(name, {"Account_Name": "x"}) for name in PLAIN]
    assert connector.probe("Accounts", writes, ["Account_Name"], {}) == [None] * len(writes)
    assert all(r.deleted for r in connector.get("Accounts", PLAIN, ["Account_Name"], {}))


def test_zoho_keeps_hostile_names_and_finds_them_by_their_hostile_keys(zoho: tuple[Running, Any]) -> None:
    running, connector = zoho
    before = len(running.app.records("Accounts"))
    names = [name for name in PLAIN if name.isprintable()]
    writes = [Write(f"key {name}", {"Account_Name": f"{name} GmbH"}) for name in names]
    results = connector.create("Accounts", writes, ["Account_Name"], {})
    assert [r.error for r in results] == [None] * len(names)
    assert [r.remote.record["Account_Name"] for r in results] == [f"{name} GmbH" for name in names]
    found = connector.probe("Accounts", writes, ["Account_Name"], {})
    assert [r.id for r in found] == [r.remote.id for r in results]
    assert len(running.app.records("Accounts")) == before + len(names)
