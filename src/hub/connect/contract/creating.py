"""Rules of creating: each record for itself, found again when the answer is lost, and never made twice."""

from __future__ import annotations

from hub.connect.capabilities import Create, Delete, Probe, Remote, Result, Write
from hub.connect.contract.bench import Bench, error_of
from hub.connect.contract.rules import Facts, rule
from hub.connect.contract.verdicts import Broken, NotNeeded, NotTried, must
from hub.errors import AlreadyExists, HubError, RecordRejected, UnknownOutcome

FEW = 10
"""Records that a rule makes at most in an account that isn't the suite's own."""


@rule("silver", Create)
def tells_what_it_created(bench: Bench) -> Facts:
    """A create answers with the record's id and with what the system stored, as a look at the record shows it."""
    writes = [bench.new(), bench.new()]
    results = bench.create(writes)
    remotes = [_made(result) for result in results]
    must(len({remote.id for remote in remotes}) == len(remotes), "two creates were answered with the same id")
    for write, remote in zip(writes, remotes, strict=True):
        now = bench.get(remote.id)
        must(not now.deleted, "a created record can't be got")
        must(
            remote.record is None or remote.record == now.record, f"it answered with other values than {remote.id} has"
        )
        must(
            remote.record is None or remote.version == now.version, "it answered with another version than the record's"
        )
        must(now.key in (None, write.key), "the record carries another hub key than it was given")
    first = bench.get(remotes[0].id)
    return {
        "create_answers": "the record" if remotes[0].record is not None else "the id",
        "version": "told" if first.version else "not told",
        "hub_key": "on the record" if first.key else "not on the record",
        "reference": "by another value" if first.ref and first.ref != first.id else "by id",
    }


@rule("silver", Create)
def keeps_bad_records_apart(bench: Bench) -> Facts:
    """A record that is refused doesn't keep the others of its batch from being created."""
    if not bench.trial.refused:
        raise NotTried("the contract names no values that are refused")
    good, bad, other = bench.new(), bench.new(**bench.trial.refused), bench.new()
    results = bench.create([good, bad, other])
    error = results[1].error
    must(error is not None, f"{bench.trial.refused} was not refused")
    must(isinstance(error, RecordRejected), f"a refused record is reported as {type(error).__name__}: {error}")
    for write, result in ((good, results[0]), (other, results[2])):
        must(bench.get(_made(result).id).id, f"{write.key} was lost beside a bad record")
    return {"refusals": "name the field" if getattr(error, "field", None) else "name no field"}


@rule("silver", Create)
def takes_whole_batches(bench: Bench) -> Facts:
    """A call takes as many records as the description says, and answers in the order in which they were sent."""
    if not bench.world.own and bench.resource.batch > FEW:
        raise NotTried(f"not {bench.resource.batch} records in an account that is in use")
    writes = [bench.new() for _ in range(bench.resource.batch)]
    results = bench.create(writes)
    failed = [result.error for result in results if result.error is not None]
    must(not failed, f"{len(failed)} of {len(writes)} valid records were refused: {failed[:1]}")
    field = bench.mark(writes[0])[0]
    for write, result in zip(writes, results, strict=True):
        shown = (_made(result).record or {}).get(field)
        must(shown in (None, write.values[field]), "the results are not in the order of the writes")
    _take_away(bench, results)
    return {"batch": str(bench.resource.batch)}


def _take_away(bench: Bench, results: list[Result]) -> None:
    """A hundred records more would make every later listing longer."""
    if isinstance(bench.connector, Delete):
        gone = [Write("hub", {}, id=_made(result).id) for result in results]
        for write, done in zip(
            gone, bench.connector.delete(bench.trial.resource, gone, bench.trial.write), strict=True
        ):
            must(done.error is None, f"one of a whole batch can't be deleted: {done.error}")
            bench.made.pop(str(write.id), None)


@rule("gold", Create)
def finds_its_creates(bench: Bench) -> Facts:
    """Whether a create was carried out can be found out: by the hub's key, or by a natural key."""
    how = _probe_of(bench)
    sent, never = bench.new(), bench.new()
    remote = _made(bench.create([sent])[0])
    # Other values with the same key, or the same values with another key: only what is tried can have led there.
    asked = Write(sent.key, bench.new().values) if how == "external" else Write(f"{sent.key}-lost", sent.values)
    found, nothing = bench.probe([asked, never])
    must(found is not None, "a record that was just created is not found")
    assert found is not None
    must(found.id == remote.id, "another record was found than the one that was created")
    must(nothing is None, "a record was found for a create that was never sent")
    if isinstance(bench.connector, Delete) and not bench.delete(bench.get(remote.id)).error:
        bench.made.pop(remote.id, None)
        must(bench.probe([sent])[0] is None, "a deleted record is still found")
    return {"probe": how}


@rule("gold", Create)
def makes_one_of_a_lost_create(bench: Bench) -> Facts:
    """A create whose answer is lost makes one record, and is said to be of unknown outcome or found at once."""
    _probe_of(bench)
    write = bench.new()
    with bench.world.bad_day("lost"):
        try:
            result = bench.create([write])[0]
        except HubError as error:
            result = Result(error=error)
    if result.error is None:
        told = "found at once"
    else:
        must(isinstance(result.error, UnknownOutcome), f"a lost answer is reported as {type(result.error).__name__}")
        told = "unknown outcome"
    (found,) = bench.probe([write])
    must(found is not None, "the record that was created is not found")
    assert found is not None
    bench.made[found.id] = None
    must(bench.copies(write) == 1, f"one create made {bench.copies(write)} records")
    return {"lost_create": told}


@rule("gold", Create)
def says_what_a_repeated_create_does(bench: Bench) -> Facts:
    """A create that is sent twice is answered with the record that is there, refused, or makes another: known which."""
    write = bench.new()
    first = _made(bench.create([write])[0])
    second = bench.create([write])[0]
    if second.error is not None:
        must(isinstance(second.error, AlreadyExists | RecordRejected), f"it is reported as {second.error!r}")
        return {"create_again": "refused"}
    again = _made(second)
    if again.id != first.id:
        return {"create_again": "a second record"}
    return {"create_again": "the same record"}


@rule("gold", Create)
def names_the_twin(bench: Bench) -> Facts:
    """A create refused because its value is taken is an AlreadyExists that names the record which has it."""
    field = bench.trial.unique
    if not field:
        raise NotNeeded("no field of this resource is unique")
    value = bench.new().values[field]
    first = _made(bench.create([bench.new(**{field: value})])[0])
    error = error_of(bench.create([bench.new(**{field: value})])[0])
    must(isinstance(error, AlreadyExists), f"it is reported as {type(error).__name__}: {error}")
    assert isinstance(error, AlreadyExists)
    must(error.remote_id in (None, first.id), f"it names the record {error.remote_id}, but {first.id} has the value")
    return {"twins": "named" if error.remote_id else "not named", "unique_case": _case(bench, field)}


def _case(bench: Bench, field: str) -> str:
    """Whether two values that differ in case are two values."""
    value = f"{bench.new().values[field]}aB"
    bench.create([bench.new(**{field: value})])
    other = bench.create([bench.new(**{field: value.swapcase()})])[0]
    return "told apart" if other.error is None else "one value"


def _probe_of(bench: Bench) -> str:
    how = bench.resource.probe
    must(isinstance(bench.connector, Probe), "it has no probe: a create with a lost answer can't be found again")
    must(how != "none", "its description says that a create can't be found again (probe: none)")
    return how


def _made(result: Result) -> Remote:
    if result.error is not None:
        raise Broken(f"a valid record was refused: {result.error}")
    must(result.remote, "a create was answered with neither a record nor an error")
    assert result.remote is not None
    return result.remote
