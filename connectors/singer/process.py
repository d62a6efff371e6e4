"""A tap as a process: its messages one by one, read only as fast as they are wanted, and an end that is always made.

A tap writes to a pipe. While nobody reads, it stands still: that is all the back pressure there is, and all it takes.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.connect.answers import decode, encode
from hub.connect.redact import redact
from hub.errors import AuthenticationError, ConfigurationError, Unavailable, UnexpectedAnswer

from .settings import Settings

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one message; a longer one is refused instead of filling the memory."""
_CHUNK = 256 * 1024
_TAIL = 40
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
    "https_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
)  # fmt: skip
_LOGIN = ("401", "unauthorized", "authentication failed", "invalid credentials", "access denied", "invalid_grant")


class Tap:
    """Runs one tap. Each run is a process of its own."""

    def __init__(self, settings: Settings, system: str) -> None:
        self._settings = settings
        self._system = system

    def discover(self) -> dict[str, Any]:
        """The tap's catalog. Raises the errors of ``messages``."""
        with self._files({}) as (folder, config):
            out = b"".join(self._output([*config, "--discover"], folder))
        try:
            found = decode(out)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("streams"), list):
            raise UnexpectedAnswer("the tap's catalog is not one (no JSON with 'streams')", where=self._system)
        return found

    def messages(self, catalog: dict[str, Any], state: Any) -> Generator[dict[str, Any]]:
        """What the tap says: SCHEMA, RECORD, STATE … as they come. Closing the iterator ends the tap.

        Raises Unavailable or AuthenticationError, with the tap's last words, when it fails; UnexpectedAnswer for what
        is no message.
        """
        files = {"catalog": catalog, **({"state": state} if state is not None else {})}
        with self._files(files) as (folder, config):
            more = [self._settings.catalog_option, str(folder / "catalog.json")]
            more += ["--state", str(folder / "state.json")] if state is not None else []
            held = b""
            for chunk in self._output([*config, *more], folder):
                *lines, held = (held + chunk).split(b"\n")
                if len(held) > LONGEST_LINE:
                    raise UnexpectedAnswer(f"a message longer than {LONGEST_LINE} bytes", where=self._system)
                for line in lines:
                    if line.strip():
                        yield self._message(line)
            if held.strip():
                yield self._message(held)

    def _message(self, line: bytes) -> dict[str, Any]:
        try:
            message = decode(line)
        except msgspec.DecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            # Values stay out: a line that is no message may hold a customer's data.
            cure = "a tap may write nothing but messages to its standard output"
            raise UnexpectedAnswer("the tap said something that is no Singer message", where=self._system, cure=cure)
        return message

    @contextlib.contextmanager
    def _files(self, files: dict[str, Any]) -> Iterator[tuple[Path, list[str]]]:
        """The tap's files in a folder that only we may read (the configuration holds secrets), gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="hub-singer-") as name:
            folder = Path(name)
            for file, content in {"config": self._settings.config, **files}.items():
                path = folder / f"{file}.json"
                path.touch(mode=0o600)
                path.write_bytes(encode(content))
            yield folder, ["--config", str(folder / "config.json")]

    def _output(self, arguments: Sequence[str], folder: Path) -> Iterator[bytes]:
        """Standard output, piece by piece. Raises when the tap fails or falls silent."""
        process = self._start([*self._settings.tap, *arguments], folder)
        words: deque[str] = deque(maxlen=_TAIL)
        listener = threading.Thread(target=_listen, args=(process, words), daemon=True)
        listener.start()
        try:
            yield from self._pieces(process)
            process.wait(timeout=self._settings.idle)
            listener.join(timeout=5)
            if process.returncode:
                raise self._failed(process.returncode, words)
        except subprocess.TimeoutExpired:
            raise Unavailable("the tap does not end", where=self._system) from None
        finally:
            _end(process)

    def _start(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=folder,
                env={**env, **self._settings.env}, start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            raise ConfigurationError(
                f"the tap can't be started: {problem.strerror}: {command[0]!r}",
                where=self._system,
                cure="install it in an environment of its own and write the program's whole path under 'tap:'",
            ) from None

    def _pieces(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(self._settings.idle):
                    raise Unavailable(
                        f"the tap has said nothing for {self._settings.idle:.0f} s", where=self._system,
                        cure="raise 'idle' if it needs that long",
                    )  # fmt: skip
                chunk = os.read(process.stdout.fileno(), _CHUNK)
                if not chunk:
                    return
                yield chunk

    def _failed(self, code: int, words: Sequence[str]) -> Unavailable | AuthenticationError:
        said = [line for line in words if line.strip()]
        last = next((line for line in reversed(said) if "rror" in line or "CRITICAL" in line), said[-1] if said else "")
        what = f"the tap failed (exit code {code}): {redact(last.strip())[:300]}"
        if any(sign in line.lower() for line in said for sign in _LOGIN):
            return AuthenticationError(what, where=self._system, cure="check the credentials in 'config'")
        return Unavailable(what, where=self._system, cure="run the tap by hand with the same configuration")


def _listen(process: subprocess.Popen[bytes], words: deque[str]) -> None:
    """A tap that logs much would stand still if nobody read its log."""
    assert process.stderr is not None
    for line in process.stderr:
        words.append(line.decode("utf-8", "replace").rstrip()[:2000])


def _end(process: subprocess.Popen[bytes]) -> None:
    """The tap and all that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
