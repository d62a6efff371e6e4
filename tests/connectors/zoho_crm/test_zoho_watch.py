"""Notifications: asked for by the connector, sent by the sandbox, told from forged ones."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hub.connect import capabilities
from hub.errors import AuthenticationError, UnexpectedAnswer


@pytest.fixture
def receiver():
    """A web server that keeps what is posted to it."""
    got = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.got = got
    server.url = f"http://127.0.0.1:{server.server_port}/hooks/zoho"
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def heard(world, receiver, connector, secret="the intake's secret"):
    world.app.watch.flush()
    found = [hint for body in receiver.got for hint in connector.hints({}, body, secret)]
    receiver.got.clear()
    return found


def test_a_change_by_anybody_becomes_a_hint(world, receiver):
    connector = world.connector()
    assert isinstance(connector, capabilities.Subscribe)
    ends = connector.subscribe("Accounts", receiver.url, "the intake's secret")
    assert ends == "2026-03-08T09:00:00Z"
    id = world.app.samples()["accounts"]
    world.app.edit("Accounts", id, {"Phone": "100"}, "Ann Lee")
    world.app.edit("Contacts", world.app.samples()["contacts"], {"Title": "x"}, "Ann Lee")
    made = world.app.create("Accounts", {"Account_Name": "新"}, "Ann Lee")
    world.app.delete("Accounts", id, "Ann Lee")
    assert heard(world, receiver, connector) == [("Accounts", id), ("Accounts", made["id"]), ("Accounts", id)]


def test_asking_again_renews_the_one_channel(world, receiver):
    connector = world.connector()
    connector.subscribe("Accounts", receiver.url, "s")
    world.clock.advance(5 * 86400)
    assert connector.subscribe("Accounts", receiver.url, "s") == "2026-03-13T09:00:00Z"
    assert len(world.app.records("watch")) == 1


def test_a_forged_notification_is_refused(world, receiver):
    connector = world.connector()
    connector.subscribe("Accounts", receiver.url, "the intake's secret")
    world.app.edit("Accounts", world.app.samples()["accounts"], {"Phone": "100"}, "Ann Lee")
    world.app.watch.flush()
    real = json.loads(receiver.got[0])
    for changes in ({"token": "guess"}, {"module": "Contacts"}):
        with pytest.raises(AuthenticationError, match="wrong token"):
            connector.hints({}, json.dumps({**real, **changes}).encode(), "the intake's secret")
    with pytest.raises(AuthenticationError):
        connector.hints({}, json.dumps(real).encode(), "another secret")
    with pytest.raises(UnexpectedAnswer):
        connector.hints({}, b"<html>", "the intake's secret")
    assert "the intake's secret" not in json.dumps(real)


@pytest.mark.parametrize("mode, times", [({"lose": True}, 0), ({"twice": True}, 2), ({}, 1)])
def test_callbacks_can_be_lost_or_doubled(world, receiver, mode, times):
    connector = world.connector()
    connector.subscribe("Accounts", receiver.url, "the intake's secret")
    world.app.edit("watch", "delivery", mode, "test")
    world.app.edit("Accounts", world.app.samples()["accounts"], {"Phone": "100"}, "Ann Lee")
    assert len(heard(world, receiver, connector)) == times


def test_callbacks_can_change_places_and_end_with_their_channel(world, receiver):
    connector = world.connector()
    connector.subscribe("Accounts", receiver.url, "the intake's secret")
    one, two = [r["id"] for r in world.app.records("Accounts")][:2]
    world.app.edit("watch", "delivery", {"reverse": True}, "test")
    for id in (one, two):
        world.app.edit("Accounts", id, {"Phone": "100"}, "Ann Lee")
    assert heard(world, receiver, connector) == [("Accounts", two), ("Accounts", one)]
    world.clock.advance(7 * 86400)
    world.app.edit("Accounts", one, {"Phone": "200"}, "Ann Lee")
    assert heard(world, receiver, connector) == []


def test_channels_follow_the_vendors_rules(world):
    client = world.client()

    def post(method="POST", **changes):
        wish = {
            "channel_id": 7,
            "events": ["Accounts.all", "Contacts.edit"],
            "notify_url": "https://x.example.com/",
            **changes,
        }
        return client.call(method, "actions/watch", json={"watch": [wish]})

    far = post(channel_expiry="2026-04-02T09:00:00+00:00")
    assert far.status_code == 201
    events = far.json()["watch"][0]["details"]["events"]
    assert [e["channel_expiry"] for e in events] == ["2026-03-02T18:00:00+08:00"] * 2, "too far: one hour"
    assert post(token="x" * 51).json()["watch"][0]["details"]["maximum_length"] == 50
    assert post(events=["Nowhere.all"]).json()["watch"][0]["code"] == "INVALID_DATA"
    assert post(notify_url="").json()["watch"][0]["code"] == "MANDATORY_NOT_FOUND"
    longer = post("PATCH", channel_expiry="2026-03-08T09:00:00+00:00")
    assert longer.json()["watch"][0]["message"] == "Successfully updated the subscribe details"
    assert len(client.get("actions/watch", channel_id=7).json()["watch"]) == 2
    post("PATCH", _delete_events=True, events=["Contacts.edit"])
    assert len(client.get("actions/watch").json()["watch"]) == 1
    assert client.call("DELETE", "actions/watch", params={"channel_ids": "7,8"}).status_code == 207
    assert client.get("actions/watch").status_code == 204
