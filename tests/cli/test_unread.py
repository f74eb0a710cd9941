# SPDX-License-Identifier: Apache-2.0
"""Answers that nobody reads to the end, and answers that no disk takes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ANSWERS = {
    "search": ["search", "c"],
    "search as JSON": ["search", "c", "--json"],
    "export": ["export", "c"],
    "export as CSV": ["export", "c", "--format", "csv"],
}


def _begun(home: Path, arguments: list[str], output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "locard.cli.main", *arguments],
        env={**os.environ, "LOCARD_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_reader_that_goes_is_no_finding(filled: Path, answer: str) -> None:
    read, write = os.pipe()
    running = _begun(filled, ANSWERS[answer], write)
    os.close(write)
    os.close(read)
    _, said = running.communicate(timeout=PATIENCE)
    assert (running.returncode, b"Traceback" in said) == (141, False), said


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_full_disk_below_the_answer_is_said(filled: Path, answer: str) -> None:
    with Path("/dev/full").open("wb") as full:
        running = _begun(filled, ANSWERS[answer], full.fileno())
        _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 2, said
    assert b"No space left on device" in said
    assert b"Traceback" not in said
