"""A local 金蝶云星空: ``create_sandbox()`` gives the account set that ``hub sandbox kingdee_galaxy`` serves."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from hub.connect.sandbox import Operation, SandboxApp, SandboxClock

from . import amounts, data
from .auth import Account, Doorkeeper
from .catalogue_bills import FORMS
from .forms import F, Form
from .saving import Refusals, SaveOptions, save
from .service import Service, ServiceOptions
from .store import Doc, Refusal, Store
from .web import FAULT_KINDS, Web, operation_of, rows_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Record = dict[str, Any]
STATES = ("FDocumentStatus", "FForbidStatus", "FCancelStatus", "FCloseStatus")


def create_sandbox(
    records: int = 100,
    seed: int = 1,
    *,
    shared: int | None = None,
    products: int | None = None,
    orders: int | None = None,
    invoices: int | None = None,
    clock: SandboxClock | None = None,
    link_minutes: float | None = None,
    **site: Any,
) -> KingdeeSandbox:
    """A filled account set. ``records`` customers, ``shared`` of them (default four in five) the same companies as in
    the other products' sandboxes of this seed, written differently; ``products``, ``orders``, ``invoices`` default to
    a half, a fifth and a tenth as many. ``link_minutes``: how long a signature's time stamp holds; ``site``: see
    ``ServiceOptions``."""
    app = KingdeeSandbox(seed, clock, link_minutes, ServiceOptions(**site))
    data.fill(
        app.store, records=records, seed=seed, shared=records * 4 // 5 if shared is None else shared,
        products=max(20, records // 2) if products is None else products,
        orders=records // 5 if orders is None else orders, invoices=records // 10 if invoices is None else invoices,
    )  # fmt: skip
    return app


class KingdeeSandbox(SandboxApp):
    """One account set with one integration user."""

    name = "kingdee_galaxy"
    path = "/k3cloud/"
    fault_kinds = FAULT_KINDS

    def __init__(
        self, seed: int, clock: SandboxClock | None, link_minutes: float | None, options: ServiceOptions
    ) -> None:
        super().__init__(clock)
        self.account = _account(seed)
        self.store = Store(self.clock)
        self.keeper = Doorkeeper(self.account, self.clock, link_minutes=link_minutes)
        self.service = Service(self.store, self.journal, self.account, options)
        self._web = Web(self.service, self.keeper)

    @property
    def wsgi(self) -> WSGIApplication:
        return self._web

    def operation(self, method: str, path: str, body: bytes) -> Operation:
        return operation_of(path, body)

    def credentials(self, base_url: str) -> Record:
        a = self.account
        return {
            "acct_id": a.acct_id, "username": a.username, "app_id": a.app_id, "app_secret": a.app_secret,
            "org_number": "100",
        }  # fmt: skip

    def samples(self) -> Record:
        store = self.store
        pieces = next(d.pk for d in store.table("BD_UNIT").docs.values() if d.head["FNumber"] == "Pcs")
        return {
            "customer": data.number_of(store, "BD_Customer", lambda d: d.head["FForbidStatus"] == "A"),
            "material": data.number_of(store, "BD_MATERIAL", lambda d: d.head["FBaseUnitId"] == pieces),
            "unit": "Pcs", "currency": "PRE001", "saler": "S01", "organisation": "100", "tax_rate": "SL02_SYS",
            "bill_type": {"SAL_SaleOrder": "XSDD01_SYS", "SAL_OUTSTOCK": "XSCKD01_SYS", "AR_receivable": "YSD01_SYS"},
        }  # fmt: skip

    def expire(self) -> None:
        with self.store.lock:
            self.keeper.expire_all()

    def touch(self, resource: str, chance: random.Random) -> None:
        with self.store.lock:
            docs = self.store.tables[resource].docs if resource in self.store.tables else {}
            if docs:
                doc = docs[chance.choice(list(docs))]
                self.edit(resource, str(doc.pk), {}, "somebody")

    def listing(self, operation: Operation, content: Any) -> tuple[list[Any], Callable[[Any], Any]] | None:
        rows = rows_of(operation.name, content)
        return None if rows is None else (rows, itemgetter(0))

    def resources(self) -> list[str]:
        return list(FORMS)

    def records(self, resource: str) -> list[Record]:
        with self.store.lock:
            form = self._form(resource)
            return [self._shown(form, doc) for doc in self.store.table(form).docs.values()]

    def create(self, resource: str, values: Record, user: str) -> Record:
        """As typed on the screen, which fills in organisation, bill type, currency and so on. Audited at once, unless
        ``FDocumentStatus`` says otherwise."""
        with self.store.lock:
            form = self._form(resource)
            filled = {k: {"FNumber": v} for k, v in data.FROM_UI.get(form.id, {}).items()}
            dates = {f.key: self.store.today() for f in form.head_fields() if f.must and f.kind == "date"}
            # Head before lines: the order of typing counts.
            return self._enter(form, 0, {"FDocumentStatus": "C", **filled, **dates, **values}, user, "create")

    def edit(self, resource: str, id: str, values: Record, user: str) -> Record:
        """``id``: inner id or number. Lines are named by their id; others stay, ``"_delete": true`` removes one. An
        audited record is un-audited and audited again on the way."""
        with self.store.lock:
            form = self._form(resource)
            return self._enter(form, self._doc(form, id).pk, values, user, "update")

    def delete(self, resource: str, id: str, user: str) -> None:
        with self.store.lock:
            form = self._form(resource)
            doc = self._doc(form, id)
            self.store.table(form).remove(doc)
            self._note(form, doc, "delete", user, {})

    def _enter(self, form: Form, pk: int, values: Record, user: str, action: str) -> Record:
        for entry in form.entries:
            for line in values.get(entry.key) or [] if pk == 0 else []:
                for f in entry.fields:
                    if f.must and f.kind == "date":
                        line.setdefault(f.key, self.store.today())
        options = SaveOptions(verify=True, delete_lines=False, any_state=True, reorder=True)
        try:
            doc, _ = save(self.store, form, {form.pk: pk, **_nested(form, values)}, options, user)
        except Refusals as problem:
            raise ValueError(str(problem)) from None
        self._remove_lines(form, doc, values)
        for key in STATES:
            if key in values and key in doc.head:
                doc.head[key] = str(values[key])
        if doc.status == "C":
            doc.head["FApproverId"], doc.head["FApproveDate"] = self.store.user_id(user), self.store.now()
        self._note(form, doc, action, user, values)
        return self._shown(form, doc)

    def _remove_lines(self, form: Form, doc: Doc, values: Record) -> None:
        for entry in form.entries:
            gone = {str(line.get(entry.id_key)) for line in values.get(entry.key) or [] if line.get("_delete")}
            lines = doc.entries[entry.key]
            lines[:] = [line for line in lines if str(line[entry.id_key]) not in gone]
        amounts.recompute(form, doc)

    def _form(self, resource: str) -> Form:
        try:
            return self.store.form(resource)
        except Refusal:
            raise LookupError(f"there is no form {resource!r}; there are {', '.join(FORMS)}") from None

    def _doc(self, form: Form, id: str) -> Doc:
        doc = self.store.by_key(form, id=id) or self.store.by_key(form, number=id)
        if doc is None:
            raise LookupError(f"{form.id} has no record {id!r}")
        return doc

    def _note(self, form: Form, doc: Doc, action: str, user: str, values: Record) -> None:
        self.journal.add(
            at=self.clock.now(), resource=form.id, id=str(doc.pk), action=action, by="user", user=user, values=values
        )

    def _shown(self, form: Form, doc: Doc) -> Record:
        shown: Record = {form.pk: doc.pk}
        shown |= {f.key: self._value(f, doc.head.get(f.key)) for f in form.head_fields()}
        for entry in form.entries:
            shown[entry.key] = [
                {entry.id_key: line[entry.id_key], "FSeq": line["FSeq"]}
                | {f.key: self._value(f, line.get(f.key)) for f in entry.fields}
                for line in doc.entries.get(entry.key, [])
            ]
        return shown

    def _value(self, f: F, value: Any) -> Any:
        if f.kind == "base":
            return {"FNumber": self.store.number_of(f, value)} if value else None
        if f.kind == "user":
            return {"FName": self.store.name_of(f, value)} if value else None
        return value.normalize() + Decimal(0) if isinstance(value, Decimal) else value


def _nested(form: Form, values: Record) -> Record:
    """Flat keys of sub-heads put where Save wants them."""
    nested: Record = {}
    for key, value in values.items():
        home = next((s for s in form.subheads if any(f.key.lower() == key.lower() for f in s.fields)), None)
        if home is None:
            nested[key] = value
        else:
            nested.setdefault(home.key, {})[key] = value
    return nested


def _account(seed: int) -> Account:
    def digest(what: str) -> bytes:
        return hashlib.sha256(f"kingdee/{seed}/{what}".encode()).digest()

    part = base64.b64encode(digest("client")[:24]).decode()
    return Account(
        acct_id=digest("acct").hex()[:14], username="api_user", password=digest("password").hex()[:12],
        app_id=f"{200000 + seed}_{part}", app_secret=digest("secret").hex()[:32],
    )  # fmt: skip
