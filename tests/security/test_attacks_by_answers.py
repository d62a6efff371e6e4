"""A system (or somebody in between) that answers badly on purpose: to lead us elsewhere, or to fill us up."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from security.two_servers import Server, certificate, serving

from hub.connect import registry
from hub.connect.answers import Answer
from hub.connect.http import Http, HttpOptions
from hub.connect.paging import Ask, ByLink
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError, HubError, UnexpectedAnswer, UnknownOutcome

JSON = {"Content-Type": "application/json"}
TOKEN = "tok-very-secret-1234567890"
MEGABYTE = 1 << 20


class Bearer:
    def headers(self, method: str, path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    def refused(self, headers: dict[str, str]) -> None:
        return


def services() -> Services:
    return Services("crm", MemoryCache(), sleep=lambda _: None)


@pytest.fixture
def other() -> Iterator[Server]:
    with serving(lambda path: (200, JSON, b"{}")) as server:
        yield server


def client(server: Server, **options: Any) -> Http:
    return Http(server.url, services(), auth=Bearer(), options=HttpOptions(**options))


# --- elsewhere -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_carries_our_token_nowhere(other: Server, status: int, method: str) -> None:
    with serving(lambda path: (status, {"Location": f"{other.url}/collect?token={TOKEN}"}, b"")) as server:
        with pytest.raises(UnexpectedAnswer, match="redirected") as refused:
            client(server).request(method, "/records", json={} if method == "POST" else None)
        assert len(server.heard) == 1 and other.heard == []
        assert TOKEN not in str(refused.value)
        assert "write the address it leads to" in str(refused.value)


def links(server: Server, other: Server) -> list[str]:
    port = server.url.rpartition(":")[2]
    return [
        f"{other.url}/next", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "https://evil.example/",
        f"http://127.0.0.1:{port}@{other.url.removeprefix('http://')}/x", f"ftp://127.0.0.1:{port}/x",
        f"https://127.0.0.1:{port}/x", f"http://localhost:{port}/x", f"http://127.0.0.1.evil.example:{port}/x",
    ]  # fmt: skip


def test_a_link_to_the_next_page_is_only_followed_on_the_same_host(other: Server) -> None:
    with serving(lambda path: (200, JSON, b"{}")) as server:
        for link in links(server, other):
            with pytest.raises(ConfigurationError, match="is not on 127"):
                client(server).get(link)
        assert server.heard == [] and other.heard == []
        assert client(server).get(f"{server.url}/next?page=2").json() == {}


def test_every_way_of_paging_by_links_ends_at_the_same_check(other: Server) -> None:
    """The kit's link paging gives the link on as it is told; the HTTP object refuses it."""
    with serving(lambda path: (200, JSON, b"{}")) as server:
        for link in [*links(server, other), "//evil.example/x", "\\\\evil.example\\x"]:
            said = Answer(200, {"Link": f'<{link}>; rel="next"'}, b'[{"id": 1}]')
            ask = ByLink().following(Ask(), said, [{"id": 1}])
            if ask is None:
                continue
            try:
                client(server).get(ask.path or "/")
            except ConfigurationError:
                continue
            assert all(path.startswith("/") for _, path, _ in server.heard)
        assert other.heard == []


def test_zohos_api_address_never_leaves_tls(other: Server) -> None:
    """The token's answer names the API's address: over https we follow no one to http."""
    settings = {"client_id": "c", "client_secret": "s" * 20, "refresh_token": "r" * 20}
    auth = registry.find("zoho_crm").module("auth")
    said = registry.find("zoho_crm").module("settings")
    made = auth.ZohoAuth(
        said.read_settings({**settings, "accounts_url": "https://accounts.zoho.com.cn"}, "z"), services()
    )
    made._tokens._cache.set(made._tokens._key, f'{{"token": "t", "api_domain": "{other.url}"}}', 60)
    with pytest.raises(UnexpectedAnswer, match="without TLS"):
        made.api_url()


def test_a_cookie_of_one_system_is_not_sent_to_another(other: Server) -> None:
    with serving(lambda path: (200, {**JSON, "Set-Cookie": "session=abc; Domain=127.0.0.1; Path=/"}, b"{}")) as server:
        client(server).get("/x")
        client(other).get("/x")
    assert "Cookie" not in other.heard[0][2]


# --- too much --------------------------------------------------------------------------------------------------------


def bomb(size: int) -> bytes:
    """``size`` bytes of JSON in a thousandth of the room."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"0" * MEGABYTE
    body = made.compress(b'{"data": "') + b"".join(made.compress(block) for _ in range(size // MEGABYTE))
    return body + made.compress(b'"}') + made.flush()


def nested_bomb(size: int) -> bytes:
    return gzip.compress(bomb(size))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Encoding": "gzip"}, bomb(64 * MEGABYTE)),
        ({"Content-Encoding": "gzip, gzip"}, nested_bomb(64 * MEGABYTE)),
        ({}, b'{"data": "' + b"0" * (9 * MEGABYTE) + b'"}'),
    ],
    ids=["gzip", "gzip in gzip", "plain"],
)
def test_an_answer_without_end_is_not_read_to_its_end(headers: dict[str, str], body: bytes) -> None:
    with serving(lambda path: (200, {**JSON, **headers}, body)) as server:
        http = client(server, largest_answer=8 * MEGABYTE)
        with pytest.raises(UnexpectedAnswer, match="more than 8 MB"):
            http.get("/records")
        with pytest.raises(UnknownOutcome, match="more than 8 MB"):
            http.post("/records", json={})


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"a":' * 200_000, b'"\\ud800"', b"\xff\xfe{}", b'{"a": NaN}', b'{"a": 1e999999999999999999999}',
     b"9" * 5_000, b'{"a": 1}{"a": 2}', b"\x00" * 100],
    ids=["deep list", "deep object", "half a character", "UTF-16", "NaN", "endless exponent", "long number", "two",
         "zeros"],
)  # fmt: skip
def test_json_that_is_none_or_sinks_its_reader_is_an_unexpected_answer_or_harmless(body: bytes) -> None:
    with serving(lambda path: (200, JSON, body)) as server:
        try:
            client(server).get("/records").json()
        except HubError as refused:
            assert isinstance(refused, UnexpectedAnswer)
            assert len(str(refused)) < 1000


@pytest.mark.parametrize(
    "header", ["-1", "1e9", "NaN", "inf", "9" * 400, "Thu, 01 Jan 9999 00:00:00 GMT", "x" * 5000, ""]
)
def test_no_retry_after_makes_the_hub_wait_for_ever(header: str) -> None:
    slept: list[float] = []
    patient = Services("crm", MemoryCache(), sleep=slept.append)
    with serving(lambda path: (429, {**JSON, "Retry-After": header}, b"{}")) as server, pytest.raises(HubError):
        Http(server.url, patient, options=HttpOptions(attempts=3)).get("/x")
    assert all(0 <= seconds <= 60 for seconds in slept)


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    context, ca = certificate(tmp_path_factory.mktemp("tls"))
    with serving(lambda path: (200, JSON, b'{"ok": true}'), context) as server:
        yield server, ca


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(secured: tuple[Server, Path]) -> None:
    server, _ = secured
    heard = len(server.heard)
    with pytest.raises(ConfigurationError, match=r"certificate of 127\.0\.0\.1:\d+ is not trusted") as refused:
        client(server).get("/x")
    assert len(server.heard) == heard and "`verify` setting" in str(refused.value)


def test_the_companys_own_ca_can_be_named(secured: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    server, ca = secured
    assert client(server, verify=str(ca)).get("/x").json() == {"ok": True}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    assert client(server).get("/x").json() == {"ok": True}


def _settings(name: str) -> dict[str, Any]:
    return {
        "zoho_crm": {"accounts_url": "URL", "client_id": "c", "client_secret": "s" * 12, "refresh_token": "r" * 12},
        "kingdee_galaxy": {"url": "URL/k3cloud/", "acct_id": "a", "username": "u", "app_id": "1_" + "A" * 32,
                           "app_secret": "s" * 32, "org_number": "100"},
    }[name]  # fmt: skip


@pytest.mark.parametrize("name", ["zoho_crm", "kingdee_galaxy"])
def test_every_connector_checks_certificates_unless_told_where_the_ca_is(
    secured: tuple[Server, Path], name: str
) -> None:
    server, ca = secured
    heard = len(server.heard)
    given = {key: value.replace("URL", server.url) for key, value in _settings(name).items()}
    connector = registry.find(name).open(given, services())
    with pytest.raises(ConfigurationError, match="is not trusted"):
        connector.check()
    assert len(server.heard) == heard
    connector.close()
    connector = registry.find(name).open({**given, "verify": str(ca)}, services())
    with pytest.raises(HubError) as told:
        connector.check()
    assert "not trusted" not in str(told.value) and len(server.heard) > heard, "the answer is nonsense, TLS is right"
    connector.close()
