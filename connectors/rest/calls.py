"""Calls as the manifest writes them: filled, sent, and judged by its rules."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hub.connect.answers import Answer, encode
from hub.connect.budget import budget_of
from hub.connect.http import Expect, Http, HttpOptions, Verdict
from hub.connect.paging import Ask, link_path
from hub.connect.services import Services
from hub.connect.templates import as_text, fill_all, path_part
from hub.connect.tokens import fingerprint
from hub.errors import HubError, UnexpectedAnswer

from .grammar_calls import Call, LoginConfig
from .hooks import Steps
from .loading import Product
from .places import pick, text
from .proving import make_auth, renewable
from .scopes import EACH
from .settings import Settings
from .verdicts import judged

Values = Mapping[str, Any]
CHANGES_NOTHING = ("list", "get", "describe", "check")


@dataclass(slots=True)
class Extra:
    """What a call gets beside what the manifest's line says."""

    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    default_body: Any = None
    """Sent when the line gives none."""
    idempotent: bool | None = None
    accept: Collection[int] = ()
    auth: bool = True


class Client:
    """One system's calls. Thread-safe."""

    def __init__(self, product: Product, settings: Settings, services: Services, steps: Steps) -> None:
        manifest = product.manifest
        self.system = services.system
        self.settings = settings
        self._manifest = manifest
        self._steps = steps
        self._doing = threading.local()
        self._renewable = renewable(manifest.auth)
        base_url = text(manifest.url).text({"settings": settings.values})
        rate = settings.calls_per_second or manifest.rate.per_second
        owner = fingerprint(base_url, repr(sorted(settings.values.items(), key=str)))
        self.http = Http(
            base_url,
            services,
            classify=self._classify,
            budget=budget_of(
                f"{manifest.name}:{owner}",
                per_second=rate,
                at_once=manifest.rate.at_once,
                burst=manifest.rate.burst,
                per_day=settings.calls_per_day or manifest.rate.per_day,
                day=manifest.rate.day,
            ),
            options=HttpOptions(
                verify=settings.verify,
                read_timeout=settings.timeout,
                headers={n: text(t).text({"settings": settings.values}) for n, t in manifest.headers.items()},
            ),
        )
        self.http.sign_with(
            make_auth(manifest.auth, settings, services, self._token_http(), self._login, steps, manifest.name)
        )

    def send(self, call: Call, operation: str, values: Values, where: str, extra: Extra | None = None) -> Answer:
        """One call of the manifest. Raises what the manifest's rules, or HTTP in general, say of its answer."""
        extra = extra or Extra()
        method, _, path = call.call.strip().partition(" ")
        held = {"settings": self.settings.values, **values}
        body = filled(call.body, held) if call.body is not None else extra.default_body
        if extra.body:
            body = merged(body or {}, extra.body)
        params = query_of({**fill_all(call.query, held), **extra.query})
        form = {k: as_text(v) for k, v in (body or {}).items()} if call.form else None
        idempotent = extra.idempotent if extra.idempotent is not None else operation in CHANGES_NOTHING or None
        return self._request(
            operation,
            where,
            method,
            text(path.strip()).text(held, path_part),
            params=params,
            headers={**{n: text(t).text(held) for n, t in call.headers.items()}, **extra.headers},
            idempotent=idempotent,
            accept=extra.accept,
            auth=extra.auth,
            **({"data": form} if form is not None else {"json": body}),
        )

    def follow(self, link: str, operation: str, where: str, accept: Collection[int] = ()) -> Answer:
        """The page that a link of an answer leads to; never another host's."""
        return self._request(operation, where, "GET", link_path(self.http.base_url, link), accept=accept)

    def close(self) -> None:
        self.http.close()

    def _request(self, operation: str, where: str, method: str, path: str, **options: Any) -> Answer:
        place = f"{self.system}/{where}" if where else self.system
        ignored = {status for rule in self._manifest.errors if rule.raise_ == "ignore" for status in rule.status}
        options["accept"] = {*options.get("accept", ()), *ignored}
        # A write may be answered by anything; what it must say is looked for where it is needed.
        expect: Expect = "json" if operation in CHANGES_NOTHING else "bytes"
        # Signing may log in first, which is a request of its own inside of this one.
        before = getattr(self._doing, "now", None)
        self._doing.now = (operation, options["accept"])
        try:
            return self.http.request(method, path, where=place, expect=expect, **options)
        except HubError as problem:
            problem.where = problem.where or place
            raise
        finally:
            self._doing.now = before

    def _classify(self, answer: Answer) -> Verdict:
        if self._steps.error is not None:
            found = self._steps.error(answer.status, dict(answer.headers), answer.json_or_none())
            if isinstance(found, HubError):
                return found
        operation, accepted = getattr(self._doing, "now", None) or ("check", ())
        if answer.status in accepted:
            return None
        return judged(answer, operation, self._manifest.errors, self._manifest.message, renewable=self._renewable)

    def _login(self, config: LoginConfig) -> Answer:
        return self.send(config, "login", {}, "log-in", Extra(idempotent=False, auth=False))

    def _token_http(self) -> Http:
        """Token endpoints may be another host's: they get an Http of their own, without our headers and rules."""
        auth = self._manifest.auth
        url = text(auth.oauth2.url).text({"settings": self.settings.values}) if auth and auth.oauth2 else ""
        parts = urlsplit(url)
        if not parts.scheme:
            return self.http
        services = self.http.services
        return Http(
            f"{parts.scheme}://{parts.netloc}", services,
            options=HttpOptions(verify=self.settings.verify, read_timeout=self.settings.timeout, pool=1),
        )  # fmt: skip


def rows_of(answer: Answer, at: str, where: str) -> list[dict[str, Any]]:
    """The rows of a list. Raises UnexpectedAnswer where there is no list: that is no empty one."""
    found = pick(answer.json(), at)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnexpectedAnswer(
            f"the answer has no list of records at {at!r}: {answer.excerpt(120)}", where=where,
            cure="correct 'records:' in the manifest, or add a rule to its 'errors:'",
        )  # fmt: skip
    return found


def query_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they go into a URL: a list is repeated under a key ending in [], else joined by commas."""
    made: dict[str, Any] = {}
    for key, value in given.items():
        if value is None:
            continue
        if isinstance(value, (list, tuple)) and key.endswith("[]"):
            made[key] = [as_text(one) for one in value]
        elif isinstance(value, dict):
            made[key] = encode(value).decode()
        else:
            made[key] = as_text(value)
    return made


def asked(ask: Ask, within: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The page's parameters, for the query and for the body."""
    return (dict(ask.params), {}) if within == "query" else ({}, dict(ask.params))


def filled(tree: Any, values: Values) -> Any:
    """A body with everything filled in, ``{each: …, make: …}`` too."""
    if isinstance(tree, Mapping) and tree.keys() == EACH:
        items = fill_all(tree["each"], values)
        return [filled(tree["make"], {**values, "item": item}) for item in items or ()]
    if isinstance(tree, Mapping):
        return {text(str(key)).text(values): filled(value, values) for key, value in tree.items()}
    return [filled(item, values) for item in tree] if isinstance(tree, list) else fill_all(tree, values)


def merged(body: Any, more: Mapping[str, Any]) -> Any:
    """A body with more in it, objects merged."""
    if not isinstance(body, dict):
        return dict(more)
    made = dict(body)
    for key, value in more.items():
        mine = made.get(key)
        made[key] = merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return made


def pieces(items: Collection[Any], size: int) -> Iterator[list[Any]]:
    """At most ``size`` at a time."""
    held = list(items)
    for start in range(0, len(held), size):
        yield held[start : start + size]
