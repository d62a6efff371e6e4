"""The laws of a mapping, tried on a user's file: PutGet, GetPut, and that every value has one canonical form.

For each field that is read and written, over the values of ``hub.mapping.values`` and over recorded ones:

- **PutGet**: what is written is read back as the same value, up to the operators' canonical forms (``Operator.form``).
- **GetPut**: what was read, written and read again is the same; nothing that means the same is written anew.
- **Form**: what is read is in canonical form, so that equal values are equal.
- **Room**: some value can be written at all.

A value that an operator *refuses* (ValueError) breaks no law: it becomes a dead letter and nothing is lost.
Whole records are tried by ``hub.mapping.record_laws``. See docs/mappings.md for what is an error and what a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hub.connect.capabilities import Resource
from hub.errors import RecordRejected
from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Problem, Record, Values
from hub.mapping.paths import ABSENT, show
from hub.mapping.places import Place, places
from hub.mapping.plan import ERRORS, Chain
from hub.mapping.record_laws import record_problems
from hub.mapping.shrink import smallest
from hub.mapping.values import canonical_values, remote_values
from hub.model import forms
from hub.model.spec import EntitySpec

REFUSED = (*ERRORS, RecordRejected)
BESIDE: dict[str, tuple[Any, ...]] = {"rate": ("13", "0", "6.5"), "integer": (3, 1, 1200)}
BESIDE_OTHERS = ("19.99", "1", "2000")


class Breach(NamedTuple):
    """One value with which a law doesn't hold."""

    law: str
    value: Any
    sent: Any
    back: Any
    told: str = ""
    """What reading back said, where it refused."""
    beside: Values | None = None
    """The values beside it, where it is worked out from others."""
    rare: bool = False
    """Only with sums beyond the usual: the hub remembers what it meant, so that is a warning."""


def check_laws(
    lens: CompiledLens,
    spec: EntitySpec,
    resource: Resource | None = None,
    recorded: Sequence[Record] = (),
) -> list[Problem]:
    """What is wrong with a mapping beyond its grammar: the smallest value with which each field breaks a law.

    ``spec`` is the mapping's entity, ``resource`` describes the remote side (None: any text), ``recorded`` are remote
    records as last seen. Deterministic; raises nothing for what a mapping says.
    """
    found: list[Problem] = []
    good: dict[int, list[Any]] = {}
    for place in places(lens, spec, resource, recorded):
        trial = Trial(place)
        breach = trial.breach() if place.node.reads else None
        if breach is not None:
            found.append(_problem(place, breach))
        elif (refusal := trial.no_room()) is not None:
            found.append(_no_room(place, refusal))
        else:
            good[id(place.node)] = trial.good
    return sorted({*found, *record_problems(lens, spec, good, recorded)}, key=lambda p: (p.position, p.message))


class Trial:
    """One field on trial."""

    def __init__(self, place: Place) -> None:
        self.node, self.spec, self.place = place.node, place.spec, place
        self.chain = place.node.chain
        self.type_form = forms.form_of(place.spec)
        self.good: list[Any] = []
        """Canonical values that were written and read back as they are."""
        self.refusal = ""
        self.beside = [
            {other.name: BESIDE.get(other.type, BESIDE_OTHERS)[turn] for other in self.node.beside}
            for turn in range(3 if self.node.beside else 1)
        ]

    def breach(self) -> Breach | None:
        """The first law that doesn't hold, with the smallest value that shows it."""
        for turn, beside in enumerate(self.beside):
            for law, values in self._laws():
                for value in values:
                    if (found := law(value, beside)) is not None:
                        return self._small(law, found, value, beside)._replace(beside=beside, rare=turn == 2)
        return None

    def _laws(self) -> Iterator[tuple[Callable[[Any, Values], Breach | None], list[Any]]]:
        values = canonical_values(self.spec, self.chain.ops)
        yield self.put_get, values
        yield self.operators, values
        yield self.get_put, self._remotes(values)

    def _remotes(self, values: list[Any]) -> list[Any]:
        """Remote values: recorded ones, those of the field's type, and what canonical ones are written as."""
        made = list(self.place.recorded)
        if not self.chain.several:
            made += remote_values(self.place.remote)
        for value in values[:24]:
            try:
                sent = self.chain.put(value, ABSENT, self.beside[0])
            except REFUSED:
                continue
            made.append(self.held(sent))
            if isinstance(sent, str):
                made += [f" {sent} ", sent.lower(), sent.upper()]
        return made

    def _small(self, law: Callable[[Any, Values], Breach | None], found: Breach, value: Any, beside: Values) -> Breach:
        def breaks(smaller: Any) -> bool:
            try:
                if law != self.get_put and (self.type_form(smaller) != smaller):
                    return False
            except REFUSED:
                return False
            again = law(smaller, beside)
            return again is not None and again.law == found.law

        return law(smallest(value, breaks), beside) or found

    def put(self, value: Any, old: Any, beside: Values) -> Any:
        """What a write sends. Raises what the mapping raises for a value that can't be written."""
        made = self.chain.put(value, old, beside)
        if made is None and self.node.null_as is not None:
            made = [self.node.null_as] * len(self.node.targets) if self.chain.several else self.node.null_as
        limit = self.node.max_length
        if limit is not None and isinstance(made, str) and len(made) > limit:
            raise ValueError(f"{len(made)} characters, and there is room for {limit}")
        return made

    def put_get(self, value: Any, beside: Values) -> Breach | None:
        """What is written is read back as the same, up to the canonical form."""
        if value is None and (self.node.required or self.node.ignore_blank):
            return None
        try:
            sent = self.put(value, ABSENT, beside)
        except REFUSED:
            return None
        wanted = self.allowed(value, beside)
        try:
            back = self.chain.get(self.held(sent), beside)
        except REFUSED as error:
            return Breach("unreadable", value, sent, None, str(error))
        if back == wanted and type(back) is type(wanted):
            if value is not None and back == value:
                self.good.append(value)
            return None
        code = self.spec.type in ("text", "longtext", "ref") and isinstance(sent, (int, Decimal))
        if code and _same_number(value, back):
            return None  # a number field has no leading zeros: the field's own canonical form
        law = "cleared" if back is None else "filled" if value is None else "changed"
        return Breach(law, value, sent, back)

    def held(self, sent: Any) -> Any:
        """What the system holds after a write; a part that isn't written is blank in a new record."""
        return held(sent, len(self.node.targets)) if self.chain.several else sent

    def allowed(self, value: Any, beside: Values) -> Any:
        """What a canonical value may come back as: the operators' canonical forms, one after the other."""
        return allowed(self.chain, value, beside)

    def operators(self, value: Any, beside: Values) -> Breach | None:
        """Operators that write the canonical form itself do so; forms are forms of themselves."""
        for op in reversed(self.chain.ops):
            if value is None or op.complement:
                return None
            try:
                form = op.form(value)
                again = form if form is None else op.form(form)
                sent = op.put_beside(form, beside) if op.siblings else op.put(form)  # type: ignore[attr-defined]
            except REFUSED:
                return None
            if again != form:
                return Breach("form", value, form, again)
            if (op.alike or op.straight()) and sent != form:
                return Breach("form", value, sent, form)
            value = sent
        return None

    def get_put(self, remote: Any, beside: Values) -> Breach | None:
        """What was read is in canonical form, and written and read again it is the same."""
        try:
            value = self.chain.get(remote, beside)
            if value is None:
                return None
            wanted = self.allowed(value, beside)
            if self.type_form(value) != value or (wanted not in (value, None) and not self._cuts()):
                return Breach("form", remote, value, wanted)
            sent = self.put(value, remote, beside)
            back = self.chain.get(self.held(sent), beside)
        except REFUSED:
            return None  # nor is it written: what means the same is left as it is
        return None if back in (value, wanted) else Breach("unsettled", remote, sent, back, _show(value))

    def _cuts(self) -> bool:
        """What is longer than the mapping writes, or what a table or a pair says to even out, is left as it is."""
        return any(op.name in ("cut", "values", "python") for op in self.chain.ops)

    def no_room(self) -> str | None:
        """Why nothing (of dates and instants, which have no odd values: hardly anything) can be written."""
        tried = refused = 0
        for value in canonical_values(self.spec, self.chain.ops):
            if value is None:
                continue
            for beside in self.beside:
                tried += 1
                try:
                    refused += self.put(value, ABSENT, beside) is None
                except REFUSED as error:
                    refused += 1
                    self.refusal = self.refusal or f"{_show(value)}: {error}"
        most = tried // 2 if self.spec.type in ("date", "instant") else tried - 1
        return self.refusal if self.refusal and refused > most else None


def _same_number(one: Any, other: Any) -> bool:
    try:
        return forms.decimal(one) == forms.decimal(other)
    except REFUSED:
        return False


def held(sent: Any, count: int) -> list[Any]:
    """What several remote fields hold after a write to them."""
    return [None] * count if sent is None else [None if part is ABSENT else part for part in sent]


def allowed(chain: Chain, value: Any, beside: Values) -> Any:
    """What a canonical value may come back as from a chain: each operator's canonical form, and ``assume``."""
    levels: list[Any] = [None] * (len(chain.ops) + 1)
    levels[-1] = value
    for index in range(len(chain.ops) - 1, -1, -1):
        op, here = chain.ops[index], levels[index + 1]
        if here is None and not op.null:
            continue
        here = op.form(here)
        try:
            if here is None and not op.null:
                levels[index] = None
            elif op.complement:
                levels[index] = op.put(here, None)
            else:
                levels[index] = op.put_beside(here, beside) if op.siblings else op.put(here)  # type: ignore[attr-defined]
        except REFUSED:
            return value
    back, same = levels[0], True
    for index, op in enumerate(chain.ops):
        here = levels[index + 1]
        if not same:
            if back is not None or op.null:
                back = op.get_beside(back, beside) if op.siblings else op.get(back)  # type: ignore[attr-defined]
            back = op.form(back) if back is not None else None
        else:
            back = op.form(here) if here is not None or op.null else None
        same = back == here
    if back is not None and chain.form is not None:
        back = chain.form(back)
    return chain.assume if back is None else back


# What is told ---------------------------------------------------------------------------------------------------------

CURES = {
    "unreadable": "let the operator read what it writes, or say direction: out",
    "changed": "say direction: in (or out), choose operators that keep it, or a representative in the value table",
    "cleared": "say direction: in, or let this value be read: a line of the value table, zero: value",
    "filled": "say how blank is read too: assume, {null: …} in the value table, or zero: blank with null_as: 0",
    "form": "put the operator that evens it out last, or give the Python pair a form(value)",
    "unsettled": "say direction: in, or keep the rest of the remote value: part, or cut with rest: kept",
}


def _problem(place: Place, breach: Breach) -> Problem:
    value, sent, back = _show(breach.value), _show(breach.sent), _show(breach.back)
    where = ", ".join(show(steps) for steps in place.node.paths())
    if breach.law == "unreadable":
        message = f"{place.name}: {value} is written to {where} as {sent}, and that can't be read: {breach.told}"
    elif breach.law in ("changed", "cleared", "filled"):
        message = f"{place.name}: {value} is written to {where} as {sent} and read back as {back}"
    elif breach.law == "unsettled":
        message = f"{place.name}: {where} holds {value}, read as {breach.told}; written again as {sent} it reads {back}"
    else:
        message = f"{place.name}: {value} becomes {sent}, whose canonical form is {back}"
    if breach.beside:
        message += f" (with {', '.join(f'{name} {worth}' for name, worth in breach.beside.items())})"
    if breach.law == "filled" and place.node.null_as is not None:
        cure = f"if {back} means the same as nothing here, let it be read so: zero: blank, or a value table"
        return Problem(place.node.position, message, cure, "warning")
    if breach.rare:
        cure = "if such sums occur, let the system keep more decimals and say so with scale"
        return Problem(place.node.position, message, cure, "warning")
    return Problem(place.node.position, message, CURES[breach.law])


def _no_room(place: Place, refusal: str) -> Problem:
    where = ", ".join(show(steps) for steps in place.node.paths())
    message = f"{place.name}: hardly any value can be written to {where}; {refusal}"
    return Problem(place.node.position, message, "say direction: in, or map it to a field of another type")


def _show(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join("nothing" if part is ABSENT else _show(part) for part in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:40]}… ({len(value)} characters)")
    return str(value).lower() if isinstance(value, bool) else str(value)
