"""How alike two names of a field are: English and Chinese, spelled and shortened the way business systems do it."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

ENTITIES: dict[str, tuple[str, ...]] = {
    "customer": ("customer", "client", "account", "company", "cust", "debtor", "buyer", "客户", "顾客", "公司", "单位"),
    "contact": ("contact", "person", "联系人", "联络人"),
    "product": ("product", "material", "item", "article", "sku", "goods", "产品", "商品", "物料", "货品", "存货"),
    "order": ("order", "sales order", "so", "bill", "订单", "销售订单", "单据"),
    "invoice": ("invoice", "receivable", "bill", "发票", "应收单", "单据"),
}
"""What an entity is called elsewhere: such a word in a field's name says nothing beyond the entity."""

FIELDS: dict[str, tuple[str, ...]] = {
    "number": ("no", "code", "num", "nr", "编号", "编码", "代码", "单号", "单据编号", "号码"),
    "name": (
        "full name",
        "title",
        "legal name",
        "company",
        "company name",
        "firm",
        "名称",
        "全称",
        "名字",
        "公司名称",
        "客户名称",
        "抬头",
    ),
    "short_name": ("short name", "abbreviation", "nickname", "alias", "简称", "短名"),
    "kind": ("type", "category", "类型", "类别", "种类"),
    "tax_id": (
        "tax number",
        "tax no",
        "vat",
        "vat no",
        "vat id",
        "vat number",
        "uscc",
        "tin",
        "税号",
        "纳税人识别号",
        "统一社会信用代码",
        "信用代码",
        "纳税登记号",
        "social credit code",
    ),
    "phone": ("tel", "telephone", "phone number", "电话", "联系电话", "固定电话", "座机"),
    "mobile": ("mobile phone", "cell", "cellphone", "handphone", "手机", "手机号", "移动电话"),
    "fax": ("fax number", "传真"),
    "email": ("e mail", "mail", "email address", "邮箱", "电子邮件", "电子邮箱", "邮件"),
    "website": ("web", "url", "homepage", "网址", "网站", "公司网址"),
    "industry": ("branch", "sector", "行业", "所属行业"),
    "status": ("state", "stage", "status", "状态", "数据状态", "启用状态", "禁用状态"),
    "currency": ("curr", "currency code", "币种", "币别", "货币", "结算币别"),
    "credit_limit": ("credit", "credit line", "信用额度", "授信额度"),
    "payment_terms": ("terms", "payment condition", "付款条件", "收款条件", "账期"),
    "description": ("notes", "remark", "remarks", "comment", "描述", "说明", "备注"),
    "note": ("notes", "remark", "remarks", "comment", "memo", "备注", "说明", "摘要"),
    "employees": ("headcount", "staff", "number of employees", "员工数", "员工人数"),
    "annual_revenue": ("revenue", "turnover", "年收入", "年营业额"),
    "invoice_title": ("billing name", "发票抬头", "开票名称"),
    "bank_name": ("bank", "开户行", "开户银行", "银行名称"),
    "bank_account": ("iban", "account number", "bank account no", "银行账号", "银行帐号"),
    "parent": ("parent account", "parent company", "head office", "上级", "上级客户", "母公司"),
    "owner": ("sales rep", "responsible", "account manager", "负责人", "业务员", "所有者", "销售员"),
    "salesperson": ("sales rep", "seller", "saler", "销售员", "业务员", "销售人员"),
    "customer": ENTITIES["customer"],
    "contact": ENTITIES["contact"],
    "product": ENTITIES["product"],
    "order": ENTITIES["order"],
    "order_date": ("date", "ordered at", "ordered on", "日期", "订单日期", "下单日期"),
    "invoice_date": ("date", "invoiced on", "日期", "开票日期", "业务日期"),
    "due_date": ("due", "deadline", "delivery date", "到期日", "交货日期", "要货日期"),
    "delivery_date": ("delivery", "due date", "交货日期", "要货日期"),
    "customer_po": ("purchase order", "po number", "po no", "客户采购单号", "客户订单号"),
    "title": ("subject", "topic", "主题", "标题", "订单主题"),
    "exchange_rate": ("rate", "汇率"),
    "price_includes_tax": ("tax included", "is included tax", "含税", "是否含税", "按含税单价录入"),
    "net_total": ("sub total", "net", "net amount", "amount", "不含税金额", "金额"),
    "tax_total": ("tax", "tax amount", "vat amount", "税额"),
    "total": ("grand total", "gross", "all amount", "total amount", "价税合计", "总金额", "合计"),
    "discount": ("rebate", "discount amount", "折扣", "折扣额"),
    "discount_rate": ("discount percent", "折扣率"),
    "freight": ("shipping cost", "carriage", "运费"),
    "line_no": ("seq", "line", "position", "行号", "序号", "line number"),
    "unit": ("uom", "unit of measure", "usage unit", "base unit", "单位", "计量单位", "基本单位", "计价单位"),
    "quantity": ("qty", "count", "数量", "计价数量", "销售数量"),
    "unit_price": ("price", "单价", "list price", "净价"),
    "unit_price_tax": ("tax price", "gross price", "含税单价"),
    "list_price": ("price", "unit price", "标价", "单价"),
    "tax_rate": ("vat rate", "tax percent", "entry tax rate", "税率"),
    "net_amount": ("amount", "net", "不含税金额", "金额"),
    "tax_amount": ("tax", "税额"),
    "amount": ("all amount", "total", "gross amount", "价税合计"),
    "specification": ("spec", "model", "规格", "规格型号", "型号"),
    "category": ("group", "product category", "分类", "类别"),
    "barcode": ("ean", "gtin", "bar code", "条码", "条形码"),
    "weight": ("gross weight", "重量", "毛重"),
    "first_name": ("given name", "forename", "名"),
    "last_name": ("surname", "family name", "姓"),
    "full_name": ("name", "姓名", "联系人姓名"),
    "department": ("dept", "部门"),
    "street": ("address", "street address", "addr", "地址", "详细地址", "街道", "通讯地址"),
    "city": ("town", "城市", "市"),
    "district": ("county", "区", "区县"),
    "state": ("province", "region", "省", "省份", "地区"),
    "postal_code": ("zip", "postcode", "zip code", "code", "邮编", "邮政编码"),
    "country": ("nation", "国家"),
    "recipient": ("attention", "consignee", "收货人", "收件人"),
    "paid_amount": ("paid", "已收金额", "已付金额"),
    "einvoice_number": ("e invoice number", "einvoice no", "数电票号码", "发票号码"),
}
"""Canonical field → what it is called elsewhere."""

CHOICES: dict[str, tuple[str, ...]] = {
    "active": ("active", "enabled", "live", "open", "启用", "有效", "正常", "在用"),
    "inactive": ("inactive", "disabled", "blocked", "closed", "停用", "禁用", "无效", "失效"),
    "company": ("company", "business", "organisation", "organization", "公司", "企业"),
    "person": ("person", "individual", "private", "个人"),
    "draft": ("draft", "new", "created", "草稿", "新建", "暂存"),
    "submitted": ("submitted", "pending", "in approval", "已提交", "审核中"),
    "approved": ("approved", "confirmed", "released", "已审核", "已批准", "已确认"),
    "closed": ("closed", "delivered", "done", "completed", "finished", "已关闭", "已完成"),
    "cancelled": ("cancelled", "canceled", "void", "已取消", "作废", "已作废"),
    "billing": ("billing", "bill to", "invoice", "开票", "账单"),
    "shipping": ("shipping", "ship to", "delivery", "mailing", "收货", "送货"),
}
"""Canonical choice → what it is called elsewhere."""

SIMILAR = 70
"""The most that letters alone are worth."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KINGDEE = re.compile(r"^F_?(?=[A-Z])")
_PARTS = re.compile(r"[a-z]+|\d+|[\u4e00-\u9fff]+")


def tokens(name: str) -> tuple[str, ...]:
    """``FSettleCurrId`` → settle, curr; ``Order_Date`` → order, date; 客户编码 stays whole."""
    parts = _PARTS.findall(" ".join(_CAMEL.split(_KINGDEE.sub("", name))).lower())
    return tuple(
        parts[:-1] if len(parts) > 1 and parts[-1] == "id" and "tax" not in parts and "vat" not in parts else parts
    )


def likeness(field: str, entity: str, name: str, label: str = "") -> int:
    """How much a remote field's name or label sounds like a canonical field, 0 to 100."""
    wanted = {" ".join(tokens(word)) for word in (field, *FIELDS.get(field, ()))}
    wanted |= {" ".join(field.split("_"))}
    best = 0.0
    for said in filter(None, (name, label)):
        for form in _forms(tokens(said), entity):
            best = max(best, *(_alike(form, word) for word in wanted))
    return round(best)


def choice(value: object, choices: tuple[str, ...]) -> str | None:
    """The canonical choice that a remote word means; None when it is like none of them."""
    said = " ".join(tokens(str(value)))
    scored = [(max(_alike(said, word) for word in (c, *CHOICES.get(c, ()))), c) for c in choices] if said else []
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= 90 else None


def _forms(parts: tuple[str, ...], entity: str) -> set[str]:
    """The name as it is, and without the words that only name the entity."""
    whole = " ".join(parts)
    forms = {whole, whole.replace(" ", "")}
    for word in ENTITIES.get(entity.partition(".")[0], (entity,)):
        rest = whole.replace(word, "") if not word.isascii() else re.sub(rf"\b{word}\b", "", whole)
        forms.add(" ".join(rest.split()))
    return {form for form in forms if form}


def _alike(one: str, other: str) -> float:
    """The same words: 100. Some of the same, or a word and its beginning: by how many. Only similar letters: at most
    ``SIMILAR``, for county is not country."""
    if one == other or one.replace(" ", "") == other.replace(" ", ""):
        return 100.0
    mine, theirs = one.split(), other.split()
    same = sum(any(_same_word(word, another) for another in theirs) for word in mine)
    shared = 190.0 * same / (len(mine) + len(theirs)) if same else 0.0
    return max(min(shared, 95.0), min(fuzz.ratio(one, other) - 15, SIMILAR))


def _same_word(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 3 and short.isascii() and long.startswith(short))
