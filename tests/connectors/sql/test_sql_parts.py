"""Reading a table in parts: each row is in exactly one of them, whatever its key is."""

from __future__ import annotations

import pytest

from hub.connect.capabilities import Part

KEYS = {"numbers": "INTEGER NOT NULL", "codes": "VARCHAR(20) NOT NULL", "amounts": "NUMERIC(12, 2) NOT NULL"}
VALUES = {
    "numbers": [-3, -2, -1, 0, *range(5, 20)],
    "codes": ["", "a", "B", "客户", "C-10", "C-11", "C-12", "x\\y", "Ü", *(f"K{n}" for n in range(10))],
    "amounts": ["-1.50", "0.00", "1.25", "1.26", "10.00", "10.01"],
}


def parts(connector, table: str, of: int, cursor: str | None = None) -> list[list[str]]:
    return [
        [r.id for page in connector.list_part(table, Part(n, of), cursor, ["name"], {}) for r in page.records]
        for n in range(1, of + 1)
    ]


@pytest.mark.parametrize("table", KEYS)
@pytest.mark.parametrize("of", [1, 2, 4, 7])
def test_each_row_is_in_exactly_one_part(world, table: str, of: int) -> None:
    world.run(f"CREATE TABLE {table} (id {KEYS[table]} PRIMARY KEY, name VARCHAR(20))")
    for value in VALUES[table]:
        world.run(f"INSERT INTO {table} VALUES (:id, 'n')", id=value)
    connector = world.open(page_size=3)
    assert connector.has_parts(table, {})
    read = parts(connector, table, of)
    assert len([key for part in read for key in part]) == len(VALUES[table])
    whole = [r.id for page in connector.list_changes(table, None, ["name"], {}) for r in page.records]
    assert sorted(key for part in read for key in part) == sorted(whole)
    if of == 2:
        assert all(read), "both have something to do"


def test_a_key_of_several_columns_is_divided_by_its_last(world) -> None:
    world.run(
        "CREATE TABLE rates (year INTEGER NOT NULL, no INTEGER NOT NULL, name VARCHAR(9), PRIMARY KEY (year, no))"
    )
    for year in (2025, 2026):
        for number in range(6):
            world.run("INSERT INTO rates VALUES (:y, :n, 'r')", y=year, n=number)
    first, second = parts(world.open(), "rates", 2)
    assert len(first) == len(second) == 6
    assert not set(first) & set(second)


def test_a_cursor_of_the_whole_serves_each_part(world) -> None:
    world.run("CREATE TABLE seen (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9), changed_at INTEGER)")
    for number in range(8):
        world.run("INSERT INTO seen VALUES (:n, 'r', :n)", n=number)
    connector = world.open(tables={"seen": {"cursor": "changed_at", "overlap": 0}})
    cursor = [page.cursor for page in connector.list_changes("seen", None, ["name"], {})][-1]
    for number in (2, 5):
        world.run("UPDATE seen SET changed_at = :at WHERE id = :n", at=100 + number, n=number)
    even, odd = parts(connector, "seen", 2, cursor)
    assert (even, odd[-1]) == (["2"], "5")
    assert len(odd) <= 2, "at most the newest of before comes once more"
