"""The handwritten side's mappings: what a good engineer writes for these two systems, and nothing more general.

``get_*`` turns a remote record into canonical values (in the canonical forms of ``hub.model.spec``), ``put_*`` turns
canonical values into a remote record. A record that the straight code can't take is redone field by field, so that the
problem is named; that is the contract of the hub's mappings too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unicodedata import is_normalized, normalize

Record = dict[str, Any]
Getter = Callable[[Record], Record]

MOBILE = re.compile(r"(?:\+86|0086)? ?-?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})", re.ASCII)
COUNTRIES = frozenset((
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HK", "HU",
    "ID", "IE", "IL", "IN", "IT", "JP", "KR", "MX", "MY", "NL", "NO", "NZ", "PL", "PT", "RO", "RU", "SE", "SG", "TH",
    "TR", "TW", "UA", "US", "VN", "ZA",
))  # fmt: skip
KIND = {"Company": "company", "Person": "person"}
KIND_IN_A = {value: code for code, value in KIND.items()}
KIND_OF_B = {"1": "company", "2": "person"}
KIND_IN_B = {value: code for code, value in KIND_OF_B.items()}
STATUS = {"Active": "active", "Inactive": "inactive"}
STATUS_IN_A = {value: code for code, value in STATUS.items()}
STATUS_OF_B = {"A": "active", "B": "inactive"}
STATUS_IN_B = {value: code for code, value in STATUS_OF_B.items()}
CURRENCY = {"CNY": "CNY", "USD": "USD", "EUR": "EUR"}
CURRENCY_OF_B = {"PRE001": "CNY", "PRE007": "USD", "PRE006": "EUR"}
CURRENCY_IN_B = {value: code for code, value in CURRENCY_OF_B.items()}
ORDER_STATUS = {"Draft": "draft", "Submitted": "submitted", "Approved": "approved"}
ORDER_STATUS_IN_B = {"draft": "A", "submitted": "B", "approved": "C"}


def text(value: str | None) -> str | None:
    if value is None:
        return None
    if not value.isascii() and not is_normalized("NFC", value):
        value = normalize("NFC", value)
    return value.strip() or None


def decimal(value: Decimal | int | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, int):
        return str(value)
    if not value:
        return "0"
    written = str(value)
    if "E" in written:
        written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def phone(value: str | None) -> str | None:
    value = text(value)
    if value is None:
        return None
    mobile = MOBILE.fullmatch(value)
    if mobile:
        return f"+86{mobile[1]}{mobile[2]}{mobile[3]}"
    import phonenumbers

    return str(phonenumbers.format_number(phonenumbers.parse(value, "CN"), phonenumbers.PhoneNumberFormat.E164))


def email(value: str | None) -> str | None:
    value = text(value)
    if value is None or "@" not in value:
        return value
    person, _, domain = value.rpartition("@")
    return f"{person}@{domain.lower()}"


def tax_id(value: str | None) -> str | None:
    value = text(value)
    if value is None:
        return None
    value = value.upper()
    return value if value.isalnum() else "".join(filter(str.isalnum, value))


def country(value: str | None) -> str | None:
    value = text(value)
    if value is not None and value not in COUNTRIES:
        raise ValueError(f"no such country: {value}")
    return value


def integer(value: int | None) -> int | None:
    if value is not None and not isinstance(value, int):
        raise ValueError(f"not a whole number: {value}")
    return value


def number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def address_of_a(kind: str, prefix: str, r: Record) -> Record | None:
    values = {
        "kind": kind,
        "recipient": text(r[prefix + "_Recipient"]),
        "phone": phone(r[prefix + "_Phone"]),
        "street": text(r[prefix + "_Street"]),
        "district": text(r[prefix + "_District"]),
        "city": text(r[prefix + "_City"]),
        "state": text(r[prefix + "_State"]),
        "postal_code": text(r[prefix + "_Postal_Code"]),
        "country": country(r[prefix + "_Country"]),
    }
    return None if list(values.values()).count(None) == 8 else values


def customer_of_a(r: Record) -> Record:
    addresses = (address_of_a("billing", "Billing", r), address_of_a("shipping", "Shipping", r))
    return {
        "number": text(r["Account_Number"]),
        "name": text(r["Account_Name"]),
        "short_name": text(r["Short_Name"]),
        "kind": KIND[r["Account_Type"]],
        "tax_id": tax_id(r["Tax_Id"]),
        "phone": phone(r["Phone"]),
        "fax": phone(r["Fax"]),
        "email": email(r["Email"]),
        "website": text(r["Website"]),
        "industry": text(r["Industry"]),
        "status": STATUS[r["Account_Status"]],
        "currency": CURRENCY[r["Currency"]],
        "credit_limit": decimal(r["Credit_Limit"]),
        "payment_terms": text(r["Payment_Terms"]),
        "description": text(r["Description"]),
        "employees": integer(r["Employees"]),
        "annual_revenue": decimal(r["Annual_Revenue"]),
        "invoice_title": text(r["Invoice_Title"]),
        "bank_name": text(r["Bank"]["Name"]),
        "bank_account": text(r["Bank"]["Account"]),
        "addresses": [address for address in addresses if address is not None],
    }


def address_to_a(prefix: str, address: Record) -> Record:
    get = address.get
    return {
        prefix + "_Recipient": get("recipient"),
        prefix + "_Phone": get("phone"),
        prefix + "_Street": get("street"),
        prefix + "_District": get("district"),
        prefix + "_City": get("city"),
        prefix + "_State": get("state"),
        prefix + "_Postal_Code": get("postal_code"),
        prefix + "_Country": get("country"),
    }


def customer_to_a(c: Record) -> Record:
    addresses = {address["kind"]: address for address in c["addresses"]}
    return {
        "Account_Number": c["number"],
        "Account_Name": c["name"],
        "Short_Name": c["short_name"],
        "Account_Type": KIND_IN_A[c["kind"]],
        "Tax_Id": c["tax_id"],
        "Phone": c["phone"],
        "Fax": c["fax"],
        "Email": c["email"],
        "Website": c["website"],
        "Industry": c["industry"],
        "Account_Status": STATUS_IN_A[c["status"]],
        "Currency": c["currency"],
        "Credit_Limit": number(c["credit_limit"]),
        "Payment_Terms": c["payment_terms"],
        "Description": c["description"],
        "Employees": c["employees"],
        "Annual_Revenue": number(c["annual_revenue"]),
        "Invoice_Title": c["invoice_title"],
        "Bank": {"Name": c["bank_name"], "Account": c["bank_account"]},
        **address_to_a("Billing", addresses.get("billing", {})),
        **address_to_a("Shipping", addresses.get("shipping", {})),
    }


def address_of_b(kind: str, r: Record) -> Record | None:
    values = {
        "kind": kind,
        "recipient": text(r["Recipient"]),
        "phone": phone(r["Phone"]),
        "street": text(r["Street"]),
        "district": text(r["District"]),
        "city": text(r["City"]),
        "state": text(r["State"]),
        "postal_code": text(r["Postal_Code"]),
        "country": country(r["Country"]),
    }
    return None if list(values.values()).count(None) == 8 else values


def customer_of_b(r: Record) -> Record:
    addresses = (address_of_b("billing", r["FBill"]), address_of_b("shipping", r["FShip"]))
    return {
        "number": text(r["FNumber"]),
        "name": text(r["FName"]),
        "short_name": text(r["FShortName"]),
        "kind": KIND_OF_B[r["FCustType"]],
        "tax_id": tax_id(r["FTaxNo"]),
        "phone": phone(r["FTel"]),
        "fax": phone(r["FFax"]),
        "email": email(r["FEmail"]),
        "website": text(r["FWebsite"]),
        "industry": text(r["FIndustry"]),
        "status": STATUS_OF_B[r["FForbidStatus"]],
        "currency": CURRENCY_OF_B[r["FCurrency"]["FNumber"]],
        "credit_limit": decimal(r["FCreditAmount"]),
        "payment_terms": text(r["FPayTerm"]),
        "description": text(r["FDescription"]),
        "employees": integer(r["FStaff"]),
        "annual_revenue": decimal(r["FRevenue"]),
        "invoice_title": text(r["FInvoiceTitle"]),
        "bank_name": text(r["FBankName"]),
        "bank_account": text(r["FBankAccount"]),
        "addresses": [address for address in addresses if address is not None],
    }


def address_to_b(address: Record) -> Record:
    get = address.get
    return {
        "Recipient": get("recipient"),
        "Phone": get("phone"),
        "Street": get("street"),
        "District": get("district"),
        "City": get("city"),
        "State": get("state"),
        "Postal_Code": get("postal_code"),
        "Country": get("country"),
    }


def customer_to_b(c: Record) -> Record:
    addresses = {address["kind"]: address for address in c["addresses"]}
    return {
        "FNumber": c["number"],
        "FName": c["name"],
        "FShortName": c["short_name"],
        "FCustType": KIND_IN_B[c["kind"]],
        "FTaxNo": c["tax_id"],
        "FTel": c["phone"],
        "FFax": c["fax"],
        "FEmail": c["email"],
        "FWebsite": c["website"],
        "FIndustry": c["industry"],
        "FForbidStatus": STATUS_IN_B[c["status"]],
        "FCurrency": {"FNumber": CURRENCY_IN_B[c["currency"]]},
        "FCreditAmount": number(c["credit_limit"]),
        "FPayTerm": c["payment_terms"],
        "FDescription": c["description"],
        "FStaff": c["employees"],
        "FRevenue": number(c["annual_revenue"]),
        "FInvoiceTitle": c["invoice_title"],
        "FBankName": c["bank_name"],
        "FBankAccount": c["bank_account"],
        "FBill": address_to_b(addresses.get("billing", {})),
        "FShip": address_to_b(addresses.get("shipping", {})),
    }


def product_of_a(r: Record) -> Record:
    return {
        "number": text(r["Product_Code"]),
        "name": text(r["Product_Name"]),
        "specification": text(r["Specification"]),
        "unit": text(r["Unit"]),
        "list_price": decimal(r["Unit_Price"]),
        "tax_rate": decimal(r["Tax"]),
    }


def product_to_b(p: Record) -> Record:
    return {
        "FNumber": p["number"],
        "FName": p["name"],
        "FSpecification": p["specification"],
        "FBaseUnit": p["unit"],
        "FPrice": number(p["list_price"]),
        "FTaxRate": number(p["tax_rate"]),
    }


def line_of_a(r: Record) -> Record:
    return {
        "line_no": integer(r["No"]),
        "product": r["Product"]["id"],
        "description": text(r["Description"]),
        "unit": text(r["Unit"]),
        "quantity": decimal(r["Quantity"]),
        "unit_price": decimal(r["Unit_Price"]),
        "tax_rate": decimal(r["Tax_Rate"]),
        "net_amount": decimal(r["Net"]),
        "tax_amount": decimal(r["Tax"]),
        "amount": decimal(r["Amount"]),
        "delivery_date": text(r["Delivery_Date"]),
    }


def order_of_a(r: Record) -> Record:
    """``customer`` and ``product`` are A's ids here."""
    return {
        "number": text(r["SO_Number"]),
        "customer_po": text(r["Purchase_Order"]),
        "title": text(r["Subject"]),
        "customer": r["Account"]["id"],
        "order_date": text(r["Order_Date"]),
        "due_date": text(r["Due_Date"]),
        "currency": CURRENCY[r["Currency"]],
        "status": ORDER_STATUS[r["Status"]],
        "note": text(r["Terms"]),
        "net_total": decimal(r["Sub_Total"]),
        "tax_total": decimal(r["Tax"]),
        "total": decimal(r["Grand_Total"]),
        "salesperson": text(r["Owner"]),
        "lines": sorted(map(line_of_a, r["Items"]), key=lambda line: line["line_no"] or 0),
    }


def line_to_b(line: Record, products: dict[str, str]) -> Record:
    return {
        "FSeq": line["line_no"],
        "FMaterialId": {"id": products[line["product"]]},
        "FNote": line["description"],
        "FUnit": line["unit"],
        "FQty": number(line["quantity"]),
        "FPrice": number(line["unit_price"]),
        "FEntryTaxRate": number(line["tax_rate"]),
        "FAmount": number(line["net_amount"]),
        "FTaxAmount": number(line["tax_amount"]),
        "FAllAmount": number(line["amount"]),
        "FDeliveryDate": line["delivery_date"],
    }


def order_to_b(o: Record, customers: dict[str, str], products: dict[str, str]) -> Record:
    """``customers`` and ``products`` give B's ids for A's. Raises KeyError when one is missing."""
    return {
        "FBillNo": o["number"],
        "FCustPO": o["customer_po"],
        "FTitle": o["title"],
        "FCustId": {"id": customers[o["customer"]]},
        "FDate": o["order_date"],
        "FDueDate": o["due_date"],
        "FCurrency": {"FNumber": CURRENCY_IN_B[o["currency"]]},
        "FDocumentStatus": ORDER_STATUS_IN_B[o["status"]],
        "FNote": o["note"],
        "FBillAmount": number(o["net_total"]),
        "FBillTaxAmount": number(o["tax_total"]),
        "FBillAllAmount": number(o["total"]),
        "FSaler": o["salesperson"],
        "FEntry": [line_to_b(line, products) for line in o["lines"]],
    }


class _Watched(dict[str, Any]):
    """A record that remembers what was asked of it last."""

    def __init__(self, record: Record, path: str, asked: list[str]) -> None:
        super().__init__(record)
        self.path = path
        self.asked = asked

    def __getitem__(self, name: str) -> Any:
        self.asked.append(self.path + name)
        value = super().__getitem__(name)
        return _Watched(value, f"{self.path}{name}.", self.asked) if isinstance(value, dict) else value


def read(get: Getter, record: Record) -> tuple[Record | None, str]:
    """Canonical values, or None and which remote field is wrong and why."""
    try:
        return get(record), ""
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        asked: list[str] = []
        try:
            return get(_Watched(record, "", asked)), ""
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            return None, f"{asked[-1] if asked else 'record'}: {error!r}"
