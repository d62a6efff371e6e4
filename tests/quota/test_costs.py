"""What a pass costs is told before it is paid, and is what the systems then count."""

from __future__ import annotations

from quota.counted_company import Company, cost_of

from hub.connect.quota import urgently

MARGIN = 0.2
"""Of a pass's calls: what was foretold after reading may be off by so much (records seen again, second rounds)."""


def settled(company: Company) -> None:
    """Everything is in agreement, and lies a while back."""
    company.sync(yes=True)
    company.time_goes_by(3600)
    company.sync()
    company.time_goes_by(3600)


def edited(company: Company) -> None:
    company.edit("kingdee", "BD_Customer", 9, FTEL="021-5550 1234")
    company.edit("zoho", "Accounts", 7, Phone="+86 10 8888 1111")
    company.edit("zoho", "Sales_Orders", 3, Description="please hurry")
    company.time_goes_by(10)


def test_a_plan_costs_exactly_what_carrying_it_out_takes(company: Company) -> None:
    settled(company)
    edited(company)
    with company.engine() as (engine, _):
        planned = engine.plan()
    assert planned.plan is not None
    before, credits = company.calls(), company.credits()
    with company.engine() as (engine, _):
        done = engine.apply(planned.plan.id)
    assert done.writes == len(planned.plan.writes) > 9
    for system, calls in company.calls().items():
        foretold, made = cost_of(planned, system), calls - before[system]
        assert foretold.reading[0] + foretold.writing[0] == made > 10
        assert cost_of(done, system).made[0] == made
    assert cost_of(planned, "zoho").units == company.credits() - credits == cost_of(done, "zoho").made[1]


def test_a_pass_costs_about_what_was_foretold_when_it_began_to_write(company: Company) -> None:
    company.setting("zoho", credits_per_day=5000)
    company.setting("kingdee", calls_per_day=5000)
    settled(company)
    edited(company)
    before = company.calls()
    done = company.sync()
    for system, calls in company.calls().items():
        cost, made = cost_of(done, system), calls - before[system]
        assert cost.made[0] == made
        assert abs(cost.reading[0] + cost.writing[0] - made) <= MARGIN * made
    assert done.writes > 9
    assert not [finding for finding in done.findings if finding.kind == "quota"]


def test_what_does_not_fit_into_a_day_goes_on_the_next_and_nothing_is_lost(company: Company) -> None:
    """A first sync of more than a day's credits, spread by the hub itself."""
    limit = 26
    company.setting("zoho", credits_per_day=limit)
    days = []
    while not days or days[-1].spread:
        assert len(days) < 12, [day.message for day in days]
        before = company.credits()
        days.append(company.sync(yes=True))
        assert company.credits() - before <= limit
        assert not days[-1].failures
        company.a_day_goes_by()
    assert len(days) > 2
    assert "later passes" in days[0].message
    assert days[0].state == "done"
    company.a_day_goes_by()
    assert company.sync().writes == 0
    company.used("zoho", -1000)  # room enough to look at everything
    with company.engine() as (engine, _):
        assert engine.reconcile().differences == 0
    assert len(company.zoho.app.records("Accounts")) == len(company.kingdee.app.records("BD_Customer")) == 18
    assert len(company.zoho.app.records("Sales_Orders")) == len(company.kingdee.app.records("SAL_SaleOrder")) == 12


def test_a_pass_that_does_not_fit_says_so_before_it_writes(company: Company) -> None:
    settled(company)
    edited(company)
    company.setting("kingdee", calls_per_day=1000)
    company.sync_nothing()
    company.used("kingdee", 1000 - 58)  # 8 more than are kept
    seen: list[str] = []
    with company.engine() as (engine, _):
        engine.observer = lambda event: seen.append(event.name)
        done = engine.sync()
    (finding,) = [finding for finding in done.findings if finding.kind == "quota"]
    assert finding.message.startswith("kingdee: writing takes about ")
    assert "quota.short" in seen
    if "batch.written" in seen:
        assert seen.index("quota.short") < seen.index("batch.written")
    assert set(done.spread) == {"kingdee"}


def test_urgent_work_may_use_what_is_kept(company: Company) -> None:
    settled(company)
    edited(company)
    company.setting("kingdee", calls_per_day=1000)
    with company.engine() as (engine, _):
        planned = engine.plan()
    company.used("kingdee", 1000 - 40)
    with company.engine() as (engine, project):
        assert project.quota is not None
        assert project.quota.room("kingdee") == 0
        with urgently(project.quota):
            assert project.quota.room("kingdee") == 40
        assert planned.plan is not None
        done = engine.apply(planned.plan.id)
    assert not done.spread
    assert done.writes == len(planned.plan.writes)


def test_when_the_day_is_used_up_nobody_calls(company: Company) -> None:
    settled(company)
    company.setting("kingdee", calls_per_day=1000)
    company.used("kingdee", 1000)
    before = company.calls()["kingdee"]
    done = company.sync()
    assert company.calls()["kingdee"] == before
    assert set(done.spread) == {"kingdee"}
    assert done.state == "done"


def test_what_zoho_says_is_left_is_believed(company: Company) -> None:
    """From half of its credits on, the vendor tells what is left: here an org that other apps use as well."""
    settled(company)
    app = company.zoho.app
    used = app.quota.used  # type: ignore[attr-defined]
    app.quota.credits = app.quota.used + 60  # type: ignore[attr-defined]
    company.sync()
    with company.engine() as (_, project):
        assert project.quota is not None
        standing = project.quota.standing("zoho")
    assert standing is not None
    assert standing.by_vendor
    assert standing.left is not None
    assert 60 > standing.left == 60 - (app.quota.used - used)  # type: ignore[attr-defined]
