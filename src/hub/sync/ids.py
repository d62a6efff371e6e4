"""The hub's own ids: 26 characters, sortable by time, so that new records land next to each other in the index."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_lock = threading.Lock()


def _text(number: int, length: int) -> str:
    out = []
    for _ in range(length):
        out.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(out))


_PAIRS = [_text(number, 2) for number in range(1024)]
_prefix: tuple[int, str] = (0, "")
_counter = 0
_high = (0, _text(0, 6))
"""The slow part of the counter's text."""


def new_id() -> str:
    """A new id: 48 bits of milliseconds, 40 random bits a millisecond, 40 bits counting up within it."""
    global _prefix, _counter, _high  # noqa: PLW0603
    now = time.time_ns() // 1_000_000
    with _lock:
        if now > _prefix[0]:
            _prefix = (now, _text(now, 10) + _text(secrets.randbits(40), 8))
            _counter = 0
        _counter += 1
        if _counter >> 10 != _high[0]:
            _high = (_counter >> 10, _text(_counter >> 10, 6))
        return _prefix[1] + _high[1] + _PAIRS[_counter & 1023]
