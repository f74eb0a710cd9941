# SPDX-License-Identifier: Apache-2.0
"""A vault that is full or read-only: a sentence, status 2, and the same command goes on later."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cases.trails import trail
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
    vault, out = home / "vault", tmp_path / "out"
    out.mkdir()
    script = """
mount -t tmpfs -o size=5m tmpfs "$1" || exit 77
"$2" -m locard.cli.main add c "$3" 2> "$4/said"; echo $? > "$4/status"
mount -o remount,size=100m "$1" || exit 77
"$2" -m locard.cli.main add c "$3" --json > "$4/again" && "$2" -m locard.cli.main evidence c --json
"""
    try:
        ran = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", vault, sys.executable, packed, out],
            env={**os.environ, "LOCARD_HOME": str(home)}, capture_output=True, text=True,
        )  # fmt: skip
        if ran.returncode == 77:
            pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
        said = (out / "said").read_text()
        assert (out / "status").read_text().strip() == "2", said
        assert f"The disk of the vault {vault}" in said and "is full" in said
        assert "run the same command again" in said
        assert ran.returncode == 0, ran.stderr
        evidence = json.loads(ran.stdout)["evidence"]
        assert [one["stage"] for one in evidence] == ["unpacked"] + ["not parsed"] * 4
    finally:
        stop_store(home)


def test_a_full_home_is_said_to_be_full_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """Also where SQLite only says that it could not write."""
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    out.mkdir()
    first, second = (trail(tmp_path / name, range(n, n + 9)) for n, name in ((0, "a"), (50, "b")))
    script = """
mount -t tmpfs -o size=60m tmpfs "$1" || exit 77
"$2" -m locard.cli.main add c "$3" > "$5/first" || exit 1
cat /dev/zero > "$1/filler" 2> "$5/filled"
for words in "add c $4" "search c --count" "case hold c --reason why" "cases"; do
  "$2" -m locard.cli.main $words >> "$5/out" 2>> "$5/said"; echo $? >> "$5/status"
done
rm "$1/filler"
"$2" -m locard.cli.main add c "$4" > "$5/again" && "$2" -m locard.cli.main verify > "$5/verified" &&
"$2" -m locard.cli.main case hold c --reason why && "$2" -m locard.cli.main search c --count
status=$?
kill $("$2" -c "import json; print(json.load(open('$1/timeline/store.json'))['pid'])")
exit $status
"""
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", home, sys.executable, first, second, out],
        env={**os.environ, "LOCARD_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    if ran.returncode == 77:
        pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
    said = (out / "said").read_text()
    assert (out / "status").read_text().split() == ["2"] * 4, said
    assert said.count(f"The disk of the state file {home / 'state.sqlite'} is full") == 4, said
    assert (out / "out").read_text() == ""
    assert (ran.returncode, ran.stdout.splitlines()[0][:6]) == (0, "Hold 1"), ran.stderr
    assert ran.stdout.split()[-1] == "18"


def test_a_read_only_vault_makes_no_case(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "vault").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("a")
    still = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
    status, said = mounted(still, home, "add", "c", tmp_path / "a.txt")
    assert status == 2
    assert "is read-only" in said
    assert run(home, "cases", "--json").json == []
