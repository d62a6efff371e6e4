"""Holds a pass's leases by signs of life beside its work: a slow page or a long call must not pass for a death."""

from __future__ import annotations

import logging
import threading

from hub.errors import HubError
from hub.sync.context import Pass

BEAT = 5.0
"""Seconds between two signs of life: several fit into a lease, so that one which fails costs nothing."""
END = 2.0
"""Seconds that the end of a pass waits for one under way: the store may just not answer."""
_log = logging.getLogger("hub.sync")


class Holding:
    """A thread that lives as long as the pass's leases: begun when they are taken, ended before they are given back."""

    def __init__(self, job: Pass) -> None:
        self._job = job
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"leases of {job.run}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(END)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            try:
                if not self._job.hold():
                    _log.warning("another pass took over: this one begins no call any more")
                    return
            except HubError as problem:
                # The next one may succeed; until then every call looks how much of the lease is left.
                _log.warning("the leases could not be held: %s", problem.what)
