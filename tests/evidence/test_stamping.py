# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and their time stamps, by an authority that `openssl ts` is."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.evidence.authority import Authority
from locard.evidence.checkpoints import Pace
from locard.evidence.entries import Draft
from locard.evidence.ledger import Ledger
from locard.evidence.signing import FileSigner
from locard.evidence.stamping import Stamping
from locard.model.custody import Hand, Verb
from locard.model.errors import Error
from locard_verify.verdict import State
from tests.evidence.authority import LocalAuthority

ANA = Hand("ana")


def opened(home: Path, pace: Pace | None = None) -> Ledger:
    signer = FileSigner(home / "keys" / "ledger.pem")
    return Ledger(home / "ledger", signer, home / "trusted.vkey", pace)


def add(ledger: Ledger, count: int = 1) -> None:
    ledger.append([Draft(ANA, Verb.EXPORTED, "", "c", "test")] * count)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = opened(tmp_path)
    add(ledger, 3)
    yield ledger
    ledger.close()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[LocalAuthority]:
    authority = LocalAuthority(tmp_path / "tsa")
    yield authority
    authority.close()


@pytest.fixture
def stamping(ledger: Ledger, authority: LocalAuthority) -> Stamping:
    stamping = Stamping(ledger)
    stamping.set(known(authority), ANA, "test", test=True)
    return stamping


def known(authority: LocalAuthority) -> Authority:
    return Authority.at(authority.url, (authority.root.read_bytes(),))


def verbs(ledger: Ledger) -> list[Verb]:
    return [entry.verb for entry in ledger.entries(case="")]


def test_a_checkpoint_is_made_when_something_happened_and_only_then(ledger: Ledger) -> None:
    assert ledger.checkpoint() == 4
    assert ledger.checkpoint() == 4
    add(ledger)
    assert ledger.checkpoint() == 6, "the entry about the first one is the fifth"
    assert ledger.checkpoint() == 6
    assert ledger.checkpoints.sizes() == [4, 6]
    assert ledger.check().clause("consistency").detail.startswith("2 checkpoints")


def test_a_checkpoint_is_made_after_so_many_entries(tmp_path: Path) -> None:
    ledger = opened(tmp_path, Pace(entries=10, seconds=3_600))
    for _ in range(35):
        add(ledger)
    assert ledger.checkpoints.sizes() == [10, 20, 30]
    assert ledger.check().passed


def test_a_checkpoint_is_made_after_so_long(tmp_path: Path) -> None:
    ledger = opened(tmp_path, Pace(entries=1_000, seconds=60))
    add(ledger)
    ledger.checkpoint()
    add(ledger)
    assert ledger.checkpoints.sizes() == [2]
    note = ledger.folder / "checkpoints" / "000000000002.note"
    os.utime(note, (0, note.stat().st_mtime - 61))
    again = opened(tmp_path, Pace(entries=1_000, seconds=60))
    assert again.due()
    add(again)
    assert again.checkpoints.sizes() == [2, 5]


def test_a_checkpoint_is_stamped_and_the_token_is_an_entry(
    ledger: Ledger, stamping: Stamping
) -> None:
    found = stamping.checkpoint()
    assert (found.checkpoint, found.stamped, found.waiting) == (5, 1, 0)
    assert verbs(ledger)[-2:] == [Verb.CHECKPOINT_KEPT, Verb.TIME_STAMPED]
    assert list((ledger.folder / "checkpoints").glob("*.gap")) == []
    verdict = ledger.check()
    assert verdict.passed
    assert verdict.clause("time stamps").state is State.PASS
    assert "1 tokens hold" in verdict.clause("time stamps").detail
    assert stamping.checkpoint().checkpoint == 5, "a token alone makes no further checkpoint"


def test_openssl_alone_verifies_the_token(ledger: Ledger, stamping: Stamping) -> None:
    stamping.checkpoint()
    folder = ledger.folder / "checkpoints"
    (root,) = (ledger.folder / "authorities").glob("*.pem")
    command = ["openssl", "ts", "-verify", "-data", folder / "000000000005.note", "-in",
               folder / "000000000005.tsr", "-CAfile", root]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in run.stdout + run.stderr
    (folder / "000000000005.note").write_bytes(b"other bytes\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_work_goes_on_without_the_authority_and_the_gap_is_made_good(
    ledger: Ledger, stamping: Stamping, authority: LocalAuthority
) -> None:
    authority.down = True
    found = stamping.checkpoint()
    assert (found.stamped, found.waiting, found.why) == (0, 1, "it answered with HTTP 503")
    assert verbs(ledger)[-1] is Verb.TIME_STAMP_MISSED
    gap = ledger.folder / "checkpoints" / "000000000005.gap"
    assert json.loads(gap.read_text())["why"] == "it answered with HTTP 503"
    verdict = ledger.check()
    assert verdict.passed
    assert "1 checkpoints wait for one" in verdict.clause("time stamps").detail
    add(ledger)
    asked = authority.asked
    assert stamping.checkpoint().why == "it was asked a moment ago"
    assert authority.asked == asked
    assert verbs(ledger).count(Verb.TIME_STAMP_MISSED) == 1
    authority.down = False
    assert stamping.checkpoint(patient=True).stamped == 2
    assert not gap.exists()
    made = [one for one in ledger.entries(case="") if one.verb is Verb.TIME_STAMPED]
    assert "which was missing since" in made[0].reason
    assert ledger.check().passed


def test_an_authority_that_is_gone_is_a_gap(
    ledger: Ledger, stamping: Stamping, authority: LocalAuthority
) -> None:
    authority.close()
    assert "could not be reached" in stamping.checkpoint().why
    assert ledger.check().passed


def test_a_crash_between_token_and_entry_asks_for_no_second_token(
    ledger: Ledger, stamping: Stamping, authority: LocalAuthority
) -> None:
    stamping.checkpoint()
    kept = ledger.checkpoints
    token, asked = kept.held(5), authority.asked
    kept.gap(5, authority.url, "it was not asked yet")
    assert stamping.checkpoint().stamped == 1
    assert (kept.held(5), authority.asked) == (token, asked)
    assert verbs(ledger).count(Verb.TIME_STAMPED) == 1
    assert ledger.check().passed


def test_an_authority_whose_tokens_break_the_order_of_der_is_refused(
    ledger: Ledger, tmp_path: Path
) -> None:
    """OpenSSL sends the certificates as they come; about every second pair is out of order."""
    for number in range(12):
        other = LocalAuthority(tmp_path / f"chain-{number}", chain=True, name=f"Root {number}")
        try:
            Stamping(ledger).set(known(other), ANA, "test", test=True)
        except Error as error:
            assert "not in the order that DER asks for" in error.message
            assert "`certs`" in error.advice
            break
        finally:
            other.close()
    else:
        pytest.fail("no authority sent its certificates out of order")


def test_an_authority_under_another_root_is_refused(
    ledger: Ledger, authority: LocalAuthority, tmp_path: Path
) -> None:
    other = LocalAuthority(tmp_path / "other")
    other.close()
    wrong = Authority.at(authority.url, (other.root.read_bytes(),))
    with pytest.raises(Error, match="it does not verify") as caught:
        Stamping(ledger).set(wrong, ANA, "test", test=True)
    assert "--roots" in caught.value.advice
    assert ledger.authorities.current() is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://tsa.example.com/", "no address"),
        ("tsa.example.com", "no address"),
        ("https://ana:secret@tsa.example.com/", "must not carry credentials"),
    ],
)
def test_an_address_that_will_not_do(url: str, said: str) -> None:
    with pytest.raises(Error, match=said):
        Authority.at(url, (b"",))


def test_roots_that_are_none() -> None:
    with pytest.raises(Error, match="missing"):
        Authority.at("http://tsa.example.com", ())
    with pytest.raises(Error, match="no certificate"):
        Authority.at("http://tsa.example.com", (b"nonsense",))


def test_no_authority_any_more(
    ledger: Ledger, stamping: Stamping, authority: LocalAuthority
) -> None:
    stamping.checkpoint()
    stamping.set(None, ANA, "test", test=False)
    add(ledger)
    asked = authority.asked
    assert stamping.checkpoint().waiting == 0
    assert authority.asked == asked
    assert ledger.check().passed


def test_a_root_that_was_exchanged_is_not_used(
    ledger: Ledger, stamping: Stamping, tmp_path: Path
) -> None:
    (root,) = (ledger.folder / "authorities").glob("*.pem")
    root.write_bytes(root.read_bytes() + b"\n")
    add(ledger)
    with pytest.raises(Error, match="is not what was configured"):
        stamping.checkpoint()
    found = ledger.check().clause("time stamps")
    assert (found.state, found.detail) == (State.FAIL, "no entry names this root certificate")
