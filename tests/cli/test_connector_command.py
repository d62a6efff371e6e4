"""``hub connector``: from a template to a verified connector, and what it says of those that don't keep their word."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.connect import registry
from hub.connect.sandbox import serve


@pytest.fixture
def project(hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert hub("init", tmp_path / "shop").code == 0
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def test_a_new_connector_keeps_its_contract_at_once(project: Path, hub) -> None:
    made = hub("connector", "new", "acme_shop", "--title", "Acme Shop", "--json")
    assert made.code == 0 and "connector.py" in made.data["files"]
    folder = project / "connectors" / "acme_shop"
    assert "class AcmeShop:" in (folder / "connector.py").read_text("utf-8")
    assert not any(
        "ew_product" in p.read_text("utf-8") or "New Product" in p.read_text("utf-8") for p in folder.iterdir()
    )
    first = hub("connector", "verify", "acme_shop", "--json")
    assert first.code == 1 and first.data["differences"] == ["there is no capabilities.yaml yet"]
    assert [f for f in first.data["findings"] if f["state"] in ("broken", "not tried")] == []
    assert hub("connector", "verify", "acme_shop", "--write").code == 0
    assert hub("connector", "verify", "acme_shop", "--json").data["ok"] is True
    listed = {row["connector"]: row for row in hub("connector", "--json").data["connectors"]}
    assert listed["acme_shop"]["tier"] == first.data["tier"] and listed["zoho_crm"]["tier"] == "gold"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("complete=last", "complete=False", "lists_everything"),
        ('auth=Bearer(settings["token"])', "auth=None", "introduces_itself"),
        ("Remote(id, None, deleted=True) if answer.status == 404 else ", "", "looks_again"),
        ('"decimal", scale=2', '"text"', "fits_its_description"),
        ("if last:\n                return", "if last or after:\n                return", "resumes"),
    ],
)
def test_a_connector_that_breaks_its_word_is_told_how(project: Path, hub, before: str, after: str, rule: str) -> None:
    hub("connector", "new", "acme_shop")
    path = project / "connectors" / "acme_shop" / "connector.py"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    said = hub("connector", "verify", "acme_shop", "--json")
    assert said.code == 1 and rule in {f["rule"] for f in said.data["findings"] if f["state"] == "broken"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acme", "lower-case letters"),
        ("../evil", "can't name a connector"),
        ("sql", "comes with the hub"),
        ("acme", "there is a connector of this name"),
    ],
)
def test_a_name_that_wont_do_is_refused(project: Path, hub, name: str, message: str) -> None:
    (project / "connectors" / "acme").mkdir()
    said = hub("connector", "new", name)
    assert said.code == 2 and message in " ".join(said.err.split())


def test_a_connector_without_a_contract_is_told_what_to_write(project: Path, hub) -> None:
    hub("connector", "new", "acme_shop")
    path = project / "connectors" / "acme_shop" / "manifest.yaml"
    path.write_text(path.read_text("utf-8").replace("contract: contract:contract\n", ""), "utf-8")
    said = hub("connector", "verify", "acme_shop")
    assert said.code == 2 and "contract.py" in said.err


def test_an_option_that_the_sandbox_doesnt_know_is_the_users_to_mend(project: Path, hub) -> None:
    said = hub("connector", "verify", "zoho_crm", "--option", "colour=red")
    assert said.code == 2 and "doesn't take this" in said.err


def test_check_says_that_nobody_has_verified_a_connector(project: Path, hub) -> None:
    hub("connector", "new", "acme_shop")
    with serve(registry.find("acme_shop", project).sandbox()(records=2)) as running:
        system = f"systems:\n  shop: {{connector: acme_shop, url: '{running.url}', token: '${{SHOP_TOKEN}}'}}\n"
        (project / "hub.yaml").write_text(f"version: 2\n{system}", "utf-8")
        (project / ".env").write_text("SHOP_TOKEN=token-1\n", "utf-8")
        said = hub("check")
        assert said.code == 0, said.out + said.err
        assert "never verified" in said.out and "hub connector verify acme_shop --write" in said.out
        hub("connector", "verify", "acme_shop", "--write")
        assert "the connector's tier: gold" in hub("check").out


def test_a_test_server_is_tried_with_every_rule_and_bad_days(project: Path, hub) -> None:
    """The template's sandbox plays a server of the product: the suite stands before it with a relay."""
    hub("connector", "new", "acme_shop")
    entry = registry.find("acme_shop", project)
    with serve(entry.sandbox()(records=24)) as running:
        credentials = running.ready()["credentials"]
        shop = f"{{connector: acme_shop, url: '{credentials['url']}', token: '${{ACME}}'}}"
        project.joinpath("hub.yaml").write_text(f"version: 2\nname: shop\nsystems:\n  shop: {shop}\n", "utf-8")
        project.joinpath(".env").write_text(f"ACME={credentials['token']}\n")
        said = hub("connector", "verify", "acme_shop", "--system", "shop", "--scratch", "--write", "--json")
    states = {f["rule"]: f["state"] for f in said.data["findings"]}
    assert said.data["world"]["name"] == "server" and "broken" not in states.values(), said.data["findings"]
    lost = ("says_when_it_is_down", "never_ends_early", "explains_nonsense", "waits_when_told")
    assert {states[rule] for rule in lost} == {"kept"}
    assert project.joinpath("capabilities", "shop.yaml").is_file()


def test_a_live_database_is_tried_on_tables_of_the_suites_own(twins: Path, hub) -> None:
    said = hub("connector", "verify", "sql", "--system", "erp", "--write", "--json")
    assert said.code == 0, said.err
    assert said.data["written"].endswith("capabilities/erp.yaml") and said.data["left"] == []
    assert (twins / "capabilities" / "erp.yaml").is_file()
    assert hub("sync", "--yes").code == 0
    wrong = hub("connector", "verify", "zoho_crm", "--system", "erp")
    assert wrong.code == 2 and "is one of sql" in wrong.err
