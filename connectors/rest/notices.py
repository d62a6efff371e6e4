"""Change notifications: asking for them, and telling real ones from forged ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from hub.connect.answers import decode
from hub.connect.moments import Moments, utc_text
from hub.connect.templates import as_text
from hub.errors import AuthenticationError, ConfigurationError, UnexpectedAnswer

from .calls import Client, Extra
from .grammar import Signature, WebhookConfig
from .loading import Product
from .places import found, in_answer, pick, text


class Notices:
    """One system's notifications."""

    def __init__(self, product: Product, client: Client) -> None:
        self._product = product
        self._client = client

    def subscribe(self, resource: str, callback_url: str, secret: str) -> str | None:
        """See ``Subscribe``."""
        config = self._config()
        if config.subscribe is None:
            raise ConfigurationError(
                "the manifest does not say how to ask for notifications",
                where=f"{self._client.system}/{resource}",
                cure=f"set them up by hand there: address {callback_url}",
            )
        held = {"resource": resource, "callback": callback_url, "secret": secret}
        answer = self._client.send(config.subscribe, "action", held, resource, Extra())
        time = self._product.manifest.time
        moment = Moments(time.format, time.zone).parse(in_answer(answer, config.expires))
        return utc_text(moment) if moment else None

    def hints(self, headers: dict[str, str], body: bytes, secret: str) -> list[tuple[str, str]]:
        """See ``Subscribe``: (resource, id) of what a notification speaks of."""
        config = self._config()
        self._prove(config.signature, {name.lower(): value for name, value in headers.items()}, body, secret)
        try:
            told = decode(body)
        except msgspec.DecodeError as problem:
            raise UnexpectedAnswer("a notification is no JSON", where="webhook") from problem
        events = pick(told, config.hints.each)
        made: list[tuple[str, str]] = []
        for event in events if isinstance(events, list) else [events]:
            name = as_text(found(event, config.hints.resource)) if config.hints.resource else ""
            if config.hints.resources and name not in config.hints.resources:
                continue
            resource = config.hints.resources.get(name, name) or next(iter(self._product.named), "")
            ids = found(event, config.hints.id)
            made += [
                (resource, as_text(id)) for id in (ids if isinstance(ids, list) else [ids]) if id not in (None, "")
            ]
        return made

    def _prove(self, signature: Signature, headers: dict[str, str], body: bytes, secret: str) -> None:
        given = headers.get(signature.header.lower(), "")
        values: dict[str, Any] = {
            "settings": self._client.settings.values,
            "secret": secret,
            "body": body.decode("utf-8", "replace"),
        }
        if signature.digest is None:
            expected = text(signature.is_ or "").text(values)
        else:
            signed = body if signature.over == "{body}" else text(signature.over).text(values).encode()
            made = hmac.new(secret.encode(), signed, getattr(hashlib, signature.digest))
            shown = made.hexdigest() if signature.encoding == "hex" else base64.b64encode(made.digest()).decode()
            expected = signature.prefix + shown
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            raise AuthenticationError("a notification came with a wrong signature", where="webhook")

    def _config(self) -> WebhookConfig:
        config = self._product.manifest.webhooks
        if config is None:
            raise ConfigurationError("the manifest has no 'webhooks:'", where=self._client.system)
        return config
