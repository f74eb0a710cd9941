# SPDX-License-Identifier: Apache-2.0
"""Where evidence is kept: settings, what is remembered, and moving between folders."""

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from locard import providers
from locard.cases.desk import Desk
from locard.evidence import own
from locard.evidence.place import Place
from locard.model.custody import Verb
from locard.model.errors import Conflict, Error, Tampered
from locard.model.evidence import Origin
from locard.settings import Settings, from_environment
from tests.cases.dying import killed_after


def take(desk: Desk, data: bytes, case: str = "c") -> str:
    desk.vault.prepare()
    origin = Origin(name="a.log")
    put = desk.vault.put(io.BytesIO(data), origin, case=case, actor="ana", reason="t")
    desk.vault.settle()
    return put.evidence.id


def read(desk: Desk, evidence: str) -> bytes:
    with desk.vault.open(evidence, case="c", actor="bo", reason="t") as file:
        return file.read()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://user:secret@bucket/x", "must not carry credentials"),
        ("s3://bucket/x?aws_secret_access_key=x", "must not carry credentials"),
        ("azure://c?sas=sv=2024", "must not carry credentials"),
        ("bucket", "is no place"),
        ("ftp://there/x", "no store behind ftp://"),
        ("s3://bucket?retian=7y", "no option 'retian'"),
        ("s3://bucket?retain=seven", "no time to keep evidence"),
        ("s3://bucket?lock=maybe", "neither on nor off"),
        ("file:///x?immutabel=on", "no option 'immutabel'"),
    ],
)
def test_a_place_that_will_not_do_is_a_sentence(home: Path, text: str, said: str) -> None:
    desk = Desk(Settings(home=home, workers=1, place=text))
    with pytest.raises(Error, match=said):
        desk.vault.prepare()
    desk.close()


def test_a_mistyped_option_gets_the_nearest() -> None:
    with pytest.raises(Error) as caught:
        providers.connect(Place.of("s3://bucket?retian=7y"))
    assert caught.value.advice == "Did you mean retain?"


@pytest.mark.parametrize(
    ("place", "module", "extra"),
    [("s3://b?retain=1d", "boto3", "aws"), ("age", "pyrage", "age")],
)
def test_without_the_extra_it_says_what_to_install(
    home: Path, tmp_path: Path, place: str, module: str, extra: str
) -> None:
    script = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from locard.cli.main import outcome\n"
        "sys.exit(outcome(['add', 'c', sys.argv[2]]))"
    )
    (tmp_path / "a.log").write_text("x")
    key = str(pyrage.x25519.Identity.generate().to_public())
    said = {"LOCARD_ENCRYPT": key} if place == "age" else {"LOCARD_VAULT": place}
    run = subprocess.run(
        [sys.executable, "-c", script, module, str(tmp_path / "a.log")],
        env=os.environ | {"LOCARD_HOME": str(home)} | said,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert f"needs {module}, which is not installed" in run.stderr
    assert f"pip install 'locard[{extra}]'" in run.stderr


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    found = from_environment(
        {
            "LOCARD_HOME": str(tmp_path),
            "LOCARD_VAULT": "s3://b/p?retain=7y",
            "LOCARD_ENCRYPT": "kms:alias/x",
            "LOCARD_AGE_IDENTITY": str(tmp_path / "k"),
        }
    )
    assert (found.place, found.encrypt) == ("s3://b/p?retain=7y", "kms:alias/x")
    assert found.age_identity == tmp_path / "k"


def test_the_place_is_remembered_and_another_one_refused(home: Path, tmp_path: Path) -> None:
    first = f"file://{tmp_path}/one?immutable=off"
    desk = Desk(Settings(home=home, workers=1, place=first))
    evidence = take(desk, b"x")
    assert (tmp_path / "one" / "objects" / evidence[:2] / evidence[2:]).read_bytes() == b"x"
    desk.close()
    later = Desk(Settings(home=home, workers=1))
    assert read(later, evidence) == b"x"
    later.close()
    other = Desk(Settings(home=home, workers=1, place=f"file://{tmp_path}/two?immutable=off"))
    with pytest.raises(Conflict, match=r"LOCARD_VAULT says .*/two, but .* in .*/one"):
        read(other, evidence)
    other.close()


def test_a_vault_that_has_evidence_is_not_left_behind_by_a_setting(
    desk: Desk, home: Path, tmp_path: Path
) -> None:
    evidence = take(desk, b"x")
    other = Desk(replace(desk.settings, place=f"file://{tmp_path}/two?immutable=off"))
    with pytest.raises(Conflict):
        take(other, b"y")
    moved = other.storage.move(f"file://{tmp_path}/two?immutable=off", who="ana")
    assert moved.switched
    assert read(other, evidence) == b"x"
    other.close()


def test_a_broken_file_is_a_sentence(home: Path) -> None:
    home.mkdir()
    (home / "vault.toml").write_text("place = ")
    desk = Desk(Settings(home=home, workers=1))
    with pytest.raises(Error, match="cannot be understood"):
        desk.vault.prepare()
    desk.close()


def test_moving_checks_every_hash_writes_every_copy_and_others_notice(
    desk: Desk, tmp_path: Path
) -> None:
    server = Desk(desk.settings)
    pieces = {take(desk, f"piece {n}".encode(), case) for n in range(20) for case in ("c", "d")}
    desk.vault.store.hold(min(pieces), True)
    until = time.time_ns() // 10**9 * 10**9 + 10**15
    desk.vault.store.retain(max(pieces), until)
    assert read(server, min(pieces))
    moved = desk.storage.move(f"file://{tmp_path}/there?immutable=off", who="ana")
    assert (moved.copied, moved.before, moved.failed, moved.switched) == (20, 0, [], True)
    assert server.vault.store.address == f"file://{tmp_path}/there"
    assert server.vault.stat(min(pieces)).held
    assert server.vault.stat(max(pieces)).until == until
    entries = list(desk.vault.ledger.entries())
    for verb in (Verb.COPIED, Verb.STORED):
        told = [(one.evidence, one.case) for one in entries if one.verb is verb]
        assert sorted(told) == sorted((one, case) for one in pieces for case in ("c", "d"))
    assert entries[-1].verb is Verb.VAULT_MOVED
    new = take(server, b"after")
    assert (tmp_path / "there" / "objects" / new[:2] / new[2:]).exists()
    found = desk.storage.look()
    assert (found.objects, found.recorded, found.missing) == (21, 21, [])
    with pytest.raises(Conflict, match="already"):
        desk.storage.move(f"file://{tmp_path}/there?immutable=off", who="ana")
    server.close()


def test_what_was_altered_is_named_and_nothing_switched(desk: Desk, tmp_path: Path) -> None:
    good, bad = take(desk, b"good"), take(desk, b"bad")
    path = desk.settings.vault / "objects" / bad[:2] / bad[2:]
    path.chmod(0o600)
    path.write_bytes(b"b0d")
    moved = desk.storage.move(f"file://{tmp_path}/there?immutable=off", who="ana")
    assert not moved.switched
    (fault,) = moved.failed
    assert fault.startswith(bad) and "were changed" in fault
    assert [one.evidence for one in desk.vault.ledger.entries() if one.verb is Verb.FAILED] == [bad]
    assert desk.vault.store.address == desk.settings.vault.as_uri()
    path.write_bytes(b"bad")
    again = desk.storage.move(f"file://{tmp_path}/there?immutable=off", who="ana")
    assert (again.copied, again.before, again.switched) == (1, 1, True)
    assert read(desk, good) == b"good"


def test_a_killed_move_goes_on_where_it_stopped(desk: Desk, tmp_path: Path) -> None:
    pieces = {take(desk, os.urandom(2 << 20)) for _ in range(40)}
    target = f"file://{tmp_path}/there?immutable=off"
    writing = "locard.cases.moving:Moving:_write"
    killed_after(3, writing, desk.settings.home, "vault", "move", target)
    before = sum(1 for one in desk.vault.ledger.entries() if one.verb is Verb.STORED)
    assert 3 <= before < 40
    moved = desk.storage.move(target, who="ana")
    assert moved.switched and moved.before == before and moved.copied == 40 - before
    stored = [one.evidence for one in desk.vault.ledger.entries() if one.verb is Verb.STORED]
    assert sorted(stored) == sorted(pieces)
    assert all(len(read(desk, one)) == 2 << 20 for one in pieces)
    assert desk.vault.ledger.check().passed
    assert list((tmp_path / "there" / "incoming").iterdir()) == []


def test_moving_can_encrypt_on_the_way(desk: Desk, tmp_path: Path) -> None:
    evidence = take(desk, b"secret bytes")
    identity = pyrage.x25519.Identity.generate()
    keys = desk.settings.home / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "age.txt").write_text(f"{identity}\n")
    moved = desk.storage.move(
        f"file://{tmp_path}/there?immutable=off", str(identity.to_public()), who="ana"
    )
    assert moved.switched
    (stored,) = (p for p in (tmp_path / "there" / "objects").rglob("*") if p.is_file())
    assert stored.name.endswith(".age") and b"secret" not in stored.read_bytes()
    assert read(desk, evidence) == b"secret bytes"
    assert desk.storage.look().encrypted == str(identity.to_public())
    back = desk.storage.move(f"file://{tmp_path}/back?immutable=off", "", who="ana")
    assert back.switched and not desk.storage.look().encrypted
    assert (tmp_path / "back" / "objects" / evidence[:2] / evidence[2:]).exists()


def test_what_is_missing_is_named(desk: Desk) -> None:
    evidence = take(desk, b"x")
    desk.vault.store.remove(evidence)
    assert desk.storage.look().missing == [evidence]


@pytest.mark.skipif(os.geteuid() != 0, reason="the immutable flag needs root")
def test_the_immutable_flag_holds_against_root(tmp_path: Path, home: Path) -> None:
    desk = Desk(Settings(home=home, workers=1, place=f"file://{tmp_path}/there"))
    desk.vault.prepare()
    if "without the immutable flag" in desk.vault.store.describe():
        pytest.skip(desk.vault.store.describe())
    evidence = take(desk, b"x")
    path = tmp_path / "there" / "objects" / evidence[:2] / evidence[2:]
    try:
        assert desk.vault.stat(evidence).protection == "read-only, immutable flag"
        for attempt in (
            path.unlink,
            lambda: path.write_bytes(b"y"),
            lambda: path.chmod(0o600),
            lambda: path.rename(tmp_path / "away"),
        ):
            with pytest.raises(PermissionError):
                attempt()
        assert not desk.vault.put(
            io.BytesIO(b"x"), Origin(name="b"), case="c", actor="a", reason="t"
        ).new
        assert read(desk, evidence) == b"x"
    finally:
        desk.vault.store.remove(evidence)
    assert not path.exists()
    desk.close()


def test_altered_bytes_are_tampered_wherever_they_lie(desk: Desk) -> None:
    evidence = take(desk, b"x")
    path = desk.settings.vault / "objects" / evidence[:2] / evidence[2:]
    path.chmod(0o600)
    path.write_bytes(b"y")
    with pytest.raises(Tampered):
        desk.vault.verify(evidence, case="c", actor="a", reason="t")


MARK = b"nobody else's business, in the clear. "

PUTTING = """
import sys, time
from pathlib import Path
from locard.cases.desk import Desk
from locard.model.evidence import Origin
from locard.settings import Settings

class Slow:
    '''Two MiB, and then nothing for as long as the process lives.'''
    def __init__(self): self.left = 2
    def read(self, size):
        if self.left == 0: print('waiting', flush=True); time.sleep(600)
        self.left -= 1
        return (sys.argv[3].encode() * (size // len(sys.argv[3]) + 1))[:size]

desk = Desk(Settings(home=Path(sys.argv[1]), workers=1, encrypt=sys.argv[2]))
desk.vault.prepare()
desk.vault.put(Slow(), Origin(name='a'), case='c', actor='ana', reason='t')
"""


def in_the_clear(home: Path) -> list[Path]:
    """The files below a home in which the mark can be read."""
    files = (path for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if MARK in path.read_bytes()]


def test_what_a_kill_leaves_in_the_clear_is_gone_when_the_vault_is_used_next(home: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "age.txt").write_text(str(identity))
    process = subprocess.Popen(
        [sys.executable, "-c", PUTTING, home, recipient, MARK.decode()],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = in_the_clear(home)
    assert left.parent == home / "vault" / "incoming"

    other = Desk(Settings(home=home, workers=1, encrypt=recipient))
    evidence = take(other, MARK * 100_000)
    assert in_the_clear(home) == [] and list(other.vault.incoming.iterdir()) == []
    assert read(other, evidence) == MARK * 100_000
    assert in_the_clear(home) == [], "a copy for a reader has no name"
    other.close()


def test_another_process_with_the_number_of_a_killed_one_does_not_keep_its_files(
    desk: Desk,
) -> None:
    desk.vault.prepare()
    pid, ours = os.getpid(), desk.vault.incoming / own.named("x")
    other = desk.vault.incoming / f"{pid}.{int(own.started(pid)) - 1}-x"
    for path in (ours, other):
        path.write_bytes(MARK)
    desk.vault.prepare()
    assert ours.exists() and not other.exists()
