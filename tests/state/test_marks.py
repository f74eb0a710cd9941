# SPDX-License-Identifier: Apache-2.0
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.model.errors import Denied, Error, Missing
from locard.state import investigations, marks
from locard.state.database import State, open_state
from locard.state.marks import Change

IDS = [f"{number:032x}" for number in range(6)]


def opened(folder: Path) -> State:
    state = open_state(folder / "state.sqlite")
    with state.session() as s:
        for name in ("one", "two"):
            s.add(investigations.CaseRow(name=name, title="", created=0, created_by="ada"))
    return state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = opened(tmp_path)
    yield state
    state.close()


def everything(state: State, case: str = "one") -> dict[str, tuple[bool, frozenset[str]]]:
    with state.session() as s:
        found = marks.marks_of(s, case, IDS)
    return {event: (m.starred, frozenset(m.tags)) for event, m in found.items()}


def test_marks_belong_to_one_case(state: State) -> None:
    with state.session() as s:
        marks.change(s, "one", [Change(tuple(IDS[:2]), star=True, add_tags=("seen",))], "ada")
        assert marks.marks_of(s, "two", IDS) == {}
        assert marks.tags(s, "one") == [("seen", 2)]
        assert marks.tags(s, "two") == []


def test_undo_touches_only_what_was_changed(state: State) -> None:
    with state.session() as s:
        marks.change(s, "one", [Change((IDS[0],), add_tags=("lateral movement",))], "ada")
    before = everything(state)
    with state.session() as s:
        count, undo = marks.change(
            s, "one", [Change(tuple(IDS[:3]), add_tags=("lateral movement",))], "bob"
        )
    assert count == 2
    with state.session() as s:
        marks.change(s, "one", undo, "bob")
    assert everything(state) == before


def test_more_ids_than_sqlite_binds_at_once(state: State) -> None:
    ids = tuple(f"{number:032x}" for number in range(40_000))
    with state.session() as s:
        count, undo = marks.change(s, "one", [Change(ids, star=True)], "ada")
        assert count == 40_000 and len(undo) == 1
        assert len(marks.matching(s, "one", "starred", "true")) == 40_000


some_ids = st.lists(st.sampled_from(IDS), max_size=6).map(tuple)
some_tags = st.lists(st.sampled_from(["a", "b", " b ", "c d"]), max_size=3).map(tuple)
changes = st.lists(
    st.builds(Change, some_ids, st.sampled_from([None, True, False]), some_tags, some_tags),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(before=changes, then=changes)
def test_undo_takes_any_changes_back(before: list[Change], then: list[Change]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = opened(Path(folder))
        with state.session() as s:
            marks.change(s, "one", before, "ada")
        was = everything(state)
        with state.session() as s:
            _, undo = marks.change(s, "one", then, "ada")
        with state.session() as s:
            marks.change(s, "one", undo, "ada")
        assert everything(state) == was
        state.close()


@pytest.mark.parametrize("tag", ["", "  ", "x" * 65, "a\nb", "a\u202eb", "a\0b", "a\u00a0b"])
def test_tags_that_hide_something_are_refused(state: State, tag: str) -> None:
    with state.session() as s, pytest.raises(Error):
        marks.change(s, "one", [Change((IDS[0],), add_tags=(tag,))], "ada")


def test_queries_find_marks_by_pattern(state: State) -> None:
    with state.session() as s:
        marks.change(s, "one", [Change((IDS[0],), add_tags=("Recon*",))], "ada")
        marks.change(s, "one", [Change((IDS[1],), star=True, add_tags=("reconnoitre",))], "ada")
        marks.add_comment(s, "one", IDS[2], "Key was\nexfiltrated via S3 (100%)", "ada")

        def found(kind: str, pattern: str) -> set[str]:
            return set(marks.matching(s, "one", kind, pattern))

        assert found("tag", "recon*") == {IDS[0], IDS[1]}
        assert found("tag", r"recon\*") == {IDS[0]}
        assert found("tag", "recon") == set()
        assert found("tag", "*") == {IDS[0], IDS[1]}
        assert found("tag", "%") == set()
        assert found("starred", "true") == {IDS[1]}
        assert found("comment", "EXFIL*s3") == {IDS[2]}
        assert found("comment", "(100%)") == {IDS[2]}
        with pytest.raises(ValueError, match="kind"):
            found("else", "x")


def test_comments_are_removed_by_their_author_only(state: State) -> None:
    with state.session() as s:
        comment = marks.add_comment(s, "one", IDS[0], "  look here ", "ada")
        assert [c.text for c in marks.comments(s, "one", IDS[0])] == ["look here"]
        assert marks.marks_of(s, "one", IDS)[IDS[0]].comments == 1
        with pytest.raises(Denied):
            marks.remove_comment(s, "one", IDS[0], comment.id, "bob")
        for case, event in (("two", IDS[0]), ("one", IDS[1])):
            with pytest.raises(Missing):
                marks.remove_comment(s, case, event, comment.id, "ada")
        marks.remove_comment(s, "one", IDS[0], comment.id, "ada")
        assert marks.comments(s, "one", IDS[0]) == []
        for text in ("  ", "x" * 10_001):
            with pytest.raises(Error):
                marks.add_comment(s, "one", IDS[0], text, "ada")
