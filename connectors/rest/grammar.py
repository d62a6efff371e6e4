"""The grammar of a product's manifest. It is closed: what is not described here is an error, not ignored.

These classes read the file, and the JSON Schema for editors is generated from them. What a text means (a path into an
answer, a text with places to fill) is checked in ``checking.py``; the kinds are marked by their type.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hub.connect.capabilities import FieldType
from hub.connect.quota import ROLLING, day_of

from .grammar_calls import (
    At,
    AuthConfig,
    Call,
    Changes,
    ErrorRule,
    Numbers,
    PagingConfig,
    Parts,
    Paths,
    Scalars,
    Strict,
    Text,
    TimeConfig,
    called,
    listed,
)


def _typed(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


def described(value: Any) -> Any:
    return {"description": value or ""} if isinstance(value, str) or value is None else value


class Setting(Strict):
    """One thing that hub.yaml says of a system."""

    description: str = ""
    secret: bool = Field(False, description="It never stands in hub.yaml as text.")
    default: Any = Field(None, description="Without one, hub.yaml must say it.")
    optional: bool = Field(False, description="It may be left out, and is empty then.")


class ListConfig(Call):
    """The list of a resource's records."""

    records: At = Field(".", description="Where the rows are.")
    paging: PagingConfig | None = None
    changes: Changes | None = Field(None, description="Without it every pass reads everything.")
    parts: Parts | None = Field(None, description="How it is asked for in parts, each record in one by its key alone.")
    empty: Numbers = Field(default=[], description="Statuses that mean an empty page (404).")


class GetConfig(Call):
    """One record by its {id}."""

    record: At = "."


class LookupConfig(Call):
    """Records whose {field} has one of {values}: a call for many, or for {value} alone with most: 1."""

    records: At | None = Field(None, description="Where the rows are; as in list when left out.")
    most: int = Field(50, ge=1, description="Values that one call takes.")
    fields: list[str] = Field(default=[], description="Fields it can look for; any when left out.")
    empty: Numbers = Field(default=[])


class Each(Strict):
    """What became of each record of a batch, as the answer tells."""

    at: At = Field(description="Where the list of results is.")
    pair: Literal["order", "key"] = Field("order", description="How results and records belong together.")
    id: At = Field("id", description="Where a result has the record's id.")
    errors: list[ErrorRule] = Field(default=[], description="Which results are refusals; paths begin at the result.")


class WriteConfig(Call):
    """A write. The body is {record} unless it says otherwise ({records} with a batch)."""

    id: At | None = Field(None, description="Where the answer has the new record's id; as in `record` when left out.")
    record: At | None = Field(None, description="Where the answer has the record, if it has it.")
    batch: int | None = Field(None, ge=2, description="Records that one call takes.")
    each: Each | None = Field(None, description="With a batch: where the results are.")
    all_or_nothing: bool = Field(False, description="One bad record refuses the whole batch: then each is sent alone.")
    send: Literal["changes", "whole"] = Field("changes", description="Update: only what changed, or all that is known.")
    repeatable: bool = Field(False, description="Sent twice it makes one record (idempotency key, PUT by our key).")
    defaults: dict[str, Any] = Field(default={}, description="Create: what a record gets unless the mapping gives it.")
    declared_only: bool = Field(False, description="Send only fields that are declared and writable, at every depth.")
    if_match: Annotated[str | None, "header"] = Field(None, description="Update, delete: header that takes {version}.")


class ArchiveConfig(Strict):
    """What archiving means: fields to set."""

    set_: dict[str, Any] = Field(min_length=1, alias="set")


class DeletedConfig(Strict):
    """How a record shows that it is deleted, in lists that show deleted ones."""

    at: At
    is_: Scalars = Field(default=[], alias="is", description="With these values; with any when left out.")


class Watch(Strict):
    """A resource whose changes move this one: its lines, kept apart, do not touch the record's own time."""

    resource: str
    parent: At = Field(description="Where a line has the record's id.")


MaybeList = Annotated[ListConfig | None, BeforeValidator(called, json_schema_input_type=str | ListConfig | None)]
ShortCall = Annotated[Call, BeforeValidator(called, json_schema_input_type=str | Call)]


class LinesConfig(Strict):
    """Child records as lines of the record."""

    id: At | None = Field("id", description="The line's own id; null where lines have none.")
    write: Literal["list", "changes", "apart", "never"] = Field(
        "list",
        description="list: the whole list in the record; changes: {create, update, delete}; apart: calls of their own.",
    )
    names: dict[Literal["create", "update", "delete"], str] = Field(
        default={}, description="For changes: the names of the three parts."
    )
    defaults: dict[str, Any] = Field(default={}, description="What a new line gets unless the mapping gives it.")
    list_: Annotated[ListConfig | None, BeforeValidator(called, json_schema_input_type=str | ListConfig | None)] = (
        Field(None, alias="list", description="Call that gets the lines of {id}, where the record has them not.")
    )
    create: ShortCall | None = Field(None, description="For apart: body {line}, record's {id}.")
    update: ShortCall | None = Field(None, description="For apart: {line_id} too.")
    delete: ShortCall | None = Field(None, description="For apart: {line_id} too.")
    watch: Watch | None = None


class Action(Strict):
    """What has to be called for a field to get a value: validate, confirm, submit."""

    field: str
    value: Any
    from_: Scalars = Field(default=[], alias="from", description="Values from which it can; any when left out.")
    calls: Annotated[list[ShortCall], BeforeValidator(listed, json_schema_input_type=str | Call | list[str | Call])] = (
        Field(min_length=1)
    )


class FieldConfig(Strict):
    """One field of a resource. Short form: its type."""

    type: FieldType = "any"
    label: str = ""
    required: bool = False
    read_only: bool = False
    unique: bool = False
    max_length: int | None = None
    scale: int | None = None
    choices: list[str] = Field(default=[])
    reference: str | None = Field(None, description="Resource that it points at.")
    fields: Fields = Field(default={})


Fields = dict[str, Annotated[FieldConfig, BeforeValidator(_typed, json_schema_input_type=FieldType | FieldConfig)]]
ShortList = Annotated[ListConfig, BeforeValidator(called, json_schema_input_type=str | ListConfig)]
ShortGet = Annotated[GetConfig, BeforeValidator(called, json_schema_input_type=str | GetConfig)]
ShortLookup = Annotated[LookupConfig, BeforeValidator(called, json_schema_input_type=str | LookupConfig)]
ShortWrite = Annotated[WriteConfig, BeforeValidator(called, json_schema_input_type=str | WriteConfig)]


class ResourceConfig(Strict):
    """One collection of the product."""

    label: str = ""
    id: At = Field("id", description="Where a record has its id.")
    ref: At | None = Field(None, description="How other records refer to it, if not by id.")
    version: Paths = Field(default=[], description="What tells that a record moved on; the moments of change if empty.")
    modified: Paths = Field(default=[], description="Moments of change; the newest that is there counts.")
    modified_by: At | None = None
    key: At | None = Field(None, description="Field that holds the hub's own key, so that lost creates are found.")
    natural: list[str] = Field(default=[], description="Unique fields by which a lost create is found without a key.")
    time: TimeConfig | None = None
    fields: Fields = Field(default={})
    list_: ShortList | None = Field(None, alias="list")
    get: ShortGet | None = None
    lookup: ShortLookup | None = None
    create: ShortWrite | None = None
    update: ShortWrite | None = None
    upsert: ShortWrite | None = Field(None, description="Creates or updates by the hub's {key}; used to create.")
    delete: ShortWrite | None = None
    archive: ArchiveConfig | None = None
    deleted: DeletedConfig | None = None
    deletes: Literal["listing", "tombstones", "none"] | None = Field(None, description="How deletions become visible.")
    lines: dict[str, LinesConfig] = Field(default={})
    actions: list[Action] = Field(default=[])
    guard: bool = Field(True, description="Read a record just before changing it, and refuse if it moved on.")
    parallel: int = Field(4, ge=1, description="Write calls at once.")


class DescribeFields(ListConfig):
    """The product's own description of a {resource}: one row a field."""

    name: At
    type: At
    types: dict[str, FieldType] = Field(description="The product's types → the hub's; others are any.")
    label: At | None = None
    required: At | None = None
    optional: At | None = Field(None, description="Says the opposite of required.")
    read_only: At | None = None
    unique: At | None = None
    max_length: At | None = None
    scale: At | None = None
    choices: At | None = Field(None, description="A list of texts, or of objects with `choice`.")
    choice: str = "value"
    reference: At | None = None
    member: str | None = Field(None, description="References are objects, with the id in this member.")


class DescribeConfig(Strict):
    """The live system's own description, where the product has one."""

    resources: Annotated[ListConfig | None, BeforeValidator(called, json_schema_input_type=str | ListConfig | None)] = (
        None
    )
    name: At = Field("name", description="Where a row of `resources` has the name.")
    fields: DescribeFields | None = None


class CheckConfig(Call):
    """A call that tells who we are there."""

    identity: Text = Field(description="Made of the answer: '{data.email}'.")
    details: dict[str, Text] = Field(default={})


class Signature(Strict):
    """How a notification proves that it is real."""

    header: str
    digest: Literal["sha1", "sha256", "sha512"] | None = Field(None, description="HMAC of `over`; else it equals `is`.")
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    over: Text = "{body}"
    is_: Text | None = Field(None, alias="is", description="Without a digest: the value the header must have.")


class Hints(Strict):
    """What a notification speaks of."""

    each: At = Field(".", description="Where the list of events is; one object counts as a list.")
    resource: At | None = None
    resources: dict[str, str] = Field(default={}, description="The product's name of an event → resource.")
    id: At = Field(description="Where the record's id is; a list of ids too.")


class WebhookConfig(Strict):
    """Change notifications."""

    subscribe: ShortCall | None = Field(None, description="With {resource}, {callback} and {secret}.")
    expires: At | None = None
    signature: Signature
    hints: Hints


class RateConfig(Strict):
    """What the product allows."""

    per_second: float | None = Field(None, gt=0)
    at_once: int | None = Field(None, ge=1)
    burst: int = Field(1, ge=1)
    per_day: int | None = Field(None, ge=1, description="Calls a day; what does not fit goes on the next day.")
    day: Annotated[str, AfterValidator(day_of)] = Field(
        ROLLING, description="'rolling': the last 24 hours; or the time zone whose midnight begins a day."
    )


class Hooks(Strict):
    """Steps done by a Python file beside the manifest, as file:function."""

    read: Annotated[str | None, "hook"] = Field(None, description="(record, resource) → record, after reading")
    write: Annotated[str | None, "hook"] = Field(None, description="(values, resource, operation) → values")
    error: Annotated[str | None, "hook"] = Field(None, description="(status, headers, body) → HubError or None")
    sign: Annotated[str | None, "hook"] = Field(None, description="(outgoing, settings, now) → headers")
    field: Annotated[str | None, "hook"] = Field(None, description="(field, row, resource) → Field, describing")


class RestManifest(Strict):
    """A whole manifest."""

    connector: Literal["rest"] = Field(description="This product is spoken to by the connector `rest`.")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="The folder's name, or the file's.")
    title: str = ""
    description: str = ""
    documentation: str = ""
    sandbox: str | None = Field(None, description="module:function beside the manifest: a local server.")
    contract: str | None = Field(None, description="module:function beside the manifest: what it is tried by.")
    version: Literal[1] = Field(1, description="Version of this grammar.")
    settings: dict[str, Annotated[Setting, BeforeValidator(described, json_schema_input_type=str | Setting | None)]] = (
        Field(
            default={},
            description="What hub.yaml says of a system, besides url, verify, timeout, page and calls_per_….",
        )
    )
    url: Text = Field("{settings.url}", description="Base address of all paths.")
    headers: dict[str, Text] = Field(default={})
    auth: AuthConfig | None = None
    rate: RateConfig = RateConfig()
    check: Annotated[CheckConfig | None, BeforeValidator(called, json_schema_input_type=CheckConfig | None)] = None
    time: TimeConfig = TimeConfig()
    message: Paths = Field(default=[], description="Where refusals say why.")
    errors: list[ErrorRule] = Field(default=[])
    paging: PagingConfig = PagingConfig()
    describe: DescribeConfig | None = None
    defaults: ResourceConfig = Field(default=ResourceConfig(), description="What every resource has.")
    resources: dict[str, Annotated[ResourceConfig | None, "resource"]] = Field(
        default={}, description="The resources; '*' stands for any other."
    )
    webhooks: WebhookConfig | None = None
    hooks: Hooks = Hooks()


FieldConfig.model_rebuild()
