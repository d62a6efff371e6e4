"""The life of a record: Submit, Audit, UnAudit, CancelAssign, Delete, and the operations behind ExcuteOperation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .forms import Form
from .store import Doc, Refusal, Store

Step = Callable[[Store, Form, Doc, str], None]
STATE_NAMES = {"Z": "暂存", "A": "创建", "B": "审核中", "C": "已审核", "D": "重新审核"}


def _refuse(form: Form, doc: Doc, verb: str) -> Refusal:
    number = doc.head.get(form.number) or doc.pk
    return Refusal(f"编号为“{number}”的数据当前状态为{STATE_NAMES[doc.status]}，不允许{verb}", code=12)


def submit(store: Store, form: Form, doc: Doc, user: str) -> None:
    """A, D → B."""
    if doc.status not in ("A", "D"):
        raise _refuse(form, doc, "提交")
    doc.head["FDocumentStatus"] = "B"
    _touch(store, doc, user)


def audit(store: Store, form: Form, doc: Doc, user: str) -> None:
    """B → C. Moves FApproveDate, not FModifyDate."""
    if doc.status != "B":
        raise _refuse(form, doc, "审核")
    doc.head["FDocumentStatus"] = "C"
    doc.head["FApproverId"], doc.head["FApproveDate"] = store.user_id(user), store.now()


def unaudit(store: Store, form: Form, doc: Doc, user: str) -> None:
    """C → D, unless something was made from the record."""
    if doc.status != "C":
        raise _refuse(form, doc, "反审核")
    if doc.head.get("FCloseStatus") == "B":
        raise Refusal("单据已关闭，不允许反审核", code=12)
    blocking = downstream(store, form, doc)
    if blocking:
        raise Refusal(f"编号为“{doc.head[form.number]}”的单据已有下游单据{blocking}，不允许反审核", code=12)
    doc.head["FDocumentStatus"] = "D"
    doc.head["FApproverId"], doc.head["FApproveDate"] = 0, None
    _touch(store, doc, user)


def withdraw(store: Store, form: Form, doc: Doc, user: str) -> None:
    """CancelAssign: B → D."""
    if doc.status != "B":
        raise _refuse(form, doc, "撤销")
    doc.head["FDocumentStatus"] = "D"
    _touch(store, doc, user)


def delete(store: Store, form: Form, doc: Doc, user: str) -> None:
    """From Z, A and D only, and only while nothing refers to it."""
    if doc.status not in ("Z", "A", "D"):
        raise _refuse(form, doc, "删除")
    user_of = referrer(store, form, doc)
    if user_of:
        raise Refusal(f"编号为“{doc.head[form.number]}”的数据已被{user_of}引用，不允许删除", code=12)
    store.table(form).remove(doc)


STEPS: dict[str, Step] = {
    "submit": submit, "audit": audit, "unaudit": unaudit, "cancelassign": withdraw, "delete": delete,
}  # fmt: skip


def operate(store: Store, form: Form, doc: Doc, number: str, user: str) -> None:
    """One operation by its opNumber. Raises Refusal for one that the form does not have."""
    known = {n.lower() for n, _ in form.operations}
    name = number.strip().lower()
    if not name:
        raise Refusal("操作编码不能为空", code=3)
    if name not in known:
        raise Refusal(f"操作编码“{number}”不存在", code=4)
    field, value, needs = {
        "forbid": ("FForbidStatus", "B", "C"), "enable": ("FForbidStatus", "A", "C"),
        "cancel": ("FCancelStatus", "B", "ZAD"), "uncancel": ("FCancelStatus", "A", "ZAD"),
        "ylbillclose": ("FCloseStatus", "B", "C"), "ylunbillclose": ("FCloseStatus", "A", "C"),
        "ylmrpclose": ("FMrpCloseStatus", "B", "C"), "ylunmrpclose": ("FMrpCloseStatus", "A", "C"),
    }[name]  # fmt: skip
    if doc.status not in needs:
        raise _refuse(form, doc, dict(form.operations)[next(n for n, _ in form.operations if n.lower() == name)])
    if field in doc.head:
        doc.head[field] = value
    else:
        for lines in doc.entries.values():
            for line in lines:
                line[field] = value
    _touch(store, doc, user)


def _touch(store: Store, doc: Doc, user: str) -> None:
    doc.head["FModifierId"], doc.head["FModifyDate"] = store.user_id(user), store.now()


def downstream(store: Store, form: Form, doc: Doc) -> str:
    """Numbers of the documents pushed from this one."""
    number = doc.head.get(form.number)
    found = []
    for table in store.tables.values():
        for other in table.docs.values():
            lines = (line for lines in other.entries.values() for line in lines)
            if any(_source(line) == (form.id, number) for line in lines):
                found.append(str(other.head[table.form.number]))
    return "、".join(found)


def _source(line: dict[str, Any]) -> tuple[Any, Any]:
    return line.get("FSrcType", line.get("FSOURCETYPE")), line.get("FSrcBillNo", line.get("FSourceBillNo"))


def referrer(store: Store, form: Form, doc: Doc) -> str:
    """The label of the first form with a record that refers to this one."""
    if not form.base_data:
        return downstream(store, form, doc)
    for table in store.tables.values():
        for field, rows in _referring(table.form, form, list(table.docs.values())):
            if any(row.get(field) == doc.pk for row in rows):
                return table.form.label
    return ""


def _referring(form: Form, target: Form, docs: list[Doc]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for f in form.head_fields():
        if f.kind == "base" and f.base == target.id:
            yield f.key, [d.head for d in docs]
    for entry in form.entries:
        for f in entry.fields:
            if f.kind == "base" and f.base == target.id:
                yield f.key, [line for d in docs for line in d.entries.get(entry.key, [])]
