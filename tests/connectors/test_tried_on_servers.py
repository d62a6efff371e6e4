"""Connectors that are tried on servers of the product (tests/real): what their capabilities.yaml says is whole.

That it is also true needs the servers; ``make test-real`` holds it to what they do.
"""

import pytest

from hub.connect import registry
from hub.connect.contract.record import read
from hub.connect.contract.rules import all_rules
from hub.connect.contract.verify import contract_of, verify
from hub.connect.guarantees import CAPABILITIES
from hub.errors import ConfigurationError

NAMES = ["directus", "medusa", "tryton"]


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_was_tried_on_a_real_server_in_every_trial(name):
    entry = registry.find(name)
    kept = read(entry.folder / CAPABILITIES)
    assert (kept.connector, kept.tier, kept.missing) == (name, "platinum", [])
    server = kept.worlds["server"]
    assert server.real and set(server.trials) == {trial.name for trial in contract_of(entry).trials}
    for trial in server.trials.values():
        assert not trial.broken and not trial.not_tried
        assert {*trial.kept, *trial.not_needed} == {rule.name for rule in all_rules()}


@pytest.mark.parametrize("name", NAMES)
def test_without_a_server_it_says_what_it_needs(name):
    with pytest.raises(ConfigurationError) as caught:
        verify(registry.find(name))
    assert "--option url=" in (caught.value.cure or "")
