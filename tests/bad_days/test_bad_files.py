"""Bad input: what is wrong in the user's own files is told with its place and a cure, before any system is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bad_days.bad_company import BadCompany

HUB = "hub.yaml"
MAPPING = "mappings/finance_db/customers.yaml"


QUOTE = "quote a text that holds ': ' or begins with one of @ ` % & * ! | > [ {"
WRONG = {
    "a quote that never ends": (
        HUB, "timezone: Asia/Shanghai", "timezone: 'Asia/Shanghai", "4:11",
        "not YAML: found unexpected end of stream while scanning a quoted scalar", QUOTE,
    ),
    "a tab": (
        HUB, "  zoho:\n", "  zoho:\n\tx: 1\n", "8:1",
        "not YAML: found character '\\t' that cannot start any token while scanning for the next token",
        "indent with spaces, not with tabs",
    ),
    "a bracket that is never closed": (
        MAPPING, "match: [tax_id]", "match: [tax_id", "7:7",
        "not YAML: expected ',' or ']', but got ':' while parsing a flow sequence", QUOTE,
    ),
    "a version that is a word": (HUB, "version: 2", "version: one", "2:10", "'version' can't be 'one'", "one of 2"),
    "a policy that is a mapping": (
        HUB, "conflict: newest ", "conflict: {newest: 1} ", "49:15",
        "'conflict': expected newest, hold, owner, or a list of systems, the one that wins first", None,
    ),
    "a policy nobody knows": (
        HUB, "deletes: archive", "deletes: sometimes", "51:14", "'deletes' can't be 'sometimes'",
        "one of ignore, archive, propagate",
    ),
    "a system that is not there": (
        HUB, "zoho: both, finance_db: both}", "zoho: both, finance_bd: both}", "47:42", "unknown system 'finance_bd'",
        "did you mean 'finance_db'?",
    ),
    "a setting of the wrong type": (
        HUB, "cursor: updated_at", "cursor: [1, {a: 2}]", "24:5",
        "setting tables.customers.cursor.0: Input should be a valid string", None,
    ),
    "a literal secret": (
        HUB, "${ZOHO_CLIENT_SECRET}", "1000.literal.secret", "11:20",
        "client_secret is a secret and must not stand in this file",
        "write ${ZOHO_CLIENT_SECRET} here and the value into .env as ZOHO_CLIENT_SECRET=…; change the secret if the"
        " file has been shared",
    ),
    "a password in a URL": (
        HUB, "${FINANCE_DB_URL}", "postgresql://hub:1000.literal.secret@db/finance", "25:10",
        "url is a secret and must not stand in this file",
        "write …:${FINANCE_DB_URL}@… here and the value into .env as FINANCE_DB_URL=…; change the secret if the file"
        " has been shared",
    ),
    "a missing secret": (
        HUB, "${ZOHO_REFRESH_TOKEN}", "${ZOHO_REFERSH_TOKEN}", "12:20",
        "the secret ZOHO_REFERSH_TOKEN is missing: it is neither in the environment nor in {folder}/.env",
        "add the line ZOHO_REFERSH_TOKEN=… to .env, or export it",
    ),
    "a canonical field that is not there": (
        MAPPING, "  name: name", "  nmae: name", "8:3", "customer has no field 'nmae'", "did you mean 'name'?",
    ),
    "a remote field that is not there": (
        MAPPING, "website: website", "website: webside", "12:12", "customers has no field 'webside'",
        "did you mean 'website'?",
    ),
    "an option of the wrong type": (
        MAPPING, "{money: {scale: 2}}", "{money: {scale: two}}", "14:45",
        "money: scale: the text 'two' is not a whole number", "Decimals kept, in both directions; more are rounded.",
    ),
    "a type clash": (
        MAPPING, "  email: email", "  email: {field: email, via: date}", "11:18",
        "'date' gives date, and email is an email", "use 'email'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_is_told_with_its_place_and_nothing_is_asked_of_any_system(company: BadCompany, name: str) -> None:
    file, old, new, place, what, cure = WRONG[name]
    calls = company.zoho.stats()["calls"], company.kingdee.stats()["calls"], company.writes()
    with changed(company.folder / file, old, new):
        said = company.hub("sync", "--json")
        error = said.data["error"]
        assert said.code == 2
        assert error["where"] == f"{company.folder}/{file}:{place}"
        assert (error["what"], error["cure"]) == (what.replace("{folder}", str(company.folder)), cure)
        assert "1000.literal.secret" not in said.out + said.err
    assert (company.zoho.stats()["calls"], company.kingdee.stats()["calls"], company.writes()) == calls


def test_people_read_the_same_words_without_a_traceback(company: BadCompany) -> None:
    with changed(company.folder / HUB, "deletes: archive", "deletes: sometimes"):
        said = company.hub("sync")
    assert said.code == 2
    assert said.err.splitlines() == [
        "wrong: 'deletes' can't be 'sometimes'",
        f"  where: {company.folder}/hub.yaml:51:14",
        "  to do: one of ignore, archive, propagate",
    ]
    assert said.out == ""


def test_all_that_is_wrong_is_told_at_once(company: BadCompany) -> None:
    with (
        changed(company.folder / HUB, "authority: {name: zoho", "authority: {name: zaho"),
        changed(company.folder / HUB, "${ZOHO_CLIENT_ID}", "${ZOHO_CLIENT_IDD}"),
        changed(company.folder / MAPPING, "website: website", "website: webside"),
    ):
        said = company.hub("sync", "--json")
    assert said.code == 2
    told = said.data["error"]["what"].replace(f"{company.folder}/", "").splitlines()
    assert told[0] == "3 things are wrong:"
    assert [line.split(" → ")[0].strip() for line in told[1:]] == [
        "hub.yaml:10:16: the secret ZOHO_CLIENT_IDD is missing: it is neither in the environment nor in .env",
        "hub.yaml:48:23: the system 'zaho' takes no part in this entity",
        f"{MAPPING}:12:12: customers has no field 'webside'",
    ]


@contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")
