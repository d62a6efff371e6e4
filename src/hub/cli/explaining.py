"""``hub explain``: why a value is what it is, or was what it was, as a story that can be read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.moments import moment
from hub.cli.registering import command
from hub.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    command(app, "explain")(explain)


def explain(
    shell: Shell,
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="customer, order …")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="A number or name, a system's id, or the hub's.")],
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="Only this field [default: all].")] = None,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="As it was then: 2026-01-15T08:00+08:00, a day (its first moment), 7d or 12h ago."
        ),
    ] = None,
) -> None:
    """Why each value is what it is: from which system, when, by which mapping line, under which rule, in which run.

    With a FIELD, its whole chain: who wrote it where, what the hub saw there before and after, the line of the mapping
    that made it, the rule and the other candidates, the writes that carried it on, and what the systems answered.

    Example: hub explain customer C00017 phone
    hub explain customer C00017 phone --at 7d
    """
    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        found = engine.explain(entity, key, field, moment(at, engine, "--at") if at else None)
    shell.answer(found, lambda console: _show(console, found, alone=field is not None))


def _show(console: Console, found: Row, *, alone: bool) -> None:
    from hub.cli.output import section
    from hub.operate.tables import cell

    then = f", as it was at {found['at']}" if found["at"] else ""
    deleted = f", deleted {found['deleted']}" if found["deleted"] else ""
    console.print(f"{found['entity']} {found['hub_id']}{deleted}{then}", style="bold", soft_wrap=True)
    links = found["links"].items()
    section(console, "is in", [{"system": s, "id": cell(link["id"]), "gone": link["gone"] or ""} for s, link in links])
    rows = [
        {"field": name, "value": cell(f["value"]), "from": cell(f["from"]), "at": cell(f["at"]),
         "mapping line": cell(f["mapping"]), "owner": cell(f["owner"])}
        for name, f in found["fields"].items()
    ]  # fmt: skip
    section(console, "values", rows)
    if found["pruned"]:
        console.print(found["pruned"]["text"], soft_wrap=True)
    for name, told in found["fields"].items() if alone else ():
        console.print(f"{name}, step by step", style="italic")
        for step in told["steps"]:
            console.print(f"{step['at']}  {_headline(step)}", style="bold", soft_wrap=True, markup=False)
            for line in _body(step):
                console.print(f"    {line}", soft_wrap=True, markup=False)
        for system, shown in told["shown"].items():
            console.print(f"now, {system} shows {cell(shown)}", soft_wrap=True, markup=False)


def _headline(step: Row) -> str:
    from hub.operate.tables import cell

    kind, system, record = step["kind"], step["system"], step.get("record") or ""
    if kind == "observed":
        return f"{system} {record}: {cell(step['base'])} → {cell(step['theirs'])}: {step['decision']}"
    if kind == "new":
        return f"{system} {record}: {cell(step['theirs'])}: {step['text']}"
    if kind == "written":
        return f"{step['action']}d in {system} {record}"
    if kind == "resolved":
        return f"a person took {step['take']}"
    if kind == "conflict":
        sides = f"{cell(step['theirs'])} ({system}) or {cell(step['ours'])} ({step['ours_from']})"
        return f"conflict: {sides}; {step['status']}"
    if kind == "letter":
        return f"{system} could not be told ({step['error']}): {cell(step['message'])}; {step['status']}"
    if kind == "pruned":
        return str(step["text"])
    return f"{kind} in {system}: {step.get('text') or ''}"


def _body(step: Row) -> Iterator[str]:
    from hub.operate.tables import cell

    if step["kind"] in ("observed", "new"):
        by = f" by {step['by']}" if step.get("by") else ""
        yield f"edited{by}, {step['edited_at'] or 'at a time the system does not tell'}"
    if step.get("mapping"):
        was = ", as it is now" if step.get("now") else ""
        yield f"by {step['mapping']}: {step['operators']}{was}"
    if step.get("decision"):
        yield f"rule {step['rule']}: {step['why']}"
        for one in step["candidates"]:
            who = one["system"] or "nobody"
            by = f" by {one['by']}" if one["by"] else ""
            yield f"  {'→' if one['taken'] else ' '} {cell(one['value'])} from {who}{by}, {one['at'] or 'never'}"
    for path, (old, new) in (step.get("fields") or {}).items():
        yield f"{path}: {cell(old)} → {cell(new)}"
    if step.get("answer"):
        answer = step["answer"]
        version = f", version {answer['version']}" if answer["version"] else ""
        shows = f", and it shows {cell(answer['shows'])}" if step.get("rewritten") else ""
        yield f"the system answered: record {answer['id']}{version}{shows}"
    if step.get("cure"):
        yield f"to do: {step['cure']}"
    if step.get("because"):
        yield f"because: {step['because']}"
    if step.get("run"):
        yield f"run {step['run']}"
