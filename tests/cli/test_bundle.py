# SPDX-License-Identifier: Apache-2.0
"""Bundles at the command line: written, verified, taken in; killed half-way, and on a full disk."""

import subprocess
from pathlib import Path

import pytest

from tests.cases.dying import killed_after
from tests.cli.conftest import Locard, run
from tests.conftest import stop_store


def test_a_bundle_goes_from_one_command_line_to_another(c: Locard, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar"
    made = c("case", "export", "c", "--output", path, "--tar", "--to", "Lab", "--reason", "r")
    assert made.status == 0, made.err
    key = tmp_path / "sender.vkey"
    key.write_text(c("custody", "key").out)
    assert c("custody", "key", "--json").json[0]["fingerprint"] in made.out
    judged = c("verify", path, "--key", key, "--json")
    assert (judged.status, judged.json["passed"]) == (0, True)
    assert {one["name"]: one["state"] for one in judged.json["clauses"]}["identity"] == "pass"

    lab = tmp_path / "lab"
    receipt = tmp_path / "receipt.json"
    taken = run(lab, "case", "accept", path, "--key", key, "--receipt", receipt, "--json")
    try:
        assert taken.status == 0, taken.err
        assert (taken.json["exhibits"], taken.json["events"]) == (2, 100)
        assert run(lab, "verify", "c").status == 0
    finally:
        stop_store(lab)
    waiting = c("custody", "transfer", "list", "c", "--json").json
    assert [one["to"] for one in waiting] == ["Lab", "Lab"]
    closed = c("custody", "transfer", "in", "c", "--receipt", receipt, "--json")
    assert (closed.status, closed.json["exhibits"], closed.json["compared"]) == (0, 2, False)
    assert c("custody", "transfer", "list", "c", "--json").json == []


def test_verify_says_which_clause_failed_and_exits_with_one(c: Locard, tmp_path: Path) -> None:
    c("case", "export", "c", "--output", tmp_path / "b", "--reason", "r")
    (tmp_path / "b/data/marks.json").write_text("[1]")
    judged = c("verify", tmp_path / "b")
    assert judged.status == 1
    (line,) = [one for one in judged.out.splitlines() if one.startswith("FAIL")]
    assert "members" in line and "it was changed" in line and "data/marks.json" in line
    assert "NOT verified." in judged.out
    refused = c("case", "accept", tmp_path / "b", "--case", "new")
    assert refused.status == 1
    assert "nothing was taken in" in refused.err
    assert "new" not in c("cases").out.split()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["case", "export", "c", "--output", "{}/b", "--zip", "--tar"], "not both"),
        (["case", "export", "c", "--output", "{}"], "is there already"),
        (["case", "export", "c", "--output", "{}/no/b"], "There is no folder"),
        (["case", "export", "nix", "--output", "{}/b"], "There is no case called 'nix'"),
        (["case", "export", "c", "--output", "{}/b", "--exhibit", "C-9"], "has no exhibit C-9"),
        (["case", "accept", "{}/b"], "cannot be read"),
        (["verify", "{}/b"], "There is no"),
        (["verify", "{}/b", "--key", "{}/k"], "holds no verifier key"),
        (["custody", "transfer", "in", "c"], "either --transfer or --receipt"),
        (["custody", "transfer", "out", "c", "--to", " "], "who takes the exhibits over"),
    ],
)
def test_a_mistake_is_a_sentence(words: list[str], said: str, c: Locard, tmp_path: Path) -> None:
    ran = c(*(word.format(tmp_path) for word in words))
    assert ran.status in (1, 2)
    assert said in ran.err.replace("\n", " "), ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_was_killed_leaves_nothing_for_long(
    c: Locard, filled: Path, tmp_path: Path
) -> None:
    words = ["case", "export", "c", "--output", str(tmp_path / "b"), "--reason", "r"]
    killed_after(1, "locard.cases.bundle.bag:Bag:close_payload", filled, *words)
    assert [one.name[:14] for one in tmp_path.iterdir()] == [".b.unfinished-"]
    assert c(*words).status == 0
    assert [one.name for one in tmp_path.iterdir()] == ["b"]
    assert c("verify", tmp_path / "b").status == 0
    assert c("verify").status == 0


def test_a_full_disk_is_said_and_leaves_nothing(c: Locard, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", disk]).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        for form in ((), ("--zip",), ("--tar",)):
            ran = c("case", "export", "c", "--output", disk / "b", "--reason", "r", *form)
            assert ran.status == 2
            assert "is full" in ran.err and "Nothing half-written" in ran.err
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
    last = c("custody", "c", "--limit", "1", "--json").json[0]
    assert (last["verb"], last["actor"]) == ("failed", "ana")
    assert c("verify").status == 0
