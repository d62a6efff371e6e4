"""The invented data is deterministic, valid by the public check rules, and exact."""

from decimal import Decimal

import phonenumbers
import pytest
from stdnum import ean
from stdnum.cn import uscc
from stdnum.de import vat as german
from stdnum.gb import vat as british

from hub.connect.sample_data import companies, invoices, orders, products
from hub.connect.sample_spelling import respelled


def test_an_item_depends_only_on_the_seed_and_its_position():
    assert companies(1, 30)[:10] == companies(1, 10)
    assert companies(1, 30)[10:] == companies(1, 20, start=10)
    assert companies(1, 10) != companies(2, 10)


def test_names_numbers_and_tax_ids_are_unique():
    everyone = companies(1, 1200)
    for key in ("number", "name", "tax_id", "email"):
        assert len({company[key] for company in everyone}) == 1200, key


@pytest.mark.parametrize("country, check", [("CN", uscc.is_valid), ("DE", german.is_valid), ("GB", british.is_valid)])
def test_tax_ids_pass_their_checksums(country, check):
    found = [c["tax_id"] for c in companies(7, 300) if c["country"] == country]
    assert len(found) > 20
    assert [t for t in found if not check(t)] == []


def test_phones_are_valid_numbers():
    everyone = companies(3, 200)
    phones = [c["phone"] for c in everyone] + [p["mobile"] for c in everyone for p in c["contacts"] if p["mobile"]]
    assert [p for p in phones if not phonenumbers.is_valid_number(phonenumbers.parse(p))] == []


def test_barcodes_are_valid():
    assert all(ean.is_valid(p["barcode"]) for p in products(1, 60))


def test_totals_are_the_sums_of_the_lines_to_the_cent():
    made = orders(1, 50, companies(1, 20), products(1, 20))
    for order in made:
        assert order["total"] == sum(line["amount"] for line in order["lines"])
        for line in order["lines"]:
            assert line["net_amount"] == line["quantity"] * line["unit_price"] - line["discount"]
            assert line["amount"] == line["amount"].quantize(Decimal("0.01"))
    billed = invoices(1, 20, made)
    assert billed[0]["order"] == made[0]["number"]
    assert {len(i["einvoice_number"]) for i in billed} == {20}


def test_respelling_keeps_what_identifies_and_changes_how_it_looks():
    everyone = companies(1, 200)
    erp = [respelled(c, "erp") for c in everyone]
    crm = [respelled(c, "crm") for c in everyone]
    for ours, theirs, original in zip(crm, erp, everyone, strict=True):
        assert ours["number"] == theirs["number"] and ours["tax_id"] == theirs["tax_id"]
        region = original["country"]
        assert phonenumbers.is_number_match(original["phone"], ours["phone"]) == 4
        parsed = phonenumbers.parse(theirs["phone"], region)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == original["phone"]
    assert sum(a["name"] != b["name"] for a, b in zip(crm, erp, strict=True)) > 40
    assert erp == [respelled(c, "erp") for c in everyone]
