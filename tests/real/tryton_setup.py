"""Run inside of Tryton's own environment: a company that can sell, as its set-up assistants make it.

``python tryton_setup.py DATABASE_URI CONFIG OUT``: OUT becomes a JSON object of ids.
"""

from __future__ import annotations

import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path


def main(uri: str, configuration: str, out: str) -> None:
    from proteus import Model, config  # TRYTOND_CONFIG must be set before trytond is imported

    config.set_trytond(database=uri, config_file=configuration)
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
    from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company

    Party = Model.get("party.party")
    ours = Party(name="上海示例贸易有限公司")
    ours.save()
    create_company(party=ours, currency=_currency(Model))
    company = get_company()
    user_model = Model.get("res.user")
    user = user_model(config.get_config().user)
    user.companies.append(company)
    user.company = company
    user.save()
    config.get_config()._context = user_model.get_preferences(True, {})
    create_chart(company)
    for year in (0, 1):
        fiscal_year = set_fiscalyear_invoice_sequences(_year(create_fiscalyear, company, year))
        fiscal_year.click("create_period")
    accounts = get_accounts(company)
    tax = create_tax(Decimal("0.13"), company)
    tax.name = tax.description = "增值税 13%"
    tax.save()
    term = create_payment_term()
    term.name = "月结"
    term.save()
    Category = Model.get("product.category")
    category = Category(name="商品", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    unit = Model.get("product.uom").find([("symbol", "=", "u")], limit=1)[0]
    locations = {one.code or one.type: one.id for one in Model.get("stock.location").find([])}
    Path(out).write_text(
        json.dumps(
            {
                "company": company.id,
                "tax": tax.id,
                "term": term.id,
                "category": category.id,
                "unit": unit.id,
                "storage": locations["STO"],
                "lost": locations["lost_found"],
            }
        )
    )


def _currency(Model):
    Currency = Model.get("currency.currency")
    found = Currency.find([("code", "=", "CNY")])
    currency = (
        found[0] if found else Currency(name="人民币", symbol="¥", code="CNY", digits=2, rounding=Decimal("0.01"))
    )
    if not currency.rates:
        currency.rates.new(date=datetime.date(2020, 1, 1), rate=Decimal(1))
    currency.save()
    return currency


def _year(create_fiscalyear, company, offset):
    year = datetime.date.today().year + offset  # noqa: DTZ011
    return create_fiscalyear(company, (datetime.date(year, 1, 1), datetime.date(year, 12, 31)))


if __name__ == "__main__":
    main(*sys.argv[1:])
