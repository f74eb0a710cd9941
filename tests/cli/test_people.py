# SPDX-License-Identifier: Apache-2.0
"""People, groups and grants on the command line, which acts for the owner of the files."""

import json

import pyotp
import pytest

from locard.model.access import MEANINGS
from tests.cli.conftest import Locard


@pytest.fixture
def at(locard: Locard) -> Locard:
    """A home with an empty case and two people in it."""
    (locard.home.parent / "nothing.bin").write_bytes(b"\x00\x01\x02")
    assert locard("add", "harbour", locard.home.parent / "nothing.bin").status == 0
    for name in ("ana", "ben"):
        made = locard("user", "add", name, "--no-password", "--json")
        assert made.status == 0, made.err
        assert made.json["username"] == name and made.json["role"] is None
    return locard


def entries(at: Locard, case: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = at("custody", case, "--json").json
    return found


def test_a_role_is_granted_listed_and_taken_back(at: Locard) -> None:
    made = at(
        "grant", "add", "analyst", "--user", "ana", "--case", "harbour", "--reason", "x", "--json"
    )
    assert made.json["role"] == "analyst" and made.json["by"] == "ana"
    (listed,) = at("grant", "list", "--case", "harbour", "--json").json
    assert (listed["user"], listed["case"], listed["reason"]) == ("ana", "harbour", "x")
    user = next(one for one in at("user", "list", "--json").json if one["username"] == "ana")
    assert user["roles"] == [{"role": "analyst", "case": "harbour", "group": ""}]
    assert at("grant", "remove", listed["id"]).status == 0
    assert at("grant", "list", "--json").json == []
    told = [one["verb"] for one in entries(at, "harbour")]
    assert told[:2] == ["revoked", "granted"]
    newest = entries(at, "harbour")[0]
    assert newest["door"] == "command line" and "@" in str(newest["address"])


def test_nobody_is_let_both_acquire_and_dispose(at: Locard) -> None:
    assert at("grant", "add", "custodian", "--user", "ana", "--case", "harbour").status == 0
    refused = at("grant", "add", "analyst", "--user", "ana", "--json")
    assert refused.status == 2
    assert "both acquire evidence and dispose" in json.loads(refused.err)["error"]
    assert at("group", "add", "lab").status == 0
    assert at("grant", "add", "analyst", "--group", "lab", "--case", "harbour").status == 0
    assert at("group", "join", "lab", "ana").status == 2
    assert at("group", "join", "lab", "ben").status == 0
    (lab,) = at("group", "list", "--json").json
    assert lab["members"] == ["ben"]


def test_a_group_is_made_changed_and_removed(at: Locard) -> None:
    made = at("group", "add", "counsel", "--title", "Legal counsel", "--claim", "legal", "--json")
    assert made.json == {
        "name": "counsel",
        "title": "Legal counsel",
        "claim": "legal",
        "members": [],
    }
    assert at("group", "change", "counsel", "--claim", "").status == 0
    assert at("group", "list", "--json").json[0]["claim"] == ""
    assert at("group", "join", "counsel", "ana").status == 0
    assert at("group", "leave", "counsel", "ana").status == 0
    assert at("group", "leave", "counsel", "ana").status == 2
    assert at("group", "remove", "counsel").status == 0
    assert at("group", "list", "--json").json == []


def test_who_or_what_is_not_there_is_said(at: Locard) -> None:
    for words in (
        ("grant", "add", "viewer", "--user", "nobody"),
        ("grant", "add", "viewer", "--user", "ana", "--case", "elsewhere"),
        ("grant", "add", "viewer"),
        ("grant", "add", "emperor", "--user", "ana"),
        ("grant", "remove", "99"),
        ("grant", "list", "--case", "elsewhere"),
        ("group", "join", "nobody", "ana"),
        ("user", "totp", "nobody"),
        ("user", "change", "nobody", "--disable"),
        ("token", "create", "ana", "--case", "harbour"),
    ):
        ran = at(*words)
        assert ran.status == 2 and ran.err.strip() and "Traceback" not in ran.err, words


def test_a_second_factor_is_made_and_ended(at: Locard) -> None:
    made = at("user", "totp", "ana", "--json").json
    totp = pyotp.parse_uri(made["address"])
    assert totp.secret == made["secret"] and len(made["recovery_codes"]) == 10
    shown = next(one for one in at("user", "list", "--json").json if one["username"] == "ana")
    assert shown["second_factor"] is True
    assert at("user", "totp", "ana").status == 2
    assert at("user", "totp", "ana", "--off", "--json").json["second_factor"] is False
    assert at("user", "totp", "ana", "--off").status == 2


def test_a_person_is_disabled_and_enabled(at: Locard) -> None:
    assert at("user", "change", "ben", "--disable", "--json").json["disabled"] is True
    assert at("user", "change", "ben", "--enable", "--single-sign-on").status == 0
    ben = next(one for one in at("user", "list", "--json").json if one["username"] == "ben")
    assert ben["disabled"] is False and ben["single_sign_on"] is True


def test_a_token_has_a_scope_and_a_case(at: Locard) -> None:
    assert at("grant", "add", "analyst", "--user", "ana", "--case", "harbour").status == 0
    made = at("token", "create", "ana", "--scope", "write", "--case", "harbour", "--json").json
    assert made["scope"] == "write" and made["case"] == "harbour"
    (listed,) = at("token", "list", "ana", "--json").json
    assert listed["id"] == made["id"] and "token" not in listed
    assert at("token", "revoke", "ben", made["id"]).status == 2
    assert at("token", "revoke", "ana", made["id"]).status == 0
    assert at("token", "list", "ana", "--json").json == []


def test_the_table_of_roles_is_shown(at: Locard) -> None:
    shown = at("grant", "roles", "--json").json
    assert [one["permission"] for one in shown] == [one.value for one in MEANINGS]
    assert "custodian" in at("grant", "roles").out


@pytest.mark.parametrize("group", ["user", "group", "grant", "token"])
def test_every_group_helps_with_examples(locard: Locard, group: str) -> None:
    helped = locard(group, "--help")
    assert helped.status == 0
    word = {"user": "add", "group": "add", "grant": "add", "token": "create"}[group]
    assert f"locard {group}" in locard(group, word, "--help").out


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("user", "add", "cleo"), "--no-password"),
        (("user", "password", "ana"), "locard user link"),
        (("user", "totp", "ana"), "--json"),
    ],
)
def test_a_question_that_nobody_answers_says_what_a_script_does(
    at: Locard, words: tuple[str, ...], instead: str
) -> None:
    asked = at.apart(*words)
    assert asked.status == 2 and "nobody is there to answer" in asked.err
    assert instead in asked.err and "Stopped" not in asked.err
    assert [one["username"] for one in at("user", "list", "--json").json] == ["ana", "ben"]
