"""The operations of DynamicFormService: from unpacked arguments to the object that goes back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.connect.sandbox import Journal

from . import metadata, pushing, querying, states, views
from .auth import Account
from .forms import Form
from .saving import Refusals, SaveOptions, flag, save
from .store import Doc, Refusal, Store

Data = dict[str, Any]
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")


@dataclass(slots=True)
class ServiceOptions:
    """How this site is set up."""

    maximum: int = 2000
    """Rows a query may return."""
    manual_numbers: bool = True
    hide_empty: bool = True
    dead_spelling: str = ""
    """The spelling of Exc(e)uteOperation that answers and does nothing, as seen on one real server."""


@dataclass(slots=True)
class Service:
    """Called under the store's lock, by a user who is logged in."""

    store: Store
    journal: Journal
    account: Account
    options: ServiceOptions
    _seen: set[str] = field(default_factory=set)
    _tasks: dict[str, Data] = field(default_factory=dict)
    _refusal: str = ""

    @contextmanager
    def refusing(self, message: str) -> Iterator[None]:
        """Inside, every second record of a batch is refused with this message (none: as always)."""
        self._refusal = message
        try:
            yield
        finally:
            self._refusal = ""

    def call(self, method: str, form: str, operation: str, data: Data, user: str) -> Any:
        """Carry out one method (lower case). Raises KeyError for one that does not exist, Refusal, Refusals."""
        special: dict[str, Callable[[], Any]] = {
            "executebillquery": lambda: self._query(data),
            "billquery": lambda: self._query(data, named=True),
            "save": lambda: self._save(form, data, user),
            "draft": lambda: self._save(form, data, user, draft=True),
            "batchsave": lambda: self._batch(form, data, user),
            "view": lambda: self._view(form, data),
            "push": lambda: self._push(form, data, user),
            "excuteoperation": lambda: self._operation(form, operation, data, user, "ExcuteOperation"),
            "executeoperation": lambda: self._operation(form, operation, data, user, "ExecuteOperation"),
            "querybusinessinfo": lambda: self._info(data),
            "queryasyncresult": lambda: self._task(data),
        }
        if method in states.STEPS:
            return self._each(self.store.form(form), data, method, states.STEPS[method], user)
        return special[method]()

    def poll(self, method: str, form: str, data: Data, user: str) -> Data:
        """The polled form of a call: done at once, told at the second asking, as servers do for long batches."""
        result = self.call(method, form, "", data, user)
        id = hashlib.sha256(f"{len(self._tasks)}".encode()).hexdigest()[:32]
        self._tasks[id] = result
        return {"Status": 1, "TaskId": id, "Result": None}

    def _task(self, data: Data) -> Data:
        result = self._tasks.get(str(data.get("TaskId")))
        if result is None:
            raise Refusal("任务不存在或已过期", code=10)
        return {"Status": 2, "TaskId": data["TaskId"], "Result": result}

    def _query(self, data: Data, named: bool = False) -> Any:
        query = querying.read_query(self.store, data, self.options.maximum)
        rows = querying.run_query(self.store, query, hide_empty=self.options.hide_empty)
        return [dict(zip(query.keys, row, strict=True)) for row in rows] if named else rows

    def _info(self, data: Data) -> Data:
        form = self.store.form(str(_get(data, "FormId") or ""))
        return {"Result": {"ResponseStatus": success([]), "NeedReturnData": metadata.business_info(form)}}

    def _view(self, name: str, data: Data) -> Data:
        form = self.store.form(name)
        doc = self.store.by_key(form, _get(data, "Id"), _get(data, "Number"))
        if doc is None:
            raise Refusal("传递的编码或者内码不存在", code=10)
        return {"Result": {"ResponseStatus": success([]), "Result": views.view(self.store, form, doc)}}

    def _save(self, name: str, data: Data, user: str, draft: bool = False) -> Data:
        form = self.store.form(name)
        self._check_repeat(form, data)
        options = SaveOptions.from_packet(data, draft=draft, manual_numbers=self.options.manual_numbers)
        doc = self._save_one(form, _get(data, "Model"), data, options, user)
        entity = self._entity(form, doc, 0)
        status = success([entity])
        needed = self._returned(form, doc, _get(data, "NeedReturnFields"))
        result = {"ResponseStatus": status, "Id": doc.pk, "Number": entity["Number"], "NeedReturnData": [needed]}
        return {"Result": result}

    def _save_one(self, form: Form, model: Any, data: Data, options: SaveOptions, user: str) -> Doc:
        doc, new = save(self.store, form, model, options, user)
        self._log(form, doc, "create" if new else "update", user, model)
        if flag(_get(data, "IsAutoSubmitAndAudit"), False):
            for step in ("submit", "audit"):
                states.STEPS[step](self.store, form, doc, user)
        return doc

    def _batch(self, name: str, data: Data, user: str) -> Data:
        """Each row for itself: rows that fail leave the others stored."""
        form = self.store.form(name)
        self._check_repeat(form, data)
        models = _get(data, "Model")
        if not isinstance(models, list):
            raise Refusal("参数Model应为数组", code=8)
        options = SaveOptions.from_packet(data, draft=False, manual_numbers=self.options.manual_numbers)
        done: list[Data] = []
        errors: list[Data] = []
        returned: list[Data] = []
        for at, model in enumerate(models):
            try:
                if self._refusal and at % 2:
                    raise Refusal(self._refusal, code=13)
                doc = self._save_one(form, model, data, options, user)
            except Refusals as problem:
                errors += [error(item, at) for item in problem.items]
            except Refusal as item:
                errors.append(error(item, at))
            else:
                done.append(self._entity(form, doc, at))
                returned.append(self._returned(form, doc, _get(data, "NeedReturnFields")))
        status = failure(errors, done, code=11) if errors else success(done)
        return {"Result": {"ResponseStatus": status, "NeedReturnData": returned}}

    def _check_repeat(self, form: Form, data: Data) -> None:
        if not flag(_get(data, "ValidateRepeatJson"), False):
            return
        packet = form.id.encode() + _ENCODER.encode(data)
        if (digest := hashlib.sha256(packet).hexdigest()) in self._seen:
            raise Refusal("重复提交了相同的数据", code=11)
        self._seen.add(digest)

    def _each(self, form: Form, data: Data, name: str, step: states.Step, user: str) -> Data:
        done, errors = [], []
        for at, (asked, doc) in enumerate(self._chosen(form, data)):
            try:
                if doc is None:
                    raise Refusal(f"编码或内码为“{asked}”的数据不存在", code=10)
                number = self._entity(form, doc, at)
                step(self.store, form, doc, user)
                self._log(form, doc, name, user, {})
                done.append(number)
            except Refusal as problem:
                errors.append(error(problem, at))
        status = failure(errors, done, code=12) if errors else success(done)
        return {"Result": {"ResponseStatus": status}}

    def _chosen(self, form: Form, data: Data) -> list[tuple[str, Doc | None]]:
        """``Ids`` is a comma-separated string, ``Numbers`` an array; ids count where both are given."""
        ids, numbers = _get(data, "Ids"), _get(data, "Numbers")
        if isinstance(ids, str) and ids.strip():
            return [(i.strip(), self.store.by_key(form, id=i.strip())) for i in ids.split(",")]
        if ids:
            raise Refusal("参数Ids应为以逗号分隔的字符串", code=8)
        if isinstance(numbers, str) and numbers:
            raise Refusal("参数Numbers应为数组", code=8)
        if not numbers:
            raise Refusal("编码或内码不能为空", code=8)
        return [(str(n), self.store.by_key(form, number=n)) for n in numbers]

    def _operation(self, name: str, number: str, data: Data, user: str, spelling: str) -> Data:
        form = self.store.form(name)
        if spelling == self.options.dead_spelling:
            return {"Result": {"ResponseStatus": success([])}}
        step: states.Step = lambda store, form, doc, who: states.operate(store, form, doc, number, who)  # noqa: E731
        return self._each(form, data, number or "operation", step, user)

    def _push(self, name: str, data: Data, user: str) -> Data:
        form = self.store.form(name)
        target = self.store.form(str(_get(data, "TargetFormId") or ""))
        if not flag(_get(data, "IsEnableDefaultRule"), False) and not _get(data, "RuleId"):
            raise Refusal("请指定转换规则RuleId或启用默认规则", code=8)
        lines = {i.strip() for i in str(_get(data, "EntryIds") or "").split(",") if i.strip()}
        chosen = self._owners(form, lines) if lines else [doc for _, doc in self._chosen(form, data)]
        done = []
        for at, doc in enumerate(chosen):
            if doc is None:
                raise Refusal("没有找到源单", code=10)
            made = pushing.push(self.store, form, doc, target, lines, user)
            self._log(target, made, "create", user, {"pushed_from": doc.head[form.number]})
            done.append(self._entity(target, made, at))
        status = success(done)
        return {"Result": {"ResponseStatus": status, "ConvertResponseStatus": success(list(done))}}

    def _owners(self, form: Form, lines: set[str]) -> list[Doc | None]:
        docs = self.store.table(form).docs.values()
        own = [d for d in docs if any(str(x[e.id_key]) in lines for e in form.entries for x in d.entries[e.key])]
        return [*own] or [None]

    def _entity(self, form: Form, doc: Doc, at: int) -> Data:
        return {"Id": doc.pk, "Number": doc.head.get(form.number) or "", "DIndex": at}

    def _returned(self, form: Form, doc: Doc, keys: Any) -> Data:
        returned: Data = {}
        for key in keys or []:
            head, _, inner = str(key).partition(".")
            entry = form.entry(head)
            if entry and inner:
                lines = doc.entries[entry.key]
                shown = returned.setdefault(entry.key, [{} for _ in lines])
                for line, target in zip(lines, shown, strict=True):
                    target[inner] = next((v for k, v in line.items() if k.lower() == inner.lower()), None)
            elif (found := form.find(head)) is not None:
                returned[head] = doc.pk if found[0].key == form.pk else doc.head.get(found[0].key)
        return returned

    def _log(self, form: Form, doc: Doc, action: str, user: str, model: Any) -> None:
        values = model if isinstance(model, dict) else {}
        self.journal.add(
            at=self.store.clock.now(),
            resource=form.id,
            id=str(doc.pk),
            action=action,
            by="hub",
            user=user,
            values=values,
        )


def _get(data: Data, name: str) -> Any:
    """A parameter by its name, in any case."""
    return next((v for k, v in data.items() if k.lower() == name.lower()), None)


def success(entities: list[Data]) -> Data:
    """A ResponseStatus that says yes."""
    return {"IsSuccess": True, "Errors": [], "SuccessEntitys": entities, "SuccessMessages": [], "MsgCode": 0}


def failure(errors: list[Data], done: list[Data], code: int) -> Data:
    """A ResponseStatus that says no, at least to some."""
    return {
        "ErrorCode": 500, "IsSuccess": False, "Errors": errors, "SuccessEntitys": done, "SuccessMessages": [],
        "MsgCode": code,
    }  # fmt: skip


def error(problem: Refusal, at: int) -> Data:
    """One entry of ``Errors``."""
    return {"FieldName": problem.field, "Message": problem.message, "DIndex": at}


def refused(problems: list[Refusal]) -> Data:
    """The envelope of a call that failed as a whole."""
    status = failure([error(p, 0) for p in problems], [], code=problems[0].code)
    return {"Result": {"ResponseStatus": status, "Id": "", "NeedReturnData": [{}]}}
