# SPDX-License-Identifier: Apache-2.0
"""A ledger on a disk that is full or read-only: refused in a sentence, and nothing half written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")

SETUP = """
import json, os, shutil, sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from locard.model.errors import Storage
from tests.evidence.test_ledger import drafts, opened

DISK = Path(sys.argv[1])

@contextmanager
def full(pages):
    '''The disk has room for so many pages more.'''
    filler = DISK / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - pages * 4096))
    yield
    filler.unlink()

def said(work):
    '''What was said against it, or nothing.'''
    try:
        work()
    except Storage as error:
        return error.message
    return ""

def tell(**found):
    print(json.dumps(found), flush=True)

LONG = [replace(one, reason="x" * 1500) for one in drafts(1)]
"""
FIRST = """
for pages in range(36):
    home = DISK / f"home{pages}"
    with full(pages):
        why = said(lambda: opened(home).append(drafts(2)))
    written = (home / "ledger" / "entries").exists() and len(list(opened(home).entries()))
    again = opened(home)
    again.append(drafts(1, "a" * 64))
    again.settle()
    tell(pages=pages, why=why, before=written, after=len(list(again.entries())),
         passed=again.check().passed)
    shutil.rmtree(home)
"""
LATER = """
home = DISK / "home"
ledger = opened(home)
ledger.append(drafts(3))
for pages in range(12):
    for known in (True, False):
        if not known:
            ledger.close()
            ledger = opened(home)
        refused = 0
        with full(pages):
            for _ in range(12):
                before = ledger.path.read_bytes(), ledger.head.read_bytes()
                if why := said(lambda: ledger.append(LONG, durable=known)):
                    refused += 1
                    assert (ledger.path.read_bytes(), ledger.head.read_bytes()) == before, why
                    assert "cannot be written" in why, why
        ledger.append(drafts(1))
        ledger.settle()
        tell(pages=pages, refused=refused, passed=ledger.check().passed,
             entries=len(list(ledger.entries())) == ledger.size())
"""
READ_ONLY = """
home = DISK / "home"
before = opened(home)
before.append(drafts(3))
before.size()
before.close()
assert os.system(f"mount -o remount,ro {DISK}") == 0
still = opened(home)
entries = len(list(still.entries()))
why = said(lambda: still.append(drafts(1)))
assert os.system(f"mount -o remount,rw {DISK}") == 0
still.append(drafts(1))
tell(entries=entries, why=why, after=len(list(still.entries())), passed=still.check().passed)
"""


def ran(script: str, disk: Path) -> list[dict[str, object]]:
    """What a script tells that has a small disk of its own."""
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=2m tmpfs "$1" || exit 77; exec "$2" -c "$3" "$1"'
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", disk, sys.executable, SETUP + script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode == 77:
        pytest.skip(f"this machine does not let us mount: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_the_first_entries_of_all(tmp_path: Path) -> None:
    told = ran(FIRST, tmp_path / "disk")
    assert {bool(one["why"]) for one in told} == {True, False}, told
    words = ("No space left on device", "disk is full", "cannot be written")
    assert all(any(word in str(one["why"]) for word in words) for one in told if one["why"]), told
    assert all(one["passed"] for one in told), told
    assert all(one["before"] in (False, 0, 3) for one in told), told
    assert all(one["after"] == (one["before"] or 1) + 1 for one in told), told


def test_further_entries_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    told = ran(LATER, tmp_path / "disk")
    assert sum(bool(one["refused"]) for one in told) > 10, told
    assert all(one["passed"] and one["entries"] for one in told), told


def test_a_read_only_ledger_is_read_and_not_written(tmp_path: Path) -> None:
    (told,) = ran(READ_ONLY, tmp_path / "disk")
    assert "Read-only file system" in str(told["why"])
    assert (told["entries"], told["after"], told["passed"]) == (4, 5, True)
