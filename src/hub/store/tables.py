"""The hub's own tables. Hot paths use ``Class.__table__`` with Core statements; nothing here is loaded as an object."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


class HubTable(SQLModel):
    """Base of the hub's own tables: their metadata is apart from the canonical model's."""

    metadata = metadata


def _json() -> Column:
    return Column(Text, nullable=True)


class RecordRow(HubTable, table=True):
    """One canonical record: what the hub holds to be true."""

    __tablename__ = "hub_record"
    hub_id: str = Field(primary_key=True)
    entity: str
    data: str = Field(sa_column=Column("data", Text, nullable=False))
    """Canonical values, JSON."""
    stamps: str = Field(sa_column=Column("stamps", Text, nullable=False))
    """Who gave each value and when: ``{"*": [system, at], field: [system, at]}``, JSON."""
    revision: int = Field(default=1)
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    deleted_by: str | None = None
    """The system in which it was deleted."""


class TodoRow(HubTable, table=True):
    """Canonical records that some system may differ from: a plan has to look at them."""

    __tablename__ = "todo"
    entity: str = Field(primary_key=True)
    hub_id: str = Field(primary_key=True)


class ShadowRow(HubTable, table=True):
    """A remote record as last seen, and the canonical record it is linked with."""

    __tablename__ = "shadow"
    __table_args__ = (
        Index("ix_shadow_hub", "hub_id", "system"),
        # Most systems refer to a record by its id, which is the key already.
        Index(
            "ix_shadow_ref",
            "system",
            "entity",
            "ref",
            sqlite_where=text("ref <> remote_id"),
            postgresql_where=text("ref <> remote_id"),
        ),
    )
    system: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    hub_id: str
    ref: str
    """How other records of that system refer to it."""
    version: str | None = None
    hash: int = Field(sa_column=Column("hash", BigInteger, nullable=False))
    """xxh3-64 of ``data``, signed."""
    data: str = Field(sa_column=Column("data", Text, nullable=False))
    """The remote record (mapped fields), JSON."""
    meant: str | None = Field(default=None, sa_column=Column("meant", Text, nullable=True))
    """Canonical values that we wrote and the system shows differently, or does not show at all, JSON."""
    modified_at: str | None = None
    gone: str | None = None
    """None: live. ``archived``: deactivated there by us. ``them``: deleted there. ``hub``: deleted by us. ``undone``:
    deleted by us because its create was taken back. ``merged``: still there, but one too many of the same."""


class MatchKeyRow(HubTable, table=True):
    """Keys by which unlinked records find canonical ones; a hash, verified against the record's values."""

    __tablename__ = "match_key"
    entity: str = Field(primary_key=True)
    key: int = Field(sa_column=Column("key", BigInteger, primary_key=True))
    hub_id: str = Field(primary_key=True)


class CursorRow(HubTable, table=True):
    """How far a resource has been read."""

    __tablename__ = "feed_cursor"
    system: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    part: str = Field(default="", primary_key=True)
    """``2/4``: of this part of it; empty: of the whole."""
    value: str | None = None
    lens: str | None = None
    """Version of the mapping it was read with."""
    listed_at: str | None = None
    """When a complete listing last ended."""
    observed_at: str | None = None
    approved: int = Field(default=0, sa_column=Column("approved", SmallInteger, nullable=False, server_default="0"))
    """1: the first sync was approved (or there was nothing to approve)."""
    joint: str = Field(default="", sa_column=Column("joint", Text, nullable=False, server_default=""))
    """The joint pass that last read it to its end (see ``sync.together``)."""
    listed: int = Field(default=0, sa_column=Column("listed", SmallInteger, nullable=False, server_default="0"))
    """What that showed: 0 changes, 1 a whole part, whose ids are in ``seen``, 2 one that nothing can be missing in."""


class SeenRow(HubTable, table=True):
    """Ids seen by the listing under way; what is missing from it in the end is gone."""

    __tablename__ = "seen"
    system: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    part: str = Field(default="", primary_key=True)
    """Of which part this is the listing; empty: of the whole. Last, for records are looked up whatever their part."""


class HintRow(HubTable, table=True):
    """A record that a system has told of: it wants to be observed once more. The same one told again is one row."""

    __tablename__ = "hint"
    system: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    times: int = Field(default=1)
    """How often it was told. Grows while a pass is at work on it: then it stays for another one."""
    since: str
    """When it was told first."""
    tries: int = Field(default=0)
    """Passes that could not do their part with it."""
    after: str = ""
    """Not to be looked at before."""


class HookRow(HubTable, table=True):
    """What came in from one system's notifications."""

    __tablename__ = "hook"
    system: str = Field(primary_key=True)
    accepted: int = Field(default=0, sa_column=Column("accepted", BigInteger, nullable=False))
    """Messages that were proved real."""
    hints: int = Field(default=0, sa_column=Column("hints", BigInteger, nullable=False))
    """Records they told of; doubled ones count."""
    refused: int = Field(default=0, sa_column=Column("refused", BigInteger, nullable=False))
    """Messages without proof: forged, or sent with an old key."""
    useless: int = Field(default=0, sa_column=Column("useless", BigInteger, nullable=False))
    """Messages that were proved and could not be understood, or told of nothing the hub reads."""
    last_at: str = ""
    refused_at: str = ""


class SubscriptionRow(HubTable, table=True):
    """What a system was asked to tell of."""

    __tablename__ = "subscription"
    system: str = Field(primary_key=True)
    resource: str = Field(primary_key=True)
    address: str
    asked_at: str
    expires: str = ""
    """Empty: never, as far as the system says."""
    problem: str = Field(default="", sa_column=Column("problem", Text, nullable=False))
    """Why it could not be asked."""


class WaitingRow(HubTable, table=True):
    """An observation that can't be taken in yet: it refers to something unknown, or matches several records."""

    __tablename__ = "waiting"
    system: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    reason: str
    """``reference`` or ``match``."""
    detail: str = Field(sa_column=Column("detail", Text, nullable=False))
    remote: str = Field(sa_column=Column("remote", Text, nullable=False))
    """The sighting, JSON."""
    since: str


class IntentRow(HubTable, table=True):
    """One planned write, stored before the call is made."""

    __tablename__ = "intent"
    id: int | None = Field(default=None, primary_key=True)
    run: str
    system: str
    entity: str
    hub_id: str
    action: str
    remote_id: str | None = None
    version: str | None = None
    fields: str = Field(sa_column=Column("fields", Text, nullable=False))
    """Canonical values being written, JSON."""
    at: str
    doubt: int = Field(default=0, sa_column=Column("doubt", SmallInteger, nullable=False))
    """1: the answer was lost."""


class JournalRow(HubTable, table=True):
    """What happened to a canonical record, in order. Never changed."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_hub", "hub_id"),)
    id: int | None = Field(
        default=None, sa_column=Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    run: str
    at: str
    entity: str
    hub_id: str
    kind: str
    """``observed``, ``linked``, ``written``, ``deleted``, ``conflict``, ``resolved``, ``undone`` …"""
    system: str
    remote_id: str | None = None
    detail: str = Field(sa_column=Column("detail", Text, nullable=False))


class ConflictRow(HubTable, table=True):
    """Two edits of one field that only a person can decide between."""

    __tablename__ = "conflict"
    __table_args__ = (Index("ix_conflict_hub", "hub_id"),)
    id: int | None = Field(default=None, primary_key=True)
    entity: str
    hub_id: str
    path: str
    """Canonical field path; ``*`` for delete against edit."""
    system: str
    base: str | None = Field(default=None, sa_column=Column("base", Text, nullable=True))
    theirs: str | None = Field(default=None, sa_column=Column("theirs", Text, nullable=True))
    ours: str | None = Field(default=None, sa_column=Column("ours", Text, nullable=True))
    ours_from: str = ""
    run: str
    opened_at: str
    status: str = "open"
    """``open``, ``resolved``, ``converged``."""
    resolved_at: str | None = None
    resolution: str | None = None


class LetterRow(HubTable, table=True):
    """What could not be done with one record, and why."""

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_hub", "hub_id"), Index("ix_letter_open", "status", "system", "entity"))
    id: int | None = Field(default=None, primary_key=True)
    system: str
    entity: str
    hub_id: str = ""
    remote_id: str = ""
    stage: str
    """``observe``, ``write``, ``delete``, ``doubt``, ``follow_up`` (written, but a later step failed)."""
    field: str = ""
    error: str
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    cure: str = ""
    payload: str = Field(sa_column=Column("payload", Text, nullable=False))
    mark: str = ""
    """The state it failed in: while that state lasts, it is not tried again by itself."""
    run: str
    opened_at: str
    last_at: str
    attempts: int = 1
    status: str = "open"
    """``open``, ``replay``, ``done``, ``discarded``."""


class RunRow(HubTable, table=True):
    """One pass."""

    __tablename__ = "run"
    id: str = Field(primary_key=True)
    kind: str
    started: str
    finished: str | None = None
    state: str = "running"
    message: str = ""
    report: str | None = Field(default=None, sa_column=Column("report", Text, nullable=True))
    journal_from: int = Field(default=0, sa_column=Column("journal_from", BigInteger, nullable=False))
    """Id of the journal's last entry when it began: its own come after that."""


class PlanRow(HubTable, table=True):
    """A plan kept for approval."""

    __tablename__ = "plan"
    id: str = Field(primary_key=True)
    at: str
    run: str
    state: str
    status: str = "open"
    """``open``, ``applied``, ``stale``."""
    scope: str = Field(sa_column=Column("scope", Text, nullable=False))
    body: str = Field(sa_column=Column("body", Text, nullable=False))


class LeaseRow(HubTable, table=True):
    """Who works on what. ``fence`` grows with every holder, so that one who comes back late can't write."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    owner: str
    fence: int
    expires: str


class SettingRow(HubTable, table=True):
    """Small facts the hub remembers about itself."""

    __tablename__ = "setting"
    name: str = Field(primary_key=True)
    value: str = Field(sa_column=Column("value", Text, nullable=False))


class QuotaRow(HubTable, table=True):
    """An account at a vendor, and how far its quota is given away (see ``store.sharing``). With a SQLite store these
    three tables are used in a file of their own (see ``store.quota``). Moments are seconds since 1970."""

    __tablename__ = "quota"
    owner: str = Field(primary_key=True)
    systems: str = Field(sa_column=Column("systems", Text, nullable=False))
    """Names of the systems that use it, by commas."""
    limits: str = Field(sa_column=Column("limits", Text, nullable=False))
    """As the last one who asked knew them, JSON."""
    next_at: float = Field(sa_column=Column("next_at", Float(53), nullable=False))
    paused_until: float = Field(sa_column=Column("paused_until", Float(53), nullable=False))
    urgent_run: int
    bulk_refused_at: float = Field(sa_column=Column("bulk_refused_at", Float(53), nullable=False))
    told: int | None = Field(default=None, sa_column=Column("told", BigInteger, nullable=True))
    """What the vendor said is left of the day, less what was used since."""
    told_at: float = Field(sa_column=Column("told_at", Float(53), nullable=False))


class QuotaHolderRow(HubTable, table=True):
    """A process at work with an account: the calls at once that it may make."""

    __tablename__ = "quota_holder"
    owner: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    urgent: int = Field(sa_column=Column("urgent", SmallInteger, nullable=False))
    rooms: int
    wants: int
    since: float = Field(sa_column=Column("since", Float(53), nullable=False))
    expires: float = Field(sa_column=Column("expires", Float(53), nullable=False))


class QuotaHourRow(HubTable, table=True):
    """What was used of an account in one hour."""

    __tablename__ = "quota_hour"
    owner: str = Field(primary_key=True)
    hour: int = Field(sa_column=Column("hour", Integer, primary_key=True, autoincrement=False))
    """Since 1970."""
    calls: int = Field(sa_column=Column("calls", BigInteger, nullable=False))
    units: int = Field(sa_column=Column("units", BigInteger, nullable=False))


class SharedValueRow(HubTable, table=True):
    """Tokens and the like of one account, shared by hosts (see ``store.cache``). Unused with a SQLite store."""

    __tablename__ = "shared_value"
    name: str = Field(primary_key=True)
    value: str = Field(sa_column=Column("value", Text, nullable=False))
    """Encrypted with a key made of the account's credentials."""
    until: float = Field(sa_column=Column("until", Float(53), nullable=False))
    """Seconds since 1970."""
