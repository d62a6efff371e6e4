"""What capabilities.yaml says of this connector is what the contract suite finds, in each of the three databases."""

from hub.connect import registry
from hub.connect.contract.verify import verify


def test_the_connector_keeps_its_contract(contract_url):
    outcome = verify(registry.find("sql"), {"url": contract_url})
    assert not outcome.broken
    assert not outcome.differences, "run: hub connector verify sql --option url=… --write"
    assert outcome.found.tier == "platinum"
