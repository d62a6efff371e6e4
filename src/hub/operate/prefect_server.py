"""The Prefect server of ``hub up``, as an ASGI application for uvicorn.

It is Prefect's own, with one header more: its newer UI asks an analytics company's host for settings from the
operator's browser, whatever the server's settings say; a content security policy keeps the browser here.
"""

from __future__ import annotations

from typing import Any

from prefect.server.api.server import create_app as prefect_app
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "connect-src 'self'; font-src 'self' data:; img-src 'self' data: blob:"


class StayHere:
    """Adds the content security policy to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = POLICY
            await send(message)

        await self.app(scope, receive, with_policy if scope["type"] == "http" else send)


def create_app() -> Any:
    """For ``uvicorn --factory``."""
    app = prefect_app(final=True)
    app.add_middleware(StayHere)
    return app
