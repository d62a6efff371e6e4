"""Secrets stay out of ``hub.yaml``: it names them, and they are looked up when a system is opened.

| written                          | looked up in                                                        |
|----------------------------------|---------------------------------------------------------------------|
| ``${NAME}``                      | the environment, then the file ``.env`` beside ``hub.yaml``         |
| ``${NAME:-default}``             | the same; ``default`` when it is in neither                         |
| ``${keyring:service/name}``      | the keyring of the operating system                                 |
| ``${prefect:block-name/key}``    | a block of the configured Prefect server (``/key`` where it has several) |

``$${`` is a plain ``${``. No message and no ``repr`` made here holds a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from hub.errors import ConfigurationError
from hub.mapping.lens import Problem
from hub.mapping.reading import Section, Where

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where a project's secrets come from."""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    sources: dict[str, Callable[[str], str | None]] = field(default_factory=dict, repr=False)
    """Scheme → lookup of what stands after the colon; ``keyring`` and ``prefect`` are there without it."""
    _dotenv: dict[str, str] = field(default_factory=dict, repr=False)

    def at_hand(self) -> Secrets:
        """The same without places that may ask somebody (a keyring its user, Prefect its server)."""
        return replace(self, sources=dict.fromkeys((*_SOURCES, *self.sources), _nothing))

    def resolve(self, text: str) -> str:
        """``text`` with every reference replaced. Raises ConfigurationError naming the secret, never its value."""

        def replaced(match: re.Match[str]) -> str:
            return "${" if match[1] else self.lookup(match[2])

        return _REFERENCE.sub(replaced, text)

    def lookup(self, reference: str) -> str:
        """The value of one reference: what stands between ``${`` and ``}``."""
        scheme, colon, rest = reference.partition(":")
        if colon and not rest.startswith("-"):
            return self._from_source(scheme, rest)
        name, _, default = reference.partition(":-")
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"${{{name}}} does not name a secret",
                cure="write ${NAME}, ${keyring:service/name} or ${prefect:block-name/key}",
            )
        value = self.environment.get(name) or self._file().get(name)
        if value:
            return value
        if reference != name:
            return default
        raise ConfigurationError(
            f"the secret {name} is missing: it is neither in the environment nor in {self.directory / '.env'}",
            cure=f"add the line {name}=… to .env, or export it",
        )

    def _from_source(self, scheme: str, rest: str) -> str:
        lookup = self.sources.get(scheme) or _SOURCES.get(scheme)
        if lookup is None:
            raise ConfigurationError(
                f"${{{scheme}:…}} is no place for secrets",
                cure=f"known: {', '.join(sorted({*_SOURCES, *self.sources}))}, or ${{NAME}} for the environment",
            )
        value = lookup(rest)
        if not value:
            raise ConfigurationError(f"the secret {rest} is missing: it is not in {_PLACES.get(scheme, scheme)}")
        return value

    def _file(self) -> dict[str, str]:
        path = self.directory / ".env"
        if not self._dotenv and path.is_file():
            try:
                found = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                raise ConfigurationError(f"the file .env can't be read: {reason}", where=str(path)) from None
            self._dotenv.update({name: value for name, value in found.items() if value})
        return self._dotenv

    def resolve_all(self, data: Any, where: Where = ()) -> Iterator[tuple[Where, str | ConfigurationError]]:
        """Every text below ``data`` that holds a reference: its place and its value, or what is wrong with it."""
        for place, text in _texts(data, where):
            if "$" in text and _REFERENCE.search(text):
                try:
                    yield place, self.resolve(text)
                except ConfigurationError as error:
                    yield place, error


def resolved_settings(secrets: Secrets, section: Section, where: Where, data: Any) -> tuple[Any, list[Problem]]:
    """A copy of ``data`` (which stands at ``where`` in the file) with all references replaced, and what is missing."""
    problems = []
    made = _copy(data)
    for place, value in secrets.resolve_all(data):
        if isinstance(value, ConfigurationError):
            problems.append(Problem(section.at((*where, *place)), value.what, value.cure or ""))
        else:
            _put(made, place, value)
    return made, problems


def literal_secrets(
    section: Section, where: Where, settings: Mapping[str, Any], secret: tuple[str, ...]
) -> list[Problem]:
    """Secrets that stand in the file as text: settings the connector calls secret, and passwords inside URLs."""
    problems = []
    for place, text in _texts({k: str(v) if isinstance(v, (int, Decimal)) else v for k, v in settings.items()}, ()):
        if not text:
            continue
        if _has_password(text) or (place[0] in secret and not _REFERENCE.search(text) and not _is_open_url(text)):
            key = ".".join(map(str, place))
            name = f"{where[-1]}_{place[-1]}".upper() if where else str(place[-1]).upper()
            problems.append(
                Problem(
                    section.at((*where, *place)),
                    f"{key} is a secret and must not stand in this file",
                    f"write {_example(text, name)} here and the value into .env as {name}=…"
                    + "; change the secret if the file has been shared",
                )
            )
    return problems


def _example(text: str, name: str) -> str:
    return f"…:${{{name}}}@…" if _has_password(text) else f"${{{name}}}"


def _has_password(text: str) -> bool:
    """Whether it is a URL with a password in plain text."""
    if "://" not in text or "@" not in text:
        return False
    try:
        password = urlsplit(_REFERENCE.sub("", text)).password
    except ValueError:
        return False
    return bool(password)


def _is_open_url(text: str) -> bool:
    return "://" in text and not _has_password(text)


def _texts(data: Any, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(data, str):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*where, key))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from _texts(value, (*where, at))


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def _put(data: Any, where: Where, value: str) -> None:
    for step in where[:-1]:
        data = data[step]
    data[where[-1]] = value


def _nothing(_: str) -> None:
    return None


def _keyring(rest: str) -> str | None:
    service, slash, name = rest.rpartition("/")
    if not slash:
        raise ConfigurationError(f"${{keyring:{rest}}} names no entry", cure="write ${keyring:service/name}")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ConfigurationError(
            "the keyring can't be read: the package keyring is not installed",
            cure="pip install 'connector-hub[keyring]'",
        ) from None
    try:
        return keyring.get_password(service, name)
    except KeyringError as error:
        raise ConfigurationError(f"the keyring refuses: {error}", cure="unlock it, or use .env") from error


def _prefect(rest: str) -> str | None:
    from hub.project.prefect_blocks import block_secret

    return block_secret(rest)


_SOURCES: dict[str, Callable[[str], str | None]] = {"keyring": _keyring, "prefect": _prefect}
_PLACES = {"keyring": "the keyring", "prefect": "the blocks of the Prefect server"}
