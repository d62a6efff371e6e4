"""Points in time as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from hub.sync.engine import Engine


def moment(text: str, engine: Engine, option: str) -> str:
    """``2026-01-15``, an ISO instant, ``7d`` or ``12h`` ago, as the hub writes instants (UTC).

    A day without an hour is its first moment. Raises ConfigurationError for anything else.
    """
    from hub.sync.context import instant

    if found := re.fullmatch(r"(\d+)([dh])", text.strip()):
        hours = int(found[1]) * (24 if found[2] == "d" else 1)
        return instant(engine.clock() - timedelta(hours=hours))
    try:
        point = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no point in time", where=option, cure="write 2026-01-15, 2026-01-15T08:00+08:00, 7d or 12h"
        ) from error
    return instant(point if point.tzinfo else point.replace(tzinfo=UTC))
