"""``hub plan``, ``apply`` and ``sync``: one pass over the systems. ``hub status``: where everything stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell, to_json
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.sync.engine import Engine
    from hub.sync.report import PassReport

Entities = Annotated[list[str] | None, typer.Argument(metavar="ENTITY", help="Only these entities [default: all].")]
Systems = Annotated[
    list[str] | None, typer.Option("--system", metavar="S", help="Observe only this system; repeatable.")
]


HOOK_COLUMNS = ("system", "accepted", "hints", "refused", "useless", "waiting", "last_at", "refused_at")
FEED_COLUMNS = ("system", "entity", "resource", "direction", "records", "waiting", "approved", "observed_at")


def register(app: typer.Typer) -> None:
    for name, function in (("plan", plan), ("apply", apply), ("sync", sync), ("status", status)):
        command(app, name)(function)


def plan(
    shell: Shell,
    entities: Entities = None,
    *,
    system: Systems = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan to this file too, as JSON.")] = None,
) -> int:
    """What a sync would write, per field old → new; writes nothing anywhere.

    The systems are read and the plan is kept in the hub's store until it is applied or its state is left behind.

    Example: hub plan customer --out plan.json
    """
    from hub.cli.backtests import changed_mappings, changed_policies, show_policies
    from hub.cli.backtests import show as show_changed
    from hub.cli.files import write_private
    from hub.cli.running import EXIT_CODES, plan_data, run_pass, show_report
    from hub.operate.passes import Scope
    from hub.sync.backtest import Backtest
    from hub.sync.backtest_policy import PolicyBacktest

    changed: list[Backtest] = []
    ruled: list[PolicyBacktest] = []

    def work(engine: Engine) -> PassReport:
        changed.extend(changed_mappings(shell, engine, entities or None))
        ruled.extend(changed_policies(engine, entities or None))
        return engine.plan(entities or None, system or None)

    report = run_pass(shell, "plan", Scope(entities or [], system or []), work)
    before = {
        "changed_mappings": [one.as_dict() for one in changed],
        "changed_policies": [one.as_dict() for one in ruled],
    }
    data = {**plan_data(report), **before}

    def show(console: Console) -> None:
        show_changed(console, changed)
        show_policies(console, ruled)
        show_report(console, report)

    if out is not None:
        write_private(out, to_json(data) + "\n")
    shell.answer(data, show)
    return EXIT_CODES[report.state]


def apply(
    shell: Shell,
    plan: Annotated[str, typer.Argument(metavar="FILE", help="A file written by hub plan --out, or a plan's id.")],
) -> int:
    """Exactly that plan; refuses, naming the record, if anything moved since.

    Example: hub apply plan.json
    """
    from hub.cli.running import finished, run_pass
    from hub.operate.passes import Scope

    plan_id = _plan_id(plan)
    return finished(shell, run_pass(shell, "apply", Scope(), lambda engine: engine.apply(plan_id)))


def sync(
    shell: Shell,
    entities: Entities = None,
    *,
    system: Systems = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Approve what a first sync or the change budget would hold.")
    ] = False,
    partition: Annotated[
        str, typer.Option(metavar="K/N", help="One of the N passes that work on these entities together.")
    ] = "",
) -> int:
    """One pass: observe, decide, write, read back.

    A first sync of two full systems writes nothing until its match report is approved: by hub apply, or by --yes.
    Where hub.yaml gives an entity partitions: 4, four processes can share its pass: --partition 1/4 to 4/4.

    Example: hub sync customer order --system zoho
    """
    from hub.cli.running import finished, run_pass
    from hub.operate.passes import Scope
    from hub.sync.joint import parse_part

    part = parse_part(partition) if partition else None

    def work(engine: Engine) -> PassReport:
        return engine.sync(entities or None, system or None, full=full, yes=yes, partition=part)

    return finished(shell, run_pass(shell, "sync", Scope(entities or [], system or [], full), work))


def status(shell: Shell) -> int:
    """Systems, cursors, lag, queues, last runs.

    Example: hub status
    """
    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        found = engine.status()
    shell.answer(found, lambda console: _show_status(console, found))
    return NEEDS_PERSON if found["conflicts"] or found["letters"] or found["in_doubt"] else DONE


def _show_status(console: Console, found: dict[str, Any]) -> None:
    from hub.cli.output import section
    from hub.operate.tables import generic_rows

    records = ", ".join(f"{count:,} {entity}" for entity, count in found["records"].items()) or "none yet"
    console.print(f"records: {records}", soft_wrap=True)
    section(
        console, "feeds", generic_rows(found["feeds"], FEED_COLUMNS), "no feeds: hub.yaml ties no system to an entity"
    )
    section(console, "waiting for what they refer to", generic_rows(found["waiting"], ()))
    section(console, "plans to approve (hub apply ID)", generic_rows(found["plans"], ("id", "at", "run")))
    section(console, "accounts today", [_account_row(one) for one in found["accounts"]])
    section(console, "last runs", generic_rows(found["runs"], ("id", "kind", "started", "state", "message")))
    console.print(_kept(found["store"]), soft_wrap=True)
    section(console, "told by webhook", generic_rows(found["webhooks"], HOOK_COLUMNS))
    for hook in found["webhooks"]:
        for row in hook["subscriptions"]:
            what = row["problem"] or (f"until {row['expires']}" if row["expires"] else "for good")
            console.print(f"{hook['system']} tells of {row['resource']}: {what}", soft_wrap=True)
    if found["conflicts"]:
        console.print(f"{found['conflicts']} open conflicts: hub conflicts")
    if found["letters"]:
        console.print(f"{found['letters']} open dead letters: hub letters")
    if found["in_doubt"]:
        console.print(
            f"{found['in_doubt']} writes whose answer was lost: the next pass looks for them before sending again"
        )


def _kept(store: dict[str, Any]) -> str:
    from hub.store.space import megabytes

    since = f", in full since {store['since']}" if store["since"] else ""
    free = f" ({megabytes(store['free'])} of it free)" if store["free"] else ""
    return f"store: {megabytes(store['bytes'])}{free}; history: {store['history']:,} entries{since} (hub prune)"


def _account_row(account: dict[str, Any]) -> dict[str, str]:
    from hub.connect.quota import Standing
    from hub.operate.costs import left

    standing = Standing(**{name: value for name, value in account.items() if name != "systems"})
    return {"systems": ", ".join(account["systems"]), "calls": f"{standing.calls:,}", "left": left(standing)}


def _plan_id(text: str) -> str:
    """The id of a plan given as a file or as the id itself."""
    path = Path(text)
    if not path.is_file():
        if path.suffix == ".json" or len(path.parts) > 1:
            raise ConfigurationError("there is no such file", where=text, cure="write one: hub plan --out plan.json")
        return text
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("not a plan", where=text, cure="write one: hub plan --out plan.json") from error
