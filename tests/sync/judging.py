"""One field, or one field of lines, for the tests of ``decide``."""

from __future__ import annotations

from typing import Any

from hub.mapping.lens import LensField, LensLines, Position
from hub.sync.decide import ABSENT, Decision, Sight, decide
from hub.sync.policy import EntityPolicy

AT = Position("test.yaml", 1, 1)
EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"


def field(name: str, direction: Any = "both", strength: Any = "normal", lines: LensLines | None = None) -> LensField:
    return LensField(name, direction, strength, AT, (name,), lines=lines)


def policy(**options: Any) -> EntityPolicy:
    return EntityPolicy("order", {"crm": "both", "erp": "both"}, **options)


def values(value: Any) -> dict[str, Any]:
    return {} if value is ABSENT else {"f": value}


def seen(theirs: Any, base: Any, ours: Any, **options: Any) -> Sight:
    """What the erp shows of a record that the crm made. ``theirs``, ``base``, ``ours``: all the values."""
    return Sight(
        "erp",
        theirs,
        base,
        options.pop("meant", {}),
        ours,
        options.pop("stamps", {"*": ["crm", EARLY]}),
        options.pop("at", LATE),
        options.pop("present", frozenset({"crm", "erp"})),
    )


def judge(
    base: Any, theirs: Any, ours: Any, *, how: LensField | None = None, linked: bool = True, **options: Any
) -> Decision:
    """One field ``f`` of a record of the erp. ``linked=False``: the first sighting."""
    about = {name: options.pop(name) for name in ("at", "stamps", "present") if name in options}
    meant = values(options.pop("meant", ABSENT))
    sight = seen(values(theirs), values(base) if linked else None, values(ours), meant=meant, **about)
    return decide(sight, {"f": how or field("f")}, policy(**options))


LINES = LensLines("no", {"no": field("no"), "qty": field("qty"), "price": field("price"), "code": field("code", "out")})


def line(no: Any, qty: Any = 1, **more: Any) -> dict[str, Any]:
    return {"no": no, "qty": qty, **more}


def merge(base: Any, theirs: Any, ours: Any, *, lines: LensLines = LINES, **options: Any) -> Decision:
    return judge(base, theirs, ours, how=field("f", lines=lines), **options)


def told(decision: Decision) -> list[tuple[str, str, str]]:
    return [(c.path, c.kind, c.rule) for c in decision.changes]
