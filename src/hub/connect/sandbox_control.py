"""The control API of a sandbox (below ``/control/``, JSON): counters, latency, faults, clock, and a person's hand.

| request                | body or query → answer                                                                |
|------------------------|---------------------------------------------------------------------------------------|
| GET stats              | → calls, reads, writes, by_operation, by_status, records_written; most_at_once and      |
|                        | most_in_a_second: the most calls under way together, and begun within any one second    |
| POST reset_stats       | → the stats so far                                                                     |
| POST latency           | ``{"ms", "jitter"}`` (ms ± jitter)                                                      |
| GET resources          | → ``{"resources": {name: number of records}}``                                          |
| GET records            | ``?resource=`` → ``{"records": […]}``, raw contents                                      |
| POST create            | ``{"resource", "values", "as"}`` → ``{"record": {…}}``                                   |
| POST edit              | ``{"resource", "id", "values", "as"}`` → ``{"record": {…}}``                             |
| POST delete            | ``{"resource", "id", "as"}`` → ``{}``                                                    |
| GET history            | ``?since=SEQ`` → ``{"history": [{seq, at, resource, id, action, by, user, values}]}``     |
| GET, POST, DELETE hooks | ``{"url", "key", "resources"}``: post the hub's own message at every change there;         |
|                        | ``{"delivery": {…}}`` (see ``sandbox_hooks``) → ``{"hooks", "delivery", "answers"}``     |
| GET, POST, DELETE faults | a fault or a list (see ``sandbox_faults``) → ``{"faults": […]}``                        |
| GET, POST clock        | ``{"advance": s}``, ``{"freeze": iso, "step": s}``, ``{"real": true}`` → ``{"now": iso}``  |

Errors: 400 (values refused), 404 (no such resource, record or verb), with ``{"error": text}``.
"""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hub.connect.sandbox import FAULT, Operation, SandboxApp
from hub.connect.sandbox_faults import FIRST_KINDS, ROW_KINDS, Answer, Drop, Fault, Faults, answer
from hub.connect.sandbox_hooks import Delivery, Plugin
from hub.connect.sandbox_rows import DECODER, ENCODER, respell

JSON = "application/json; charset=utf-8"


class Stats:
    """Counters of the product's API (calls below ``/control/`` don't count)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._reset()

    def _reset(self) -> None:
        self.operations: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.most_at_once = self.most_in_a_second = 0
        self._came: deque[float] = deque()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around each call, from its arrival until its answer is ready to be sent."""
        with self._lock:
            now = time.monotonic()
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            self._came.append(now)
            while self._came[0] <= now - 1:
                self._came.popleft()
            self.most_in_a_second = max(self.most_in_a_second, len(self._came))
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def count(self, operation: Operation, status: str) -> None:
        with self._lock:
            self.operations[operation.name] += 1
            self.kinds[operation.kind] += 1
            self.statuses[status] += 1

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "calls": sum(self.operations.values()), "reads": self.kinds["read"], "writes": self.kinds["write"],
                "by_operation": dict(sorted(self.operations.items())), "by_status": dict(sorted(self.statuses.items())),
                "most_at_once": self.most_at_once, "most_in_a_second": self.most_in_a_second,
            }  # fmt: skip

    def reset(self) -> None:
        with self._lock:
            self._reset()


class Control:
    """One served sandbox: answers every request, the product's and the control API's."""

    def __init__(self, app: SandboxApp, seed: int = 1) -> None:
        self.app = app
        self.stats = Stats()
        self.faults = Faults(app_kinds=app.fault_kinds, seed=seed)
        self._wsgi = app.wsgi
        self._latency = (0.0, 0.0)
        self._chance = random.Random(seed)
        self._journal_mark = len(app.journal)
        self.plugin = Plugin()
        app.journal.listeners.append(self.plugin.note)

    def set_latency(self, ms: float, jitter: float = 0) -> None:
        """Delay every answer of the product's API by ``ms`` ± ``jitter`` milliseconds."""
        if ms < 0 or jitter < 0:
            raise ValueError("latency and jitter are milliseconds, not below 0")
        self._latency = (ms / 1000, jitter / 1000)

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer | Drop:
        """What goes back for this request."""
        path = str(environ["PATH_INFO"])
        if path == "/control" or path.startswith("/control/"):
            return self._control(environ, path.removeprefix("/control").strip("/"), body)
        operation = self.app.operation(str(environ["REQUEST_METHOD"]), path, body)
        fault = self.faults.pick(operation, body)
        result = self._spoiled(fault, operation, environ) if fault else self._safely(environ)
        self.stats.count(operation, str(result.status[0]) if isinstance(result, Answer) else "dropped")
        base, jitter = self._latency
        if base or jitter:
            result.delay += max(0.0, base + self._chance.uniform(-jitter, jitter))
        return result

    def _spoiled(self, fault: Fault, operation: Operation, environ: dict[str, Any]) -> Answer | Drop:
        """What goes back for a request that is hit by a fault."""
        result: Answer | Drop
        if fault.kind in self.app.fault_kinds:
            environ[FAULT] = fault.spec
            result = self._safely(environ)
        elif fault.kind in FIRST_KINDS:
            if fault.kind == "expire":
                self.app.expire()
            else:
                self.app.touch(operation.name.rpartition(" ")[2], self._chance)
            result = self._safely(environ)
        elif fault.kind in ROW_KINDS:
            good = self._safely(environ)
            result = respell(good, self.app, operation, fault, self._chance)
        else:
            result = fault.spoil(self._safely(environ) if fault.after else None, self._chance)
        return Drop(result.delay) if fault.spec.get("drop") else result

    def _safely(self, environ: dict[str, Any]) -> Answer:
        try:
            return self._ask_app(environ)
        except Exception:
            # A bug of the sandbox must not look like a bad network: say it aloud, and answer.
            traceback.print_exc()
            return answer(500, b"the sandbox itself failed; see its standard error", "text/plain; charset=utf-8")

    def _ask_app(self, environ: dict[str, Any]) -> Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        parts: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [(status, list(headers))]
            return parts.append

        chunks: Iterable[bytes] = self._wsgi(environ, start_response)
        try:
            parts.extend(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        status, headers = started[0]
        code, _, phrase = status.partition(" ")
        return Answer((int(code), phrase), headers, b"".join(parts))

    def _control(self, environ: dict[str, Any], verb: str, body: bytes) -> Answer:
        try:
            query = {k: v[-1] for k, v in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}
            given = DECODER.decode(body) if body else {}
            found = getattr(self, f"_{str(environ['REQUEST_METHOD']).lower()}_{verb}", None)
            if found is None:
                return _json(404, {"error": f"the control API has no {environ['REQUEST_METHOD']} {verb}"})
            if not isinstance(given, dict) and verb != "faults":
                raise ValueError("the body is a JSON object")
            return _json(200, found(query if environ["REQUEST_METHOD"] == "GET" else given))
        except LookupError as problem:
            return _json(404, {"error": _text(problem)})
        except (ValueError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": _text(problem)})

    def _get_stats(self, _: Any = None) -> dict[str, Any]:
        changes = self.app.journal.since(self._journal_mark)
        written = Counter(c["resource"] for c in changes if c["by"] == "hub")
        return {**self.stats.as_json(), "records_written": dict(sorted(written.items()))}

    def _post_reset_stats(self, _: Any = None) -> dict[str, Any]:
        before = self._get_stats()
        self.stats.reset()
        self._journal_mark = len(self.app.journal)
        return before

    def _post_latency(self, given: dict[str, Any]) -> dict[str, Any]:
        self.set_latency(float(given.get("ms", 0)), float(given.get("jitter", 0)))
        return given

    def _get_resources(self, _: Any) -> dict[str, Any]:
        return {"resources": {name: len(self.app.records(name)) for name in self.app.resources()}}

    def _get_records(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"records": self.app.records(_needed(given, "resource"))}

    def _post_create(self, given: dict[str, Any]) -> dict[str, Any]:
        values = dict(given.get("values") or {})
        return {"record": self.app.create(_needed(given, "resource"), values, str(given.get("as") or "user"))}

    def _post_edit(self, given: dict[str, Any]) -> dict[str, Any]:
        values = dict(given.get("values") or {})
        who = str(given.get("as") or "user")
        return {"record": self.app.edit(_needed(given, "resource"), _needed(given, "id"), values, who)}

    def _post_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        self.app.delete(_needed(given, "resource"), _needed(given, "id"), str(given.get("as") or "user"))
        return {}

    def _get_history(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"history": self.app.journal.since(int(given.get("since", 0)))}

    def _get_faults(self, _: Any = None) -> dict[str, Any]:
        return {"faults": self.faults.as_json()}

    def _delete_faults(self, _: Any) -> dict[str, Any]:
        self.faults.clear()
        return self._get_faults()

    def _post_faults(self, given: Any) -> dict[str, Any]:
        for spec in given if isinstance(given, list) else [given]:
            self.faults.add(spec)
        return self._get_faults()

    def _get_hooks(self, _: Any = None) -> dict[str, Any]:
        return self.plugin.as_json()

    def _post_hooks(self, given: dict[str, Any]) -> dict[str, Any]:
        if "delivery" in given:
            try:
                self.plugin.sender.delivery = Delivery(**given["delivery"])
            except TypeError as problem:
                raise ValueError(str(problem)) from None
        if "url" in given:
            self.plugin.install(_needed(given, "url"), _needed(given, "key"), list(given.get("resources") or ()))
        return self._get_hooks()

    def _delete_hooks(self, _: Any) -> dict[str, Any]:
        self.plugin.remove()
        return self._get_hooks()

    def _get_clock(self, _: Any = None) -> dict[str, Any]:
        return {"now": self.app.clock.now().isoformat().replace("+00:00", "Z")}

    def _post_clock(self, given: dict[str, Any]) -> dict[str, Any]:
        clock = self.app.clock
        if "advance" in given:
            clock.advance(float(given["advance"]))
        elif "freeze" in given:
            clock.freeze(datetime.fromisoformat(str(given["freeze"])), float(given.get("step", 0)))
        elif given.get("real"):
            clock.freeze(None)
        else:
            raise ValueError('say {"advance": seconds}, {"freeze": time, "step": seconds} or {"real": true}')
        return self._get_clock()


def _needed(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if value in (None, ""):
        raise ValueError(f"{name!r} is missing")
    return str(value)


def _text(problem: BaseException) -> str:
    return str(problem.args[0]) if problem.args else type(problem).__name__


def _json(code: int, content: Any) -> Answer:
    return answer(code, ENCODER.encode(content), JSON)
