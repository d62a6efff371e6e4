"""Answers whose body is not what their headers say: seen on real servers, and nothing to fall over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hub.connect.http import Http, HttpOptions
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import HubError, Unavailable, UnexpectedAnswer, UnknownOutcome

ANSWERS = {
    "/mislabelled": (200, {"Content-Encoding": "gzip", "Content-Type": "application/json"}, b"no space left"),
    "/page": (500, {"Content-Type": "text/html"}, b"<html><title>Oops</title></html>"),
    "/empty": (400, {"X-Reason": "quota"}, b""),
}


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = ANSWERS[self.path]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "read", "write"),
    [
        ("mislabelled", Unavailable, UnknownOutcome),
        ("page", Unavailable, UnknownOutcome),
        ("empty", UnexpectedAnswer, UnexpectedAnswer),
    ],
)
def test_a_read_is_tried_again_and_a_write_stays_in_doubt(
    url: str, path: str, read: type[HubError], write: type[HubError]
):
    http = Http(url, Services("shop", MemoryCache(), sleep=lambda seconds: None), options=HttpOptions(attempts=2))
    with pytest.raises(read) as of_read:
        http.get(path)
    with pytest.raises(write) as of_write:
        http.post(path, json={"name": "x"})
    assert (type(of_read.value), type(of_write.value)) == (read, write)
    http.close()
