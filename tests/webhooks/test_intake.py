"""What the intake lets in, what it refuses, and what it answers."""

from __future__ import annotations

import json
import socket
import threading
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from webhooks.hooked_company import SECRET, HookedCompany, counted, post, waiting

from hub.connect import hooks
from hub.errors import AuthenticationError, ConfigurationError, UnexpectedAnswer
from hub.store.hints import COUNTED
from hub.webhooks import intake
from hub.webhooks.doors import MOST, Door
from hub.webhooks.serve import Service

KEY, OTHER = hooks.key_of(SECRET, "zoho"), hooks.key_of(SECRET, "kingdee")


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    return {"X-Hub-Signature": hooks.sign(body, key)}


def numbers(service: Service, system: str = "zoho") -> dict[str, int]:
    found = counted(service, system)
    return {name: found[name] for name in COUNTED if found.get(name)}


def test_a_proved_message_is_stored_before_it_is_answered(service: Service) -> None:
    body = hooks.written("Accounts", ["1", "2", "2"])
    assert post(service, "zoho", body, **signed(body)) == 202
    assert waiting(service) == 2
    assert numbers(service) == {"accepted": 1, "hints": 3}


FORGED: list[tuple[dict[str, str], bytes, int]] = [
    ({"X-Hub-Signature": "sha256=" + "0" * 64}, hooks.written("Accounts", ["1"]), 401),
    (signed(hooks.written("Accounts", ["1"]), "another key"), hooks.written("Accounts", ["1"]), 401),
    (signed(hooks.written("Accounts", ["1"])), hooks.written("Accounts", ["2"]), 401),
    (signed(hooks.written("Accounts", ["1"]), OTHER), hooks.written("Accounts", ["1"]), 401),
    (signed(b"[]junk"), b"[]junk", 400),
    (signed(b'{"resource": 3, "ids": "x"}'), b'{"resource": 3, "ids": "x"}', 400),
    ({}, b"<html>", 400),
    ({}, b"", 400),
    ({}, b"\xff\xfe\x00", 400),
    ({}, b'{"module": {"a": []}, "ids": {"b": 1}, "token": ["c"]}', 401),
    ({}, b'{"module": "Accounts", "ids": 7, "token": "x"}', 400),
    ({}, b"[" * 100_000, 400),
    ({}, json.dumps({"module": "Accounts", "ids": ["1"], "token": "中文"}).encode(), 401),
]


def test_what_proves_nothing_is_refused_and_counted(service: Service) -> None:
    for number, (headers, body, status) in enumerate(FORGED, 1):
        assert post(service, "zoho", body, **headers) == status, body[:80]
        assert numbers(service) == {"refused": number}
    assert waiting(service) == 0


def test_what_the_hub_does_not_read_is_taken_and_of_no_use(service: Service) -> None:
    body = hooks.written("Leads", ["1"])
    assert post(service, "zoho", body, **signed(body)) == 202
    odd = hooks.written("Accounts", ["", "x" * 201, "line\nbreak"])
    assert post(service, "zoho", odd, **signed(odd)) == 202
    assert (waiting(service), numbers(service)) == (0, {"accepted": 2, "useless": 2})


def test_nobody_is_told_which_systems_there_are(service: Service) -> None:
    assert post(service, "salesforce", b"{}") == 404
    assert post(service, "", b"{}") == 404
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(f"{service.url}/hooks/zoho", timeout=10).status_code in (404, 405)
        found = session.get(f"{service.url}/health", timeout=10)
        assert (found.status_code, found.json()) == (200, {"ok": True})
        assert "server" not in {name.lower() for name in found.headers}


def test_a_message_without_an_end_is_cut_off(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONGEST_BODY", 1000)
    address = urlsplit(service.url)
    client = HTTPConnection(str(address.hostname), address.port, timeout=10)
    client.request("POST", "/hooks/zoho", body=(b"x" * 100 for _ in range(20)), encode_chunked=True)
    assert client.getresponse().status == 413
    client.close()
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as left:
        left.sendall(b"POST /hooks/zoho HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
    assert post(service, "zoho", b"x" * 2000) == 413
    assert waiting(service) == 0


def test_many_messages_at_once_are_each_stored(service: Service) -> None:
    statuses: list[int] = []

    def send(n: int) -> None:
        body = hooks.written("Accounts", [str(n), str(n % 5)])
        statuses.append(post(service, "zoho", body, **signed(body)))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * 24
    assert waiting(service) == 24
    assert numbers(service) == {"accepted": 24, "hints": 48}


def test_a_full_queue_and_a_lost_database_are_not_answered_as_if_all_was_well(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = hooks.written("Accounts", ["1"])
    monkeypatch.setattr(intake, "FULL", 0)
    assert post(service, "zoho", body, **signed(body)) == 503
    monkeypatch.undo()
    service.recorder._looked = float("-inf")
    assert post(service, "zoho", body, **signed(body)) == 202
    monkeypatch.setattr(service.recorder, "now", lambda: 1 / 0)
    assert post(service, "zoho", body, **signed(body)) == 503
    monkeypatch.undo()
    assert post(service, "zoho", body, **signed(body)) == 202


def test_a_message_says_nothing_to_the_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        post(service, "zoho", b'{"module": "Accounts", "ids": ["9"], "token": "s3cret-guess"}')
    assert "s3cret-guess" not in caplog.text
    assert caplog.text.count("wrong token") == 1, "one line a minute"
    assert SECRET not in caplog.text + repr(service.webhooks) + repr(service.intake.doors)


def test_a_connector_that_stumbles_over_a_message_does_not_stop_the_intake() -> None:
    class Stumbles:
        def subscribe(self, *_: Any) -> None: ...

        def hints(self, *_: Any) -> Any:
            raise RecursionError("deep")

    door = Door("crm", KEY, {"Accounts": ["customer"]}, Stumbles())
    with pytest.raises(UnexpectedAnswer, match="RecursionError"):
        door.told({}, b"{}")
    with pytest.raises(UnexpectedAnswer, match="X-Hub-Signature"):
        Door("erp", KEY, {}, object()).told({}, b"{}")


def test_one_message_tells_of_so_many_and_a_resource_of_all_its_entities() -> None:
    door = Door("crm", KEY, {"Accounts": ["customer", "supplier"]}, object())
    body = hooks.written("Accounts", map(str, range(MOST + 5)))
    told = door.told({"x-hub-signature": hooks.sign(body, KEY)}, body)
    assert len(told) == 2 * MOST
    assert told[:2] == [("crm", "customer", "0"), ("crm", "supplier", "0")]


def test_each_system_has_a_key_of_its_own() -> None:
    assert hooks.key_of("s", "a") != hooks.key_of("s", "b") != hooks.key_of("t", "b")
    assert len(hooks.key_of("s", "a")) <= 50
    body = b'[{"resource": "BD_Customer", "ids": [100123, "7"]}]'
    assert hooks.read({"x-hub-signature": hooks.sign(body, "k")}, body, "k") == [
        ("BD_Customer", "100123"),
        ("BD_Customer", "7"),
    ]
    assert hooks.read({}, body, "k") is None
    with pytest.raises(AuthenticationError):
        hooks.read({"x-hub-signature": ""}, body, "k")


def test_a_project_without_webhooks_says_what_to_write(company: HookedCompany, tmp_path: Any) -> None:
    text = (company.folder / "hub.yaml").read_text()
    without = {name: said for name, said in json.loads(text).items() if name != "webhooks"}
    (company.folder / "hub.yaml").write_text(json.dumps(without))
    try:
        with pytest.raises(ConfigurationError, match="has no webhooks"), company.service():
            pass
    finally:
        (company.folder / "hub.yaml").write_text(text)


def test_a_port_that_is_taken_is_named(company: HookedCompany, service: Service) -> None:
    port = urlsplit(service.url).port
    with pytest.raises(ConfigurationError, match=f"can't listen on 127.0.0.1:{port}"), company.service(port=port):
        pass
