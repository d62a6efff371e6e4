"""The connector reads from the sandbox: shapes, pages, cursors, deletions, sessions, drift."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from hub.connect import registry
from hub.connect.capabilities import Connector, Create, Delete, Get, ListChanges, ListIds, Probe, Update
from hub.connect.schema import drift, violations
from hub.errors import AuthenticationError, ConfigurationError, RateLimited, Unavailable, UnexpectedAnswer

FORMS = ("BD_Customer", "BD_MATERIAL", "SAL_SaleOrder", "AR_receivable")


def feed(connector, form, cursor=None, fields=(), options=None):
    pages = list(connector.list_changes(form, cursor, list(fields), options or {}))
    return [r for p in pages for r in p.records], pages


def calls(galaxy, form):
    return galaxy.running.control.stats.as_json()["by_operation"].get(f"ExecuteBillQuery {form}", 0)


def test_it_has_every_capability_it_claims(connector):
    for capability in (Connector, ListChanges, ListIds, Get, Create, Update, Delete, Probe):
        assert isinstance(connector, capability)


def test_records_are_shaped_by_query_keys_with_lines_grouped(galaxy, connector):
    fields = ["FBillNo", "FCustId", "FSettleCurrId", "FBillAllAmount", "FSaleOrderEntry"]
    records, pages = feed(connector, "SAL_SaleOrder", None, fields)
    assert len(records) == 6 and pages[-1].complete
    for remote in records:
        stored = galaxy.one("SAL_SaleOrder", remote.ref)
        customer = galaxy.one("BD_Customer", stored["FCustId"]["FNumber"])
        assert remote.record["FCustId"] == {"FNumber": customer["FNumber"], "FName": customer["FName"]}
        assert remote.record["FSettleCurrId"]["FNumber"] == "PRE001"
        assert remote.record["FBillAllAmount"] == Decimal(str(stored["FBillAllAmount"]))
        lines = remote.record["FSaleOrderEntry"]
        assert [x["FEntryID"] for x in lines] == [x["FEntryID"] for x in stored["FSaleOrderEntry"]]
        assert lines[0]["FSeq"] == 1 and isinstance(lines[0]["FQty"], Decimal)
        assert lines[0]["FMaterialId"]["FNumber"] == stored["FSaleOrderEntry"][0]["FMaterialId"]["FNumber"]
        assert remote.id == str(stored["FID"]) == str(remote.record["FID"])


def test_times_are_utc_and_versions_tell_states_apart(galaxy, connector):
    records, _ = feed(connector, "BD_Customer", None, ["FName"])
    first = records[0]
    assert first.modified_at.endswith("Z") and first.modified_at.startswith("2026-01-04T00:")
    assert first.version.startswith("2026-01-04T08:") and first.version.endswith("/C")
    assert first.modified_by == "Administrator" and first.key is None and first.ref.startswith("C")


def test_the_mapping_may_name_paths_subheads_and_line_fields(connector):
    names = ["FCustId.FName", "FSaleOrderFinance.FSettleCurrId.FNumber", "FSaleOrderEntry.FQty",
             "FSaleOrderEntry.FMaterialId.FSpecification"]  # fmt: skip
    records, _ = feed(connector, "SAL_SaleOrder", None, names)
    record = records[0].record
    assert record["FCustId"]["FName"].strip() and record["FSaleOrderFinance"] == {
        "FSettleCurrId": {"FNumber": "PRE001"}
    }
    line = record["FSaleOrderEntry"][0]
    assert set(line) == {"FEntryID", "FSeq", "FQty", "FMaterialId"} and line["FMaterialId"]["FSpecification"]
    more, _ = feed(connector, "SAL_SaleOrder", None, ["FBillNo"], {"fields": ["FCustId.FTEL"]})
    assert set(more[0].record) == {"FID", "FBillNo", "FCustId"}


def test_optional_lines_come_apart_and_never_hide_a_record(galaxy, connector):
    records, _ = feed(connector, "BD_Customer", None, ["FName", "FT_BD_CUSTCONTACT", "FT_BD_CUSTBANK"])
    assert len(records) == 20
    assert all(len(r.record["FT_BD_CUSTCONTACT"]) == 2 and r.record["FT_BD_CUSTBANK"] == [] for r in records)
    assert "FENTRYID" in records[0].record["FT_BD_CUSTCONTACT"][0]


def test_records_straddle_pages_and_none_is_lost_or_cut(make_galaxy):
    galaxy = make_galaxy(orders=40)
    whole, _ = feed(galaxy.connector(), "SAL_SaleOrder")
    small, pages = feed(galaxy.connector(page_rows=10), "SAL_SaleOrder")
    assert len(pages) > 5 and [p.complete for p in pages] == [False] * (len(pages) - 1) + [True]
    assert [r.record for r in small] == [r.record for r in whole] and len(whole) == 40


def test_a_record_longer_than_a_page_and_one_without_lines_are_read_whole(galaxy):
    material = {"FMaterialId": {"FNumber": "M-0001"}, "FUnitID": {"FNumber": "Pcs"}, "FQty": 1}
    long = galaxy.control.create(
        "SAL_SaleOrder", {"FCustId": {"FNumber": "C00001"}, "FSaleOrderEntry": [dict(material) for _ in range(37)]}
    )
    emptied = galaxy.one("SAL_SaleOrder", "XSDD000002")
    gone = [{"FEntryID": x["FEntryID"], "_delete": True} for x in emptied["FSaleOrderEntry"]]
    galaxy.control.edit("SAL_SaleOrder", "XSDD000002", {"FSaleOrderEntry": gone})
    records, pages = feed(galaxy.connector(page_rows=10), "SAL_SaleOrder")
    by_number = {r.ref: r for r in records}
    assert len(by_number[long["FBillNo"]].record["FSaleOrderEntry"]) == 37
    assert by_number["XSDD000002"].record["FSaleOrderEntry"] == [] and len(records) == 7
    assert pages[-1].complete
    got = galaxy.connector().get("SAL_SaleOrder", [by_number["XSDD000002"].id], [], {})
    assert got[0].record["FSaleOrderEntry"] == []


def test_a_quiet_poll_is_one_call_a_form(galaxy, connector):
    for form in FORMS:
        _, pages = feed(connector, form)
        before = calls(galaxy, form)
        records, again = feed(connector, form, pages[-1].cursor)
        assert records == [] and calls(galaxy, form) == before + 1 and not again[-1].complete


def test_changes_are_seen_audits_and_forbidding_included(galaxy, connector):
    _, pages = feed(connector, "BD_Customer")
    cursor = pages[-1].cursor
    galaxy.control.edit("BD_Customer", "C00001", {"FTEL": "010-1"})
    galaxy.control.edit("BD_Customer", "C00002", {"FForbidStatus": "B"})
    records, pages = feed(connector, "BD_Customer", cursor, ["FTEL", "FForbidStatus"])
    assert {r.ref: (r.record["FTEL"], r.record["FForbidStatus"]) for r in records}["C00001"] == ("010-1", "A")
    assert {r.ref: r.record["FForbidStatus"] for r in records}["C00002"] == "B"

    store = galaxy.running.app.store
    order = next(d for d in store.table("SAL_SaleOrder").docs.values() if d.status == "C")
    _, pages = feed(connector, "SAL_SaleOrder")
    order.head["FApproveDate"] = store.now()
    records, _ = feed(connector, "SAL_SaleOrder", pages[-1].cursor, ["FDocumentStatus"])
    assert [r.id for r in records] == [str(order.pk)], "audit moves FApproveDate only"


def test_what_changes_while_we_read_is_seen_by_the_next_poll(make_galaxy):
    galaxy = make_galaxy(records=30)
    connector = galaxy.connector(page_rows=10, overlap=0, clock_slack=3600)
    pages = connector.list_changes("BD_Customer", None, ["FTEL"], {})
    first = next(pages)
    galaxy.control.edit("BD_Customer", first.records[0].id, {"FTEL": "010-2"})
    cursor = [first, *pages][-1].cursor
    assert first.records[0].id in [r.id for r in feed(connector, "BD_Customer", cursor, ["FTEL"])[0]]


def test_reading_goes_on_after_an_interruption(make_galaxy):
    galaxy = make_galaxy(records=30)
    connector = galaxy.connector(page_rows=10)
    first = next(connector.list_changes("BD_Customer", None, ["FName"], {}))
    rest, pages = feed(connector, "BD_Customer", first.cursor, ["FName"])
    assert len({r.id for r in [*first.records, *rest]}) == 30
    assert not pages[-1].complete, "half a listing proves no deletion"
    assert json.loads(pages[-1].cursor)["since"]


def test_a_cursor_from_the_future_or_unreadable_means_everything(connector):
    for cursor in ('{"since": "2199-01-01T00:00:00"}', "not a cursor", '["x"]'):
        records, pages = feed(connector, "BD_Customer", cursor, ["FName"])
        assert len(records) == 20 and pages[-1].complete
        assert json.loads(pages[-1].cursor)["since"] < "2199"


def test_a_filter_of_the_mapping_holds_everywhere(connector):
    options = {"filter": "FNumber = 'C00001' or FNumber = 'C00003'"}
    records, pages = feed(connector, "BD_Customer", None, ["FName"], options)
    assert [r.ref for r in records] == ["C00001", "C00003"]
    assert [len(i) for i in connector.list_ids("BD_Customer", options)] == [2]
    assert feed(connector, "BD_Customer", pages[-1].cursor, ["FName"], options)[0] == []


def test_ids_and_single_records_show_deletions(galaxy, connector):
    records, _ = feed(connector, "SAL_SaleOrder", None, ["FBillNo"])
    galaxy.control.delete("SAL_SaleOrder", records[2].id)
    left = [i for ids in connector.list_ids("SAL_SaleOrder", {}) for i in ids]
    assert left == [r.id for r in records if r is not records[2]]
    found = connector.get("SAL_SaleOrder", [records[2].id, records[0].id, "999"], ["FBillNo"], {})
    assert [(r.id, r.deleted) for r in found] == [(records[2].id, True), (records[0].id, False), ("999", True)]
    assert connector.get("SAL_SaleOrder", [], [], {}) == []


def test_any_other_form_works_by_its_own_metadata(galaxy):
    plain = galaxy.connector()
    units, _ = feed(plain, "BD_UNIT", None, ["FNumber", "FName"])
    assert {"Pcs": "件"}.items() <= {r.record["FNumber"]: r.record["FName"] for r in units}.items()
    own = galaxy.connector(forms={"BD_Saler": {"pk": "FSALERID", "number": "FNumber"}})
    salers, pages = feed(own, "BD_Saler")
    assert [r.ref for r in salers] == ["S01", "S02", "S03"] and pages[-1].complete
    assert own.describe("BD_Saler")[0].id_field == "FSALERID"


def test_a_form_without_times_is_listed_whole_each_time(galaxy):
    connector = galaxy.connector(forms={"BD_UNIT": {"changed_by": []}})
    _, pages = feed(connector, "BD_UNIT", None, ["FName"])
    records, again = feed(connector, "BD_UNIT", pages[-1].cursor, ["FName"])
    assert len(records) == 9 and again[-1].complete


def test_fields_nobody_insisted_on_may_be_missing(galaxy):
    connector = galaxy.connector(key_field="F_NOT_THERE")
    assert len(feed(connector, "BD_Customer", None, ["FName"])[0]) == 20
    assert connector.describe("BD_Customer")[0].probe == "natural"
    with pytest.raises(ConfigurationError, match=r"BD_Customer\.FImage"):
        feed(connector, "BD_Customer", None, ["FImage"])
    with pytest.raises(ConfigurationError, match="no such form"):
        feed(connector, "STK_OutStock", None, ["FBillNo"])


def test_bundled_descriptions_are_those_of_the_sandbox_and_of_the_live_form(connector):
    schemas = registry.find("kingdee_galaxy").module("sandbox.schemas")
    forms = registry.find("kingdee_galaxy").module("sandbox.catalogue_bills").FORMS
    for bundled in registry.find("kingdee_galaxy").resources():
        assert bundled == schemas.resource_of(forms[bundled.name]), "run write_schemas"
        [live] = connector.describe(bundled.name)
        assert drift(bundled, live) == [] and live.probe == "external" and live.line_ids == bundled.line_ids
        records, _ = feed(connector, bundled.name)
        assert violations(replace(bundled, fields=_filled(bundled.fields)), [r.record for r in records]) == []
    assert {r.name for r in connector.describe()} == set(FORMS)


def _filled(fields):
    # An empty choice is one blank: allowed in records, not one of the choices.
    return tuple(replace(f, choices=()) if f.choices else replace(f, fields=_filled(f.fields)) for f in fields)


def test_check_says_who_we_are_and_what_is_wrong(galaxy):
    health = galaxy.connector().check()
    assert health.identity == "api_user in 沙盒账套" and not health.problems and health.details["version"] == "8.2.0.0"
    bad = galaxy.connector(key_field="F_NOT_THERE", forms={"STK_OutStock": {}}).check()
    assert any("F_NOT_THERE" in p for p in bad.problems) and any("STK_OutStock" in p for p in bad.problems)


# --- sessions and bad days -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["signature", "session"])
def test_one_login_serves_many_calls_and_the_next_process(galaxy, auth):
    for connector in (galaxy.connector(auth=auth), galaxy.connector(auth=auth)):
        for form in FORMS:
            feed(connector, form)
    assert galaxy.running.app.keeper.logins == 1


@pytest.mark.parametrize("auth", ["signature", "session"])
def test_an_expired_session_is_renewed_in_the_middle_of_paging(make_galaxy, auth):
    galaxy = make_galaxy(records=30)
    connector = galaxy.connector(auth=auth, page_rows=10)
    pages = connector.list_changes("BD_Customer", None, ["FName"], {})
    first = next(pages)
    galaxy.faults({"kind": "expire_sessions", "operation": "ExecuteBillQuery*"})
    assert len(first.records) + sum(len(p.records) for p in pages) == 30
    assert galaxy.running.app.keeper.logins == 2


@pytest.mark.parametrize("auth", ["signature", "session"])
def test_wrong_credentials_are_asked_once_and_not_again(galaxy, auth):
    connector = galaxy.connector(auth=auth, app_secret="wrong-secret")
    for _ in range(5):
        with pytest.raises(AuthenticationError) as problem:
            feed(connector, "BD_Customer")
        assert "wrong-secret" not in str(problem.value) and "app_secret" in problem.value.cure
    assert galaxy.running.app.keeper.logins <= 2, "a locked user stays locked for half an hour"
    assert len(feed(galaxy.connector(auth=auth), "BD_Customer")[0]) == 20, "mended credentials are tried at once"


def test_a_wrong_data_centre_is_a_matter_of_credentials(galaxy):
    with pytest.raises(AuthenticationError, match="data centre"):
        feed(galaxy.connector(acct_id="5f0a1b2c3d4e5f"), "BD_Customer")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "truncate"},
        {"kind": "response_error", "message": "数据库连接超时"},
        {"kind": "msgcode", "code": 13, "message": "网络控制冲突"},
        {"kind": "msgcode", "code": 14, "message": "调用次数超限"},
        {"kind": "session_lost"},
        {"kind": "context_null"},
        {"kind": "not_logged_in"},
    ],
)
def test_a_query_survives_a_bad_moment(galaxy, connector, fault):
    galaxy.faults({"operation": "ExecuteBillQuery*", **fault})
    assert len(feed(connector, "BD_Customer", None, ["FName"])[0]) == 20


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "html"}, UnexpectedAnswer),
        ({"kind": "empty"}, UnexpectedAnswer),
        ({"kind": "garble"}, UnexpectedAnswer),
        ({"kind": "status", "status": 503, "next": 99}, Unavailable),
        ({"kind": "msgcode", "code": 14, "message": "超过调用次数限制", "next": 99}, RateLimited),
        ({"kind": "msgcode", "code": 2, "message": "没有权限"}, ConfigurationError),
        ({"kind": "bare_array", "message": "校验失败"}, ConfigurationError),
        ({"kind": "msgcode", "code": 7, "message": "许可错误"}, AuthenticationError),
    ],
)
def test_a_lasting_trouble_is_told_by_what_to_do(galaxy, connector, fault, error):
    galaxy.faults({"operation": "ExecuteBillQuery*", **fault})
    with pytest.raises(error) as problem:
        feed(connector, "BD_Customer", None, ["FName"])
    assert type(problem.value) is error and "kingdee" in str(problem.value)


def test_usage_is_counted(connector):
    feed(connector, "BD_Customer", None, ["FName"])
    assert connector.usage["ExecuteBillQuery"] == connector.usage["calls"] == 2


def test_the_connector_folder_has_the_usual_files():
    folder = Path(registry.find("kingdee_galaxy").folder)
    assert {"manifest.yaml", "settings.py", "connector.py", "README.md"} <= {p.name for p in folder.iterdir()}
