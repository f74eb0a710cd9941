# SPDX-License-Identifier: Apache-2.0
"""A vault that is full or read-only: a sentence, status 2, and the same command goes on later."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.conftest import stop_store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


def mounted(mount: str, home: Path, *arguments: object) -> tuple[int, str]:
    """Run a command where something was mounted by a shell command, which no one else sees."""
    vault = home / "vault"
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && shift && exec "$@"', "sh", str(vault),
         sys.executable, "-m", "locard.cli.main", *map(str, arguments)],
        env={**os.environ, "LOCARD_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    if "mount" in ran.stderr:
        pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
    return ran.returncode, ran.stderr


def test_members_that_fill_the_vault_stop_the_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "vault").mkdir(parents=True)
    packed = tmp_path / "packed.zip"
    block = os.urandom(20_000)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.bin", (bytes([number]) + block) * 200)
    try:
        small = 'mount -t tmpfs -o size=5m tmpfs "$1"'
        status, said = mounted(small, home, "add", "c", packed)
        assert status == 2
        assert f"The disk of the vault {home / 'vault'} is full" in said
        assert "run the same command again" in said
        again = run(home, "add", "c", packed, "--json")
        assert again.status == 0, again
        evidence = run(home, "evidence", "c", "--json").json["evidence"]
        assert [one["stage"] for one in evidence] == ["unpacked"] + ["not parsed"] * 4
    finally:
        stop_store(home)


def test_a_read_only_vault_makes_no_case(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "vault").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("a")
    still = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
    status, said = mounted(still, home, "add", "c", tmp_path / "a.txt")
    assert status == 2
    assert "is read-only" in said
    assert run(home, "cases", "--json").json == []
