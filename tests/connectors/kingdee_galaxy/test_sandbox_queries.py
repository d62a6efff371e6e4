"""ExecuteBillQuery, BillQuery, View and QueryBusinessInfo of the sandbox."""

import pytest
from connectors.kingdee_galaxy.galaxy_client import Client, line, order


@pytest.fixture
def client(galaxy):
    return Client(galaxy.running).login()


def problem(answer):
    """The status inside the two arrays."""
    return answer[0][0]["Result"]["ResponseStatus"]


def test_rows_come_in_the_order_of_the_keys_without_names_or_total(client):
    rows = client.query(
        "BD_Customer", "FCUSTID,fnumber,FTRADINGCURRID.FNumber,FTRADINGCURRID", "FNumber in ('C00001','C00002')"
    )
    assert [r[1:3] for r in rows] == [["C00001", "PRE001"], ["C00002", "PRE001"]]
    assert all(isinstance(r[0], int) and isinstance(r[3], int) for r in rows)


def test_bill_query_gives_objects_with_the_keys_as_asked(client):
    [found] = client.call(
        "BillQuery", data={"FormId": "BD_Customer", "FieldKeys": "fNUMBER", "FilterString": "FNumber='C00001'"}
    )
    assert found == {"fNUMBER": "C00001"}


def test_a_line_key_explodes_rows_and_repeats_the_head(client):
    client.call("Save", "SAL_SaleOrder", order(FBillNo="X1"))
    rows = client.query("SAL_SaleOrder", "FBillNo,FSaleOrderEntry_FSEQ,FQty,FTaxPrice,FBillAllAmount", "FBillNo = 'X1'")
    assert rows == [["X1", 1, 10.0, 113.0, 1243.0], ["X1", 2, 2.0, 56.5, 1243.0]]
    assert client.query("SAL_SaleOrder", "FBillNo", "FBillNo = 'X1'") == [["X1"]]
    assert len(client.query("SAL_SaleOrder", "FBillNo", "FBillNo = 'X1' and FQty > 5")) == 1


def test_two_entries_multiply_and_empty_ones_hide_the_head(client, galaxy, make_galaxy):
    galaxy.control.edit("BD_Customer", "C00001", {"FT_BD_CUSTBANK": [{"FOPENBANKNAME": "甲"}, {"FOPENBANKNAME": "乙"}]})
    rows = client.query("BD_Customer", "FNumber,FOPENBANKNAME,FNAME1", "FNumber in ('C00001','C00002')")
    assert len(rows) == 4 and {r[0] for r in rows} == {"C00001"}
    shown = Client(make_galaxy(hide_empty=False).running).login()
    assert shown.query("BD_Customer", "FNumber,FOPENBANKNAME", "FNumber = 'C00002'") == [["C00002", " "]]


def test_pages_are_counted_in_rows_and_top_row_count_is_an_absolute_end(client):
    whole = client.query("SAL_SaleOrder", "FID,FSaleOrderEntry_FEntryID", OrderString="FID ASC")
    page = client.query("SAL_SaleOrder", "FID,FSaleOrderEntry_FEntryID", OrderString="FID ASC", StartRow=2, Limit=3)
    assert page == whole[2:5]
    assert client.query("SAL_SaleOrder", "FID", StartRow=2, TopRowCount=2) == []
    assert "不能超过2000" in problem(client.query("SAL_SaleOrder", "FID", Limit=2001))["Errors"][0]["Message"]


def test_order_by_several_keys_and_directions(client):
    rows = client.query(
        "BD_Customer", "FTRADINGCURRID.FNumber,FNumber", OrderString="FTRADINGCURRID.FNumber DESC, FNumber"
    )
    assert rows == sorted(sorted(rows, key=lambda r: r[1]), key=lambda r: r[0], reverse=True)


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        ("FNumber = 'c00001'", ["C00001"]),
        ("FNumber like 'C0000[12]'", ["C00001", "C00002"]),
        ("FNumber like '%2' and FNumber < 'C00010'", ["C00002"]),
        ("(FNumber='C00001' or FNumber='C00002') and not FNumber = 'C00001'", ["C00002"]),
        ("FNumber in ('C00001', N'C00002') and FName is not null", ["C00001", "C00002"]),
        ("FNumber <> 'C00001' and FNumber <= 'C00002'", ["C00002"]),
        ("FNumber not in ('C00001') and FNumber < 'C00003'", ["C00002"]),
        ("FCreateDate >= '2026-01-04' and FCreateDate < '2026-01-05' and FNumber = 'C00001'", ["C00001"]),
        ("FCreateOrgId.FNumber = '100' and FNumber = 'C00001'", ["C00001"]),
        ("FISCREDITCHECK = 1 and FNumber = 'C00001'", ["C00001"]),
        ("FNumber = 'C0''1'", []),
        ([{"Left": "(", "FieldName": "FNumber", "Compare": "67", "Value": "C00001", "Right": ")"}], ["C00001"]),
        ("1=1 and FNumber = 'C00001'", ["C00001"]),
    ],
)  # fmt: skip
def test_conditions(client, filter, numbers):
    assert [r[0] for r in client.query("BD_Customer", "FNumber", filter, OrderString="FNumber")] == numbers


@pytest.mark.parametrize(
    ("form", "keys", "filter", "code"),
    [
        ("BD_Customer", "FImage", "", 9),
        ("BD_Customer", "FNumber,FID", "", 9),
        ("BD_Customer", "FTRADINGCURRID.FNope", "", 9),
        ("BD_Customer", "FNumber", "FNope = 1", 9),
        ("BD_Customer", "FNumber", "FNumber = 'O'Neill'", 4),
        ("BD_Customer", "FNumber", "FNumber == 'x'", 4),
        ("BD_Customer", "FNumber", "(FNumber = 'x'", 4),
        ("BD_Customer", "", "", 8),
        ("STK_OutStock", "FID", "", 4),
    ],
)
def test_bad_queries_are_refused_inside_two_arrays(client, form, keys, filter, code):
    assert problem(client.query(form, keys, filter))["MsgCode"] == code


def test_empty_texts_are_one_blank_and_times_have_no_zone(client):
    client.call("Save", "SAL_SaleOrder", order(FBillNo="X1"))
    [[note, date, modified, approved]] = client.query(
        "SAL_SaleOrder", "FNote,FDate,FModifyDate,FApproveDate", "FBillNo='X1'"
    )
    assert (note, date, approved) == (" ", "2026-01-15T00:00:00", None)
    assert "T" in modified and "+" not in modified and not modified.endswith("Z")


def test_view_shows_properties_references_twice_and_subheads_as_lists(client):
    client.call("Save", "SAL_SaleOrder", order(FBillNo="X1", lines=[line()]))
    shown = client.call("View", "SAL_SaleOrder", {"Number": "X1"})["Result"]["Result"]
    assert shown["BillNo"] == "X1" and shown["CustId"]["Number"] == "C00001" == shown["CustId"]["Number"]
    assert shown["CustId_Id"] == shown["CustId"]["Id"] and shown["CustId"]["Name"][0]["Key"] == 2052
    assert shown["SaleOrderFinance"][0]["SettleCurrId"]["Number"] == "PRE001"
    assert shown["SaleOrderEntry"][0]["Seq"] == 1 and shown["SaleOrderEntry"][0]["TaxPrice"] == 113.0
    assert "MOdifyDate" in shown and shown["SaleDeptId"] is None and shown["CreatorId"]["Name"] == "api_user"
    by_id = client.call("View", "SAL_SaleOrder", {"Id": str(shown["Id"])})["Result"]["Result"]
    assert by_id == shown
    assert client.status("View", "SAL_SaleOrder", {"Number": "X2"})["MsgCode"] == 10


def test_business_info_describes_entries_fields_references_and_operations(client):
    info = client.call("QueryBusinessInfo", data={"FormId": "SAL_SaleOrder"})["Result"]["NeedReturnData"]
    parts = {e["Key"]: {f["Key"]: f for f in e["Fields"]} for e in info["Entrys"]}
    assert list(parts) == ["FBillHead", "FSaleOrderFinance", "FSaleOrderEntry"]
    assert parts["FBillHead"]["FCustId"]["LookUpObjectFormId"] == "BD_Customer"
    assert parts["FBillHead"]["FCustId"]["MustInput"] == 1 and parts["FBillHead"]["FNote"]["MustInput"] == 0
    assert [e["Value"] for e in parts["FBillHead"]["FDocumentStatus"]["Extends"]] == list("ZABCD")
    assert "YLBillClose" in [o["OperationNumber"] for o in info["Operations"]]
