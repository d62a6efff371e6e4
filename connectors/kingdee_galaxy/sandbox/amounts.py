"""The price calculation of a bill: prices drive amounts, amounts are always the server's own.

With tax included the gross price is the agreed one and the net price follows, otherwise the other way round. Amounts
have two places, prices six. Totals of the head are the sums of the lines.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .forms import Amounts, Entry, Form
from .store import Doc, Line

HUNDRED = Decimal(100)


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as the product rounds."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def recompute(form: Form, doc: Doc) -> None:
    """Bring every amount of a record in line with its prices."""
    for entry in form.entries:
        if entry.amounts is None:
            continue
        lines = doc.entries.get(entry.key, [])
        for line in lines:
            _line(entry.amounts, line, bool(doc.head.get(entry.amounts.included)))
            if "FRemainOutQty" in line:
                line["FRemainOutQty"] = line[entry.amounts.quantity] - line["FStockOutQty"]
        _head(entry, doc, lines)


def settle_prices(a: Amounts, line: Line, typed: dict[str, Any], included: bool) -> None:
    """Work out one price from the other after a line was typed: ``typed`` holds the keys that were sent."""
    factor = (HUNDRED + line[a.rate]) / HUNDRED
    if a.price in typed and a.tax_price not in typed:
        gross_leads = False
    elif a.tax_price in typed and a.price not in typed:
        gross_leads = True
    elif a.price in typed or a.rate in typed:
        gross_leads = included
    else:
        return
    if gross_leads:
        line[a.price] = rounded(line[a.tax_price] / factor, 6)
    else:
        line[a.tax_price] = rounded(line[a.price] * factor, 6)


def _line(a: Amounts, line: Line, included: bool) -> None:
    quantity, rate = line[a.quantity], line[a.rate] / HUNDRED
    kept = 1 - line[a.discount_rate] / HUNDRED
    if included:
        gross = rounded(quantity * line[a.tax_price] * kept, 2)
        tax = rounded(gross * rate / (1 + rate), 2)
        net = gross - tax
        line[a.discount] = rounded(quantity * line[a.tax_price], 2) - gross
    else:
        net = rounded(quantity * line[a.price] * kept, 2)
        tax = rounded(net * rate, 2)
        gross = net + tax
        line[a.discount] = rounded(quantity * line[a.price], 2) - net
    line[a.net], line[a.tax], line[a.gross] = net, tax, gross


def _head(entry: Entry, doc: Doc, lines: list[Line]) -> None:
    a = entry.amounts
    assert a is not None
    for head, key in ((a.head_net, a.net), (a.head_tax, a.tax), (a.head_gross, a.gross)):
        doc.head[head] = sum((line[key] for line in lines), Decimal("0.00"))
