"""Bills: sales order, outbound delivery, receivable. Keys as in the vendor's field lists, letter by letter."""

from __future__ import annotations

from .catalogue_base import BASE_FORMS, HUB_KEY, ORG
from .forms import Amounts, Entry, F, Form, SubHead, base, number, tracked

NORMAL_VOID = (("A", "正常"), ("B", "已作废"))
OPEN_CLOSED = (("A", "未关闭"), ("B", "已关闭"))
NUMBER = F("FBillNo", "单据编号", length=80)
CANCEL = F("FCancelStatus", "作废状态", "choice", computed=True, default="A", choices=NORMAL_VOID)
OPENED = (("A", "空"), ("B", "部分"), ("C", "完全"))


BILL_TYPE = base("FBillTypeID", "单据类型", "BOS_BillType", must=True)

SALES_ORDER = Form(
    id="SAL_SaleOrder", label="销售订单", pk="FID", number="FBillNo", prefix="XSDD", org="FSaleOrgId",
    fields=(
        BILL_TYPE,
        NUMBER,
        F("FDate", "日期", "date", must=True),
        base("FSaleOrgId", "销售组织", ORG, must=True),
        base("FCustId", "客户", "BD_Customer", must=True),
        base("FSalerId", "销售员", "BD_Saler", must=True),
        base("FSaleDeptId", "销售部门", "BD_Department"),
        F("FLinkMan", "联系人", length=100),
        F("FLinkPhone", "联系电话", length=100),
        F("FReceiveAddress", "收货方地址", length=255),
        F("FNote", "备注", "names", length=255),
        F("FBusinessType", "业务类型", default="NORMAL"),
        F("FCloseStatus", "关闭状态", "choice", computed=True, default="A", choices=OPEN_CLOSED),
        CANCEL, *tracked(),
        F("F_CUSTOMER_PO", "客户采购单号", length=80),
        F("F_ORDER_TITLE", "订单主题", length=200),
        HUB_KEY,
    ),
    subheads=(
        SubHead("FSaleOrderFinance", "财务信息", "SaleOrderFinance", fields=(
            base("FSettleCurrId", "结算币别", "BD_Currency", must=True),
            base("FRecConditionId", "收款条件", "BD_RecCondition"),
            F("FIsIncludedTax", "是否含税", "bool", default="true"),
            base("FExchangeTypeId", "汇率类型", "BD_Rate", default="HLTX01_SYS"),
            number("FExchangeRate", "汇率", 10, default="1"),
            number("FBillAmount", "金额", computed=True), number("FBillTaxAmount", "税额", computed=True),
            number("FBillAllAmount", "价税合计", computed=True),
        )),
    ),
    entries=(
        Entry(
            "FSaleOrderEntry", "订单明细", "SaleOrderEntry", must=True,
            fields=(
                base("FMaterialId", "物料编码", "BD_MATERIAL", must=True),
                base("FUnitID", "销售单位", "BD_UNIT", must=True),
                number("FQty", "销售数量", 10),
                base("FPriceUnitId", "计价单位", "BD_UNIT", must=True, default="=FUnitID"),
                number("FPrice", "单价", 6), number("FTaxPrice", "含税单价", 6),
                number("FEntryTaxRate", "税率%"), number("FDiscountRate", "折扣率%", 6),
                F("FIsFree", "是否赠品", "bool", default="false"),
                F("FDeliveryDate", "要货日期", "date", must=True),
                base("FStockOrgId", "库存组织", ORG, default="=FSaleOrgId"),
                base("FSettleOrgIds", "结算组织", ORG, must=True, default="=FSaleOrgId"),
                base("FStockUnitID", "库存单位", "BD_UNIT", must=True, default="=FUnitID"),
                F("FReserveType", "预留类型", must=True, default="1"),
                F("FOUTLMTUNIT", "超发控制单位类型", must=True, default="SAL"),
                F("FEntryNote", "备注", "names", length=255),
                number("FAmount", "金额", computed=True), number("FTaxAmount", "税额", computed=True),
                number("FAllAmount", "价税合计", computed=True), number("FDiscount", "折扣额", computed=True),
                number("FStockOutQty", "累计出库数量", 10, computed=True),
                number("FRemainOutQty", "剩余未出数量", 10, computed=True),
                F("FMrpCloseStatus", "业务关闭", "choice", computed=True, default="A", choices=OPEN_CLOSED),
            ),
            amounts=Amounts(
                material="FMaterialId", quantity="FQty", price="FPrice", tax_price="FTaxPrice", rate="FEntryTaxRate",
                discount_rate="FDiscountRate", discount="FDiscount", net="FAmount", tax="FTaxAmount",
                gross="FAllAmount", included="FIsIncludedTax", resets=("FSaleOrgId", "FCustId", "FSettleCurrId"),
                head_net="FBillAmount", head_tax="FBillTaxAmount", head_gross="FBillAllAmount",
            ),
        ),
    ),
    operations=(
        ("Cancel", "作废"), ("UnCancel", "反作废"), ("YLBillClose", "整单关闭"), ("YLUnBillClose", "整单反关闭"),
        ("YLMRPClose", "业务关闭"), ("YLUnMRPClose", "反业务关闭"),
    ),
)  # fmt: skip

OUTBOUND = Form(
    id="SAL_OUTSTOCK", label="销售出库单", pk="FID", number="FBillNo", prefix="XSCKD", org="FSaleOrgId",
    fields=(
        BILL_TYPE, NUMBER,
        F("FDate", "日期", "date", must=True),
        base("FSaleOrgId", "销售组织", ORG, must=True),
        base("FCustomerID", "客户", "BD_Customer", must=True),
        base("FStockOrgId", "发货组织", ORG, must=True, default="=FSaleOrgId"),
        base("FSalesManID", "销售员", "BD_Saler"),
        F("FCarriageNO", "运输单号", length=80),
        F("FReceiveAddress", "收货方地址", length=255),
        F("FNote", "备注", "names", length=255),
        CANCEL, *tracked(), HUB_KEY,
    ),
    subheads=(
        SubHead("SubHeadEntity", "财务信息", "SAL_OUTSTOCKFIN", fields=(
            base("FSettleCurrID", "结算币别", "BD_Currency", must=True),
            base("FSettleOrgID", "结算组织", ORG, default="=FSaleOrgId"),
            number("FExchangeRate", "汇率", 10, default="1"),
            F("FIsIncludedTax", "是否含税", "bool", default="true"),
            number("FBillAmount", "金额", computed=True), number("FBillTaxAmount", "税额", computed=True),
            number("FBillAllAmount", "价税合计", computed=True),
        )),
    ),
    entries=(
        Entry(
            "FEntity", "明细信息", "SAL_OUTSTOCKENTRY", must=True, id_key="FENTRYID",
            fields=(
                base("FMaterialID", "物料编码", "BD_MATERIAL", must=True),
                base("FUnitID", "库存单位", "BD_UNIT", must=True),
                number("FMustQty", "应发数量", 10), number("FRealQty", "实发数量", 10),
                base("FStockID", "仓库", "BD_STOCK", must=True, default="CK001"),
                number("FPrice", "单价", 6), number("FTaxPrice", "含税单价", 6),
                number("FEntryTaxRate", "税率%"), number("FDiscountRate", "折扣率%", 6),
                F("FEntrynote", "备注", "names", length=255),
                F("FSrcType", "源单类型"), F("FSrcBillNo", "源单编号", length=80),
                F("FSoorDerno", "订单单号", length=80),
                number("FAmount", "金额", computed=True), number("FEntryTaxAmount", "税额", computed=True),
                number("FAllAmount", "价税合计", computed=True), number("FDiscount", "折扣额", computed=True),
            ),
            amounts=Amounts(
                material="FMaterialID", quantity="FRealQty", price="FPrice", tax_price="FTaxPrice",
                rate="FEntryTaxRate", discount_rate="FDiscountRate", discount="FDiscount", net="FAmount",
                tax="FEntryTaxAmount", gross="FAllAmount", included="FIsIncludedTax",
                resets=("FSaleOrgId", "FCustomerID", "FSettleCurrID"),
                head_net="FBillAmount", head_tax="FBillTaxAmount", head_gross="FBillAllAmount",
            ),
        ),
    ),
    operations=(("Cancel", "作废"), ("UnCancel", "反作废")),
)  # fmt: skip

RECEIVABLE = Form(
    id="AR_receivable", label="应收单", pk="FID", number="FBillNo", prefix="AR", org="FSETTLEORGID",
    fields=(
        BILL_TYPE, NUMBER,
        F("FDATE", "业务日期", "date", must=True),
        F("FENDDATE_H", "到期日", "date", must=True),
        base("FCUSTOMERID", "客户", "BD_Customer", must=True),
        base("FCURRENCYID", "币别", "BD_Currency", must=True),
        base("FSETTLEORGID", "结算组织", ORG, must=True),
        base("FPAYORGID", "收款组织", ORG, must=True),
        base("FSALEORGID", "销售组织", ORG, default="=FSETTLEORGID"),
        base("FSALEERID", "销售员", "BD_Saler"),
        F("FISTAX", "按含税单价录入", "bool", default="true"),
        F("FISPRICEEXCLUDETAX", "价外税", "bool", default="true"),
        F("FBUSINESSTYPE", "业务类型", default="BZ"),
        F("FSetAccountType", "立账类型", "choice", default="1",
          choices=(("1", "业务应收"), ("2", "暂估"), ("3", "财务"))),
        CANCEL,
        F("FAR_Remark", "备注", length=255),
        number("FALLAMOUNTFOR", "价税合计", computed=True), number("FNOTAXAMOUNTFOR", "不含税金额", computed=True),
        number("FTAXAMOUNTFOR", "税额", computed=True),
        F("FWRITTENOFFSTATUS", "核销状态", "choice", computed=True, default="A", choices=OPENED),
        F("FOPENSTATUS", "开票状态", "choice", computed=True, default="A", choices=OPENED),
        *tracked(),
        F("F_EINVOICE_NO", "数电票号码", length=20),
        F("F_INVOICE_TITLE", "主题", length=200),
        HUB_KEY,
    ),
    subheads=(
        SubHead("FsubHeadSuppiler", "客户信息", "AR_RECEIVABLESUPP", fields=(
            base("FORDERID", "订货方", "BD_Customer", default="=FCUSTOMERID"),
            base("FTRANSFERID", "送货方", "BD_Customer", default="=FCUSTOMERID"),
        )),
        SubHead("FsubHeadFinc", "财务信息", "AR_RECEIVABLEFIN", fields=(
            base("FMAINBOOKSTDCURRID", "本位币", "BD_Currency", must=True),
            base("FEXCHANGETYPE", "汇率类型", "BD_Rate", must=True),
            number("FExchangeRate", "汇率", 10, default="1"),
            F("FACCNTTIMEJUDGETIME", "到期日计算日期", "date", must=True),
        )),
    ),
    entries=(
        Entry(
            "FEntityDetail", "明细", "AP_PAYABLEENTRY", must=True,
            fields=(
                base("FMATERIALID", "物料编码", "BD_MATERIAL", must=True),
                base("FPRICEUNITID", "计价单位", "BD_UNIT", must=True),
                number("FPriceQty", "计价数量", 10),
                number("FPrice", "单价", 6), number("FTaxPrice", "含税单价", 6),
                number("FEntryTaxRate", "税率%"), number("FEntryDiscountRate", "折扣率%", 6),
                number("FDISCOUNTAMOUNTFOR", "折扣额", computed=True),
                number("FNoTaxAmountFor_D", "不含税金额", computed=True),
                number("FTAXAMOUNTFOR_D", "税额", computed=True), number("FALLAMOUNTFOR_D", "价税合计", computed=True),
                F("FSourceBillNo", "源单编号", length=80), F("FSOURCETYPE", "源单类型", length=80),
                F("FORDERNUMBER", "销售订单号", length=80), F("FCOMMENT", "备注", length=255),
            ),
            amounts=Amounts(
                material="FMATERIALID", quantity="FPriceQty", price="FPrice", tax_price="FTaxPrice",
                rate="FEntryTaxRate", discount_rate="FEntryDiscountRate", discount="FDISCOUNTAMOUNTFOR",
                net="FNoTaxAmountFor_D", tax="FTAXAMOUNTFOR_D", gross="FALLAMOUNTFOR_D",
                included="FISTAX", resets=("FCUSTOMERID", "FCURRENCYID", "FSETTLEORGID"),
                head_net="FNOTAXAMOUNTFOR", head_tax="FTAXAMOUNTFOR", head_gross="FALLAMOUNTFOR",
            ),
        ),
    ),
    operations=(("Cancel", "作废"), ("UnCancel", "反作废")),
)  # fmt: skip

FORMS = {form.id: form for form in (*BASE_FORMS, SALES_ORDER, OUTBOUND, RECEIVABLE)}
