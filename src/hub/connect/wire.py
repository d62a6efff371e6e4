"""Below HTTP: reading an answer's body, and what it means when that fails."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from hub.connect.answers import CURE_LATER
from hub.connect.redact import redact
from hub.errors import ConfigurationError, HubError, Unavailable, UnexpectedAnswer, UnknownOutcome

CHUNK = 1 << 20


def whole(response: requests.Response, most: int, *, idempotent: bool, where: str) -> bytes:
    """The answer's body. Raises UnexpectedAnswer (of a write UnknownOutcome) when it is longer than ``most`` bytes,
    without having read it to its end: a few kilobytes of gzip can unpack to any amount."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > most:
            response.close()
            what = f"an answer of more than {most // 2**20} MB; it was not read to its end"
            if idempotent:
                raise UnexpectedAnswer(what, where=where, cure="ask for smaller pages, if the settings know any")
            raise UnknownOutcome(what, where=where)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def lost(problem: requests.RequestException, url: str, *, idempotent: bool, where: str) -> HubError:
    """What a failure below HTTP means. Never quotes the exception: it holds the URL with its query."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    reason = _reason(problem)
    if reason == "certificate":
        return ConfigurationError(
            f"the TLS certificate of {host} is not trusted",
            where=where,
            cure="name the company's CA file in the system's `verify` setting",
        )
    if reason in ("address", "proxy address"):
        return ConfigurationError(f"{host or redact(url)!r} is not a valid {reason}", where=where)
    if reason in ("refused", "timeout while connecting"):
        return Unavailable(
            f"no connection to {host} ({reason})", where=where, cure="check the address, and that the system is up"
        )
    if idempotent:
        return Unavailable(f"{host} did not answer completely ({reason})", where=where, cure=CURE_LATER)
    return UnknownOutcome(f"the answer of {host} to a write was lost ({reason})", where=where)


def _reason(problem: requests.RequestException) -> str:
    if isinstance(problem, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return "proxy address" if isinstance(problem, requests.exceptions.InvalidProxyURL) else "address"
    if isinstance(problem, requests.ConnectTimeout):
        return "timeout while connecting"
    if isinstance(problem, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(problem):
        return "certificate"
    if isinstance(problem, requests.exceptions.ProxyError) or "NewConnectionError" in repr(problem):
        return "refused"
    if "NameResolutionError" in repr(problem):
        return "refused"
    if isinstance(problem, requests.ReadTimeout):
        return "timeout"
    if isinstance(problem, requests.exceptions.ContentDecodingError):
        return "undecodable content"
    return "connection lost"
