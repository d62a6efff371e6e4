"""Save and the life of a record in the sandbox: what the product is strict about, and what it lets through."""

import json

import pytest
from connectors.kingdee_galaxy.galaxy_client import Client, line, order

CUSTOMER = {"FName": "新客户", "FCreateOrgId": {"FNumber": "100"}, "FTRADINGCURRID": {"FNumber": "PRE001"}}


@pytest.fixture
def client(galaxy):
    return Client(galaxy.running).login()


def save(client, packet, form="SAL_SaleOrder"):
    """Save what must succeed; returns the inner id."""
    found = client.call("Save", form, packet)["Result"]
    assert found["ResponseStatus"]["IsSuccess"], found
    return found["Id"]


def refused(client, packet, form="SAL_SaleOrder"):
    """The messages of a Save that must fail, by field."""
    status = client.status("Save", form, packet)
    assert not status["IsSuccess"]
    found = {}
    for e in status["Errors"]:
        found[e["FieldName"]] = "; ".join(filter(None, (found.get(e["FieldName"]), e["Message"])))
    return found


def state(client, number="X1"):
    return client.value("SAL_SaleOrder", "FDocumentStatus", f"FBillNo = '{number}'")


def test_a_saved_order_gets_number_ids_state_and_computed_amounts(client):
    found = client.call(
        "Save", "SAL_SaleOrder", {**order(), "NeedReturnFields": ["FBillNo", "FSaleOrderEntry.FEntryID"]}
    )
    result = found["Result"]
    assert result["ResponseStatus"]["SuccessEntitys"] == [{"Id": result["Id"], "Number": result["Number"], "DIndex": 0}]
    assert result["Number"].startswith("XSDD") and result["NeedReturnData"][0]["FBillNo"] == result["Number"]
    assert len(result["NeedReturnData"][0]["FSaleOrderEntry"]) == 2
    keys = "FPrice,FAmount,FTaxAmount,FAllAmount,FBillAmount,FBillTaxAmount,FBillAllAmount,FDocumentStatus"
    rows = client.query("SAL_SaleOrder", keys, f"FID = {result['Id']}")
    assert rows[0] == [100.0, 1000.0, 130.0, 1130.0, 1100.0, 143.0, 1243.0, "A"]


def test_net_prices_lead_when_tax_is_not_included(client):
    packet = order(FBillNo="X1", lines=[{**line(FQty=3, FPrice=33.33, FDiscountRate=10), "FTaxPrice": None}])
    packet["Model"]["FSaleOrderFinance"]["FIsIncludedTax"] = False
    del packet["Model"]["FSaleOrderEntry"][0]["FTaxPrice"]
    save(client, packet)
    keys = "FTaxPrice,FAmount,FTaxAmount,FAllAmount,FDiscount"
    assert client.query("SAL_SaleOrder", keys, "FBillNo='X1'") == [[37.6629, 89.99, 11.7, 101.69, 10.0]]


def test_all_that_is_missing_is_told_at_once(client):
    found = refused(client, {"Model": {"FSaleOrderEntry": [{"FQty": 0}]}})
    assert set(found) >= {"FBillTypeID", "FDate", "FSaleOrgId", "FCustId", "FSalerId", "FSettleCurrId"}
    assert set(found) >= {"FMaterialId", "FUnitID", "FDeliveryDate", "FQty"}
    assert found["FCustId"] == "字段“客户”是必填项" and "第1行" in found["FMaterialId"]
    assert "FSaleOrderEntry" in refused(client, {"Model": {}})
    client.call("Draft", "SAL_SaleOrder", {"Model": {"F_ORDER_TITLE": "later"}})
    assert client.value("SAL_SaleOrder", "FBillNo", "FDocumentStatus = 'Z'") == " "


def test_references_must_exist_be_audited_enabled_and_units_fit(client, galaxy):
    assert "不存在" in refused(client, order(FCustId={"FNumber": "C99999"}))["FCustId"]
    galaxy.control.edit("BD_Customer", "C00002", {"FForbidStatus": "B"})
    assert "禁用" in refused(client, order(FCustId={"FNumber": "C00002"}))["FCustId"]
    save(client, {"Model": {**CUSTOMER, "FNumber": "NEW"}}, "BD_Customer")
    assert "未审核" in refused(client, order(FCustId={"FNumber": "NEW"}))["FCustId"]
    lenient = {**order(FCustId={"FNumber": "C99999"}), "IsVerifyBaseDataField": False}
    assert refused(client, lenient)["FCustId"] == "字段“客户”是必填项"
    assert "单位" in refused(client, order(lines=[line(FUnitID={"FNumber": "Kg"})]))["FUnitID"]
    assert "应为" in refused(client, order(FCustId="C00001"))["FCustId"]


def test_numbers_are_unique_and_given_by_the_rule_when_missing(client, make_galaxy):
    save(client, order(FBillNo="X1"))
    assert "重复" in refused(client, order(FBillNo="x1"))["FBillNo"]
    one, two = (save(client, {"Model": CUSTOMER}, "BD_Customer") for _ in range(2))
    numbers = client.query("BD_Customer", "FNumber", f"FCUSTID in ({one},{two})")
    assert numbers == [["CUST000001"], ["CUST000002"]]
    strict = Client(make_galaxy(manual_numbers=False).running).login()
    save(strict, {"Model": {**CUSTOMER, "FNumber": "MINE"}}, "BD_Customer")
    assert strict.query("BD_Customer", "FNumber", "FNumber = 'MINE'") == []


def test_unknown_keys_are_passed_over_without_a_word(client):
    packet = order(FBillNo="X1", FNoteX="typo", FSettleCurrId={"FNumber": "PRE007"})
    save(client, packet)
    currency = client.value("SAL_SaleOrder", "FSettleCurrId.FNumber", "FBillNo='X1'")
    assert currency == "PRE001", "a field of a sub-head counts only inside it"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("FNote", "长" * 256, "长度不能超过255"),
        ("FDate", "15.01.2026", "有效的日期"),
        ("FDate", "2026-01-15T00:00:00+08:00", "有效的日期"),
    ],
)
def test_bad_values_are_refused_with_their_field(client, field, value, says):
    assert says in refused(client, order(**{field: value}))[field]


def test_bad_numbers_are_refused_and_fine_ones_rounded_unless_precision_is_controlled(client):
    assert "有效的数值" in refused(client, order(lines=[line(FQty="ten")]))["FQty"]
    packet = order(FBillNo="X1", lines=[line(FTaxPrice="1.23456789")])
    assert "精度" in refused(client, {**packet, "IsControlPrecision": True})["FTaxPrice"]
    save(client, packet)
    assert client.value("SAL_SaleOrder", "FTaxPrice", "FBillNo='X1'") == 1.234568


def test_the_order_of_typing_counts(client):
    late = {"FQty": 10, "FTaxPrice": 113, "FEntryTaxRate": 13, "FMaterialId": {"FNumber": "M-0001"},
            "FUnitID": {"FNumber": "Pcs"}, "FDeliveryDate": "2026-01-31"}  # fmt: skip
    save(client, order(FBillNo="X1", lines=[late]))
    assert client.value("SAL_SaleOrder", "FBillAllAmount", "FBillNo='X1'") == 0.0
    packet = order(FBillNo="X2", lines=[line()])
    model = packet["Model"]
    packet["Model"] = {"FSaleOrderEntry": model.pop("FSaleOrderEntry"), **model}
    save(client, packet)
    assert client.value("SAL_SaleOrder", "FTaxPrice", "FBillNo='X2'") == 0.0
    packet["Model"]["FBillNo"] = "X3"
    save(client, {**packet, "IsAutoAdjustField": "true"})
    assert client.value("SAL_SaleOrder", "FTaxPrice", "FBillNo='X3'") == 113.0


def lines_of(client, number="X1"):
    keys = "FSaleOrderEntry_FEntryID,FSaleOrderEntry_FSEQ,FQty,FTaxPrice"
    return client.query("SAL_SaleOrder", keys, f"FBillNo='{number}'")


def test_lines_not_in_the_packet_are_deleted_unless_told_otherwise(client):
    pk = save(client, order(FBillNo="X1"))
    first, second = (r[0] for r in lines_of(client))
    update = {"Model": {"FID": pk, "FSaleOrderEntry": [{"FEntryID": second, "FQty": 3}]}}
    save(client, {**update, "IsDeleteEntry": False})
    assert [r[2] for r in lines_of(client)] == [10.0, 3.0]
    save(client, update)
    assert [r[0] for r in lines_of(client)] == [second]
    save(client, {"Model": {"FID": pk, "FSaleOrderEntry": [{"FEntryID": second}, line(FQty=1)]}})
    assert [r[2] for r in lines_of(client)] == [3.0, 1.0]
    save(client, {"Model": {"FID": pk, "FNote": "untouched"}})
    assert len(lines_of(client)) == 2
    assert "FSaleOrderEntry" in refused(client, {"Model": {"FID": pk, "FSaleOrderEntry": [{}]}})
    missing = {"Model": {"FID": pk, "FSaleOrderEntry": [{"FEntryID": first, "FQty": 3}]}}
    assert "不存在" in refused(client, missing)["FSaleOrderEntry"]


def test_need_update_fields_limits_what_changes(client):
    pk = save(client, order(FBillNo="X1", FNote="old"))
    first, second = (r[0] for r in lines_of(client))
    change = {"FID": pk, "FNote": "new", "FSaleOrderEntry": [{"FEntryID": first, "FQty": 7, "FTaxPrice": 1},
                                                             {"FEntryID": second, "FQty": 8}]}  # fmt: skip
    save(client, {"Model": change, "NeedUpDateFields": ["FQty"]})
    assert [r[2] for r in lines_of(client)] == [10.0, 2.0], "without the entry's own key no line is touched"
    save(client, {"Model": change, "NeedUpDateFields": ["FSaleOrderEntry", "FQty"], "IsDeleteEntry": False})
    assert [r[2:] for r in lines_of(client)] == [[7.0, 113.0], [8.0, 56.5]]
    assert client.value("SAL_SaleOrder", "FNote", "FBillNo='X1'") == "old"


def test_the_life_of_a_document(client):
    save(client, order(FBillNo="X1"))
    by_number = {"Numbers": ["X1"]}
    for method, before in (("Audit", "A"), ("UnAudit", "A"), ("CancelAssign", "A")):
        assert not client.status(method, "SAL_SaleOrder", by_number)["IsSuccess"], before
    steps = [("Submit", "B"), ("CancelAssign", "D"), ("Submit", "B"), ("Audit", "C"), ("UnAudit", "D")]
    for method, after in steps:
        assert client.status(method, "SAL_SaleOrder", by_number)["IsSuccess"] and state(client) == after
    client.call("Submit", "SAL_SaleOrder", by_number)
    pk = client.value("SAL_SaleOrder", "FID", "FBillNo='X1'")
    for _ in range(2):
        assert "不允许修改" in refused(client, {"Model": {"FID": pk, "FNote": "x"}})[None]
        assert not client.status("Delete", "SAL_SaleOrder", by_number)["IsSuccess"]
        client.call("Audit", "SAL_SaleOrder", by_number)
    client.call("UnAudit", "SAL_SaleOrder", by_number)
    save(client, {"Model": {"FID": pk, "FNote": "x"}})
    assert state(client) == "D", "saving keeps a document to re-audit"
    assert client.status("Delete", "SAL_SaleOrder", {"Ids": str(pk)})["IsSuccess"]
    assert client.query("SAL_SaleOrder", "FID", "FBillNo='X1'") == []


def test_audit_moves_the_approval_and_not_the_modification(client):
    save(client, order(FBillNo="X1"))
    client.call("Submit", "SAL_SaleOrder", {"Numbers": ["X1"]})
    before = client.query("SAL_SaleOrder", "FModifyDate,FApproveDate", "FBillNo='X1'")[0]
    client.call("Audit", "SAL_SaleOrder", {"Numbers": ["X1"]})
    after = client.query("SAL_SaleOrder", "FModifyDate,FApproveDate", "FBillNo='X1'")[0]
    assert before[0] == after[0] and before[1] is None and after[1] is not None


def test_ids_are_a_text_and_numbers_an_array(client):
    save(client, order(FBillNo="X1"))
    assert client.status("Submit", "SAL_SaleOrder", {"Numbers": "X1"})["MsgCode"] == 8
    assert client.status("Submit", "SAL_SaleOrder", {"Ids": [1]})["MsgCode"] == 8
    assert client.status("Submit", "SAL_SaleOrder", {})["MsgCode"] == 8
    mixed = client.status("Submit", "SAL_SaleOrder", {"Numbers": ["nobody", "X1"]})
    assert [e["DIndex"] for e in mixed["Errors"]] == [0] and mixed["SuccessEntitys"][0]["DIndex"] == 1


def test_a_batch_stores_the_good_rows_and_reports_each_bad_one(client):
    models = [{**CUSTOMER, "FNumber": f"B{i}"} for i in range(3)]
    del models[1]["FName"]
    status = client.status("BatchSave", "BD_Customer", {"Model": models})
    assert not status["IsSuccess"] and [e["DIndex"] for e in status["SuccessEntitys"]] == [0, 2]
    assert [(e["DIndex"], e["FieldName"]) for e in status["Errors"]] == [(1, "FName")]
    assert client.query("BD_Customer", "FNumber", "FNumber like 'B_'") == [["B0"], ["B2"]]
    assert client.status("BatchSave", "BD_Customer", {"Model": CUSTOMER})["MsgCode"] == 8


def test_a_polled_batch_is_fetched_by_its_task(client):
    poll = {"beginmethod": "BeginQueryImpl", "querymethod": "QueryAsyncResult"}
    begun = client.call("BatchSave", "BD_Customer", {"Model": [{**CUSTOMER, "FNumber": "P1"}]}, **poll)
    assert begun["Status"] == 1
    info = {"queryInfo": json.dumps({"TaskId": begun["TaskId"], "Cancelled": False})}
    done = client.call("QueryAsyncResult", **info)
    assert done["Status"] == 2 and done["Result"]["Result"]["ResponseStatus"]["SuccessEntitys"][0]["Number"] == "P1"


def test_identical_json_is_refused_on_request(client):
    packet = {"Model": CUSTOMER, "ValidateRepeatJson": True}
    save(client, packet, "BD_Customer")
    assert "重复提交" in refused(client, packet, "BD_Customer")[None]


def test_forbidding_closing_and_voiding_by_either_spelling(client, make_galaxy):
    for spelling, number in (("ExcuteOperation", "C00001"), ("ExecuteOperation", "C00002")):
        client.call(spelling, "BD_Customer", {"Numbers": [number]}, opNumber="Forbid")
        assert client.value("BD_Customer", "FForbidStatus", f"FNumber='{number}'") == "B"
    dead = Client(make_galaxy(dead_spelling="ExcuteOperation").running).login()
    assert dead.status("ExcuteOperation", "BD_Customer", {"Numbers": ["C00001"]}, opNumber="Forbid")["IsSuccess"]
    assert dead.value("BD_Customer", "FForbidStatus", "FNumber='C00001'") == "A"
    save(client, order(FBillNo="X1", FCustId={"FNumber": "C00004"}))
    client.call("ExcuteOperation", "SAL_SaleOrder", {"Numbers": ["X1"]}, opNumber="Cancel")
    assert client.value("SAL_SaleOrder", "FCancelStatus", "FBillNo='X1'") == "B"
    unknown = client.status("ExcuteOperation", "SAL_SaleOrder", {"Numbers": ["X1"]}, opNumber="Explode")
    assert "不存在" in unknown["Errors"][0]["Message"]


def test_base_data_in_use_is_not_deleted(client):
    save(client, order(FBillNo="X1"))
    client.call("UnAudit", "BD_Customer", {"Numbers": ["C00001"]})
    status = client.status("Delete", "BD_Customer", {"Numbers": ["C00001"]})
    assert "引用" in status["Errors"][0]["Message"]


def test_pushing_downstream_makes_documents_and_shuts_the_way_back(client):
    save(client, order(FBillNo="X1"))
    push = {"Numbers": ["X1"], "TargetFormId": "SAL_OUTSTOCK", "IsEnableDefaultRule": "true"}
    assert not client.status("Push", "SAL_SaleOrder", push)["IsSuccess"], "only audited sources"
    for method in ("Submit", "Audit"):
        client.call(method, "SAL_SaleOrder", {"Numbers": ["X1"]})
    pushed = client.call("Push", "SAL_SaleOrder", push)["Result"]
    assert pushed["ConvertResponseStatus"]["IsSuccess"]
    delivery = pushed["ResponseStatus"]["SuccessEntitys"][0]["Number"]
    assert client.value("SAL_OUTSTOCK", "FDocumentStatus", f"FBillNo='{delivery}'") == "A"
    assert client.query("SAL_SaleOrder", "FStockOutQty", "FBillNo='X1'") == [[10.0], [2.0]]
    assert "下游" in client.status("UnAudit", "SAL_SaleOrder", {"Numbers": ["X1"]})["Errors"][0]["Message"]
    assert not client.status("Push", "SAL_SaleOrder", push)["IsSuccess"], "nothing is left to push"
    for method in ("Submit", "Audit"):
        client.call(method, "SAL_OUTSTOCK", {"Numbers": [delivery]})
    push = {"Numbers": [delivery], "TargetFormId": "AR_receivable", "IsEnableDefaultRule": "true"}
    receivable = client.call("Push", "SAL_OUTSTOCK", push)["Result"]["ResponseStatus"]["SuccessEntitys"][0]["Number"]
    rows = client.query("AR_receivable", "FCUSTOMERID.FNumber,FORDERNUMBER,FALLAMOUNTFOR", f"FBillNo='{receivable}'")
    assert rows[0] == ["C00001", "X1", 1243.0]


def test_a_person_works_through_the_control_api(galaxy, client):
    made = galaxy.control.create(
        "SAL_SaleOrder", {"FCustId": {"FNumber": "C00001"}, "FSaleOrderEntry": [line(), line(FQty=1)]}, user="li"
    )
    assert made["FDocumentStatus"] == "C" and made["FCreatorId"] == {"FName": "li"}
    number, lines = made["FBillNo"], made["FSaleOrderEntry"]
    before = client.value("SAL_SaleOrder", "FModifyDate", f"FBillNo='{number}'")
    galaxy.running.app.clock.advance(1)
    changes = [{"FEntryID": lines[0]["FEntryID"], "_delete": True}, {"FEntryID": lines[1]["FEntryID"], "FQty": 5}]
    edited = galaxy.control.edit("SAL_SaleOrder", number, {"FNote": "改", "FSaleOrderEntry": changes}, user="li")
    assert [x["FQty"] for x in edited["FSaleOrderEntry"]] == [5] and edited["FDocumentStatus"] == "C"
    assert client.value("SAL_SaleOrder", "FModifyDate", f"FBillNo='{number}'") > before
    galaxy.control.delete("SAL_SaleOrder", number)
    assert client.query("SAL_SaleOrder", "FID", f"FBillNo='{number}'") == []
    assert [(h["action"], h["by"], h["user"]) for h in galaxy.control.history()][:2] == [
        ("create", "user", "li"),
        ("update", "user", "li"),
    ]
