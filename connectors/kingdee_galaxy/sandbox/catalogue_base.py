"""Base data forms: customers, materials and what they refer to. Keys as in the vendor's field lists."""

from __future__ import annotations

from .forms import Entry, F, Form, SubHead, base, number, tracked

ENABLED = (("A", "否"), ("B", "是"))
FORBID = F("FForbidStatus", "禁用状态", "choice", computed=True, default="A", choices=ENABLED)
FORBID_OPERATIONS = (("Forbid", "禁用"), ("Enable", "反禁用"))
HUB_KEY = F("F_HUB_KEY", "外部系统主键", length=80)
ORG = "ORG_Organizations"


def simple(form: str, label: str, pk: str, prefix: str) -> Form:
    """A form with no more than number and name."""
    return Form(
        id=form, label=label, pk=pk, number="FNumber", prefix=prefix, base_data=True,
        fields=(F("FNumber", "编码", length=80), F("FName", "名称", "names", must=True), *tracked(), FORBID),
        operations=FORBID_OPERATIONS,
    )  # fmt: skip


CUSTOMER = Form(
    id="BD_Customer", label="客户", pk="FCUSTID", number="FNumber", prefix="CUST", base_data=True, org="FCreateOrgId",
    fields=(
        F("FNumber", "客户编码", length=80),
        F("FName", "客户名称", "names", must=True, length=255),
        F("FShortName", "简称", "names", length=100),
        base("FCreateOrgId", "创建组织", ORG, must=True),
        base("FUseOrgId", "使用组织", ORG, default="=FCreateOrgId"),
        base("FTRADINGCURRID", "结算币别", "BD_Currency", must=True),
        F("FTEL", "联系电话", length=100),
        F("FFAX", "传真", length=100),
        F("FADDRESS", "通讯地址", length=255),
        F("FZIP", "邮政编码", length=50),
        F("FWEBSITE", "公司网址", length=255),
        base("FCOUNTRY", "国家", "BOS_ASSISTANTDATA_DETAIL"),
        base("FPROVINCIAL", "地区", "BOS_ASSISTANTDATA_DETAIL"),
        F("FTAXREGISTERCODE", "纳税登记号", length=50),
        F("FSOCIALCRECODE", "统一社会信用代码", length=50),
        F("FINVOICETITLE", "发票抬头", length=255),
        F("FINVOICEBANKNAME", "开户银行", length=255),
        F("FINVOICEBANKACCOUNT", "银行账号", length=80),
        F("FINVOICETEL", "开票联系电话", length=50),
        F("FINVOICEADDRESS", "开票通讯地址", length=255),
        F("FInvoiceType", "发票类型", "choice", default="1", choices=(("1", "增值税专用发票"), ("2", "普通发票"))),
        base("FTaxRate", "默认税率", "BD_TaxRate"),
        base("FRECCONDITIONID", "收款条件", "BD_RecCondition"),
        base("FGroup", "客户分组", "BD_CustomerGroup"),
        F("FISCREDITCHECK", "启用信用管理", "bool", default="true"),
        F("FDescription", "描述", "names", length=255),
        *tracked(), FORBID, HUB_KEY,
    ),
    entries=(
        Entry("FT_BD_CUSTBANK", "银行信息", "BD_CUSTBANK", id_key="FENTRYID", fields=(
            F("FOPENBANKNAME", "开户银行", length=255), F("FBANKCODE", "银行账号", length=80),
            F("FACCOUNTNAME", "账户名称", length=255), base("FCURRENCYID", "币别", "BD_Currency"),
            F("FISDEFAULT1", "默认", "bool", default="false"),
        )),
        Entry("FT_BD_CUSTCONTACT", "地址信息", "BD_CUSTCONTACT", id_key="FENTRYID", fields=(
            F("FNUMBER1", "地点编码", length=80), F("FNAME1", "地点名称", length=255, must=True),
            F("FADDRESS1", "详细地址", length=255, must=True), F("FMOBILE", "移动电话", length=50),
            base("FTContact", "联系人", "BD_CommonContact"),
            F("FIsDefaultConsignee", "默认收货地址", "bool", default="false"),
            F("FIsDefaultSettle", "默认开票地址", "bool", default="false"),
            F("FIsDefaultPayer", "默认付款地址", "bool", default="false"),
            F("FIsUsed", "启用", "bool", default="true"),
        )),
    ),
    operations=FORBID_OPERATIONS,
)  # fmt: skip

MATERIAL = Form(
    id="BD_MATERIAL", label="物料", pk="FMATERIALID", number="FNumber", prefix="CH", base_data=True, org="FCreateOrgId",
    fields=(
        F("FNumber", "编码", length=80),
        F("FName", "名称", "names", must=True, length=255),
        F("FSpecification", "规格型号", "names", length=510),
        F("FMnemonicCode", "助记码", length=30),
        F("FOldNumber", "旧物料编码", length=50),
        F("FDescription", "描述", "names", length=510),
        base("FMaterialGroup", "物料分组", "BD_MATERIALGROUP"),
        base("FCreateOrgId", "创建组织", ORG, must=True),
        base("FUseOrgId", "使用组织", ORG, default="=FCreateOrgId"),
        *tracked(), FORBID, HUB_KEY,
    ),
    subheads=(
        SubHead("SubHeadEntity", "基本信息", "MaterialBase", fields=(
            F("FBARCODE", "条码", length=80),
            F("FErpClsID", "物料属性", "choice", must=True, default="1",
              choices=(("1", "外购"), ("2", "自制"), ("3", "委外"), ("4", "特征"), ("9", "配置"))),
            base("FCategoryID", "存货类别", "BD_MATERIALCATEGORY", must=True, default="CHLB01_SYS"),
            base("FBaseUnitId", "基本单位", "BD_UNIT", must=True, default="Pcs"),
            base("FTaxRateId", "默认税率", "BD_TaxRate", default="SL02_SYS"),
            F("FIsPurchase", "允许采购", "bool", default="true"), F("FIsInventory", "允许库存", "bool", default="true"),
            F("FIsSale", "允许销售", "bool", default="true"), F("FIsProduce", "允许生产", "bool", default="false"),
            F("FIsAsset", "允许资产", "bool", default="false"),
            number("FGROSSWEIGHT", "毛重", 6), number("FNETWEIGHT", "净重", 6), number("FLENGTH", "长", 6),
            number("FWIDTH", "宽", 6), number("FHEIGHT", "高", 6),
        )),
        SubHead("SubHeadEntity1", "库存", "MaterialStock", fields=(
            base("FStoreUnitID", "库存单位", "BD_UNIT", must=True, default="=FBaseUnitId"),
            F("FIsBatchManage", "启用批号管理", "bool", default="false"),
            number("FMinStock", "最小库存", 6), number("FSafeStock", "安全库存", 6), number("FMaxStock", "最大库存", 6),
        )),
        SubHead("SubHeadEntity2", "销售", "MaterialSale", fields=(
            base("FSaleUnitId", "销售单位", "BD_UNIT", must=True, default="=FBaseUnitId"),
            base("FSalePriceUnitId", "销售计价单位", "BD_UNIT", must=True, default="=FBaseUnitId"),
        )),
        SubHead("SubHeadEntity3", "采购", "MaterialPurchase", fields=(
            base("FPurchaseUnitId", "采购单位", "BD_UNIT", must=True, default="=FBaseUnitId"),
            base("FPurchasePriceUnitId", "采购计价单位", "BD_UNIT", must=True, default="=FBaseUnitId"),
        )),
    ),
    operations=FORBID_OPERATIONS,
)  # fmt: skip

CONTACT = Form(
    id="BD_CommonContact", label="联系人", pk="FContactId", number="FNumber", prefix="CXR", base_data=True,
    fields=(
        F("FNumber", "编码", length=80), F("FName", "名称", "names", must=True), F("FMobile", "移动电话", length=50),
        F("FTel", "固定电话", length=50), F("FEmail", "邮箱", length=100), F("FPost", "职务", length=100),
        F("FBizAddress", "通讯地址", length=255), base("FCustId", "所属客户", "BD_Customer"),
        *tracked(), FORBID, HUB_KEY,
    ),
    operations=FORBID_OPERATIONS,
)  # fmt: skip

BASE_FORMS = (
    CUSTOMER,
    MATERIAL,
    CONTACT,
    simple("ORG_Organizations", "组织机构", "FOrgID", "ORG"),
    simple("BD_Currency", "币别", "FCURRENCYID", "PRE"),
    simple("BD_UNIT", "计量单位", "FUNITID", "UNIT"),
    simple("BD_Saler", "销售员", "FSALERID", "S"),
    simple("BD_Department", "部门", "FDEPTID", "BM"),
    simple("BD_STOCK", "仓库", "FSTOCKID", "CK"),
    simple("BD_TaxRate", "税率", "FTaxRateId", "SL"),
    simple("BD_RecCondition", "收款条件", "FRecConditionId", "SKTJ"),
    simple("BD_Rate", "汇率类型", "FRATETYPEID", "HLTX"),
    simple("BD_MATERIALCATEGORY", "存货类别", "FCATEGORYID", "CHLB"),
    simple("BD_MATERIALGROUP", "物料分组", "FID", "WL"),
    simple("BD_CustomerGroup", "客户分组", "FID", "KH"),
    simple("BOS_BillType", "单据类型", "FBILLTYPEID", "LX"),
    simple("BOS_ASSISTANTDATA_DETAIL", "辅助资料", "FEntryID", "FZ"),
)
