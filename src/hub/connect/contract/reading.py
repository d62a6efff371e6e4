"""Rules of reading: what a connector shows is complete, exact, and never less than the truth."""

from __future__ import annotations

from typing import Any

from hub.connect.capabilities import Connector, Get, ListChanges
from hub.connect.contract.bench import Bench
from hub.connect.contract.rules import Facts, rule
from hub.connect.contract.verdicts import Broken, NotTried, must
from hub.connect.contract.worlds import WAIT
from hub.connect.schema import violations
from hub.errors import (
    AuthenticationError,
    ConfigurationError,
    HubError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
)  # fmt: skip

NOWHERE = "no_such_resource"


@rule("bronze", Connector)
def introduces_itself(bench: Bench) -> None:
    """Says who we are in the system, describes its resource, and refuses a resource that isn't there."""
    must(bench.connector.check().identity, "check() gives no identity")
    must(bench.resource.fields, "the resource is described without fields")
    try:
        bench.connector.describe(NOWHERE)
    except ConfigurationError:
        return
    raise Broken(f"describe({NOWHERE!r}) raises no ConfigurationError")


@rule("bronze", ListChanges)
def lists_everything(bench: Bench) -> Facts:
    """A reading without a cursor shows every record, and only then says that it was complete."""
    reading = bench.feed(connector=bench.paging())
    must(reading.complete, "the last page of an uninterrupted reading does not say complete=True")
    if bench.world.own:
        there = bench.world.count(bench.trial.resource)
        must(len(reading.live()) == there, f"{len(reading.live())} records were listed, {there} are there")
    stamped = any(remote.modified_at for remote in reading.seen.values())
    return {"modified_at": "told" if stamped else "not told"}


@rule("bronze", ListChanges)
def fits_its_description(bench: Bench) -> None:
    """Records are as the description says: these fields, of these types."""
    records = [remote.record for remote in bench.feed().seen.values() if remote.record is not None]
    must(records, "there is no record to look at")
    wrong = violations(bench.resource, records, limit=3)
    must(not wrong, "; ".join(wrong))


@rule("bronze", ListChanges)
def keeps_numbers_exact(bench: Bench) -> None:
    """Records are made of JSON types, and no number is a float."""
    for remote in bench.feed().seen.values():
        for path, value in _leaves(remote.record, ""):
            if isinstance(value, float):
                raise Broken(f"{path} is a float; amounts lose cents that way")
            must(value is None or isinstance(value, str | int | bool) or type(value).__name__ == "Decimal",
                 f"{path} is a {type(value).__name__}, which JSON doesn't have")  # fmt: skip


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in _leaves(part, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part, f"{path}[]")]
    return [(path, value)]


@rule("bronze", ListChanges, Get)
def looks_again(bench: Bench) -> None:
    """Looking at one record shows what the listing showed; one that isn't there comes back as deleted."""
    seen = next(iter(bench.feed().seen.values()), None)
    must(seen, "there is no record to look at")
    assert seen is not None
    again = bench.get(seen.id)
    must(not again.deleted, f"the record {seen.id} was listed and can't be got")
    differing = [name for name, value in (seen.record or {}).items() if (again.record or {}).get(name) != value]
    must(not differing, f"got again, it differs in {', '.join(differing)}")
    must(again.version == seen.version, "got again, it has another version though nobody changed it")
    (missing,) = bench.connector.get(bench.trial.resource, ["999999999999"], bench.fields, bench.trial.read)
    must(missing.deleted and missing.record is None, "an id that isn't there does not come back as deleted")


@rule("bronze", Connector)
def refuses_a_wrong_login(bench: Bench) -> None:
    """Wrong credentials are an AuthenticationError, and are not tried over and over."""
    settings = bench.world.wrong_login()
    before = bench.world.calls()
    try:
        bench.world.connect({**bench.trial.settings, **settings}).check()
    except AuthenticationError:
        after = bench.world.calls()
        must(before is None or after is None or after - before <= 3, "a refused log-in was tried again and again")
        return
    raise Broken("a wrong log-in raises no AuthenticationError")


@rule("bronze", ListChanges)
def says_when_it_is_down(bench: Bench) -> None:
    """A system that fails at reading is Unavailable: nothing was done, try again later."""
    with bench.world.bad_day("down"):
        error = _failure(bench)
    must(isinstance(error, Unavailable), f"a system that is down is reported as {type(error).__name__}")
    must(not isinstance(error, UnknownOutcome), "a failed read is no UnknownOutcome: it can't have changed anything")
    must(bench.feed().seen, "nothing can be read after the system came back")


@rule("bronze", ListChanges)
def never_ends_early(bench: Bench) -> None:
    """A reading that is cut off raises; it never looks like one that came to its end."""
    paging = bench.paging()
    whole = bench.feed(connector=paging)
    with bench.world.bad_day("cut off"):
        try:
            cut = bench.feed(connector=paging)
        except HubError:
            return
    if cut.live() == whole.live():
        raise NotTried("the whole reading is one call, which can't be cut off in the middle")
    raise Broken("a reading that was cut off ended without an error: missing records would look deleted")


@rule("gold", ListChanges)
def waits_when_told(bench: Bench) -> Facts:
    """Asked to slow down, it waits as long as it was told, or hands the wait on."""
    before = len(bench.world.slept)
    with bench.world.bad_day("throttled"):
        try:
            bench.feed()
        except RateLimited as error:
            must(error.wait == WAIT, f"told to wait {WAIT} seconds, it says {error.wait}")
            return {"throttling": "handed on"}
    must(sum(bench.world.slept[before:]) >= WAIT, f"told to wait {WAIT} seconds, it went on at once")
    return {"throttling": "waited out"}


@rule("gold", ListChanges)
def explains_nonsense(bench: Bench) -> None:
    """A web page where data was due is an UnexpectedAnswer, not a crash and not an empty list."""
    with bench.world.bad_day("nonsense"):
        error = _failure(bench)
    must(isinstance(error, UnexpectedAnswer | Unavailable), f"it is reported as {type(error).__name__}: {error}")


def _failure(bench: Bench) -> HubError:
    try:
        bench.feed()
    except HubError as error:
        return error
    raise Broken("reading went on as if nothing were wrong")
