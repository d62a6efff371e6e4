"""What a client may type into a field, and how it is stored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .amounts import rounded
from .forms import F, Form
from .store import Refusal, Store, Value, empty

MAX_NUMBER = Decimal(10) ** 15


def convert(store: Store, form: Form, f: F, value: Any, *, org: int, verify: bool, exact: bool) -> Value:
    """The stored form of a typed value. ``verify``: unknown base data is refused instead of left empty; ``exact``: too
    many decimals are refused instead of rounded. Raises Refusal, naming the field."""
    if f.kind == "base":
        return _reference(store, f, value, org, verify)
    if value is None:
        return empty(f)
    if f.kind in ("text", "names", "choice"):
        return _text(f, value)
    if f.kind == "bool":
        return str(value).strip().lower() in ("true", "1")
    if f.kind in ("date", "datetime"):
        return _date(f, value)
    return _number(f, value, exact)


def _text(f: F, value: Any) -> str:
    if isinstance(value, list):
        # Texts kept per language: [{"Key": 2052, "Value": "…"}]; the sandbox keeps simplified Chinese only.
        value = next((v.get("Value", "") for v in value if isinstance(v, dict) and str(v.get("Key")) == "2052"), "")
    if isinstance(value, dict):
        raise Refusal(f"字段“{f.label}”的值格式不正确", field=f.key)
    text = str(value)
    if len(text) > f.length:
        raise Refusal(f"字段“{f.label}”的长度不能超过{f.length}", field=f.key)
    if f.choices and text.strip() and text not in [c for c, _ in f.choices]:
        raise Refusal(f"字段“{f.label}”的值“{text}”不在枚举范围内", field=f.key)
    return text


def _number(f: F, value: Any, exact: bool) -> Decimal | int:
    try:
        number = Decimal(str(value).strip() or "0")
    except InvalidOperation:
        raise Refusal(f"字段“{f.label}”的值“{value}”不是有效的数值", field=f.key) from None
    if not number.is_finite() or abs(number) >= MAX_NUMBER:
        raise Refusal(f"字段“{f.label}”的值“{value}”超出范围", field=f.key)
    if f.kind == "int":
        return int(number)
    kept = rounded(number, f.scale)
    if exact and kept != number:
        raise Refusal(f"字段“{f.label}”的精度不能超过{f.scale}位小数", field=f.key)
    return kept


def _date(f: F, value: Any) -> str | None:
    text = str(value).strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise Refusal(f"字段“{f.label}”的值“{text}”不是有效的日期", field=f.key) from None
    if moment.tzinfo is not None:
        raise Refusal(f"字段“{f.label}”的值“{text}”不是有效的日期", field=f.key)
    return moment.isoformat(timespec="milliseconds") if f.kind == "datetime" else f"{moment:%Y-%m-%dT00:00:00}"


def _reference(store: Store, f: F, value: Any, org: int, verify: bool) -> int:
    if value in (None, "", {}, 0):
        return 0
    if not isinstance(value, dict):
        raise Refusal(f'字段“{f.label}”的值格式不正确，应为{{"FNumber": "编码"}}', field=f.key)
    table = store.table(f.base)
    doc = None
    asked = ""
    for key, inner in value.items():
        asked = str(inner if inner is not None else "").strip()
        if key.lower() in ("fnumber", "fcode"):
            doc = table.numbered_as(asked)
        elif key.lower() == "fname":
            doc = next((d for d in table.docs.values() if d.head.get(table.form.names) == asked), None)
        elif key.lower() in (table.form.pk.lower(), "id", "fid") and asked.isdigit():
            doc = table.docs.get(int(asked))
        else:
            continue
        break
    if not asked:
        return 0
    if doc is not None and _usable(table.form, doc.head, org):
        return doc.pk
    if verify:
        raise Refusal(f"字段“{f.label}”的值“{asked}”不存在，或未审核、已禁用", field=f.key)
    return 0


def _usable(form: Form, head: dict[str, Any], org: int) -> bool:
    """Base data can be referred to when it is audited, not forbidden, and belongs to the record's organisation."""
    if head.get("FDocumentStatus", "C") != "C" or head.get("FForbidStatus", "A") != "A":
        return False
    return not form.org or not org or head.get("FUseOrgId") in (0, None, org)
