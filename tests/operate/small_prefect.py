"""A stand-in for a Prefect server over real HTTP, for what a healthy one never does: refuse, break, keep us waiting."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import make_server

Call = tuple[str, str, Any]


@dataclass
class SmallPrefect:
    """Answers every call with an id, notes what was asked, and misbehaves when told to."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    status: int = 200
    body: str | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    """While it is clear, nobody gets an answer."""
    fail_on: str = ""
    """Path that answers 500."""

    def __call__(self, request: Request) -> Response:
        body = json.loads(request.get_data() or b"null")
        self.calls.append((request.method, request.path, body))
        self.hold.wait(30)
        if self.fail_on and request.path.startswith(self.fail_on):
            return Response("broken", 500)
        text = self.body if self.body is not None else json.dumps({"id": f"id-{len(self.calls)}"})
        return Response(text, self.status, mimetype="application/json")

    def to(self, path: str) -> list[Any]:
        """Bodies of the calls to ``path``."""
        return [body for _, called, body in self.calls if called == f"/api{path}"]


@contextmanager
def small_prefect() -> Iterator[SmallPrefect]:
    app = SmallPrefect()
    app.hold.set()
    server = make_server("127.0.0.1", 0, Request.application(app), threaded=True)
    app.url = f"http://127.0.0.1:{server.server_port}/api"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        app.hold.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
