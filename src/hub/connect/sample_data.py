"""Invented business data for sandboxes, demos and tests: the same companies, products and documents for every product.

All lists are functions of the seed and of each item's position only: ``companies(1, 500)[:400] == companies(1, 400)``,
and ``start`` skips ahead. So two sandboxes with one seed hold the same customers, and ``respelled`` writes them the
way another system's users would, which is what matching has to survive.

Records are plain dicts with neutral English keys; amounts are ``Decimal`` with two places, rates percent, dates ISO
text, phones E.164. Documents name customers and products by ``number``. Totals are exact: every line's net amount
and tax are rounded half up to cents, and the totals are the sums of the lines.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from hub.connect import sample_words as words

Item = dict[str, Any]

CENT = Decimal("0.01")
FIRST_DAY = date(2026, 1, 5)
TAX_RATE = Decimal(13)
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_GB_WEIGHTS = (8, 7, 6, 5, 4, 3, 2)


def companies(seed: int, n: int, start: int = 0) -> list[Item]:
    """``n`` companies: about two thirds Chinese with a valid 统一社会信用代码, the rest German, British and American.

    Keys: number, name, short_name, kind, tax_id, phone, fax, email, website, industry, employees, annual_revenue,
    currency, country, credit_limit, payment_terms, bank_name, bank_account, status, description, addresses (kind
    ``billing`` and ``shipping``: recipient, phone, street, district, city, state, postal_code, country) and contacts
    (first_name, last_name, full_name, title, department, email, phone, mobile).
    """
    return [_company(seed, i) for i in range(start, start + n)]


def products(seed: int, n: int, start: int = 0) -> list[Item]:
    """``n`` products.

    Keys: number, name, specification, description, category, unit, barcode (a valid EAN-13), list_price (net),
    currency, tax_rate, weight (kg), status.
    """
    return [_product(seed, i) for i in range(start, start + n)]


def orders(
    seed: int, n: int, customers: list[Item], goods: list[Item], *, start: int = 0, first_day: date = FIRST_DAY
) -> list[Item]:
    """``n`` sales orders of these customers over these products, 1 to 5 lines each, 13 % tax.

    Keys: number, title, customer (number), contact (full name or None), customer_po, order_date, due_date, currency,
    exchange_rate, status (draft, submitted, approved), note, discount, lines, net_total, tax_total, total. Lines:
    line_no, product (number), description, unit, quantity, unit_price (net), unit_price_tax, tax_rate, discount (an
    amount off the net), net_amount, tax_amount, amount, delivery_date.
    """
    return [_order(seed, i, customers, goods, first_day) for i in range(start, start + n)]


def invoices(seed: int, n: int, of_orders: list[Item], start: int = 0) -> list[Item]:
    """``n`` invoices, each of one whole order (the orders are taken in turn).

    Keys: number, einvoice_number (数电票, 20 digits), title, order (number), customer (number), invoice_date, due_date,
    currency, exchange_rate, status (issued, paid, partly_paid), paid_amount, note, lines (as the order's, with
    order_line_no), net_total, tax_total, total.
    """
    return [_invoice(seed, i, of_orders[i % len(of_orders)]) for i in range(start, start + n)]


# --- companies -------------------------------------------------------------------------------------------------------


def _company(seed: int, i: int) -> Item:
    rng = Random(f"company/{seed}/{i}")
    item = _western(rng, seed, i) if i % 3 == 2 else _chinese(rng, seed, i)
    item["number"] = f"C{i + 1:05d}"
    item["kind"] = "company"
    item["employees"] = rng.choice((8, 15, 40, 120, 260, 800, 2400))
    item["annual_revenue"] = Decimal(rng.randint(2, 900)) * 100000 + CENT * 0
    item["credit_limit"] = Decimal(rng.choice((0, 50000, 100000, 200000, 500000))) + CENT * 0
    item["payment_terms"] = rng.choice(("NET30", "NET60", "PREPAID"))
    item["status"] = "inactive" if rng.random() < 0.05 else "active"
    item["description"] = None
    return item


def _chinese(rng: Random, seed: int, i: int) -> Item:
    # A step coprime to the number of combinations walks through all of them: no two companies share a name.
    brands, cities, trades = words.BRANDS, words.CITIES, words.TRADES
    combinations = len(brands) ** 2 * len(cities) * len(trades)
    rest = (i * 30031 + seed * 7) % combinations
    rest, first = divmod(rest, len(brands))
    rest, second = divmod(rest, len(brands))
    trade, at = divmod(rest, len(cities))
    city, province, division, district, streets, postal, area = cities[at]
    word, industry = trades[trade]
    brand = brands[first][0] + brands[second][0]
    domain = f"{brands[first][1]}{brands[second][1]}{i + 1}.example.com"
    phone = f"+86{area}{rng.choice((5, 6, 8))}{rng.randint(1000000, 9999999)}"
    address = {
        "recipient": None,
        "phone": phone,
        "street": f"{rng.choice(streets)}{rng.randint(1, 999)}号{rng.randint(1, 9)}号楼{rng.randint(101, 2809)}室",
        "district": district,
        "city": city,
        "state": province,
        "postal_code": postal,
        "country": "CN",
    }
    return {
        "name": f"{city}{brand}{word}有限公司",
        "short_name": brand + word,
        "tax_id": _uscc(rng, division),
        "phone": phone,
        "fax": None,
        "email": f"info@{domain}",
        "website": f"https://www.{domain}",
        "industry": industry,
        "currency": "CNY",
        "country": "CN",
        "bank_name": f"中国工商银行{city}分行",
        "bank_account": "6222" + "".join(rng.choices("0123456789", k=15)),
        "addresses": _addresses(address),
        "contacts": [_chinese_person(rng, domain) for _ in range(rng.choice((1, 1, 2)))],
    }


def _western(rng: Random, seed: int, i: int) -> Item:
    surnames, trades = words.WESTERN_SURNAMES, words.WESTERN_TRADES
    country = ("DE", "US", "GB")[i // 3 % 3]
    (prefix, digits), suffixes, places = words.WESTERN[country]
    rest, first = divmod((i * 30031 + seed * 7) % (len(surnames) ** 2 * len(trades) * len(suffixes)), len(surnames))
    rest, second = divmod(rest, len(surnames))
    suffix, trade = divmod(rest, len(trades))
    word, industry = trades[trade]
    short = f"{surnames[first]} & {surnames[second]} {word}"
    domain = f"{_ascii(surnames[first])}-{_ascii(surnames[second])}{i + 1}.example.com"
    phone = prefix + str(rng.randint(2 * 10 ** (digits - 1), 10**digits - 1))
    city, state, postal, street = rng.choice(places)
    number = rng.randint(1, 240)
    address = {
        "recipient": None,
        "phone": phone,
        "street": f"{street} {number}" if country == "DE" else f"{number} {street}",
        "district": None,
        "city": city,
        "state": state,
        "postal_code": postal,
        "country": country,
    }
    return {
        "name": f"{short} {suffixes[suffix]}",
        "short_name": short,
        "tax_id": _foreign_tax_id(rng, country),
        "phone": phone,
        "fax": None,
        "email": f"office@{domain}",
        "website": f"https://www.{domain}",
        "industry": industry,
        "currency": {"DE": "EUR", "US": "USD", "GB": "GBP"}[country],
        "country": country,
        "bank_name": None,
        "bank_account": None,
        "addresses": _addresses(address),
        "contacts": [_western_person(rng, domain, phone) for _ in range(rng.choice((1, 1, 2)))],
    }


def _addresses(address: Item) -> list[Item]:
    return [{"kind": kind, **address} for kind in ("billing", "shipping")]


def _chinese_person(rng: Random, domain: str) -> Item:
    last, first = rng.choice(words.SURNAMES), rng.choice(words.GIVEN)
    at = rng.randrange(len(words.TITLES))
    mobile = f"+86{rng.choice((138, 139, 150, 158, 186, 188))}{rng.randint(10000000, 99999999)}"
    return {
        "first_name": first,
        "last_name": last,
        "full_name": last + first,
        "title": words.TITLES[at],
        "department": words.DEPARTMENTS[at],
        "email": f"{rng.choice(('cg', 'cw', 'xs', 'bg'))}{rng.randint(100, 999999)}@{domain}",
        "phone": None,
        "mobile": mobile,
    }


def _western_person(rng: Random, domain: str, phone: str) -> Item:
    last, first = rng.choice(words.WESTERN_SURNAMES), rng.choice(words.WESTERN_GIVEN)
    at = rng.randrange(len(words.WESTERN_TITLES))
    return {
        "first_name": first,
        "last_name": last,
        "full_name": f"{first} {last}",
        "title": words.WESTERN_TITLES[at],
        "department": words.WESTERN_DEPARTMENTS[at],
        "email": f"{_ascii(first)}.{_ascii(last)}{rng.randint(10, 9999)}@{domain}",
        "phone": phone,
        "mobile": None,
    }


def _ascii(text: str) -> str:
    for letter, plain in (("ü", "ue"), ("ä", "ae"), ("ö", "oe"), ("'", "")):
        text = text.lower().replace(letter, plain)
    return text


def _uscc(rng: Random, division: str) -> str:
    code = "".join(rng.choices(_USCC, k=8))
    check = 11 - sum(w * _organisation_value(c) for w, c in zip(_ORGANISATION_WEIGHTS, code, strict=True)) % 11
    # The organisation code's own check can be X (10), which the alphabet of the whole code has.
    body = f"91{division}{code}{'X' if check == 10 else '0' if check == 11 else check}"
    return body + uscc.calc_check_digit(body)


def _organisation_value(character: str) -> int:
    return int(character) if character.isdigit() else ord(character) - ord("A") + 10


def _foreign_tax_id(rng: Random, country: str) -> str:
    if country == "DE":
        body = str(rng.randint(10000000, 99999999))
        return f"DE{body}{mod_11_10.calc_check_digit(body)}"
    if country == "GB":
        body = str(rng.randint(1000000, 9999999))
        check = 97 - sum(w * int(d) for w, d in zip(_GB_WEIGHTS, body, strict=True)) % 97
        return f"GB{body}{check:02d}"
    return f"{rng.choice((12, 27, 36, 47, 61, 84))}{rng.randint(1000000, 9999999)}"


# --- products --------------------------------------------------------------------------------------------------------


def _product(seed: int, i: int) -> Item:
    rng = Random(f"product/{seed}/{i}")
    name, category, unit, base = words.GOODS[i % len(words.GOODS)]
    model = f"{rng.choice(words.GRADES)}{i // len(words.GOODS) + 10}"
    body = f"690{i % 10**9:09d}"
    weights = sum(int(d) * (3 if at % 2 else 1) for at, d in enumerate(body))
    return {
        "number": f"M-{i + 1:04d}",
        "name": f"{name} {model}",
        "specification": rng.choice(("DN50", "220V", "M8×40", "IP67", "10 m", "5 kg")),
        "description": None,
        "category": category,
        "unit": unit,
        "barcode": f"{body}{-weights % 10}",
        "list_price": cents(Decimal(base) * rng.randint(80, 140) / 100),
        "currency": "CNY",
        "tax_rate": TAX_RATE,
        "weight": Decimal(rng.randint(5, 4000)) / 100,
        "status": "active",
    }


# --- documents -------------------------------------------------------------------------------------------------------


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to two places, as invoices are."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def _order(seed: int, i: int, customers: list[Item], goods: list[Item], first_day: date) -> Item:
    rng = Random(f"order/{seed}/{i}")
    customer = rng.choice(customers)
    ordered = first_day + timedelta(days=i % 200)
    due = ordered + timedelta(days=rng.choice((7, 14, 30)))
    chosen = rng.sample(goods, k=min(len(goods), rng.randint(1, 5)))
    lines = [_line(rng, at, good, due) for at, good in enumerate(chosen, start=1)]
    return {
        "number": f"SO{ordered:%Y%m}{i + 1:05d}",
        "title": f"{customer['short_name']} 订单 {i + 1}",
        "customer": customer["number"],
        "contact": rng.choice(customer["contacts"])["full_name"] if rng.random() < 0.6 else None,
        "customer_po": f"PO-{rng.randint(1000, 99999)}" if rng.random() < 0.5 else None,
        "order_date": ordered.isoformat(),
        "due_date": due.isoformat(),
        "currency": "CNY",
        "exchange_rate": Decimal(1),
        "status": rng.choice(("draft", "submitted", "approved", "approved")),
        "note": rng.choice((None, None, "请在工作日送货", "Deliver to gate 3")),
        "discount": Decimal("0.00"),
        "lines": lines,
        **_totals(lines),
    }


def _line(rng: Random, at: int, good: Item, due: date) -> Item:
    quantity = Decimal(rng.randint(1, 60))
    price: Decimal = good["list_price"]
    gross = cents(quantity * price)
    discount = cents(gross * rng.choice((0, 0, 0, 5, 10)) / 100)
    net = gross - discount
    tax = cents(net * TAX_RATE / 100)
    return {
        "line_no": at,
        "product": good["number"],
        "description": None,
        "unit": good["unit"],
        "quantity": quantity,
        "unit_price": price,
        "unit_price_tax": (price * (100 + TAX_RATE) / 100).quantize(Decimal("0.000001")),
        "tax_rate": TAX_RATE,
        "discount": discount,
        "net_amount": net,
        "tax_amount": tax,
        "amount": net + tax,
        "delivery_date": due.isoformat(),
    }


def _totals(lines: list[Item]) -> Item:
    net = sum((line["net_amount"] for line in lines), Decimal("0.00"))
    tax = sum((line["tax_amount"] for line in lines), Decimal("0.00"))
    return {"net_total": net, "tax_total": tax, "total": net + tax}


def _invoice(seed: int, i: int, order: Item) -> Item:
    rng = Random(f"invoice/{seed}/{i}")
    invoiced = date.fromisoformat(order["order_date"]) + timedelta(days=rng.randint(1, 20))
    status = rng.choice(("issued", "issued", "paid", "partly_paid"))
    paid = {"issued": Decimal("0.00"), "paid": order["total"]}.get(status, cents(order["total"] / 2))
    lines = [{**line, "order_line_no": line["line_no"]} for line in order["lines"]]
    return {
        "number": f"INV{invoiced:%Y%m}{i + 1:05d}",
        "einvoice_number": f"{invoiced:%y}3120{i + 1:014d}",
        "title": f"{order['title']} 发票",
        "order": order["number"],
        "customer": order["customer"],
        "invoice_date": invoiced.isoformat(),
        "due_date": (invoiced + timedelta(days=30)).isoformat(),
        "currency": order["currency"],
        "exchange_rate": order["exchange_rate"],
        "status": status,
        "paid_amount": paid,
        "note": order["note"],
        "lines": lines,
        "net_total": order["net_total"],
        "tax_total": order["tax_total"],
        "total": order["total"],
    }
