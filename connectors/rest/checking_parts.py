"""Checks of the parts that are the product's as a whole: log-in, paging, moments, errors, notifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from hub.connect.positions import Problem
from hub.connect.reading import Section, Where
from hub.connect.suggest import did_you_mean

from .grammar import RestManifest
from .grammar_calls import ErrorRule, OAuthConfig, PagingConfig, TimeConfig

_WAYS = ("header", "param", "bearer", "basic", "oauth2", "login", "hmac")
_PAGING = ("page", "offset", "token", "link", "after")
_GRANTS = {
    "refresh_token": ("refresh_token", "client_secret"), "client_credentials": ("client_secret",),
    "authorization_code": ("code", "redirect_uri"), "password": ("username", "password"),
}  # fmt: skip
_SECRET_PLACES = (
    ("bearer",), ("basic", "password"), ("oauth2", "client_secret"), ("oauth2", "refresh_token"), ("oauth2", "code"),
    ("oauth2", "password"), ("hmac", "secret"), ("param",), ("header",), ("login", "body"),
)  # fmt: skip


def problems(manifest: RestManifest, section: Section) -> Iterator[Problem]:
    """What is wrong, in no order."""
    yield from _auth(manifest, section)
    yield from paging_problems(manifest.paging, section, ("paging",))
    yield from time_problems(manifest.time, section, ("time",))
    for index, rule in enumerate(manifest.errors):
        yield from rule_problems(rule, section, ("errors", index))
    yield from _described(manifest, section)
    yield from _webhooks(manifest, section)


def _auth(manifest: RestManifest, section: Section) -> Iterator[Problem]:
    auth = manifest.auth
    if auth is None:
        return
    ways = [way for way in _WAYS if getattr(auth, way) is not None]
    if len(ways) != 1:
        told = f"{' and '.join(ways)} at once" if ways else "no way to log in"
        yield Problem(section.key_at(("auth",)), f"auth has {told}", f"it takes one of {', '.join(_WAYS)}")
    if auth.oauth2 is not None:
        yield from _oauth(auth.oauth2, section)
    for way in ("login", "hmac"):
        part = getattr(auth, way)
        if part is not None and not part.header and not part.param and not (way == "hmac" and manifest.hooks.sign):
            what = "{token}" if way == "login" else "{signature}"
            cure = f"add 'header:' with a header that holds {what}"
            yield Problem(section.key_at(("auth", way)), f"no request carries what {way} gives", cure)
    for place in _SECRET_PLACES:
        yield from _literal(section, ("auth", *place))


def _oauth(oauth: OAuthConfig, section: Section) -> Iterator[Problem]:
    for name in _GRANTS[oauth.grant]:
        if not getattr(oauth, name):
            told = f"the grant {oauth.grant} needs {name!r}"
            yield Problem(section.at(("auth", "oauth2", "grant")), told, f"add '{name}: \"{{settings.{name}}}\"'")


def _literal(section: Section, where: Where) -> Iterator[Problem]:
    """A manifest is shared and kept with the code: a secret in it would be told to everybody."""
    found: Any = section.data
    for step in where:
        found = found.get(step) if isinstance(found, dict) else None
    for place, text in _texts(found, where):
        if text and "{" not in text:
            cure = "declare a setting with 'secret: true' and write {settings.NAME}"
            yield Problem(section.at(place), "a credential stands in the manifest itself", cure)


def _texts(value: Any, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict) and where[-1] != "body":
        for key, item in value.items():
            yield from _texts(item, (*where, key))
    elif isinstance(value, dict):
        for key in value:
            if str(key).lower() in ("password", "secret", "token", "api_key", "apikey"):
                yield from _texts(value[key], (*where, key))


def paging_problems(paging: PagingConfig | None, section: Section, where: Where) -> Iterator[Problem]:
    """What is wrong with a way of paging."""
    if paging is None:
        return
    ways = [way for way in _PAGING if getattr(paging, way) is not None]
    place = section.key_at(where)
    if len(ways) > 1:
        yield Problem(place, f"paging has {' and '.join(ways)} at once", f"it takes one of {', '.join(_PAGING)}")
    if (paging.token or paging.link == "body") and not paging.at:
        yield Problem(place, f"where the answer has the {'token' if paging.token else 'link'} is not said", "add 'at:'")
    if paging.size_param and not paging.size:
        yield Problem(section.at((*where, "size_param")), "size_param has no size to carry", "add 'size:'")
    if not ways and (paging.size or paging.total or paging.more):
        told = f"paging says {', '.join(sorted(paging.model_fields_set))}, but not how to turn the page"
        yield Problem(place, told, f"add one of {', '.join(_PAGING)}")
    if paging.within == "body" and paging.link:
        yield Problem(section.at((*where, "within")), "a link goes into no body", "take 'within:' out")


def time_problems(time: TimeConfig | None, section: Section, where: Where) -> Iterator[Problem]:
    """What is wrong with the notation of moments."""
    if time is None:
        return
    if time.zone not in available_timezones():
        near = did_you_mean(time.zone, available_timezones())
        yield Problem(section.at((*where, "zone")), f"{time.zone!r} is not a time zone", near)
    for name in ("format", "ask"):
        written = getattr(time, name)
        if written and written not in ("iso", "epoch", "epoch_ms") and "%" not in written:
            cure = "write iso, epoch, epoch_ms or a pattern like %Y-%m-%d %H:%M:%S"
            yield Problem(section.at((*where, name)), f"{written!r} is no format of moments", cure)


def rule_problems(rule: ErrorRule, section: Section, where: Where, *, each: bool = False) -> Iterator[Problem]:
    """What is wrong with a rule about answers."""
    place = section.at(where)
    if not rule.status and rule.at is None:
        cure = "add 'at:'" if each else "add 'status:' or 'at:'"
        yield Problem(place, "the rule fits every answer", cure)
    tests = [name for name, value in (("is", rule.is_), ("not", rule.not_), ("has", rule.has)) if value]
    if len(tests) > 1:
        yield Problem(place, f"the rule has {' and '.join(tests)} at once", "write two rules")
    if tests and rule.at is None:
        yield Problem(section.at((*where, tests[0])), f"{tests[0]!r} has nothing to look at", "add 'at:'")
    if rule.wait and rule.raise_ != "rate_limit":
        yield Problem(section.at((*where, "wait")), "only rate_limit waits", "write 'raise: rate_limit'")
    if rule.raise_ == "ignore" and not rule.status:
        yield Problem(place, "a rule that ignores needs a status", "add 'status:'")


def _described(manifest: RestManifest, section: Section) -> Iterator[Problem]:
    describe = manifest.describe
    if describe is not None and describe.fields is not None:
        yield from paging_problems(describe.fields.paging, section, ("describe", "fields", "paging"))
        if describe.fields.required and describe.fields.optional:
            place = section.at(("describe", "fields", "optional"))
            yield Problem(place, "required and optional say the same thing twice", "keep one of them")


def _webhooks(manifest: RestManifest, section: Section) -> Iterator[Problem]:
    hooks = manifest.webhooks
    if hooks is None:
        return
    if hooks.signature.digest is None and hooks.signature.is_ is None:
        cure = "add 'digest: sha256', or 'is:' with the value that the header must have"
        yield Problem(section.key_at(("webhooks", "signature")), "a notification proves nothing", cure)
    for event, resource in hooks.hints.resources.items():
        if resource not in manifest.resources and "*" not in manifest.resources:
            cure = did_you_mean(resource, manifest.resources)
            place = section.at(("webhooks", "hints", "resources", event))
            yield Problem(place, f"there is no resource {resource!r}", cure)
