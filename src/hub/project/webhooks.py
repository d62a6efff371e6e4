"""``webhooks:`` of hub.yaml: where systems can tell the hub of a change.

::

    webhooks:
      address: https://hub.example.com/hooks    # as the systems reach it
      secret: ${HUB_WEBHOOK_SECRET}
      listen: 127.0.0.1:4280                    # where the intake waits for what a proxy hands on
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.connect.hooks import key_of

LISTEN = "127.0.0.1:4280"
SHORTEST_SECRET = 16


class WebhooksConfig(BaseModel):
    """Near real time: the systems tell of changes, and the hub looks at once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: str = Field(description="Where the systems reach the intake, from outside: https://hub.example.com/hooks.")
    secret: str = Field(repr=False, description="What the systems' keys are made of: ${NAME} of the environment.")
    listen: str = Field(LISTEN, description="Host and port of the intake; a proxy with the certificate is before it.")
    systems: tuple[str, ...] | None = Field(
        None, description="Systems to ask for notifications; left out: all that can be asked."
    )
    answer: int = Field(202, ge=200, le=299, description="Status that says: taken. Some vendors want 200 and no other.")

    @field_validator("address")
    @classmethod
    def _an_address(cls, text: str) -> str:
        if not text.startswith(("https://", "http://", "${")):
            raise ValueError("an address starts with https://")
        return text.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, text: str) -> str:
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isdigit() and int(port) < 65536):
            raise ValueError("write host:port, like 127.0.0.1:4280")
        return text


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The same, with the secret at hand."""

    address: str
    secret: str = field(repr=False)
    host: str
    port: int
    systems: tuple[str, ...] | None = None
    answer: int = 202

    @classmethod
    def of(cls, config: WebhooksConfig, address: str, secret: str) -> Webhooks:
        """``address`` and ``secret`` resolved. Raises ValueError for a secret that can be guessed."""
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret has fewer than {SHORTEST_SECRET} characters: it could be guessed")
        host, _, port = config.listen.rpartition(":")
        return cls(address.rstrip("/"), secret, host.strip("[]"), int(port), config.systems, config.answer)

    @property
    def listen(self) -> str:
        """Host and port of the intake."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Whether vendors can be expected to reach the address: most insist on https."""
        return urlsplit(self.address).scheme == "https"

    def address_of(self, system: str) -> str:
        """Where a system posts to."""
        return f"{self.address}/{system}"

    def key_of(self, system: str) -> str:
        """What proves a message of this system."""
        return key_of(self.secret, system)
