# SPDX-License-Identifier: Apache-2.0
"""Undoing gives what would be, had this person not done it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.cases import marking
from locard.cases.marking import Marking
from locard.state import given as stored
from locard.state import investigations, marks
from locard.state.database import State, open_state
from locard.state.given import STAR, Given, Mark
from locard.state.marks import Change

Maker = Callable[..., list[Change]]
IDS = [f"{number:032x}" for number in range(4)]
ONE = IDS[0]
ALL = [Mark(event, tag) for event in IDS for tag in (STAR, "a", "b")]


def opened(folder: Path) -> State:
    state = open_state(folder / "state.sqlite")
    with state.session() as s:
        s.add(investigations.CaseRow(name="c", title="", created=0, created_by="ada"))
    return state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = opened(tmp_path)
    yield state
    state.close()


def everything(state: State) -> dict[Mark, Given]:
    with state.session() as s:
        return stored.given(s, "c", ALL)


def star(*ids: str, on: bool = True) -> list[Change]:
    return [Change(ids, star=on)]


def tag(*ids: str) -> list[Change]:
    return [Change(ids, add_tags=("a",))]


def untag(*ids: str) -> list[Change]:
    return [Change(ids, remove_tags=("a",))]


@pytest.mark.parametrize("on", [star, tag])
def test_what_was_there_before_stays(state: State, on: Maker) -> None:
    made = Marking(state)
    made.change("c", on(ONE), "ada")
    before = everything(state)
    bobs = made.change("c", on(*IDS), "bob")
    assert bobs.changed == 3
    assert made.take_back("c", bobs.token, "bob") == 3
    assert everything(state) == before
    nothing = made.change("c", on(ONE), "bob")
    assert nothing.changed == 0
    assert made.take_back("c", nothing.token, "bob") == 0
    assert everything(state) == before


@pytest.mark.parametrize("on", [star, tag])
def test_what_somebody_else_gave_too_is_theirs(state: State, on: Maker) -> None:
    made = Marking(state)
    bobs = made.change("c", on(*IDS), "bob")
    adas = made.change("c", on(ONE), "ada")
    assert made.take_back("c", bobs.token, "bob") == 3
    ((mark, by),) = everything(state).items()
    assert (mark.event, by.who) == (ONE, "ada")
    assert made.take_back("c", adas.token, "ada") == 1
    assert everything(state) == {}


@pytest.mark.parametrize(("on", "off"), [(star, lambda *i: star(*i, on=False)), (tag, untag)])
def test_what_was_taken_away_comes_back_as_it_was(state: State, on: Maker, off: Maker) -> None:
    made = Marking(state)
    made.change("c", on(*IDS), "ada")
    before = everything(state)
    bobs = made.change("c", off(*IDS), "bob")
    assert everything(state) == {} and bobs.changed == 4
    assert made.take_back("c", bobs.token, "bob") == 4
    assert everything(state) == before, "also who gave it, and when"


def test_what_somebody_marked_anew_stays(state: State) -> None:
    made = Marking(state)
    bobs = made.change("c", star(ONE), "bob")
    made.change("c", star(ONE, on=False), "ada")
    made.change("c", star(ONE), "ada")
    before = everything(state)
    assert made.take_back("c", bobs.token, "bob") == 0
    assert everything(state) == before


def test_what_came_by_another_way_stays(state: State) -> None:
    made = Marking(state)
    bobs = made.change("c", star(*IDS), "bob")
    with state.session() as s:
        marks.change(s, "c", [*star(ONE, on=False), *star(ONE)], "ada")
    assert made.take_back("c", bobs.token, "bob") == 3
    assert [mark.event for mark in everything(state)] == [ONE]


def test_only_ones_own_is_taken_back_and_only_once(state: State) -> None:
    made = Marking(state)
    token = made.change("c", star(ONE), "bob").token
    assert made.take_back("c", token, "ada") is None
    assert made.take_back("other", token, "bob") is None
    assert made.take_back("c", "unknown", "bob") is None
    assert made.take_back("c", token, "bob") == 1
    assert made.take_back("c", token, "bob") is None


def test_what_is_remembered_is_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "REMEMBERED", 6)
    made = Marking(state)
    old = made.change("c", star(*IDS), "ada").token
    new = made.change("c", star(*IDS, on=False), "bob").token
    assert made.take_back("c", old, "ada") is None
    assert made.take_back("c", new, "bob") == 4
    assert {by.who for by in everything(state).values()} == {"ada"}
    assert made._words == 0 and not made._stories and not made._said


words = st.builds(
    Change,
    st.lists(st.sampled_from(IDS), min_size=1, max_size=4, unique=True).map(tuple),
    st.sampled_from([None, True, False]),
    st.sampled_from([(), ("a",), ("a", "b")]),
    st.sampled_from([(), ("b",)]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ada", "bob"]), words), max_size=6), st.data())
def test_it_is_as_if_it_had_not_been(said: list[tuple[str, Change]], data: st.DataObject) -> None:
    """Whatever others do: what is left is what the changes that were not taken back make alone."""
    undone = {n for n in range(len(said)) if data.draw(st.booleans())}
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        with_all, without = opened(Path(first)), opened(Path(second))
        all_made, some_made = Marking(with_all), Marking(without)
        tokens = []
        for number, (who, change) in enumerate(said):
            tokens.append(all_made.change("c", [change], who).token)
            if number not in undone:
                some_made.change("c", [change], who)
        for number in data.draw(st.permutations(sorted(undone))):
            assert all_made.take_back("c", tokens[number], said[number][0]) is not None
        left, alone = everything(with_all), everything(without)
        assert {mark: by.who for mark, by in left.items()} == {
            mark: by.who for mark, by in alone.items()
        }
        with_all.close()
        without.close()
