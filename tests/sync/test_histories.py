"""A few random histories in every run of the tests; ``python tests/sync/histories.py SEED`` tells the story of one."""

from __future__ import annotations

import pytest
from sync.histories import History


@pytest.mark.parametrize("seed", range(100, 112))
def test_the_laws_hold_in_a_random_history(seed: int) -> None:
    history = History(seed).run()
    assert not history.bad, "\n".join([f"seed {seed}", *history.story[-20:], *history.bad])
