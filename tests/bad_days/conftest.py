"""One company serves many bad days, as long as each leaves it in agreement; else the next test founds another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from bad_days.bad_company import BadCompany, founded
from bad_days.bad_numbers import Numbers
from bad_days.mortal import MortalHub


class Home:
    """Where the company lives between tests."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self.factory = factory
        self.stack = ExitStack()
        self.company: BadCompany | None = None

    def open(self) -> BadCompany:
        if self.company is None:
            self.company = self.stack.enter_context(founded(self.factory.mktemp("company"), always_at_work=False))
        return self.company

    def close(self) -> None:
        self.company = None
        self.stack.close()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory)
    yield home
    home.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    if outcome.get_result().failed:
        item.stash[FAILED] = True


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def company(home: Home, request: pytest.FixtureRequest) -> Iterator[BadCompany]:
    """Three systems in agreement. At its end every test has the company in agreement again."""
    company = home.open()
    with company.at_work():
        company.slept.clear()
        company.forget_pauses()
        hub_yaml = (company.folder / "hub.yaml").read_text(encoding="utf-8")
        yield company
        (company.folder / "hub.yaml").write_text(hub_yaml, encoding="utf-8")
        if request.node.stash.get(FAILED, False):
            home.close()
            return
        try:
            company.mend()
            company.assert_agreement()
        except BaseException:
            home.close()
            raise


@pytest.fixture
def own_company(tmp_path: Any) -> Iterator[BadCompany]:
    """A company for a test that can't leave it as it was."""
    with founded(tmp_path / "company") as company:
        yield company


@pytest.fixture(scope="session")
def numbers() -> Numbers:
    return Numbers()


@pytest.fixture
def mortal(own_company: BadCompany) -> Iterator[MortalHub]:
    mortal = MortalHub(own_company.folder)
    yield mortal
    mortal.close()
