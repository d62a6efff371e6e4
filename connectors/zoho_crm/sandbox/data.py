"""Fills the sandbox with business data: the shared invented world, as a sales team types it into a CRM."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.connect.sample_data import companies, invoices, orders, products
from hub.connect.sample_spelling import phone, respelled

from .org import USERS
from .records import Records

Body = dict[str, Any]
COUNTRIES = {"CN": "China", "DE": "Germany", "US": "United States", "GB": "United Kingdom"}
ORDER_STATUS = {"draft": "Created", "submitted": "Created", "approved": "Approved"}
PAYMENT_STATUS = {"issued": "Unpaid", "partly_paid": "Partly Paid", "paid": "Paid"}


def fill(records: Records, seed: int, sizes: dict[str, int]) -> None:
    """``sizes``: number of accounts, products, orders and invoices. Contacts come with the accounts."""
    with records.in_the_past(minutes=4 * sum(sizes.values())):
        _fill(records, seed, sizes)


def _fill(records: Records, seed: int, sizes: dict[str, int]) -> None:
    people = [user.id for user in USERS[1:]]
    firms = companies(seed, sizes["accounts"])
    goods = products(seed, sizes["products"])
    ids: dict[str, str] = {}
    contacts: dict[tuple[str, str], str] = {}
    for at, firm in enumerate(firms):
        by = people[at % len(people)]
        ids[firm["number"]] = str(records.insert("Accounts", account(respelled(firm, "crm")), by=by).id)
        for person in firm["contacts"]:
            row = records.insert("Contacts", contact(person, ids[firm["number"]]), by=by)
            contacts[firm["number"], person["full_name"]] = str(row.id)
    for good in goods:
        ids[good["number"]] = str(records.insert("Products", product(respelled(good, "crm")), by=people[0]).id)
    if not firms or not goods:
        return
    by_number = {firm["number"]: firm for firm in firms}
    sold = orders(seed, sizes["orders"], firms, goods)
    for order in sold:
        body = document(order, ids, by_number[order["customer"]])
        body |= sales_order(order, contacts)
        body["Ordered_Items"] = [line(one, ids) for one in order["lines"]]
        ids[order["number"]] = str(records.insert("Sales_Orders", body, by=people[0]).id)
    for bill in invoices(seed, sizes["invoices"], sold) if sold else []:
        body = document(bill, ids, by_number[bill["customer"]])
        body |= invoice(bill, ids)
        body["Invoiced_Items"] = [{**line(one, ids), "Order_Line": one["order_line_no"]} for one in bill["lines"]]
        records.insert("Invoices", body, by=people[1])


def account(firm: Body) -> Body:
    """A company as an account."""
    body: Body = {
        "Account_Name": firm["name"], "Customer_Number": firm["number"], "Short_Name": firm["short_name"],
        "Tax_ID": firm["tax_id"], "Phone": firm["phone"], "Fax": firm["fax"], "Email": firm["email"],
        "Website": firm["website"], "Industry": firm["industry"], "Account_Type": "Customer",
        "Employees": firm["employees"], "Annual_Revenue": firm["annual_revenue"], "Currency": firm["currency"],
        "Exchange_Rate": 1, "Customer_Status": firm["status"].capitalize(), "Credit_Limit": firm["credit_limit"],
        "Payment_Terms": firm["payment_terms"], "Bank_Name": firm["bank_name"], "Bank_Account": firm["bank_account"],
        "Description": firm["description"],
    }  # fmt: skip
    return body | addresses(firm)


def addresses(firm: Body) -> Body:
    """Billing and shipping address; the CRM has no field for the district, so it leads the street."""
    body: Body = {}
    for address in firm["addresses"]:
        prefix = address["kind"].capitalize()
        body |= {
            f"{prefix}_Street": (address["district"] or "") + address["street"],
            f"{prefix}_City": address["city"],
            f"{prefix}_State": address["state"],
            f"{prefix}_Code": address["postal_code"],
            f"{prefix}_Country": COUNTRIES[address["country"]],
        }
    return body


def contact(person: Body, account_id: str) -> Body:
    """A person of a company."""
    return {
        "First_Name": person["first_name"], "Last_Name": person["last_name"], "Account_Name": {"id": account_id},
        "Email": person["email"], "Title": person["title"], "Department": person["department"],
        "Phone": phone(person["phone"], "crm") if person["phone"] else None,
        "Mobile": phone(person["mobile"], "crm") if person["mobile"] else None,
        "Contact_Status": "Active",
    }  # fmt: skip


def product(good: Body) -> Body:
    """A product."""
    return {
        "Product_Name": good["name"], "Product_Code": good["number"], "Specification": good["specification"],
        "Product_Category": good["category"], "Usage_Unit": good["unit"], "Barcode": good["barcode"],
        "Unit_Price": good["list_price"], "Tax_Rate": good["tax_rate"], "Tax": ["VAT"], "Taxable": True,
        "Weight": good["weight"], "Product_Active": good["status"] == "active", "Currency": good["currency"],
        "Exchange_Rate": 1, "Description": good["description"],
    }  # fmt: skip


def document(item: Body, ids: dict[str, str], firm: Body) -> Body:
    """What orders and invoices have in common."""
    return {
        "Subject": item["title"], "Account_Name": {"id": ids[item["customer"]]}, "Due_Date": item["due_date"],
        "Currency": item["currency"], "Exchange_Rate": item["exchange_rate"], "Description": item["note"],
        "Discount": Decimal(0), "Adjustment": Decimal(0), **addresses(firm),
    }  # fmt: skip


def sales_order(order: Body, contacts: dict[tuple[str, str], str]) -> Body:
    """The rest of a sales order."""
    contact_id = contacts.get((order["customer"], order["contact"] or ""))
    return {
        "Order_Number": order["number"], "Order_Date": order["order_date"], "Purchase_Order": order["customer_po"],
        "Status": ORDER_STATUS[order["status"]], "Contact_Name": {"id": contact_id} if contact_id else None,
    }  # fmt: skip


def invoice(bill: Body, ids: dict[str, str]) -> Body:
    """The rest of an invoice."""
    return {
        "Invoice_Code": bill["number"], "E_Invoice_Number": bill["einvoice_number"],
        "Invoice_Date": bill["invoice_date"],
        "Sales_Order": {"id": ids[bill["order"]]}, "Status": "Approved", "Paid_Amount": bill["paid_amount"],
        "Payment_Status": PAYMENT_STATUS[bill["status"]],
    }  # fmt: skip


def line(one: Body, ids: dict[str, str]) -> Body:
    """A line of an order or invoice."""
    return {
        "Product_Name": {"id": ids[one["product"]]}, "Quantity": one["quantity"], "List_Price": one["unit_price"],
        "Discount": one["discount"], "Line_Tax": [{"name": "VAT", "percentage": one["tax_rate"]}],
        "Tax_Rate": one["tax_rate"], "Unit": one["unit"], "Delivery_Date": one["delivery_date"],
        "Sequence_Number": str(one["line_no"]), "Description": one["description"],
    }  # fmt: skip
