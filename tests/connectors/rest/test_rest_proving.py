"""Ways of logging in, notifications, and steps left to Python."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from rest_world import PLAIN, Store, connector, loading, manifest, product, row

from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import AuthenticationError, ConfigurationError, UnexpectedAnswer

SECRETS = """
settings:
  token: {secret: true, optional: true}
  user: {optional: true}
  password: {secret: true, optional: true}
"""


def get(made, id="1"):
    return made.get("customers", [id], ["name"], {})[0]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ('{bearer: "{settings.token}"}', "Authorization", "Bearer t0ken-1"),
        ('{header: {X-Api-Key: "{settings.token}", X-User: "{settings.user}"}}', "X-Api-Key", "t0ken-1"),
        (
            '{basic: {user: "{settings.user}", password: "{settings.password}"}}',
            "Authorization",
            "Basic " + base64.b64encode("王:sesame-1".encode()).decode(),
        ),
    ],
)
def test_fixed_credentials_go_on_every_request(auth, header, value):
    with product(
        manifest(top=SECRETS + f"auth: {auth}"), lambda call: row(1), token="t0ken-1", user="王", password="sesame-1"
    ) as (made, world):
        get(made)
        assert world.calls[0].headers[header] == value


def test_a_key_can_be_a_parameter():
    top = SECRETS + 'auth: {param: {api_key: "{settings.token}"}}'
    with product(manifest(top=top), lambda call: row(1), token="t0ken-1") as (made, world):
        get(made)
        assert world.calls[0].query == {"api_key": "t0ken-1"}


def oauth(grant, more=""):
    return manifest(
        top=f"""
settings: {{secret: {{secret: true}}, token: {{secret: true, optional: true}}}}
auth:
  oauth2: {{grant: {grant}, url: "https://login.test/token", client_id: hub,
    client_secret: "{{settings.secret}}"{more}}}
"""
    )


class Login:
    """A token endpoint and an API that takes only its newest token."""

    def __init__(self):
        self.forms = []
        self.good = ""

    def serve(self, call):
        if call.path == "/token":
            self.forms.append(call.body)
            self.good = f"access-{len(self.forms)}"
            return {"access_token": self.good, "expires_in": 600, "refresh_token": f"refresh-{len(self.forms)}"}
        ok = call.headers.get("Authorization") == f"Bearer {self.good}"
        return row(1) if ok else (401, {"message": "expired"})


def test_oauth_fetches_one_token_and_another_when_that_has_ended():
    login = Login()
    with product(oauth("client_credentials", ', scope: "read write"'), login.serve, secret="s3cret-1") as (made, world):
        get(made), get(made)
        assert login.forms == [
            {"grant_type": "client_credentials", "scope": "read write", "client_id": "hub", "client_secret": "s3cret-1"}
        ]
        login.good = "something newer"
        assert get(made).id == "1"
        assert len(login.forms) == 2
        assert world.calls[0].headers.get("Authorization") is None, "no old token goes to the token endpoint"


def test_a_refresh_token_that_is_replaced_by_its_use_is_kept():
    login = Login()
    refresh = ', refresh_token: "{settings.token}"'
    with product(oauth("refresh_token", refresh), login.serve, secret="s3cret-1", token="first-refresh") as (made, _):
        get(made)
        login.good = "x"
        get(made)
        assert [form["refresh_token"] for form in login.forms] == ["first-refresh", "refresh-1"]


def test_an_authorization_code_is_used_once():
    login = Login()
    code = ', code: "{settings.token}", redirect_uri: "https://hub.test/back"'
    with product(oauth("authorization_code", code), login.serve, secret="s3cret-1", token="the-code") as (made, _):
        get(made)
        login.good = "x"
        get(made)
        assert [form["grant_type"] for form in login.forms] == ["authorization_code", "refresh_token"]


def test_refused_credentials_are_told_and_not_tried_again():
    def handler(call):
        return 400, {"error": "invalid_grant", "error_description": "token revoked"}

    with product(oauth("client_credentials"), handler, secret="s3cret-1") as (made, world):
        for _ in range(3):
            with pytest.raises(AuthenticationError, match=r"invalid_grant.*token revoked"):
                get(made)
        assert len(world.calls) == 1


LOGIN = (
    SECRETS
    + """
auth:
  login:
    call: POST /login
    body: {user: "{settings.user}", password: "{settings.password}"}
    token: %s
    seconds: 600
    header: {%s}
"""
)


@pytest.mark.parametrize(
    ("token", "header", "sent"),
    [
        ("session.id", 'X-Session: "{token}"', ("X-Session", "session-1")),
        ("cookie:sid", 'Cookie: "sid={token}"', ("Cookie", "sid=cookie-1")),
        ("header:X-Token", 'Authorization: "Session {token}"', ("Authorization", "Session header-1")),
    ],
)
def test_a_log_in_hands_out_a_session_that_is_renewed_when_it_has_ended(token, header, sent):
    ended = []

    def handler(call):
        if call.path == "/login":
            assert call.body == {"user": "hub", "password": "sesame-1"}
            return 200, {"Set-Cookie": "sid=cookie-1; Path=/", "X-Token": "header-1"}, {"session": {"id": "session-1"}}
        if not ended:
            ended.append(1)
            return 401, {}
        return row(1)

    with product(manifest(top=LOGIN % (token, header)), handler, user="hub", password="sesame-1") as (made, world):
        assert get(made).id == "1"
        assert world.paths() == ["POST /login", "GET /customers/1"] * 2
        assert world.calls[-1].headers[sent[0]] == sent[1]


def test_a_refused_log_in_is_not_hammered():
    top = LOGIN % ("session", 'X-Session: "{token}"')
    with product(manifest(top=top), lambda call: (403, {"message": "wrong"}), user="hub", password="x-1") as (
        made,
        world,
    ):
        for _ in range(3):
            with pytest.raises(AuthenticationError):
                get(made)
        assert world.paths() == ["POST /login"]


def test_a_signature_covers_what_the_manifest_says():
    top = """
settings: {key: Key, secret: {secret: true}}
auth:
  hmac:
    secret: "{settings.secret}"
    sign: "{method}|{path}|{query}|{time}|{body_digest}"
    encoding: base64
    header: {X-Key: "{settings.key}", X-Time: "{time}", X-Sign: "{signature}"}
"""
    more = PLAIN.replace("data}", "data, query: {a: 1, b: x y}}") + 'create: {call: POST /customers, record: "."}\n'
    from rest_world import write

    with product(manifest(more, top), Store().serve, key="k", secret="s3cret-1") as (made, world):
        made.create("customers", [write("k1", name="上海")], [], {})
        list(made.list_ids("customers", {}))
        for call, query in ((world.calls[0], ""), (world.calls[-1], "a=1&b=x+y")):
            digest = hashlib.sha256(call.raw).hexdigest()
            signed = f"{call.method}|/api{call.path}|{query}|1772366400|{digest}"
            expected = base64.b64encode(hmac.new(b"s3cret-1", signed.encode(), "sha256").digest()).decode()
            assert (call.headers["X-Sign"], call.headers["X-Key"]) == (expected, "k")


HOOKED = """
webhooks:
  subscribe: {call: POST /hooks, body: {url: "{callback}", on: "{resource}.*", secret: "{secret}"}}
  expires: until
  signature: {header: X-Sign, digest: sha256, prefix: "sha256="}
  hints: {each: events, resource: kind, resources: {customer.updated: customers}, id: data.id}
"""


def test_notifications_are_asked_for_proved_and_turned_into_hints():
    body = b'{"events": [{"kind": "customer.updated", "data": {"id": 7}}, {"kind": "user.login", "data": {"id": 1}}]}'
    sign = "sha256=" + hmac.new(b"s", body, "sha256").hexdigest()
    with product(manifest(top=HOOKED), lambda call: {"until": "2026-04-01T00:00:00+08:00"}) as (made, world):
        assert made.subscribe("customers", "https://hub.test/in", "s") == "2026-03-31T16:00:00Z"
        assert world.calls[0].body == {"url": "https://hub.test/in", "on": "customers.*", "secret": "s"}
        assert made.hints({"x-sign": sign}, body, "s") == [("customers", "7")]
        for headers, secret in (({"X-Sign": sign}, "other"), ({}, "s"), ({"X-Sign": "sha256="}, "s")):
            with pytest.raises(AuthenticationError, match="wrong signature"):
                made.hints(headers, body, secret)
        broken = b"not json"
        sign = "sha256=" + hmac.new(b"s", broken, "sha256").hexdigest()
        with pytest.raises(UnexpectedAnswer):
            made.hints({"X-Sign": sign}, broken, "s")


HOOKS = """
from hub.errors import RecordRejected

def read(record, resource):
    return {**record, "name": record["name"].strip("*")}

def write(values, resource, operation):
    return {**values, "name": f"*{values['name']}*", "op": operation}

def error(status, headers, body):
    if isinstance(body, dict) and body.get("dialog"):
        return RecordRejected("it asks a person: " + body["dialog"])
"""


def test_single_steps_can_be_python(tmp_path: Path):
    (tmp_path / "steps.py").write_text(HOOKS, "utf-8")
    more = PLAIN + 'create: {call: POST /customers, record: "."}\n'
    file = tmp_path / "shop.yaml"
    file.write_text(manifest(more, "hooks: {read: steps:read, write: steps:write, error: steps:error}"), "utf-8")
    from rest_world import write

    store = Store()

    def handler(call):
        return {"dialog": "really?"} if call.body and "bad" in call.body["name"] else store.serve(call)

    found, problems = loading.load(file)
    assert problems == []
    with product(manifest(more), handler):
        made = connector.connect(found, {"url": "https://shop.test/api"}, Services("shop", MemoryCache()))
        good, bad = made.create("customers", [write("k", name="a"), write("k", name="bad")], ["name"], {})
        assert store.rows["1"]["name"] == "*a*"
        assert (good.remote.record["name"], bad.error.what) == ("a", "it asks a person: really?")


def test_hooks_that_break_are_told_with_their_file(tmp_path: Path):
    (tmp_path / "steps.py").write_text("def read(record, resource): return record\nraise ValueError('no')\n", "utf-8")
    file = tmp_path / "shop.yaml"
    file.write_text(manifest(top="hooks: {read: steps:read}"), "utf-8")
    with pytest.raises(ConfigurationError, match=r"steps\.py: the hooks can't be loaded: no"):
        connector.open_connector({"url": "https://x.test", "manifest": str(file)}, Services("shop", MemoryCache()))


def test_secrets_show_in_no_error():
    top = SECRETS + 'auth: {header: {X-Api-Key: "{settings.token}"}}'

    def handler(call):
        return 400, {"message": f"bad key {call.headers['X-Api-Key']}"}

    with product(manifest(top=top + "\nmessage: message"), handler, token="t0ken-very-secret") as (made, _):
        with pytest.raises(UnexpectedAnswer) as caught:
            get(made)
        assert "bad key ***" in str(caught.value)
        assert "t0ken-very-secret" not in repr(caught.value)
