"""What a fresh account set holds: basic settings, and the shared business world as an accountant writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.connect import sample_data
from hub.connect.sample_spelling import respelled
from hub.connect.sample_words import CITIES

from .saving import Refusals, SaveOptions, save
from .store import Doc, Store, as_text

Item = dict[str, Any]
OWN = 50_000
"""Companies and documents from this position on are Kingdee's own: other products' sandboxes don't reach that far."""
BEGINNING = datetime(2026, 1, 4, 0, 0, tzinfo=UTC)
CURRENCIES = {"CNY": ("PRE001", "人民币"), "HKD": ("PRE002", "香港元"), "EUR": ("PRE003", "欧元"),
              "JPY": ("PRE004", "日本日圆"), "GBP": ("PRE006", "英镑"), "USD": ("PRE007", "美元")}  # fmt: skip
UNITS = {
    "件": "Pcs",
    "台": "Tai",
    "盒": "He",
    "个": "Ge",
    "米": "Mi",
    "桶": "Tong",
    "包": "Bao",
    "千克": "Kg",
    "双": "Shuang",
}
COUNTRIES = {"CN": "中国", "DE": "德国", "US": "美国", "GB": "英国"}
BASICS: dict[str, tuple[tuple[str, str], ...]] = {
    "ORG_Organizations": (("100", "总公司"), ("101", "华东分公司")),
    "BD_Currency": tuple(CURRENCIES.values()),
    "BD_UNIT": tuple((number, name) for name, number in UNITS.items()),
    "BD_Saler": (("S01", "王敏"), ("S02", "李强"), ("S03", "张丽")),
    "BD_Department": (("BM000001", "销售部"), ("BM000002", "财务部")),
    "BD_STOCK": (("CK001", "成品仓"), ("CK002", "原料仓")),
    "BD_TaxRate": (("SL01_SYS", "零税率"), ("SL02_SYS", "13%增值税"), ("SL03_SYS", "9%增值税")),
    "BD_RecCondition": (("SKTJ01_SYS", "货到收款"), ("SKTJ02_SYS", "月结30天"), ("SKTJ03_SYS", "月结60天")),
    "BD_Rate": (("HLTX01_SYS", "固定汇率"),),
    "BD_MATERIALCATEGORY": (("CHLB01_SYS", "原材料"), ("CHLB05_SYS", "产成品")),
    "BOS_BillType": (("XSDD01_SYS", "标准销售订单"), ("XSCKD01_SYS", "标准销售出库单"), ("YSD01_SYS", "标准应收单")),
    "BOS_ASSISTANTDATA_DETAIL": (
        *COUNTRIES.items(), *sorted({(division[:2], province) for _, province, division, *_ in CITIES}),
    ),
}  # fmt: skip
TERMS = {"NET30": "SKTJ02_SYS", "NET60": "SKTJ03_SYS", "PREPAID": "SKTJ01_SYS"}
FROM_UI: dict[str, Item] = {
    "BD_Customer": {"FCreateOrgId": "100", "FTRADINGCURRID": "PRE001"},
    "BD_MATERIAL": {"FCreateOrgId": "100"},
    "SAL_SaleOrder": {"FBillTypeID": "XSDD01_SYS", "FSaleOrgId": "100", "FSalerId": "S01", "FSettleCurrId": "PRE001"},
    "SAL_OUTSTOCK": {"FBillTypeID": "XSCKD01_SYS", "FSaleOrgId": "100", "FSettleCurrID": "PRE001"},
    "AR_receivable": {"FBillTypeID": "YSD01_SYS", "FCURRENCYID": "PRE001", "FSETTLEORGID": "100", "FPAYORGID": "100",
                      "FMAINBOOKSTDCURRID": "PRE001", "FEXCHANGETYPE": "HLTX01_SYS"},
}  # fmt: skip
"""What the screens fill in for a person: numbers of base data."""


def ref(number: str | None) -> Item | None:
    """A reference as Save takes it."""
    return {"FNumber": number} if number else None


def fill(store: Store, *, records: int, shared: int, seed: int, products: int, orders: int, invoices: int) -> None:
    """Fill an empty account set. ``records`` customers, ``shared`` of them known to other products too."""
    _Filler(store).fill(records, min(shared, records), seed, products, orders, invoices)


class _Filler:
    """Enters things one after another, each a second later than the one before, the first at ``BEGINNING``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at = BEGINNING

    def fill(self, records: int, shared: int, seed: int, products: int, orders: int, invoices: int) -> None:
        for form, items in BASICS.items():
            for number, name in items:
                self.enter(form, {"FNumber": number, "FName": name})
        companies = sample_data.companies(seed, shared)
        companies += sample_data.companies(seed, records - shared, start=OWN)
        goods = sample_data.products(seed, products)
        for group in sorted({g["category"] for g in goods}):
            self.enter("BD_MATERIALGROUP", {"FName": group})
        for i, good in enumerate(goods):
            self._material(respelled(good, "erp"), i)
        for company in companies:
            self._customer(respelled(company, "erp"))
        # Forbidden customers take no new documents.
        buyers = [c for c in companies if c["status"] == "active"]
        if not buyers or not goods:
            return
        placed = sample_data.orders(seed, orders, buyers, goods, start=OWN)
        for order in placed:
            self._order(order)
        for invoice in sample_data.invoices(seed, invoices, placed, start=OWN) if placed else []:
            self._receivable(invoice)

    def enter(self, form: str, model: Item, status: str = "C") -> Doc:
        self.at += timedelta(seconds=1)
        moment = as_text(self.at)
        found = self.store.form(form)
        try:
            doc, _ = save(self.store, found, model, SaveOptions(verify=True, reorder=True), "Administrator")
        except Refusals as problem:
            raise RuntimeError(f"the sandbox can't enter its own data: {problem}") from problem
        doc.head |= {"FDocumentStatus": status, "FCreateDate": moment, "FModifyDate": moment}
        if status == "C":
            doc.head |= {"FApproverId": doc.head["FModifierId"], "FApproveDate": moment}
        return doc

    def _material(self, good: Item, i: int) -> None:
        group = next(
            d for d in self.store.table("BD_MATERIALGROUP").docs.values() if d.head["FName"] == good["category"]
        )
        self.enter("BD_MATERIAL", {
            "FCreateOrgId": ref("100"), "FNumber": good["number"], "FName": good["name"],
            "FSpecification": good["specification"], "FMaterialGroup": ref(group.head["FNumber"]),
            "SubHeadEntity": {"FBARCODE": good["barcode"], "FErpClsID": "12"[i % 2], "FNETWEIGHT": good["weight"],
                              "FCategoryID": ref("CHLB05_SYS"), "FBaseUnitId": ref(UNITS[good["unit"]])},
        })  # fmt: skip

    def _customer(self, company: Item) -> None:
        chinese = company["country"] == "CN"
        billing = company["addresses"][0]
        division = next((d[:2] for _, p, d, *_ in CITIES if chinese and p == billing["state"]), None)
        doc = self.enter("BD_Customer", {
            "FCreateOrgId": ref("100"), "FNumber": company["number"], "FName": company["name"],
            "FShortName": company["short_name"], "FTRADINGCURRID": ref(CURRENCIES[company["currency"]][0]),
            "FTEL": company["phone"], "FADDRESS": _address(billing), "FZIP": billing["postal_code"],
            "FWEBSITE": company["website"], "FCOUNTRY": ref(company["country"]), "FPROVINCIAL": ref(division),
            "FTAXREGISTERCODE": company["tax_id"], "FSOCIALCRECODE": company["tax_id"] if chinese else "",
            "FINVOICETITLE": company["name"], "FINVOICEBANKNAME": company["bank_name"],
            "FINVOICEBANKACCOUNT": company["bank_account"], "FRECCONDITIONID": ref(TERMS[company["payment_terms"]]),
            "FT_BD_CUSTCONTACT": [
                {"FNUMBER1": f"{at:03d}", "FNAME1": {"billing": "开票地址", "shipping": "收货地址"}[address["kind"]],
                 "FADDRESS1": _address(address), "FMOBILE": address["phone"],
                 "FIsDefaultSettle": address["kind"] == "billing", "FIsDefaultConsignee": address["kind"] == "shipping"}
                for at, address in enumerate(company["addresses"], start=1)
            ],
        })  # fmt: skip
        if company["status"] == "inactive":
            doc.head["FForbidStatus"] = "B"
        person = company["contacts"][0]
        self.enter("BD_CommonContact", {
            "FName": person["full_name"], "FMobile": person["mobile"], "FTel": person["phone"],
            "FEmail": person["email"], "FPost": person["title"],
        })  # fmt: skip

    def _order(self, order: Item) -> None:
        self.enter("SAL_SaleOrder", {
            "FBillTypeID": ref("XSDD01_SYS"), "FDate": order["order_date"], "FSaleOrgId": ref("100"),
            "FCustId": ref(order["customer"]), "FSalerId": ref("S01"), "FLinkMan": order["contact"],
            "FNote": order["note"], "F_CUSTOMER_PO": order["customer_po"], "F_ORDER_TITLE": order["title"],
            "FSaleOrderFinance": {"FSettleCurrId": ref(CURRENCIES[order["currency"]][0]), "FIsIncludedTax": False},
            "FSaleOrderEntry": [
                {"FMaterialId": ref(line["product"]), "FUnitID": ref(UNITS[line["unit"]]), "FQty": line["quantity"],
                 "FPrice": line["unit_price"], "FEntryTaxRate": line["tax_rate"], "FDiscountRate": _percent(line),
                 "FDeliveryDate": line["delivery_date"]}
                for line in order["lines"]
            ],
        }, {"draft": "A", "submitted": "B"}.get(order["status"], "C"))  # fmt: skip

    def _receivable(self, invoice: Item) -> None:
        currency = ref(CURRENCIES[invoice["currency"]][0])
        self.enter("AR_receivable", {
            "FBillTypeID": ref("YSD01_SYS"), "FDATE": invoice["invoice_date"], "FENDDATE_H": invoice["due_date"],
            "FCUSTOMERID": ref(invoice["customer"]), "FCURRENCYID": currency, "FSETTLEORGID": ref("100"),
            "FPAYORGID": ref("100"), "FISTAX": False, "FAR_Remark": invoice["note"],
            "F_EINVOICE_NO": invoice["einvoice_number"], "F_INVOICE_TITLE": invoice["title"],
            "FsubHeadFinc": {"FMAINBOOKSTDCURRID": currency, "FEXCHANGETYPE": ref("HLTX01_SYS"),
                             "FACCNTTIMEJUDGETIME": invoice["invoice_date"]},
            "FEntityDetail": [
                {"FMATERIALID": ref(line["product"]), "FPRICEUNITID": ref(UNITS[line["unit"]]),
                 "FPriceQty": line["quantity"], "FPrice": line["unit_price"], "FEntryTaxRate": line["tax_rate"],
                 "FEntryDiscountRate": _percent(line)}
                for line in invoice["lines"]
            ],
        })  # fmt: skip


def _percent(line: Item) -> int:
    """The shared world gives discounts as amounts of 0, 5 or 10 %."""
    full = line["quantity"] * line["unit_price"]
    return round(line["discount"] / full * 100) if full else 0


def _address(address: Item) -> str:
    if address["country"] == "CN":
        parts: tuple[Any, ...] = (address["state"], address["city"], address["district"], address["street"])
        return "".join(p for at, p in enumerate(parts) if p and (at == 0 or p != parts[at - 1]))
    return ", ".join(filter(None, (address["street"], address["city"], address["postal_code"])))


def number_of(store: Store, form: str, good: Callable[[Doc], bool]) -> str:
    """The number of the first record of a form that is ``good``; empty when there is none."""
    table = store.table(form)
    return next((str(d.head[table.form.number]) for d in table.docs.values() if good(d)), "")
