"""A first manifest out of an OpenAPI description, and the schema that editors check manifests by."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rest_world import Store, loading, product, row, write
from ruamel.yaml import YAML

from hub.connect import registry
from hub.connect.declared import manifest_schema
from hub.connect.new_connector import create_from_openapi
from hub.errors import ConfigurationError

SHOP = """
openapi: 3.0.3
info: {title: "Shop: orders & more"}
servers: [{url: "https://shop.test/api"}]
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Customer:
      type: object
      required: [name]
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, maxLength: 80}
        state: {type: string, enum: [active, "off"]}
        credit: {type: number}
        since: {type: string, format: date}
        updated_at: {type: string, format: date-time, readOnly: true}
        external_id: {type: string}
        addresses: {type: array, items: {type: object, properties: {city: {type: string}, "on": {type: boolean}}}}
paths:
  /customers:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer}}
        - {name: per_page, in: query, schema: {type: integer, maximum: 50}}
        - {name: updated_since, in: query, schema: {type: string}}
        - {name: external_id, in: query, schema: {type: string}}
      responses:
        200:
          content:
            application/json:
              schema:
                type: object
                properties:
                  total: {type: integer}
                  data: {type: array, items: {$ref: "#/components/schemas/Customer"}}
    post:
      responses: {201: {content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}}
  /customers/{customerId}:
    get:
      responses: {200: {content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}}
    patch: {responses: {200: {description: ok}}}
    delete: {responses: {204: {description: gone}}}
  /customers/{customerId}/notes/{id}:
    get: {responses: {200: {description: below another record}}}
  /health:
    get: {responses: {200: {description: ok}}}
"""


def drafted(tmp_path: Path, text: str, file: str = "shop.yaml"):
    (tmp_path / file).write_text(text, "utf-8")
    folder, wrong = create_from_openapi(tmp_path, "acme", "openapi", tmp_path / file)
    return (folder / "manifest.yaml").read_text("utf-8"), wrong


def test_a_draft_is_a_manifest_that_works_as_far_as_the_description_goes(tmp_path: Path):
    text, wrong = drafted(tmp_path, SHOP)
    assert wrong == []
    found, _ = loading.load(tmp_path / "connectors" / "acme" / "manifest.yaml")
    customers = found.resource("customers", "shop")
    assert (customers.list_.records, customers.modified, customers.key) == ("data", ["updated_at"], "external_id")
    assert customers.list_.changes.query == {"updated_since": "{since}"}
    assert (customers.list_.paging.page, customers.list_.paging.size, customers.list_.paging.total) == (
        "page",
        50,
        "total",
    )
    assert customers.fields["name"].model_dump(exclude_unset=True) == {
        "type": "text", "required": True, "max_length": 80,
    }  # fmt: skip
    assert customers.fields["state"].choices == ["active", "off"]
    assert set(customers.fields["addresses"].fields) == {"city", "on"}
    assert list(found.named) == ["customers"]
    assert "# check:" in text, "what the description does not say is asked"
    assert registry.find("acme", tmp_path).manifest.secrets == ("token",)


def test_records_flow_by_a_draft(tmp_path: Path):
    text, _ = drafted(tmp_path, SHOP)
    store = Store(row(1))

    def handler(call):
        assert call.headers["Authorization"] == "Bearer t0ken-1"
        answer = store.serve(call)
        return {**answer, "total": 1} if isinstance(answer, dict) and "data" in answer else answer

    with product(text, handler, token="t0ken-1") as (made, _):
        assert [
            remote.id for page in made.list_changes("customers", None, ["name"], {}) for remote in page.records
        ] == ["1"]
        (result,) = made.create("customers", [write("k1", name="a")], ["name", "external_id"], {})
        assert result.remote.record["external_id"] == "k1"


def test_swagger_2_in_json_too(tmp_path: Path):
    old = {
        "swagger": "2.0",
        "host": "shop.test",
        "basePath": "/v1",
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        "definitions": {"Item": {"properties": {"item_id": {"type": "integer"}, "label": {"type": "string"}}}},
        "paths": {
            "/items": {
                "get": {
                    "parameters": [{"name": "offset", "in": "query"}, {"name": "limit", "in": "query"}],
                    "responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Item"}}}},
                }
            },
            "/items/{id}": {
                "get": {"responses": {"200": {"schema": {"$ref": "#/definitions/Item"}}}},
                "put": {"responses": {"200": {"description": "ok"}}},
            },
        },
    }
    text, wrong = drafted(tmp_path, json.dumps(old), "shop.json")
    assert wrong == []
    assert 'header: {X-Api-Key: "{settings.key}"}' in text
    assert 'url: {description: Address of the API, default: "https://shop.test/v1"}' in text
    assert "id: item_id" in text
    assert 'update: {call: "PUT /items/{id}", send: whole}' in text
    assert "paging: {offset: offset, size_param: limit, size: 100}" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("openapi: 3.0.0\npaths: {/health: {get: {}}}\n", "no collection that can be read"),
        ("a: b\n", "no OpenAPI description"),
        ("openapi: [\n", "not YAML"),
    ],
)
def test_what_cannot_be_drafted_is_refused_and_leaves_nothing_behind(tmp_path: Path, text: str, told: str):
    with pytest.raises(ConfigurationError, match=told):
        drafted(tmp_path, text)
    assert not (tmp_path / "connectors").exists()


def test_a_draft_overwrites_nothing(tmp_path: Path):
    drafted(tmp_path, SHOP)
    with pytest.raises(ConfigurationError, match="there is a connector of this name"):
        drafted(tmp_path, SHOP)


@pytest.mark.parametrize("name", ["directus", "medusa"])
def test_editors_find_nothing_wrong_with_a_right_manifest(name: str):
    data = YAML(typ="safe", pure=True).load(registry.find(name).declaration.read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(manifest_schema()).iter_errors(data)] == []


def test_editors_find_unknown_keys():
    wrong = {"connector": "rest", "name": "x", "resources": {"a": {"lst": "GET /a"}}, "pagin": {}}
    paths = {error.json_path for error in Draft202012Validator(manifest_schema()).iter_errors(wrong)}
    assert {"$", "$.resources.a"} <= paths
