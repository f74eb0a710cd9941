# SPDX-License-Identifier: Apache-2.0
"""The ledger: every entry signed and in the tree, and what a crash left is mended."""

import json
import os
import shutil
import sqlite3
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from locard.evidence import entries as clock
from locard.evidence.entries import Draft, nanoseconds, rfc3339
from locard.evidence.index import Index
from locard.evidence.ledger import Ledger
from locard.evidence.signing import FileSigner
from locard.model.custody import Exhibit, Hand, Verb
from locard.model.errors import Conflict, Missing, Storage, Tampered
from locard_verify import dsse
from locard_verify.merkle import included, leaf_hash
from locard_verify.note import open_checkpoint
from locard_verify.verdict import State

ANA = Hand("ana", "page", "192.0.2.7", "a browser")


def drafts(count: int, evidence: str = "e" * 64) -> list[Draft]:
    def exhibit(number: str, _above: str) -> Exhibit:
        return Exhibit(number=number, case="c", evidence=evidence)

    return [
        Draft(ANA, Verb.ACQUIRED if n == 0 else Verb.OPENED, evidence, "c", f"reason {n}", {},
              exhibit if n == 0 else None)
        for n in range(count)
    ]  # fmt: skip


def opened(home: Path) -> Ledger:
    return Ledger(home / "ledger", FileSigner(home / "keys" / "ledger.pem"), home / "trusted.vkey")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = opened(tmp_path)
    ledger.append(drafts(5))
    return ledger


def test_the_first_entry_introduces_the_key_and_it_is_pinned(
    ledger: Ledger, tmp_path: Path
) -> None:
    first = next(ledger.entries())
    assert (first.sequence, first.verb) == (1, Verb.KEY_INTRODUCED)
    key = (tmp_path / "trusted.vkey").read_text().strip()
    assert first.details["key"] == key == ledger.keys()[0].vkey
    assert (tmp_path / "keys" / "ledger.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_a_line_is_an_envelope_that_anybody_can_read(ledger: Ledger) -> None:
    envelope = json.loads(ledger.path.read_text().splitlines()[1])
    statement = json.loads(b64decode(envelope["payload"]))
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "e" * 64, "digest": {"sha256": "e" * 64}}]
    said = statement["predicate"]
    assert (said["sequence"], said["actor"], said["door"]) == (2, "ana", "page")
    assert (said["address"], said["agent"], said["exhibit"]) == ("192.0.2.7", "a browser", "C-0001")
    assert said["record"]["number"] == "C-0001"


def test_an_exhibit_is_made_once_for_each_case_and_its_entries_follow_each_other(
    ledger: Ledger,
) -> None:
    ledger.append(drafts(2, "f" * 64))
    ledger.append(drafts(1))
    found = [(one.sequence, one.exhibit, one.previous) for one in ledger.entries(case="c")]
    assert found == [
        (2, "C-0001", 0),
        (3, "C-0001", 2),
        (4, "C-0001", 3),
        (5, "C-0001", 4),
        (6, "C-0001", 5),
        (7, "C-0002", 0),
        (8, "C-0002", 7),
        (9, "C-0001", 6),
    ]
    assert [one.number for one in ledger.exhibits("c")] == ["C-0001", "C-0002"]
    assert ledger.check().passed


def test_newest_first_before_a_number(ledger: Ledger) -> None:
    assert [one.sequence for one in ledger.newest(case="c", limit=2)] == [6, 5]
    assert [one.sequence for one in ledger.newest(case="c", before=5, limit=2)] == [4, 3]
    assert ledger.newest(case="other") == []


def test_an_entry_is_proved_by_signature_inclusion_and_head(ledger: Ledger) -> None:
    for sequence in range(1, 7):
        proof = ledger.proof(sequence)
        checkpoint, key = open_checkpoint(proof.head, [proof.key])
        envelope = dsse.read_line(proof.envelope)
        assert (checkpoint.size, key) == (6, proof.key)
        assert proof.key.signed(dsse.pae(envelope.payload), envelope.signature)
        assert included(leaf_hash(proof.envelope), sequence - 1, 6, proof.path, checkpoint.root)
    with pytest.raises(Missing):
        ledger.proof(7)


def test_an_entry_that_was_edited_is_not_proved(ledger: Ledger) -> None:
    data = ledger.path.read_bytes()
    third = data.splitlines(keepends=True)[2]
    other = dsse.line_of(*forged(third)) + b"\n"
    assert len(other) == len(third)
    ledger.path.write_bytes(data.replace(third, other))
    with pytest.raises(Tampered, match="entry 3: its signature does not fit"):
        ledger.proof(3)
    assert ledger.proof(4).entry.reason == "reason 2"


def forged(line: bytes) -> tuple[bytes, str, bytes]:
    found = dsse.read_line(line.rstrip(b"\n"))
    return found.payload.replace(b'"actor":"ana"', b'"actor":"bob"'), found.keyid, found.signature


def test_a_removed_head_is_noticed(ledger: Ledger) -> None:
    ledger.head.unlink()
    with pytest.raises(Tampered, match="head"):
        ledger.proof(2)
    ledger.durable.unlink()
    with pytest.raises(Tampered, match="head"):
        opened(ledger.folder.parent).append(drafts(1))


@pytest.mark.parametrize("found", [None, b"", b"\xff" * 5_000_000])
def test_a_process_that_finds_no_head_says_so_and_goes_on_from_the_one_on_the_disk(
    ledger: Ledger, found: bytes | None
) -> None:
    ledger.append(drafts(2), durable=False)
    if found is None:
        ledger.head.unlink()
    else:
        ledger.head.write_bytes(found)
    again = opened(ledger.folder.parent)
    (entry,) = again.append(drafts(1))
    assert entry.sequence == 10
    said = list(again.entries())[-2]
    assert (said.verb, said.details["entries"]) == (Verb.HEAD_CHANGED, "8")
    assert said.details["confirmed"] == "6" and len(said.details["found"]) < 2_000
    verdict = again.check()
    assert [one.name for one in verdict.clauses if one.state is State.FAIL] == ["losses"]
    assert "(an older one confirms 6)" in verdict.clause("losses").detail
    again.explain(9, ANA, "a broken disk")
    assert again.check().passed


def test_entries_that_an_older_head_denies_are_not_gone_on_from(ledger: Ledger) -> None:
    ledger.head.write_bytes(b"")
    cut(ledger, 4)
    with pytest.raises(Tampered, match="head"):
        opened(ledger.folder.parent).append(drafts(1))


def test_a_half_written_line_of_a_crash_is_cut_and_work_goes_on(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b'{"payload":"eyJfdH')
    again = opened(ledger.folder.parent)
    assert again.append(drafts(1))[0].sequence == 7
    assert again.check().passed


def test_entries_that_a_crash_left_without_head_and_hashes_are_caught_up(ledger: Ledger) -> None:
    head = ledger.head.read_bytes()
    sizes = {path: path.stat().st_size for path in ledger.tree.folder.iterdir()}
    ledger.append(drafts(3))
    ledger.head.write_bytes(head)
    for path in ledger.tree.folder.iterdir():
        with path.open("r+b") as file:
            file.truncate(sizes.get(path, 0))
    again = opened(ledger.folder.parent)
    assert again.append(drafts(1))[0].sequence == 10
    assert again.check().passed


def test_a_checkpoint_after_a_crash_is_of_all_that_is_there(ledger: Ledger) -> None:
    head = ledger.head.read_bytes()
    ledger.append(drafts(3))
    ledger.head.write_bytes(head)
    again = opened(ledger.folder.parent)
    assert again.checkpoint() == 9
    again.settle()
    assert again.check().passed
    assert Verb.HEAD_CHANGED not in [one.verb for one in again.entries()]


def test_hashes_and_index_are_made_again_from_the_entries(ledger: Ledger) -> None:
    ledger.close()
    ledger.index.path.write_bytes(b"not a database at all, whatever its name says" * 40)
    for path in ledger.tree.folder.iterdir():
        path.unlink()
    again = opened(ledger.folder.parent)
    assert again.append(drafts(1))[0].sequence == 7
    assert [one.number for one in again.exhibits("c")] == ["C-0001"]
    assert again.check().passed


def cut(ledger: Ledger, keep: int) -> None:
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:keep]))


def test_nothing_follows_a_tail_that_was_cut_off(ledger: Ledger, tmp_path: Path) -> None:
    cut(ledger, 4)
    before = ledger.path.read_bytes()
    for writer in (ledger, opened(tmp_path)):
        with pytest.raises(Tampered, match="the last 2 entries were cut off"):
            writer.append(drafts(1))
    assert ledger.path.read_bytes() == before
    assert "cut off" in ledger.check().clause("tree").detail


def test_nothing_follows_an_emptied_ledger(ledger: Ledger, tmp_path: Path) -> None:
    ledger.path.write_bytes(b"")
    with pytest.raises(Tampered, match="the last 6 entries"):
        opened(tmp_path).append(drafts(1))
    shutil.rmtree(ledger.folder)
    with pytest.raises(Tampered, match="is gone"):
        opened(tmp_path).append(drafts(1))


def test_entries_that_had_not_reached_the_disk_are_told_and_work_goes_on(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(drafts(2), durable=False)
    cut(ledger, 7)
    (entry,) = opened(tmp_path).append(drafts(1))
    said = list(ledger.entries())[-2]
    assert (said.sequence, said.verb, entry.sequence) == (8, Verb.ENTRIES_LOST, 9)
    assert said.details["entries"] == "8"
    verdict = ledger.check()
    assert [one.name for one in verdict.clauses if one.state is State.FAIL] == ["losses"]
    assert "entries 8 are gone, as entry 8 says" in verdict.clause("losses").detail


def test_a_loss_fails_until_a_person_signs_for_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(drafts(2), durable=False)
    cut(ledger, 7)
    again = opened(tmp_path)
    again.append(drafts(1))
    with pytest.raises(Conflict, match="Entry 9 does not say that others are gone"):
        again.explain(9, ANA, "a power cut")
    with pytest.raises(Conflict, match="without words"):
        again.explain(8, ANA, " ")
    again.explain(8, ANA, "a power cut")
    clause = again.check().clause("losses")
    assert clause.state is State.NOT_CHECKED
    assert f"{ANA.name} signed for it in entry 10: a power cut" in clause.detail


def test_settled_entries_cannot_be_cut(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(drafts(2), durable=False)
    ledger.settle()
    cut(ledger, 7)
    with pytest.raises(Tampered, match="cut off"):
        opened(tmp_path).append(drafts(1))


def test_nothing_follows_an_end_that_is_no_entry(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b"nonsense\n")
    with pytest.raises(Tampered, match="line 7 is not a custody entry"):
        opened(ledger.folder.parent).append(drafts(1))


def test_many_writers_make_one_ledger(tmp_path: Path) -> None:
    ledgers = [opened(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda n: ledgers[n % 4].append(drafts(3), durable=False), range(40)))
    assert ledgers[0].size() == 121
    assert ledgers[0].check().passed


def test_many_entries_at_once(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    found = ledger.append(drafts(3_000))
    assert [one.sequence for one in found] == list(range(2, 3_002))
    assert ledger.append(drafts(1))[0].previous == 3_001
    assert ledger.check().passed


def test_a_key_that_others_may_read_signs_nothing(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "keys" / "ledger.pem").chmod(0o640)
    with pytest.raises(Storage, match="Others may read the signing key"):
        opened(tmp_path).append(drafts(1))
    assert ledger.size() == 6


def test_a_key_that_nobody_introduced_signs_nothing(ledger: Ledger, tmp_path: Path) -> None:
    other = FileSigner(tmp_path / "other.pem")
    other.make()
    with pytest.raises(Conflict, match="does not know the key"):
        Ledger(ledger.folder, other).append(drafts(1))


def test_a_new_key_is_introduced_by_the_one_before(ledger: Ledger, tmp_path: Path) -> None:
    new = FileSigner(tmp_path / "keys" / "second.pem")
    new.make(ledger.signer.key.name)
    ledger.introduce(new, ANA, "the yearly change")
    (entry,) = ledger.append(drafts(1))
    assert ledger.proof(entry.sequence).key == new.key
    assert ledger.proof(entry.sequence - 1).key != new.key
    assert ledger.check().passed


def test_a_clock_that_was_set_back_is_an_entry(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clock.now()
    monkeypatch.setattr("locard.evidence.ledger.now", lambda: real - 3_600 * 10**9)
    (entry,) = ledger.append(drafts(1))
    before = list(ledger.entries())[-2]
    assert before.verb is Verb.CLOCK_SET_BACK
    assert "3,600" in before.reason or "3,599" in before.reason
    assert entry.time > before.time


def test_a_clock_that_lags_a_little_never_goes_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = list(ledger.entries())[-1]
    monkeypatch.setattr("locard.evidence.ledger.now", lambda: last.time - 10**9)
    assert ledger.append(drafts(1))[0].time == last.time + 1
    assert ledger.check().passed


def test_a_ledger_of_the_time_before_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(Conflict, match="before the first release"):
        opened(tmp_path).append(drafts(1))


@pytest.mark.parametrize("at", [0, 1, 1_764_172_800_123_456_789, 253_402_300_799_999_999_999])
def test_times_are_written_to_the_nanosecond_and_read_back(at: int) -> None:
    assert nanoseconds(rfc3339(at)) == at
    assert len(rfc3339(at)) == 30


def test_a_failure_to_sign_writes_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_messages: object) -> list[bytes]:
        raise Storage("The key service does not answer.", "")

    before = ledger.path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(ledger.signer, "sign_many", refuses)
        with pytest.raises(Storage):
            ledger.append([replace(drafts(1, "a" * 64)[0])])
    assert ledger.path.read_bytes() == before
    assert ledger.append(drafts(1, "a" * 64))[0].exhibit == "C-0002"


@pytest.mark.parametrize("place", ["_write", "_follow"])
def test_a_ledger_that_dies_with_its_first_entries_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Before its entries were written, and before its first head was."""

    def dies(*_given: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Ledger, place, dies)
        opened(tmp_path).append(drafts(2))
    ledger = opened(tmp_path)
    written = 0 if place == "_write" else 3
    assert len(list(ledger.entries())) == written
    assert ledger.check().passed is bool(written), "without an entry no key is introduced"
    ledger.settle()
    ledger.append(drafts(1, "a" * 64))
    assert len(list(ledger.entries())) == (written or 1) + 1
    assert (tmp_path / "trusted.vkey").read_text().strip() == ledger.keys()[0].vkey
    verdict = ledger.check()
    assert verdict.passed, verdict
    ledger.head.unlink()
    ledger.durable.unlink()
    with pytest.raises(Tampered, match="head that names the last entry is missing"):
        opened(tmp_path).append(drafts(1))


def test_an_index_that_another_process_emptied_is_noticed(ledger: Ledger, tmp_path: Path) -> None:
    """It looked while the entries were shorter; here they are as long as before."""
    known, data = ledger.newest(case="c"), ledger.path.read_bytes()
    assert len(known) == 5
    ledger.path.write_bytes(b"")
    with closing(opened(tmp_path)) as other:
        assert other.size() == 0
    ledger.path.write_bytes(data)
    assert ledger.newest(case="c") == known
    ledger.path.write_bytes(b"")
    with closing(opened(tmp_path)) as other:
        assert other.size() == 0
    first, *rest = data.splitlines(keepends=True)
    ledger.path.write_bytes(b"".join([first, *rest[::-1]]))
    for _ in range(2):
        with pytest.raises(Tampered):
            ledger.newest(case="c")


@pytest.mark.parametrize("seen", [0, 3])
def test_who_waits_for_the_index_does_not_empty_it_for_a_length_from_before(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    """It saw fewer entries, and others added and indexed some before its turn came."""
    assert len(ledger.newest(case="c")) == 5
    data = ledger.path.read_bytes()
    emptied: list[object] = []
    monkeypatch.setattr(Index, "_empty", lambda *_given: emptied.append(1))
    with closing(opened(tmp_path)) as other, closing(sqlite3.connect(ledger.index.path)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        ledger.path.write_bytes(b"".join(data.splitlines(keepends=True)[:seen]))
        waits, asked = Thread(target=other.size), Event()
        begin = Index._writing

        def begins(index: Index, database: sqlite3.Connection) -> Any:
            asked.set()
            return begin(index, database)

        monkeypatch.setattr(Index, "_writing", begins)
        waits.start()
        assert asked.wait(30)
        ledger.path.write_bytes(data)
        busy.execute("COMMIT")
        waits.join(30)
        assert other.size() == ledger.size()
    assert emptied == []
    assert len(ledger.newest(case="c")) == 5


def test_an_index_that_was_edited_is_made_anew_and_never_believed(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(drafts(2, "f" * 64))
    ledger.settle()
    ledger.exhibits("c")
    ledger.close()
    for statement in (
        "UPDATE exhibits SET sequence = 6",
        "UPDATE exhibits SET number = 'C-0009' WHERE number = 'C-0001'",
        "UPDATE exhibits SET number = 'C-0001x' WHERE number = 'C-0001'",
        "UPDATE entries SET start = start + 7",
        "DELETE FROM entries WHERE sequence > 2",
        "UPDATE covered SET entries = entries - 1",
        "DELETE FROM covered",
        "UPDATE covered SET bytes = 'x'",
        "DROP TABLE exhibits",
    ):
        with closing(sqlite3.connect(ledger.index.path)) as database:
            database.execute(statement)
            database.commit()
        again = opened(tmp_path)
        assert again.made("c", "f" * 64) == 7, statement
        assert [one.number for one in again.exhibits("c")] == ["C-0001", "C-0002"]
        assert again.proof(7, whole=True).entry.evidence == "f" * 64
        assert again.append(drafts(1))[0].exhibit == "C-0001", statement
        assert again.check().passed
        again.close()


def test_a_ledger_that_was_changed_for_a_while_loses_no_exhibit(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.close()
    ledger = opened(tmp_path)
    ledger.append(drafts(1, "f" * 64))
    data = ledger.path.read_bytes()
    lines = data.splitlines(keepends=True)
    ledger.path.write_bytes(b"".join([lines[0], *lines[:0:-1]]))
    with pytest.raises(Tampered):
        ledger.exhibits("c")
    ledger.path.write_bytes(data)
    assert ledger.append(drafts(1))[0].exhibit == "C-0001"
    assert ledger.check().passed


def test_a_record_that_was_edited_in_the_index_is_not_shown_and_is_named(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.exhibits("c")
    ledger.close()
    with closing(sqlite3.connect(ledger.index.path)) as database:
        database.execute("UPDATE exhibits SET record = replace(record, 'C-0001', 'C-0009')")
        database.commit()
    assert [one.number for one in opened(tmp_path).exhibits("c")] == ["C-0001"]
    assert "record of C-0001 was changed" in ledger.check().clause("exhibits").detail


def test_hashes_that_were_edited_are_not_believed(ledger: Ledger, tmp_path: Path) -> None:
    for path in ledger.tree.folder.iterdir():
        path.write_bytes(bytes(len(path.read_bytes())))
    assert opened(tmp_path).proof(3).entry.sequence == 3
    assert "hashes/00" in ledger.check().clause("tree").where


def test_a_whole_proof_finds_what_was_done_to_other_entries(ledger: Ledger, tmp_path: Path) -> None:
    data = ledger.path.read_bytes()
    lines = data.splitlines(keepends=True)
    swapped = [*lines[:3], lines[4], lines[3], *lines[5:]]
    edited = [*lines[:4], dsse.line_of(*forged(lines[4])) + b"\n", *lines[5:]]
    for changed in (swapped, edited):
        ledger.path.write_bytes(b"".join(changed))
        with pytest.raises(Tampered, match=r"not those that the head signs|removed or swapped"):
            opened(tmp_path).proof(2, whole=True)
    ledger.path.write_bytes(data)
    assert opened(tmp_path).proof(2, whole=True).size == 6


def test_a_removed_entry_among_those_that_wait_for_the_disk_is_not_written_over(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(drafts(1), durable=False)
    ledger.size()
    ledger.append(drafts(1), durable=False)
    ledger.close()
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join([*lines[:6], lines[7]]))
    with pytest.raises(Tampered, match="number 8"):
        opened(tmp_path).append(drafts(1))


def test_lost_entries_stay_named_and_do_not_hide_behind_a_missing_mark(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(drafts(2), durable=False)
    cut(ledger, 7)
    opened(tmp_path).append(drafts(1))
    assert ledger.check().clause("losses").state is State.FAIL
    cut(ledger, 7)
    ledger.durable.unlink()
    with pytest.raises(Tampered, match="cut off"):
        opened(tmp_path).append(drafts(1))


def test_a_word_of_a_newer_version_is_no_sign_that_the_ledger_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that runs on while a newer version is installed beside it says what is the case."""
    newer = opened(tmp_path)
    newer.append(drafts(2))
    newer.close()
    older = opened(tmp_path)
    known = {name: verb for name, verb in clock._VERBS.items() if verb is not Verb.ACQUIRED}
    with monkeypatch.context() as patch:
        patch.setattr(clock, "_VERBS", known)
        for look in (older.size, lambda: older.append(drafts(1))):
            with pytest.raises(Conflict, match="a newer one has written it"):
                look()
        assert older.check().passed
    assert older.size() == 3, "the newer version reads it all"


@pytest.mark.parametrize("step", range(1, 8))
def test_a_kill_while_the_key_is_made_does_not_lock_the_ledger(
    home: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    class Killed(BaseException):
        pass

    left = step

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                raise Killed
            return real(*given, **named)

        return called

    path = home / "keys" / "ledger.pem"
    with monkeypatch.context() as patched:
        for owner, name in ((os, "open"), (os, "fsync"), (Path, "replace")):
            patched.setattr(owner, name, dying(getattr(owner, name)))
        with pytest.raises(Killed):
            FileSigner(path).make()
    again = FileSigner(path)
    if not again.exists():
        again.make()
    assert again.sign_many([b"x"])
    assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.pem", "ledger.vkey"]
    with pytest.raises(Storage, match="File exists"):
        again.make()
