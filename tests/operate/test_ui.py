"""What an operator sees: Prefect's UI in a real browser, after a real run. Screenshots stay in pytest's own folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from operate import twin_databases as twins
from operate.running_hub import RunningHub

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.prefect,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


class Operator:
    """A browser window on the UI; notes every host that it was made to ask."""

    def __init__(self, page: Any, base: str, screenshots: Path) -> None:
        self.page = page
        self.base = base
        self.screenshots = screenshots
        self.hosts: set[str] = set()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.set_default_timeout(60_000)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")

    def sees(self, text: str | re.Pattern[str]) -> None:
        playwright.expect(self.page.get_by_text(text).first).to_be_visible(timeout=60_000)

    def presses(self, name: str, *, until_gone: Any) -> None:
        """Press a button as a person does: once more, when nothing comes of it (the page was just being drawn anew)."""
        for _ in range(4):
            until_gone.get_by_role("button", name=name).click()
            try:
                playwright.expect(until_gone).to_be_hidden(timeout=15_000)
                return
            except AssertionError:
                self.screenshot(f"{name} once more")
        playwright.expect(until_gone).to_be_hidden(timeout=15_000)

    def screenshot(self, name: str) -> None:
        self.page.screenshot(path=self.screenshots / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def operator(browser: Any, hub_up: RunningHub, tmp_path: Path) -> Iterator[Operator]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, locale="en-GB")
    found = Operator(page, hub_up.ready["url"], tmp_path)
    yield found
    page.close()
    assert found.hosts <= {urlsplit(found.base).netloc, ""}, "the UI asked somebody else"


def test_a_run_shows_its_name_its_message_and_its_artifacts(
    operator: Operator, hub_up: RunningHub, first_run: dict[str, Any]
) -> None:
    operator.open(f"/v2/runs/flow-run/{first_run['id']}")
    operator.sees("sync customer: crm ⇄ erp (incremental)")
    operator.sees("Completed")
    operator.sees("Finished in state Completed('12 customers written')")
    operator.screenshot("run")
    operator.page.get_by_role("tab", name="Artifacts").click()
    for key in ("twins-customer-report", "twins-customer-summary", "twins-customer-plan"):
        operator.sees(key)
    operator.screenshot("artifacts")


def test_the_report_reads_well(operator: Operator, hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    report = hub_up.artifacts(first_run["id"])["twins-customer-report"]
    operator.open(f"/v2/artifacts/artifact/{report['id']}")
    operator.sees("12 customers written")
    operator.sees("What moved where")
    operator.sees("深圳市第0贸易有限公司")
    playwright.expect(operator.page.locator("svg[id^=mermaid]").first).to_be_visible(timeout=60_000)
    operator.screenshot("report")


def test_the_plan_is_a_table_of_old_and_new(operator: Operator, hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    plan = hub_up.artifacts(first_run["id"])["twins-customer-plan"]
    operator.open(f"/v2/artifacts/artifact/{plan['id']}")
    operator.sees("12 writes, old → new")
    for heading in ("system", "record", "old", "new", "because"):
        operator.sees(re.compile(f"^{heading}$", re.IGNORECASE))
    operator.screenshot("plan")


def test_deployments_are_listed_with_their_schedules(operator: Operator) -> None:
    # Where the column is too narrow for its badge, the page shows "1 schedules" instead, to be hovered over.
    operator.page.set_viewport_size({"width": 2400, "height": 1200})
    operator.open("/v2/deployments")
    operator.sees("twins-customer-full")
    operator.sees("twins-apply")
    operator.sees(re.compile("Every 6 hours|1 schedules"))
    folded = operator.page.get_by_text("1 schedules")
    for at in range(folded.count()):
        folded.nth(at).hover()
        operator.sees(re.compile("Every 6 hours|02:30"))
    if not folded.count():
        operator.sees(re.compile("Every 6 hours"))
        operator.sees(re.compile("02:30"))
    operator.screenshot("deployments")


def test_a_run_is_started_from_the_page_of_its_deployment(operator: Operator, hub_up: RunningHub) -> None:
    twins.execute(hub_up.folder, "crm", "INSERT INTO customers (number, name) VALUES ('U001', '界面公司')")
    operator.open("/v2/deployments")
    operator.page.get_by_role("link", name="twins-everything").click()
    operator.page.get_by_role("button", name="Run").first.click()
    operator.page.get_by_role("menuitem", name="Custom run").click()
    operator.sees("Entities of this pass; none means all.")
    operator.page.get_by_role("switch").nth(1).click()
    operator.screenshot("form")
    operator.page.get_by_role("button", name="Submit").click()
    deployment = hub_up.deployment("sync/twins-everything")["id"]
    query = {"flow_runs": {"deployment_id": {"any_": [deployment]}}}
    for _ in range(200):
        if found := hub_up.api.post("/flow_runs/filter", query):
            break
        operator.page.wait_for_timeout(100)
    run = hub_up.state(found[0]["id"])
    assert run["parameters"]["yes"] is True
    assert twins.contents(hub_up.folder, "erp")["U001"][0] == "界面公司"


def test_a_question_is_answered_on_a_form(operator: Operator, hub_up: RunningHub, first_run: dict[str, Any]) -> None:
    twins.execute(hub_up.folder, "crm", "UPDATE customers SET phone = '+86 755 1111 1111' WHERE number = 'C001'")
    twins.execute(hub_up.folder, "erp", "UPDATE customers SET phone = '+86 755 2222 2222' WHERE number = 'C001'")
    assert "1 conflict" in hub_up.run("sync/twins-customer", yes=True)["state"]["message"]
    run_id = hub_up.start("approve/twins-approve")
    hub_up.state(run_id, "PAUSED")
    operator.open(f"/v2/runs/flow-run/{run_id}")
    operator.sees("Paused")
    operator.page.locator("button[aria-haspopup=menu]").last.click()
    operator.page.get_by_role("menuitem", name="Resume").click()
    operator.page.get_by_role("button", name="Select customer 上海市第1贸易有限公司, phone").click()
    operator.page.get_by_role("option", name="crm: +8675511111111").click()
    operator.screenshot("decision")
    operator.presses("Resume", until_gone=operator.page.get_by_role("dialog"))
    assert hub_up.state(run_id)["state"]["message"].startswith("1 conflict decided")
    hub_up.run("sync/twins-customer", yes=True)
    assert twins.contents(hub_up.folder, "erp")["C001"][1] == "+8675511111111"


def test_the_automations_have_names_that_speak(operator: Operator) -> None:
    operator.open("/v2/automations")
    operator.sees("hub: end runs whose process is gone")
    operator.sees("hub twins: tell when a run failed or crashed")
    operator.screenshot("automations")
