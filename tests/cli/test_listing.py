# SPDX-License-Identifier: Apache-2.0
"""Lists of what a case holds: no name and no reason is cut off, on a pipe or a narrow terminal."""

import base64
import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.cases.trails import trail
from tests.cli.conftest import Locard

NAME = "a-folder-with-a-long-name/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/trail.json"


def test_a_pipe_gets_the_whole_table(locard: Locard, tmp_path: Path) -> None:
    trail(tmp_path / NAME, range(3))
    locard("add", "c", tmp_path / NAME.partition("/")[0])
    ran = locard("evidence", "c")
    head, row = ran.out.splitlines()
    assert head.split()[:2] == ["sha256", "name"]
    assert NAME in row
    assert row.split()[-3:] == ["3", "3", "0"]


def test_a_name_of_an_attacker_does_not_make_the_table_unreadable(
    locard: Locard, tmp_path: Path
) -> None:
    trail(tmp_path / "trail.json", range(3))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "trail.json", "n" * 5000)
    assert locard("add", "c", tmp_path / "a.zip").status == 0
    assert all(len(line) < 500 for line in locard("evidence", "c").out.splitlines())
    assert any("nnn…" in line for line in locard("evidence", "c").out.splitlines())
    names = [one["name"] for one in locard("evidence", "c", "--json").json["evidence"]]
    assert max(map(len, names)) > 4000


def test_a_narrow_terminal_gets_paragraphs(locard: Locard, tmp_path: Path) -> None:
    trail(tmp_path / NAME, range(3))
    locard("add", "c", tmp_path / NAME.partition("/")[0])
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "wb") as end:
        subprocess.run(
            [sys.executable, "-m", "locard.cli.main", "evidence", "c"],
            env={**os.environ, "LOCARD_HOME": str(locard.home), "COLUMNS": "70", "TERM": "dumb"},
            stdout=end, check=True,
        )  # fmt: skip
        said = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert NAME in said.replace("\r\n", "")
    assert "seen 3" in said


def test_a_checked_ledger_as_json_is_json(locard: Locard, tmp_path: Path) -> None:
    locard("add", "c", trail(tmp_path / "trail.json", range(3)))
    ran = locard("custody", "c", "--check", "--json")
    assert ran.json[0]["case"] == "c"
    assert "ledger holds: " in ran.err


def test_events_as_json_hold_all_bytes_of_a_record(locard: Locard, tmp_path: Path) -> None:
    """As an export does: what is no text of UTF-8 is there in base64 too."""
    records = [
        b'{"time":"2026-03-01T10:00:00Z","message":"a\xff\xfeb"}',
        b'{"time":"2026-03-01","b":1}',
    ]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(records))
    locard("add", "c", tmp_path / "log.jsonl")
    binary, text = sorted(locard("search", "c", "--json").lines, key=lambda row: -len(row))
    assert base64.b64decode(binary["raw_base64"]) == records[0]
    assert (text["raw"].encode(), "raw_base64" in text) == (records[1], False)
