"""Keeping secrets out of logs and messages: by the names they travel under, and by value once we know them.

Two nets, because either alone has holes: a vendor may echo a token in a place whose name says nothing, and a token we
have never held may come in a body. Values are remembered for the life of the process (``remember``).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
_SHORTEST = 6
"""Shorter values are not remembered: masking every "abc" in a log hides more than it protects."""

_NAME = (
    r"[\w.-]*(?:authorization|cookie|token|secret|passwd|password|passphrase|api[_-]?key|app[_-]?key|private[_-]?key"
    r"|credential|signature|session[_-]?id|kdservice-sessionid|sid)[\w-]*"
)
_SECRET_NAME = re.compile(rf"^(?:{_NAME}|code|sign|pwd)$", re.IGNORECASE)
# Named like secrets, and needed to understand what happened.
_HARMLESS = re.compile(
    r"^(?:page_token|next_page_token|previous_page_token|token_type|page_token_expiry)$", re.IGNORECASE
)
_JSON_PAIR = re.compile(rf'"({_NAME})"(\s*:\s*)("(?:[^"\\]|\\.)*"|\d+)', re.IGNORECASE)
_FORM_PAIR = re.compile(rf"(?<!\w)({_NAME}|pwd)=(?!…)([^&\s\"']+)", re.IGNORECASE)
# A value in quotes ends with them (a dict of headers in a log line), a bare one with its line.
_HEADER_LINE = re.compile(
    r"""((?:proxy-)?authorization|(?:set-)?cookie)(['"]?\s*[:=]\s*)('(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"|[^\r\n]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Zoho-oauthtoken|Bearer|Basic)\s+[\w.~+/=-]+")
_URL_PASSWORD = re.compile(r"\w[\w+.-]*://[^\s/:@]*:([^\s/@]+)@")
_USER_INFO = re.compile(r"(\w[\w+.-]*://[^\s/:@]*):[^\s/@]+@")

_known: set[str] = set()
_known_lock = threading.Lock()
_known_pattern: re.Pattern[str] | None = None


def remember(*values: str | None) -> None:
    """From now on mask these values wherever they show up (also URL-quoted), and the password of a value that is a
    URL. Short and empty ones are ignored."""
    global _known_pattern  # noqa: PLW0603
    with _known_lock:
        for value in (*values, *map(_password, values)):
            if value and len(value) >= _SHORTEST:
                _known.update((value, quote(value, safe=""), quote_plus(value)))
        longest_first = sorted(_known, key=len, reverse=True)
        _known_pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _password(value: str | None) -> str | None:
    found = _URL_PASSWORD.match(value) if value else None
    return unquote(found[1]) if found else None


def is_secret(name: str) -> bool:
    """Whether a header, setting or key of that name holds a secret."""
    return bool(_SECRET_NAME.match(name)) and not _HARMLESS.match(name)


def redact(text: str) -> str:
    """The text without secrets: JSON and form pairs, headers, passwords in URLs, and every remembered value."""
    text = _JSON_PAIR.sub(lambda m: m[0] if _HARMLESS.match(m[1]) else f'"{m[1]}"{m[2]}"{MASK}"', text)
    text = _FORM_PAIR.sub(lambda m: m[0] if _HARMLESS.match(m[1]) else f"{m[1]}={MASK}", text)
    text = _HEADER_LINE.sub(lambda m: f"{m[1]}{m[2]}{MASK}", text)
    text = _SCHEME.sub(lambda m: f"{m[1]} {MASK}", text)
    text = _USER_INFO.sub(lambda m: f"{m[1]}:{MASK}@", text)
    pattern = _known_pattern
    return pattern.sub(MASK, text) if pattern else text


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """A copy fit for a log."""
    return {name: MASK if is_secret(name) else redact(value) for name, value in headers.items()}


class RedactingFilter(logging.Filter):
    """Masks secrets in a record's message, arguments and traceback. Put it on handlers (``protect``), not on loggers:
    a logger's filter does not see the records of its children."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = redact(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def protect(handler: logging.Handler) -> logging.Handler:
    """Add the filter to a handler, once."""
    if not any(isinstance(f, RedactingFilter) for f in handler.filters):
        handler.addFilter(RedactingFilter())
    return handler
