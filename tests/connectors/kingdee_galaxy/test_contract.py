"""What capabilities.yaml says of this connector is what the contract suite finds."""

from hub.connect import registry
from hub.connect.contract.verify import verify


def test_the_connector_keeps_its_contract():
    outcome = verify(registry.find("kingdee_galaxy"))
    assert not outcome.broken
    assert not outcome.differences, "run: hub connector verify kingdee_galaxy --write"
    assert outcome.found.tier == "gold"
