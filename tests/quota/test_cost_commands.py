"""``hub plan``, ``hub check`` and ``hub sync`` tell what passes cost and what is left."""

from __future__ import annotations

import json
from typing import Any

from quota.counted_company import Company
from typer.testing import CliRunner

from hub.cli.main import app


def hub(company: Company, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--project", str(company.folder)])
    return result.exit_code, result.stdout


def told(company: Company, *words: str) -> Any:
    return json.loads(hub(company, *words, "--json")[1])


def test_the_commands_tell_costs_and_what_is_left(company: Company) -> None:
    company.setting("zoho", credits_per_day=5000)
    company.sync(yes=True)
    company.time_goes_by(3600)
    company.sync()
    company.edit("kingdee", "BD_Customer", 6, FTEL="021-5550 1234")

    plan = told(company, "plan", "customer")
    costs = {cost["system"]: cost for cost in plan["costs"]}
    assert set(costs) == {"zoho", "kingdee"}, "a database is not counted"
    assert costs["zoho"]["unit"] == "credits"
    assert costs["zoho"]["calls"] == costs["zoho"]["reading"]["calls"] + costs["zoho"]["writing"]["calls"] > 4
    assert costs["zoho"]["left_today"] == 5000 - costs["zoho"]["used_today"]
    assert costs["zoho"]["kept_for_urgent"] == 250
    assert costs["zoho"]["fits"] is True
    assert costs["kingdee"]["left_today"] is None

    check = {row["system"]: row for row in told(company, "check")["systems"]}
    assert check["zoho"]["quota"]["per_day"] == 5000
    assert check["zoho"]["cost"]["quiet_pass"] == {"calls": 8, "units": 12}
    assert check["zoho"]["cost"]["full_pass"]["calls"] > 4
    assert check["kingdee"]["quota"]["calls_today"] > 10
    assert check["finance_db"]["quota"] is None

    code, shown = hub(company, "check", "zoho")
    assert code == 0
    assert "reading takes: 8 calls (12 credits) when nothing changed" in shown
    assert "of 5,000 credits, 250 of them kept for urgent work (as counted)" in shown

    done = told(company, "sync", "customer")
    made = {cost["system"]: cost["made"]["calls"] for cost in done["costs"]}
    assert made["zoho"] > 2
    assert made["kingdee"] == 1

    accounts = {tuple(account["systems"]): account for account in told(company, "status")["accounts"]}
    assert accounts["zoho",]["per_day"] == 5000
    assert accounts["zoho",]["used"] > check["zoho"]["quota"]["used_today"]
    assert accounts["kingdee",]["calls"] > 10
    assert "accounts today" in hub(company, "status")[1]

    company.used("zoho", 5000)
    code, shown = hub(company, "sync", "customer")
    assert code == 0
    assert "zoho: the rest in later passes (limit of the day)" in shown
