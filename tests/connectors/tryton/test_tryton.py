"""The Tryton connector against canned answers: what real servers show, tests/real holds."""

from __future__ import annotations

import ast
import base64
import io
import json
import tokenize
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from hub.connect.capabilities import Write
from hub.connect.registry import find
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.connect.workflow import next_step
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    RecordRejected,
    UnknownOutcome,
    VersionConflict,
)

URL = "http://erp.test"
CONTEXT = {"company": 1, "company.rec_name": "示例", "language": "en"}
FIELDS: dict[str, dict[str, Any]] = {
    "sale.sale": {
        "id": {"type": "integer", "readonly": True, "required": False, "searchable": True},
        "reference": {"type": "char", "readonly": False, "required": False, "searchable": True, "on_change": []},
        "state": {
            "type": "selection", "readonly": True, "required": True, "searchable": True,
            "selection": [["draft", "Draft"], ["done", "Done"]],
        },
        "total": {"type": "numeric", "readonly": True, "required": False, "searchable": False},
        "note": {"type": "text", "readonly": False, "required": False, "searchable": True, "size": 40},
        "lines": {"type": "one2many", "relation": "sale.line", "readonly": False, "searchable": True},
    },
    "sale.line": {
        "quantity": {"type": "float", "readonly": False, "required": True, "searchable": True},
        "amount": {"type": "numeric", "readonly": True, "required": False, "searchable": False},
        "dear": {"type": "float", "readonly": True, "required": False, "searchable": False},
    },
    "product.product": {
        "suffix_code": {"type": "char", "readonly": False, "required": False, "searchable": True},
        "template": {"type": "many2one", "relation": "product.template", "readonly": False, "searchable": True},
    },
    "product.template": {
        "name": {"type": "char", "readonly": False, "required": True, "searchable": True},
        "list_price": {"type": "numeric", "readonly": False, "required": False, "searchable": True},
    },
}  # fmt: skip
Answer = Any


class Server:
    """Answers calls by method; what was called is kept."""

    def __init__(self, old: bool = False) -> None:
        self.old = old
        self.calls: list[tuple[str, list[Any]]] = []
        self.logins = 0
        self.answers: dict[str, Callable[[list[Any]], Answer]] = {
            "common.db.login": lambda parameters: {"result": [1, f"token-{self.logins}", None]},
            "model.res.user.get_preferences": lambda parameters: {"result": CONTEXT},
        }
        for model, fields in FIELDS.items():
            self.answers[f"model.{model}.fields_get"] = lambda parameters, fields=fields: {"result": fields}

    def __call__(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or b"{}")
        method, path = body["method"], (request.path_url or "").strip("/")
        if method == "common.server.version":
            right = path == ("" if self.old else "rpc")
            return (200, {}, json.dumps({"result": "7.0.1" if self.old else "8.2"})) if right else (405, {}, "<html>")
        assert path == ("erp" if self.old else "erp/rpc"), path
        self.logins += method == "common.db.login"
        header = str(request.headers.get("Authorization", "")).removeprefix("Session ")
        if method.startswith("model.") and base64.b64decode(header) == b"hub:1:ended":
            return 401, {}, "<html>"
        self.calls.append((method, body["params"]))
        answer = self.answers[method](body["params"])
        return answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer))

    def called(self, method: str) -> list[list[Any]]:
        return [parameters for name, parameters in self.calls if name.endswith(f".{method}")]


@pytest.fixture
def server() -> Iterator[Server]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        one = Server()
        for path in ("/", "/rpc/", "/erp/", "/erp/rpc/"):
            mock.add_callback(responses.POST, URL + path, one)
        yield one


def connect(**settings: Any) -> Any:
    given = {"url": URL, "database": "erp", "username": "hub", "password": "secret", **settings}
    return find("tryton").open(given, Services("erp", MemoryCache(), sleep=lambda seconds: None))


def stored(key: int, **values: Any) -> dict[str, Any]:
    when = {"__class__": "datetime", "year": 2026, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5}
    dates = {"write_date": None, "create_date": {**when, "microsecond": 67}}
    return {"id": key, "_timestamp": "17.5", **dates, **values}


@pytest.mark.parametrize(("old", "version"), [(False, "8.2"), (True, "7.0.1")])
def test_the_path_of_the_series_is_found_out(server: Server, old: bool, version: str):
    server.old = old
    health = connect().check()
    assert health.details == {"version": version, "company": "示例"} and not health.problems


def test_a_wrong_password_is_tried_once(server: Server):
    server.answers["common.db.login"] = lambda parameters: (401, {}, "<html>")
    one = connect()
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            one.check()
    assert server.logins == 1


def test_a_session_that_ended_is_renewed_and_the_call_sent_once_more(server: Server):
    tokens = iter(["ended", "fresh"])
    server.answers["common.db.login"] = lambda parameters: {"result": [1, next(tokens)]}
    server.answers["model.res.user.get_preferences"] = lambda parameters: {"result": CONTEXT}
    server.answers["model.sale.sale.create"] = lambda parameters: {"result": [7]}
    one = connect()
    header = base64.b64encode(b"hub:1:ended").decode()
    kept = {"headers": {"Authorization": f"Session {header}"}, "path": "erp/rpc/", "version": "8.2", "context": CONTEXT}
    tokens_of = one.rpc._auth._tokens
    tokens_of._cache.set(tokens_of._key, json.dumps(kept), 60)
    next(tokens)
    assert one._client.write("sale.sale", "create", [{}]) == [7]
    assert server.logins == 1 and len(server.called("create")) == 1


def test_values_are_plain_and_exact(server: Server):
    amount = {"__class__": "Decimal", "decimal": "12.340"}
    lines = [{"id": 3, "quantity": 2.5, "amount": amount}]
    server.answers["model.sale.sale.search_read"] = lambda parameters: {
        "result": [stored(9, total=amount, **{"lines.": lines})]
    }
    (found,) = connect().get("sale.sale", ["9"], ["total", "lines"], {})
    assert found.record == {"id": 9, "total": Decimal("12.340"), "lines": [
        {"id": 3, "quantity": Decimal("2.5"), "amount": Decimal("12.340")}]}  # fmt: skip
    assert (found.version, found.modified_at) == ("17.5", "2026-01-02T03:04:05.000067Z")
    assert "lines.dear" not in server.called("search_read")[0][4]


def test_a_resource_is_described_as_mappings_need_it(server: Server):
    server.answers["model.sale.sale.default_get"] = lambda parameters: {"result": {"state": "draft"}}
    (sale,) = connect().describe("sale.sale")
    fields = {field.name: field for field in sale.fields}
    assert (fields["state"].required, fields["state"].read_only) == (False, False), "Tryton gives it, buttons change it"
    assert fields["state"].choices == ("draft", "done") and fields["note"].max_length == 40
    assert [field.name for field in fields["lines"].fields] == ["quantity", "amount"]
    assert (sale.probe, sale.line_ids, sale.archive) == ("natural", {"lines": "id"}, False)


def test_one_bad_record_of_a_call_fails_alone(server: Server):
    def make(parameters: list[Any]) -> Answer:
        rows = parameters[0]
        if any(row.get("note") == "bad" for row in rows):
            return {"error": ["UserError", ["Not good", "at all", None]]}
        return {"result": [40 + int(row["reference"]) for row in rows]}

    server.answers["model.sale.sale.create"] = make
    server.answers["model.sale.sale.search_read"] = lambda parameters: {
        "result": [stored(key, reference=str(key - 40)) for key in parameters[0][0][2] if isinstance(key, int)]
    }
    writes = [Write(str(n), {"reference": str(n), "note": "bad" if n == 2 else "good"}) for n in (1, 2, 3)]
    one = connect()
    one._settings.keys["sale.sale"] = None
    first, second, third = one.create("sale.sale", writes, ["reference"], {})
    assert (first.remote.id, third.remote.id) == ("41", "43")
    assert isinstance(second.error, RecordRejected) and second.error.what == "Not good at all"


def test_a_refused_record_that_is_there_already_is_named(server: Server):
    server.answers["model.sale.sale.create"] = lambda parameters: {"error": ["UserError", ["must be unique", "", None]]}
    server.answers["model.sale.sale.search_read"] = lambda parameters: {"result": [stored(5, reference="A")]}
    (result,) = connect().create("sale.sale", [Write("k", {"reference": "A"})], ["reference"], {})
    assert isinstance(result.error, AlreadyExists) and result.error.remote_id == "5"


@pytest.mark.parametrize("skip", [False, True])
def test_a_warning_is_a_persons_matter_unless_the_settings_say_yes_to_it(server: Server, skip: bool):
    said: list[Any] = []
    server.answers["model.sale.sale.search_read"] = lambda parameters: {"result": [stored(5, note="y")]}
    server.answers["model.res.user.warning.skip"] = lambda parameters: {"result": said.append(parameters[0])}
    warning = {"error": ["UserWarning", ["key.1", "Are you sure?", ""]]}
    server.answers["model.sale.sale.write"] = lambda parameters: {"result": None} if said else warning
    (result,) = connect(skip_warnings=skip).update("sale.sale", [Write("k", {"note": "x"}, id="5")], ["note"], {})
    assert said == (["key.1"] if skip else [])
    assert (result.error is None) == skip


def test_a_write_carries_the_state_it_was_planned_from(server: Server):
    server.answers["model.sale.sale.search_read"] = lambda parameters: {"result": [stored(5, note="y")]}
    server.answers["model.sale.sale.write"] = lambda parameters: {"error": ["ConcurrencyException", "moved"]}
    write = Write("k", {"note": "x"}, id="5", version="17.5")
    (result,) = connect().update("sale.sale", [write], ["note"], {})
    assert isinstance(result.error, VersionConflict)
    assert server.called("write")[0][-1]["_timestamp"] == {"sale.sale,5": "17.5"}


def test_lines_become_commands_and_the_others_go(server: Server):
    before = [{"id": 1, "quantity": 2.0}, {"id": 2, "quantity": 5.0}]
    server.answers["model.sale.sale.search_read"] = lambda parameters: {"result": [stored(5, **{"lines.": before})]}
    server.answers["model.sale.sale.write"] = lambda parameters: {"result": None}
    lines = [{"id": 1, "quantity": Decimal(3), "amount": Decimal(9)}, {"quantity": Decimal(4)}]
    connect().update("sale.sale", [Write("k", {"lines": lines}, id="5")], [], {})
    wanted = [["write", [1], {"quantity": 3}], ["delete", [2]], ["create", [{"quantity": 4}]]]
    assert server.called("write")[0][1] == {"lines": wanted}


def test_a_create_that_was_carried_out_is_never_taken_for_one_that_was_not(server: Server):
    """What follows it fails: sent again, the record would be there twice."""
    server.answers["model.sale.sale.create"] = lambda parameters: {"result": [7]}
    server.answers["model.sale.sale.search_read"] = lambda parameters: (503, {}, "down")
    (result,) = connect(keys={"sale.sale": None}).create("sale.sale", [Write("k", {"note": "x"})], ["note"], {})
    assert result.error is None and (result.remote.id, result.remote.record) == ("7", None)


@pytest.mark.parametrize(
    ("listed", "error"), [((503, {}, "down"), UnknownOutcome), ({"result": [{"id": 3, "products": [9]}]}, None)]
)
def test_a_part_is_created_with_the_record_that_it_is_a_part_of(server: Server, listed: Answer, error: Any):
    server.answers["model.product.template.create"] = lambda parameters: {"result": [3]}
    server.answers["model.product.template.read"] = lambda parameters: listed
    server.answers["model.product.product.search_read"] = lambda parameters: {
        "result": [stored(9, suffix_code="A", **{"template.": {"id": 3, "name": "泵"}})]
    }
    write = Write("k", {"suffix_code": "A", "template": {"name": "泵", "list_price": Decimal("9.90")}})
    one = connect()
    if error:
        with pytest.raises(error):
            one.create("product.product", [write], ["suffix_code", "template"], {})
    else:
        (result,) = one.create("product.product", [write], ["suffix_code", "template"], {})
        assert result.remote.record == {"id": 9, "suffix_code": "A", "template": {"id": 3, "name": "泵"}}
    price = {"__class__": "Decimal", "decimal": "9.90"}
    whole = {"name": "泵", "list_price": price, "products": [["create", [{"suffix_code": "A"}]]]}
    assert server.called("create")[0][0] == [whole]


def test_a_change_of_the_part_is_written_there(server: Server):
    there = stored(9, suffix_code="A", **{"template.": {"id": 3, "name": "泵", "list_price": None}})
    server.answers["model.product.product.search_read"] = lambda parameters: {"result": [there]}
    server.answers["model.product.template.write"] = lambda parameters: {"result": None}
    write = Write("k", {"template": {"id": 3, "name": "离心泵", "list_price": None}}, id="9")
    (result,) = connect().update("product.product", [write], ["template"], {})
    assert result.error is None and [call[:2] for call in server.called("write")] == [[[3], {"name": "离心泵"}]]


def test_the_connector_is_small():
    """Three hundred lines of code are what a product with a protocol, a workflow and children of its own may cost: what
    others need too belongs into the kit. Counted without blanks, comments and docstrings; all of its Python."""
    folder = find("tryton").folder
    assert sum(len(code_lines(path.read_text("utf-8"))) for path in folder.glob("*.py")) < 300


def code_lines(source: str) -> set[int]:
    """The lines that hold code."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type not in silent]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    bodies = [body for node in ast.walk(ast.parse(source)) if isinstance(body := getattr(node, "body", None), list)]
    texts = [
        one for body in bodies for one in body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    ]
    return lines - {line for text in texts for line in range(text.lineno, (text.end_lineno or text.lineno) + 1)}


def test_states_are_reached_by_the_shortest_way():
    from hub_connectors.tryton.settings import Settings

    steps = Settings(url=URL, database="erp", username="hub", password="x").steps("sale.sale")
    ways = [("draft", "processing"), ("cancelled", "confirmed"), ("processing", "cancelled")]
    taken = [next_step(steps, now, wanted) for now, wanted in ways]
    assert [step.do if step else None for step in taken] == ["quote", "draft", None]


@pytest.mark.parametrize("cursor", ["2999-01-01T00:00:00+00:00", "2026-01-01", "no cursor of ours"])
def test_a_cursor_that_cannot_be_honoured_leads_to_everything(server: Server, cursor: str):
    server.answers["model.sale.sale.search_read"] = lambda parameters: {"result": [stored(5, note="x")]}
    (page,) = connect().list_changes("sale.sale", cursor, ["note"], {})
    assert page.complete and len(page.records) == 1
    assert server.called("search_read")[-1][0] == [["id", ">", 0]]


def test_settings_and_models_that_are_wrong_are_named(server: Server):
    with pytest.raises(ConfigurationError, match="pasword"):
        connect(pasword="x")
    server.answers["model.no.model.fields_get"] = lambda parameters: {"error": ["'no.model'", ""]}
    with pytest.raises(ConfigurationError, match=r"no model 'no\.model'"):
        connect().describe("no.model")
