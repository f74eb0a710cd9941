# SPDX-License-Identifier: Apache-2.0
"""Encryption at rest: nothing plain lies in the store, and nothing altered comes out of it."""

import io
import os
import subprocess
import sys
import textwrap
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.evidence import LocalStore, Vault
from locard.evidence.ciphers import Age, Cipher, Envelope
from locard.evidence.sealed import Sealed
from locard.evidence.store import Fixed
from locard.evidence.transfer import Flow, pumped
from locard.model.custody import Verb
from locard.model.errors import Error, Storage, Tampered
from locard.model.evidence import Origin

CHUNK = 1 << 20


class Locksmith:
    """A key service in the process; that of AWS is tried in tests/providers/test_kms.py."""

    key = "locksmith"

    def __init__(self) -> None:
        self.given: dict[bytes, tuple[str, bytes]] = {}

    def data_key(self, name: str) -> tuple[bytes, bytes]:
        plain, wrapped = os.urandom(32), os.urandom(16)
        self.given[wrapped] = (name, plain)
        return plain, wrapped

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        owner, plain = self.given[wrapped]
        assert owner == name
        return plain


def age(folder: Path, *, known: bool = True) -> Age:
    identity = pyrage.x25519.Identity.generate()
    path = folder / "age.txt"
    if known:
        path.write_text(f"# made for a test\n{identity}\n")
    return Age(str(identity.to_public()), path)


@pytest.fixture(params=["age", "envelope"])
def cipher(request: pytest.FixtureRequest, tmp_path: Path) -> Cipher:
    return age(tmp_path) if request.param == "age" else Envelope(Locksmith())


def vault_over(folder: Path, *ciphers: Cipher) -> Vault:
    vault = Vault(folder, Fixed(Sealed(LocalStore(folder), ciphers)))
    vault.prepare()
    return vault


def put(vault: Vault, data: bytes):
    return vault.put(io.BytesIO(data), Origin(name="a"), case="c", actor="ana", reason="t")


def sealed(cipher: Cipher, data: bytes) -> bytes:
    return b"".join(pumped(lambda sink: cipher.seal("n" * 64, io.BytesIO(data), sink)))


def unsealed(cipher: Cipher, data: bytes) -> bytes:
    return b"".join(pumped(lambda sink: cipher.unseal("n" * 64, Flow(iter([data])), sink)))


SECRET = b"every contact leaves a trace " * 40_000


@pytest.mark.parametrize("data", [b"", b"x", SECRET[:CHUNK], SECRET])
def test_what_lies_there_is_secret_and_what_comes_out_is_the_evidence(
    tmp_path: Path, cipher: Cipher, data: bytes
) -> None:
    vault = vault_over(tmp_path / "v", cipher)
    taken = put(vault, data)
    assert taken.evidence.id == sha256(data).hexdigest()
    (stored,) = (p for p in (tmp_path / "v" / "objects").rglob("*") if p.is_file())
    assert stored.name.endswith(cipher.suffix)
    assert stored.stat().st_mode & 0o777 == 0o444
    if len(data) > 30:
        assert data[:30] not in stored.read_bytes()
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="t") as file:
        assert os.pread(file.fileno(), 2 << 20, 0) == data
    assert vault.verify(taken.evidence.id, case="c", actor="bo", reason="t").id == taken.evidence.id
    assert "encrypted" in vault.stat(taken.evidence.id).kind
    assert list((tmp_path / "v" / "incoming").iterdir()) == []
    assert list(vault.store.names()) == [taken.evidence.id]
    assert not put(vault, data).new


@pytest.mark.parametrize("where", [0, 30, 300, CHUNK, -1])
def test_an_altered_byte_is_named(tmp_path: Path, cipher: Cipher, where: int) -> None:
    vault = vault_over(tmp_path / "v", cipher)
    taken = put(vault, SECRET)
    (stored,) = (p for p in (tmp_path / "v" / "objects").rglob("*") if p.is_file())
    data = bytearray(stored.read_bytes())
    data[where] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(data)
    with pytest.raises(Error):
        vault.open(taken.evidence.id, case="c", actor="a", reason="t")
    with pytest.raises(Error):
        vault.verify(taken.evidence.id, case="c", actor="a", reason="t")
    assert Verb.VERIFIED not in [one.verb for one in vault.ledger.entries()]
    assert Verb.OPENED not in [one.verb for one in vault.ledger.entries()]


def test_chunks_of_an_envelope_cannot_be_cut_swapped_or_repeated() -> None:
    cipher = Envelope(Locksmith())
    data = os.urandom(3 * CHUNK)
    whole = sealed(cipher, data)
    start = whole.index(b"\n", 20) + 1
    size = CHUNK + 16
    head, chunks = whole[:start], [whole[start + n * size :][:size] for n in range(3)]
    assert head + b"".join(chunks) == whole
    assert unsealed(cipher, whole) == data
    for wrong in ([0, 1], [1, 0, 2], [0, 1, 1, 2], [0, 2], [], [0, 1, 2, 2]):
        with pytest.raises(Tampered):
            unsealed(cipher, head + b"".join(chunks[n] for n in wrong))
    for cut in (1, 15, 16, 17, CHUNK):
        with pytest.raises(Tampered):
            unsealed(cipher, whole[:-cut])


def test_two_envelopes_share_neither_key_nor_bytes() -> None:
    cipher = Envelope(Locksmith())
    assert sealed(cipher, SECRET)[-64:] != sealed(cipher, SECRET)[-64:]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_that_claim_to_be_an_envelope_are_refused(data: bytes) -> None:
    cipher = Envelope(Locksmith())
    for claimed in (data, b"locard-envelope-1\n" + data, b'locard-envelope-1\n{"wrapped": 1}\n'):
        with pytest.raises(Tampered):
            unsealed(cipher, claimed)


def test_without_the_key_nothing_is_taken_in_and_the_loss_is_said(tmp_path: Path) -> None:
    with pytest.raises(Storage, match="no identity file") as caught:
        vault_over(tmp_path / "v", age(tmp_path, known=False))
    assert "nobody can read this evidence again" in caught.value.advice


def test_another_key_is_said_to_be_the_wrong_one(tmp_path: Path) -> None:
    vault = vault_over(tmp_path / "v", age(tmp_path))
    taken = put(vault, SECRET)
    other = age(tmp_path)
    later = Vault(tmp_path / "v", Fixed(Sealed(LocalStore(tmp_path / "v"), [other])))
    with pytest.raises(Storage, match="no identity here fits") as caught:
        later.open(taken.evidence.id, case="c", actor="a", reason="t")
    assert "AGE-SECRET-KEY" not in caught.value.message + caught.value.advice


def test_a_broken_identity_file_is_not_printed(tmp_path: Path) -> None:
    cipher = age(tmp_path)
    secret = (tmp_path / "age.txt").read_text().splitlines()[1]
    (tmp_path / "age.txt").write_text(secret[:-3])
    with pytest.raises(Error, match="no age identity") as caught:
        vault_over(tmp_path / "v", cipher)
    assert secret[:-3] not in f"{caught.value!r} {caught.value.advice} {caught.value.__cause__}"


def test_what_was_placed_plain_stays_readable(tmp_path: Path, cipher: Cipher) -> None:
    plain = Vault(tmp_path / "v")
    plain.prepare()
    taken = put(plain, b"before")
    later = vault_over(tmp_path / "v", cipher)
    with later.open(taken.evidence.id, case="c", actor="a", reason="t") as file:
        assert file.read() == b"before"
    assert not put(later, b"before").new
    after = put(later, b"after")
    assert sorted(later.store.names()) == sorted([taken.evidence.id, after.evidence.id])


def test_holds_reach_the_store_below(tmp_path: Path, cipher: Cipher) -> None:
    vault = vault_over(tmp_path / "v", cipher)
    taken = put(vault, b"x")
    assert vault.store.hold(taken.evidence.id, True).held
    with pytest.raises(Error, match="legal hold"):
        vault.store.remove(taken.evidence.id)
    vault.store.hold(taken.evidence.id, False)
    vault.store.remove(taken.evidence.id)
    assert not vault.holds(taken.evidence.id)


FULL = textwrap.dedent("""
    import io, sys
    from pathlib import Path
    from locard.evidence import LocalStore, Vault
    from locard.evidence.ciphers import Age
    from locard.evidence.sealed import Sealed
    from locard.evidence.store import Fixed
    from locard.model.errors import Storage
    from locard.model.evidence import Origin
    disk, large, recipient = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    def vault(store, home):
        sealed = Sealed(LocalStore(store), [Age(recipient, large / "k")])
        made = Vault(home / "vault", Fixed(sealed))
        made.prepare()
        return made
    def put(made, size):
        return made.put(io.BytesIO(b"x" * size), Origin(name="a"), case="c", actor="a", reason="t")
    evidence = put(vault(large / "store", large / "home"), 4 << 20).evidence.id
    small = vault(large / "store", disk / "home")
    for attempt in (
        lambda: small.open(evidence, case="c", actor="a", reason="t"),
        lambda: put(vault(disk / "store", disk / "other"), 1 << 20),
        lambda: put(vault(disk / "store", disk / "other"), 4 << 20),
    ):
        try:
            attempt()
            print("went through")
        except Storage as error:
            print(error.message)
    print(sum(1 for one in disk.rglob("incoming/*")), sum(1 for one in disk.rglob("objects/*/*")))
""")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_leaves_nothing_plain_and_nothing_half_encrypted(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "large").mkdir()
    (tmp_path / "disk").mkdir()
    (tmp_path / "large" / "k").write_text(f"{identity}\n")
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c",
         'mount -t tmpfs -o size=1700k tmpfs "$1" && exec "$2" -c "$3" "$1" "$4" "$5"', "sh",
         str(tmp_path / "disk"), sys.executable, FULL, str(tmp_path / "large"),
         str(identity.to_public())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "mount" in run.stderr:
        pytest.skip(f"this machine does not let us mount: {run.stderr.strip()}")
    lines = run.stdout.splitlines()
    assert len(lines) == 4, run.stderr
    assert all("is full" in line for line in lines[:3]), run.stdout
    assert lines[3] == "0 0"
