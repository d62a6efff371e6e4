"""The manifest's way of logging in, made of the kit's classes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from hub.connect.answers import Answer
from hub.connect.auth import FixedAuth, OAuth, SigningAuth, TokenAuth, basic, body_digest, hmac_text
from hub.connect.http import Auth, Http, Outgoing, Signed
from hub.connect.moments import Moments
from hub.connect.redact import remember
from hub.connect.services import Services
from hub.connect.tokens import Token, Tokens, fingerprint
from hub.errors import AuthenticationError

from .grammar_calls import AuthConfig, HmacConfig, LoginConfig, OAuthConfig
from .hooks import Steps
from .places import in_answer, text
from .settings import Settings

Send = Callable[[LoginConfig], Answer]


def make_auth(
    config: AuthConfig | None, settings: Settings, services: Services, http: Http, send: Send, steps: Steps, name: str
) -> Auth | None:
    """What puts credentials on requests. ``http`` calls token endpoints, ``send`` makes the log-in call."""
    if config is None:
        return _signed_by_hook(steps, settings, services) if steps.sign else None
    values = {"settings": settings.values}
    if config.header is not None or config.param is not None:
        return FixedAuth(Signed(_texts(config.header, values), _texts(config.param, values)))
    if config.bearer is not None:
        return FixedAuth(Signed({"Authorization": f"Bearer {text(config.bearer).text(values)}"}))
    if config.basic is not None:
        user, password = (text(part).text(values) for part in (config.basic.user, config.basic.password))
        return FixedAuth(Signed({"Authorization": basic(user, password)}))
    key = f"{name}/{services.system}/{fingerprint(http.base_url, repr(sorted(settings.values.items(), key=str)))}"
    if config.oauth2 is not None:
        return _oauth(config.oauth2, values, services, http, key)
    if config.login is not None:
        return _login(config.login, values, services, send, key)
    if config.hmac is not None:
        return _hmac(config.hmac, values, services, steps)
    return None


def renewable(config: AuthConfig | None) -> bool:
    """Whether a refused log-in may only mean that a token has ended."""
    return config is not None and (config.oauth2 is not None or config.login is not None)


def _texts(given: Mapping[str, str] | None, values: Mapping[str, Any]) -> dict[str, str]:
    made = {name: text(one).text(values) for name, one in (given or {}).items()}
    remember(*made.values())
    return made


def _oauth(config: OAuthConfig, values: dict[str, Any], services: Services, http: Http, key: str) -> TokenAuth:
    form: dict[str, str] = {"grant_type": config.grant}
    for name in ("scope", "refresh_token", "code", "redirect_uri", "username", "password"):
        said = getattr(config, name)
        if said is not None:
            form[name] = text(said).text(values)
    form |= {name: text(one).text(values) for name, one in config.more.items()}
    oauth = OAuth(
        http=http,
        url=text(config.url).text(values),
        client_id=text(config.client_id).text(values),
        client_secret=text(config.client_secret).text(values),
        form=form,
        where=services.system,
        cache=services.cache,
        key=f"{key}/refresh_token",
        client_in=config.client_in,
    )
    return TokenAuth(
        Tokens(services.cache, f"{key}/token", oauth.fetch),
        lambda token: Signed(_texts(config.header, {**values, "token": token})),
    )


def _login(config: LoginConfig, values: dict[str, Any], services: Services, send: Send, key: str) -> TokenAuth:
    def fetch() -> Token:
        answer = send(config)
        token = in_answer(answer, config.token)
        if not token:
            raise AuthenticationError(
                f"the log-in was answered without a token: {answer.excerpt()}",
                where=services.system,
                cure="check the user and the password",
            )
        told = in_answer(answer, config.seconds) if isinstance(config.seconds, str) else config.seconds
        return Token(str(token), float(told or 3600))

    def put(token: str) -> Signed:
        held = {**values, "token": token}
        return Signed(_texts(config.header, held), _texts(config.param, held))

    return TokenAuth(Tokens(services.cache, f"{key}/session", fetch), put)


def _hmac(config: HmacConfig, values: dict[str, Any], services: Services, steps: Steps) -> SigningAuth:
    secret = text(config.secret).text(values)
    remember(secret)

    def make(outgoing: Outgoing) -> Signed:
        held = {
            **values,
            "method": outgoing.method,
            "path": outgoing.path,
            "query": outgoing.query,
            "body": outgoing.body.decode("utf-8", "replace"),
            "body_digest": body_digest(outgoing, config.digest),
            "time": Moments(config.time, digits=0).write(services.now()),
            "nonce": uuid.uuid4().hex,
        }
        held["signature"] = hmac_text(secret, text(config.sign).text(held), config.digest, config.encoding)
        signed = Signed(
            {name: text(one).text(held) for name, one in config.header.items()},
            {name: text(one).text(held) for name, one in config.param.items()},
        )
        more = steps.sign(outgoing, values["settings"], services.now()) if steps.sign else {}
        return Signed({**signed.headers, **more}, signed.params)

    return SigningAuth(make)


def _signed_by_hook(steps: Steps, settings: Settings, services: Services) -> SigningAuth:
    def make(outgoing: Outgoing) -> Signed:
        assert steps.sign is not None
        return Signed(steps.sign(outgoing, settings.values, services.now()))

    return SigningAuth(make)
