"""A result for each write, whatever the product takes at once."""

import pytest

from hub.connect.capabilities import Remote, Result, Write
from hub.connect.outcomes import carried_out, each, named_twins, read_back, removed, together
from hub.errors import AlreadyExists, Gone, RecordRejected, Unavailable, UnknownOutcome

WRITES = [Write(key, {"name": key}, id=key) for key in ("a", "b", "c")]


def good(write):
    return Result(remote=Remote(str(write.id), None))


def failing(**errors):
    """One write at a time, with these going wrong."""

    def one(write):
        if write.key in errors:
            raise errors[write.key]
        return good(write)

    return one


def kinds(results):
    return [type(result.error).__name__ if result.error else result.remote.id for result in results]


def test_a_bad_record_fails_alone():
    assert kinds(each(WRITES, failing(b=RecordRejected("no")))) == ["a", "RecordRejected", "c"]


def test_a_system_that_is_down_ends_the_round_and_keeps_what_was_done():
    assert kinds(each(WRITES, failing(b=Unavailable("down")))) == ["a", "Unavailable", "Unavailable"]
    with pytest.raises(Unavailable):
        each(WRITES, failing(a=Unavailable("down")))


def test_a_lost_answer_is_its_records_own():
    assert kinds(each(WRITES, failing(a=UnknownOutcome("lost")))) == ["UnknownOutcome", "b", "c"]


def test_a_whole_call_that_is_refused_is_sent_again_one_by_one():
    sent = []

    def send(some):
        sent.append([write.key for write in some])
        if any(write.key == "b" for write in some):
            raise RecordRejected("no")
        return [good(write) for write in some]

    assert kinds(together(WRITES, send)) == ["a", "RecordRejected", "c"]
    assert sent == [["a", "b", "c"], ["a"], ["b"], ["c"]]


def test_a_whole_call_whose_answer_is_lost_is_not_sent_again():
    def send(some):
        raise UnknownOutcome("lost")

    with pytest.raises(UnknownOutcome):
        together(WRITES, send)


def test_what_is_gone_counts_as_removed_and_what_is_archived_is_still_there():
    archived = Write("c", {}, id="c", mode="archive")
    results = removed([WRITES[0], WRITES[1], archived], lambda write: None)
    assert [result.remote.deleted for result in results] == [True, True, False]

    def gone(write):
        raise Gone("not there")

    assert [result.remote.deleted for result in removed([archived], gone)] == [True]


def test_a_failure_to_read_back_makes_no_write_fail():
    def down(ids):
        raise Unavailable("down")

    results = read_back(WRITES[:1], [good(WRITES[0])], down)
    assert results[0].error is None and results[0].remote.record is None


def test_a_fresh_record_that_is_not_shown_yet_is_not_deleted():
    fresh = Write("n", {})
    (result,) = read_back([fresh], [Result(remote=Remote("9", None))], lambda ids: [Remote("9", None, deleted=True)])
    assert not result.remote.deleted
    (result,) = read_back(WRITES[:1], [good(WRITES[0])], lambda ids: [Remote("a", None, deleted=True)])
    assert result.remote.deleted


def test_a_refused_create_names_who_is_there():
    refused = [Result(error=RecordRejected("taken", code="U")), Result(error=RecordRejected("bad")), good(WRITES[2])]
    there = {"a": Remote("17", {})}
    first, second, third = named_twins(WRITES, refused, lambda write: there.get(write.key))
    assert isinstance(first.error, AlreadyExists) and (first.error.remote_id, first.error.code) == ("17", "U")
    assert type(second.error) is RecordRejected and third.error is None


def test_what_fails_after_a_write_was_sent_leaves_its_outcome_unknown():
    for error in (Unavailable("down"), RecordRejected("no"), UnknownOutcome("lost")):
        with pytest.raises(UnknownOutcome), carried_out("erp/sale"):
            raise error
