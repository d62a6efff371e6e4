"""The vendor's own Python SDK works against the sandbox unchanged."""

import json

import pytest
from connectors.kingdee_galaxy.galaxy_client import order

sdk = pytest.importorskip("k3cloud_webapi_sdk.main", reason="needs the package kingdee.cdp.webapi.sdk")


@pytest.fixture
def api(galaxy):
    ready = galaxy.running.ready()
    c = ready["credentials"]
    api = sdk.K3CloudApiSdk(ready["url"])
    api.InitConfig(c["acct_id"], c["username"], c["app_id"], c["app_secret"], ready["url"], 2052, 100)
    return api


def ok(answer):
    found = json.loads(answer)["Result"]
    assert found["ResponseStatus"]["IsSuccess"], answer
    return found


def test_a_document_lives_its_whole_life(api):
    assert json.loads(api.GetDataCenters())[0]["Name"] == "沙盒账套"
    saved = ok(api.Save("SAL_SaleOrder", {**order(FBillNo="SDK-1"), "NeedReturnFields": ["FBillNo"]}))
    assert saved["Number"] == "SDK-1"
    numbers = {"Numbers": ["SDK-1"]}
    for step in (api.Submit, api.Audit):
        ok(step("SAL_SaleOrder", numbers))
    query = {
        "FormId": "SAL_SaleOrder",
        "FieldKeys": "FBillNo,FDocumentStatus,FBillAllAmount",
        "FilterString": "FBillNo='SDK-1'",
    }
    assert json.loads(api.ExecuteBillQuery(query)) == [["SDK-1", "C", 1243.0]]
    assert json.loads(api.BillQuery(query))[0]["FDocumentStatus"] == "C"
    assert ok(api.View("SAL_SaleOrder", {"Number": "SDK-1"}))["Result"]["BillNo"] == "SDK-1"
    push = {"Numbers": ["SDK-1"], "TargetFormId": "SAL_OUTSTOCK", "IsEnableDefaultRule": "true"}
    ok(api.Push("SAL_SaleOrder", push))
    refused = json.loads(api.UnAudit("SAL_SaleOrder", numbers))["Result"]["ResponseStatus"]
    assert not refused["IsSuccess"] and refused["MsgCode"] == 12


def test_metadata_operations_and_errors(api):
    ok(api.QueryBusinessInfo({"FormId": "BD_Customer"}))
    ok(api.ExcuteOperation("BD_Customer", "Forbid", {"Numbers": ["C00001"]}))
    unknown = json.loads(api.ExecuteBillQuery({"FormId": "BD_Customer", "FieldKeys": "FImage"}))
    assert unknown[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 9
    with pytest.raises(RuntimeError, match="Disassembly no found"):
        api.Disassembly("BD_Customer", {})


def test_wrong_credentials(api, galaxy):
    c, url = galaxy.running.ready()["credentials"], galaxy.running.url
    query = {"FormId": "BD_Customer", "FieldKeys": "FNumber"}
    bad = sdk.K3CloudApiSdk(url)
    bad.InitConfig(c["acct_id"], c["username"], c["app_id"], "wrong", url)
    assert "会话信息已丢失" in bad.ExecuteBillQuery(query)
    bad.InitConfig("nowhere", c["username"], c["app_id"], c["app_secret"], url)
    with pytest.raises(RuntimeError, match="thirty passport"):
        bad.ExecuteBillQuery(query)
