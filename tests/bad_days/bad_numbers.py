"""Names and numbers that no test uses twice."""

from __future__ import annotations

import itertools

from stdnum.cn import uscc


class Numbers:
    def __init__(self) -> None:
        self._count = itertools.count(1)

    def tax_id(self) -> str:
        """A valid 统一社会信用代码."""
        body = f"91310115MA{next(self._count):07}"
        return body + uscc.calc_check_digit(body)

    def title(self) -> str:
        """Of an order."""
        return f"补货订单 {next(self._count):04}"

    def code(self) -> str:
        """Of a product."""
        return f"M-9{next(self._count):04}"
