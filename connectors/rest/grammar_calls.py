"""The parts of a manifest's grammar that are about calls: log-in, paging, moments, and what answers mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Text = Annotated[str, "template"]
"""A text with places to fill, like ``/items/{resource}``."""
At = Annotated[str, "path"]
"""A place in an answer or a record, like ``data[0].id``; ``.`` is all of it."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Operation = Literal["list", "get", "create", "update", "delete", "action", "describe", "check"]
Kind = Literal[
    "authentication", "renew", "rate_limit", "unavailable", "unknown_outcome", "rejected", "exists", "gone",
    "conflict", "configuration", "unexpected", "ignore",
]  # fmt: skip


class Strict(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


def listed(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def called(value: Any) -> Any:
    return {"call": value} if isinstance(value, str) else value


Paths = Annotated[list[At], BeforeValidator(listed, json_schema_input_type=At | list[At])]
Numbers = Annotated[list[int], BeforeValidator(listed, json_schema_input_type=int | list[int])]
Scalars = Annotated[list[Any], BeforeValidator(listed, json_schema_input_type=Any)]


class Call(Strict):
    """One HTTP call."""

    call: Annotated[str, "call"] = Field("", description="Method and path: GET /items/{resource}.")
    query: dict[str, Any] = Field(default={}, description="Parameters. A list under a key ending in [] is repeated.")
    body: Any = Field(None, description="JSON to send; texts in it may have places to fill.")
    form: bool = Field(False, description="Send the body as a form instead of JSON.")
    headers: dict[str, Text] = Field(default={})


class TokenCall(Call):
    """A call that hands out a token."""

    token: At = Field(description="Where the token is in the answer; header:NAME and cookie:NAME too.")
    seconds: int | At = Field(3600, description="How long it lives, or where the answer says so.")


class OAuthConfig(Strict):
    """OAuth 2 (RFC 6749)."""

    grant: Literal["client_credentials", "refresh_token", "authorization_code", "password"]
    url: Text = Field(description="Address of the token endpoint, or its path below the product's url.")
    client_id: Text
    client_secret: Text = ""
    scope: Text | None = None
    refresh_token: Text | None = Field(None, description="For refresh_token.")
    code: Text | None = Field(None, description="For authorization_code: the code a person fetched, used once.")
    redirect_uri: Text | None = Field(None, description="For authorization_code.")
    username: Text | None = Field(None, description="For password.")
    password: Text | None = Field(None, description="For password.")
    more: dict[str, Text] = Field(default={}, description="Further form fields (audience, resource …).")
    client_in: Literal["body", "header"] = "body"
    header: dict[str, Text] = Field(default={"Authorization": "Bearer {token}"}, description="What requests carry.")


class BasicConfig(Strict):
    """User name and password on every request."""

    user: Text
    password: Text = ""


class LoginConfig(TokenCall):
    """A call that logs in; requests then carry its session token."""

    header: dict[str, Text] = Field(default={}, description="What requests carry, made of {token}.")
    param: dict[str, Text] = Field(default={}, description="Parameters that requests carry, made of {token}.")


class HmacConfig(Strict):
    """A signature over each request."""

    secret: Text
    sign: Text = Field(description="The text that is signed: {method} {path} {query} {body} {body_digest} {time} …")
    digest: Literal["sha1", "sha256", "sha384", "sha512", "md5"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    time: str = Field("epoch", description="How {time} is written: epoch, epoch_ms, iso or a pattern.")
    header: dict[str, Text] = Field(default={}, description="What requests carry, made of {signature}, {time} …")
    param: dict[str, Text] = Field(default={})


class AuthConfig(Strict):
    """How requests prove who we are: one of these."""

    header: dict[str, Text] | None = Field(None, description="Fixed headers: X-Api-Key: '{settings.key}'.")
    param: dict[str, Text] | None = Field(None, description="Fixed parameters.")
    bearer: Text | None = Field(None, description="A fixed token: Authorization: Bearer ….")
    basic: BasicConfig | None = None
    oauth2: OAuthConfig | None = None
    login: LoginConfig | None = None
    hmac: HmacConfig | None = None


class TimeConfig(Strict):
    """How moments are written."""

    format: str = Field("iso", description="iso, epoch, epoch_ms, or a pattern like %Y-%m-%d %H:%M:%S.")
    zone: str = Field("UTC", description="Zone meant where the text does not say.")
    ask: str | None = Field(None, description="Format in questions, where it differs from answers.")
    digits: int = Field(3, ge=0, le=6, description="Fractions of a second written in questions (iso).")


class PagingConfig(Strict):
    """How a list is handed out: one of page, offset, token, link, after, or none of them (all at once)."""

    page: str | None = Field(None, description="Parameter that holds the page's number.")
    start: int = Field(1, description="Number of the first page.")
    offset: str | None = Field(None, description="Parameter that holds how many rows to skip.")
    token: str | None = Field(None, description="Parameter that holds what the last answer gave (cursor).")
    at: At | None = Field(None, description="For token and link: where the answer has it.")
    link: Literal["body", "header"] | None = Field(None, description="The answer has the next page's address.")
    after: str | None = Field(None, description="Parameter that holds the last row's value of `of`.")
    of: At | None = Field(None, description="For after: the field that the list is sorted by; the id if left out.")
    size: int | None = Field(None, ge=1, description="Rows of a page.")
    size_param: str | None = Field(None, description="Parameter that holds the size.")
    within: Literal["query", "body"] = Field("query", description="Where these parameters go.")
    total: At | None = Field(None, description="Where the answer says how many rows there are in all.")
    more: At | None = Field(None, description="Where the answer says whether more follow.")
    short_page_ends: bool = Field(False, description="The product promises that only the last page is short.")


class ErrorRule(Strict):
    """What an answer means. The first rule that fits decides."""

    status: Numbers = Field(default=[], description="HTTP statuses; any when left out, 200 too.")
    on: Annotated[list[Operation], BeforeValidator(listed, json_schema_input_type=Operation | list[Operation])] = []
    at: At | None = Field(None, description="Place in the answer to look at (or header:NAME).")
    is_: Scalars = Field(default=[], alias="is", description="It fits with one of these values …")
    not_: Scalars = Field(default=[], alias="not", description="… or with any but these …")
    has: str | None = Field(None, description="… or with this text in it. Without one: if there is anything.")
    raise_: Kind = Field(alias="raise", description="What it means.")
    message: At | None = Field(None, description="Where it says why.")
    code: At | None = None
    field: At | None = Field(None, description="Where it names the field.")
    id: At | None = Field(None, description="For exists: where it names the record that is there.")
    wait: At | None = Field(None, description="For rate_limit: where it says how many seconds to wait.")
    cure: str | None = Field(None, description="What a person does about it.")


class Parts(Strict):
    """How a list is narrowed to one part of it: {part.number} of {part.of}, or {part.index} counted from 0."""

    query: dict[str, Any] = Field(default={})
    body: Any = Field(None, description="Merged into the list's body.")


class Changes(Strict):
    """How a list is narrowed to what changed since a moment, {since}."""

    query: dict[str, Any] = Field(default={})
    body: Any = Field(None, description="Merged into the list's body.")
    overlap: int = Field(120, ge=0, description="Seconds read again before the last change seen.")
