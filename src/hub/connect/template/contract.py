"""What ``hub connector verify`` must know to try this connector."""

from __future__ import annotations

from hub.connect.contract.declare import Contract, Trial


def contract() -> Contract:
    # Once the connector creates records, give the trial `new`: word → a whole record. Then writing is tried as well.
    return Contract(
        trials=(Trial("people", text="phone"),),
        pages={"page_size": 5},
        wrong_login={"token": "wrong"},
    )
