"""Secrets stay out of logs, whatever they travel in."""

import logging

import pytest

from hub.connect import redact as redacting
from hub.connect.redact import protect, redact, redact_headers, remember


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch):
    """What other tests of this process made known is not masked here."""
    monkeypatch.setattr(redacting, "_known", set())
    monkeypatch.setattr(redacting, "_known_pattern", None)


@pytest.mark.parametrize(
    "text",
    [
        '{"client_secret": "s3cr3t-value"}',
        '{"refresh_token":"s3cr3t-value","x":1}',
        "grant_type=refresh_token&client_secret=s3cr3t-value&client_id=1",
        "https://host/path?access_token=s3cr3t-value&page=2",
        "Authorization: Zoho-oauthtoken s3cr3t-value",
        "{'Authorization': 'Bearer s3cr3t-value'}",
        "Set-Cookie: kdservice-sessionid=s3cr3t-value; path=/",
        '{"app_secret":"s3cr3t-\\"value"}',
        "postgresql://hub:s3cr3t-value@localhost/finance",
        "password=s3cr3t-value",
    ],
)
def test_secrets_are_masked_by_name(text):
    assert "s3cr3t" not in redact(text)


def test_what_is_needed_to_understand_stays():
    text = 'GET /crm/v8/Accounts?page_token=abc&fields=id,Account_Name {"token_type":"Bearer","Name":"华瑞"}'
    assert redact(text) == text


def test_what_follows_a_masked_header_on_its_line_stays():
    line = "POST /a {'Authorization': 'Bearer s3cr3t-value', 'X-Page': '2'} name=华瑞 → 200"
    assert redact(line) == "POST /a {'Authorization': ***, 'X-Page': '2'} name=华瑞 → 200"


def test_a_hint_that_holds_no_value_stays_readable():
    hint = "write ${ZOHO_CLIENT_SECRET} here and the value into .env as ZOHO_CLIENT_SECRET=…; change the secret"
    assert redact(hint) == hint


def test_known_values_are_masked_anywhere_also_quoted():
    remember("p@ss word/42", "", None, "ab")
    assert redact("the server said p@ss word/42, i.e. p%40ss%20word%2F42 or p%40ss+word%2F42; ab stays") == (
        "the server said ***, i.e. *** or ***; ab stays"
    )


def test_the_password_inside_a_url_is_known_by_itself():
    remember("postgresql://hub:kn%40wn-pass@db/finance")
    assert redact("authentication failed with kn@wn-pass, kn%40wn-pass") == "authentication failed with ***, ***"


def test_headers_are_masked_by_name():
    assert redact_headers({"X-Api-Key": "1", "Cookie": "2", "X-CRM-ORG": "3"}) == {
        "X-Api-Key": "***",
        "Cookie": "***",
        "X-CRM-ORG": "3",
    }


def test_the_filter_cleans_messages_and_tracebacks():
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    log = logging.getLogger("test.redact")
    log.propagate = False
    log.addHandler(protect(protect(handler := Keep())))
    assert len(handler.filters) == 1
    log.warning("token: %s", '{"access_token": "s3cr3t-value"}')
    try:
        raise ValueError("client_secret=s3cr3t-value")
    except ValueError:
        log.exception("it failed")
    assert len(lines) == 2 and "s3cr3t" not in "".join(lines) and "ValueError" in lines[1]
