"""The benchmark's business data: record number → what it says, and how each of the two systems writes it down.

Everything is a function of the record's number and of how often it was edited, so that the server, the scripts and the
final comparison agree without sharing any state, and none of them needs the others' code to know what is right. System
A looks like a CRM (35 top-level fields, 1.7 KB), system B like an ERP (short codes, nested base data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

CITIES = (
    ("上海", "上海市", "浦东新区", "CN"),
    ("深圳", "广东省", "南山区", "CN"),
    ("杭州", "浙江省", "滨江区", "CN"),
    ("Hamburg", "HH", "Altona", "DE"),
    ("Lyon", "ARA", "Presqu'île", "FR"),
    ("Austin", "TX", "Downtown", "US"),
    ("São Paulo", "SP", "Pinheiros", "BR"),
)
NAMES = ("华信科技", "远景贸易", "Müller Präzision", "Blue Ridge Supply", "东方机电", "Étoile Textile", "恒达包装")
FORMS = ("有限公司", "股份有限公司", "GmbH", "LLC", "有限公司", "SARL", "有限责任公司")
PEOPLE = ("王丽", "李强", "Anna Schmidt", "John Carter", "陈晓东", "Chloé Martin", "赵敏")
INDUSTRIES = ("制造业", "批发零售", "Machinery", "Logistics", "电子", "Textiles", "包装")
TERMS = ("NET30", "NET60", "COD", "月结30天", "NET45")
NOTE = (
    "Long-standing account; deliveries before noon only, pallets up to 180 cm, call the warehouse an hour ahead. "
    "每月对账一次, 发票随货同行, 质量问题七日内书面提出。 Prices follow the frame agreement of the year; "
)
UNITS = ("Pcs", "Box", "kg")
CURRENCIES = {"CNY": "PRE001", "USD": "PRE007", "EUR": "PRE006"}
"""ISO code → the code that system B uses."""
CODES = tuple(CURRENCIES)
ADDRESS_PARTS = ("recipient", "phone", "street", "district", "city", "state", "postal_code", "country")
PRODUCTS = 500
ORDER_CUSTOMERS = 1000


USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def tax_id(i: int) -> str:
    """A 统一社会信用代码 with a right check character (GB 32100-2015)."""
    serial = ""
    for _ in range(5):
        i, digit = divmod(i, 31)
        serial = USCC[digit] + serial
    body = "91310115MA1H" + serial
    total = sum(USCC.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return body + USCC[-total % 31]


def cents(value: int) -> Decimal:
    return Decimal(value).scaleb(-2)


def address(i: int, shift: int) -> Record:
    """One address in neutral terms: billed in China, as the tax numbers are Chinese, shipped anywhere. Every eleventh
    customer has none of the second kind."""
    if shift and i % 11 == 0:
        return dict.fromkeys(ADDRESS_PARTS)
    city, state, district, country = CITIES[(i + shift) % 7 if shift else i % 3]
    return {
        "recipient": PEOPLE[(i + shift) % 7],
        "phone": f"+86136{(i * 17 + shift) % 100_000_000:08d}",
        "street": f"{i % 998 + 1} 世纪大道 Century Avenue, Building {(i + shift) % 40 + 1}, Floor {i % 30 + 1}",
        "district": district,
        "city": city,
        "state": state,
        "postal_code": f"{200000 + (i + shift) % 99999}",
        "country": country,
    }


def customer(i: int, edits: int = 0) -> Record:
    """What is true of customer ``i`` after it was edited ``edits`` times, in neutral terms."""
    form = i % 7
    return {
        "number": f"C{i:07d}",
        "name": f"{NAMES[form]} {i} {FORMS[form]}",
        "short_name": None if i % 13 == 0 else f"{NAMES[form]}{i}",
        "kind": "person" if i % 19 == 0 else "company",
        "tax_id": tax_id(i),
        "phone": f"+86138{(i + 1_000_000 * edits) % 100_000_000:08d}",
        "fax": None if i % 3 else f"+86139{i % 100_000_000:08d}",
        "email": f"office{i}@example{form}.com",
        "website": f"https://www.example{form}.com/c/{i}",
        "industry": INDUSTRIES[form],
        "status": "inactive" if i % 41 == 0 else "active",
        "currency": CODES[i % 3],
        "credit_limit": cents(i * 977 % 90_000_000 + 50 + 100 * edits),
        "payment_terms": TERMS[i % 5],
        "description": f"Customer {i}, revision {edits}. {NOTE * 2}".strip(),
        "employees": i % 5000 + 1,
        "annual_revenue": cents(i * 7919 % 9_000_000_000),
        "invoice_title": f"{NAMES[form]} {i} {FORMS[form]}",
        "bank_name": "中国工商银行上海分行" if form < 4 else "Deutsche Bank AG",
        "bank_account": f"6222{i:015d}",
        "billing": address(i, 0),
        "shipping": address(i, 3),
    }


def customer_in_a(c: Record) -> Record:
    """The CRM's way: flat, labels for choices, blanks at the ends of some names, empty text for nothing."""
    record = {
        "Account_Number": c["number"],
        "Account_Name": c["name"] + "  " if c["employees"] % 20 == 0 else c["name"],
        "Short_Name": c["short_name"] or "",
        "Account_Type": "Person" if c["kind"] == "person" else "Company",
        "Tax_Id": c["tax_id"],
        "Phone": c["phone"],
        "Fax": c["fax"],
        "Email": c["email"],
        "Website": c["website"],
        "Industry": c["industry"],
        "Account_Status": "Inactive" if c["status"] == "inactive" else "Active",
        "Currency": c["currency"],
        "Credit_Limit": c["credit_limit"],
        "Payment_Terms": c["payment_terms"],
        "Description": c["description"],
        "Employees": c["employees"],
        "Annual_Revenue": c["annual_revenue"],
        "Invoice_Title": c["invoice_title"],
        "Bank": {"Name": c["bank_name"], "Account": c["bank_account"]},
    }
    for kind in ("billing", "shipping"):
        for part in ADDRESS_PARTS:
            record[f"{kind.title()}_{part.title()}"] = c[kind][part]
    return record


def customer_in_b(c: Record) -> Record:
    """The ERP's way: codes for choices, base data and addresses nested."""
    record = {
        "FNumber": c["number"],
        "FName": c["name"],
        "FShortName": c["short_name"],
        "FCustType": "2" if c["kind"] == "person" else "1",
        "FTaxNo": c["tax_id"],
        "FTel": c["phone"],
        "FFax": c["fax"],
        "FEmail": c["email"],
        "FWebsite": c["website"],
        "FIndustry": c["industry"],
        "FForbidStatus": "B" if c["status"] == "inactive" else "A",
        "FCurrency": {"FNumber": CURRENCIES[c["currency"]]},
        "FCreditAmount": c["credit_limit"],
        "FPayTerm": c["payment_terms"],
        "FDescription": c["description"],
        "FStaff": c["employees"],
        "FRevenue": c["annual_revenue"],
        "FInvoiceTitle": c["invoice_title"],
        "FBankName": c["bank_name"],
        "FBankAccount": c["bank_account"],
    }
    for field, kind in (("FBill", "billing"), ("FShip", "shipping")):
        record[field] = {part.title(): c[kind][part] for part in ADDRESS_PARTS}
    return record


def product(i: int, edits: int = 0) -> Record:
    return {
        "number": f"P{i:05d}",
        "name": f"轴承 Bearing {i}",
        "specification": f"{i % 90 + 10}×{i % 200 + 20} mm, rev {edits}",
        "unit": UNITS[i % 3],
        "list_price": cents(i * 31 % 100_000 + 100),
        "tax_rate": 13,
    }


def product_in_a(p: Record) -> Record:
    return {
        "Product_Code": p["number"],
        "Product_Name": p["name"],
        "Specification": p["specification"],
        "Unit": p["unit"],
        "Unit_Price": p["list_price"],
        "Tax": p["tax_rate"],
    }


def product_in_b(p: Record) -> Record:
    return {
        "FNumber": p["number"],
        "FName": p["name"],
        "FSpecification": p["specification"],
        "FBaseUnit": p["unit"],
        "FPrice": p["list_price"],
        "FTaxRate": p["tax_rate"],
    }


def order_line(i: int, no: int) -> Record:
    quantity = (i + no) % 90 + 1
    price = (i * 31 + no * 7) % 100_000 + 100
    net = quantity * price
    tax = (net * 13 + 50) // 100
    return {
        "line_no": no,
        "product": (i * 3 + no) % PRODUCTS,
        "description": f"Bearing set {no} for order {i}, 按图纸加工",
        "unit": UNITS[(i + no) % 3],
        "quantity": Decimal(quantity),
        "unit_price": cents(price),
        "tax_rate": Decimal(13),
        "net_amount": cents(net),
        "tax_amount": cents(tax),
        "amount": cents(net + tax),
        "delivery_date": f"2026-{i % 12 + 1:02d}-{(i + no) % 28 + 1:02d}",
    }


def order(i: int, edits: int = 0) -> Record:
    """Order ``i`` with five lines. ``customer`` and ``product`` are record numbers."""
    lines = [order_line(i, no) for no in range(1, 6)]
    return {
        "number": f"SO-{i:07d}",
        "customer_po": f"PO{i * 7 % 10_000_000}",
        "title": f"Order {i} 年度框架订单",
        "customer": i % ORDER_CUSTOMERS,
        "order_date": f"2026-{i % 12 + 1:02d}-{i % 28 + 1:02d}",
        "due_date": f"2027-{i % 12 + 1:02d}-{i % 28 + 1:02d}",
        "currency": CODES[i % 3],
        "status": ("draft", "submitted", "approved")[i % 3],
        "note": f"Deliver to dock {i % 12}, revision {edits}",
        "net_total": sum(line["net_amount"] for line in lines),
        "tax_total": sum(line["tax_amount"] for line in lines),
        "total": sum(line["amount"] for line in lines),
        "salesperson": PEOPLE[i % 7],
        "lines": lines,
    }


LINE_IN_A = {
    "line_no": "No",
    "description": "Description",
    "unit": "Unit",
    "quantity": "Quantity",
    "unit_price": "Unit_Price",
    "tax_rate": "Tax_Rate",
    "net_amount": "Net",
    "tax_amount": "Tax",
    "amount": "Amount",
    "delivery_date": "Delivery_Date",
}
LINE_IN_B = {
    "line_no": "FSeq",
    "description": "FNote",
    "unit": "FUnit",
    "quantity": "FQty",
    "unit_price": "FPrice",
    "tax_rate": "FEntryTaxRate",
    "net_amount": "FAmount",
    "tax_amount": "FTaxAmount",
    "amount": "FAllAmount",
    "delivery_date": "FDeliveryDate",
}
STATUS_IN_B = {"draft": "A", "submitted": "B", "approved": "C"}


def order_in_a(o: Record) -> Record:
    return {
        "SO_Number": o["number"],
        "Purchase_Order": o["customer_po"],
        "Subject": o["title"],
        "Account": {"id": remote_id("customers", o["customer"])},
        "Order_Date": o["order_date"],
        "Due_Date": o["due_date"],
        "Currency": o["currency"],
        "Status": o["status"].title(),
        "Terms": o["note"],
        "Sub_Total": o["net_total"],
        "Tax": o["tax_total"],
        "Grand_Total": o["total"],
        "Owner": o["salesperson"],
        "Items": [
            {LINE_IN_A[k]: v for k, v in line.items() if k != "product"}
            | {"Product": {"id": remote_id("products", line["product"])}}
            for line in o["lines"]
        ],
    }


def order_in_b(o: Record) -> Record:
    """References here are the numbers of what is referred to: B's own ids depend on who came first."""
    return {
        "FBillNo": o["number"],
        "FCustPO": o["customer_po"],
        "FTitle": o["title"],
        "FCustId": {"number": f"C{o['customer']:07d}"},
        "FDate": o["order_date"],
        "FDueDate": o["due_date"],
        "FCurrency": {"FNumber": CURRENCIES[o["currency"]]},
        "FDocumentStatus": STATUS_IN_B[o["status"]],
        "FNote": o["note"],
        "FBillAmount": o["net_total"],
        "FBillTaxAmount": o["tax_total"],
        "FBillAllAmount": o["total"],
        "FSaler": o["salesperson"],
        "FEntry": [
            {LINE_IN_B[k]: v for k, v in line.items() if k != "product"}
            | {"FMaterialId": {"number": f"P{line['product']:05d}"}}
            for line in o["lines"]
        ],
    }


Shape = Callable[[Record], Record]
KINDS: dict[str, tuple[Callable[[int, int], Record], Shape, Shape]] = {
    "customers": (customer, customer_in_a, customer_in_b),
    "products": (product, product_in_a, product_in_b),
    "orders": (order, order_in_a, order_in_b),
}
"""Resource → (what is true of record i, how A writes it, how B writes it)."""


def remote_id(resource: str, i: int) -> str:
    """Id that a loaded record has in its system."""
    return f"{resource[0].upper()}{i:09d}"


def in_a(resource: str, i: int, edits: int = 0) -> Record:
    make, shape, _ = KINDS[resource]
    return shape(make(i, edits))


def in_b(resource: str, i: int, edits: int = 0) -> Record:
    make, _, shape = KINDS[resource]
    return shape(make(i, edits))


def picked(n: int, count: int, offset: int = 0) -> Iterator[int]:
    """``count`` record numbers spread evenly over ``n``, another set for another ``offset``."""
    step = max(1, n // count)
    return ((i * step + offset) % n for i in range(min(count, n)))


def spoil(resource: str, record: Record, how: str) -> Record:
    """A bad record as system A may hold one: ``map`` can't be translated, ``refuse`` is what B will not take."""
    if resource != "customers":
        raise ValueError("only customers can be spoiled")
    if how == "map":
        return record | {"Account_Status": "Frozen?"}
    return record | {"Payment_Terms": REFUSED}


REFUSED = "REFUSE-ME"
"""A value that the server's target refuses when told to."""
