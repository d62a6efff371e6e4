"""Mistakes in connectors become errors of the closed list."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from hub.connect.capabilities import Create, ListIds
from hub.connect.guarding import guard
from hub.errors import RateLimited, UnexpectedAnswer, UnknownOutcome


class Broken:
    def list_ids(self, resource: str, options: dict[str, str]) -> Iterator[list[str]]:
        yield ["1"]
        raise IndexError("list index out of range")

    def get(self, resource: str, *_: object) -> None:
        raise RateLimited("slower", where="crm")

    def create(self, resource: str, *_: object) -> None:
        raise KeyError("id")

    def check(self) -> str:
        return "fine"


@pytest.fixture
def connector() -> Broken:
    made = Broken()
    guard(made, "crm")
    return made


def test_a_read_is_an_unexpected_answer_after_what_it_gave(connector: Broken, caplog: pytest.LogCaptureFixture) -> None:
    pages = connector.list_ids("Accounts", {})
    assert next(pages) == ["1"]
    with caplog.at_level(logging.ERROR), pytest.raises(UnexpectedAnswer) as caught:
        next(pages)
    assert str(caught.value).startswith("crm/Accounts: mistake in the connector's list_ids: IndexError: list index")
    assert "Traceback" in caplog.text


def test_nobody_knows_how_far_a_write_came(connector: Broken) -> None:
    with pytest.raises(UnknownOutcome, match="mistake in the connector's create: KeyError: 'id'"):
        connector.create("Accounts")


def test_what_the_connector_says_itself_and_what_works_stays_as_it_is(connector: Broken) -> None:
    with pytest.raises(RateLimited):
        connector.get("Accounts")
    assert connector.check() == "fine"
    assert isinstance(connector, ListIds) and isinstance(connector, Create)
    assert not hasattr(connector, "update")
