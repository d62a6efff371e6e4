"""What capabilities.yaml says of this connector is what the contract suite finds."""

from dataclasses import replace

from hub.connect import registry
from hub.connect.contract.suite import try_out
from hub.connect.contract.verify import verify
from hub.connect.contract.worlds import LiveWorld


def test_the_connector_keeps_its_contract():
    outcome = verify(registry.find("zoho_crm"))
    assert not outcome.broken
    assert not outcome.differences, "run: hub connector verify zoho_crm --write"
    assert outcome.found.tier == "gold"


def test_an_account_in_use_is_left_as_it_was(world):
    contract = registry.find("zoho_crm").contract()
    orders = replace(contract, trials=contract.trials[-1:])
    before = {module: world.app.records(module) for module in ("Accounts", "Products", "Sales_Orders")}
    live = LiveWorld("zoho", "an account", lambda more: world.connector(**more), sleep=world.clock.advance)
    tried = try_out(orders, live, start="HLIVE")
    live.close()
    assert tried.left == []
    assert {module: world.app.records(module) for module in before} == before
    states = {f.rule: f.state for f in tried.findings}
    assert "broken" not in states.values()
    assert states["finds_its_creates"] == "kept" and states["makes_one_of_a_lost_create"] == "not tried"
