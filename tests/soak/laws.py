"""What must hold when the storm is over, looked up in the systems themselves."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.demo import books

from .company import Company
from .people import Ledger

Row = dict[str, Any]
MOST = 8
"""Violations of one law that are told."""


@dataclass(frozen=True)
class Verdict:
    """Of one law: how many cases were looked at, and what was wrong."""

    law: str
    cases: int
    wrong: list[str]


@dataclass
class Found:
    """What the systems hold after the last pass."""

    company: Company
    ledger: Ledger
    quiet: Row
    """The report of the last pass, and ``api_writes``, what the systems themselves counted during it."""
    status: Row
    bad: dict[str, str]
    """Hub id → title of documents that one system can never take."""
    sample: int = 10
    """Values that the hub has to explain; each takes a process."""

    def __post_init__(self) -> None:
        company: Any = self.company
        self.customers = {s: books.customers(company, s) for s in books.SYSTEMS}
        self.orders = {s: self._good(books.orders(company, s)) for s in books.SYSTEMS}
        self.invoices = {s: self._good(books.invoices(company, s)) for s in books.SYSTEMS}
        self.products = {s: books.products(company, s) for s in books.SYSTEMS}
        self.accounts = {r["Tax_ID"]: r for r in company.zoho.records("Accounts")}
        self.finance = {r["tax_no"]: r for r in company.rows("SELECT * FROM customers")}
        self.by_tax = {s: {c["tax_id"]: c for c in self.customers[s]} for s in books.SYSTEMS}

    def _good(self, documents: list[Row]) -> list[Row]:
        return [one for one in documents if one["title"] not in self.bad.values()]


def judge(found: Found) -> list[Verdict]:
    """Every law, with what was looked at."""
    laws: dict[str, Callable[[Found], tuple[int, Iterator[str]]]] = {
        "1 quiescence": _quiet, "2 nothing lost": _nothing_lost, "3 no duplicates": _no_duplicates,
        "4 no echo": _no_echo, "5 authority holds": _authority, "6 references hold": _references,
        "7 one bad record is one bad record": _bad_record, "8 no stale write": _agreement,
        "9 deletes are earned": _deletes, "10 accounted for": _accounted, "11 money is exact": _money,
        "12 memory is flat": _memory,
    }  # fmt: skip
    verdicts = []
    for name, law in laws.items():
        cases, wrong = law(found)
        verdicts.append(Verdict(name, cases, list(wrong)))
    return verdicts


def _quiet(f: Found) -> tuple[int, Iterator[str]]:
    def wrong() -> Iterator[str]:
        if f.quiet.get("state") not in ("done", "needs_person"):
            yield f"the last pass ended {f.quiet.get('state')}: {f.quiet.get('message')}"
        if f.quiet.get("writes") or f.quiet["api_writes"]:
            yield f"the last pass wrote {f.quiet.get('writes')} records in {f.quiet['api_writes']} calls"
        if f.status["in_doubt"] or f.status["conflicts"]:
            yield f"{f.status['in_doubt']} writes in doubt, {f.status['conflicts']} conflicts"

    return 1, wrong()


def _nothing_lost(f: Found) -> tuple[int, Iterator[str]]:
    """The last value entered is in every system; every record entered is there."""
    promised = {key: value for key, value in f.ledger.last.items() if key[0] not in f.ledger.deleted}
    made = len(f.ledger.customers) + len(f.ledger.orders) + len(f.ledger.invoices) + len(f.ledger.products)

    def wrong() -> Iterator[str]:
        for (tax_id, name), value in promised.items():
            for system, held in _held(f, tax_id, name).items():
                if held != value:
                    yield f"{name} of {tax_id} is {str(held)[:60]!r} in {system}, {value[:60]!r} was entered"
        kept = [t for t in f.ledger.customers if t not in f.ledger.deleted]
        for system in books.SYSTEMS:
            yield from (f"customer {t} is not in {system}" for t in kept if t not in f.by_tax[system])
            titles = {d["title"]: d for d in f.orders[system]}
            for title, quantities in f.ledger.orders.items():
                there = sorted(q for _, q in titles[title]["lines"]) if title in titles else None
                if there != sorted(f"{q}.00" for q in quantities):
                    yield f"order {title} is {there} in {system}, {quantities} was entered"
            bills = {d["title"] for d in f.invoices[system]}
            yield from (f"invoice {t} is not in {system}" for t in f.ledger.invoices if t not in bills)
            yield from (f"product {c} is not in {system}" for c in f.ledger.products if c not in f.products[system])

    return len(promised) + made, wrong()


def _held(f: Found, tax_id: str, name: str) -> dict[str, Any]:
    """What each system holds of a field that people edit."""
    if name == "postcode":
        return {"zoho": f.accounts[tax_id]["Billing_Code"], "finance_db": f.finance[tax_id]["postcode"]}
    if name == "description":
        return {"zoho": f.accounts[tax_id]["Description"], "finance_db": f.finance[tax_id]["remark"]}
    return {s: f.by_tax[s].get(tax_id, {}).get(name) for s in books.SYSTEMS}


def _no_duplicates(f: Found) -> tuple[int, Iterator[str]]:
    twice = books.duplicates(f.company)  # type: ignore[arg-type]
    cases = sum(len(x[s]) for x in (f.customers, f.orders, f.invoices, f.products) for s in books.SYSTEMS)
    return cases, (f"{system} holds twice: {what}" for system, some in twice.items() for what in some)


def _no_echo(f: Found) -> tuple[int, Iterator[str]]:
    """A field that people edit in one system only is never written back there."""
    zoho = [h for h in f.company.zoho.history() if h["by"] == "hub" and h["action"] == "update"]
    kingdee = [h for h in f.company.kingdee.history() if h["by"] == "hub" and h["action"] == "update"]

    def wrong() -> Iterator[str]:
        for one in zoho:
            if one["resource"] == "Accounts" and one["values"].get("Website") is not None:
                yield f"Zoho's website {one['values']['Website']} was written back to Zoho ({one['at']})"
        for one in kingdee:
            if one["resource"] == "BD_Customer" and one["values"].get("FINVOICEBANKACCOUNT"):
                yield f"Kingdee's account {one['values']['FINVOICEBANKACCOUNT']} was written back ({one['at']})"

    return len(zoho) + len(kingdee), wrong()


def _authority(f: Found) -> tuple[int, Iterator[str]]:
    both = [t for t in f.by_tax["zoho"] if t]

    def wrong() -> Iterator[str]:
        for tax_id in both:
            names = {s: _plain(f.by_tax[s][tax_id]["name"]) for s in books.SYSTEMS if tax_id in f.by_tax[s]}
            if len(set(names.values())) > 1:
                yield f"{tax_id} is called {names}"

    return len(both), wrong()


def _references(f: Found) -> tuple[int, Iterator[str]]:
    documents = [(s, d) for x in (f.orders, f.invoices) for s in books.SYSTEMS for d in x[s]]
    return len(documents), (
        f"{d['title']} in {s} has {d['customer'] or 'no customer'} and {d['lines']}"
        for s, d in documents
        if not d["customer"] or not all(product for product, _ in d["lines"])
    )


def _bad_record(f: Found) -> tuple[int, Iterator[str]]:
    """No letter is left, though the systems are well again and each was tried once more — but for those that were
    there before."""
    left = [one for one in f.status["letters_left"] if one["hub_id"] not in f.bad]
    return f.status["letters_written"], (
        f"a letter is left: {one['system']} {one['entity']} {one['hub_id']}: {one['error']}: {one['message']}"[:300]
        for one in left
    )


def _agreement(f: Found) -> tuple[int, Iterator[str]]:
    """What the hub wrote over somebody's newer edit would be a difference, or lost (law 2)."""

    def wrong() -> Iterator[str]:
        for what, view in (("customer", f.customers), ("order", f.orders), ("invoice", f.invoices)):
            seen = {
                s: Counter(_bare(one) for one in view[s] if one.get("tax_id") not in f.ledger.deleted) for s in view
            }
            for system in ("kingdee", "finance_db"):
                yield from (f"{system} lacks {what} {one}" for one in seen["zoho"] - seen[system])
                yield from (f"{system} has {what} {one}, zoho has not" for one in seen[system] - seen["zoho"])

    return sum(len(x[s]) for x in (f.customers, f.orders, f.invoices) for s in books.SYSTEMS), wrong()


def _bare(one: Row) -> str:
    """Without what each system gives or reckons itself; amounts have a law of their own."""
    return str({k: _plain(v) if k == "name" else v for k, v in one.items() if k not in ("id", "total")})


def _plain(name: str) -> str:
    """Full-width letters and doubled blanks are no difference (the mappings' own notion: ``narrow``)."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def _deletes(f: Found) -> tuple[int, Iterator[str]]:
    """Only what people deleted is deleted or archived; nothing is ever removed."""
    deleted = set(f.ledger.deleted)

    def wrong() -> Iterator[str]:
        for tax_id in deleted:
            if tax_id in f.by_tax["zoho"]:
                yield f"{tax_id} was deleted in Zoho and is there again"
            for system in ("kingdee", "finance_db"):
                if f.by_tax[system].get(tax_id, {"active": True})["active"]:
                    yield f"{tax_id} was deleted in Zoho and is not archived in {system}"
        for name, control in (("zoho", f.company.zoho), ("kingdee", f.company.kingdee)):
            for one in control.history():
                if one["by"] == "hub" and one["action"] == "delete":
                    yield f"the hub deleted {one['resource']} {one['id']} in {name}"
        for tax_id in f.ledger.customers:
            if tax_id in deleted:
                continue
            for system in books.SYSTEMS:
                if not f.by_tax[system].get(tax_id, {"active": True})["active"]:
                    yield f"{tax_id} is archived in {system}, nobody deleted it"

    return len(deleted) + len(f.ledger.customers), wrong()


def _accounted(f: Found) -> tuple[int, Iterator[str]]:
    """The hub knows where a value came from, for a sample of what was entered."""
    sources = {"website": "zoho", "bank_account": "kingdee"}
    sample = [(t, n, v) for (t, n), v in f.ledger.last.items() if n in sources and t not in f.ledger.deleted]
    sample = sample[len(sample) - f.sample :]

    def wrong() -> Iterator[str]:
        for tax_id, name, value in sample:
            said = f.company.hub("explain", "customer", str(f.accounts[tax_id]["id"]), name, "--json").data
            known = (said.get("fields") or {}).get(name) or {}
            if (known.get("value"), known.get("from")) != (value, sources[name]):
                yield f"explain {tax_id} {name}: {known.get('value')} from {known.get('from')}"
            elif not any(v == value for step in known["steps"] for v in (step.get("theirs"), step.get("ours"))):
                yield f"explain {tax_id} {name}: no step tells how {value} came"

    return len(sample), wrong()


def _money(f: Found) -> tuple[int, Iterator[str]]:
    """Of what people entered: documents that were there before are reckoned by each product in its own way."""
    made = {*f.ledger.orders, *f.ledger.invoices}

    def wrong() -> Iterator[str]:
        for view in (f.orders, f.invoices):
            totals = {s: {d["title"]: d["total"] for d in view[s] if d["title"] in made} for s in view}
            for title, total in totals["zoho"].items():
                others = {s: totals[s].get(title) for s in ("kingdee", "finance_db")}
                if set(others.values()) != {total}:
                    yield f"{title}: {total} in zoho, {others}"

    return len(made), wrong()


def _memory(f: Found) -> tuple[int, Iterator[str]]:
    """The last passes need no more than the first ones, but for what a few hundred very long texts take (64 MB)."""
    passes = [p.memory for p in f.company.passes if p.words[0] == "sync"][1:]
    third = max(1, len(passes) // 3)
    first, last = max(passes[:third]), max(passes[-third:])
    grown = [f"a pass needed {last // 1024} MB at the end, {first // 1024} MB at the beginning"]
    return len(passes), iter(grown if last > first + 64 * 1024 else [])
