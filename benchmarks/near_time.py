"""Near real time: from an edit in one sandbox to the value in the other, by webhook.

A CRM's and an ERP's sandbox and ``hub webhooks`` run as processes of their own. People edit customers in the CRM at
a steady rate; its notifications come doubled, late, and with forged ones in between. How long each edit took is read
from what the two sandboxes noted themselves: when the edit was entered here, and when its value was written there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from benchmarks.bench import Bench
from benchmarks.measure import Failed
from benchmarks.results import Row, median
from hub.demo.company import TEMPLATE, Company, founded

RATE = 50
"""Edits a second."""
SECONDS, QUICK_SECONDS = 300, 10
CUSTOMERS, QUICK_CUSTOMERS = 500, 500
"""Few: the sandboxes look through all of their records at each query, and they are not what is measured."""
DELIVERY = {"twice_every": 5, "late_every": 7, "late": 0.5, "forge_every": 10}
"""Every fifth message comes twice, every seventh half a second late, beside every tenth comes a forged one."""
DRAIN = 60.0
"""Seconds after the last edit in which everything must have arrived."""
PHONE = 13_800_000_000
SECRET = "not-a-secret-just-a-benchmark-0123456789"


@dataclass
class Found:
    """What one run showed."""

    seconds: list[float] = field(default_factory=list)
    """How long each edit took, the last one first."""
    rate: float = 0.0
    """Edits a second, as they were entered."""
    overtaken: int = 0
    """Edits that were never written, because the next one of the same customer had been entered meanwhile."""
    twice: int = 0
    """Writes that wrote what was written already."""
    different: int = 0
    """Customers that are not the same in both systems at the end."""
    refused: int = 0
    cpu: float = 0.0

    def at(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def hub_yaml(webhooks: dict[str, str], **policy: Any) -> str:
    """The demo's project with customers of its CRM and ERP alone, and webhooks."""
    demo = YAML(typ="safe").load(TEMPLATE / "hub.yaml")
    systems = {name: demo["systems"][name] for name in ("zoho", "kingdee")}
    customer = {"systems": {"kingdee": "both", "zoho": "both"}, **policy}
    told = {"secret": "${HUB_WEBHOOK_SECRET}", **webhooks}
    return json.dumps({**demo, "systems": systems, "entities": {"customer": customer}, "webhooks": told})


def near_time(bench: Bench) -> list[Row]:
    """Webhooks: 50 edits a second, with doubled, late and forged messages in between."""
    quick = bench.quick
    seconds = QUICK_SECONDS if quick else SECONDS
    found = run(bench.folder, QUICK_CUSTOMERS if quick else CUSTOMERS, seconds, bench.say)
    what = f"edit → value, {RATE} edits/s for {seconds} s by webhook"
    note = (
        f"{len(found.seconds):,} edits at {found.rate:.0f}/s, {found.overtaken} overtaken by the customer's next,"
        f" {found.refused} forged ones refused, {found.cpu:.0f} CPU s of the hub"
    )
    middle = Row(
        "N1", f"{what}: median", "s", median(found.seconds), None, median(found.seconds), "s", 1.0, 1.5, "less"
    )
    most = Row("N1", f"{what}: 95 %", "s", found.at(0.95), None, found.at(0.95), "s", 2.0, 3.0, "less")
    middle.note, middle.samples = note, {"hub": found.seconds}
    return [middle, most]


def run(folder: Path, customers: int, seconds: int, say: Any) -> Found:
    """One run. Raises Failed when an edit did not arrive, was written twice, or the contents differ in the end."""
    with founded(customers, keep=folder / "near") as company:
        _prepare(company)
        say(f"    first sync of {customers} customers")
        _sync(company, "--yes")
        _sync(company)
        with _webhooks(company) as process:
            company.zoho.edit("watch", "delivery", DELIVERY, "benchmark")
            ids = [row["id"] for row in company.zoho.records("Accounts")]
            start = len(company.kingdee.history())
            say(f"    {RATE} edits a second for {seconds} s")
            edits = _edit(company, ids, RATE * seconds)
            found = _arrived(company, start, edits)
            found.cpu = _cpu(process)
        quiet = _sync(company)
        if quiet["writes"]:
            raise Failed(f"the pass afterwards had {quiet['writes']} writes left to do")
        found.different = _different(company, set(edits.values()))
        if found.different or found.twice:
            raise Failed(f"{found.different} customers differ, {found.twice} edits were written twice")
        status = _hub(company, "status")
        found.refused = sum(hook["refused"] for hook in status["webhooks"])
        say(
            f"    median {median(found.seconds):.2f} s, 95 % {found.at(0.95):.2f} s, most {max(found.seconds):.2f} s;"
            f" {found.cpu:.1f} CPU s of the hub, {found.overtaken} overtaken, {found.refused} forged refused"
        )
        return found


def _prepare(company: Company) -> None:
    port = _free_port()
    settings = {"address": f"http://127.0.0.1:{port}/hooks", "listen": f"127.0.0.1:{port}"}
    (company.folder / "hub.yaml").write_text(hub_yaml(settings, budget={"floor": 1_000_000}), "utf-8")
    with (company.folder / ".env").open("a", encoding="utf-8") as file:
        file.write(f"HUB_WEBHOOK_SECRET={SECRET}\n")


def _edit(company: Company, ids: list[str], count: int) -> dict[str, str]:
    """Enter new phone numbers, at a steady rate; phone → account, in the order of the edits."""
    begun, edits = time.monotonic(), {}
    for n in range(count):
        phone = str(PHONE + n)
        time.sleep(max(0.0, begun + n / RATE - time.monotonic()))
        company.zoho.edit("Accounts", ids[n % len(ids)], {"Phone": phone}, "Ann Lee")
        edits[phone] = ids[n % len(ids)]
    return edits


def _arrived(company: Company, start: int, edits: dict[str, str]) -> Found:
    """Wait for each customer's last edit to arrive, then compare what both sandboxes noted."""
    deadline = time.monotonic() + DRAIN
    last = set({account: phone for phone, account in edits.items()}.values())
    while True:
        writes = [e for e in company.kingdee.history(start) if e["by"] == "hub" and "FTEL" in json.dumps(e["values"])]
        there = Counter(phone for entry in writes if (phone := _phone(entry["values"])) in edits)
        if last <= there.keys():
            break
        if time.monotonic() > deadline:
            raise Failed(f"{len(last - there.keys())} of {len(last)} customers' last edits did not arrive")
        time.sleep(1.0)
    entered = {e["values"]["Phone"]: _moment(e["at"]) for e in company.zoho.history() if e["values"].get("Phone")}
    first: dict[str, datetime] = {}
    for entry in writes:
        first.setdefault(_phone(entry["values"]), _moment(entry["at"]))
    found = Found(twice=sum(count - 1 for count in there.values()), overtaken=len(edits) - len(there))
    newer: dict[str, datetime] = {}
    for phone, account in reversed(edits.items()):
        # One that was overtaken by the next edit of the same customer is there when that one is.
        if phone in first:
            newer[account] = first[phone]
        found.seconds.append((newer[account] - entered[phone]).total_seconds())
    moments = [entered[phone] for phone in edits]
    found.rate = (len(moments) - 1) / (moments[-1] - moments[0]).total_seconds()
    return found


def _different(company: Company, edited: set[str]) -> int:
    """Edited customers whose phone is another one in the ERP than in the CRM. Raises Failed when one is there twice."""
    there: dict[str, str] = {}
    for row in company.kingdee.records("BD_Customer"):
        if (tax := row.get("FTAXREGISTERCODE")) in there:
            raise Failed(f"{tax} is there twice")
        there[str(tax)] = _digits(row.get("FTEL"))
    here = [row for row in company.zoho.records("Accounts") if row["id"] in edited]
    return sum(_digits(row["Phone"]) != there.get(row["Tax_ID"]) for row in here)


def _phone(values: Any) -> str:
    match = re.search(r'"FTEL": ?"([^"]*)"', json.dumps(values))
    return _digits(match[1]) if match else ""


def _digits(text: Any) -> str:
    return re.sub(r"\D", "", str(text or ""))[-11:]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def _webhooks(company: Company) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "hub.cli", "webhooks", "--json", "--project", str(company.folder)]
    with (company.folder / "webhooks.log").open("w") as log:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line or not json.loads(line).get("ready"):
                raise Failed(f"hub webhooks did not start: {(company.folder / 'webhooks.log').read_text()[-500:]}")
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _cpu(process: subprocess.Popen[str]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _sync(company: Company, *more: str) -> dict[str, Any]:
    found = _hub(company, "sync", *more)
    if found.get("failures", True):
        raise Failed(f"hub sync: {found.get('message') or found}")
    return found


def _hub(company: Company, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "hub.cli", *words, "--json", "--project", str(company.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        raise Failed(f"hub {words[0]} failed: {done.stderr[-500:]}") from None


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
