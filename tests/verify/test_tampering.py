# SPDX-License-Identifier: Apache-2.0
"""Files of a real vault, edited as somebody with all rights would: the clause and the place named.

Each kind of tampering is tried on a copy of one vault with two cases, a derived exhibit, three
checkpoints and their time stamps.
"""

import base64
import io
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from locard.evidence import Draft, Vault
from locard.evidence.authority import Authority
from locard.evidence.signing import FileSigner
from locard.evidence.stamping import Stamping
from locard.model.custody import Hand, Verb
from locard.model.evidence import Origin
from locard_verify import command, dsse, stretches
from locard_verify.examine import KEPT
from locard_verify.keys import read_key
from locard_verify.ledger import gather
from locard_verify.stamp import certificates
from locard_verify.vault import verify_vault
from locard_verify.verdict import State, Verdict
from tests.evidence.authority import LocalAuthority

ANA = Hand("ana", "page", "192.0.2.7", "a browser")


def fill(home: Path, authority: LocalAuthority | None) -> Vault:
    vault = Vault(home / "vault")
    vault.prepare()
    stamping = Stamping(vault.ledger)
    if authority is not None:
        known = Authority.at(authority.url, (authority.root.read_bytes(),))
        stamping.set(known, ANA, "test", test=False)
    for case in ("one", "two"):
        parent = put(vault, case, b"archive of " + case.encode())
        put(vault, case, b"member of " + case.encode(), parent=parent, member="in/a.log")
        with vault.open(parent, case=case, actor=ANA, reason="look") as file:
            assert file.read()
        stamping.checkpoint()
    vault.ledger.append([Draft(ANA, Verb.EXPORTED, "", "two", "all of it")])
    stamping.checkpoint()
    return vault


def put(vault: Vault, case: str, data: bytes, **origin: str) -> str:
    taken = vault.put(
        io.BytesIO(data), Origin(name="a.log", **origin), case=case, actor=ANA, reason="test"
    )
    return taken.evidence.id


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose vault nobody touches."""
    folder = tmp_path_factory.mktemp("whole")
    authority = LocalAuthority(folder / "tsa")
    home = folder / "home"
    home.mkdir()
    vault = fill(home, authority)
    vault.ledger.index.catch_up()
    vault.ledger.close()
    shutil.copy(authority.root, home / "root.pem")
    authority.close()
    yield home


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "home"))


def verified(home: Path, **others: object) -> Verdict:
    """The verdict of somebody who got key and root certificate elsewhere."""
    trusted = [read_key((home / "trusted.vkey").read_text())]
    roots = certificates((home / "root.pem").read_bytes())
    return verify_vault(home / "vault", trusted, roots, **others)  # type: ignore[arg-type]


def failed(home: Path, **others: object) -> dict[str, tuple[str, str]]:
    """What failed: by clause, what is wrong and where."""
    verdict = verified(home, **others)
    assert not verdict.passed
    return {one.name: (one.detail, one.where) for one in verdict.clauses if one.state is State.FAIL}


def ledger(home: Path) -> Path:
    return home / "vault" / "ledger"


def lines(home: Path) -> list[bytes]:
    return (ledger(home) / "entries").read_bytes().splitlines(keepends=True)


def rewrite(home: Path, changed: list[bytes]) -> None:
    (ledger(home) / "entries").write_bytes(b"".join(changed))


def edited(line: bytes, old: bytes, new: bytes, signer: FileSigner | None = None) -> bytes:
    """The entry with another text, and its old signature unless somebody signs it anew."""
    found = dsse.read_line(line[:-1])
    assert old in found.payload
    payload = found.payload.replace(old, new)
    keyid, signature = found.keyid, found.signature
    if signer is not None:
        keyid, (signature,) = signer.key.keyid, signer.sign_many([dsse.pae(payload)])
    return dsse.line_of(payload, keyid, signature) + b"\n"


def overwrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(change(data))


def stored(home: Path, number: int = 0) -> Path:
    return sorted(path for path in (home / "vault" / "objects").rglob("*") if path.is_file())[
        number
    ]


def test_a_clean_vault_passes_every_clause(home: Path) -> None:
    verdict = verified(home)
    assert {one.name: one.state for one in verdict.clauses} == dict.fromkeys(
        ("format", "sequence", "signatures", "keys", "identity", "tree", "consistency",
         "time stamps", "clock", "losses", "exhibits", "transfers", "evidence"),
        State.PASS,
    )  # fmt: skip


def test_without_anything_of_the_readers_what_was_not_compared_is_said(home: Path) -> None:
    verdict = verify_vault(home / "vault")
    assert verdict.passed
    assert verdict.clause("identity").state is State.NOT_CHECKED
    assert "not compared" in verdict.clause("identity").detail
    key = read_key((home / "trusted.vkey").read_text())
    assert key.fingerprint in verdict.clause("identity").detail
    assert "the roots kept beside the ledger" in verdict.clause("time stamps").detail


def test_several_processes_find_what_one_finds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "ALONE", 0)
    monkeypatch.setattr(stretches, "stretches", lambda path, size: _small(path, size))
    assert verified(home, processes=2).passed
    changed = lines(home)
    changed[4], changed[5] = changed[5], changed[4]
    rewrite(home, changed)
    assert failed(home, processes=2) == failed(home, processes=1)


_stretches = stretches.stretches


def _small(path: Path, size: int) -> list[tuple[int, int]]:
    found = _stretches(path, size, 3_000)
    assert len(found) > 3
    return found


def test_a_byte_of_evidence(home: Path) -> None:
    path = stored(home)
    overwrite(path, lambda data: data.replace(b" of ", b" 0f "))
    detail, where = failed(home)["evidence"]
    assert "were changed" in detail
    assert where == f"objects/{path.parent.name}/{path.name}"


def test_evidence_that_is_gone(home: Path) -> None:
    path = stored(home)
    path.unlink()
    detail, where = failed(home)["evidence"]
    assert "are missing" in detail
    assert where == f"objects/{path.parent.name}/{path.name}"


def test_the_text_of_an_entry(home: Path) -> None:
    changed = lines(home)
    changed[2] = edited(changed[2], b'"actor":"ana"', b'"actor":"bob"')
    rewrite(home, changed)
    found = failed(home)
    assert found["signatures"] == (
        "entry 3 was changed: its signature does not fit",
        "entries, line 3",
    )
    assert "are not those that the head signs" in found["tree"][0]


def test_the_text_of_an_entry_signed_anew_with_the_stolen_key(home: Path) -> None:
    """Signature and number fit; the tree, and with it every checkpoint, does not."""
    signer = FileSigner(home / "keys" / "ledger.pem")
    changed = lines(home)
    changed[2] = edited(changed[2], b'"actor":"ana"', b'"actor":"bob"', signer)
    rewrite(home, changed)
    found = failed(home)
    assert "signatures" not in found
    assert found["tree"][1] in ("head", "hashes/00")
    assert "are not those that it signs" in found["consistency"][0]
    assert found["consistency"][1].startswith("checkpoints/")


def test_the_form_of_an_entry(home: Path) -> None:
    changed = lines(home)
    changed[2] = json.dumps(json.loads(changed[2])).encode() + b"\n"
    rewrite(home, changed)
    detail, where = failed(home)["format"]
    assert "not an envelope" in detail
    assert where == "entries, line 3"


def test_an_entry_taken_out_of_the_middle(home: Path) -> None:
    changed = lines(home)
    del changed[4]
    rewrite(home, changed)
    assert failed(home)["sequence"] == (
        "entry 5 is missing here: entry 6 stands in its place",
        "entries, line 5",
    )


def test_a_tail_that_was_cut_off(home: Path) -> None:
    changed = lines(home)
    rewrite(home, changed[:-2])
    found = failed(home)
    assert "the last 2 entries were cut off" in found["tree"][0]
    assert found["tree"][1] == "head"


def test_a_tail_that_was_cut_off_with_the_head_set_back(home: Path) -> None:
    """The older head is a checkpoint that was signed; the later checkpoints give it away."""
    notes = sorted((ledger(home) / "checkpoints").glob("*.note"))
    rewrite(home, lines(home)[: int(notes[0].stem)])
    shutil.copy(notes[0], ledger(home) / "head")
    found = failed(home)
    assert "tree" not in found
    assert "others are gone" in found["consistency"][0]
    assert found["consistency"][1] == f"checkpoints/{notes[1].name}"


def test_all_set_back_to_an_older_state_is_told_by_a_checkpoint_kept_elsewhere(home: Path) -> None:
    notes = sorted((ledger(home) / "checkpoints").glob("*.note"))
    kept = notes[-1].read_bytes()
    rewrite(home, lines(home)[: int(notes[0].stem)])
    shutil.copy(notes[0], ledger(home) / "head")
    for path in (ledger(home) / "checkpoints").iterdir():
        if path.stem != notes[0].stem:
            path.unlink()
    (ledger(home) / "checkpoints" / f"{notes[0].stem}.tsr").unlink()
    (ledger(home) / "checkpoints" / f"{notes[0].stem}.gap").write_text("{}")
    (ledger(home) / "index.sqlite").unlink()
    assert verified(home).passed, "nothing that lies there can tell"
    detail, where = failed(home, kept=[kept])["consistency"]
    assert "others are gone" in detail
    assert where == "checkpoint 1 that you kept"


def test_two_entries_swapped(home: Path) -> None:
    changed = lines(home)
    changed[4], changed[5] = changed[5], changed[4]
    rewrite(home, changed)
    found = failed(home)
    assert found["sequence"][1] == "entries, line 5"
    assert "clock" in found


def test_an_entry_put_in_twice(home: Path) -> None:
    changed = lines(home)
    rewrite(home, [*changed[:5], changed[4], *changed[5:]])
    detail, where = failed(home)["sequence"]
    assert "entry 5 stands where entry 6 belongs: swapped or repeated" in detail
    assert where == "entries, line 6"


def test_the_whole_ledger_rebuilt_with_a_new_key(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    fill(other, None).ledger.close()
    shutil.rmtree(ledger(home))
    shutil.copytree(ledger(other), ledger(home))
    found = failed(home)
    assert set(found) == {"identity"}
    assert "begun with another key than the trusted one" in found["identity"][0]


def test_an_entry_signed_with_a_key_that_none_introduced(home: Path, tmp_path: Path) -> None:
    stranger = FileSigner(tmp_path / "stranger.pem")
    key = stranger.make(read_key((home / "trusted.vkey").read_text()).name)
    changed = lines(home)
    changed[2] = edited(changed[2], b'"actor":"ana"', b'"actor":"bob"', stranger)
    rewrite(home, changed)
    assert failed(home)["keys"] == ("entry 3 is signed by an unknown key", "entries, line 3")
    (ledger(home) / "keys" / "stranger.vkey").write_text(key.vkey)
    assert "which no entry before introduced" in failed(home)["keys"][0]


def test_a_key_that_was_taken_away(home: Path) -> None:
    for path in (ledger(home) / "keys").iterdir():
        path.unlink()
    assert "is signed by an unknown key" in _without_trust(home)["keys"][0]


def _without_trust(home: Path) -> dict[str, tuple[str, str]]:
    verdict = verify_vault(home / "vault")
    return {one.name: (one.detail, one.where) for one in verdict.clauses if one.state is State.FAIL}


def test_a_checkpoint_of_another_log(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    vault = fill(other, None)
    note = sorted((vault.ledger.folder / "checkpoints").glob("*.note"))[0]
    ours = sorted((ledger(home) / "checkpoints").glob("*.note"))[0]
    ours.write_bytes(note.read_bytes())
    detail, where = failed(home)["consistency"]
    assert "a checkpoint of another log" in detail
    assert where == f"checkpoints/{ours.name}"


def test_a_checkpoint_under_the_name_of_another(home: Path) -> None:
    first, second, *_ = sorted((ledger(home) / "checkpoints").glob("*.note"))
    shutil.copy(first, second)
    assert "under another name" in failed(home)["consistency"][0]


def bare(tmp_path: Path) -> Vault:
    """A vault without a time-stamping authority; its ledger is in use by this process."""
    home = tmp_path / "bare"
    home.mkdir()
    return fill(home, None)


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_checkpoint_that_was_taken_away(tmp_path: Path, which: int) -> None:
    vault = bare(tmp_path)
    note = sorted((vault.ledger.folder / "checkpoints").glob("*.note"))[which]
    note.unlink()
    found = vault.ledger.check().clause("consistency")
    assert found.state is State.FAIL and found.where == f"checkpoints/{note.name}"
    (made,) = (
        one
        for one in vault.ledger.entries()
        if one.verb is Verb.CHECKPOINT_KEPT and int(one.details["checkpoint"]) == int(note.stem)
    )
    assert found.detail == f"the checkpoint that entry {made.sequence} names is missing"


def test_all_checkpoints_that_were_taken_away(tmp_path: Path) -> None:
    vault = bare(tmp_path)
    shutil.rmtree(vault.ledger.folder / "checkpoints")
    found = vault.ledger.check().clause("consistency")
    assert found.state is State.FAIL and "and 2 more" in found.detail


def test_a_checkpoint_with_more_on_it_than_was_made(tmp_path: Path) -> None:
    vault = bare(tmp_path)
    note = sorted((vault.ledger.folder / "checkpoints").glob("*.note"))[0]
    witness = base64.b64encode(bytes(76)).decode()
    note.write_bytes(note.read_bytes() + f"\u2014 witness.example {witness}\n".encode())
    detail = vault.ledger.check().clause("consistency").detail
    assert detail.startswith("it is not the checkpoint that entry")


def add(vault: Vault) -> None:
    vault.ledger.append([Draft(ANA, Verb.VIEWED, "", "one", "a look")])


def emptied(_head: bytes, _older: bytes) -> bytes:
    return b""


def of_earlier(_head: bytes, older: bytes) -> bytes:
    return older


def of_nonsense(head: bytes, _older: bytes) -> bytes:
    return head.replace(b"a", b"b") * 3


def of_much(_head: bytes, _older: bytes) -> bytes:
    return b"\xff" * (1 << 20)


@pytest.mark.parametrize("change", [emptied, of_earlier, of_nonsense, of_much])
@pytest.mark.parametrize("deed", ["append", "checkpoint", "settle"])
def test_a_head_that_changes_while_the_ledger_is_in_use_is_an_entry_and_named(
    tmp_path: Path, change: Callable[[bytes, bytes], bytes], deed: str
) -> None:
    vault = bare(tmp_path)
    older = vault.ledger.head.read_bytes()
    add(vault)
    size = vault.ledger.size()
    put_there = change(vault.ledger.head.read_bytes(), older)
    vault.ledger.head.write_bytes(put_there)
    match deed:
        case "append":
            add(vault)
        case "checkpoint":
            vault.ledger.checkpoint()
        case _:
            vault.ledger.settle()
    said = next(one for one in vault.ledger.entries() if one.verb is Verb.HEAD_CHANGED)
    assert said.sequence == size + 1
    assert said.details["sha256"] == sha256(put_there).hexdigest() or change is of_much
    assert len(said.details["found"]) < 2_000
    verdict = vault.ledger.check()
    assert [one.name for one in verdict.clauses if one.state is State.FAIL] == ["losses"]
    assert (
        f"the head of {size} entries was changed or emptied by another hand"
        in verdict.clause("losses").detail
    )
    vault.ledger.explain(said.sequence, ANA, "a restored backup, ticket 12")
    verdict = vault.ledger.check()
    assert verdict.passed and "ana signed for it" in verdict.clause("losses").detail
    add(vault)
    assert [one.verb for one in vault.ledger.entries()].count(Verb.HEAD_CHANGED) == 1


def test_a_head_that_is_taken_away_while_the_ledger_is_in_use_is_an_entry(tmp_path: Path) -> None:
    vault = bare(tmp_path)
    vault.ledger.head.unlink()
    add(vault)
    assert Verb.HEAD_CHANGED in [one.verb for one in vault.ledger.entries()]
    assert "was emptied" in next(
        one.reason for one in vault.ledger.entries() if one.verb is Verb.HEAD_CHANGED
    )


def test_what_another_process_adds_is_no_change_by_another_hand(tmp_path: Path) -> None:
    vault = bare(tmp_path)
    other = Vault(tmp_path / "bare" / "vault")
    for _ in range(3):
        add(other)
        add(vault)
        vault.ledger.settle()
        other.ledger.checkpoint()
    assert Verb.HEAD_CHANGED not in [one.verb for one in vault.ledger.entries()]
    assert vault.ledger.check().passed


def test_a_token_over_other_bytes(home: Path) -> None:
    first, second, *_ = sorted((ledger(home) / "checkpoints").glob("*.tsr"))
    shutil.copy(first, second)
    detail, where = failed(home)["time stamps"]
    assert "it is a token over other bytes" in detail
    assert where == f"checkpoints/{second.name}"


def test_a_token_of_an_authority_that_the_reader_does_not_trust(home: Path, tmp_path: Path) -> None:
    other = LocalAuthority(tmp_path / "other")
    other.close()
    shutil.copy(other.root, home / "root.pem")
    assert "it does not verify" in failed(home)["time stamps"][0]


def test_a_token_that_was_taken_away(home: Path) -> None:
    token = sorted((ledger(home) / "checkpoints").glob("*.tsr"))[0]
    token.unlink()
    found = failed(home)["time stamps"]
    assert "neither a time stamp nor a gap" in found[0]
    token.with_suffix(".gap").write_text("{}")
    assert "names is missing" in failed(home)["time stamps"][0]


def test_a_token_that_is_no_token(home: Path) -> None:
    token = sorted((ledger(home) / "checkpoints").glob("*.tsr"))[0]
    token.write_bytes(b"\x30\x03\x02\x01\x00")
    assert "not a time stamp response" in failed(home)["time stamps"][0]


def test_a_clock_that_was_set_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from locard.evidence import entries

    earlier = entries.now() - 86_400 * 10**9
    vault = Vault(home / "vault")
    with monkeypatch.context() as patched:
        patched.setattr("locard.evidence.ledger.now", lambda: earlier)
        vault.ledger.append([Draft(ANA, Verb.EXPORTED, "", "one", "back-dated")])
    vault.ledger.close()
    count = len(lines(home))
    detail, where = failed(home)["clock"]
    assert f"entry {count - 1} is of " in detail
    assert "the clock was set back" in detail
    assert where == f"entries, line {count - 1}"


def test_a_clock_that_was_wrong_all_the_time_is_told_by_the_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from locard.evidence import entries

    real = entries.now
    monkeypatch.setattr("locard.evidence.ledger.now", lambda: real() - 7_200 * 10**9)
    authority = LocalAuthority(tmp_path / "tsa")
    (tmp_path / "home").mkdir()
    fill(tmp_path / "home", authority).ledger.close()
    authority.close()
    shutil.copy(authority.root, tmp_path / "home" / "root.pem")
    detail, where = failed(tmp_path / "home")["clock"]
    assert "behind the authority's" in detail
    assert where.startswith("entries, entry ")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE exhibits SET record = replace(record, '\"ana\"', '\"bob\"')", "was changed"),
        ("UPDATE exhibits SET record = 'nonsense'", "was changed"),
        ("UPDATE exhibits SET evidence = 'x' WHERE number = 'ONE-0001'", "was changed"),
        ("DELETE FROM exhibits WHERE number = 'ONE-0001'", "was taken out"),
        (
            "INSERT INTO exhibits SELECT 'three', evidence, count, 'THREE-0001', sequence, "
            "replace(record, 'ONE', 'THREE') FROM exhibits WHERE number = 'ONE-0001'",
            "no entry made the exhibit THREE-0001",
        ),
        ("DELETE FROM entries WHERE sequence = 3", "it lists"),
        ("UPDATE entries SET \"case\" = 'x' WHERE sequence = 5", "what it says of entry 5 is not"),
        ("UPDATE entries SET actor = 'x' WHERE sequence = 7", "what it says of entry 7 is not"),
        ("UPDATE entries SET sequence = -sequence WHERE sequence = 4", "what it says of entry -4"),
    ],
)
def test_an_exhibit_record_edited_in_the_database(home: Path, statement: str, said: str) -> None:
    with closing(sqlite3.connect(ledger(home) / "index.sqlite")) as database:
        database.execute(statement)
        database.commit()
    detail, where = failed(home)["exhibits"]
    assert said in detail
    assert where == "index.sqlite"


def test_the_public_keys_taken_away(home: Path) -> None:
    for path in (ledger(home) / "keys").iterdir():
        path.unlink()
    detail, where = failed(home)["keys"]
    assert "is missing among the keys" in detail
    assert where == "keys"


def test_a_hash_of_the_tree(home: Path) -> None:
    overwrite(ledger(home) / "hashes" / "01", lambda data: bytes(32) + data[32:])
    assert failed(home)["tree"] == (
        "hash number 1 is not that of the entries below it",
        "hashes/01",
    )


def test_a_head_that_is_gone(home: Path) -> None:
    (ledger(home) / "head").unlink()
    assert failed(home)["tree"] == ("the head that names the last entry is missing", "head")


def test_a_ledger_that_is_gone(home: Path) -> None:
    (ledger(home) / "entries").unlink()
    assert failed(home)["format"] == ("the file of entries is missing", "entries")


def test_the_command_says_pass_and_fail_and_exits_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(home / "vault"), "--key", str(home / "trusted.vkey"), "--roots",
             str(home / "root.pem")]  # fmt: skip
    assert command.main(words) == 0
    assert "Nothing failed." in capsys.readouterr().out
    stored(home).unlink()
    assert command.main([*words, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert not said["passed"]
    assert [one["name"] for one in said["clauses"] if one["state"] == "fail"] == ["evidence"]
    assert command.main([str(home / "nothing")]) == 2


def test_a_flood_of_faults_is_counted_and_not_kept(home: Path) -> None:
    with (ledger(home) / "entries").open("ab") as file:
        file.write(b"\n" * 100_000)
    facts = gather(ledger(home))
    assert len(facts.faults["format"]) == KEPT
    assert "(and 99,999 more like it)" in failed(home)["format"][0]


@pytest.mark.parametrize("name", ["head", "keys/huge.vkey", "checkpoints/000000000005.note"])
def test_a_file_that_is_far_too_long_is_not_read_whole(home: Path, name: str) -> None:
    with (ledger(home) / name).open("ab") as file:
        file.truncate(1 << 40)
    assert set(failed(home)) & {"tree", "keys", "consistency"}
