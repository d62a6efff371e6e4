"""The connector writes to the sandbox: creating, changing, stages, deleting, and what is left when something fails."""

from decimal import Decimal

import pytest

from hub.connect.capabilities import Write
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    RecordRejected,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

POLICY = {"submit": True, "audit": True, "unaudit": True, "defaults": {"FSalerId": {"FNumber": "S01"}}}


def order(key="h1", **values):
    lines = values.pop("lines", [line(1)])
    return Write(
        key=key,
        values={
            # Deliberately not in the order in which Kingdee wants things typed.
            "FSaleOrderEntry": lines,
            "FSettleCurrId": {"FNumber": "PRE001"},
            "FIsIncludedTax": True,
            "FCustId": {"FNumber": "C00001"},
            "FDate": "2026-01-15",
            **values,
        },
    )


def line(seq, material="M-0001", **values):
    price = {"FTaxPrice": Decimal("113"), "FEntryTaxRate": Decimal(13), "FQty": Decimal(10)}
    return {**price, "FSeq": seq, "FMaterialId": {"FNumber": material}, **values}


def customer(key, **values):
    return Write(key, {"FName": f"客户{key}", "FTRADINGCURRID": {"FNumber": "PRE001"}, **values})


def change(remote, **values):
    return Write("h1", values, id=remote.id, version=remote.version, old=remote.record)


def made(results):
    """The remotes of results that must all be good."""
    assert all(r.error is None and r.problem is None for r in results), results
    return [r.remote for r in results]


@pytest.fixture
def draft(connector):
    """An order of two lines, saved and not submitted."""
    options = {"defaults": POLICY["defaults"]}
    lines = [line(1), line(2, "M-0002", FQty=Decimal(2))]
    return made(connector.create("SAL_SaleOrder", [order(lines=lines)], [], options))[0]


@pytest.fixture
def audited(connector):
    return made(connector.create("SAL_SaleOrder", [order(FBillNo="X1")], [], POLICY))[0]


def test_an_order_is_saved_submitted_audited_and_read_back(galaxy, connector):
    [remote] = made(
        connector.create("SAL_SaleOrder", [order()], ["FBillNo", "FBillAllAmount", "FSaleOrderEntry"], POLICY)
    )
    stored = galaxy.one("SAL_SaleOrder", remote.ref)
    assert stored["FDocumentStatus"] == "C" and stored["F_HUB_KEY"] == "h1" == remote.key
    assert stored["FSaleOrgId"] == {"FNumber": "100"} and stored["FBillTypeID"] == {"FNumber": "XSDD01_SYS"}
    assert remote.ref.startswith("XSDD") and remote.record["FBillNo"] == remote.ref
    assert remote.record["FBillAllAmount"] == Decimal("1130.0"), "prices survive the order of typing"
    assert set(remote.record) == {"FID", "FBillNo", "FBillAllAmount", "FSaleOrderEntry"}
    [stored_line] = stored["FSaleOrderEntry"]
    assert stored_line["FUnitID"] == {"FNumber": "Pcs"}, "the material's own unit, as the mapping gave none"
    assert stored_line["FDeliveryDate"] == "2026-01-15T00:00:00" and stored_line["FSettleOrgIds"] == {"FNumber": "100"}
    assert remote.version.endswith("/C") and remote.modified_by == "api_user"


def test_a_batch_is_one_save_and_each_record_has_its_own_verdict(galaxy, connector):
    galaxy.running.control.stats.reset()
    writes = [order("a"), order("b", FCustId={"FNumber": "C99999"}), order("c", lines=[line(1, FQty=0)]), order("d")]
    results = connector.create("SAL_SaleOrder", writes, ["FBillNo"], POLICY)
    assert [type(r.error) for r in results] == [type(None), RecordRejected, RecordRejected, type(None)]
    assert results[1].error.field == "FCustId" and "C99999" in results[1].error.what
    assert "audit or enable" in results[1].error.cure
    assert results[2].error.field == "FQty" and "kingdee/SAL_SaleOrder" in str(results[2].error)
    assert [r.remote.key for r in results if r.remote] == ["a", "d"]
    counted = galaxy.running.control.stats.as_json()["by_operation"]
    saved = {k: v for k, v in counted.items() if "SaleOrder" in k}
    assert saved == {
        "BatchSave SAL_SaleOrder": 1, "Submit SAL_SaleOrder": 1, "Audit SAL_SaleOrder": 1,
        "ExecuteBillQuery SAL_SaleOrder": 1, "QueryBusinessInfo SAL_SaleOrder": 1,
    }  # fmt: skip


def test_more_records_than_a_save_carries_are_sent_in_turns(galaxy):
    connector = galaxy.connector(batch=2)
    galaxy.faults({"kind": "drop_after", "operation": "BatchSave*", "skip": 1})
    results = connector.create("BD_Customer", [customer(k) for k in "abcde"], ["FName"], {})
    assert [type(r.error) for r in results[:2]] == [type(None)] * 2 == [type(results[4].error)] * 2
    assert [r.remote.key for r in results] == list("abcde"), "those of the lost answer are found by their keys"
    assert galaxy.running.control.stats.as_json()["by_operation"]["BatchSave BD_Customer"] == 3


def test_customers_and_materials_are_created_with_parts_nested(galaxy, connector):
    address = {"FNUMBER1": "001", "FNAME1": "总部", "FADDRESS1": "北京", "FIsDefaultSettle": True}
    write = customer("k1", FTEL="010-1", FT_BD_CUSTCONTACT=[address])
    [remote] = made(connector.create("BD_Customer", [write], [], POLICY))
    assert remote.record["FT_BD_CUSTCONTACT"][0]["FADDRESS1"] == "北京" and remote.record["FDocumentStatus"] == "C"
    material = Write(
        "m1", {"FNumber": "NEW-1", "FName": "新物料", "FBaseUnitId": {"FNumber": "Kg"}, "FNETWEIGHT": Decimal("1.5")}
    )
    [remote] = made(connector.create("BD_MATERIAL", [material], [], POLICY))
    stored = galaxy.one("BD_MATERIAL", "NEW-1")
    assert stored["FBaseUnitId"] == stored["FSaleUnitId"] == {"FNumber": "Kg"}
    assert remote.record["FNETWEIGHT"] == Decimal("1.5") and remote.ref == "NEW-1"


def test_a_receivable_gets_what_its_form_demands(connector):
    values = {"FDATE": "2026-01-20", "FCUSTOMERID": {"FNumber": "C00001"}, "FCURRENCYID": {"FNumber": "PRE001"},
              "FISTAX": True, "F_EINVOICE_NO": "26312000000000000001",
              "FEntityDetail": [{"FMATERIALID": {"FNumber": "M-0001"}, "FPriceQty": 1, "FTaxPrice": Decimal("11.3"),
                                 "FEntryTaxRate": 13}]}  # fmt: skip
    [remote] = made(connector.create("AR_receivable", [Write("i1", values)], [], POLICY))
    record = remote.record
    assert (record["FENDDATE_H"], record["FMAINBOOKSTDCURRID"]["FNumber"]) == ("2026-01-20T00:00:00", "PRE001")
    assert (record["FNOTAXAMOUNTFOR"], record["FTAXAMOUNTFOR"], record["FALLAMOUNTFOR"]) == (
        Decimal("10.0"), Decimal("1.3"), Decimal("11.3"),
    )  # fmt: skip


def test_defaults_of_mapping_and_settings_fill_what_is_empty(galaxy):
    settings = {"SAL_SaleOrder": {"FSalerId": {"FNumber": "S02"}, "FSaleOrderEntry": {"FEntryNote": "默认"}}}
    connector = galaxy.connector(defaults=settings)
    [one] = made(connector.create("SAL_SaleOrder", [order("a")], [], {"submit": True}))
    assert one.record["FSalerId"]["FNumber"] == "S02" and one.record["FDocumentStatus"] == "B"
    assert one.record["FSaleOrderEntry"][0]["FEntryNote"] == "默认"
    [two] = made(connector.create("SAL_SaleOrder", [order("b", FSalerId=None)], [], {"defaults": POLICY["defaults"]}))
    assert two.record["FSalerId"]["FNumber"] == "S01" and two.record["FDocumentStatus"] == "A"


def test_a_duplicate_names_the_record_that_is_there(galaxy, connector):
    there = galaxy.one("BD_Customer", "C00002")
    results = connector.create("BD_Customer", [customer("k", FNumber="C00002"), customer("l")], [], {})
    assert isinstance(results[0].error, AlreadyExists) and results[0].error.remote_id == str(there["FCUSTID"])
    assert results[1].remote.key == "l"


def test_a_key_the_form_does_not_have_is_refused_before_kingdee_drops_it(galaxy, connector):
    results = connector.create("BD_Customer", [customer("k", FTelephone="1"), customer("l")], [], {})
    assert results[0].error.field == "FTelephone" and "without a word" in results[0].error.what
    assert results[1].error is None
    wrong_line = order(lines=[line(1, FQuantity=3)])
    assert connector.create("SAL_SaleOrder", [wrong_line], [], POLICY)[0].error.field == "FSaleOrderEntry.FQuantity"


def test_without_a_place_for_the_key_or_a_number_nothing_is_created(galaxy):
    connector = galaxy.connector(key_field="F_NOT_THERE")
    with pytest.raises(ConfigurationError, match="BOS designer"):
        connector.create("BD_Customer", [customer("k")], [], {})
    [remote] = made(connector.create("BD_Customer", [customer("k", FNumber="OWN-1")], [], {}))
    assert remote.ref == "OWN-1" and remote.key is None
    assert connector.probe("BD_Customer", [customer("k", FNumber="OWN-1")], [], {})[0].id == remote.id


# --- lost answers ----------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_not_repeated_and_the_record_is_found_by_its_key(galaxy, connector):
    galaxy.faults({"kind": "drop_after", "operation": "BatchSave*"})
    writes = [order("a"), order("b")]
    with pytest.raises(UnknownOutcome):
        connector.create("SAL_SaleOrder", writes, [], POLICY)
    found = connector.probe("SAL_SaleOrder", writes, ["FBillNo"], POLICY)
    assert [r.key for r in found] == ["a", "b"] and found[0].record["FBillNo"]
    assert galaxy.running.control.stats.as_json()["by_operation"]["BatchSave SAL_SaleOrder"] == 1


def test_a_request_that_never_arrived_is_certainly_not_there(galaxy):
    connector = galaxy.connector(probe_wait=3)
    galaxy.faults({"kind": "drop_before", "operation": "BatchSave*"})
    with pytest.raises(UnknownOutcome):
        connector.create("SAL_SaleOrder", [order("a")], [], POLICY)
    assert connector.probe("SAL_SaleOrder", [order("a")], [], POLICY) == [None]
    assert galaxy.slept == [3], "the lost request may still be running: look twice"


def test_a_batch_that_leaves_records_out_is_looked_after(galaxy, connector):
    galaxy.faults({"kind": "partial_batch", "operation": "BatchSave*"})
    results = connector.create("BD_Customer", [customer("a"), customer("b")], [], {})
    assert results[0].remote.key == "a" and isinstance(results[1].error, UnknownOutcome)


@pytest.mark.parametrize("kind", ["session_lost", "expire_sessions", "context_null"])
def test_a_lost_session_before_a_write_means_it_never_ran(galaxy, connector, kind):
    galaxy.faults({"kind": kind, "operation": "BatchSave*"})
    assert made(connector.create("BD_Customer", [customer("a")], [], POLICY))[0].key == "a"
    assert [r["F_HUB_KEY"] for r in galaxy.running.app.records("BD_Customer")].count("a") == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 502}, UnknownOutcome),
        ({"kind": "html"}, UnknownOutcome),
        ({"kind": "response_error", "message": "内存不足"}, UnknownOutcome),
        ({"kind": "empty"}, UnknownOutcome),
        ({"kind": "msgcode", "code": 2, "message": "没有权限"}, ConfigurationError),
        ({"kind": "msgcode", "code": 7, "message": "许可"}, AuthenticationError),
    ],
)
def test_what_a_bad_answer_to_a_write_means(galaxy, connector, fault, error):
    galaxy.faults({"operation": "BatchSave*", **fault})
    with pytest.raises(error) as problem:
        connector.create("BD_Customer", [customer("a")], [], POLICY)
    assert type(problem.value) is error


# --- stages ----------------------------------------------------------------------------------------------------------


def test_a_stage_that_fails_leaves_the_record_and_says_so(galaxy, connector):
    galaxy.faults({"kind": "msgcode", "code": 12, "message": "审核失败：期间已关闭", "operation": "Audit*"})
    [result] = connector.create("SAL_SaleOrder", [order()], [], POLICY)
    assert result.error is None and result.remote.record["FDocumentStatus"] == "B"
    assert isinstance(result.problem, RecordRejected) and "期间已关闭" in result.problem.what
    galaxy.faults()
    [remote] = made(connector.update("SAL_SaleOrder", [change(result.remote, FNote="again")], [], POLICY))
    assert remote.record["FDocumentStatus"] == "C" and remote.record["FNote"] == "again"
    assert [r["F_HUB_KEY"] for r in galaxy.running.app.records("SAL_SaleOrder")].count("h1") == 1


def test_a_stage_whose_answer_is_lost_is_looked_up_instead_of_feared(galaxy, connector):
    galaxy.faults({"kind": "drop_after", "operation": "Audit*"})
    assert made(connector.create("SAL_SaleOrder", [order()], [], POLICY))[0].record["FDocumentStatus"] == "C"
    galaxy.faults({"kind": "drop_before", "operation": "Submit*"})
    [result] = connector.create("SAL_SaleOrder", [order("h2")], [], POLICY)
    assert result.remote.record["FDocumentStatus"] == "A" and isinstance(result.problem, Unavailable)


def test_the_mapping_may_write_the_state_itself(connector, draft):
    states = {"defaults": POLICY["defaults"], "unaudit": True}
    for wanted, stored in (("C", "C"), ("A", "D"), ("B", "B"), ("C", "C")):
        [draft] = made(connector.update("SAL_SaleOrder", [change(draft, FDocumentStatus=wanted)], [], states))
        assert draft.record["FDocumentStatus"] == stored
    [forbidden] = made(connector.create("BD_Customer", [customer("k", FForbidStatus="B", FDocumentStatus="C")], [], {}))
    assert forbidden.record["FForbidStatus"] == "B"
    [enabled] = made(connector.update("BD_Customer", [change(forbidden, FForbidStatus="A")], [], {}))
    assert enabled.record["FForbidStatus"] == "A" and enabled.record["FDocumentStatus"] == "C"


# --- updates ---------------------------------------------------------------------------------------------------------


def test_only_what_changes_is_sent_and_the_rest_survives(galaxy, connector, draft):
    galaxy.control.edit("SAL_SaleOrder", draft.ref, {"FLinkMan": "王先生"})
    [fresh] = connector.get("SAL_SaleOrder", [draft.id], [], {})
    [remote] = made(connector.update("SAL_SaleOrder", [change(fresh, FNote="改")], [], {}))
    assert (remote.record["FNote"], remote.record["FLinkMan"]) == ("改", "王先生")
    assert len(remote.record["FSaleOrderEntry"]) == 2 and remote.record["FBillAllAmount"] == Decimal("1356.0")


def test_a_delivery_date_that_kingdee_was_given_for_the_hub_stays_when_the_hub_knows_none(connector, draft):
    """A record made without dates gets them (they are mandatory); an edit of another field was refused then."""
    lines = [{**x, "FQty": 7, "FDeliveryDate": None} for x in draft.record["FSaleOrderEntry"]]
    wanted = [{k: x[k] for k in ("FEntryID", "FQty", "FDeliveryDate")} for x in lines]
    [remote] = made(connector.update("SAL_SaleOrder", [change(draft, FSaleOrderEntry=wanted)], [], {}))
    found = [(x["FQty"], x["FDeliveryDate"]) for x in remote.record["FSaleOrderEntry"]]
    assert found == [(7, "2026-01-15T00:00:00")] * 2


def test_a_lost_save_stays_of_unknown_outcome_when_the_audit_after_it_fails_too(galaxy):
    """It was called rejected: nobody looked, and the record, written but not audited, stayed so for ever."""
    connector = galaxy.connector(batch=1)
    first, second = made(connector.create("BD_Customer", [customer("a"), customer("b")], [], POLICY))
    galaxy.faults(
        {"kind": "drop_after", "operation": "BatchSave*", "skip": 1},
        {"kind": "drop_before", "operation": "Audit*", "next": 20},
    )
    writes = [Write(r.key, {"FTEL": "010-1"}, id=r.id, version=r.version, old=r.record) for r in (first, second)]
    results = connector.update("BD_Customer", writes, [], POLICY)
    assert results[0].problem is not None and results[0].error is None
    assert type(results[1].error) is UnknownOutcome and "could not be audited again" in results[1].error.what


def test_lines_are_the_complete_wanted_list(connector, draft):
    first, second = draft.record["FSaleOrderEntry"]
    kept = {"FEntryID": second["FEntryID"], "FSeq": 2, "FQty": Decimal(5)}
    new = line(3, "M-0003", FQty=Decimal(1))
    [remote] = made(connector.update("SAL_SaleOrder", [change(draft, FSaleOrderEntry=[kept, new])], [], {}))
    lines = remote.record["FSaleOrderEntry"]
    assert [x["FSeq"] for x in lines] == [2, 3] and lines[0]["FEntryID"] == second["FEntryID"]
    assert lines[0]["FQty"] == 5 and lines[0]["FTaxPrice"] == Decimal("113.0"), "what is not sent stays"
    assert lines[1]["FUnitID"]["FNumber"].strip() and lines[1]["FMaterialId"]["FNumber"] == "M-0003"
    assert first["FEntryID"] not in [x["FEntryID"] for x in lines]


def test_addresses_can_be_emptied_and_references_and_texts_cleared(connector):
    address = {"FNUMBER1": "001", "FNAME1": "总部", "FADDRESS1": "北京"}
    write = customer("k", FTEL="010-1", FCOUNTRY={"FNumber": "CN"}, FT_BD_CUSTCONTACT=[address])
    [remote] = made(connector.create("BD_Customer", [write], [], {}))
    empty = change(remote, FTEL=None, FCOUNTRY={"FNumber": None}, FT_BD_CUSTCONTACT=[])
    [cleared] = made(connector.update("BD_Customer", [empty], [], {}))
    assert cleared.record["FTEL"].strip() == "" == cleared.record["FCOUNTRY"]["FNumber"].strip()
    assert cleared.record["FT_BD_CUSTCONTACT"] == []


def test_a_stale_write_is_not_made(galaxy, connector, draft):
    galaxy.running.app.clock.advance(1)
    galaxy.control.edit("SAL_SaleOrder", draft.ref, {"FNote": "somebody was here"})
    [result] = connector.update("SAL_SaleOrder", [change(draft, FNote="ours")], [], POLICY)
    assert isinstance(result.error, VersionConflict)
    assert galaxy.one("SAL_SaleOrder", draft.ref)["FNote"] == "somebody was here"
    galaxy.control.delete("SAL_SaleOrder", draft.ref)
    assert isinstance(connector.update("SAL_SaleOrder", [change(draft, FNote="x")], [], {})[0].error, Gone)


def test_an_audit_in_between_makes_a_write_stale_too(galaxy, connector, draft):
    doc = galaxy.running.app.store.table("SAL_SaleOrder").docs[int(draft.id)]
    doc.head["FDocumentStatus"] = "C"
    [result] = connector.update("SAL_SaleOrder", [change(draft, FNote="x")], [], POLICY)
    assert isinstance(result.error, VersionConflict)


def test_audited_documents_are_changed_only_where_the_policy_says_so(galaxy, connector, audited):
    shut = {**POLICY, "unaudit": False}
    [result] = connector.update("SAL_SaleOrder", [change(audited, FNote="x")], [], shut)
    assert isinstance(result.error, RecordRejected) and "unaudit: true" in result.error.cure
    [remote] = made(connector.update("SAL_SaleOrder", [change(audited, FNote="x")], [], {"unaudit": True}))
    assert remote.record["FNote"] == "x" and remote.record["FDocumentStatus"] == "C", "put back where it was"


def test_what_could_not_be_saved_is_put_back(galaxy, connector, audited):
    [result] = connector.update("SAL_SaleOrder", [change(audited, FCustId={"FNumber": "C99999"})], [], POLICY)
    assert isinstance(result.error, RecordRejected) and result.error.field == "FCustId"
    assert galaxy.one("SAL_SaleOrder", "X1")["FDocumentStatus"] == "C"
    [fresh] = connector.get("SAL_SaleOrder", [audited.id], [], {})
    galaxy.faults({"kind": "drop_before", "operation": "BatchSave*"})
    with pytest.raises(UnknownOutcome):
        connector.update("SAL_SaleOrder", [change(fresh, FNote="x")], [], POLICY)
    assert galaxy.one("SAL_SaleOrder", "X1")["FDocumentStatus"] == "C"


def test_a_document_with_successors_stays_shut(galaxy, connector, audited):
    push = {"Numbers": ["X1"], "TargetFormId": "SAL_OUTSTOCK", "IsEnableDefaultRule": "true"}
    galaxy.running.app.service.call("push", "SAL_SaleOrder", "", push, "li")
    [result] = connector.update("SAL_SaleOrder", [change(audited, FNote="x")], [], POLICY)
    assert isinstance(result.error, RecordRejected) and "下游" in result.error.what


def test_a_record_open_elsewhere_is_tried_later(galaxy, connector, draft):
    galaxy.faults({"kind": "msgcode", "code": 13, "message": "网络控制冲突", "operation": "BatchSave*"})
    [result] = connector.update("SAL_SaleOrder", [change(draft, FNote="x")], [], {})
    assert type(result.error) is Unavailable
    galaxy.faults({"kind": "msgcode", "code": 4, "message": "已被其他用户修改", "operation": "BatchSave*"})
    assert type(connector.update("SAL_SaleOrder", [change(draft, FNote="x")], [], {})[0].error) is VersionConflict


def test_updates_of_different_fields_share_no_need_update_list(connector):
    remotes = made(connector.create("BD_Customer", [customer("a"), customer("b"), customer("c")], [], {}))
    writes = [change(remotes[0], FTEL="1"), change(remotes[1], FZIP="2"), change(remotes[2], FTEL="3")]
    after = made(connector.update("BD_Customer", writes, ["FTEL", "FZIP"], {}))
    assert [(r.record["FTEL"].strip(), r.record["FZIP"].strip()) for r in after] == [("1", ""), ("", "2"), ("3", "")]


# --- deleting --------------------------------------------------------------------------------------------------------


def remove(remote, mode="delete"):
    return Write("h1", {}, id=remote.id, version=remote.version, mode=mode)


def test_deleting_unaudits_first_and_what_is_gone_is_a_success(galaxy, connector, audited):
    assert connector.delete("SAL_SaleOrder", [remove(audited)], {})[0].remote.deleted
    assert galaxy.running.app.store.table("SAL_SaleOrder").docs.get(int(audited.id)) is None
    assert connector.delete("SAL_SaleOrder", [remove(audited)], {})[0].remote.deleted


def test_what_can_not_be_deleted_is_audited_again(galaxy, connector, audited):
    [customer_there] = connector.get("BD_Customer", [str(galaxy.one("BD_Customer", "C00001")["FCUSTID"])], [], {})
    [result] = connector.delete("BD_Customer", [remove(customer_there)], {})
    assert isinstance(result.error, RecordRejected) and "引用" in result.error.what
    assert galaxy.one("BD_Customer", "C00001")["FDocumentStatus"] == "C"


def test_a_stale_delete_is_not_made(galaxy, connector, draft):
    galaxy.running.app.clock.advance(1)
    galaxy.control.edit("SAL_SaleOrder", draft.ref, {"FNote": "alive"})
    assert isinstance(connector.delete("SAL_SaleOrder", [remove(draft)], {})[0].error, VersionConflict)


@pytest.mark.parametrize("dead", ["", "ExcuteOperation", "ExecuteOperation"])
def test_archiving_forbids_base_data_whichever_spelling_works(make_galaxy, dead):
    galaxy = make_galaxy(dead_spelling=dead)
    connector = galaxy.connector()
    [remote] = connector.get("BD_Customer", [str(galaxy.one("BD_Customer", "C00003")["FCUSTID"])], [], {})
    for _ in range(2):
        [result] = connector.delete("BD_Customer", [remove(remote, "archive")], {})
        assert result.error is None and galaxy.one("BD_Customer", "C00003")["FForbidStatus"] == "B"
        assert result.remote.record["FForbidStatus"] == "B", "read back, so that it is no news at the next sighting"
        [remote] = connector.get("BD_Customer", [remote.id], [], {})


def test_archiving_voids_a_bill(galaxy, connector, audited):
    [result] = connector.delete("SAL_SaleOrder", [remove(audited, "archive")], {})
    assert result.error is None and galaxy.one("SAL_SaleOrder", "X1")["FCancelStatus"] == "B"
