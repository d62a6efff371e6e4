"""A remote record with its personal data masked, so that it can lie beside a mapping as an example.

What a mapping reads is kept, the rest is left out. Values that come from closed lists, amounts, dates and numbers of
documents stay; every other text is replaced by one of the same shape: a phone number stays a phone number of its area,
a tax number keeps a right check digit, 公司 and GmbH stay where they are. The same value always becomes the same mask,
so that what was equal stays equal. A mask hides a value from readers; it is no encryption.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Record
from hub.mapping.paths import ABSENT, Step, Target, read
from hub.mapping.plan import ERRORS, ConstantOut, Lines, Node, Picks, Single
from hub.model import forms
from hub.model.checks import check
from hub.model.spec import EntitySpec, FieldSpec

KEPT_TYPES = frozenset(
    {"enum", "currency", "country", "boolean", "date", "instant", "integer", "decimal", "money", "rate", "ref"}
)
KEPT_NAMES = frozenset(
    {"number", "customer_po", "einvoice_number", "unit", "category", "specification", "barcode", "payment_terms",
     "industry", "department", "tax_name", "city", "state", "district", "postal_code"}
)  # fmt: skip
"""Texts that name no person and no company."""
IMPERSONAL = frozenset({"product", "stock"})
"""Entities whose names and descriptions tell nothing about anybody."""
LISTS = frozenset({"values", "cases"})
ATTEMPTS = 3000
_LEFT = re.compile(
    r"股份有限公司|有限责任公司|有限公司|公司|集团|贸易|科技|[省市区县路街号楼室]|\b(?:GmbH|Ltd|Inc|LLC|AG|Co|KG|www|https?)\b"
)
_HAN = "安百川德恒华嘉江金康乐丽林龙美明南宁平启青庆荣瑞山盛顺泰天通万旺文祥新信星兴雅亚阳永玉元远云泽正志中"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def masked(record: Record, lens: CompiledLens, spec: EntitySpec) -> Record:
    """The mapped part of a record, with personal data masked. Pure: the same record gives the same mask."""
    return _part(lens.plan.nodes, record, spec, spec.name in IMPERSONAL)


@dataclass(frozen=True, slots=True)
class _Leaf:
    steps: tuple[Step, ...]
    value: Any
    personal: bool


def _part(nodes: Iterable[Node], record: Record, spec: EntitySpec, impersonal: bool) -> Record:
    out: Record = {}
    leaves: dict[tuple[Step, ...], _Leaf] = {}
    for node in nodes:
        if isinstance(node, Lines):
            rows = read(record, node.steps)
            below = spec.fields[node.name].lines or spec
            if isinstance(rows, list):
                made = [_row(node, row, below, impersonal) for row in rows if isinstance(row, dict)]
                Target(node.steps, node.target.kinds).write(out, made, None)
            elif rows is not ABSENT:
                Target(node.steps).write(out, None, None)
            continue
        for leaf in _leaves(node, record, spec, impersonal):
            if leaf.steps not in leaves or leaf.personal:
                leaves[leaf.steps] = leaf
    for leaf in leaves.values():
        above = read(record, leaf.steps[:-1]) if len(leaf.steps) > 1 else record
        Target(leaf.steps, clear="parent" if above is None else "member").write(out, leaf.value, None)
    return out


def _row(node: Lines, row: Record, spec: EntitySpec, impersonal: bool) -> Record:
    made = _part(node.nodes, row, spec, impersonal)
    return {node.line_id: row[node.line_id], **made} if node.line_id and node.line_id in row else made


def _leaves(node: Node, record: Record, spec: EntitySpec, impersonal: bool) -> Iterator[_Leaf]:
    if isinstance(node, Picks):
        below = spec.fields[node.name].lines or spec
        for parts in node.entries.values():
            for part in parts:
                yield from _leaves(part, record, below, impersonal)
        return
    paths = list(node.paths())
    values = [read(record, steps) for steps in paths]
    personal = not (impersonal or isinstance(node, ConstantOut) or _kept(node))
    if personal and isinstance(node, Single):
        values = _mask(node, values, spec.fields.get(node.name) or FieldSpec(node.name, "text"))
    for steps, value in zip(paths, values, strict=True):
        if value is not ABSENT:
            yield _Leaf(steps, value, personal)


def _kept(node: Node) -> bool:
    if not isinstance(node, Single):
        return True
    listed = any(op.name in LISTS for op in node.chain.ops)
    return listed or node.type in KEPT_TYPES or (node.name in KEPT_NAMES and node.type in ("text", "longtext"))


def _mask(node: Single, values: list[Any], spec: FieldSpec) -> list[Any]:
    """The values of one field, masked together: what reads them finds a value as good as before."""
    last = max((i for i, value in enumerate(values) if _text(value)), default=None)
    if last is None:
        return values
    way = _way(spec)
    sound = _sound(node, values, spec)
    made = values
    for attempt in range(ATTEMPTS if spec.type in ("phone", "tax_id") else 1):
        made = list(values)
        for index, value in enumerate(values):
            # Of a number in several fields, the first ones are the country and the area.
            if _text(value) and (index == last or spec.type != "phone"):
                new = way(str(value), attempt)
                made[index] = int(new) if isinstance(value, int) and new.isdigit() else new
        if not sound or _sound(node, made, spec):
            return made
    return made


def _text(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (str, int)) and bool(str(value).strip())


def _sound(node: Single, values: list[Any], spec: FieldSpec) -> bool:
    """Whether the field reads these without a doubt."""
    try:
        value = node.chain.get(values if node.chain.several else values[0])
    except ERRORS:
        return False
    return value is not None and not check(EntitySpec(spec.name, {spec.name: spec}), {spec.name: value})


def _way(spec: FieldSpec) -> Callable[[str, int], str]:
    if spec.type == "phone":
        return _phone
    if spec.type == "email":
        return _email
    if spec.type == "tax_id":
        return _tax_id
    return _website if spec.name == "website" else scrambled


def scrambled(text: str, attempt: int = 0) -> str:
    """Other letters, digits and characters in the same places; blanks, punctuation and common words stay."""
    stay = {i for found in _LEFT.finditer(text) for i in range(*found.span())}
    noise = _noise(text, attempt)
    return "".join(c if i in stay else _other(c, noise[i]) for i, c in enumerate(text))


def _noise(text: str, attempt: int) -> list[int]:
    stream = hashlib.shake_256(f"{attempt}:{text}".encode("utf-8", "surrogatepass")).digest(2 * len(text) + 2)
    return [stream[2 * i] * 256 + stream[2 * i + 1] for i in range(len(text))]


def _other(c: str, noise: int) -> str:
    if c.isascii():
        if c.isdigit():
            return c if c == "0" else str(1 + noise % 9)
        return (chr((97 if c.islower() else 65) + noise % 26)) if c.isalpha() else c
    if "\u4e00" <= c <= "\u9fff":
        return _HAN[noise % len(_HAN)]
    return ("x" if c.islower() else "X") if c.isalpha() else c


def _phone(text: str, attempt: int) -> str:
    """Other digits at the end: country and area stay."""
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    change = set(digits[-min(6, max(1, len(digits) - 3)) :])
    noise = _noise(text, attempt)
    return "".join(str(noise[i] % 10) if i in change else c for i, c in enumerate(text))


def _email(text: str, attempt: int) -> str:
    person, at, domain = text.strip().rpartition("@")
    if not at:
        return scrambled(text, attempt)
    return f"{scrambled(person, attempt)}@{'EXAMPLE.COM' if domain.isupper() else 'example.com'}"


def _tax_id(text: str, attempt: int) -> str:
    """A Chinese code keeps its region and gets a right check digit; of others the digits change."""
    from stdnum.cn import uscc

    compact = forms.tax_id(text) or ""
    noise = _noise(text, attempt)
    if len(compact) == 18 and compact.isalnum() and compact[:8].isdigit() and compact.isascii():
        body = compact[:8] + "".join(
            _USCC[n % 10] if c.isdigit() else _USCC[10 + n % 21] for c, n in zip(compact[8:17], noise, strict=False)
        )
        fresh = iter(body + uscc.calc_check_digit(body))
        made = (next(fresh, c) if c.isalnum() else c for c in text)
        return "".join(new.lower() if old.islower() else new for new, old in zip(made, text, strict=True))
    return "".join(str(n % 10) if c.isdigit() else c for c, n in zip(text, noise, strict=True))


def _website(text: str, attempt: int) -> str:
    scheme, mark, rest = text.rpartition("://")
    host, slash, path = rest.partition("/")
    head, dot, top = host.rpartition(".")
    return f"{scheme}{mark}{scrambled(head, attempt)}{dot}{top}{slash}{scrambled(path, attempt)}"
