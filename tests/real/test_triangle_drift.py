"""Somebody changes the live systems: found before it does harm, with the lines of the mappings it touches.

Runs after the story of the company, whose CRM and database it changes for good.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from real.directus_shape import text
from real.world import World
from typer.testing import CliRunner

from hub.cli.main import app

GONE = "(or hidden from this user)"
Hub = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def hub(company: World, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """``hub WORDS`` in a project of its own on the same servers; it has looked at all of them before."""
    folder = tmp_path_factory.mktemp("drift") / "project"
    shutil.copytree(company.folder, folder, ignore=shutil.ignore_patterns(".hub"))
    # The bundled mappings are copied too, so that the places named are files of this project.
    for name in ("directus", "tryton"):
        bundled = Path(__file__).parents[2] / "mappings" / name
        shutil.copytree(bundled, folder / "mappings" / name, ignore=shutil.ignore_patterns("*_test.yaml"))

    def run(*words: str) -> tuple[int, str]:
        logger = logging.getLogger("hub")
        before = logger.handlers, logger.level
        try:
            result = CliRunner().invoke(app, [*words, "--project", str(folder)])
        finally:
            logger.handlers, logger.level = before
        return result.exit_code, (result.stdout + result.stderr).replace(f"{folder}/", "")

    said = run("check")[1]
    assert "changed since the last look" not in said
    assert run("validate")[0] == 0, said
    change(company)
    return run


def change(company: World) -> None:
    """What an administrator does on a Friday afternoon."""
    crm: Any = company.crm
    crm.call("POST", "fields/accounts", text("fax"))
    crm.call("POST", "fields/accounts", {**text("region"), "meta": {"required": True, "interface": "input"}})
    crm.call("DELETE", "fields/accounts/terms")
    crm.call("PATCH", "fields/accounts/city", {"meta": {"required": True}})
    crm.call("DELETE", "fields/orders/order_date")
    crm.call("POST", "fields/orders", {"field": "order_date", "type": "boolean", "schema": {}, "meta": {}})
    with company.cluster.connect("books") as connection:
        connection.execute("ALTER TABLE customers DROP COLUMN email")
        connection.execute("ALTER TABLE customers ALTER COLUMN phone TYPE date USING NULL")
        connection.execute("ALTER TABLE customers ADD COLUMN segment text")
        connection.execute("UPDATE customers SET segment = 'A'")
        connection.execute("ALTER TABLE customers ALTER COLUMN segment SET NOT NULL")


@pytest.fixture(scope="module")
def checked(hub: Hub) -> tuple[int, str]:
    return hub("check")


@pytest.fixture(scope="module")
def validated(hub: Hub, checked: tuple[int, str]) -> tuple[int, str]:
    return hub("validate")


@pytest.mark.parametrize(
    "told",
    [
        "accounts: fax is new (text)",
        "accounts: region is new (text) and is mandatory",
        "accounts: city is mandatory now (used by mappings/directus/accounts.yaml:22:7)",
        f"accounts: terms is not there any more {GONE} (used by mappings/directus/accounts.yaml:17:3)",
        "orders: order_date was date, is boolean (used by mappings/directus/orders.yaml:13:3)",
        "customers: phone was text, is date (used by mappings/books/customers.yaml:11:3)",
        f"customers: email is not there any more {GONE} (used by mappings/books/customers.yaml:12:3)",
        "customers: segment is new (text) and is mandatory",
    ],
)
def test_check_names_every_change_and_the_lines_it_touches(checked: tuple[int, str], told: str):
    code, said = checked
    assert code != 0
    assert f"changed since the last look: {told}\n" in said, said


@pytest.mark.parametrize(
    "told",
    [
        "mappings/directus/accounts.yaml:11:1: region is mandatory in accounts, and nothing here writes it",
        "mappings/directus/accounts.yaml:17:18: accounts has no field 'terms'",
        "mappings/directus/orders.yaml:13:15: order_date",
        "mappings/books/customers.yaml:11:18: phone",
        "mappings/books/customers.yaml:12:10: customers has no field 'email'",
        "mappings/books/customers.yaml:7:1: segment is mandatory in customers, and nothing here writes it",
    ],
)
def test_validate_refuses_the_mappings_at_the_line(validated: tuple[int, str], told: str):
    code, said = validated
    assert code == 2
    assert told in said, said


def test_a_pass_does_not_write_through_a_broken_mapping(hub: Hub, company: World, validated: tuple[int, str]):
    before = company.versions_of_rows()
    code, said = hub("sync", "--yes")
    assert code == 2 and "has no field 'terms'" in said
    assert company.versions_of_rows() == before
