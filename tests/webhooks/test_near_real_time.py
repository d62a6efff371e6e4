"""From an edit in one system to its value in the other, by what the systems tell."""

from __future__ import annotations

import json
import threading

from webhooks.hooked_company import SECRET, HookedCompany, counted, post, waiting

from hub.connect import hooks
from hub.store import hints
from hub.webhooks.serve import Service


def test_an_edit_in_the_crm_is_in_the_erp_after_one_small_pass(company: HookedCompany, service: Service) -> None:
    account = company.accounts()[0]
    company.zoho.app.edit("Accounts", account["id"], {"Website": "https://one.example.com"}, "Ann Lee")
    company.told()
    assert waiting(service) == 1
    calls = company.zoho.control.stats.as_json()["by_operation"]
    service.worker.turn()
    assert company.customer(account)["FWEBSITE"] == "https://one.example.com"
    assert waiting(service) == 0
    more = company.zoho.control.stats.as_json()["by_operation"]
    assert sum(more.values()) - sum(calls.values()) == 1, "one call for the one record, no list"


def test_the_worker_wakes_up_by_itself(company: HookedCompany) -> None:
    account = company.accounts()[1]
    done = threading.Event()
    with company.service(drains=True, done=lambda report: done.set() if report.writes else None) as service:
        key = hooks.key_of(SECRET, "zoho")
        company.zoho.app.edit("Accounts", account["id"], {"Website": "https://two.example.com"}, "Ann Lee")
        body = hooks.written("Accounts", [account["id"]])
        assert post(service, "zoho", body, **{"X-Hub-Signature": hooks.sign(body, key)}) == 202
        assert done.wait(60)
    assert company.customer(account)["FWEBSITE"] == "https://two.example.com"


def test_the_erp_tells_by_a_few_lines_of_somebody_s_and_echoes_end_here(
    company: HookedCompany, service: Service
) -> None:
    key = hooks.key_of(SECRET, "kingdee")
    company.kingdee.control.plugin.install(f"{service.url}/hooks/kingdee", key, ["BD_Customer"])
    account = company.accounts()[2]
    customer = company.customer(account)
    company.kingdee.app.edit("BD_Customer", str(customer["FCUSTID"]), {"FWEBSITE": "https://three.example.com"}, "会计")
    company.told()
    service.worker.turn()
    rows = {row["id"]: row for row in company.zoho.app.records("Accounts")}
    assert rows[account["id"]]["Website"] == "https://three.example.com"
    company.told()
    assert waiting(service) == 1, "the CRM tells of the hub's own write"
    seen = len(company.zoho.app.journal), len(company.kingdee.app.journal)
    service.worker.turn()
    assert (len(company.zoho.app.journal), len(company.kingdee.app.journal)) == seen
    assert waiting(service) == 0


def test_doubled_late_lost_and_forged_messages_do_no_harm(company: HookedCompany, service: Service) -> None:
    accounts = company.accounts()[:3]
    company.zoho.app.edit("watch", "delivery", {"twice_every": 2, "forge_every": 2, "reverse": True}, "test")
    for n, account in enumerate(accounts):
        for turn in range(2):
            value = {"Website": f"https://{n}-{turn}.example.com"}
            company.zoho.app.edit("Accounts", account["id"], value, "Ann Lee")
    company.told()
    assert waiting(service) == 3
    service.worker.turn()
    shown = [company.customer(account)["FWEBSITE"] for account in accounts]
    assert shown == [f"https://{n}-1.example.com" for n in range(3)]
    found = counted(service, "zoho")
    assert (found["accepted"], found["refused"]) == (8, 2)
    company.zoho.app.edit("watch", "delivery", {"lose": True}, "test")
    company.zoho.app.edit("Accounts", accounts[0]["id"], {"Website": "https://lost.example.com"}, "Ann Lee")
    company.told()
    assert waiting(service) == 0
    company.zoho.app.edit("watch", "delivery", {}, "test")
    assert company.sync(yes=True).writes == 1, "polling is the backstop"
    assert company.customer(accounts[0])["FWEBSITE"] == "https://lost.example.com"


def test_hints_outlive_the_process_that_took_them(company: HookedCompany, service: Service) -> None:
    account = company.accounts()[3]
    company.zoho.app.edit("Accounts", account["id"], {"Website": "https://four.example.com"}, "Ann Lee")
    company.told()
    with company.service() as another:
        assert waiting(another) == 1
        another.worker.turn()
    assert company.customer(account)["FWEBSITE"] == "https://four.example.com"


def test_hints_of_an_entity_that_is_no_more_are_forgotten(service: Service) -> None:
    with service.worker.engine.store.begin() as connection:
        hints.add(connection, [("zoho", "supplier", "1")], "2026-01-01T00:00:00.000Z")
    service.worker.turn()
    assert waiting(service) == 0


def test_a_changed_mapping_is_used_without_a_restart(company: HookedCompany, service: Service) -> None:
    before = service.worker.engine
    text = (company.folder / "hub.yaml").read_text()
    (company.folder / "hub.yaml").write_text(text + "\n# looked over\n")
    service.worker._looked = 0.0
    service.worker.turn()
    assert service.worker.engine is not before
    assert service.recorder.store is service.worker.engine.store
    (company.folder / "hub.yaml").write_text("version: 2\nnonsense: true\n")
    service.worker._looked = 0.0
    service.worker.turn()
    account = company.accounts()[0]
    company.zoho.app.edit("Accounts", account["id"], {"Website": "https://five.example.com"}, "Ann Lee")
    company.told()
    service.worker.turn()
    assert company.customer(account)["FWEBSITE"] == "https://five.example.com"
    (company.folder / "hub.yaml").write_text(text)


def test_subscriptions_are_asked_for_renewed_at_half_of_their_life_and_ended(
    company: HookedCompany, service: Service
) -> None:
    watch = company.zoho.app.watch
    assert [channel.events for channel in watch.channels.values()] == [["Accounts.all"]]
    [row] = service.ready().subscriptions
    assert (row["system"], row["resource"], row["problem"]) == ("zoho", "Accounts", "")
    subscriptions, project = service.subscriptions, service.worker.project
    assert subscriptions.renew(project, service.webhooks) == []
    with service.worker.engine.store.begin() as connection:
        hints.set_subscription(connection, {**row, "asked_at": "2026-01-01T00:00:00.000Z", "problem": ""})
    company.zoho.app.expire()  # and no token, either
    assert [one["resource"] for one in subscriptions.renew(project, service.webhooks)] == ["Accounts"]
    assert len(watch.channels) == 1, "asking again renews, and never doubles"
    assert [one["resource"] for one in subscriptions.end(project)] == ["Accounts"]
    assert (watch.channels, service.ready().subscriptions) == ({}, [])


def test_a_system_that_can_t_be_asked_is_told_of_and_asked_again_later(
    company: HookedCompany, service: Service
) -> None:
    subscriptions, project = service.subscriptions, service.worker.project
    subscriptions.end(project)
    company.zoho.control.faults.add({"kind": "status", "status": 403, "operation": "*watch*", "next": 99})
    try:
        [row] = subscriptions.renew(project, service.webhooks)
    finally:
        company.zoho.control.faults.clear()
    assert row["problem"]
    assert service.worker.engine.status()["webhooks"][0]["subscriptions"][0]["problem"] == row["problem"]
    assert subscriptions.renew(project, service.webhooks) == [], "not every minute"


def test_status_tells_what_came_in(company: HookedCompany, service: Service) -> None:
    assert post(service, "zoho", json.dumps({"module": "Accounts", "ids": ["1"], "token": "guess"}).encode()) == 401
    counted(service, "zoho")
    [found] = service.worker.engine.status()["webhooks"]
    assert (found["system"], found["accepted"], found["refused"], found["waiting"]) == ("zoho", 0, 1, 0)
    assert found["refused_at"] and not found["last_at"]
