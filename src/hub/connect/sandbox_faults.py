"""Bad days on order: what a sandbox can be told to do wrong, and to which requests.

A fault is a JSON object. ``kind`` says what happens; the rest is optional:

| key         | meaning                                                                                       |
|-------------|-----------------------------------------------------------------------------------------------|
| operation   | shell pattern over the operation's name (``"Save*"``, ``"*SAL_SaleOrder"``), default ``"*"``      |
| on          | ``"read"``, ``"write"`` or ``"other"``: only requests of that kind                               |
| contains    | only requests whose body contains this text                                                    |
| skip        | let this many matching requests pass first                                                     |
| next        | then hit this many (default 1, unless ``rate`` is given)                                         |
| rate        | hit this share of matching requests (0..1), for ever                                            |
| after       | the request is carried out first, then the answer is spoiled (default false)                    |
| drop        | of the kinds that carry out the request: cut the connection instead of answering                |

| kind        | what happens                                                                                  |
|-------------|-----------------------------------------------------------------------------------------------|
| status      | answer ``status`` (default 500) with ``body`` (text or JSON), ``headers`` and ``content_type``      |
| html        | answer ``status`` (default 200) with an HTML page                                               |
| retry_after | answer ``status`` (default 429) with ``Retry-After: seconds``                                     |
| drop_before | close the connection, nothing was done                                                         |
| drop_after  | carry it out, then close the connection without an answer                                      |
| slow        | carry it out, answer after ``ms`` ± ``jitter`` milliseconds                                        |
| drip        | carry it out, send the answer's body in small pieces over ``ms`` milliseconds                      |
| content_type | carry it out, call the answer ``content_type`` (default ``text/html``)                             |
| bomb        | an answer whose few kilobytes of gzip unpack to ``bytes`` (default 64 MB)                         |
| expire      | every token and session ends, then the request is carried out                                  |
| shift       | somebody saves a record of the resource that is being read, so that pages shift; then carry it out |
| missing     | carry it out; one record is missing in the list                                                |
| doubled     | carry it out; one record is there twice                                                        |
| gigantic    | carry it out; the answer is longer by ``bytes`` (default 1 MB), in a member nobody asked for     |
| truncate    | carry it out, send only the first half of the answer and close the connection                    |
| garble      | carry it out, send only the first half, as if it were whole (broken JSON, no lost connection)    |
| empty       | answer ``status`` (default 200) with nothing                                                     |

A sandbox may add kinds of its own (``SandboxApp.fault_kinds``): those are handed to the app with the request. Every
sandbox of a product with batches has ``half_batch`` (every second record of a batch is refused, in the product's own
words, the others are carried out) and ``partial_batch`` (the second half of a batch is left out without a word).

On a command line a fault is ``kind[=number][@rate][:operation]``, several by commas; JSON; ``@FILE`` with JSON; or
``hostile[@rate]``: everything at once, each kind that the sandbox knows at that rate (default 0.02).
"""

from __future__ import annotations

import gzip
import json
import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from pathlib import Path
from typing import Any

from hub.connect.sandbox import Operation

ROW_KINDS = frozenset({"missing", "doubled", "gigantic"})
"""Carried out on the rows of a list, as the app shows them (``SandboxApp.listing``)."""
FIRST_KINDS = frozenset({"expire", "shift"})
"""Something happens first, then the request is carried out as always."""
_LATE = frozenset({"slow", "drip", "truncate", "garble", "content_type"})
KINDS = frozenset({"status", "html", "retry_after", "drop_before", "drop_after", "bomb", "empty"}) | (
    _LATE | ROW_KINDS | FIRST_KINDS
)
_AFTER = _LATE | ROW_KINDS | FIRST_KINDS | {"drop_after"}
_KEYS = {"kind", "operation", "on", "contains", "skip", "next", "rate", "after", "status", "body", "headers"} | {
    "content_type", "seconds", "ms", "jitter", "bytes", "drop",
}  # fmt: skip
HOSTILE = 0.02
_READ_ONLY = ROW_KINDS | {"shift"}
# Always on every request, or a product's words for a mistake of the hub's: neither is a bad day.
_NOT_HOSTILE = frozenset({"bomb", "bare_array", "msgcode", "session_lost", "expire_sessions", "end_tokens"})
_HTML = (
    b"<!DOCTYPE html><html><head><title>Service Unavailable</title></head>"
    b"<body><h1>Service Unavailable</h1><p>The service is being maintained.</p></body></html>"
)


@dataclass(slots=True)
class Answer:
    """What goes back over the wire."""

    status: tuple[int, str]
    headers: list[tuple[str, str]]
    body: bytes
    delay: float = 0.0
    """Seconds to wait before sending."""
    length: int | None = None
    """Content-Length to claim, where it is not the body's."""
    close: bool = False
    drip: float = 0.0
    """Seconds over which to send the body, in small pieces."""


@dataclass(slots=True)
class Drop:
    """No answer: the connection is cut."""

    delay: float = 0.0


_NUMBERS = {"slow": "ms", "drip": "ms", "retry_after": "seconds", "gigantic": "bytes", "bomb": "bytes"}


def _bomb(size: int) -> Answer:
    """JSON that is small on the wire and ``size`` bytes large when unpacked."""
    body = gzip.compress(b'{"data": "' + b"0" * size + b'"}')
    return answer(200, body, "application/json; charset=utf-8", [("Content-Encoding", "gzip")])


def answer(code: int, body: bytes, content_type: str, headers: list[tuple[str, str]] | None = None) -> Answer:
    """An answer with the usual reason phrase."""
    try:
        phrase = HTTPStatus(code).phrase
    except ValueError:
        phrase = "Unknown"
    return Answer((code, phrase), [("Content-Type", content_type), *(headers or [])], body)


@dataclass(slots=True)
class Fault:
    """One fault, with what is left of it."""

    spec: dict[str, Any]
    kind: str
    operation: str
    on: str | None
    contains: bytes | None
    skip: int
    left: int | None
    """None: for ever."""
    rate: float | None
    after: bool
    hits: int = 0

    def hit(self, operation: Operation, body: bytes, chance: random.Random) -> bool:
        """Whether this request is hit; counts."""
        if self.left == 0 or (self.on and self.on != operation.kind):
            return False
        if not fnmatchcase(operation.name, self.operation) or (self.contains and self.contains not in body):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.rate is not None and chance.random() >= self.rate:
            return False
        if self.left is not None:
            self.left -= 1
        self.hits += 1
        return True

    def spoil(self, good: Answer | None, chance: random.Random) -> Answer | Drop:
        """The bad answer. ``good`` is what the app answered, None when the fault came before it was asked."""
        spec = self.spec
        status = int(spec.get("status") or {"status": 500, "retry_after": 429}.get(self.kind, 200))
        headers = [(str(k), str(v)) for k, v in (spec.get("headers") or {}).items()]
        if self.kind in ("drop_before", "drop_after"):
            return Drop()
        if self.kind == "html":
            return answer(status, _HTML, "text/html; charset=utf-8", headers)
        if self.kind == "empty":
            return answer(status, b"", spec.get("content_type", "text/plain"), headers)
        if self.kind == "bomb":
            return _bomb(int(spec.get("bytes", 64 << 20)))
        if self.kind in _LATE and good is not None:
            return self._late_or_cut(good, chance)
        if self.kind == "retry_after":
            headers.append(("Retry-After", str(spec.get("seconds", 1))))
        body = spec.get("body", {"error": "fault"})
        as_text = isinstance(body, str)
        raw = body.encode() if as_text else json.dumps(body, ensure_ascii=False).encode()
        kind = spec.get("content_type") or (
            "text/plain; charset=utf-8" if as_text else "application/json; charset=utf-8"
        )
        return answer(status, raw, kind, headers)

    def _late_or_cut(self, good: Answer, chance: random.Random) -> Answer:
        seconds = float(self.spec.get("ms", 1000)) / 1000
        if self.kind == "slow":
            jitter = float(self.spec.get("jitter", 0)) / 1000
            good.delay += max(0.0, seconds + chance.uniform(-jitter, jitter))
            return good
        if self.kind == "drip":
            good.drip = seconds
            return good
        if self.kind == "content_type":
            called = str(self.spec.get("content_type", "text/html"))
            good.headers = [(n, v) for n, v in good.headers if n.lower() != "content-type"]
            good.headers.append(("Content-Type", called))
            return good
        half = good.body[: len(good.body) // 2]
        if self.kind == "truncate":
            good.length, good.close = len(good.body), True
        good.body = half
        return good

    def as_json(self) -> dict[str, Any]:
        return {**self.spec, "hits": self.hits, "left": self.left}


@dataclass(slots=True)
class Faults:
    """The faults in force, tried in the order they were added; a request is hit by at most one."""

    app_kinds: frozenset[str] = frozenset()
    seed: int = 1
    _list: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def add(self, spec: dict[str, Any]) -> Fault:
        """Put a fault in force. Raises ValueError, saying what is wrong with it."""
        fault = self._check(spec)
        with self._lock:
            self._list.append(fault)
        return fault

    def _check(self, spec: dict[str, Any]) -> Fault:
        if not isinstance(spec, dict):
            raise ValueError("a fault is a JSON object")
        kind = str(spec.get("kind", ""))
        if kind not in KINDS | self.app_kinds:
            raise ValueError(f"unknown fault kind {kind!r}; known are {', '.join(sorted(KINDS | self.app_kinds))}")
        if kind in KINDS and (unknown := set(spec) - _KEYS):
            raise ValueError(f"a fault has no {', '.join(sorted(map(repr, unknown)))}")
        rate = spec.get("rate")
        if rate is not None and not 0 <= float(rate) <= 1:
            raise ValueError("a fault's rate is between 0 and 1")
        left = spec.get("next")
        if left is None and rate is None:
            left = 1
        contains = spec.get("contains")
        return Fault(
            spec=dict(spec), kind=kind, operation=str(spec.get("operation", "*")), on=spec.get("on"),
            contains=str(contains).encode() if contains else None, skip=int(spec.get("skip", 0)),
            left=None if left is None else int(left), rate=None if rate is None else float(rate),
            after=bool(spec.get("after", kind in _AFTER)),
        )  # fmt: skip

    def pick(self, operation: Operation, body: bytes) -> Fault | None:
        """The fault that hits this request, if any."""
        if not self._list:
            return None
        with self._lock:
            return next((f for f in self._list if f.hit(operation, body, self._chance)), None)

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [f.as_json() for f in self._list]


def hostile(rate: float, app_kinds: frozenset[str]) -> list[dict[str, Any]]:
    """Everything at once: each kind at this rate, where it makes sense, with short waits."""
    more: dict[str, dict[str, Any]] = {
        "slow": {"ms": 40, "jitter": 40}, "drip": {"ms": 80}, "retry_after": {"seconds": 1}, "status": {"status": 500},
        "html": {"status": 502}, "gigantic": {"bytes": 300_000}, "partial_batch": {"drop": True},
    }  # fmt: skip
    kinds = sorted((KINDS | app_kinds) - _NOT_HOSTILE)
    faults: list[dict[str, Any]] = [{"kind": kind, "rate": rate, **more.get(kind, {})} for kind in kinds]
    # What is carried out and then spoiled is worse than what is not.
    faults += [{"kind": "status", "status": 500, "after": True, "on": "write", "rate": rate}]
    faults += [{"kind": "html", "status": 502, "after": True, "on": "write", "rate": rate}]
    for fault in faults:
        if fault["kind"] in _READ_ONLY:
            fault["on"] = "read"
    return faults


def parse_faults(text: str, app_kinds: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Faults from a command line: JSON (one or a list), ``@FILE`` with JSON, or the short form, by commas.

    ``status=503@0.05:Save*,drop_after:BatchSave*`` is a 503 for a twentieth of the saves and one lost answer.
    The number is the status; for ``slow`` and ``drip`` milliseconds, for ``retry_after`` seconds, for ``gigantic`` and
    ``bomb`` bytes. ``hostile@0.05`` is everything at once. Raises ValueError, and OSError for the file.
    """
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    if text.lstrip().startswith(("{", "[")):
        try:
            found = json.loads(text)
        except ValueError as problem:
            raise ValueError(f"not JSON: {problem}") from None
        return found if isinstance(found, list) else [found]
    faults = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        head, _, operation = part.partition(":")
        head, _, rate = head.partition("@")
        kind, _, number = head.partition("=")
        fault: dict[str, Any] = {"kind": kind, "operation": operation or "*"}
        try:
            if kind == "hostile":
                faults += hostile(float(rate or HOSTILE), app_kinds)
                continue
            if rate:
                fault["rate"] = float(rate)
            if number:
                fault[_NUMBERS.get(kind, "status")] = int(number)
        except ValueError:
            raise ValueError(f"{part!r} is not kind[=number][@rate][:operation]") from None
        faults.append(fault)
    return faults
