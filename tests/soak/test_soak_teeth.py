"""The soak's auditor finds what is wrong: each law is broken by hand, past the hub, and told by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.demo import books
from tests.soak import laws
from tests.soak.company import Company, founded
from tests.soak.people import People

Row = dict[str, Any]
pytestmark = pytest.mark.slow
QUIET: Row = {"state": "done", "writes": 0, "api_writes": 0}
STATUS: Row = {"in_doubt": 0, "conflicts": 0, "letters": 0, "letters_written": 0, "letters_left": []}


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, People, dict[str, str]]]:
    """A company in agreement, after two dozen things that people did in good weather."""
    with founded(tmp_path_factory.mktemp("soak") / "company", "sqlite", 1) as company:
        company.hub("sync", "--yes", "--json")
        bad = {one["hub_id"]: one["payload"]["title"] for one in company.hub("letters", "--json").data["letters"]}
        people = People(company, 3, 0)
        acts = (people._website, people._bank_account, people._postcode, people._new_customer, people._new_order)
        for act in (*acts * 3, people._new_invoice, people._new_product, people._not_the_owner):
            assert act()
        assert company.hub("sync", "--json").code in (0, 1)
        company.hub("sync", "--json")
        yield company, people, bad


def broken(
    company: Company, people: People, bad: dict[str, str], quiet: Row = QUIET, status: Row = STATUS, *, sample: int = 0
) -> set[str]:
    verdicts = laws.judge(laws.Found(company, people.ledger, quiet, {**STATUS, **status}, bad, sample))
    idle = {v.law for v in verdicts if not v.cases}
    assert idle <= {"7 one bad record is one bad record", "10 accounted for"}, "a law that looks at nothing"
    return {v.law.partition(" ")[0] for v in verdicts if v.wrong}


def test_all_is_well_when_it_is(after: tuple[Company, People, dict[str, str]]) -> None:
    assert broken(*after, sample=2) == set()


def test_a_value_that_the_hub_can_not_explain_is_found(after: tuple[Company, People, dict[str, str]]) -> None:
    company, people, bad = after
    key = next(key for key in reversed(people.ledger.last) if key[1] == "website")
    value, people.ledger.last[key] = people.ledger.last[key], "https://nobody-entered-this.example.com"
    assert {"2", "10"} <= broken(company, people, bad, sample=2)
    people.ledger.last[key] = value


def _lost(company: Company, people: People) -> None:
    (tax_id, _), _ = next(item for item in people.ledger.last.items() if item[0][1] == "postcode")
    company.rows("UPDATE customers SET postcode = '000000' WHERE tax_no = ?", tax_id)


def _doubled(company: Company, people: People) -> None:
    one = company.zoho.records("Products")[0]
    company.zoho.create("Products", {"Product_Name": "twice", "Product_Code": one["Product_Code"]}, "anna")


def _owner_overruled(company: Company, people: People) -> None:
    company.rows("UPDATE customers SET name = 'somebody else' WHERE id = 1")


def _archived(company: Company, people: People) -> None:
    company.rows("UPDATE customers SET state = 'I' WHERE tax_no = ?", people.ledger.customers[0])


def _penny(company: Company, people: People) -> None:
    company.rows("UPDATE orders SET total = total + 0.01 WHERE subject = ?", next(iter(people.ledger.orders)))


def _no_product(company: Company, people: People) -> None:
    company.rows("UPDATE order_lines SET product_id = NULL WHERE order_id = 1")


@pytest.mark.parametrize(
    ("harm", "law"),
    [(_lost, "2"), (_doubled, "3"), (_owner_overruled, "5"), (_no_product, "6"), (_archived, "9"), (_penny, "11")],
    ids=lambda value: value if isinstance(value, str) else value.__name__.strip("_"),
)
def test_harm_done_past_the_hub_is_found(
    after: tuple[Company, People, dict[str, str]], harm: Callable[[Company, People], None], law: str
) -> None:
    company, people, bad = after
    harm(company, people)
    assert law in broken(company, people, bad)


@pytest.mark.parametrize(
    ("quiet", "status", "law"),
    [
        ({**QUIET, "writes": 1}, {}, "1"), ({**QUIET, "api_writes": 2}, {}, "1"), (QUIET, {"in_doubt": 1}, "1"),
        ({**QUIET, "state": "failed"}, {}, "1"),
        (QUIET, {"letters_left": [{"hub_id": "x", "system": "s", "entity": "e", "error": "E", "message": "m"}]}, "7"),
    ],
)  # fmt: skip
def test_a_hub_that_is_not_done_is_found(
    after: tuple[Company, People, dict[str, str]], quiet: Row, status: Row, law: str
) -> None:
    assert law in broken(*after, quiet, status)


def test_an_echo_is_found(after: tuple[Company, People, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    company, people, bad = after
    echo = {"by": "hub", "action": "update", "resource": "Accounts", "values": {"Website": "x"}, "at": "now", "id": "1"}
    real = company.zoho.history
    monkeypatch.setattr(company.zoho, "history", lambda: [*real(), echo])
    assert "4" in broken(company, people, bad)


def test_memory_that_grows_is_found(after: tuple[Company, People, dict[str, str]]) -> None:
    company, people, bad = after
    first = next(p for p in company.passes if p.words[0] == "sync")
    company.passes += [type(first)(["sync"], 0, "{}", "", 1.0, first.memory * 3) for _ in range(4)]
    assert "12" in broken(company, people, bad)


def test_the_auditor_reads_the_systems_themselves(after: tuple[Company, People, dict[str, str]]) -> None:
    company, people, _ = after
    titles = {d["title"] for d in books.orders(company, "finance_db")}  # type: ignore[arg-type]
    assert set(people.ledger.orders) <= titles
