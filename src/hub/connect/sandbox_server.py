"""The sandboxes' HTTP/1.1 server: threads, keep-alive, loopback only.

Werkzeug's own development server closes the connection after every answer; a connector's session must be tested
with connections that stay open (and that a fault can cut), so this one keeps them.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from hub.connect.sandbox_faults import Answer, Drop

if TYPE_CHECKING:
    from hub.connect.sandbox_control import Control

MAX_BODY = 64 * 1024 * 1024
PIECES = 8
"""In which a dripping body comes."""


class SandboxServer(ThreadingHTTPServer):
    """Serves one ``Control`` (which holds the app) on 127.0.0.1."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, control: Control) -> None:
        self.control = control
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), SandboxHandler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Cut every connection still open, so that no handler thread outlives the server."""
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is everyday life for a server; anything else is a bug of the kit and worth seeing.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class SandboxHandler(BaseHTTPRequestHandler):
    """Reads one request completely, lets ``Control`` answer it, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    server: SandboxServer

    def do_any(self) -> None:
        body = self._read_body()
        if body is None:
            return
        control = self.server.control
        theirs = self.path.split("?")[0].rstrip("/") == "/control" or self.path.startswith("/control/")
        with nullcontext() if theirs else control.stats.under_way():
            answer = control.answer(self._environ(body), body)
            if answer.delay:
                time.sleep(answer.delay)
        if isinstance(answer, Drop):
            self._drop()
        else:
            self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_any

    def _read_body(self) -> bytes | None:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._read_chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY:
            self.close_connection = True
            self.send_error(413 if length > MAX_BODY else 400)
            return None
        return self.rfile.read(length) if length else b""

    def _read_chunks(self) -> bytes | None:
        parts: list[bytes] = []
        total = 0
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0].strip(), 16)
            except ValueError:
                size = -1
            total += max(size, 0)
            if size < 0 or total > MAX_BODY:
                self.close_connection = True
                self.send_error(400)
                return None
            if size == 0:
                while self.rfile.readline(1024).strip():
                    continue
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline(8)

    def _environ(self, body: bytes) -> dict[str, Any]:
        url = urlsplit(self.path)
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            "REQUEST_METHOD": self.command, "SCRIPT_NAME": "", "QUERY_STRING": url.query, "REQUEST_URI": self.path,
            "PATH_INFO": unquote(url.path).encode().decode("latin-1"), "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version, "CONTENT_LENGTH": str(len(body)),
        }  # fmt: skip
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                key = f"HTTP_{key}"
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _send(self, answer: Answer) -> None:
        self.send_response_only(*answer.status)
        names = set()
        for name, value in answer.headers:
            names.add(name.lower())
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        bodyless = answer.status[0] in (204, 304)
        if not bodyless:
            self.send_header("Content-Length", str(answer.length if answer.length is not None else len(answer.body)))
        if answer.close:
            self.send_header("Connection", "close")
            self.close_connection = True
        head = b"".join(self._headers_buffer) + b"\r\n"  # type: ignore[attr-defined]
        self._headers_buffer: list[bytes] = []
        body = b"" if bodyless or self.command == "HEAD" else answer.body
        if not answer.drip:
            self.wfile.write(head + body)
            return
        self.wfile.write(head)
        size = max(1, -(-len(body) // PIECES))
        for start in range(0, len(body), size):
            time.sleep(answer.drip / PIECES)
            self.wfile.write(body[start : start + size])

    def _drop(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the counters of the control API say what happened."""
