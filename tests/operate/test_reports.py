"""Tables, markdown and artifacts of a pass: complete, capped, and safe to show whatever the values are."""

from __future__ import annotations

import json
import string
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from operate.reports import failure, finding, held, plan, report, write

from hub.operate import markdown, tables
from hub.operate.artifacts import artifacts_of, slug
from hub.operate.events import events_of, resource_id
from hub.sync.report import Counts, PassReport

NASTY = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) | `a` **b** \n# c www.evil.com a@b.cn"
CONFLICT = {
    "id": 7, "entity": "customer", "title": "张三", "hub_id": "h1", "path": "phone", "system": "zoho",
    "theirs": "1", "ours": None, "payload": "secret",
}  # fmt: skip
LETTER = {"id": 3, "system": "kingdee", "entity": "customer", "message": "名称太长", "payload": {"token": "secret"}}


def render(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def full_report() -> PassReport:
    counts = [Counts("zoho", "customer", seen=500, changed=2), Counts("kingdee", "customer", updated=1, letters=1)]
    return report(
        *counts,
        finished="2026-11-21T10:00:03.000Z",
        plan=plan(write(1, name=["旧", NASTY]), held=[held("reference")]),
        failures=[failure(message=NASTY)],
        findings=[finding()],
        open_conflicts=1,
        open_letters=1,
    )


def test_cells_show_null_lists_numbers_and_long_texts() -> None:
    assert tables.cell(None) == "—"
    assert tables.cell(Decimal("1000.00")) == "1000.00"
    assert tables.cell(True) == "yes"
    assert tables.cell([{"名": Decimal("1.10")}]) == '[{"名": "1.10"}]'
    assert tables.cell("a\nb\x00c") == "a b c"
    assert len(tables.cell("x" * 1000)) == tables.CELL


def test_what_is_left_out_of_a_table_is_counted() -> None:
    rows = tables.capped(({"a": str(n), "b": "x"} for n in range(1005)), 5)
    assert [row["a"] for row in rows] == ["0", "1", "2", "3", "4", "… and 1,000 more"]
    assert rows[-1]["b"] == ""


def test_the_summary_shows_only_columns_in_which_something_happened() -> None:
    rows = tables.summary_rows(report(Counts("zoho", "customer", seen=1500), Counts("erp", "customer", letters=2)))
    assert rows[0] == {"entity": "customer", "system": "zoho", "seen": "1,500", "changed": "0", "dead letters": "0"}
    assert rows[1]["dead letters"] == "2"


def test_a_plan_has_a_row_a_field_with_old_and_new() -> None:
    rows = tables.plan_rows(plan(write(1, phone=["1", "2"], fax=[None, "3"])))
    assert [(r["field"], r["old"], r["new"]) for r in rows] == [("phone", "1", "2"), ("fax", "—", "3")]
    assert rows[0]["record"] == "深圳市第1贸易有限公司 (101)"


def test_a_delete_without_fields_is_still_a_row() -> None:
    deletion = write(1)
    deletion.action, deletion.fields = "delete", {}
    assert [r["action"] for r in tables.plan_rows(plan(deletion))] == ["delete"]


def test_what_was_sent_stays_out_of_tables_of_letters_and_conflicts() -> None:
    assert "secret" not in json.dumps([tables.letter_rows([LETTER]), tables.conflict_rows([CONFLICT])])


@given(st.text(alphabet=string.printable + "张é€“…", max_size=40))
@settings(max_examples=300, deadline=None)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    shown = "".join(c if c.isprintable() else " " for c in text)
    token = MarkdownIt("commonmark").parseInline(markdown.escape(text))[0]
    assert {child.type for child in token.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in token.children or []).strip() == shown.strip()


def test_values_cannot_inject_html_links_or_cells() -> None:
    page = render(markdown.report(full_report(), title=NASTY, conflicts=[{**CONFLICT, "theirs": NASTY}]))
    assert "<img" not in page
    assert "javascript:alert" in page
    assert "href" not in page
    row = next(line for line in page.splitlines() if "onerror" in line and line.startswith("<td>"))
    assert row == row.strip()
    assert page.count("<td>changed in zoho</td>") == 1


def test_the_report_has_a_section_for_everything_that_happened() -> None:
    page = markdown.report(full_report(), title="sync customer", conflicts=[CONFLICT], letters=[LETTER])
    for heading in (
        "What moved where", "Systems that could not take part", "Writes, old → new", "Held back",
        "Conflicts that wait for a person", "Dead letters", "Findings",
    ):  # fmt: skip
        assert f"\n## {heading}\n" in page


def test_a_quiet_report_is_short() -> None:
    page = markdown.report(report(Counts("zoho", "customer", seen=5)))
    assert page.count("## ") == 1
    assert "mermaid" not in page


def test_the_picture_names_systems_without_letting_them_draw() -> None:
    page = markdown.report(report(Counts('a"] --> x["b', "customer", changed=1)))
    assert '  s0["a   --  x  b"]' in page.splitlines()


def test_what_was_held_is_not_called_written() -> None:
    page = markdown.report(report(plan=plan(write(1), held=[held("first_sync")]), state="needs_person"))
    assert "## Writes that wait for approval, old → new" in page
    assert "hub apply p1" in page


def test_keys_fit_prefect_and_tell_names_apart() -> None:
    assert slug("acme", "customer_group") == "acme-customer-group"
    assert slug("客户") != slug("产品")
    assert slug("Größe") != slug("Grsse")
    assert set(slug("a.b/c", "客户")) <= set(string.ascii_lowercase + string.digits + "-")


def test_artifacts_have_stable_keys() -> None:
    keys = [a.key for a in artifacts_of(full_report(), scope="acme-customer", conflicts=[CONFLICT], letters=[LETTER])]
    assert keys == [
        "acme-customer-report", "acme-customer-summary", "acme-customer-plan", "acme-customer-held",
        "acme-customer-conflicts", "acme-customer-letters",
    ]  # fmt: skip


def test_the_last_conflict_gone_replaces_the_table_of_conflicts() -> None:
    by_key = {a.key: a for a in artifacts_of(report(), scope="s")}
    assert by_key["s-conflicts"].data == [{"status": "no open conflicts"}]
    assert "s-plan" not in by_key
    assert json.loads(by_key["s-conflicts"].stored()) == by_key["s-conflicts"].data


def test_a_hundred_thousand_writes_stay_a_small_artifact() -> None:
    planned = plan(*(write(n) for n in range(100_000)))
    artifact = next(a for a in artifacts_of(report(plan=planned), scope="s") if a.key == "s-plan")
    assert len(artifact.data) == tables.ROWS + 1
    assert artifact.description == "100,000 writes, old → new"
    assert len(artifact.stored()) < 200_000


def test_events_name_system_and_entity() -> None:
    counts = Counts("zoho", "customer", created=1, conflicts=2, letters=1)
    events = events_of(report(counts, failures=[failure()], state="needs_person"), "acme")
    assert [(e["event"], e["resource"]["prefect.resource.id"]) for e in events] == [
        ("hub.pass.finished", "hub.pass.acme"),
        ("hub.records.written", "hub.system.zoho.customer"),
        ("hub.conflict.found", "hub.system.zoho.customer"),
        ("hub.letter.written", "hub.system.zoho.customer"),
        ("hub.system.failed", "hub.system.kingdee.customer"),
    ]
    assert resource_id("my shop.eu", "order") == "hub.system.my-shop-eu.order"


def test_a_quiet_pass_is_one_event() -> None:
    assert len(events_of(report(Counts("zoho", "customer", seen=500)), "acme")) == 1
