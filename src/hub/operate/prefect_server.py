"""The Prefect server of ``hub up``, as an ASGI application for uvicorn.

It is Prefect's own, with one header more: its newer UI asks an analytics company's host for settings from the
operator's browser, whatever the server's settings say; a content security policy keeps the browser here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from prefect.server.api.server import create_app as prefect_app
from prefect.server.database.orm_models import FlowRun
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


def let_3_8_schedule() -> None:
    """Make Prefect 3.8 insert scheduled runs under SQLAlchemy 2.1.

    It hands each new run's state along with the run's columns, and stores it in a second step. SQLAlchemy 2.1 refuses
    that ("supply a bulk_dml decorated function") for an attribute that is not a column, unless it is told what the
    attribute means in a bulk insert: here, nothing. Prefect 3.9 leaves the state out by itself.
    """
    state = sqlalchemy.inspect(FlowRun).all_orm_descriptors["state"]
    inplace: Any = getattr(state, "inplace", None)
    if hasattr(inplace, "bulk_dml"):
        inplace.bulk_dml(lambda cls, mapping, value: None)


def create_app() -> Any:
    """For ``uvicorn --factory``."""
    let_3_8_schedule()
    app = prefect_app(final=True)
    app.add_middleware(StayHere)
    return app
