# ruff: noqa: SIM117, RUF043
"""Reading by manifest: paging, changes, what a list may not do to us, lines kept apart."""

import logging

import pytest
from rest_world import PLAIN, Call, Store, ids, manifest, product, row, write

from hub.connect.capabilities import Part, Remote
from hub.errors import AuthenticationError, ConfigurationError, UnexpectedAnswer

PAGED = "list: {call: GET /customers, records: data}\nget: GET /customers/{id}\nfields: {id: text, name: text}\n"


def everything(made, fields=("name",)):
    return list(made.list_changes("customers", None, list(fields), {}))


def numbered(count):
    return [{"id": n, "name": f"Nr {n}"} for n in range(1, count + 1)]


def by_page(call: Call):
    page = int(call.query["page"])
    return {"data": numbered(7)[(page - 1) * 3 : page * 3], "total": 7}


def by_offset(call: Call):
    skip = int(call.query["skip"])
    return {"data": numbered(7)[skip : skip + min(int(call.query["take"]), 2)]}  # it caps the size without a word


def by_token(call: Call):
    at = int(call.query.get("cursor", 0))
    return {"data": numbered(7)[at : at + 3], "next": at + 3 if at + 3 < 7 else None}


def by_link(call: Call):
    at = int(call.query.get("at", 0))
    link = {"Link": f'<https://shop.test/api/customers?at={at + 3}>; rel="next", </x>; rel="last"'} if at < 6 else {}
    return 200, link, {"data": numbered(7)[at : at + 3]}


def by_address(call: Call):
    at = int(call.query.get("at", 0))
    return {"data": numbered(7)[at : at + 3], "next": f"/api/customers?at={at + 3}" if at < 6 else ""}


def after_last(call: Call):
    behind = int(call.query.get("after", 0))
    return {"data": [one for one in numbered(7) if one["id"] > behind][:3]}


@pytest.mark.parametrize(
    ("paging", "handler", "calls"),
    [
        ("{page: page, size: 3, size_param: n, total: total}", by_page, 3),
        ("{offset: skip, size: 3, size_param: take}", by_offset, 5),
        ("{token: cursor, at: next}", by_token, 3),
        ("{link: header}", by_link, 3),
        ("{link: body, at: next}", by_address, 3),
        ("{after: after, size: 3, size_param: n}", after_last, 4),
    ],
)
def test_every_way_of_paging_shows_each_record_once(paging, handler, calls):
    with product(manifest(PAGED, f"paging: {paging}"), handler) as (made, world):
        pages = everything(made)
        assert ids(pages) == [str(n) for n in range(1, 8)]
        assert [page.complete for page in pages][-1] is True
        assert len(world.calls) == calls
        assert [id for some in made.list_ids("customers", {}) for id in some] == ids(pages)


def test_paging_parameters_can_go_into_the_body_of_a_search():
    search = PAGED.replace("GET /customers,", "POST /customers/search, body: {sort: id},", 1)

    def handler(call):
        assert call.body["sort"] == "id"
        return {"data": numbered(5)[call.body["from"] : call.body["from"] + 2]}

    with product(manifest(search, "paging: {offset: from, within: body, size: 2}"), handler) as (
        made,
        _,
    ):
        assert len(ids(everything(made))) == 5


def test_a_row_that_slipped_through_while_pages_were_turned_is_met_by_a_second_walk():
    rows = numbered(7)

    def handler(call):
        skip = int(call.query["skip"])
        answer = {"data": list(rows[skip : skip + 3]), "total": len(rows)}
        if skip == 0 and len(rows) == 7:
            del rows[0]  # somebody deletes a record of the page just read: all others move up
        return answer

    with product(manifest(PAGED, "paging: {offset: skip, size: 3, total: total}"), handler) as (made, _):
        pages = everything(made)
        assert {"2", "3", "4", "5", "6", "7"} <= set(ids(pages))
        assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_list_that_never_holds_still_is_not_called_complete():
    def handler(call):
        return {"data": numbered(2) if call.query["skip"] == "0" else [], "total": 3}

    with product(manifest(PAGED, "paging: {offset: skip, size: 3, total: total}"), handler) as (made, _):
        assert not any(page.complete for page in everything(made))
        with pytest.raises(UnexpectedAnswer, match="changed three times"):
            list(made.list_ids("customers", {}))


def test_a_link_that_leads_in_a_circle_ends_with_an_error():
    def handler(call):
        return {"data": numbered(2), "next": "/api/customers?at=1"}

    with product(manifest(PAGED, "paging: {link: body, at: next}"), handler) as (made, _):
        with pytest.raises(UnexpectedAnswer, match="does not get on"):
            everything(made)


def test_a_link_to_another_host_gets_no_credentials():
    def handler(call):
        return {"data": numbered(2), "next": "https://evil.test/api/customers"}

    with product(manifest(PAGED, "paging: {link: body, at: next}"), handler) as (made, world):
        with pytest.raises(ConfigurationError, match=r"is not on shop\.test"):
            everything(made)
        assert len(world.calls) == 1


def test_an_empty_page_may_be_a_404_where_the_manifest_says_so():
    empty = PAGED.replace("records: data", "records: data, empty: 404")
    with product(manifest(empty), lambda call: (404, {"message": "No results"})) as (made, _):
        assert [(page.records, page.complete) for page in everything(made)] == [([], True)]
    with product(manifest(PAGED), lambda call: (404, {"message": "No results"})) as (made, _):
        with pytest.raises(ConfigurationError, match="nothing at this address"):
            everything(made)


@pytest.mark.parametrize("answer", [{"rows": []}, {"data": {"id": 1}}, {"data": ["a"]}, "maintenance"])
def test_an_answer_without_rows_is_no_empty_list(answer):
    with product(manifest(PAGED), lambda call: answer) as (made, _):
        with pytest.raises(UnexpectedAnswer, match="no list of records at 'data'"):
            everything(made)


def test_rights_that_are_missing_are_no_empty_list_either():
    with product(manifest(PAGED, "message: error"), lambda call: (403, {"error": "no role"})) as (made, _):
        with pytest.raises(AuthenticationError, match="no role"):
            everything(made)


# --- changes ------------------------------------------------------------------------------------------

CHANGING = """
list: {call: GET /customers, records: data, changes: {query: {since: "{since}"}, overlap: 0}}
get: GET /customers/{id}
modified: changed
fields: {id: text, name: text, changed: datetime}
"""


def test_after_a_listing_only_changes_are_asked_for_and_what_is_known_is_left_out():
    store = Store(row(1, 5), row(2, 9))
    with product(manifest(CHANGING), store.serve) as (made, world):
        pages = everything(made)
        assert pages[-1].cursor is not None
        quiet = list(made.list_changes("customers", pages[-1].cursor, ["name"], {}))
        assert world.calls[-1].query == {"since": "2026-02-01T00:00:09.000Z"}
        assert ids(quiet) == []
        store.rows["1"] = row(1, 9, name="new")  # the same second as the newest one seen
        news = list(made.list_changes("customers", quiet[-1].cursor, ["name"], {}))
        assert [remote.record for page in news for remote in page.records] == [{"id": "1", "name": "new"}]
        assert not any(page.complete for page in news)


def test_what_changes_while_pages_are_turned_is_met_by_the_next_pass():
    """The listing reads a first page, then one of its records changes; a later page shows something newer still."""
    store = Store(row(1, 1), row(2, 2), row(3, 3))
    paged = manifest(CHANGING, "paging: {offset: skip, size: 2, total: total}")

    def handler(call):
        rows = store.serve(call)["data"]
        skip = int(call.query["skip"])
        if skip == 2 and "since" not in call.query:
            store.rows["1"] = {**row(1), "name": "later", "changed": "2026-03-01T12:00:01Z"}
            store.rows["3"]["changed"] = "2026-03-01T12:00:05Z"
            rows = list(store.rows.values())
        return {"data": rows[skip : skip + 2], "total": len(rows)}

    with product(paged, handler) as (made, _):
        pages = everything(made)
        news = list(made.list_changes("customers", pages[-1].cursor, ["name"], {}))
        assert "1" in ids(news)


@pytest.mark.parametrize(
    ("time", "stored", "asked", "modified"),
    [
        ("{}", "2026-02-01T08:00:05+08:00", "2026-02-01T00:00:05.000Z", "2026-02-01T00:00:05Z"),
        ("{digits: 0}", "2026-02-01T00:00:05.75Z", "2026-02-01T00:00:05Z", "2026-02-01T00:00:05.750000Z"),
        (
            "{zone: Asia/Shanghai, digits: 0}",
            "2026-02-01T08:00:05",
            "2026-02-01T08:00:05+08:00",
            "2026-02-01T00:00:05Z",
        ),
        (
            '{format: "%Y-%m-%d %H:%M:%S", zone: Asia/Shanghai}',
            "2026-02-01 08:00:05",
            "2026-02-01 08:00:05",
            "2026-02-01T00:00:05Z",
        ),
        ("{format: epoch}", 1769904005, "1769904005", "2026-02-01T00:00:05Z"),
        ("{format: epoch_ms}", 1769904005250, "1769904005250", "2026-02-01T00:00:05.250000Z"),
        ('{format: epoch, ask: "%d/%m/%Y %H:%M"}', 1769904005, "01/02/2026 00:00", "2026-02-01T00:00:05Z"),
    ],
)
def test_moments_are_read_and_asked_for_as_the_product_writes_them(time, stored, asked, modified):
    def handler(call):
        return {"data": [{"id": 1, "name": "a", "changed": stored}]}

    with product(manifest(CHANGING, f"time: {time}"), handler) as (made, world):
        pages = everything(made)
        assert pages[0].records[0].modified_at == modified
        list(made.list_changes("customers", pages[-1].cursor, ["name"], {}))
        assert world.calls[-1].query["since"] == asked


def test_the_newest_of_several_moments_counts_and_none_may_be_there():
    both = CHANGING.replace("modified: changed", "modified: [changed, made]")
    rows = [{"id": 1, "changed": None, "made": "2026-02-01T00:00:03Z"}, {"id": 2, "changed": None, "made": None}]
    with product(manifest(both), lambda call: {"data": rows}) as (made, _):
        (page,) = everything(made)
        assert [remote.modified_at for remote in page.records] == ["2026-02-01T00:00:03Z", None]
        assert page.cursor is not None and "2026-02-01T00:00:03Z" in page.cursor


def test_a_cursor_from_the_future_or_of_another_kind_leads_to_everything():
    store = Store(row(1, 5))
    with product(manifest(CHANGING), store.serve) as (made, _):
        for cursor in ('{"mark":{"since":"2031-01-01T00:00:00Z"}}', "rubbish", '{"mark": 7}'):
            pages = list(made.list_changes("customers", cursor, ["name"], {}))
            assert (ids(pages), pages[-1].complete) == (["1"], True)


def test_a_filter_that_is_ignored_is_told_of_by_check_and_in_the_log(caplog):
    rows = [row(1, 1), row(2, 50)]
    with product(manifest(CHANGING), lambda call: {"data": rows}) as (made, _):
        (problem,) = made.check().problems
        assert problem.startswith("customers: asked for changes after 2026-03-02T12:00:00Z, it shows some")
        pages = everything(made)
        with caplog.at_level(logging.WARNING):
            list(made.list_changes("customers", pages[-1].cursor, ["name"], {}))
        assert "1 records older than asked for" in caplog.text


@pytest.mark.parametrize(
    ("understood", "told"),
    [
        (lambda text: text.split(","), None),
        (lambda text: [text], "customers: asked for id 1 and 2, it does not find 1, which its list shows: correct"),
    ],
)
def test_a_question_for_several_records_that_is_taken_for_one_is_told_of_by_check(understood, told):
    """Nobody would be found by it, and a lost create would be made again."""

    def handler(call):
        asked = understood(call.query["ids"]) if "ids" in call.query else ["1", "2"]
        return {"data": [row(int(id)) for id in ("1", "2") if id in asked]}

    lookup = 'lookup: {call: GET /customers, query: {ids: "{values}"}, fields: [id]}\n'
    with product(manifest(PLAIN + lookup), handler) as (made, _):
        problems = made.check().problems
        assert len(problems) == bool(told) and all(problem.startswith(told) for problem in problems)


def test_without_changes_every_pass_reads_everything():
    with product(manifest(), Store(row(1)).serve) as (made, _):
        pages = everything(made)
        assert pages[-1].cursor is None
        assert everything(made)[-1].complete


def test_a_listing_behind_the_last_row_is_taken_up_again_where_it_broke_off():
    def handler(call):
        return {"data": [{**row(n, n), "id": n} for n in range(1, 8) if n > int(call.query.get("after", 0))][:3]}

    with product(manifest(CHANGING, "paging: {after: after}"), handler) as (made, world):
        feed = made.list_changes("customers", None, ["name"], {})
        first = next(feed)
        feed.close()
        rest = list(made.list_changes("customers", first.cursor, ["name"], {}))
        assert ids(rest) == ["4", "5", "6", "7"]
        assert not rest[-1].complete, "of two halves no deletion may be concluded"
        assert world.calls[1].query == {"after": "3"}
        assert "resume" not in rest[-1].cursor


def test_deleted_records_that_a_list_still_shows_are_tombstones():
    soft = CHANGING + "deleted: {at: removed_at}\n"
    rows = [row(1, 1, removed_at=None), row(2, 2, removed_at="2026-02-01T00:00:02Z")]
    with product(manifest(soft), lambda call: {"data": rows}) as (made, _):
        (page,) = everything(made)
        assert [(remote.id, remote.deleted, remote.record is None) for remote in page.records] == [
            ("1", False, False),
            ("2", True, True),
        ]
        assert list(made.list_ids("customers", {})) == [["1"]]
        assert made.describe("customers")[0].deletes == "tombstones"


# --- single records, lookups, lines -------------------------------------------------------------------

FINDING = PLAIN + 'lookup: {call: GET /customers, query: {"{field}": "{values}"}, most: 2}\n'


def test_several_records_are_asked_for_at_once_and_only_a_single_call_proves_one_gone():
    store = Store(row(1), row(2), row(3))
    archived = row(4)

    def handler(call):
        return archived if call.path == "/customers/4" else store.serve(call)

    with product(manifest(FINDING), handler) as (made, world):
        found = made.get("customers", ["3", "4", "9", "1"], ["name"], {})
        assert [(remote.id, remote.deleted) for remote in found] == [
            ("3", False),
            ("4", False),
            ("9", True),
            ("1", False),
        ]
        assert found[2] == Remote("9", None, deleted=True)
        assert world.paths() == ["GET /customers", "GET /customers", "GET /customers/4", "GET /customers/9"]


def test_a_lookup_that_shows_others_than_asked_for_is_not_believed():
    with product(manifest(FINDING), lambda call: {"data": [row(1), row(2)]}) as (made, _):
        with pytest.raises(UnexpectedAnswer, match="the filter is ignored"):
            made.get("customers", ["1"], ["name"], {})


def test_an_id_with_a_slash_leads_nowhere_else():
    with product(manifest(), lambda call: (404, {})) as (made, world):
        assert made.get("customers", ["../admin"], ["name"], {})[0].deleted
        assert made.get("customers", ["a/b"], ["name"], {})[0].deleted
        assert world.paths() == ["GET /customers/..%2Fadmin", "GET /customers/a%2Fb"]
        with pytest.raises(ConfigurationError, match="can't be part of an address"):
            made.get("customers", [".."], ["name"], {})


LINES = """
list: {call: GET /customers, records: data}
get: GET /customers/{id}
fields: {id: text, name: text, addresses: {type: lines, fields: {id: text, city: text}}}
lines:
  addresses:
    list: {call: "GET /customers/{id}/addresses", records: data, paging: {page: p, total: n}}
    write: never
"""


def test_lines_kept_apart_come_with_their_records_when_asked_for():
    def handler(call):
        if call.path.endswith("/addresses"):
            page = int(call.query["p"])
            return {"data": [{"id": f"{call.path[11]}-{page}", "city": "上海"}], "n": 2}
        return {"data": [row(1), row(2)]}

    with product(manifest(LINES), handler) as (made, world):
        (page,) = everything(made, ["name", "addresses"])
        assert [[line["id"] for line in remote.record["addresses"]] for remote in page.records] == [
            ["1-1", "1-2"],
            ["2-1", "2-2"],
        ]
        world.calls.clear()
        everything(made, ["name"])
        assert world.paths() == ["GET /customers"]


WATCHED = """
list: {call: GET /customers, records: data, changes: {query: {since: "{since}"}, overlap: 0}}
get: GET /customers/{id}
modified: changed
fields: {id: text, changed: datetime, addresses: {type: lines, fields: {id: text, city: text}}}
lines: {addresses: {watch: {resource: addresses, parent: customer}}}
"""
ADDRESSES = """  addresses:
    list: {call: GET /addresses, records: data, changes: {query: {since: "{since}"}, overlap: 0}}
    get: GET /addresses/{id}
    modified: changed
    fields: {id: text, city: text, changed: datetime}
"""


def test_a_line_that_changes_shows_its_record_though_that_did_not():
    customers, addresses = Store(row(1, 1), row(2, 2)), Store()

    def handler(call):
        if call.path == "/addresses":
            since = call.query["since"]
            return {"data": [one for one in addresses.rows.values() if one["changed"] >= since]}
        return customers.serve(call)

    with product(manifest(WATCHED) + ADDRESSES, handler) as (made, _):
        cursor = everything(made, ["addresses"])[-1].cursor
        addresses.rows["a"] = {"id": "a", "customer": "2", "city": "北京", "changed": "2026-03-01T12:00:03Z"}
        pages = list(made.list_changes("customers", cursor, ["addresses"], {}))
        assert ids(pages) == ["2"]
        assert ids(made.list_changes("customers", pages[-1].cursor, ["addresses"], {})) == []


def test_a_lost_create_is_looked_up_by_its_key_or_by_what_is_unique():
    by_key = manifest(FINDING + 'key: hub_key\ncreate: {call: POST /customers, record: "."}\n')
    store = Store(row(1, hub_key="k1"), row(2, hub_key=None))
    with product(by_key, store.serve) as (made, _):
        found = made.probe("customers", [write("k1"), write("k2")], ["name"], {})
        assert [remote and (remote.id, remote.key) for remote in found] == [("1", "k1"), None]
    by_name = manifest(FINDING + "natural: [name]\n")
    with product(by_name, store.serve) as (made, _):
        found = made.probe("customers", [write("k", name="Nr 2"), write("k", name="none")], ["name"], {})
        assert [remote and remote.id for remote in found] == ["2", None]
        with pytest.raises(ConfigurationError, match="can't tell whether this record"):
            made.probe("customers", [write("k")], ["name"], {})
        store.rows["3"] = row(3, name="Nr 2")
        with pytest.raises(UnexpectedAnswer, match="2 records have this name"):
            made.probe("customers", [write("k", name="Nr 2")], ["name"], {})


def test_check_says_who_we_are_and_what_cannot_be_read():
    top = 'check: {call: GET /me, identity: "{user.name} <{user.mail}>", details: {company: "{org}"}}'

    def handler(call):
        return {"user": {"name": "Hub", "mail": "hub@x"}, "org": "上海"} if call.path == "/me" else (500, b"<html>")

    with product(manifest(top=top), handler) as (made, _):
        health = made.check()
        assert (health.identity, health.details) == ("Hub <hub@x>", {"company": "上海"})
        assert health.problems[0].startswith("customers: shop/customers: the system failed with status 500")


DESCRIBED = """
describe:
  resources: {call: GET /meta, records: data}
  name: table
  fields:
    call: GET /meta/{resource}
    records: data
    name: column
    type: kind
    types: {varchar: text, number: decimal, ref: text, set: choice}
    required: must
    max_length: size
    scale: digits
    choices: values
    choice: key
    reference: to
"""


def test_a_product_that_describes_itself_is_believed():
    meta = [
        {"column": "id", "kind": "varchar", "must": True, "size": 20},
        {"column": "price", "kind": "number", "digits": 4, "size": 9},
        {"column": "owner", "kind": "ref", "to": "people"},
        {"column": "state", "kind": "set", "values": [{"key": "on"}, {"key": "off"}]},
        {"column": "blob", "kind": "geometry"},
    ]

    def handler(call):
        return {"data": [{"table": "things"}, {"table": "people"}] if call.path == "/meta" else meta}

    any_resource = manifest("list: GET /x\nget: GET /x/{id}", DESCRIBED).replace("customers:", '"*":')
    with product(any_resource, handler) as (made, _):
        assert [resource.name for resource in made.describe()] == ["things", "people"]
        (things,) = made.describe("things")
        told = {f.name: (f.type, f.required, f.max_length, f.scale, f.choices, f.reference) for f in things.fields}
        assert told == {
            "id": ("text", True, 20, None, (), None),
            "price": ("decimal", False, None, 4, (), None),
            "owner": ("text", False, None, None, (), "people"),
            "state": ("choice", False, None, None, ("on", "off"), None),
            "blob": ("any", False, None, None, (), None),
        }


def test_a_resource_that_the_manifest_does_not_know_is_refused_with_a_suggestion():
    with product(manifest(), lambda call: {}) as (made, _):
        with pytest.raises(ConfigurationError, match="no resource 'customer'.*did you mean 'customers'"):
            made.describe("customer")


PARTS = manifest("""
modified: changed
list:
  call: GET /customers
  records: data
  changes: {query: {since: "{since}"}}
  parts: {query: {of: "{part.of}", rest: "{part.index}"}}
get: GET /customers/{id}
fields: {id: text, name: text, changed: datetime}
""")


def in_parts(call: Call):
    of, rest = int(call.query.get("of", 1)), int(call.query.get("rest", 0))
    return {"data": [one for one in numbered(7) if one["id"] % of == rest]}


def test_a_list_can_be_read_in_parts():
    with product(PARTS, in_parts) as (made, world):
        assert made.has_parts("customers", {})
        read = [list(made.list_part("customers", Part(number, 3), None, ["name"], {})) for number in (1, 2, 3)]
        assert [ids(pages) for pages in read] == [["3", "6"], ["1", "4", "7"], ["2", "5"]]
        assert all(pages[-1].complete for pages in read)
        list(made.list_part("customers", Part(2, 3), read[1][-1].cursor, ["name"], {}))
        assert {"of": "3", "rest": "1"}.items() <= world.calls[-1].query.items()
        assert "since" in world.calls[-1].query
        assert not any("parts" in problem for problem in made.check().problems)


def test_a_product_that_ignores_the_parts_is_found_out():
    with product(PARTS, lambda call: {"data": numbered(3)}) as (made, _):
        assert any("'parts' is ignored" in problem for problem in made.check().problems)


def test_what_says_nothing_of_parts_has_none():
    with product(manifest(PAGED), lambda call: {"data": []}) as (made, _):
        assert not made.has_parts("customers", {})
