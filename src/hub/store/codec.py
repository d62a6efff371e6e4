"""JSON in and out of the store, and the fingerprint of a remote record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import xxhash

_remote_decoder = msgspec.json.Decoder(float_hook=Decimal)
_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(decimal_format="number")


def dumps(value: Any) -> str:
    """JSON text. A ``Decimal`` becomes a JSON number with all its digits."""
    return _encoder.encode(value).decode()


def encoded(value: Any) -> bytes:
    """As ``dumps``, but the bytes: for ``bulk``, which takes them as they are."""
    return _encoder.encode(value)


def loads(text: str | bytes) -> Any:
    """Canonical values and the hub's own notes: they hold no fractions as numbers."""
    return _decoder.decode(text)


def loads_remote(text: str | bytes) -> Any:
    """A remote record: numbers with a fraction come back as ``Decimal``, digit for digit."""
    return _remote_decoder.decode(text)


def printed(record: dict[str, Any]) -> tuple[bytes, int]:
    """A remote record as JSON, and its fingerprint: 64 bits, signed, so that every database can hold it."""
    text = _encoder.encode(record)
    value = xxhash.xxh3_64_intdigest(text)
    return text, value - (1 << 64) if value >= 1 << 63 else value
