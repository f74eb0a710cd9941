# SPDX-License-Identifier: Apache-2.0
"""Paths as evidence and scripts bring them: odd names, links, devices, folders with nothing in."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.cases.trails import trail
from tests.cli.conftest import Locard


def test_a_name_that_is_not_utf_8(locard: Locard, tmp_path: Path) -> None:
    made = trail(tmp_path / "a.json", range(3))
    odd = tmp_path / os.fsdecode(b"\xff\xfe.json")
    made.rename(odd)
    (tmp_path / os.fsdecode(b"l\xffink")).symlink_to(odd)
    ran = locard("add", "c", odd, tmp_path, "--host", os.fsdecode(b"h\xff"), "--json")
    assert (ran.status, ran.json["events"]) == (0, 3)
    assert ran.json["passed_over"] == [
        f"{tmp_path}/l\\xffink: a link, not followed",
        f"{locard.home}: what Locard keeps itself (LOCARD_HOME)",
    ]


def test_what_locard_keeps_is_no_evidence(locard: Locard, tmp_path: Path) -> None:
    trail(tmp_path / "a.json", range(3))
    for _ in range(2):  # the second finds a vault, a ledger and a store there
        ran = locard("add", "c", tmp_path, "--json")
        assert (ran.status, ran.json["files"]) == (0, 1)
        assert ran.json["passed_over"] == [f"{locard.home}: what Locard keeps itself (LOCARD_HOME)"]
    ran = locard("add", "c", locard.home, "--json")
    assert (ran.status, ran.json["files"], len(ran.json["passed_over"])) == (0, 0, 1)


def test_an_empty_path_is_not_the_folder_that_one_is_in(
    locard: Locard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail(tmp_path / "a.json", range(3))
    monkeypatch.chdir(tmp_path)
    ran = locard("add", "c", "")
    assert ran.status == 2
    assert "One of the paths is empty" in ran.err
    assert locard("cases", "--json").json == []
    assert locard("add", "c", ".", "--json").json["events"] == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [("x" * 300, "cannot be reached: File name too long"), ("to-nothing", "a link to nothing"),
     ("circle", "a link to circle")],
)  # fmt: skip
def test_a_path_that_leads_nowhere(locard: Locard, tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "to-nothing").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    ran = locard("add", "c", tmp_path / path)
    assert ran.status == 2
    assert words in ran.err
    assert "Did you mean" not in ran.err
    assert locard("cases", "--json").json == []


def test_a_folder_without_a_file_is_said(locard: Locard, tmp_path: Path) -> None:
    (tmp_path / "hollow" / "inside").mkdir(parents=True)
    ran = locard("add", "c", tmp_path / "hollow")
    assert ran.status == 1
    assert "empty: hollow: there is nothing in it" in ran.err


def test_what_is_no_file_is_passed_over(locard: Locard, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    trail(folder / "a.json", range(3))
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "socket"))
    passed = {"pipe": "not a regular file", "socket": "not a regular file"}
    if os.geteuid() == 0:
        # A copy of another machine's device opens this machine's disk.
        os.mknod(folder / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 200))
        passed["disk"] = "not a regular file"
    ran = locard("add", "c", folder, "--json")
    assert (ran.status, ran.json["files"], ran.json["events"]) == (0, 1, 3)
    assert set(ran.json["passed_over"]) == {f"{folder}/{n}: {why}" for n, why in passed.items()}


def test_a_pipe_that_is_named_is_refused(locard: Locard, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        ran = locard("add", "c", path)
        assert ran.status == 2
        assert "neither a file nor a folder" in ran.err and "into a file first" in ran.err
    assert locard("cases", "--json").json == []


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read_is_told(locard: Locard, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    trail(folder / "a.json", range(3))
    trail(folder / "b.json", range(3)).chmod(0)
    ran = locard("add", "c", folder)
    assert ran.status == 1
    assert "cannot be read: in/b.json: cannot be opened: Permission denied" in ran.err
