"""The contract suite has teeth: a connector that breaks one promise is found by the rule that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from hub.connect import registry
from hub.connect.capabilities import Page, Remote, Result
from hub.connect.contract.bench import Bench
from hub.connect.contract.rules import all_rules
from hub.connect.contract.suite import _tried
from hub.connect.contract.worlds import World
from hub.errors import Gone, HubError, RecordRejected, Unavailable, UnknownOutcome

SQL = registry.find("sql")
Connector: Any = SQL.module("connector").SqlConnector
KEYED, NATURAL = 0, 1


class AsFloats(Connector):
    def list_changes(self, *args: Any) -> Iterator[Page]:
        for page in super().list_changes(*args):
            for remote in page.records:
                remote.record = {k: float(v) if isinstance(v, Decimal) else v for k, v in remote.record.items()}
            yield page


class WithoutALastPage(Connector):
    def list_changes(self, *args: Any) -> Iterator[Page]:
        pages = list(super().list_changes(*args))
        yield from pages[:-1]


class AlwaysComplete(Connector):
    def list_changes(self, resource: str, cursor: str | None, *args: Any) -> Iterator[Page]:
        pages = list(super().list_changes(resource, cursor, *args))
        pages[-1].complete = True
        yield from pages


class EndingEarly(Connector):
    def list_changes(self, *args: Any) -> Iterator[Page]:
        try:
            yield from super().list_changes(*args)
        except HubError:
            yield Page([], None)


class CallingItUnknown(Connector):
    def list_changes(self, *args: Any) -> Iterator[Page]:
        try:
            yield from super().list_changes(*args)
        except Unavailable as error:
            raise UnknownOutcome(error.what) from error


class OtherTypes(Connector):
    def list_changes(self, *args: Any) -> Iterator[Page]:
        for page in super().list_changes(*args):
            for remote in page.records:
                remote.record = {**remote.record, "city": 7}
            yield page


class PassingOverTies(Connector):
    newest = ""

    def list_changes(self, resource: str, cursor: str | None, *args: Any) -> Iterator[Page]:
        edge = self.newest if cursor else ""
        for page in super().list_changes(resource, cursor, *args):
            page.records = [r for r in page.records if (r.modified_at or "") > edge]
            self.newest = max([self.newest, *[r.modified_at or "" for r in page.records]])
            yield page


class BelievingCursors(Connector):
    def list_changes(self, resource: str, cursor: str | None, *args: Any) -> Iterator[Page]:
        if cursor is not None and not cursor.startswith('{"'):
            yield Page([], cursor)
            return
        yield from super().list_changes(resource, cursor, *args)


class ShowingTheDead(Connector):
    def get(self, resource: str, ids: Any, *args: Any) -> list[Remote]:
        return [replace(r, deleted=False, record=r.record or {}) for r in super().get(resource, ids, *args)]


class PromisingTombstones(Connector):
    def describe(self, resource: str | None = None) -> Any:
        return [replace(r, deletes="tombstones") for r in super().describe(resource)]


class AnsweringWhatWasSent(Connector):
    def create(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        results = super().create(resource, writes, *args)
        for write, result in zip(writes, results, strict=True):
            result.remote.record = {**result.remote.record, "city": write.values["city"].upper()}
        return results


class FailingTogether(Connector):
    def create(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        results = super().create(resource, writes, *args)
        error = next((r.error for r in results if r.error), None)
        return [Result(error=error) for _ in results] if error else results


class OutOfOrder(Connector):
    def create(self, *args: Any) -> list[Result]:
        return super().create(*args)[::-1]


class FindingNothing(Connector):
    def probe(self, resource: str, writes: Any, *args: Any) -> list[Remote | None]:
        return [None for _ in writes]


class FindingAnything(Connector):
    def probe(self, resource: str, writes: Any, *args: Any) -> list[Remote | None]:
        return [self.get(resource, ["1"], [], {})[0] for _ in writes]


class LosingWithoutAWord(Connector):
    def create(self, *args: Any) -> list[Result]:
        results = super().create(*args)
        return [Result(error=Unavailable("down")) if isinstance(r.error, UnknownOutcome) else r for r in results]


class Overwriting(Connector):
    def update(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        return super().update(resource, [replace(w, version=None, old=None) for w in writes], *args)


class DeletingBlindly(Connector):
    def delete(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        return super().delete(resource, [replace(w, version=None, old=None) for w in writes], *args)


class NotSayingGone(Connector):
    def update(self, *args: Any) -> list[Result]:
        return [replace(r, error=RecordRejected("no")) if r.error else r for r in super().update(*args)]


class SayingDone(Connector):
    def update(self, resource: str, writes: Any, fields: Any, options: Any) -> list[Result]:
        return [Result(remote=self.get(resource, [w.id], fields, options)[0]) for w in writes]


class NotNamingTwins(Connector):
    def create(self, *args: Any) -> list[Result]:
        return [replace(r, error=RecordRejected("taken")) if r.error else r for r in super().create(*args)]


class FailingOnTheGone(Connector):
    def delete(self, resource: str, writes: Any, options: Any) -> list[Result]:
        gone = self.get(resource, [w.id for w in writes], [], {})[0].deleted
        return [Result(error=Gone("not there"))] if gone else super().delete(resource, writes, options)


class CuttingTexts(Connector):
    def update(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        cut = [replace(w, values={**w.values, "city": str(w.values.get("city"))[:39]}) for w in writes]
        results = super().update(resource, cut, *args)
        for write, result in zip(writes, results, strict=True):
            if result.remote is not None:
                result.remote.record = {**result.remote.record, **write.values}
        return results


class RoundingToWholes(Connector):
    def update(self, resource: str, writes: Any, *args: Any) -> list[Result]:
        whole = [replace(w, values={n: round(v) if n == "amount" else v for n, v in w.values.items()}) for w in writes]
        return super().update(resource, whole, *args)


class ForgettingToLog(Connector):
    def check(self) -> Any:
        return replace(super().check(), identity="")


@dataclass
class Sabotage:
    """A connector, and the rule that finds out."""

    connector: type
    rule: str
    trial: int = KEYED


SABOTAGES = [
    Sabotage(ForgettingToLog, "introduces_itself"),
    Sabotage(WithoutALastPage, "lists_everything"),
    Sabotage(OtherTypes, "fits_its_description"),
    Sabotage(AsFloats, "keeps_numbers_exact"),
    Sabotage(ShowingTheDead, "looks_again"),
    Sabotage(CallingItUnknown, "says_when_it_is_down"),
    Sabotage(EndingEarly, "never_ends_early"),
    Sabotage(AlwaysComplete, "resumes"),
    Sabotage(AlwaysComplete, "sees_changes"),
    Sabotage(PassingOverTies, "sees_ties"),
    Sabotage(BelievingCursors, "honours_no_bad_cursor"),
    Sabotage(PromisingTombstones, "sees_deletions"),
    Sabotage(AnsweringWhatWasSent, "tells_what_it_created"),
    Sabotage(FailingTogether, "keeps_bad_records_apart"),
    Sabotage(OutOfOrder, "takes_whole_batches"),
    Sabotage(FindingNothing, "finds_its_creates"),
    Sabotage(FindingAnything, "finds_its_creates"),
    Sabotage(FindingAnything, "finds_its_creates", NATURAL),
    Sabotage(LosingWithoutAWord, "makes_one_of_a_lost_create"),
    Sabotage(SayingDone, "tells_what_it_changed"),
    Sabotage(FailingOnTheGone, "deletes_twice"),
    Sabotage(SayingDone, "repeats_updates_safely"),
    Sabotage(Overwriting, "refuses_stale_writes"),
    Sabotage(DeletingBlindly, "refuses_stale_writes"),
    Sabotage(NotSayingGone, "tells_what_is_gone"),
    Sabotage(NotNamingTwins, "names_the_twin", NATURAL),
    Sabotage(CuttingTexts, "says_how_texts_are_stored"),
    Sabotage(RoundingToWholes, "says_how_numbers_are_stored"),
]
RULES = {rule.name: rule for rule in all_rules()}


@pytest.fixture
def bench_of() -> Iterator[Callable[[type, int], Bench]]:
    """A workbench with a connector of this class, in a database of its own."""
    worlds: list[World] = []
    contract = SQL.contract()

    def make(kind: type, trial: int) -> Bench:
        world = contract.world(SimpleNamespace(name="sql", open=kind), {})
        worlds.append(world)
        return Bench(world, contract, contract.trials[trial], "HUBT")

    yield make
    for world in worlds:
        world.close()


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda s: f"{s.connector.__name__}-{s.rule}-{s.trial}")
def test_a_broken_promise_is_found(sabotage: Sabotage, bench_of: Callable[[type, int], Bench]) -> None:
    state, message, _ = _tried(RULES[sabotage.rule], bench_of(sabotage.connector, sabotage.trial))
    assert state == "broken" and message


@pytest.mark.parametrize("rule", sorted({s.rule for s in SABOTAGES}))
def test_the_honest_connector_keeps_it(rule: str, bench_of: Callable[[type, int], Bench]) -> None:
    trial = NATURAL if rule == "names_the_twin" else KEYED
    state, message, _ = _tried(RULES[rule], bench_of(Connector, trial))
    assert (state, message) == ("kept", "")


def test_only_what_only_http_can_show_is_left_to_other_tests() -> None:
    http = {"refuses_a_wrong_login", "waits_when_told", "explains_nonsense"}
    facts_only = {"says_what_a_repeated_create_does"}
    assert set(RULES) == {s.rule for s in SABOTAGES} | http | facts_only
