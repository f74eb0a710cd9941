# SPDX-License-Identifier: Apache-2.0
"""`locard custody`: authority, checkpoint and key, as somebody at the command line meets them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard_verify.keys import read_key
from tests.cli.conftest import Locard
from tests.evidence.authority import LocalAuthority


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[LocalAuthority]:
    authority = LocalAuthority(tmp_path / "tsa")
    yield authority
    authority.close()


@pytest.fixture
def case(locard: Locard, tmp_path: Path) -> str:
    (tmp_path / "one.txt").write_text("hello\n")
    assert locard("add", "c", tmp_path / "one.txt").status == 0
    return "c"


def verbs(locard: Locard, home: Path) -> list[str]:
    from locard.cases.desk import Desk

    desk = Desk.at(home)
    found = [entry.verb.value for entry in desk.vault.ledger.entries()]
    desk.close()
    return found


def test_a_run_ends_with_a_checkpoint_and_reading_makes_none(
    locard: Locard, home: Path, case: str
) -> None:
    notes = list((home / "vault" / "ledger" / "checkpoints").glob("*.note"))
    assert len(notes) == 1
    locard("custody", case)
    locard("search", case)
    assert list((home / "vault" / "ledger" / "checkpoints").glob("*.note")) == notes


def test_an_authority_is_tried_set_shown_and_unset(
    locard: Locard, home: Path, case: str, authority: LocalAuthority
) -> None:
    told = locard("custody", "authority", authority.url, "--roots", authority.root)
    assert told.status == 0
    assert "signed by CN=Stamper and holds" in told.out
    assert locard("custody", "authority", "--json").json["authority"]["url"] == authority.url
    assert verbs(locard, home)[-2:] == ["checkpoint-kept", "time-stamped"]
    made = locard("custody", "checkpoint", "--json")
    assert (made.status, made.json["waiting"]) == (0, 0)
    authority.down = True
    assert "No authority" in locard("custody", "authority", "--none").out
    assert verbs(locard, home)[-2:] == ["authority-set", "checkpoint-kept"]
    assert locard("custody", case, "--check").status == 0


def test_an_authority_that_does_not_answer_is_refused_at_set_up(
    locard: Locard, home: Path, case: str, authority: LocalAuthority
) -> None:
    authority.down = True
    told = locard("custody", "authority", authority.url, "--roots", authority.root)
    assert told.status == 2
    assert "HTTP 503" in told.err
    assert "authority-set" not in verbs(locard, home)


def test_the_environment_sets_an_authority(
    locard: Locard,
    home: Path,
    tmp_path: Path,
    authority: LocalAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCARD_TSA", authority.url)
    monkeypatch.setenv("LOCARD_TSA_ROOTS", str(authority.root))
    (tmp_path / "two.txt").write_text("hello\n")
    assert locard("add", "d", tmp_path / "two.txt").status == 0
    assert verbs(locard, home)[-2:] == ["checkpoint-kept", "time-stamped"]
    locard("custody", "checkpoint")
    assert verbs(locard, home).count("authority-set") == 1


def test_a_new_key_is_introduced_and_signs(locard: Locard, home: Path, case: str) -> None:
    (before,) = locard("custody", "key", "--json").json
    told = locard("custody", "key", "--new", "--reason", "the yearly change", "--json").json
    assert [one["signs"] for one in told if one["key"] == before["key"]] == [False]
    (after,) = (one for one in told if one["signs"])
    assert read_key(after["key"]).name == read_key(before["key"]).name
    assert locard("custody", "checkpoint").status == 0
    assert locard("custody", case, "--check").status == 0
    assert "BEGIN PUBLIC KEY" in locard("custody", "key", "--pem").out
    private = list((home / "keys").glob("ledger*.pem"))
    assert len(private) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in private)
    assert json.dumps(told)
