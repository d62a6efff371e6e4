"""``hub webhooks`` as people start it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import requests
from webhooks.hooked_company import SECRET, HookedCompany

from hub.connect import hooks


def command(company: HookedCompany, *words: str) -> list[str]:
    return [sys.executable, "-m", "hub.cli", "webhooks", *words, "--json", "--project", str(company.folder)]


def answered(company: HookedCompany, *words: str) -> Any:
    done = subprocess.run(command(company, *words), capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_it_says_when_it_is_ready_and_ends_when_asked(company: HookedCompany) -> None:
    with subprocess.Popen(
        command(company, "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            assert set(ready["systems"]) == {"zoho", "kingdee"}
            with requests.Session() as session:
                session.trust_env = False
                assert session.get(f"{ready['url']}/health", timeout=30).ok
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        said = process.stderr.read()
    assert "is no https" in said
    assert SECRET not in said
    assert answered(company, "--end") == {"ended": ["zoho Accounts"]}
    assert company.zoho.app.watch.channels == {}


def test_the_key_of_a_system_is_shown_to_who_asks(company: HookedCompany) -> None:
    found = answered(company, "--key", "kingdee")
    assert (found["system"], found["key"]) == ("kingdee", hooks.key_of(SECRET, "kingdee"))
    assert found["address"].endswith("/hooks/kingdee")
    assert answered(company, "--key", "sap")["error"]["what"] == "there is no system 'sap'"
