"""What connectors must survive, on the servers that do it. docs/connectors/behaviours.md has the list, with the
tests of what these servers don't do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from real.tryton import Tryton, tryton_lts
from real.world import World

from hub.connect.capabilities import Remote, Write
from hub.connect.registry import find
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    Gone,
    RecordRejected,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)
from hub.mapping import load
from hub.model import entities

law = pytest.mark.law
ROOT = Path(__file__).parents[2]
SALE = ["reference", "state", "lines", "untaxed_amount"]


def tryton_settings(erp: Tryton) -> dict[str, Any]:
    return {"url": erp.url, "database": erp.database, "username": erp.user, "password": erp.password}


def connector(name: str, **settings: Any) -> Any:
    return find(name).open(settings, Services(name, MemoryCache(), sleep=lambda seconds: None))


@pytest.fixture(scope="module")
def erp(company: World) -> Iterator[Any]:
    yield (made := connector("tryton", **tryton_settings(company.erp)))
    made.close()


@pytest.fixture(scope="module")
def crm(company: World) -> Iterator[Any]:
    yield (made := connector("directus", url=company.crm.url, token=company.crm.token))
    made.close()


@pytest.fixture(scope="module")
def shop(company: World) -> Iterator[Any]:
    yield (made := connector("medusa", url=company.shop.url, key=company.shop.key))
    made.close()


@pytest.fixture(scope="module")
def lts() -> Iterator[Any]:
    """The same connector on Tryton 7.0."""
    with tryton_lts() as old:
        made = connector("tryton", **tryton_settings(old))
        made.server = old
        yield made
        made.close()


def create(one: Any, resource: str, key: str, fields: list[str] | None = None, **values: Any) -> Any:
    (result,) = one.create(resource, [Write(key, values)], fields or list(values), {})
    return result


def made(one: Any, resource: str, key: str, fields: list[str] | None = None, **values: Any) -> Remote:
    result = create(one, resource, key, fields, **values)
    assert result.error is None and result.remote is not None, result.error
    found: Remote = result.remote
    return found


def pages(one: Any, resource: str, cursor: str | None, fields: list[str]) -> tuple[list[Remote], str]:
    found = list(one.list_changes(resource, cursor, fields, {}))
    return [record for page in found for record in page.records], found[-1].cursor


# 1, 2: errors that don't look like errors ---------------------------------------------------------------------------


def test_an_error_inside_http_200_is_an_error(erp: Any):
    result = create(erp, "party.party", "b1", ["name"], name="甲", nonsense=1)
    assert isinstance(result.error, RecordRejected) and "nonsense" in str(result.error)


def test_an_error_page_in_html_is_no_answer(company: World):
    lost = connector("tryton", **{**tryton_settings(company.erp), "url": f"{company.crm.url}/nowhere"})
    with pytest.raises(UnexpectedAnswer, match="no Tryton server answers"):
        lost.check()


# 3: missing items ---------------------------------------------------------------------------------------------------


def test_a_missing_item_that_is_answered_like_a_forbidden_one_is_gone(crm: Any):
    there = made(crm, "contacts", "b3", ["full_name"], full_name="王小明")
    missing = "00000000-0000-4000-8000-000000000000"
    found = crm.get("contacts", [there.id, missing], ["full_name"], {})
    assert [(one.id, one.deleted) for one in found] == [(there.id, False), (missing, True)]


def test_a_missing_record_is_gone_in_every_system(erp: Any, shop: Any):
    for one, resource, key in ((erp, "party.party", "999999"), (shop, "customers", "cus_nobody")):
        assert one.get(resource, [key], ["id"], {})[0].deleted
    (result,) = erp.update("party.party", [Write("k", {"name": "x"}, id="999999")], ["name"], {})
    assert isinstance(result.error, Gone)


# 4, 5: filters and fields that are ignored --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "resource", "field", "age", "new"),
    [
        (
            "erp",
            "party.party",
            "name",
            "party_party SET create_date = create_date - day, write_date = write_date - day",
            "新",
        ),
        (
            "crm",
            "contacts",
            "full_name",
            "contacts SET date_created = date_created - day, date_updated = date_updated - day",
            "新",
        ),
        ("shop", "customers", "email", "customer SET updated_at = updated_at - day", "b4@example.com"),
    ],
)
def test_only_what_was_asked_for_comes(
    request: pytest.FixtureRequest, company: World, system: str, resource: str, field: str, age: str, new: str
):
    """A filter that the server ignored would show the old records again."""
    one = request.getfixturevalue(system)
    made(one, resource, f"b4-old-{system}", **{field: f"old.{new}"})
    _, cursor = pages(one, resource, None, [field])
    company.change(system, "UPDATE " + age.replace("- day", "- interval '1 day'"))
    there = made(one, resource, f"b4-{system}", **{field: new})
    later, _ = pages(one, resource, cursor, [field])
    assert [record.id for record in later] == [there.id]


def test_a_filter_that_makes_no_sense_is_refused(erp: Any):
    with pytest.raises(RecordRejected, match="nonsense"):
        list(erp.list_changes("party.party", None, ["name"], {"domain": [["nonsense", "=", 1]]}))


def test_a_field_that_is_dropped_in_silence_is_missing_from_what_is_read_back(crm: Any, shop: Any):
    """Directus and Medusa take the record without it; Tryton refuses it (above)."""
    for one, resource, field, value in (
        (shop, "customers", "email", "b5@example.com"),
        (crm, "contacts", "full_name", "乙"),
    ):
        there = made(one, resource, "b5", [field, "nonsense"], **{field: value}, nonsense="x")
        assert there.record is not None and there.record[field] == value and "nonsense" not in there.record


# 6, 7: duplicates and lost answers ----------------------------------------------------------------------------------


@law("no duplicates")
def test_a_number_that_is_taken_is_told_with_the_record_that_has_it(crm: Any, shop: Any):
    there = made(shop, "customers", "b6", ["email"], email="b6@example.com")
    again = create(shop, "customers", "b6", ["email"], email="b6@example.com")
    assert isinstance(again.error, AlreadyExists), again
    (found,) = shop.probe("customers", [Write("b6", {"email": "b6@example.com"})], ["email"], {})
    assert found is not None and found.id == there.id
    contact = made(crm, "contacts", "b6", ["full_name"], full_name="丙")
    again = create(crm, "contacts", "b6", ["full_name"], full_name="丙")
    assert isinstance(again.error, AlreadyExists) or again.remote.id == contact.id, again


@law("no duplicates")
@pytest.mark.parametrize(
    ("system", "resource", "values"),
    [
        ("erp", "party.party", {"name": "丢失的回答"}),
        ("crm", "contacts", {"full_name": "丢失的回答"}),
        ("shop", "customers", {"email": "b7@example.com"}),
    ],
)
def test_a_create_whose_answer_is_lost_is_found_again(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, system: str, resource: str, values: dict[str, Any]
):
    one = request.getfixturevalue(system)
    one.get(resource, ["0"], list(values), {}) if system == "erp" else None  # has signed in and knows the fields
    send = requests.adapters.HTTPAdapter.send

    def lose(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(self, request, **options)
        body = bytes(request.body or b"") if not isinstance(request.body, str) else request.body.encode()
        if request.method == "POST" and b"login" not in body and (system != "erp" or b'.create"' in body):
            raise requests.ReadTimeout("the answer was lost")
        return answer

    write = Write(f"b7-{system}", values)
    with monkeypatch.context() as patched:
        patched.setattr(requests.adapters.HTTPAdapter, "send", lose)
        try:
            (result,) = one.create(resource, [write], list(values), {})
            error = result.error
        except UnknownOutcome as raised:
            error = raised
    assert isinstance(error, UnknownOutcome), error
    (found,) = one.probe(resource, [write], list(values), {})
    assert found is not None and values.items() <= found.record.items()


# 8, 9, 10: what changed, what is gone -------------------------------------------------------------------------------


def test_three_hundred_records_of_one_moment_are_all_read_and_read_on_from(company: World, erp: Any):
    names = [f"同时 {number}" for number in range(300)]
    company.erp.call("model.party.party.create", [{"name": name} for name in names])
    everything, cursor = pages(erp, "party.party", None, ["name"])
    assert len({one.modified_at for one in everything if one.record["name"] in names}) == 1
    assert {one.record["name"] for one in everything if one.record} >= set(names)
    (one,) = company.erp.call("model.party.party.create", [{"name": "后来"}])
    later, _ = pages(erp, "party.party", cursor, ["name"])
    assert str(one) in {record.id for record in later}


def test_a_record_without_a_time_of_change_is_seen(company: World, crm: Any):
    _, cursor = pages(crm, "contacts", None, ["full_name"])
    row = company.crm.call("POST", "items/contacts", {"full_name": "没有更新"})
    assert row["date_updated"] is None
    later, _ = pages(crm, "contacts", cursor, ["full_name"])
    seen = {one.id: one for one in later}
    assert seen[row["id"]].modified_at is not None


def test_a_line_that_changes_shows_its_order(company: World, crm: Any):
    order = company.crm.call("POST", "items/orders", {"number": "B-9", "lines": [{"line_no": 1, "quantity": 1}]})
    _, cursor = pages(crm, "orders", None, ["number", "lines"])
    line = order["lines"][0]
    company.crm.call("PATCH", f"items/order_lines/{line['id'] if isinstance(line, dict) else line}", {"quantity": 5})
    later, _ = pages(crm, "orders", cursor, ["number", "lines"])
    seen = {one.id: one.record["lines"] for one in later if one.record}
    assert [Decimal(line["quantity"]) for line in seen[order["id"]]] == [5]


@law("deletes are earned")
def test_what_is_deleted_leaves_the_list_and_what_is_archived_stays(company: World, crm: Any, erp: Any):
    one = made(crm, "contacts", "b10", ["full_name"], full_name="离开")
    company.crm.call("DELETE", f"items/contacts/{one.id}")
    assert one.id not in {key for page in crm.list_ids("contacts", {}) for key in page}
    party = made(erp, "party.party", "b10", ["name", "active"], name="归档")
    company.erp.call("model.party.party.write", [int(party.id)], {"active": False})
    assert party.id in {key for page in erp.list_ids("party.party", {}) for key in page}
    assert erp.get("party.party", [party.id], ["active"], {})[0].record["active"] is False


# 11, 12: workflow, money --------------------------------------------------------------------------------------------


def selling(erp: Any, ids: dict[str, int], mark: str) -> tuple[str, str]:
    """A party and a product; gives their ids."""
    template = {
        "name": f"商品 {mark}", "list_price": Decimal("0.1"), "default_uom": ids["unit"], "sale_uom": ids["unit"],
        "account_category": ids["category"], "type": "goods", "salable": True,
    }  # fmt: skip
    product = made(erp, "product.product", mark, ["suffix_code", "template"], suffix_code=mark, template=template)
    party = made(erp, "party.party", mark, ["name"], name=f"买方 {mark}", addresses=[{"city": "上海"}])
    return party.id, product.id


@pytest.mark.parametrize("system", ["erp", "lts"])
def test_a_sale_is_led_to_its_state_by_buttons(request: pytest.FixtureRequest, company: World, system: str):
    """On Tryton 8.2 and on 7.0, with one connector."""
    one = request.getfixturevalue(system)
    ids = company.erp.ids if system == "erp" else one.server.ids
    party, product = selling(one, ids, f"B11-{system}")
    lines = [{"product": int(product), "quantity": Decimal(3), "unit_price": Decimal("0.1")}]
    sale = made(
        one, "sale.sale", "b11", SALE, reference=f"b11-{system}", party=int(party), lines=lines, state="processing"
    )
    assert sale.record["state"] == "processing"
    assert sale.record["untaxed_amount"] == Decimal("0.30")
    assert [len(line["taxes"]) for line in sale.record["lines"]] == [1], "Tryton's own rules gave the tax"
    (result,) = one.update("sale.sale", [Write("b11", {"state": "cancelled"}, id=sale.id)], SALE, {})
    assert result.problem is not None and "can't get from 'processing' to 'cancelled'" in str(result.problem)


@law("no stale write")
@pytest.mark.parametrize("system", ["erp", "lts"])
def test_a_write_from_an_older_state_is_refused(request: pytest.FixtureRequest, system: str):
    one = request.getfixturevalue(system)
    party = made(one, "party.party", "b11s", ["name"], name="一")
    stale = Write("b11s", {"name": "二"}, id=party.id, version="1000.0")
    (result,) = one.update("party.party", [stale], ["name"], {})
    assert isinstance(result.error, VersionConflict)
    assert one.get("party.party", [party.id], ["name"], {})[0].record["name"] == "一"


@law("money is exact")
def test_money_in_every_spelling_is_the_same_number(company: World, erp: Any, crm: Any, shop: Any):
    """An object in Tryton, a text with four decimals in Directus, a JSON number in Medusa: each by its own mapping."""
    number, price = "B12", Decimal("1234567.89")
    _, product = selling(erp, company.erp.ids, number)
    template = {**erp.get("product.product", [product], ["template"], {})[0].record["template"], "list_price": price}
    erp.update("product.product", [Write("b12", {"template": template}, id=product)], ["template"], {})
    there = made(crm, "products", "b12", ["sku"], sku=number, name="钱", price=price)
    prices = [{"amount": price, "currency_code": "cny"}]
    sold = made(shop, "products", "b12", ["title"], title="钱", variants=[{"sku": number, "prices": prices}])
    for one, name, file, key in (
        (erp, "tryton", "product.product", product),
        (crm, "directus", "products", there.id),
        (shop, "medusa", "products", sold.id),
    ):
        mapping = ROOT / "mappings" / name / f"{file}.yaml"
        lens, problems = load(mapping, specs=entities(), resource=one.describe(file)[0])
        assert lens is not None and not problems
        (found,) = one.get(file, [key], list(lens.remote_fields), lens.read_options)
        assert lens.get(found.record).values["list_price"] == "1234567.89", name


# 13, 14: notifications, lockout -------------------------------------------------------------------------------------


def test_a_notification_that_comes_twice_is_a_hint_and_no_data(company: World, crm: Any):
    came: list[tuple[dict[str, str], bytes]] = []
    done = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _flow(company, f"http://127.0.0.1:{server.server_address[1]}/", "whisper")
        row = company.crm.call("POST", "items/contacts", {"full_name": "通知"})
        assert done.wait(20), "no notification came"
        server.shutdown()
    headers, body = came[0]
    for _ in range(2):
        assert crm.hints(headers, body, "whisper") == [("contacts", row["id"])]
    with pytest.raises(AuthenticationError):
        crm.hints(headers, body, "another secret")


def _flow(company: World, url: str, secret: str) -> None:
    """As an administrator builds it in Directus."""
    flow = company.crm.call(
        "POST",
        "flows",
        {"name": "hub", "trigger": "event", "status": "active",
         "options": {"type": "action", "scope": ["items.create"], "collections": ["contacts"]}},
    )  # fmt: skip
    body = '{"collection": "{{$trigger.collection}}", "keys": ["{{$trigger.key}}"]}'
    headers = [{"header": "X-Hub-Token", "value": secret}, {"header": "Content-Type", "value": "application/json"}]
    options = {"method": "POST", "url": url, "headers": headers, "body": body}
    step = {"flow": flow["id"], "key": "tell", "name": "tell", "type": "request", "position_x": 20, "position_y": 1}
    made_step = company.crm.call("POST", "operations", {**step, "options": options})
    company.crm.call("PATCH", f"flows/{flow['id']}", {"operation": made_step["id"]})


def test_a_wrong_password_is_not_tried_again(company: World):
    wrong = connector("tryton", **{**tryton_settings(company.erp), "password": "wrong"})
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            wrong.check()
    attempts = company.rows("erp", "SELECT count(*) AS n FROM res_user_login_attempt WHERE login = 'admin'")
    assert attempts[0]["n"] == 1


@pytest.mark.parametrize("system", ["crm", "shop"])
def test_a_wrong_key_is_a_persons_matter(company: World, system: str):
    url = company.crm.url if system == "crm" else company.shop.url
    settings = {"token": "wrong"} if system == "crm" else {"key": "sk_wrong"}
    with pytest.raises(AuthenticationError):
        connector("directus" if system == "crm" else "medusa", url=url, **settings).check()
