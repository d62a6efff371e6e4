"""Half a batch: faults that carry out some records of a write and not the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.connect.answers import encode

from . import problems
from .problems import ApiProblem

if TYPE_CHECKING:
    from .app import Request

Reply = tuple[int, Any]


def split_batch(request: Request, kind: str, message: str) -> Callable[[int, Any], Reply]:
    """Take records out of the request (every second one, or the second half), and a function for its answer: it puts
    a refusal in the place of every second record; the second half is left out without a word."""
    whole: Callable[[int, Any], Reply] = lambda status, body: (status, body)  # noqa: E731
    if kind not in ("half_batch", "partial_batch") or request.method not in ("POST", "PUT"):
        return whole
    try:
        sent = request.json()
    except ApiProblem:
        return whole
    data = sent.get("data") if isinstance(sent, dict) else None
    if not isinstance(data, list) or len(data) < 2:
        return whole
    kept = data[::2] if kind == "half_batch" else data[: len(data) // 2]
    request.raw = encode({**sent, "data": kept})
    if kind == "partial_batch":
        return whole

    def refused(status: int, body: Any) -> Reply:
        done = body.get("data") if isinstance(body, dict) else None
        if not isinstance(done, list) or len(done) != len(kept):
            return status, body
        no = problems.error("INTERNAL_ERROR", message or "Internal Server Error", {})
        both = [done[at // 2] if at % 2 == 0 else no for at in range(len(data))]
        return 207, {**body, "data": both}

    return refused
