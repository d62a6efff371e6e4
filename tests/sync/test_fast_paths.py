"""The fast ways of the pass, each held to the plain way of saying the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sync.fakes import CUSTOMERS, World

from hub.mapping import load
from hub.model import entities
from hub.sync.confirm import Confirmer
from hub.sync.picking import alike, picked, present, same
from hub.sync.plan import Subject, Target, plan_record, shown_fields

names = st.lists(st.sampled_from("abcdefg"), unique=True).map(tuple)
values = st.dictionaries(st.sampled_from("abcdefg"), st.one_of(st.none(), st.text(max_size=3), st.lists(st.integers())))


@given(values, names)
def test_present_is_what_the_comprehension_gives_in_its_order(record: dict[str, Any], wanted: tuple[str, ...]) -> None:
    plain = {name: record[name] for name in wanted if name in record}
    assert list(present(record, wanted).items()) == list(plain.items())


@given(values, values, names)
def test_alike_is_what_comparing_one_by_one_gives(
    one: dict[str, Any], two: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    plain = all(name in one and name in two and one[name] == two[name] for name in wanted)
    assert alike(one, two, wanted) == plain
    assert alike(one, one, tuple(one))


@given(values, values, names)
def test_same_is_what_comparing_one_by_one_gives(
    one: dict[str, Any], two: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    assert same(one, two, wanted) == all(one.get(name) == two.get(name) for name in wanted)
    assert same({**one, "z": 1}, one, wanted)
    assert same(one, {**one, "z": 1}, wanted)


@pytest.mark.parametrize("wanted", [("a",), ("a", "b"), ()])
def test_picked_misses_nothing_silently(wanted: tuple[str, ...]) -> None:
    record = {"a": 1, "b": None}
    assert picked(record, wanted) == {name: record[name] for name in wanted}
    with pytest.raises(KeyError):
        picked({"z": 1}, ("a", "z"))


@given(st.dictionaries(st.sampled_from(["name", "number", "tax_id", "phone", "title"]), st.none() | st.just("x")))
def test_a_create_sends_every_field_there_is_a_value_for_and_shows_those_that_are_filled(
    values: dict[str, Any],
) -> None:
    lens, _ = load(CUSTOMERS, specs=entities(), file="customers.yaml")
    assert lens is not None
    sends = tuple(name for name, field in lens.fields.items() if field.direction != "in")
    target = Target(
        "erp", "customer", "customers", lens.fields, sends, None, None, {}, {}, True, "archive", True, True, {}
    )
    [step] = plan_record(Subject("h1", values, False, None, frozenset(), "crm"), [target]).steps
    assert step.write == tuple(n for n, f in lens.fields.items() if f.direction != "in" and n in values)
    assert shown_fields(step, values) == {n: [None, values[n]] for n in step.write if values[n] is not None}


def history(path: Path) -> dict[str, list[Any]]:
    """Creates and updates, some shown as they were written and some rewritten; what the hub then remembers."""
    path.mkdir()
    world = World(path, mappings={"customer": CUSTOMERS.replace("description: {field: note, strength: weak}", OUT)})
    world.erp.rewrite = lambda record: record.update(name=record["name"][:5])
    ids = [world.crm.add("customers", name=f"客户 {n} {'x' * n}", tel=f"1380000000{n}", credit=n) for n in range(5)]
    world.sync()
    for remote_id in ids[1:]:
        world.crm.edit("customers", remote_id, tel="13900000000", note="edited")
    world.sync()
    with world.engine() as engine, engine.store.read() as connection:
        tables = ("hub_record", "shadow", "journal", "customer")
        return {t: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {t}"))] for t in tables}


OUT = "description: {field: note, direction: out}"


def test_answers_that_show_what_was_written_are_remembered_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[bool] = []
    shortcut = Confirmer._shown_as_meant
    monkeypatch.setattr(Confirmer, "_shown_as_meant", lambda *given: answers.append(shortcut(*given)) or answers[-1])
    fast = history(tmp_path / "fast")
    assert set(answers) == {True, False}, "both ways were taken"
    monkeypatch.setattr(Confirmer, "_shown_as_meant", lambda *_: False)
    plain = history(tmp_path / "plain")
    assert fast == plain


def test_open_conflicts_are_looked_up_for_a_page_of_edits_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    ids = [world.crm.add("customers", name=f"A{n}") for n in range(20)]
    world.sync()
    asked: list[str] = []
    with world.engine() as engine:
        engine.sync()

        @event.listens_for(engine.store.engine, "before_cursor_execute")
        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if 'FROM "conflict"' in statement:
                asked.append(statement)

        for id in ids:
            world.crm.edit("customers", id, credit=7)
        assert engine.sync().writes == len(ids)
    assert 0 < len(asked) < len(ids) / 2
