# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from locard.model.access import Scope
from locard.model.errors import Error, Missing
from locard.state import tokens, users
from locard.state.database import State, open_state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = open_state(tmp_path / "state.sqlite")
    with state.session() as s:
        users.create(s, "ada")
        users.create(s, "bob")
    yield state
    state.close()


def test_a_token_names_its_person_until_it_ends(state: State) -> None:
    with state.session() as s:
        token, secret = tokens.make(s, "ada", "nightly", 30)
        assert secret.startswith("locard_")
        kept = s.execute(text("SELECT hash FROM tokens")).scalar_one()
        assert secret not in kept and len(kept) == 64
        shown = tokens.shown_by(s, secret)
        assert shown is not None and shown[0].username == "ada"
        assert shown[1].scope is Scope.READ and shown[1].case == ""
        assert tokens.shown_by(s, secret, token.ends) is None
        assert tokens.shown_by(s, secret + "x") is None
        assert tokens.of(s, "ada")[0].used is not None


def test_only_the_owner_revokes(state: State) -> None:
    with state.session() as s:
        token, secret = tokens.make(s, "ada", "nightly", 30)
        with pytest.raises(Missing):
            tokens.revoke(s, "bob", token.id)
        assert tokens.shown_by(s, secret) is not None
        tokens.revoke(s, "ada", token.id)
        assert tokens.shown_by(s, secret) is None
        assert tokens.of(s, "ada") == []


def test_a_disabled_person_has_no_working_token(state: State) -> None:
    with state.session() as s:
        _, secret = tokens.make(s, "bob", "", 1)
        users.alter(s, "bob", disabled=True)
        assert tokens.shown_by(s, secret) is None


@pytest.mark.parametrize("days", [0, -1, 367])
def test_every_token_ends(state: State, days: int) -> None:
    with state.session() as s, pytest.raises(Error):
        tokens.make(s, "ada", "endless", days)
