# SPDX-License-Identifier: Apache-2.0
"""The vault and its ledger: two doors, and nobody passes without an entry."""

import io
import os
import resource
import subprocess
import sys
import textwrap
from hashlib import blake2b, sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.evidence import Vault
from locard.model.custody import Verb
from locard.model.errors import Missing, Storage, Tampered, Unreadable
from locard.model.evidence import Origin


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "vault")
    vault.prepare()
    return vault


def put(vault: Vault, data: bytes, name: str = "a.log", **origin: str):
    return vault.put(
        io.BytesIO(data), Origin(name=name, **origin), case="c", actor="ana", reason="test"
    )


def stored(vault: Vault, evidence: str) -> Path:
    return vault.folder / "objects" / evidence[:2] / evidence[2:]


def test_bytes_are_kept_read_only_under_their_hash(vault: Vault) -> None:
    taken = put(vault, b"every contact leaves a trace")
    assert taken.evidence.id == sha256(b"every contact leaves a trace").hexdigest()
    assert (
        taken.evidence.blake2b
        == blake2b(b"every contact leaves a trace", digest_size=32).hexdigest()
    )
    assert stored(vault, taken.evidence.id).stat().st_mode & 0o777 == 0o444
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="look") as file:
        assert file.read() == b"every contact leaves a trace"


def test_each_door_leaves_an_entry_that_says_who_and_why(vault: Vault) -> None:
    taken = put(vault, b"x")
    vault.open(taken.evidence.id, case="c", actor="bo", reason="look").close()
    entries = list(vault.ledger.entries())
    assert [(one.verb, one.actor, one.reason) for one in entries[1:]] == [
        (Verb.ACQUIRED, "ana", "test"),
        (Verb.OPENED, "bo", "look"),
    ]
    assert vault.ledger.check().passed


def test_a_member_is_derived_and_names_its_parent(vault: Vault) -> None:
    parent = put(vault, b"archive")
    member = put(vault, b"member", parent=parent.evidence.id, member="in/a.log")
    assert member.entry.verb is Verb.DERIVED
    assert member.entry.details["parent"] == parent.evidence.id


def test_the_same_bytes_again_are_held_once_and_said_twice(vault: Vault) -> None:
    first, second = put(vault, b"same"), put(vault, b"same", "b.log")
    assert (first.new, second.new) == (True, False)
    assert len(list((vault.folder / "objects").rglob("*/*"))) == 1
    assert len(list(vault.ledger.entries(evidence=first.evidence.id))) == 2


def test_an_entry_does_not_tell_that_another_case_holds_the_bytes(vault: Vault) -> None:
    put(vault, b"same")
    taken = vault.put(
        io.BytesIO(b"same"), Origin("a.log"), case="other", actor="ana", reason="test"
    )
    assert not taken.new
    assert taken.entry.previous == 0
    assert "held" not in str(taken.entry.details)


def test_zeros_become_holes(vault: Vault) -> None:
    taken = put(vault, b"head" + bytes(64 << 20) + b"tail")
    status = stored(vault, taken.evidence.id).stat()
    assert status.st_size == (64 << 20) + 8
    assert status.st_blocks * 512 < 8 << 20
    assert vault.verify(taken.evidence.id, case="c", actor="a", reason="t").id == taken.evidence.id


def test_one_changed_byte_is_noticed_and_noted(vault: Vault) -> None:
    taken = put(vault, b"every contact")
    path = stored(vault, taken.evidence.id)
    path.chmod(0o644)
    path.write_bytes(b"every c0ntact")
    with pytest.raises(Tampered, match="were changed"):
        vault.verify(taken.evidence.id, case="c", actor="a", reason="t")
    assert list(vault.ledger.entries())[-1].verb is Verb.VERIFICATION_FAILED


class Breaks:
    def __init__(self) -> None:
        self.left = 3

    def read(self, size: int, /) -> bytes:
        self.left -= 1
        if self.left == 0:
            raise OSError(5, "Input/output error")
        return b"x" * size


def test_a_source_that_breaks_leaves_nothing_half_written(vault: Vault) -> None:
    with pytest.raises(Unreadable, match="Input/output error"):
        vault.put(Breaks(), Origin(name="bad"), case="c", actor="a", reason="t")
    assert list((vault.folder / "incoming").iterdir()) == []
    assert list(vault.ledger.entries()) == []


def test_what_a_killed_process_left_is_removed(vault: Vault) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    left = vault.folder / "incoming" / f"{process.stdout.decode().strip()}-0"
    left.write_bytes(b"half")
    ours = vault.folder / "incoming" / f"{os.getpid()}-99"
    ours.write_bytes(b"at work")
    vault.prepare()
    assert not left.exists()
    assert ours.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_a_sentence_and_nothing_half_written(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import io, sys
        from pathlib import Path
        from locard.evidence import Vault
        from locard.model.errors import Storage
        from locard.model.evidence import Origin
        vault = Vault(Path(sys.argv[1])); vault.prepare()
        try:
            data = io.BytesIO(b"x" * (4 << 20))
            vault.put(data, Origin(name="a"), case="c", actor="a", reason="t")
        except Storage as error:
            print(error.message)
        print(len(list((vault.folder / "incoming").iterdir())), len(list(vault.ledger.entries())))
    """)
    disk = tmp_path / "disk"
    disk.mkdir()
    run = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1/vault"',
            "sh",
            str(disk),
            sys.executable,
            script,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in run.stderr:
        pytest.skip(f"this machine does not let us mount: {run.stderr.strip()}")
    assert "is full" in run.stdout, run.stderr
    assert run.stdout.strip().endswith("0 0")


def test_a_file_longer_than_the_system_takes_is_a_sentence(vault: Vault) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(Storage) as refused:
            put(vault, os.urandom(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "takes no file of that length" in refused.value.message
    assert list((vault.folder / "incoming").glob("*")) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting read-only needs root")
def test_a_read_only_vault_is_a_sentence(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from locard.evidence import Vault
        from locard.model.errors import Storage
        try:
            Vault(Path(sys.argv[1])).prepare()
        except Storage as error:
            print(error.message)
    """)
    folder = tmp_path / "vault"
    Vault(folder).prepare()
    run = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1"',
            "sh",
            str(folder),
            sys.executable,
            script,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in run.stderr:
        pytest.skip(f"this machine does not let us mount: {run.stderr.strip()}")
    assert "read-only" in run.stdout, run.stderr


def test_an_id_is_never_a_path(vault: Vault) -> None:
    for wrong in ("../../etc/passwd", "A" * 64, "", "0" * 63):
        with pytest.raises(Missing):
            vault.open(wrong, case="c", actor="a", reason="t")


def test_a_ledger_that_cannot_be_written_lets_nothing_out(vault: Vault) -> None:
    taken = put(vault, b"x")
    vault.ledger.path.rename(vault.ledger.path.with_suffix(".moved"))
    vault.ledger.path.mkdir()
    with pytest.raises(Storage, match="ledger"):
        vault.open(taken.evidence.id, case="c", actor="a", reason="t")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8))
def test_any_bytes_come_back_as_they_went_in(tmp_path_factory, chunks: list[bytes]) -> None:
    vault = Vault(tmp_path_factory.mktemp("home") / "vault")
    vault.prepare()
    for data in chunks:
        taken = put(vault, data)
        with vault.open(taken.evidence.id, case="c", actor="a", reason="t") as file:
            assert file.read() == data
    assert vault.ledger.check().passed
    assert vault.ledger.size() == 1 + 2 * len(chunks)
