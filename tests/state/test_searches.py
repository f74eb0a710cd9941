# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.model.errors import Conflict, Error, Missing
from locard.state import investigations, mappings, searches
from locard.state.database import State, open_state
from locard.state.searches import Saved


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = open_state(tmp_path / "state.sqlite")
    with state.session() as s:
        for name in ("one", "two"):
            s.add(investigations.CaseRow(name=name, title="", created=0, created_by="ada"))
    yield state
    state.close()


def test_a_search_comes_back_as_it_was_saved(state: State) -> None:
    saved = Saved("Root", "actor:root", "now-1d", "", ["time", "action"], ["region"])
    with state.session() as s:
        kept = searches.save(s, "one", saved, "ada")
    with state.session() as s:
        assert searches.of(s, "one") == [kept] and kept.saved == saved
        assert searches.of(s, "two") == []
        changed = searches.replace(s, "one", kept.id, Saved("Root", "actor:*root"), "bob")
        assert changed.saved.query == "actor:*root" and changed.who == "bob"


def test_names_are_taken_once_in_a_case(state: State) -> None:
    with state.session() as s:
        searches.save(s, "one", Saved("Root"), "ada")
        searches.save(s, "two", Saved("Root"), "ada")
        other = searches.save(s, "one", Saved("Other"), "ada")
    with pytest.raises(Conflict), state.session() as s:
        searches.save(s, "one", Saved(" Root "), "ada")
    with pytest.raises(Conflict), state.session() as s:
        searches.replace(s, "one", other.id, Saved("Root"), "ada")
    with state.session() as s:
        assert [found.saved.name for found in searches.of(s, "one")] == ["Other", "Root"]
        with pytest.raises(Error):
            searches.save(s, "one", Saved(" "), "ada")


def test_a_search_of_another_case_is_not_there(state: State) -> None:
    with state.session() as s:
        kept = searches.save(s, "one", Saved("Root"), "ada")
        with pytest.raises(Missing):
            searches.replace(s, "two", kept.id, Saved("Root"), "ada")
        with pytest.raises(Missing):
            searches.remove(s, "two", kept.id)
        searches.remove(s, "one", kept.id)
        assert searches.of(s, "one") == []


def test_mappings_are_replaced_by_name(state: State) -> None:
    with state.session() as s:
        mappings.save(s, "nginx", {"time": "ts"}, "ada")
        mappings.save(s, "nginx", {"time": "when"}, "bob")
    with state.session() as s:
        assert [m.mapping for m in mappings.every(s)] == [{"time": "when"}]
        assert mappings.find(s, "nginx").who == "bob"
        with pytest.raises(Missing):
            mappings.find(s, "apache")
        for name in ("", "../x", "a b"):
            with pytest.raises(Error):
                mappings.save(s, name, {}, "ada")
        mappings.remove(s, "nginx")
        assert mappings.every(s) == []
