"""``hub``, except that so many new records on one page (the first word) already take the way of a bulk load: what is
intended is stored together with what was read."""

from __future__ import annotations

import sys

from hub.cli.main import main
from hub.sync import at_once

at_once.ENOUGH = int(sys.argv.pop(1))
main()
