"""What the connector must know of a form beyond its fields: keys, sub-heads, entries, and the order of typing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .settings import FormSettings

VOID = {"FCancelStatus": {"A": "UnCancel", "B": "Cancel"}}
FORBID = {"FForbidStatus": {"A": "Enable", "B": "Forbid"}}
FORBIDDEN = ("FForbidStatus", "B")
WHILE_OPEN = frozenset({"FCancelStatus"})
"""Switches that only move before the audit; the others only after it."""


@dataclass(frozen=True, slots=True)
class FormInfo:
    """One form. All keys as Save spells them."""

    id: str
    pk: str = "FID"
    number: str = "FBillNo"
    entries: dict[str, str] = field(default_factory=dict)
    """Entry key → key of its lines' own id."""
    joined: str | None = None
    """The entry that every record has lines in: queried together with the head. Other entries are asked for apart,
    because a query that joins an entry may hide records without lines in it (A5.1)."""
    subheads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Save nests these fields, queries and records show them flat."""
    changed_by: tuple[str, ...] = ("FModifyDate", "FApproveDate")
    """Audit moves FApproveDate but not always FModifyDate (A16.1)."""
    status: str | None = "FDocumentStatus"
    switches: dict[str, dict[str, str]] = field(default_factory=lambda: VOID)
    """State fields that operations move: field → value → opNumber (A9)."""
    archive: tuple[str, str] | None = ("FCancelStatus", "B")
    """The switch that archives."""
    organisations: tuple[str, ...] = ()
    follow: dict[str, str] = field(default_factory=dict)
    """Mandatory field → field of the head (or line) that it repeats when nothing else is said."""
    units: tuple[str, str, str] | None = None
    """Of a line: its material, its unit, and the material's field with the unit to take when none is given."""
    constants: dict[str, object] = field(default_factory=dict)


_ORDER = FormInfo(
    id="SAL_SaleOrder",
    entries={"FSaleOrderEntry": "FEntryID"}, joined="FSaleOrderEntry",
    subheads={"FSaleOrderFinance": (
        "FSettleCurrId", "FRecConditionId", "FSettleModeId", "FIsIncludedTax", "FPriceListId", "FDiscountListId",
        "FExchangeTypeId", "FExchangeRate", "FBillAmount", "FBillTaxAmount", "FBillAllAmount",
    )},
    organisations=("FSaleOrgId", "FSaleOrderEntry.FStockOrgId", "FSaleOrderEntry.FSettleOrgIds"),
    follow={"FSaleOrderEntry.FDeliveryDate": "FDate"},
    units=("FMaterialId", "FUnitID", "FSaleUnitId"),
    switches={**VOID, "FCloseStatus": {"A": "YLUnBillClose", "B": "YLBillClose"}},
    constants={"FBillTypeID": {"FNUMBER": "XSDD01_SYS"}},
)  # fmt: skip

_RECEIVABLE = FormInfo(
    id="AR_receivable",
    entries={"FEntityDetail": "FEntryID"}, joined="FEntityDetail",
    subheads={
        "FsubHeadSuppiler": ("FORDERID", "FTRANSFERID", "FChargeId"),
        "FsubHeadFinc": ("FMAINBOOKSTDCURRID", "FEXCHANGETYPE", "FExchangeRate", "FACCNTTIMEJUDGETIME"),
    },
    organisations=("FSETTLEORGID", "FPAYORGID"),
    follow={"FENDDATE_H": "FDATE", "FACCNTTIMEJUDGETIME": "FDATE", "FMAINBOOKSTDCURRID": "FCURRENCYID"},
    units=("FMATERIALID", "FPRICEUNITID", "FSalePriceUnitId"),
    constants={"FBillTypeID": {"FNUMBER": "YSD01_SYS"}, "FEXCHANGETYPE": {"FNumber": "HLTX01_SYS"}},
)  # fmt: skip

_MATERIAL = FormInfo(
    id="BD_MATERIAL", pk="FMATERIALID", number="FNumber", switches=FORBID, archive=FORBIDDEN,
    subheads={
        "SubHeadEntity": (
            "FErpClsID", "FCategoryID", "FBaseUnitId", "FBARCODE", "FTaxType", "FTaxRateId", "FIsPurchase",
            "FIsInventory", "FIsSale", "FIsProduce", "FIsSubContract", "FIsAsset", "FGROSSWEIGHT", "FNETWEIGHT",
            "FLENGTH", "FWIDTH", "FHEIGHT", "FSuite",
        ),
        "SubHeadEntity1": ("FStoreUnitID", "FStockId", "FIsBatchManage", "FIsKFPeriod", "FExpPeriod", "FIsSNManage",
                           "FMinStock", "FSafeStock", "FMaxStock", "FCurrencyId"),
        "SubHeadEntity2": ("FSaleUnitId", "FSalePriceUnitId", "FOutLmtUnit"),
        "SubHeadEntity3": ("FPurchaseUnitId", "FPurchasePriceUnitId", "FQuotaType", "FIsPR"),
        "SubHeadEntity4": ("FPlanningStrategy", "FOrderPolicy", "FReserveType"),
    },
    organisations=("FCreateOrgId", "FUseOrgId"),
)  # fmt: skip

_CUSTOMER = FormInfo(
    id="BD_Customer", pk="FCUSTID", number="FNumber", switches=FORBID, archive=FORBIDDEN,
    entries={"FT_BD_CUSTBANK": "FENTRYID", "FT_BD_CUSTCONTACT": "FENTRYID"},
    organisations=("FCreateOrgId", "FUseOrgId"),
)  # fmt: skip

_OUTBOUND = FormInfo(
    id="SAL_OUTSTOCK", entries={"FEntity": "FENTRYID"}, joined="FEntity",
    subheads={"SubHeadEntity": ("FSettleCurrID", "FSettleOrgID", "FExchangeRate", "FIsIncludedTax")},
    organisations=("FSaleOrgId", "FStockOrgId"), units=("FMaterialID", "FUnitID", "FStoreUnitID"),
    constants={"FBillTypeID": {"FNUMBER": "XSCKD01_SYS"}},
)  # fmt: skip

KNOWN = {info.id: info for info in (_ORDER, _RECEIVABLE, _MATERIAL, _CUSTOMER, _OUTBOUND)} | {
    form: FormInfo(form, pk=pk, number="FNumber", switches=FORBID, archive=FORBIDDEN)
    for form, pk in {
        "BD_Supplier": "FSupplierId", "BD_STOCK": "FSTOCKID", "BD_Department": "FDEPTID",
        "BD_CommonContact": "FContactId", "BD_Currency": "FCURRENCYID", "BD_UNIT": "FUNITID",
    }.items()
}  # fmt: skip


def form_info(name: str, own: FormSettings | None) -> FormInfo:
    """What is known of a form, with the user's own settings on top. An unknown one is taken for a bill, or for base
    data when it begins with BD_."""
    info = KNOWN.get(name) or (
        FormInfo(name, number="FNumber", switches=FORBID, archive=FORBIDDEN)
        if name.startswith("BD_")
        else FormInfo(name)
    )
    if own is None:
        return info
    changes: dict[str, object] = {k: v for k, v in own.model_dump(exclude_none=True).items() if k != "subheads"}
    if own.subheads is not None:
        changes["subheads"] = {k: tuple(v) for k, v in own.subheads.items()}
    for name_ in ("changed_by", "organisations"):
        if name_ in changes:
            changes[name_] = tuple(changes[name_])  # type: ignore[arg-type]
    if own.entries is not None and info.joined not in own.entries:
        changes["joined"] = None
    return replace(info, **changes)  # type: ignore[arg-type]


def subhead_of(info: FormInfo, key: str) -> str | None:
    """The sub-head in which Save wants a field."""
    lower = key.lower()
    return next((s for s, keys in info.subheads.items() if any(k.lower() == lower for k in keys)), None)
