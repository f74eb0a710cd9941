# SPDX-License-Identifier: Apache-2.0
"""A file that its source has filled becomes the evidence: what is hashed is what it holds."""

import os
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.evidence import Vault
from locard.evidence.arrival import Arrival
from locard.evidence.flushing import EVERY
from locard.evidence.local import LocalStore
from locard.evidence.sealed import Sealed
from locard.evidence.sparse import CHUNK
from locard.evidence.store import Fixed
from locard.model.errors import Storage, Tampered, Unreadable
from locard.model.evidence import Origin
from tests.evidence.test_sealed import age

PIECE = 64 << 10


class Filled:
    """A source with a file of its own, which says and holds what a test wants."""

    def __init__(self, file: Path, said: bytes, held: bytes | None = None) -> None:
        self.lies_in, self._said, self._at = file, said, 0
        if held is not None:
            file.write_bytes(held)

    def read(self, size: int, /) -> bytes:
        """The next piece."""
        found = self._said[self._at : self._at + min(size, PIECE)]
        self._at += len(found)
        return found


def put(vault: Vault, source: Filled) -> str:
    taken = vault.put(source, Origin(name="disk.raw"), case="c", actor="ana", reason="test")
    vault.settle()
    return taken.evidence.id


def stored(vault: Vault, evidence: str) -> Path:
    return vault.folder / "objects" / evidence[:2] / evidence[2:]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "home" / "vault")
    vault.prepare()
    return vault


pieces = st.lists(st.sampled_from([0, 1, 2]), max_size=6).map(
    lambda found: b"".join(bytes([one]) * PIECE for one in found)
)


@given(said=pieces, held=pieces, rest=st.binary(max_size=50), finished=st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_the_file_held_it_holds_what_was_hashed(
    said: bytes, held: bytes, rest: bytes, *, finished: bool
) -> None:
    said += rest
    with TemporaryDirectory() as folder:
        file = Path(folder, "blocks")
        source = Filled(file, said, held)
        before = file.stat().st_ino
        if finished:
            file.chmod(0o444)
            os.link(file, Path(folder, "in-a-store"))
        with Arrival(Path(folder, "arrival"), source) as arrival:
            found = arrival.fill()
            assert found.id == sha256(said).hexdigest()
        assert file.read_bytes() == said
        assert file.stat().st_mode & 0o777 == 0o444
        if finished:
            assert Path(folder, "in-a-store").read_bytes() == held
            assert (file.stat().st_ino == before) is (held == said)
        assert sorted(one.name for one in Path(folder).iterdir() if one.name != "in-a-store") == [
            "blocks"
        ]


def test_the_file_itself_is_in_the_vault_and_its_name_leads_there(
    vault: Vault, tmp_path: Path
) -> None:
    file, data = tmp_path / "blocks", os.urandom(3 * PIECE)
    source = Filled(file, data, data)
    inode = file.stat().st_ino
    evidence = put(vault, source)
    status = stored(vault, evidence).stat()
    assert (status.st_ino, status.st_nlink, status.st_mode & 0o777) == (inode, 1, 0o444)
    assert file.readlink() == stored(vault, evidence).absolute()
    assert list(vault.incoming.iterdir()) == []
    assert vault.verify(evidence, case="c", actor="ana", reason="t").id == evidence
    again = vault.put(
        Filled(file, data), Origin(name="disk.raw"), case="c", actor="ana", reason="carried on"
    )
    assert not again.new and stored(vault, evidence).stat().st_nlink == 1


def test_an_attempt_that_was_killed_between_link_and_name_is_finished(
    vault: Vault, tmp_path: Path
) -> None:
    file, data = tmp_path / "blocks", os.urandom(3 * PIECE)
    source = Filled(file, data, data)
    evidence = sha256(data).hexdigest()
    stored(vault, evidence).parent.mkdir(parents=True)
    file.chmod(0o444)
    os.link(file, stored(vault, evidence))
    assert put(vault, source) == evidence
    assert file.is_symlink() and stored(vault, evidence).stat().st_nlink == 1


def test_what_is_stored_is_never_written_to_through_the_name(vault: Vault, tmp_path: Path) -> None:
    file, data = tmp_path / "blocks", os.urandom(3 * PIECE)
    first = put(vault, Filled(file, data, data))
    other = data[:PIECE] + bytes(PIECE) + data[2 * PIECE :]
    second = put(vault, Filled(file, other))
    assert second == sha256(other).hexdigest()
    for evidence in (first, second):
        assert vault.verify(evidence, case="c", actor="ana", reason="t").id == evidence


def test_a_source_that_breaks_keeps_its_file(vault: Vault, tmp_path: Path) -> None:
    class Breaks(Filled):
        def read(self, size: int, /) -> bytes:
            if self._at >= PIECE:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = os.urandom(3 * PIECE)
    file = tmp_path / "blocks"
    with pytest.raises(Unreadable, match="Input/output error"):
        put(vault, Breaks(file, data, data))
    assert file.read_bytes() == data and file.stat().st_mode & 0o200
    assert list(vault.ledger.entries()) == []


def test_a_vault_on_another_disk_gets_a_copy_that_is_checked(tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if Path(elsewhere).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("/dev/shm is on the disk of the temporary files here.")
        vault = Vault(tmp_path / "home" / "vault", Fixed(LocalStore(Path(elsewhere, "store"))))
        vault.prepare()
        file = tmp_path / "blocks"
        data = os.urandom(PIECE) + bytes(40 * CHUNK) + os.urandom(PIECE)
        evidence = put(vault, Filled(file, data, data))
        kept = Path(elsewhere, "store", "objects", evidence[:2], evidence[2:])
        assert kept.read_bytes() == data and kept.stat().st_blocks * 512 < 4 * CHUNK
        assert not file.is_symlink() and file.read_bytes() == data

        other = Filled(tmp_path / "other", b"as it came" * PIECE, b"as it came" * PIECE)
        with vault.arriving(other) as arrival:
            arrival.fill()
            arrival.path.chmod(0o644)
            arrival.path.write_bytes(b"changed")
            with pytest.raises(Tampered, match="changed on its way"):
                vault.keep(arrival, Origin(name="x"), case="c", actor="ana", reason="t")


def test_long_evidence_is_flushed_while_it_comes(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    flush = os.fdatasync

    def counted(descriptor: int) -> None:
        synced.append(descriptor)
        flush(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    data = os.urandom(CHUNK) * ((EVERY >> 20) + 1)
    put(vault, Filled(tmp_path / "blocks", data, data))
    assert synced


def test_a_disk_that_refuses_in_the_background_is_heard_of(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refuses)
    data = os.urandom(CHUNK) * ((EVERY >> 20) + 1)
    with pytest.raises(Storage, match="Input/output error"):
        put(vault, Filled(tmp_path / "blocks", data, data))
    assert list(vault.ledger.entries()) == []


def test_the_immutable_flag_and_a_disposal_reach_what_was_adopted(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", immutable=True)
    if "without the immutable flag" in store.describe():
        pytest.skip("This machine does not let us set the immutable flag: it needs root and ext4.")
    vault = Vault(tmp_path / "home" / "vault", Fixed(store))
    vault.prepare()
    folder = tmp_path / "run"
    folder.mkdir()
    data = os.urandom(3 * PIECE)
    evidence = put(vault, Filled(folder / "blocks", data, data))
    try:
        assert store.stat(evidence).protection == "read-only, immutable flag"
        assert (folder / "blocks").is_symlink(), "its name can go with the folder of the run"
        shutil.rmtree(folder)
        assert vault.holds(evidence)
    finally:
        store.remove(evidence)
    assert list(tmp_path.rglob("blocks")) == []


def test_an_encrypted_vault_keeps_no_plain_bytes_of_it(tmp_path: Path) -> None:
    seal = age(tmp_path)
    sealed = Sealed(LocalStore(tmp_path / "store"), [seal])
    vault = Vault(tmp_path / "home" / "vault", Fixed(sealed))
    vault.prepare()
    data = os.urandom(3 * PIECE)
    left = tmp_path / "run" / f"blocks{seal.suffix}"
    left.parent.mkdir()
    left.write_bytes(b"left by an attempt that was killed while it encrypted")
    evidence = put(vault, Filled(tmp_path / "run" / "blocks", data, data))
    assert not left.exists() and not (tmp_path / "run" / "blocks").is_symlink()
    (kept,) = (tmp_path / "store").glob("objects/??/*")
    assert data[:100] not in kept.read_bytes()
    with vault.open(evidence, case="c", actor="ana", reason="t") as file:
        assert file.read() == data
