"""Rules of values: what is sent and what is stored may differ, but the connector always says what is stored."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hub.connect.capabilities import Field, Remote, Update
from hub.connect.contract.bench import Bench
from hub.connect.contract.rules import Facts, rule
from hub.connect.contract.verdicts import Broken, NotNeeded, must
from hub.errors import RecordRejected

TEXTS = {
    "case": "aBcD",
    "blanks": "  two before, two after  ",
    "chinese": "华东五金（上海）有限公司 №7",
    "emoji": "发票 🧾",
    "quotes": 'O\'Neil "x" \\ 100% _ ; -- {}',
    "lines": "first\nsecond",
    "empty": "",
}
LONG = 4000
"""Longest text that is tried where no limit is told."""


@rule("platinum", Update)
def says_how_texts_are_stored(bench: Bench) -> Facts:
    """Whatever becomes of a text (cut, trimmed, refused, another case), the answer to the write shows it."""
    must(bench.trial.text, "the contract names no text field")
    record = bench.record()
    facts = {}
    for name, text in TEXTS.items():
        record, facts[f"text_{name}"] = _sent(bench, record, bench.trial.text, text)
    field = _field(bench, bench.trial.text)
    if field.max_length and field.max_length <= LONG:
        for name, length in (("text_at_limit", field.max_length), ("text_beyond_limit", field.max_length + 1)):
            record, facts[name] = _sent(bench, record, bench.trial.text, ("字母ab" * (length // 4 + 1))[:length])
        must(facts["text_at_limit"] == "kept",
             f"{field.max_length} characters are said to fit: {facts['text_at_limit']}")  # fmt: skip
    return facts


@rule("platinum", Update)
def says_how_numbers_are_stored(bench: Bench) -> Facts:
    """Amounts come back as Decimal and to the cent; one with too many decimals is refused, or its rounding is shown."""
    name = bench.trial.amount
    if not name:
        raise NotNeeded("the contract names no field with decimals")
    record = bench.record()
    record, exact = _sent(bench, record, name, Decimal("1234.56"))
    must(exact == "kept", f"1234.56 was not kept: {exact}")
    record, zero = _sent(bench, record, name, Decimal(0))
    scale = _field(bench, name).scale
    facts = {"number_zero": zero, "number_scale": "unknown" if scale is None else str(scale)}
    if scale is not None:
        record, facts["number_beyond_scale"] = _sent(bench, record, name, Decimal(1) + Decimal(5).scaleb(-scale - 1))
    return facts


def _field(bench: Bench, name: str) -> Field:
    found = next((f for f in bench.resource.fields if f.name == name), None)
    if found is None:
        raise Broken(f"the contract's field {name} is not described")
    return found


def _sent(bench: Bench, record: Remote, name: str, value: Any) -> tuple[Remote, str]:
    """The record after a write of this value, and what became of the value."""
    bench.world.advance(5)
    result = bench.update(record, {name: value})
    if result.error is not None:
        must(isinstance(result.error, RecordRejected), f"{name} = {value!r} is reported as {result.error!r}")
        return bench.get(record.id), "refused"
    now = bench.get(record.id)
    answered = result.remote.record if result.remote is not None else None
    if answered is not None:
        must(answered.get(name) == (now.record or {}).get(name), f"{value!r} is stored otherwise than answered")
    return replace(now, key=record.key), _became(value, (now.record or {}).get(name))


def _became(sent: Any, stored: Any) -> str:
    if isinstance(sent, Decimal):
        if stored is None:
            return "becomes null"
        return "kept" if Decimal(stored) == sent else "rounded"
    if stored == sent:
        return "kept"
    if stored is None or (sent == "" and stored == " "):
        return "becomes null" if stored is None else "becomes a blank"
    if stored == sent.strip():
        return "trimmed"
    if isinstance(stored, str) and stored.lower() == sent.lower():
        return "in another case"
    return "cut" if isinstance(stored, str) and sent.startswith(stored) else "changed"
