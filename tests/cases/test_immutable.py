# SPDX-License-Identifier: Apache-2.0
"""The immutable flag of the vault's own folder: what it refuses is really tried, as root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.cases.immutable import Marking
from locard.evidence import Content, own
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict
from locard.settings import Settings
from tests.cases.test_placement import read, take

ANA = Hand("ana")


@pytest.fixture
def able(desk: Desk) -> Iterator[Desk]:
    """A desk whose folder can have the flag, which is off again at the end."""
    desk.vault.prepare()
    folder = desk.placement.folder()
    assert folder is not None
    if fault := folder.flag_fault():
        pytest.skip(f"no immutable flag here: {fault}")
    yield desk
    folder.mark(False)


def lies(desk: Desk, evidence: str) -> Path:
    return desk.settings.vault / "objects" / evidence[:2] / evidence[2:]


def refused(path: Path, away: Path) -> bool:
    """Whether nothing that root may try changes the file."""
    for attempt in (
        path.unlink,
        lambda: path.write_bytes(b"y"),
        lambda: path.chmod(0o600),
        lambda: path.rename(away),
        lambda: os.link(path, away),
        lambda: os.truncate(path, 0),
    ):
        try:
            attempt()
        except PermissionError:
            continue
        return False
    return True


def verbs(desk: Desk) -> list[str]:
    return [str(one.verb) for one in desk.vault.ledger.entries()]


def test_on_is_for_what_is_there_and_what_comes_and_off_takes_it_off(
    able: Desk, tmp_path: Path
) -> None:
    before = take(able, b"before")
    assert not refused(lies(able, take(able, b"not yet")), tmp_path / "away")
    marked = able.storage.immutable(True, who=ANA)
    after = take(able, b"after")
    assert marked.failed == () and marked.changed >= 1
    for one in (before, after):
        assert refused(lies(able, one), tmp_path / "away")
        assert able.vault.stat(one).protection == "read-only, immutable flag"
    assert read(able, before) == b"before" and take(able, b"before") == before
    assert list(able.vault.incoming.iterdir()) == []
    found = able.storage.look()
    assert (found.immutable, found.flagged) == ("on", found.objects)
    assert "only root can take it off" in found.protection
    assert able.storage.immutable(True, who=ANA).changed == 0

    assert able.storage.immutable(False, who=ANA).changed == found.objects
    assert not refused(lies(able, after), tmp_path / "away")
    assert able.storage.look().flagged == 0
    assert [one for one in verbs(able) if one.startswith("immutable")] == [
        Verb.IMMUTABLE_SET, Verb.IMMUTABLE_SET, Verb.IMMUTABLE_LIFTED,
    ]  # fmt: skip


def test_another_process_obeys_at_once(able: Desk, tmp_path: Path) -> None:
    other = Desk(Settings(home=able.settings.home, workers=1))
    take(other, b"first")
    able.storage.immutable(True, who=ANA)
    assert refused(lies(other, take(other, b"second")), tmp_path / "away")
    other.close()


def test_what_was_cut_off_is_done_again(able: Desk, tmp_path: Path) -> None:
    one = take(able, b"one")
    able.storage.immutable(True, who=ANA)
    folder = able.placement.folder()
    assert folder is not None
    folder.mark(False)  # as when it had been killed after the switch
    assert able.storage.immutable(True, who=ANA).changed == 1
    assert refused(lies(able, one), tmp_path / "away")


def test_another_name_of_a_flagged_file_is_taken_away_and_the_flag_stays(
    able: Desk, tmp_path: Path
) -> None:
    able.storage.immutable(True, who=ANA)
    one = take(able, b"one")
    store = able.placement.folder()
    assert store is not None and store.spool is not None
    for name in (store.spool / own.named("x"), tmp_path / "blocks"):
        store.mark(False)
        os.link(lies(able, one), name)
        store.mark(True)  # as another process does between a link and the end of the name
        kept, new = store.place(one, name, Content(one, 3))
        assert not new and kept.protection == "read-only, immutable flag"
        assert name.is_symlink() or not name.exists()
    store.mark(False)
    os.link(lies(able, one), left := store.spool / "1.1-x")
    store.mark(True)
    able.vault.prepare()
    assert not left.exists() and read(able, one) == b"one"


def test_disposal_and_moving_take_it_off_where_they_must(able: Desk, tmp_path: Path) -> None:
    gone, moved = take(able, b"gone"), take(able, b"moved")
    able.storage.immutable(True, who=ANA)
    able.vault.dispose(gone, case="c", actor="bo", reason="t", shared=False)
    assert not lies(able, gone).exists()
    old = able.placement.folder()
    assert old is not None
    done = able.storage.move(f"file://{tmp_path}/there?immutable=off", who="ana")
    assert done.switched and done.flagged and read(able, moved) == b"moved"
    assert old.mark(False) == (1, [])


def test_an_encrypted_vault_has_it_too(able: Desk, tmp_path: Path) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    keys = able.settings.keys
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "age.txt").write_text(str(identity))
    sealed = Desk(Settings(home=able.settings.home, workers=1, encrypt=str(identity.to_public())))
    evidence = take(sealed, b"sealed")
    sealed.storage.immutable(True, who=ANA)
    (path,) = lies(sealed, evidence).parent.glob("*.age")
    assert refused(path, tmp_path / "away") and read(sealed, evidence) == b"sealed"
    sealed.close()


def test_a_bucket_has_a_lock_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(Settings(home=home, workers=1))
    monkeypatch.setattr(desk.placement, "folder", lambda: None)
    with pytest.raises(Conflict, match="which is no folder"):
        Marking(desk.vault, desk.placement, True, ANA).run()
    desk.close()


def test_who_may_not_is_told_so_and_nothing_is_switched(able: Desk, home: Path) -> None:
    if (program := shutil.which("setpriv")) is None:
        pytest.skip("no setpriv here, which takes the right away from root")
    evidence = take(able, b"one")
    able.close()

    def without(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, "--bounding-set=-linux_immutable", sys.executable, "-m",
             "locard.cli.main", *command],
            env=os.environ | {"LOCARD_HOME": str(home)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    told = without("vault", "immutable", "on")
    assert told.returncode and "The immutable flag cannot be switched in" in told.stderr
    assert "needs root" in told.stderr and "Traceback" not in told.stderr
    assert Verb.IMMUTABLE_SET not in verbs(able) and able.storage.look().immutable == "off"
    able.storage.immutable(True, who=ANA)
    script = (
        "import sys; from pathlib import Path; from locard.evidence import LocalStore\n"
        "from locard.model.errors import Denied\n"
        "try: LocalStore(Path(sys.argv[1])).remove(sys.argv[2])\n"
        "except Denied as error: print(error.message)\n"
    )
    tried = subprocess.run(
        [program, "--bounding-set=-linux_immutable", sys.executable, "-c", script,
         str(home / "vault"), evidence],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "has the immutable flag, and this process may not take it off" in tried.stdout
    assert lies(able, evidence).exists()


def test_the_advice_is_given_to_who_could_and_has_not_chosen(able: Desk) -> None:
    assert "locard vault immutable on" in able.storage.advice()
    able.storage.immutable(True, who=ANA)
    assert able.storage.advice() == ""
    able.storage.immutable(False, who=ANA)
    assert able.storage.advice() == "", "off was chosen"
