"""Push: order → outbound delivery → receivable, with the links that make later un-auditing impossible."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .forms import Form
from .saving import Refusals, SaveOptions, save
from .store import Doc, Line, Refusal, Store

RULES = {("SAL_SaleOrder", "SAL_OUTSTOCK"), ("SAL_OUTSTOCK", "AR_receivable")}


def push(store: Store, source: Form, doc: Doc, target: Form, entry_ids: set[str], user: str) -> Doc:
    """The saved (not audited) downstream document of an audited one. Raises Refusal where the conversion says no."""
    if (source.id, target.id) not in RULES:
        raise Refusal(f"没有从{source.label}到{target.label}的转换规则", code=4)
    if doc.status != "C":
        raise Refusal(f"编号为“{doc.head[source.number]}”的单据未审核，不能下推", code=12)
    model = (_outbound if target.id == "SAL_OUTSTOCK" else _receivable)(store, source, doc, entry_ids)
    try:
        made, _ = save(store, target, model, SaveOptions(verify=True), user)
    except Refusals as problem:
        raise problem.items[0] from None
    return made


def _lines(doc: Doc, entry: str, id_key: str, wanted: set[str]) -> list[Line]:
    return [line for line in doc.entries[entry] if not wanted or str(line[id_key]) in wanted]


def _outbound(store: Store, source: Form, doc: Doc, wanted: set[str]) -> dict[str, Any]:
    lines = []
    for line in _lines(doc, "FSaleOrderEntry", "FEntryID", wanted):
        left = line["FQty"] - line["FStockOutQty"]
        if left <= 0 or line["FMrpCloseStatus"] == "B":
            continue
        line["FStockOutQty"] += left
        line["FRemainOutQty"] = Decimal(0)
        lines.append({
            "FMaterialID": _by_id("FMATERIALID", line["FMaterialId"]), "FUnitID": _by_id("FUNITID", line["FUnitID"]),
            "FMustQty": left, "FRealQty": left, "FTaxPrice": line["FTaxPrice"], "FEntryTaxRate": line["FEntryTaxRate"],
            "FDiscountRate": line["FDiscountRate"], "FSrcType": source.id, "FSrcBillNo": doc.head["FBillNo"],
            "FSoorDerno": doc.head["FBillNo"],
        })  # fmt: skip
    if not lines:
        raise Refusal("没有可下推的数据，所选单据行已全部下推", code=11)
    head = doc.head
    return {
        "FBillTypeID": {"FNUMBER": "XSCKD01_SYS"}, "FDate": store.today(),
        "FSaleOrgId": _by_id("FOrgID", head["FSaleOrgId"]), "FCustomerID": _by_id("FCUSTID", head["FCustId"]),
        "SubHeadEntity": {"FSettleCurrID": _by_id("FCURRENCYID", head["FSettleCurrId"]),
                          "FIsIncludedTax": head["FIsIncludedTax"]},
        "FEntity": lines,
    }  # fmt: skip


def _receivable(store: Store, source: Form, doc: Doc, wanted: set[str]) -> dict[str, Any]:
    if any(_pushed(other, source.id, doc) for other in store.table("AR_receivable").docs.values()):
        raise Refusal("没有可下推的数据，所选单据行已全部下推", code=11)
    head, today = doc.head, store.today()
    currency, org = _by_id("FCURRENCYID", head["FSettleCurrID"]), _by_id("FOrgID", head["FSaleOrgId"])
    lines = [
        {
            "FMATERIALID": _by_id("FMATERIALID", line["FMaterialID"]),
            "FPRICEUNITID": _by_id("FUNITID", line["FUnitID"]),
            "FPriceQty": line["FRealQty"], "FTaxPrice": line["FTaxPrice"], "FEntryTaxRate": line["FEntryTaxRate"],
            "FEntryDiscountRate": line["FDiscountRate"], "FSOURCETYPE": source.id, "FSourceBillNo": head["FBillNo"],
            "FORDERNUMBER": line["FSoorDerno"],
        }
        for line in _lines(doc, "FEntity", "FENTRYID", wanted)
    ]  # fmt: skip
    return {
        "FBillTypeID": {"FNUMBER": "YSD01_SYS"}, "FDATE": today, "FENDDATE_H": today,
        "FCUSTOMERID": _by_id("FCUSTID", head["FCustomerID"]), "FCURRENCYID": currency, "FSETTLEORGID": org,
        "FPAYORGID": org, "FISTAX": head["FIsIncludedTax"],
        "FsubHeadFinc": {"FMAINBOOKSTDCURRID": currency, "FEXCHANGETYPE": {"FNumber": "HLTX01_SYS"},
                         "FACCNTTIMEJUDGETIME": today},
        "FEntityDetail": lines,
    }  # fmt: skip


def _pushed(other: Doc, source: str, doc: Doc) -> bool:
    return any(
        (line["FSOURCETYPE"], line["FSourceBillNo"]) == (source, doc.head["FBillNo"])
        for line in other.entries["FEntityDetail"]
    )


def _by_id(key: str, value: int) -> dict[str, int]:
    return {key: value}
