# SPDX-License-Identifier: Apache-2.0
"""A bag is whole or not there at all, and BagIt's own library finds it valid."""

import signal
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import bagit
import pytest

from locard.cases.bundle.bag import Bag, Form
from locard.model.errors import Conflict, Missing, Storage

FACTS = [("Source-Organization", "a laboratory\nwith two lines"), ("External-Identifier", "night")]


def write(path: Path, form: Form) -> Bag:
    with Bag(path, form) as bag:
        assert bag.put("evidence/one", iter([b"one", b"", b"two"])) == sha256(b"onetwo").hexdigest()
        bag.put("evidence/empty", [], 0)
        bag.put("evidence/sized", [b"x" * 3_000_000, b"y"], 3_000_001)
        bag.close_payload(FACTS)
        bag.tag("seal.json", b"{}")
        bag.close_tags()
    return bag


def unpacked(path: Path, form: Form, folder: Path) -> Path:
    if form is Form.FOLDER:
        return path
    if form is Form.ZIP:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    (only,) = folder.iterdir()
    return only


@pytest.mark.parametrize("form", Form)
def test_bagit_finds_it_valid(form: Form, tmp_path: Path) -> None:
    path = tmp_path / "night case.bag"
    bag = write(path, form)
    found = unpacked(path, form, tmp_path / "unpacked")
    read = bagit.Bag(str(found))
    assert read.validate()
    assert set(read.payload_files()) == set(bag.payload)
    assert read.info["Payload-Oxum"] == "3000007.3"
    assert read.info["Source-Organization"] == "a laboratory with two lines"
    assert (found / "data/evidence/sized").stat().st_size == 3_000_001
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("form", Form)
def test_what_breaks_off_leaves_nothing(form: Form, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * (1 << 20)
        raise Conflict("no more")

    with pytest.raises(Conflict), Bag(tmp_path / "bag", form) as bag:
        bag.put("evidence/one", chunks())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", Form)
def test_a_full_disk_leaves_nothing_and_says_so(form: Form, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with pytest.raises(Storage, match="is full"):
            write(disk / "bag", form)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("form", Form)
def test_a_killed_process_leaves_nothing_for_long(form: Form, tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from locard.cases.bundle.bag import Bag, Form
        with Bag(Path({str(tmp_path / "bag")!r}), Form.{form.name}) as bag:
            bag.put("evidence/one", [b"x"], 1)
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program])
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    write(tmp_path / "bag", form)
    assert [one.name for one in tmp_path.iterdir()] == ["bag"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "bag").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        write(tmp_path / "bag", Form.ZIP)
    assert (tmp_path / "bag").read_text() == "mine"
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(Conflict, match="is there already"):
        write(tmp_path / "link", Form.FOLDER)


def test_the_folder_above_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="There is no folder"):
        write(tmp_path / "no" / "bag", Form.FOLDER)
