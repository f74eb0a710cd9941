# SPDX-License-Identifier: Apache-2.0
"""A receipt that leaves is believed by its signed entry alone, and what is no receipt never."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from locard.cases.response import receipts
from locard.cases.response.runner import Runner
from locard.evidence import Draft
from locard.model.action import RunState
from locard.model.custody import Acquisition, Verb
from locard.model.errors import Denied, Missing, Unreadable
from locard.model.evidence import Origin
from locard.parsers.contract import Head
from locard.parsers.looks import looks_like
from locard_verify.keys import read_key
from tests.response.conftest import ANA, Isolate, toy_runner


def signed(runner: Runner, run: str) -> dict[str, Any]:
    return receipts.signed(runner.state, runner.vault, run, actor=ANA)


def test_a_receipt_is_believed_here_and_elsewhere_with_the_key(
    runner: Runner, room: Path, begun: Isolate, tmp_path: Path
) -> None:
    run = begun()
    with pytest.raises(Missing, match="has no receipt yet"):
        signed(runner, run)
    runner.carry_on(run, ANA)
    found = signed(runner, run)
    kept = found["receipt"].encode()
    assert looks_like(Head(kept, kept, len(kept), "receipt", ())) == "receipt of a run of Locard"
    content = json.dumps(found).encode()
    receipt, key = receipts.opened(content, receipts.ours(runner.vault))
    assert (receipt.run, receipt.state) == (run, RunState.DONE)
    elsewhere = toy_runner(tmp_path / "elsewhere", room)
    with pytest.raises(Denied, match=key.fingerprint):
        receipts.opened(content, receipts.ours(elsewhere.vault))
    read, _ = receipts.opened(content, [read_key(found["key"])])
    elsewhere.adopt(read, "room", "c", ANA)
    assert elsewhere.release(run, ANA, "all clear").state == RunState.RELEASED


def test_what_was_changed_or_signed_by_others_or_signed_as_something_else_is_refused(
    runner: Runner, room: Path, begun: Isolate, tmp_path: Path
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    found, trusted = signed(runner, run), receipts.ours(runner.vault)
    other = toy_runner(tmp_path / "other", room)
    other.vault.prepare_folder()
    other.vault.ledger.append([Draft(ANA, Verb.PLANNED, "", "", "theirs", {})])
    theirs = other.vault.ledger.keys()[0].vkey
    changed = {
        "it was changed": found | {"receipt": found["receipt"].replace("red", "green")},
        "its signature does not fit": found | {"key": theirs},
        "it is not an envelope": found | {"entry": found["entry"] + " "},
        "not in the form of one": json.loads(found["receipt"]),
    }
    for why, one in changed.items():
        with pytest.raises(Unreadable, match=why):
            receipts.opened(json.dumps(one).encode(), trusted)
    for odd in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"format": "locard.dev/signed-receipt/v1"}'):
        with pytest.raises(Unreadable):
            receipts.opened(odd, trusted)


@pytest.mark.parametrize("covers", ["", receipts.COVERS])
def test_a_text_like_a_receipt_that_came_as_evidence_is_none(
    runner: Runner, begun: Isolate, covers: str
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    found = signed(runner, run)
    forged = found["receipt"].replace('"red"', '"anything"').encode()
    origin = Origin(name="receipt.json", acquisition=Acquisition(covers=covers))
    put = runner.vault.put(BytesIO(forged), origin, case="c", actor=ANA, reason="upload")
    number = runner.vault.ledger.made("c", put.evidence.id)
    assert number is not None
    entry = runner.vault.ledger.proof(number).envelope.decode()
    content = json.dumps(found | {"receipt": forged.decode(), "entry": entry}).encode()
    with pytest.raises(Unreadable, match="as evidence, and not as the receipt of a run"):
        receipts.opened(content, receipts.ours(runner.vault))
