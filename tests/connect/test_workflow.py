"""States are reached by the shortest way of calls, and looked at after each."""

import pytest

from hub.connect.workflow import Step, next_step, reach, same, steps_of, values
from hub.errors import RecordRejected, Unavailable

SALE = steps_of("draft>quotation:quote quotation>confirmed:confirm confirmed>draft:draft draft>cancelled:cancel")


@pytest.mark.parametrize(
    ("now", "wanted", "first"),
    [
        ("draft", "quotation", "quote"),
        ("draft", "confirmed", "quote"),
        ("confirmed", "cancelled", "draft"),
        ("cancelled", "confirmed", None),
    ],
)
def test_the_first_step_of_the_shortest_way(now, wanted, first):
    step = next_step(SALE, now, wanted)
    assert (step.do if step else None) == first


def test_a_step_from_anywhere_ends_a_way_and_is_no_stop_on_it():
    steps = [Step("void", "void"), Step("open", "reopen", ("void",))]
    assert next_step(steps, "paid", "void").do == "void"
    assert next_step(steps, "paid", "open") is None, "voiding a paid bill to open it is nobody's wish"


def run(wanted, state, moves, **options):
    """Reach a state in a system whose calls move it as ``moves`` says; gives (problem, calls made, state)."""
    now, made = [state], []

    def do(step):
        made.append(step.do)
        now[0] = moves.get(step.do, now[0])

    problem = reach(SALE, wanted, look=lambda: now[0], do=do, field="state", where="erp/sale/1", **options)
    return problem, made, now[0]


MOVES = {"quote": "quotation", "confirm": "confirmed", "draft": "draft", "cancel": "cancelled"}


def test_every_step_is_taken_and_none_too_many():
    assert run("confirmed", "draft", MOVES) == (None, ["quote", "confirm"], "confirmed")
    assert run("draft", "draft", MOVES) == (None, [], "draft")


def test_a_form_that_goes_on_by_itself_is_not_pushed():
    assert run("confirmed", "draft", {"quote": "confirmed"}) == (None, ["quote"], "confirmed")


def test_a_call_that_changes_nothing_is_told():
    problem, made, _ = run("confirmed", "draft", {})
    assert isinstance(problem, RecordRejected) and "did not carry them out" in problem.what and made == ["quote"]


def test_no_way_is_told_with_both_values():
    problem, made, _ = run("confirmed", "cancelled", MOVES)
    assert problem.field == "state" and "'cancelled' to 'confirmed'" in problem.what and made == []


def test_a_refused_call_is_a_problem_and_no_exception():
    def do(step):
        raise Unavailable("down")

    problem = reach(SALE, "quotation", look=lambda: "draft", do=do, field="state", where="x")
    assert isinstance(problem, Unavailable)


def test_values_are_the_same_as_products_write_them():
    assert same(1, "1") and same("a", "a") and not same(True, 1) and not same(None, "None")
    assert values(SALE) == {"draft", "quotation", "confirmed", "cancelled"}
