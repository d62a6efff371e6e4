"""One company for all tests of undo over HTTP; each takes a customer of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bad_days.bad_company import BadCompany, founded


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadCompany]:
    with founded(tmp_path_factory.mktemp("company") / "hub") as company:
        yield company
