"""The sandbox kit over real HTTP, with a tiny product behind it."""

import io
import json
import socket
import threading
import time
from datetime import UTC, datetime

import pytest
import requests

from hub.connect.sandbox import FAULT, Operation, SandboxApp, SandboxClock, run, serve
from hub.connect.sandbox_client import ControlClient
from hub.connect.sandbox_faults import Faults, parse_faults
from hub.errors import ConfigurationError, Unavailable


class Notes(SandboxApp):
    """A product with one resource: POST /notes adds one, GET /notes lists them."""

    name = "notes"
    path = "/api/"
    fault_kinds = frozenset({"forgetful"})

    def __init__(self, records: int = 2) -> None:
        super().__init__()
        self.notes = {str(i): {"id": str(i), "text": f"note {i}"} for i in range(records)}

    @property
    def wsgi(self):
        return self._app

    def _app(self, environ, start_response):
        if environ["PATH_INFO"] == "/api/crash":
            raise RuntimeError("a bug")
        if environ["REQUEST_METHOD"] == "POST":
            note = json.loads(environ["wsgi.input"].read())
            self._keep(str(len(self.notes)), note, "create", "hub", "api")
        notes = [] if environ.get(FAULT) else list(self.notes.values())
        body = json.dumps({"notes": notes}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [body[:5], body[5:]]

    def _keep(self, id, values, action, by, user):
        self.notes[id] = {**self.notes.get(id, {"id": id}), **values}
        now = self.clock.now()
        self.journal.add(at=now, resource="notes", id=id, action=action, by=by, user=user, values=values)
        return self.notes[id]

    def operation(self, method, path, body):
        return Operation(f"{method} {path.rsplit('/', 1)[-1]}", "write" if method == "POST" else "read")

    def credentials(self, base_url):
        return {"token": "t", "server": base_url}

    def samples(self):
        return {"note": "0"}

    def resources(self):
        return ["notes"]

    def records(self, resource):
        return list(self._of(resource).values())

    def _of(self, resource):
        if resource != "notes":
            raise LookupError(f"there is no resource {resource!r}")
        return self.notes

    def expire(self):
        self.ended = getattr(self, "ended", 0) + 1

    def touch(self, resource, chance):
        if resource == "notes":
            self.edit("notes", chance.choice(sorted(self.notes)), {}, "somebody")

    def listing(self, operation, content):
        return (content["notes"], lambda note: note["id"]) if operation.name == "GET notes" else None

    def create(self, resource, values, user):
        if "text" not in values:
            raise ValueError("a note needs text")
        return self._keep(str(len(self._of(resource))), values, "create", "user", user)

    def edit(self, resource, id, values, user):
        if id not in self._of(resource):
            raise LookupError(f"there is no note {id}")
        return self._keep(id, values, "update", "user", user)

    def delete(self, resource, id, user):
        self._of(resource).pop(id)


@pytest.fixture
def running():
    with serve(Notes()) as running:
        yield running


@pytest.fixture
def client(running):
    client = ControlClient(running.control_url)
    yield client
    client.close()


def test_answers_come_over_one_connection_kept_open(running):
    address = ("127.0.0.1", int(running.base_url.rsplit(":", 1)[1]))
    with socket.create_connection(address) as wire:
        for _ in range(2):
            wire.sendall(b"GET /api/notes HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = wire.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK") and answer.endswith(b'note 1"}]}')
            assert b"Set-Cookie: a=1\r\n" in answer and b"Set-Cookie: b=2\r\n" in answer


def test_a_chunked_body_arrives_whole(running):
    text = json.dumps({"text": "in pieces"}).encode()
    answer = requests.post(running.url + "notes", data=iter([text[:4], text[4:]]), timeout=5)
    assert answer.json()["notes"][-1]["text"] == "in pieces"


def test_counts_calls_by_operation_status_and_kind(running, client):
    requests.get(running.url + "notes", timeout=5)
    requests.post(running.url + "notes", json={"text": "new"}, timeout=5)
    stats = client.stats()
    assert stats["calls"] == 2 and stats["reads"] == 1 and stats["writes"] == 1
    assert stats["by_operation"] == {"GET notes": 1, "POST notes": 1} and stats["by_status"] == {"200": 2}
    assert stats["records_written"] == {"notes": 1}
    assert client.reset_stats()["calls"] == 2
    assert client.stats()["calls"] == 0 and client.stats()["records_written"] == {}


def test_a_person_edits_creates_and_deletes_through_the_control_api(running, client):
    assert client.edit("notes", "0", {"text": "改"}, user="li")["text"] == "改"
    assert client.create("notes", {"text": "three"})["id"] == "2"
    client.delete("notes", "1")
    assert [n["text"] for n in client.records("notes")] == ["改", "three"]
    assert client.resources() == {"notes": 2}
    first, second = client.history()
    assert (first["by"], first["user"], first["action"], first["id"]) == ("user", "li", "update", "0")
    assert client.history(since=first["seq"]) == [second]
    assert client.stats()["calls"] == 0 and client.stats()["records_written"] == {}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda c: c.edit("notes", "99", {"text": "x"}), "no note 99"),
        (lambda c: c.records("cards"), "no resource 'cards'"),
        (lambda c: c.create("notes", {}), "needs text"),
        (lambda c: c.add_faults({"kind": "flood"}), "unknown fault kind 'flood'"),
        (lambda c: c.add_faults({"kind": "html", "rat": 0.5}), "no 'rat'"),
        (lambda c: c.clock(sideways=1), "advance"),
        (lambda c: c._call("GET", "nothing"), "no GET nothing"),
        (lambda c: c._call("POST", "edit", ["x"]), "JSON object"),
    ],
)
def test_the_control_api_says_what_is_wrong(client, call, says):
    with pytest.raises(ConfigurationError, match=says):
        call(client)


def test_an_absent_sandbox_is_unavailable():
    with serve(Notes()) as running:
        url = running.control_url
    with pytest.raises(Unavailable):
        ControlClient(url, timeout=2).stats()


def get(running, **kwargs):
    return requests.get(running.url + "notes", timeout=5, **kwargs)


def test_faults_hit_what_they_name_as_often_as_they_say(running, client):
    client.add_faults({"kind": "status", "status": 503, "on": "read", "skip": 1, "next": 2, "body": {"busy": True}})
    assert [get(running).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert client.faults()[0]["hits"] == 2
    assert requests.post(running.url + "notes", json={"text": "x"}, timeout=5).ok


def test_a_lost_answer_may_or_may_not_have_been_carried_out(running, client):
    post = lambda: requests.post(running.url + "notes", json={"text": "x"}, timeout=5)  # noqa: E731
    client.add_faults({"kind": "drop_before", "operation": "POST *"})
    with pytest.raises(requests.ConnectionError):
        post()
    assert len(client.records("notes")) == 2
    client.add_faults({"kind": "drop_after", "operation": "POST *"})
    with pytest.raises(requests.ConnectionError):
        post()
    assert len(client.records("notes")) == 3
    client.add_faults({"kind": "status", "status": 500, "after": True})
    assert post().status_code == 500
    assert len(client.records("notes")) == 4


def test_bad_answers_of_every_kind(running, client):
    client.add_faults({"kind": "html", "status": 502})
    html = get(running)
    assert html.status_code == 502 and "<html>" in html.text and "text/html" in html.headers["Content-Type"]
    client.add_faults({"kind": "retry_after", "seconds": 7})
    late = get(running)
    assert late.status_code == 429 and late.headers["Retry-After"] == "7"
    client.add_faults({"kind": "garble"})
    with pytest.raises(ValueError):
        get(running).json()
    client.add_faults({"kind": "truncate"})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(running)
    client.add_faults({"kind": "empty"})
    assert get(running).content == b""
    client.add_faults({"kind": "forgetful"})
    assert get(running).json() == {"notes": []}
    client.add_faults({"kind": "html", "rate": 1.0})
    client.clear_faults()
    assert get(running).json()["notes"]


def ids(running):
    return [note["id"] for note in get(running).json()["notes"]]


def test_lists_that_do_not_tell_the_truth(running, client):
    client.add_faults({"kind": "missing"})
    assert len(ids(running)) == 1
    client.add_faults({"kind": "doubled"})
    assert sorted(ids(running)) in (["0", "0", "1"], ["0", "1", "1"])
    client.add_faults({"kind": "gigantic", "bytes": 90_000})
    assert len(get(running).content) > 80_000
    assert ids(running) == ["0", "1"], "the records themselves are untouched"
    client.add_faults({"kind": "missing"})
    assert requests.post(running.url + "notes", json={"text": "x"}, timeout=5).json()["notes"], "no list: left alone"


def test_log_ins_end_and_pages_shift_before_the_request_is_carried_out(running, client):
    client.add_faults({"kind": "expire"}, {"kind": "shift"})
    assert ids(running) == ids(running) == ["0", "1"]
    assert running.app.ended == 1
    assert [(c["user"], c["action"]) for c in client.history()] == [("somebody", "update")]


def test_an_answer_can_call_itself_something_else_or_unpack_to_more_than_it_is(running, client):
    client.add_faults({"kind": "content_type"})
    called = get(running)
    assert called.headers["Content-Type"] == "text/html" and called.json()["notes"]
    client.add_faults({"kind": "bomb", "bytes": 5_000_000})
    bomb = get(running)
    assert int(bomb.headers["Content-Length"]) < 10_000 and len(bomb.content) > 5_000_000


def test_a_body_can_come_in_small_pieces(running, client, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    client.add_faults({"kind": "drip", "ms": 800})
    assert get(running).json()["notes"]
    assert sum(slept) == pytest.approx(0.8) and len(slept) > 5


def test_any_fault_that_carries_the_request_out_can_cut_the_connection_then(running, client):
    client.add_faults({"kind": "forgetful", "drop": True})
    with pytest.raises(requests.ConnectionError):
        get(running)
    assert client.faults()[0]["hits"] == 1


def test_latency_delays_the_product_but_not_the_control_api(running, client, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    client.latency(50)
    client.add_faults({"kind": "slow", "ms": 200})
    get(running)
    get(running)
    client.stats()
    assert slept == [0.25, 0.05]


def test_faults_by_rate_follow_the_seed():
    def hits(seed):
        faults = Faults(seed=seed)
        faults.add({"kind": "html", "rate": 0.3})
        return [faults.pick(Operation("x"), b"") is not None for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


def test_faults_can_be_told_on_a_command_line():
    assert parse_faults("status=503@0.05:Save*, drop_after:BatchSave*,slow=300") == [
        {"kind": "status", "status": 503, "rate": 0.05, "operation": "Save*"},
        {"kind": "drop_after", "operation": "BatchSave*"},
        {"kind": "slow", "ms": 300, "operation": "*"},
    ]
    assert parse_faults('{"kind": "html"}') == [{"kind": "html"}]
    with pytest.raises(ValueError, match="status=x"):
        parse_faults("status=x")
    with pytest.raises(ValueError, match="not JSON"):
        parse_faults("[{]")


def test_faults_can_be_told_in_a_file_and_all_at_once(tmp_path):
    script = tmp_path / "monday.json"
    script.write_text('[{"kind": "html", "skip": 3, "next": 2}, {"kind": "drop_after"}]', "utf-8")
    assert [fault["kind"] for fault in parse_faults(f"@{script}")] == ["html", "drop_after"]
    everything = parse_faults("hostile@0.1", frozenset({"forgetful"}))
    kinds = {fault["kind"] for fault in everything}
    assert {"forgetful", "drop_before", "drop_after", "missing", "doubled", "shift", "expire", "slow", "drip"} <= kinds
    assert {fault["rate"] for fault in everything} == {0.1}
    faults = Faults(frozenset({"forgetful"}))
    for fault in everything:
        faults.add(fault)
    with pytest.raises(OSError):
        parse_faults(f"@{tmp_path}/nowhere.json")


def test_a_bug_in_the_sandbox_is_said_aloud(running, capfd):
    assert requests.get(running.url + "crash", timeout=5).status_code == 500
    assert "RuntimeError: a bug" in capfd.readouterr().err


def test_the_clock_runs_can_be_moved_and_stopped(client, running):
    clock = SandboxClock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    assert client.clock(freeze="2026-01-15T09:30:00+08:00", step=1) == "2026-01-15T01:30:01Z"
    assert client.clock(advance=60) == "2026-01-15T01:31:02Z"
    assert client.clock().startswith("2026-01-15T01:31:03")
    assert not client.clock(real=True).startswith("2026-01-15T01:3")
    with pytest.raises(ConfigurationError, match="time zone"):
        client.clock(freeze="2026-01-15T09:30:00")


def test_run_prints_exactly_one_ready_line_and_stops_when_told():
    stop, out = threading.Event(), io.StringIO()
    options = {"port": 0, "records": 3, "latency_ms": 0, "out": out, "stop": stop, "faults": [{"kind": "html"}]}
    thread = threading.Thread(target=run, args=(lambda records, seed: Notes(records),), kwargs=options)
    thread.start()
    while thread.is_alive() and not out.getvalue().endswith("\n"):
        stop.wait(0.01)
    ready = json.loads(out.getvalue())
    assert ready["url"].endswith("/api/") and ready["credentials"]["token"] == "t" and ready["samples"] == {"note": "0"}
    client = ControlClient(ready["control"])
    assert client.resources() == {"notes": 3} and client.faults()[0]["kind"] == "html"
    stop.set()
    thread.join(5)
    assert not thread.is_alive() and out.getvalue().count("\n") == 1
