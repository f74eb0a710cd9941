# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from locard.model.errors import Conflict, Error, Missing
from locard.state import sessions, throttle, users
from locard.state.database import State, open_state

PASSWORD = "correct horse battery staple"
SECOND = 1_000_000_000


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = open_state(tmp_path / "state.sqlite")
    yield state
    state.close()


def add(state: State, username: str = "ada") -> None:
    with state.session() as s:
        users.create(s, username, password=PASSWORD)


def test_the_right_password_is_verified_and_no_other(state: State) -> None:
    add(state)
    with state.session() as s:
        found = users.verified(s, "ADA ", PASSWORD)
        assert found is not None and found.username == "ada"
        for wrong in ("", PASSWORD + "x", PASSWORD[:-1], "x" * 5000, "\ud800" * 12):
            assert users.verified(s, "ada", wrong) is None
        assert users.verified(s, "nobody", PASSWORD) is None


def test_passwords_are_kept_as_argon2id_only(state: State) -> None:
    add(state)
    with state.session() as s:
        kept = s.execute(text("SELECT password FROM users")).scalar_one()
    assert kept.startswith("$argon2id$") and PASSWORD not in kept


def test_a_person_without_password_cannot_use_one(state: State) -> None:
    with state.session() as s:
        users.create(s, "bob")
        assert users.verified(s, "bob", "") is None


@pytest.mark.parametrize("password", ["short", "a" * 20, "ada.lovelace", "x1!" * 400])
def test_weak_and_endless_passwords_are_refused(state: State, password: str) -> None:
    with state.session() as s, pytest.raises(Error):
        users.create(s, "ada.lovelace", password=password)


@pytest.mark.parametrize("username", ["", "a b", "../x", "-dash", "é", "x" * 65])
def test_odd_names_are_refused(state: State, username: str) -> None:
    with state.session() as s, pytest.raises(Error):
        users.create(s, username)


def test_a_name_is_taken_once(state: State) -> None:
    add(state)
    with state.session() as s, pytest.raises(Conflict):
        users.create(s, "Ada")


def test_somebody_who_is_disabled_cannot_use_the_password(state: State) -> None:
    add(state, "bob")
    with state.session() as s:
        users.alter(s, "bob", disabled=True)
        assert users.verified(s, "bob", PASSWORD) is None


def test_sessions_end_by_idleness_age_and_hand(state: State) -> None:
    add(state)
    with state.session() as s:
        secret = sessions.start(s, "ada", "127.0.0.1")
        other = sessions.start(s, "ada", "127.0.0.1")
    with state.session() as s:
        found = sessions.signed_in(s, secret)
        assert found is not None and found.username == "ada"
        kept = s.execute(text("SELECT hash FROM sessions")).scalars().all()
        assert secret not in kept and len(kept) == 2
        start = s.execute(text("SELECT min(created) FROM sessions")).scalar_one()
        assert sessions.signed_in(s, other, start + sessions.IDLE + SECOND) is None
        assert sessions.signed_in(s, "", start) is None
    now = start
    with state.session() as s:
        while now < start + sessions.LONGEST - sessions.IDLE:
            now += sessions.IDLE // 2
            assert sessions.signed_in(s, secret, now) is not None, "kept awake by use"
        assert sessions.signed_in(s, secret, start + sessions.LONGEST + SECOND) is None
        sessions.end(s, secret)
        assert sessions.signed_in(s, secret, now) is None
        assert sessions.signed_in(s, other, start) is not None


def test_ending_all_sessions_keeps_the_one_named(state: State) -> None:
    add(state)
    with state.session() as s:
        first, second = (sessions.start(s, "ada", "::1") for _ in range(2))
        link = sessions.make_link(s, "ada")
        sessions.end_all(s, "ada", keep=second)
        assert sessions.signed_in(s, first) is None
        assert sessions.signed_in(s, second) is not None
        assert sessions.redeem(s, link, "::1") is None


def test_disabling_ends_what_is_open(state: State) -> None:
    add(state)
    add(state, "bob")
    with state.session() as s:
        secret = sessions.start(s, "bob", "::1")
        users.alter(s, "bob", disabled=True)
        assert sessions.signed_in(s, secret) is None
        with pytest.raises(Missing):
            sessions.start(s, "bob", "::1")


def test_a_link_works_once_and_not_for_long(state: State) -> None:
    add(state)
    with state.session() as s:
        link = sessions.make_link(s, "ada")
        old = sessions.make_link(s, "ada", life=-SECOND)
    with state.session() as s:
        secret = sessions.redeem(s, link, "::1")
        assert secret is not None and sessions.signed_in(s, secret) is not None
        assert sessions.redeem(s, link, "::1") is None
        assert sessions.redeem(s, old, "::1") is None
        assert sessions.redeem(s, "never made", "::1") is None


def test_guessing_is_slowed_and_each_wait_is_longer(state: State) -> None:
    now = 10**18
    waits = []
    for _ in range(throttle.FREE):
        with state.session() as s:
            throttle.attempt(s, "ada", "10.0.0.1", now)
    for _ in range(3):
        with pytest.raises(throttle.TooMany) as caught, state.session() as s:
            throttle.attempt(s, "Ada", "10.0.0.1", now)
        waits.append(caught.value.seconds)
        now += caught.value.seconds * SECOND
        with state.session() as s:
            throttle.attempt(s, "ada", "10.0.0.1", now)
    assert waits == [15, 30, 60]
    with state.session() as s:
        throttle.attempt(s, "ada", "10.0.0.2", now)
        throttle.attempt(s, "bob", "10.0.0.1", now)
    with state.session() as s:
        throttle.succeeded(s, "ada", "10.0.0.1")
        throttle.attempt(s, "ada", "10.0.0.1", now)


def test_one_address_cannot_try_endless_names(state: State) -> None:
    with state.session() as s:
        for number in range(throttle.FREE_ADDRESS):
            throttle.attempt(s, f"user{number}", "10.0.0.1", 10**18)
        with pytest.raises(throttle.TooMany):
            throttle.attempt(s, "another", "10.0.0.1", 10**18)
        throttle.attempt(s, "another", "10.0.0.1", 10**18 + throttle.WINDOW + SECOND)
