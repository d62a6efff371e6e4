"""Secrets nowhere: not on a screen, in a log, a traceback, a plan, a report or the database, whatever systems echo."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from bad_days.bad_company import ALWAYS, BadCompany
from operate.small_prefect import SmallPrefect, small_prefect

SECRET_NAMES = ("ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN", "KINGDEE_APP_SECRET")
PASSWORD = "p%40ss-w0rd/of-finance+42"
DEAD_DATABASE = f"postgresql+psycopg://hub:{quote(PASSWORD, safe='')}@127.0.0.1:9/finance"


@pytest.fixture
def prefect() -> Iterator[SmallPrefect]:
    with small_prefect() as server:
        yield server


def test_no_secret_is_ever_said_or_stored(
    own_company: BadCompany, prefect: SmallPrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = own_company
    said: dict[str, str] = {}

    def hub(*words: str, env: dict[str, str] | None = None) -> None:
        found = company.hub(*words, env={"PREFECT_API_URL": prefect.url, **(env or {})})
        said[f"{len(said)}: hub {' '.join(words)}"] = found.out + found.err

    company.edit("zoho", company.tax_ids()[0], Website="https://ordinary.example.com")
    for words in (["check"], ["check", "--json"], ["describe", "zoho", "Accounts"], ["plan"], ["sync"], ["status"]):
        hub(*words, "--debug")
    hub("plan", "--out", str(company.folder / "plan.json"))
    secrets = [*(company.secrets[name] for name in SECRET_NAMES), *_cached(company), PASSWORD]
    assert len(secrets) >= 6, "no token or session is in the cache: this test shows too little"
    _systems_echo(company, secrets[:-1])
    hub("sync", "--debug")
    hub("sync", "--debug", "--json")
    company.mend()
    company.later(7200)
    company.fault("zoho", kind="status", status=401, body={"error": secrets[1]}, operation="token", next=ALWAYS)
    hub("sync", "--debug", env={"FINANCE_DB_URL": DEAD_DATABASE})
    hub("check", "--debug", env={"FINANCE_DB_URL": DEAD_DATABASE})
    company.mend()
    company.later(7200)
    _a_mistake_in_the_hub(monkeypatch, " ".join(secrets))
    hub("sync", "--debug")
    monkeypatch.undo()
    for words in (["letters"], ["conflicts"], ["status"]):
        hub(*words, "--json")
    assert "Traceback" in "".join(said.values()), "no traceback was shown: this test shows too little"
    assert "zoho" in "".join(said.values())
    told = [json.dumps(call, ensure_ascii=False) for call in prefect.calls]
    for path in ("/api/artifacts/", "/api/logs/", "/api/events", "/set_state"):
        assert any(path in call for call in told), f"nothing was told to {path}: this test shows too little"
    said |= {f"Prefect {at}": call for at, call in enumerate(told)}
    spoken = [f"{w}: {_around(text, secret)}" for w, text in said.items() for secret in secrets if _holds(text, secret)]
    assert not spoken, "\n".join(spoken)
    assert _in_files(company, secrets) == []


def test_tokens_are_kept_where_only_their_owner_looks(company: BadCompany) -> None:
    company.sync()
    folder = company.folder / ".hub"
    files = [*folder.glob("cache/*.json"), folder / "hub.db"]
    assert len(files) > 2
    assert {path.name for path in files if path.stat().st_mode & 0o077} == set()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, folder / "cache"))


def _cached(company: BadCompany) -> list[str]:
    """The access tokens and sessions that the hub holds."""
    found = []
    for path in (company.folder / ".hub/cache").glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if "token" in kept["value"][:12]:
            found.append(json.loads(kept["value"])["token"])
        elif "session" in kept["key"]:
            found.append(kept["value"])
    return found


def _systems_echo(company: BadCompany, secrets: list[str]) -> None:
    """Both products fail, and repeat in their messages what they were sent and more."""
    text = " ".join(secrets)
    company.fault("zoho", kind="status", status=500, body=f"failed for {text}", operation="list Products", next=ALWAYS)
    company.fault(
        "zoho", kind="status", status=400, body={"code": "INVALID_DATA", "message": text, "details": {}},
        operation="list Accounts", next=ALWAYS,
    )  # fmt: skip
    company.fault("kingdee", kind="response_error", message=text, operation="ExecuteBillQuery BD_Customer", next=ALWAYS)
    company.fault("kingdee", kind="html", status=502, operation="ExecuteBillQuery BD_MATERIAL", next=ALWAYS)


def _a_mistake_in_the_hub(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"unexpected: {text}")

    monkeypatch.setattr("hub.sync.engine.observe", broken)


def _in_files(company: BadCompany, secrets: list[str]) -> list[str]:
    """Where secrets lie in the project, besides .env (the user's) and the cache (for its owner only)."""
    return [
        f"{path.relative_to(company.folder)} holds {secret}"
        for path in sorted(company.folder.rglob("*"))
        if path.is_file() and path.name != ".env" and path.parent.name != "cache"
        for secret in secrets
        if _holds(_text(path), secret)
    ]


def _around(text: str, secret: str) -> str:
    at = text.find(secret)
    return text[max(0, at - 120) : at + 80]


def _text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def _holds(text: str, secret: str) -> bool:
    spellings = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    spellings.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return any(spelling in text for spelling in spellings)
