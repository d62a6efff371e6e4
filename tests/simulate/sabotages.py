"""Mistakes put into the engine one at a time, from outside: the simulation must find each of them.

``python tests/simulate/sabotages.py`` looks for each, and prints and keeps the table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hub.connect.capabilities import Page, Remote, Write
from hub.errors import RecordRejected, UnknownOutcome, VersionConflict
from hub.store import intents, runs, shadows
from hub.store import records as stored
from hub.sync import apply, confirm, decide, engine, intake, observe, outcomes, plan, recover, rounds
from hub.sync.context import Pass
from hub.sync.gate import Gate

Patches = list[tuple[Any, str, Any]]
TABLE = Path(__file__).with_name("teeth.json")
MOST = 200
STEPS = 200


def nothing(*_: Any, **__: Any) -> None:
    """In place of something that must be done."""


def no_intent() -> Patches:
    """writes no intent before the call"""
    return [(intents, "add_intents", nothing)]


def no_probe() -> Patches:
    """forgets what was in doubt instead of probing it"""

    def forget(job: Any, endpoint: Any, rows: Any) -> None:
        with job.transaction(endpoint.entity) as connection:
            for row in rows:
                intents.drop_intent(connection, row["id"])

    return [(recover, "_probe_creates", forget)]


def updates_forgotten() -> Patches:
    """doesn't look at updates whose answer was lost"""

    def forget(job: Any, endpoint: Any, rows: Any) -> None:
        with job.transaction(endpoint.entity) as connection:
            for row in rows:
                intents.drop_intent(connection, row["id"])
                stored.mark(connection, endpoint.entity, [row["hub_id"]], 1)

    return [(recover, "_look_at_others", forget)]


def wrong_base() -> Patches:
    """compares with the canonical value instead of what the system showed"""
    real = decide.decide

    def wrong(sight: Any, fields: Any, policy: Any) -> Any:
        return real(replace(sight, base=dict(sight.ours)), fields, policy)

    return [(intake, "decide", wrong)]


def no_base() -> Patches:
    """forgets the base: everything is seen for the first time"""
    real = decide.decide
    return [(intake, "decide", lambda sight, fields, policy: real(replace(sight, base=None), fields, policy))]


def early_cursor() -> Patches:
    """stores the advanced cursor before the page"""
    real = observe._joined

    def early(pages: Any) -> Iterator[Page]:
        for page in real(pages):
            yield Page([], page.cursor)
            yield Page(page.records, None, page.complete)

    return [(observe, "_joined", early)]


def match_again() -> Patches:
    """matches records that are linked already"""
    real = intake.Intake._news
    return [(intake.Intake, "_news", lambda self, c, remotes, known, taken: real(self, c, remotes, {}, taken))]


def empty_listing_believed() -> Patches:
    """believes an empty listing"""
    return [(observe, "_doubt", lambda *_: "")]


def no_second_look() -> Patches:
    """takes what a listing lacks for deleted, without a second look"""

    def believe(job: Any, endpoint: Any, intake: Any, ids: Any) -> None:
        with job.transaction(endpoint.entity) as connection:
            intake.take(connection, [Remote(key, None, deleted=True) for key in ids])

    return [(observe, "look_again", believe)]


def clock_trusted() -> Patches:
    """trusts every system's clock"""
    trusting = lambda remote, now: remote.modified_at or now  # noqa: E731
    return [(intake, "edited_at", trusting), (confirm, "edited_at", trusting)]


def authority_ignored() -> Patches:
    """ignores who owns a field"""
    return [(decide, "_owner", lambda policy, path: None)]


def create_retried() -> Patches:
    """sends a create again when its answer was lost"""
    real = apply.Writer._call

    def again(self: Any, action: str, chunk: Any) -> Any:
        results, failure = real(self, action, chunk)
        if action == "create" and isinstance(failure, UnknownOutcome):
            results, failure = real(self, action, chunk)
        return results, failure

    return [(apply.Writer, "_call", again)]


def no_fence() -> Patches:
    """lets a worker that comes back late go on"""
    return [(runs, "renew_lease", nothing), (Pass, "overdue", lambda self: False)]


def late_sender() -> Patches:
    """sends what it had prepared before it was away"""
    return [(Pass, "overdue", lambda self: False)]


def no_lease() -> Patches:
    """lets two workers at the same entity"""
    real = runs.take_lease
    free = lambda *given: real(*given[:5], lambda holder: True)  # noqa: E731
    return [(runs, "take_lease", free), (runs, "renew_lease", nothing), (Pass, "overdue", lambda self: False)]


def no_pairing() -> Patches:
    """doesn't read back what a system made of a value"""
    return [(confirm.Confirmer, "_pair", lambda self, *_: {})]


def no_shadow() -> Patches:
    """keeps the old shadow after a write"""
    real = confirm.Confirmer._store_shadow

    def only_new(self: Any, batch: Any, record: Any, shadow: Any, *more: Any) -> None:
        if shadow is None:
            real(self, batch, record, shadow, *more)

    return [(confirm.Confirmer, "_store_shadow", only_new)]


def tombstones_dropped() -> Patches:
    """drops tombstones"""
    return [(outcomes, "gone", nothing)]


def deleted_made_again() -> Patches:
    """makes again what was deleted"""
    real = plan.plan_record

    def again(subject: Any, targets: Any) -> Any:
        targets = [replace(t, gone="hub") if t.gone == "them" else t for t in targets]
        return real(replace(subject, deleted=False), targets)

    from hub.sync import planning

    return [(planning, "plan_record", again)]


def float_money() -> Patches:
    """sends amounts as binary fractions"""
    from decimal import Decimal

    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(item) for key, item in value.items()}
        if isinstance(value, list):
            return [floats(item) for item in value]
        return float(value) if isinstance(value, Decimal) else value

    def write(**given: Any) -> Write:
        return Write(**{**given, "values": floats(given["values"])})

    return [(apply, "Write", write)]


def version_ignored() -> Patches:
    """writes without the version it was planned from"""
    return [(apply, "Write", lambda **given: Write(**{**given, "version": None}))]


def forced_write() -> Patches:
    """writes again, without the version, when a record has moved on"""
    real = apply.Writer._call

    def force(self: Any, action: str, chunk: Any) -> Any:
        results, failure = real(self, action, chunk)
        stale = [one for one, r in zip(chunk, results, strict=False) if isinstance(r.error, VersionConflict)]
        if failure is None and stale:
            for one in stale:
                one.write.version = None
            results, failure = real(self, action, chunk)
        return results, failure

    return [(apply.Writer, "_call", force)]


def conflicts_unopened() -> Patches:
    """tells nobody of a conflict"""
    return [(outcomes, "_open", nothing)]


def letters_unwritten() -> Patches:
    """writes no dead letters"""
    return [(outcomes, "letters", nothing)]


def references_ignored() -> Patches:
    """writes a record before what it refers to"""

    def drop(values: Any, paths: Any, table: Any, *, unknown: Any = None) -> list[Any]:
        from hub.sync.refs import translate

        translate(values, paths, table)
        return []

    return [(plan, "missing_refs", lambda values, target: []), (apply, "translate", drop)]


def no_budget() -> Patches:
    """changes and deletes as much as there is"""
    return [(Gate, "allowed", lambda self, endpoint: None)]


def nothing_to_do() -> Patches:
    """forgets that a changed record has to be written"""
    return [(stored, "_to_do", nothing)]


def lines_replaced() -> Patches:
    """takes all lines of a document as they come"""

    def whole(decision: Any, sight: Any, lens_field: Any, policy: Any, base: Any) -> None:
        name = lens_field.name
        change = decide.Change(name, "accepted", "edit", None, None, None)
        decision.changes.append(change)
        decision.values = {**decision.values, name: sight.theirs[name]}

    return [(decide, "_decide_lines", whole)]


def last_wins() -> Patches:
    """lets whoever is read last win"""
    return [(decide, "_resolve", lambda sight, path, policy: ("accepted", "newest"))]


def stamps_forgotten() -> Patches:
    """forgets when a value was given"""
    return [(outcomes, "restamp", lambda stamps, decision, system, at: stamps)]


def batch_blamed() -> Patches:
    """fails a whole batch for one bad record"""
    real = apply.Writer._call

    def blame(self: Any, action: str, chunk: Any) -> Any:
        results, failure = real(self, action, chunk)
        bad = next((r.error for r in results if isinstance(r.error, RecordRejected)), None)
        return ([], bad) if bad is not None else (results, failure)

    return [(apply.Writer, "_call", blame)]


def results_swapped() -> Patches:
    """gives a batch's results to the wrong records"""
    real = apply.Writer._call

    def swapped(self: Any, action: str, chunk: Any) -> Any:
        results, failure = real(self, action, chunk)
        return list(reversed(results)), failure

    return [(apply.Writer, "_call", swapped)]


def stale_plan() -> Patches:
    """applies a plan whatever has moved since"""
    real = rounds.list_plan

    def same(*given: Any) -> Any:
        found = real(*given)
        found.state = "the same"
        return found

    return [(engine, "list_plan", same)]


def plan_exceeded() -> Patches:
    """goes on after an approved plan with what its writes bring up"""
    real = rounds.Rounds
    return [(engine, "Rounds", lambda job, entities, only=None: real(job, entities))]


def journal_silent() -> Patches:
    """leaves writes out of the journal"""
    from hub.store import journal

    real = journal.write

    def quiet(connection: Any, run: str, at: str, entries: Any) -> None:
        real(connection, run, at, [entry for entry in entries if entry.kind != "written"])

    return [(journal, "write", quiet)]


def policy_unnoticed() -> Patches:
    """doesn't plan anew when mappings or directions change"""
    return [(engine, "plan_anew", nothing)]


def unread_written() -> Patches:
    """writes where it could not read"""
    real = Pass.failed

    def unblocked(self: Any, endpoint: Any, error: Any, *, down: bool) -> None:
        real(self, endpoint, error, down=False)
        self.blocked.clear()

    return [(Pass, "failed", unblocked), (observe, "hold_unread", nothing), (engine, "hold_unread", nothing)]


def versions_unkept() -> Patches:
    """believes that a record seen again is as it was"""
    return [(shadows, "by_remote", lambda *_: {})]


SABOTAGES: dict[str, Callable[[], Patches]] = {
    function.__name__: function
    for function in (
        no_intent, no_probe, updates_forgotten, wrong_base, no_base, early_cursor, match_again, empty_listing_believed,
        no_second_look, clock_trusted, authority_ignored, create_retried, no_fence, late_sender, no_lease, no_pairing,
        no_shadow, tombstones_dropped, deleted_made_again, float_money, version_ignored, forced_write,
        conflicts_unopened, letters_unwritten, references_ignored, no_budget, nothing_to_do, lines_replaced, last_wins,
        stamps_forgotten, batch_blamed, results_swapped, stale_plan, plan_exceeded, journal_silent,
        policy_unnoticed, unread_written,
    )
}  # fmt: skip


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """The engine with this mistake in it."""
    with ExitStack() as stack:
        for target, attribute, wrong in SABOTAGES[name]():
            stack.enter_context(patch.object(target, attribute, wrong))
        yield


def hunt(simulator: Any, name: str, *, first: int = 0) -> tuple[str, int, int] | None:
    """(law that was broken, seeds needed, the seed) of a mistake; None when ``MOST`` seeds did not find it.

    A seed that fails without it as well is no find.
    """
    for count, seed in enumerate([first, *(s for s in range(MOST) if s != first)] if first else range(MOST), 1):
        with sabotaged(name):
            life = simulator.live(seed, STEPS)
        laws = life.laws
        if any("TypeError" in found.what or "AttributeError" in found.what for found in life.violations):
            raise RuntimeError(f"{name} does not fit the engine any more: {life.violations[0].what}")
        if laws and not set(laws) & set(simulator.live(seed, STEPS).laws):
            return laws[0], count, seed
    return None


def main(names: list[str]) -> int:
    """Hunt for all of them (or these), print the table, keep it."""
    from hub.simulate.company import company
    from hub.simulate.life import Simulator

    simulator = Simulator(company())
    table = json.loads(TABLE.read_text()) if TABLE.exists() and names else {}
    for name in names or SABOTAGES:
        found = hunt(simulator, name)
        what = (SABOTAGES[name].__doc__ or "").strip()
        table[name] = {"what": what, "law": found[0], "seeds": found[1], "seed": found[2]} if found else {"what": what}
        law, seeds = (found[0], str(found[1])) if found else ("NOT FOUND", f"{MOST}")
        print(f"| {what} | {law} | {seeds} |", flush=True)
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    missed = [name for name, row in table.items() if "law" not in row]
    print(f"{len(table) - len(missed)} of {len(table)} found" + (f"; not: {', '.join(missed)}" if missed else ""))
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
