"""Text from other people's systems on a terminal: shown as it is, never carried out.

A customer's name may hold escape sequences that move the cursor, retitle the window or fill the clipboard, a carriage
return that overwrites the line, or marks that turn the reading direction around. Each is shown by its number instead.
"""

from __future__ import annotations

import logging
import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with control characters as ``\\x1b`` or ``\\u202e``. Tabs and line ends stay."""
    return _UNSEEN.sub(_number, text)


def escaped_json(text: str) -> str:
    """JSON in which the control characters that JSON itself allows are escaped too: the same values."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _number(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class PlainFormatter(logging.Formatter):
    """The same for log lines, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
