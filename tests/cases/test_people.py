# SPDX-License-Identifier: Apache-2.0
"""Sign-in with a second factor, disposal kept apart, and what the ledger says of people."""

import time

import pyotp
import pytest

from locard.cases import factor
from locard.cases.desk import Desk
from locard.model.access import Permission, Role
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.model.errors import (
    CodeNeeded,
    Conflict,
    Error,
    Missing,
    SignInNeeded,
    Storage,
    Tampered,
)
from locard.state import refusals, sessions, throttle
from locard.state.refusals import Refusal
from locard.state.throttle import TooMany

PASSWORD = "correct horse battery staple"
BY = Hand("tests", "command line")
HERE = Hand("", "page", "192.0.2.1", "browser")


@pytest.fixture(autouse=True)
def _ana(desk: Desk) -> None:
    desk.people.add_user("ana", password=PASSWORD, role=Role.ANALYST, by=BY)


def enrolled(desk: Desk) -> tuple[pyotp.TOTP, list[str]]:
    made = desk.people.propose_factor("ana")
    totp = pyotp.parse_uri(made.address)
    assert isinstance(totp, pyotp.TOTP)
    return totp, desk.people.confirm_factor("ana", None, by=BY)


def told(desk: Desk, verb: Verb) -> list[CustodyEntry]:
    return [one for one in desk.vault.ledger.entries() if one.verb is verb]


def test_a_code_is_asked_for_once_confirmed(desk: Desk) -> None:
    made = desk.people.propose_factor("ana")
    assert made.secret in made.address and made.svg().startswith("<svg xmlns=")
    assert desk.entrance.by_password("ana", PASSWORD, "", by=HERE)
    with pytest.raises(Error, match="not the code of now"):
        desk.people.confirm_factor("ana", "000000", by=BY)
    totp = pyotp.parse_uri(made.address)
    assert isinstance(totp, pyotp.TOTP)
    assert len(desk.people.confirm_factor("ana", totp.now(), by=BY)) == factor.RECOVERY_CODES
    with pytest.raises(CodeNeeded):
        desk.entrance.by_password("ana", PASSWORD, "", by=HERE)
    with pytest.raises(Conflict):
        desk.people.propose_factor("ana")


def test_a_code_lets_in_once_and_never_again(desk: Desk) -> None:
    totp, _ = enrolled(desk)
    code = totp.now()
    assert desk.entrance.by_password("ana", PASSWORD, f"{code[:3]} {code[3:]}", by=HERE)
    with pytest.raises(SignInNeeded, match="used already"):
        desk.entrance.by_password("ana", PASSWORD, code, by=HERE)
    earlier = totp.at(int(time.time()) - factor.STEP)
    with pytest.raises(SignInNeeded):
        desk.entrance.by_password("ana", PASSWORD, earlier, by=HERE)
    assert told(desk, Verb.SIGNED_IN)[-1].details["way"] == "password and code"
    assert "wrong code" in told(desk, Verb.SIGN_IN_REFUSED)[-1].reason


def test_the_code_that_turned_it_on_is_used_up(desk: Desk) -> None:
    totp = pyotp.parse_uri(desk.people.propose_factor("ana").address)
    assert isinstance(totp, pyotp.TOTP)
    code = totp.now()
    desk.people.confirm_factor("ana", code, by=BY)
    with pytest.raises(SignInNeeded):
        desk.entrance.by_password("ana", PASSWORD, code, by=HERE)


def test_a_recovery_code_lets_in_once(desk: Desk) -> None:
    _, codes = enrolled(desk)
    assert len(set(codes)) == factor.RECOVERY_CODES
    assert desk.entrance.by_password("ana", PASSWORD, codes[0].upper(), by=HERE)
    with pytest.raises(SignInNeeded):
        desk.entrance.by_password("ana", PASSWORD, codes[0], by=HERE)
    assert told(desk, Verb.SIGNED_IN)[-1].details["way"] == "password and recovery code"
    kept = desk.settings.state.read_bytes()
    assert not any(code.replace("-", "").encode() in kept for code in codes)


def test_neither_secret_nor_code_is_told(desk: Desk) -> None:
    totp, codes = enrolled(desk)
    desk.entrance.by_password("ana", PASSWORD, totp.now(), by=HERE)
    ledger = b"".join(
        path.read_bytes() for path in desk.settings.vault.rglob("*") if path.is_file()
    )
    for secret in (totp.secret, *codes, PASSWORD):
        assert secret.encode() not in ledger
        assert secret.encode() not in desk.settings.state.read_bytes()


def test_a_link_does_not_stand_for_the_code_too(desk: Desk) -> None:
    totp, _ = enrolled(desk)
    link = desk.people.make_link("ana", by=BY)
    with pytest.raises(CodeNeeded):
        desk.entrance.by_link(link, "", by=HERE)
    assert desk.entrance.by_link(link, totp.now(), by=HERE)
    with pytest.raises(SignInNeeded):
        desk.entrance.by_link(link, totp.now(), by=HERE)


def test_guessing_codes_is_slowed_wherever_it_comes_from(desk: Desk) -> None:
    totp, _ = enrolled(desk)
    for number in range(5):
        with pytest.raises(SignInNeeded):
            desk.entrance.by_password(
                "ana", PASSWORD, "000000", by=Hand("", "page", f"192.0.2.{number}")
            )
    with pytest.raises(TooMany):
        desk.entrance.by_password("ana", PASSWORD, totp.now(), by=Hand("", "page", "198.51.100.1"))


def test_the_codes_of_many_people_do_not_slow_each_other(desk: Desk) -> None:
    totp, _ = enrolled(desk)
    for number in range(throttle.FREE_ADDRESS + 5):
        with desk.state.session() as session:
            throttle.attempt(session, f"user{number}", f"second factor of user{number}")
    assert desk.entrance.by_password("ana", PASSWORD, totp.now(), by=HERE)
    with desk.state.session() as session:
        kept = session.query(throttle.AttemptRow.key).all()
    assert "address second factor of ana" in [one.key for one in kept]


def test_the_second_factor_is_turned_off(desk: Desk) -> None:
    enrolled(desk)
    desk.people.remove_factor("ana", by=BY)
    assert desk.entrance.by_password("ana", PASSWORD, "", by=HERE)
    with pytest.raises(Missing):
        desk.people.remove_factor("ana", by=BY)


def test_the_key_of_the_second_factors_is_private_and_needed(desk: Desk) -> None:
    enrolled(desk)
    key = desk.settings.keys / "factor.key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in key.parent.iterdir() if one.name.startswith("factor")] == [
        "factor.key"
    ]
    key.unlink()
    with pytest.raises(Storage, match="another key"):
        desk.entrance.by_password("ana", PASSWORD, "123456", by=HERE)


def test_a_custodian_may_dispose_and_nobody_else(desk: Desk) -> None:
    desk.create("one", who=BY)
    desk.people.add_user("carl", role=Role.CUSTODIAN, case="one", by=BY)
    assert desk.people.may("carl", Permission.DISPOSE, "one")
    assert not desk.people.may("ana", Permission.DISPOSE, "one")


def test_a_grant_that_the_ledger_cannot_tell_does_not_happen(desk: Desk) -> None:
    """The entry is refused by the real ledger: somebody changed its last line."""
    for file in desk.settings.vault.rglob("*"):
        if file.is_file():
            file.write_bytes(b"not a ledger\n")
    with pytest.raises(Tampered):
        desk.people.grant(Role.RESPONDER, user="ana", by=BY)
    assert not desk.people.may("ana", Permission.RESPOND)


def test_disabling_ends_sessions_and_is_told(desk: Desk) -> None:
    desk.people.add_user("root", role=Role.ADMINISTRATOR, by=BY)
    secret = desk.entrance.by_password("ana", PASSWORD, "", by=HERE)
    desk.people.change_user("ana", disabled=True, by=BY)
    with desk.state.session() as session:
        assert sessions.signed_in(session, secret) is None
    assert "disabled" in told(desk, Verb.USER_CHANGED)[-1].reason
    with pytest.raises(SignInNeeded):
        desk.entrance.by_password("ana", PASSWORD, "", by=HERE)
    with pytest.raises(Conflict):
        desk.people.change_user("root", disabled=True, by=BY)


def test_refusals_of_too_many_kinds_are_counted_together(desk: Desk) -> None:
    with desk.state.session() as session:
        for number in range(1000):
            refusals.note(
                session, Refusal("refused", f"user{number}", "page", "::1", "", "no"), 10**18
            )
        found = refusals.due(session, 10**18 + refusals.WINDOW)
        assert [(one.refusal.actor, one.count) for one in found] == [
            ("several", 1000 - refusals.MOST_FORMS - 1)
        ]
        assert refusals.due(session, 10**18 + refusals.WINDOW, everything=True) == []


def test_a_count_is_written_when_its_time_is_over(desk: Desk) -> None:
    one = Refusal("refused", "ana", "page", "::1", "", "no")
    start = 10**18
    with desk.state.session() as session:
        assert refusals.note(session, one, start) is not None
        for second in (1, 2, 3):
            assert refusals.note(session, one, start + second) is None
        assert refusals.due(session, start + refusals.WINDOW - 1) == []
        (counted,) = refusals.due(session, start + refusals.WINDOW)
        assert (counted.count, counted.first, counted.last) == (3, start + 1, start + 3)
        assert refusals.note(session, one, start + refusals.WINDOW + 1) is not None
