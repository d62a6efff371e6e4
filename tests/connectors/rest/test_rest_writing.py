# ruff: noqa: SIM117, RUF043
"""Writing by manifest: creates that are never doubled, updates that refuse stale ones, lines, workflow."""

from dataclasses import replace

import pytest
import requests
from rest_world import Store, manifest, product, row, write

from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    RecordRejected,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)

FULL = """
key: hub_key
modified: changed
list: {call: GET /customers, records: data}
lookup: {call: GET /customers, query: {"{field}": "{values}"}}
get: GET /customers/{id}
create: {call: POST /customers, record: "."}
update: PATCH /customers/{id}
delete: DELETE /customers/{id}
archive: {set: {state: off}}
fields: {id: {type: text, read_only: true}, name: text, changed: datetime, hub_key: text, state: text, lines: lines}
"""


def create(made, *writes, fields=("name",)):
    return made.create("customers", list(writes), list(fields), {})


def update(made, *writes, fields=("name",)):
    return made.update("customers", list(writes), list(fields), {})


def one(results):
    (result,) = results
    return result


def test_a_record_is_made_with_the_hubs_key_and_read_back():
    store = Store()
    with product(manifest(FULL), store.serve) as (made, world):
        result = one(create(made, write("k1", name="a")))
        assert world.calls[0].body == {"name": "a", "hub_key": "k1"}
        assert (result.error, result.remote.id, result.remote.key) == (None, "1", "k1")
        assert result.remote.record == {"id": "1", "name": "a"}
        assert result.remote.version == "2026-02-01T00:00:01Z"


def test_a_lost_answer_is_an_unknown_outcome_for_that_record_alone_and_nothing_is_sent_again():
    store = Store()

    def handler(call):
        answer = store.serve(call)
        if call.method == "POST" and call.body["name"] == "b":
            return requests.ConnectionError("gone") if call.body["hub_key"] == "k2" else answer
        return answer

    with product(manifest(FULL), handler) as (made, world):
        results = create(made, write("k1", name="a"), write("k2", name="b"), write("k3", name="b"))
        assert [type(result.error) for result in results] == [type(None), UnknownOutcome, type(None)]
        assert world.paths().count("POST /customers") == 3
        assert made.probe("customers", [write("k2")], ["name"], {})[0].key == "k2"


@pytest.mark.parametrize("answer", [(500, b"<html>oops</html>"), (200, b"<html>proxy</html>"), (201, {"ok": True})])
def test_an_answer_to_a_create_that_tells_no_id_is_an_unknown_outcome(answer):
    with product(manifest(FULL), lambda call: answer) as (made, _):
        assert isinstance(one(create(made, write("k1", name="a"))).error, UnknownOutcome)


def test_a_create_that_may_be_repeated_is_repeated():
    store, lost = Store(), []

    def handler(call):
        if call.method == "PUT":
            key = call.path.rpartition("/")[2]
            store.rows.setdefault(key, {"id": key, **call.body})
            if not lost:
                lost.append(1)
                return requests.ConnectionError("gone")
            return store.rows[key]
        return store.serve(call)

    upsert = FULL.replace("create: {call: POST /customers", 'upsert: {call: "PUT /customers/{key}"')
    with product(manifest(upsert), handler) as (made, world):
        assert one(create(made, write("k1", name="a"))).remote.id == "k1"
        assert world.paths()[:2] == ["PUT /customers/k1"] * 2
    keyed = FULL.replace('record: "."}', 'record: ".", repeatable: true, headers: {Idempotency-Key: "{key}"}}')
    with product(manifest(keyed), Store().serve) as (made, world):
        create(made, write("k1", name="a"))
        assert world.calls[0].headers["Idempotency-Key"] == "k1"


def test_the_new_id_may_be_in_a_header():
    located = FULL.replace('record: "."}', "id: header:Location}")

    def handler(call):
        return (201, {"Location": "https://shop.test/api/customers/77"}, b"") if call.method == "POST" else (404, {})

    with product(manifest(located), handler) as (made, _):
        assert one(create(made, write("k1", name="a"))).remote.id == "77"


def test_bodies_are_wrapped_as_the_manifest_says():
    wrapped = FULL.replace('record: "."}', 'record: ".", body: {data: "{record}", actor: "hub of {resource}"}}')
    store = Store()

    def handler(call):
        return store.create(call.body["data"]) if call.method == "POST" else store.serve(call)

    with product(manifest(wrapped), handler) as (made, world):
        create(made, write("k1", name="a"))
        assert world.calls[0].body == {"data": {"name": "a", "hub_key": "k1"}, "actor": "hub of customers"}


def test_a_form_instead_of_json():
    form = FULL.replace('record: "."}', 'record: ".", form: true}')
    store = Store()
    with product(manifest(form), store.serve) as (made, world):
        create(made, write("k1", name="上海 & co"))
        assert world.calls[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert store.rows["1"]["name"] == "上海 & co"


def test_what_a_new_record_gets_unless_it_is_said_and_what_is_never_sent():
    more = FULL.replace(
        'record: "."}', 'record: ".", declared_only: true, defaults: {state: "on", name: "of {settings.url}"}}'
    )
    with product(manifest(more), Store().serve) as (made, world):
        asked = write("k1", name="a", bogus=1)
        asked.values["id"] = "9"
        create(made, asked)
        assert world.calls[0].body == {"state": "on", "name": "a", "hub_key": "k1"}


# --- refusals -----------------------------------------------------------------------------------------

RULES = """
message: [error.text, message]
errors:
  - {at: error.code, is: dup, raise: exists, id: error.other, field: error.field, code: error.code}
  - {status: 200, at: ok, is: false, raise: rejected, code: code}
  - {at: error.code, is: busy, raise: rate_limit, wait: error.seconds}
  - {at: header:X-Reason, has: locked, raise: conflict}
  - {at: message, has: log in again, raise: renew}
"""


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        ((400, {"message": "name is too long"}), RecordRejected, "status 400: name is too long"),
        ((422, {"message": "no"}), RecordRejected, "status 422: no"),
        ((403, {"message": "not yours"}), RecordRejected, "status 403: not yours"),
        ((409, {"error": {"code": "dup", "text": "taken", "other": 7, "field": "name"}}), AlreadyExists, "taken"),
        ((200, {"ok": False, "code": 17, "message": "bad"}), RecordRejected, "bad"),
        ((400, {"X-Reason": "record LOCKED by ann"}, b""), VersionConflict, ""),
        ((500, b"<html><title>Oops</title></html>"), UnknownOutcome, "Oops"),
    ],
)
def test_refusals_become_errors_of_the_record(answer, error, told):
    with product(manifest(FULL, RULES), lambda call: answer) as (made, _):
        found = one(create(made, write("k1", name="a"))).error
        assert type(found) is error
        assert told in found.what
        assert found.where.startswith("shop/customers")
        if error is AlreadyExists:
            assert (found.remote_id, found.field, found.code) == ("7", "name", "dup")


def test_a_record_that_is_there_with_our_key_is_the_one_we_made():
    store = Store(row(1, 1, hub_key="k1"), row(2, 2, hub_key="other"))
    taken = {"error": {"code": "dup", "text": "taken", "field": "name"}}

    def handler(call):
        return (409, taken) if call.method == "POST" else store.serve(call)

    with product(manifest(FULL, RULES), handler) as (made, _):
        ours, theirs, nobody = create(made, write("k1", name="a"), write("k2", name="Nr 2"), write("k3", name="x"))
        assert (ours.error, ours.remote.id, ours.remote.key) == (None, "1", "k1")
        assert (type(theirs.error), theirs.error.remote_id) == (AlreadyExists, "2")
        assert (type(nobody.error), nobody.error.remote_id) == (AlreadyExists, None)


def test_what_concerns_the_system_ends_the_round():
    with product(manifest(FULL, RULES), lambda call: (401, {"message": "who are you"})) as (made, world):
        with pytest.raises(AuthenticationError, match="who are you"):
            create(made, write("k1", name="a"), write("k2", name="b"))
        assert len(world.calls) == 1, "a bad log-in is never hammered"


def test_a_rate_limit_inside_a_200_is_waited_for_when_reading():
    answers = [{"error": {"code": "busy", "text": "slow down", "seconds": 5}}, {"data": [row(1)]}]
    with product(manifest(FULL, RULES), lambda call: answers.pop(0)) as (made, _):
        assert made.get("customers", ["1"], ["name"], {})[0].id == "1"


# --- batches ------------------------------------------------------------------------------------------

BATCH = FULL.replace(
    'create: {call: POST /customers, record: "."}',
    'create: {call: POST /customers, body: "{records}", batch: 50, all_or_nothing: true, each: {at: data, pair: key}}',
)


def test_a_batch_is_one_call_whose_answers_come_in_any_order():
    store = Store()

    def handler(call):
        if call.method == "POST":
            return {"data": [store.create(values) for values in call.body][::-1]}
        return store.serve(call)

    with product(manifest(BATCH), handler) as (made, world):
        results = create(made, *(write(f"k{n}", name=f"Nr {n}") for n in range(3)))
        assert [result.remote.record["name"] for result in results] == ["Nr 0", "Nr 1", "Nr 2"]
        assert world.paths() == ["POST /customers", "GET /customers"]


def test_one_bad_record_of_an_all_or_nothing_batch_fails_alone():
    store = Store()

    def handler(call):
        if call.method != "POST":
            return store.serve(call)
        if any(not values.get("name") for values in call.body):
            return 400, {"message": "name is required"}
        return {"data": [store.create(values) for values in call.body]}

    with product(manifest(BATCH, "message: message"), handler) as (made, _):
        results = create(made, write("k1", name="a"), write("k2", name=""), write("k3", name="c"))
        assert [result.error and result.error.what for result in results] == [
            None,
            "status 400: name is required",
            None,
        ]
        assert [one["hub_key"] for one in store.rows.values()] == ["k1", "k3"]


def test_a_batch_without_an_answer_for_a_record_leaves_it_in_doubt():
    with product(manifest(BATCH), lambda call: {"data": []}) as (made, _):
        assert [type(result.error) for result in create(made, write("k1", name="a"))] == [UnknownOutcome]
    with product(manifest(BATCH), lambda call: {"done": True}) as (made, _):
        with pytest.raises(UnknownOutcome, match="no results at 'data'"):
            create(made, write("k1", name="a"), write("k2", name="b"))


def test_each_record_of_a_batch_has_a_result_of_its_own():
    each = FULL.replace(
        'create: {call: POST /customers, record: "."}',
        'create: {call: POST /customers, body: {rows: "{records}"}, batch: 20, each: {at: results, id: made.id, '
        "errors: [{at: status, not: ok, raise: rejected, message: why, code: status, field: on}]}}",
    )

    def handler(call):
        if call.method == "GET":
            return {"data": [row(1)]}
        return {"results": [{"status": "ok", "made": {"id": 1}}, {"status": "E7", "why": "too long", "on": "name"}]}

    with product(manifest(each), handler) as (made, _):
        good, bad = create(made, write("k1", name="a"), write("k2", name="b"))
        assert good.remote.id == "1"
        assert (type(bad.error), bad.error.what, bad.error.code, bad.error.field) == (
            RecordRejected, "too long", "E7", "name",
        )  # fmt: skip


# --- updates ------------------------------------------------------------------------------------------


def test_an_update_refuses_what_moved_on_or_is_gone_and_sends_only_what_changes():
    store = Store(row(1, 1), row(2, 5), row(3, 3))
    with product(manifest(FULL), store.serve) as (made, world):
        results = update(
            made,
            write("k1", "1", "2026-02-01T00:00:01Z", name="new"),
            write("k2", "2", "2026-02-01T00:00:01Z", name="new"),
            write("k9", "9", "2026-02-01T00:00:01Z", name="new"),
        )
        assert [type(result.error) for result in results] == [type(None), VersionConflict, Gone]
        assert results[0].remote.record["name"] == "new"
        assert store.rows["2"]["name"] == "Nr 2"
        sent = [call.body for call in world.calls if call.method == "PATCH"]
        assert sent == [{"name": "new"}]


def test_a_version_can_travel_in_a_header_instead():
    guarded = FULL.replace(
        "update: PATCH /customers/{id}", 'update: {call: "PATCH /customers/{id}", if_match: If-Match}'
    )

    def handler(call):
        return 412, {"message": "stale"} if call.headers.get("If-Match") == "v1" else {}

    with product(manifest(guarded.replace("modified: changed", "version: rev")), handler) as (made, world):
        assert isinstance(one(update(made, write("k1", "1", "v1", name="new"))).error, VersionConflict)
        assert world.paths() == ["PATCH /customers/1"], "nothing is read before"


def test_a_product_that_wants_the_whole_record_gets_it():
    whole = FULL.replace("update: PATCH /customers/{id}", 'update: {call: "PUT /customers/{id}", send: whole}')
    store = Store(row(1, 1, state="on", extra="x"))
    with product(manifest(whole), store.serve) as (made, world):
        update(made, write("k1", "1", None, name="new"))
        (sent,) = (call.body for call in world.calls if call.method == "PUT")
        assert sent == {"name": "new", "changed": "2026-02-01T00:00:01Z", "state": "on"}


def test_a_field_that_the_product_drops_silently_shows_in_what_is_read_back():
    store = Store(row(1, 1))

    def handler(call):
        return {**store.rows["1"]} if call.method == "PATCH" else store.serve(call)

    with product(manifest(FULL), handler) as (made, _):
        assert one(update(made, write("k1", "1", None, name="new"))).remote.record["name"] == "Nr 1"


def test_archiving_sets_fields_and_is_believed_only_when_they_show_it():
    store = Store(row(1, 1), row(2, 2))
    with product(manifest(FULL), store.serve) as (made, _):
        asked = write("k1", "1")
        asked.mode = "archive"
        gone = write("k2", "2")
        archived, deleted = made.delete("customers", [asked, gone], {})
        assert (archived.remote.deleted, store.rows["1"]["state"]) == (False, "off")
        assert (deleted.remote.deleted, "2" in store.rows) == (True, False)
        assert made.delete("customers", [gone], {})[0].error is None, "gone already: as wanted"

    def deaf(call):
        return store.serve(call) if call.method == "GET" else {}

    store.rows["1"]["state"] = "on"
    with product(manifest(FULL), deaf) as (made, _):
        assert "was not archived" in one(made.delete("customers", [asked], {})).error.what


def test_what_a_manifest_does_not_describe_is_refused_by_name():
    reader = FULL.replace("update: PATCH /customers/{id}\n", "").replace("archive: {set: {state: off}}\n", "")
    other = "  others:\n    list: GET /x\n    get: GET /x/{id}\n    update: PATCH /x/{id}\n    fields: {id: text}\n"
    with product(manifest(reader) + other, Store().serve) as (made, _):
        with pytest.raises(ConfigurationError, match="does not say how to update 'customers'"):
            update(made, write("k", "1", None, name="a"))
        asked = write("k1", "1")
        asked.mode = "archive"
        with pytest.raises(ConfigurationError, match="can't be archived"):
            made.delete("customers", [asked], {})


# --- lines --------------------------------------------------------------------------------------------

OLD = [{"id": 1, "no": 1, "qty": 5}, {"id": 2, "no": 2, "qty": 7}]
WANTED = [{"id": 1, "qty": 6}, {"no": 3, "qty": 1}]


def lines(config):
    return manifest(FULL + f"lines: {{lines: {config}}}\n")


def test_lines_as_a_list_go_whole_with_their_ids():
    store = Store(row(1, 1, lines=OLD))
    with product(lines("{write: list, defaults: {unit: 件}}"), store.serve) as (made, world):
        update(made, write("k", "1", None, lines=WANTED), fields=["lines"])
        sent = next(call.body for call in world.calls if call.method == "PATCH")
        assert sent == {"lines": [{"id": 1, "qty": 6}, {"unit": "件", "no": 3, "qty": 1}]}
        create(made, write("k2", lines=[{"id": "old", "no": 1}]), fields=["lines"])
        assert next(c.body for c in world.calls if c.method == "POST")["lines"] == [{"unit": "件", "no": 1}]


def test_lines_as_changes_say_what_is_new_other_and_gone():
    store = Store(row(1, 1, lines=OLD))
    with product(lines("{write: changes, names: {delete: remove}}"), store.serve) as (made, world):
        update(made, write("k", "1", None, lines=WANTED), fields=["lines"])
        sent = next(call.body for call in world.calls if call.method == "PATCH")
        assert sent["lines"] == {"create": [{"no": 3, "qty": 1}], "update": [{"id": 1, "qty": 6}], "remove": [2]}


@pytest.mark.parametrize("config", ["{write: list}", "{write: changes}"])
@pytest.mark.parametrize("seen", [[OLD[0]], [{**OLD[0], "qty": 99}, OLD[1]], [*OLD, {"id": 7}]])
def test_lines_that_a_person_changed_since_the_write_was_planned_are_a_conflict(config, seen):
    """Their record does not move when one of them does, so its version says nothing of them."""
    store = Store(row(1, 1, lines=OLD))
    with product(lines(config), store.serve) as (made, world):
        planned = replace(write("k", "1", None, lines=WANTED), old={"name": "Nr 1", "lines": seen})
        assert isinstance(one(update(made, planned, fields=["lines"])).error, VersionConflict)
        assert not [call for call in world.calls if call.method == "PATCH"]
        planned = replace(planned, old={"name": "Nr 1", "lines": [dict(line) for line in OLD]})
        assert one(update(made, planned, fields=["lines"])).error is None


APART = (
    '{write: apart, list: {call: "GET /customers/{id}/lines", records: "."}, create: "POST /customers/{id}/lines", '
    'update: "PATCH /customers/{id}/lines/{line_id}", delete: "DELETE /customers/{id}/lines/{line_id}"}'
)


class Apart:
    """A record whose lines have calls of their own."""

    def __init__(self):
        self.lines = {1: dict(OLD[0]), 2: dict(OLD[1])}
        self.broken = False

    def serve(self, call):
        if "/lines" not in call.path:
            return row(1, 1) if call.path.count("/") == 2 else {"data": [row(1, 1)]}
        last = call.path.rpartition("/")[2]
        if call.method == "GET":
            return list(self.lines.values())
        if call.method == "POST":
            if self.broken:
                return 400, {"message": "no"}
            self.lines[9] = {"id": 9, **call.body}
        elif call.method == "PATCH":
            self.lines[int(last)] |= call.body
        else:
            del self.lines[int(last)]
        return {}


def test_lines_with_calls_of_their_own_are_never_doubled():
    product_lines = Apart()
    with product(lines(APART), product_lines.serve) as (made, _):
        product_lines.broken = True
        result = one(update(made, write("k", "1", None, lines=WANTED), fields=["lines"]))
        assert (result.error, type(result.problem)) == (None, RecordRejected)
        product_lines.broken = False
        result = one(update(made, write("k", "1", None, lines=WANTED), fields=["lines"]))
        assert result.problem is None
        assert result.remote.record["lines"] == [{"id": 1, "no": 1, "qty": 6}, {"id": 9, "no": 3, "qty": 1}]
        again = [{"id": 1, "qty": 6}, {"id": 9, "no": 3, "qty": 1}]
        update(made, write("k", "1", None, lines=again), fields=["lines"])
        assert len(product_lines.lines) == 2


def test_lines_that_cannot_be_written_are_refused():
    with product(lines("{write: never}"), Store(row(1, 1)).serve) as (made, _):
        error = one(update(made, write("k", "1", None, lines=[]), fields=["lines"])).error
        assert (type(error), error.field) == (RecordRejected, "lines")


# --- workflow -----------------------------------------------------------------------------------------

ACTIONS = (
    FULL
    + """
actions:
  - {field: state, value: confirmed, from: draft, calls: "POST /customers/{id}/confirm"}
  - field: state
    value: done
    from: confirmed
    calls:
      - {call: "POST /customers/{id}/finish", body: {rows: {each: "{record.lines}", make: {n: "{item.id}"}}}}
  - {field: state, value: cancelled, calls: ["POST /customers/{id}/cancel"]}
"""
)


def workflow(store, deaf=()):
    to = {"confirm": "confirmed", "finish": "done", "cancel": "cancelled"}

    def handler(call):
        verb = call.path.rpartition("/")[2]
        if verb in to:
            if verb not in deaf:
                store.update(call.path.split("/")[2], {"state": to[verb]})
            return {}
        return store.serve(call)

    return handler


def test_a_state_is_reached_by_calls_and_not_written():
    store = Store(row(1, 1, state="draft", lines=OLD))
    with product(manifest(ACTIONS), workflow(store)) as (made, world):
        result = one(update(made, write("k", "1", None, name="new", state="done"), fields=["state"]))
        assert (result.problem, result.remote.record["state"]) == (None, "done")
        assert [path for path in world.paths() if not path.startswith("GET")] == [
            "PATCH /customers/1",
            "POST /customers/1/confirm",
            "POST /customers/1/finish",
        ]
        assert world.calls[1].body == {"name": "new"}
        assert next(c.body for c in world.calls if c.path.endswith("finish")) == {"rows": [{"n": 1}, {"n": 2}]}
        world.calls.clear()
        update(made, write("k", "1", None, state="done"), fields=["state"])
        assert not [path for path in world.paths() if path.endswith("finish")], "it is done already"


def test_a_call_that_changes_nothing_is_a_problem_and_not_a_success():
    store = Store(row(1, 1, state="draft"))
    with product(manifest(ACTIONS), workflow(store, deaf=("cancel",))) as (made, _):
        result = one(update(made, write("k", "1", None, state="cancelled"), fields=["state"]))
        assert result.remote.record["state"] == "draft"
        assert "state is 'draft' after all calls, not 'cancelled'" in result.problem.what


def test_a_state_that_cannot_be_reached_is_told_with_the_record_written():
    store = Store(row(1, 1, state="done"))
    with product(manifest(ACTIONS), workflow(store)) as (made, _):
        result = one(update(made, write("k", "1", None, name="new", state="draft"), fields=["name", "state"]))
        assert result.remote.record["name"] == "new"
        assert (result.problem.field, result.problem.what) == ("state", "state can't get from 'done' to 'draft'")


def test_a_new_record_is_made_first_and_led_to_its_state_then():
    store = Store()

    def handler(call):
        if call.method == "POST" and call.path == "/customers":
            call.body["state"] = "draft"
        return workflow(store)(call)

    with product(manifest(ACTIONS), handler) as (made, world):
        result = one(create(made, write("k", name="a", state="confirmed"), fields=["state"]))
        assert result.remote.record["state"] == "confirmed"
        assert world.paths()[0] == "POST /customers"


def test_rows_where_a_single_record_is_due_are_an_unexpected_answer():
    single = "list: GET /customers\nget: GET /customers/{id}\nfields: {id: text}\n"
    with product(manifest(single), lambda call: [row(1)]) as (made, _):
        with pytest.raises(UnexpectedAnswer, match="no record at '.'"):
            made.get("customers", ["1"], [], {})
