# SPDX-License-Identifier: Apache-2.0
"""A byte, a row or an entry changed by hand: `locard prove` names the step and exits 1."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.timeline import schema
from locard.timeline.client import Client
from tests.cases.trails import trail
from tests.cli.conftest import Locard

STEPS = ["Row", "Custody entry", "Stored bytes", "Parser", "Record", "Comparison"]


@pytest.fixture
def proved(locard: Locard, tmp_path: Path) -> tuple[Locard, str]:
    """A case of a trail in a plain file, and one of its events, which passes before anything."""
    locard("add", "c", trail(tmp_path / "trail.json", range(20)))
    event = str(locard("search", "c", "action:DeleteObject", "--limit", 1, "--json").json["id"])
    untouched = locard("prove", event, "--json")
    assert (untouched.status, untouched.json["passed"]) == (0, True)
    assert [step["name"] for step in untouched.json["steps"]] == STEPS
    return locard, event


@pytest.fixture
def store(home: Path) -> Iterator[Client]:
    """The store of the timeline, past everything that guards it."""
    client = Client(home / "timeline")
    yield client
    client.close()


def failing(locard: Locard, event: str) -> tuple[str, str]:
    """The step that fails and what it says, the same in both kinds of answer."""
    told, answered = locard("prove", event), locard("prove", event, "--json")
    assert (told.status, answered.status, answered.json["passed"]) == (1, 1, False)
    assert told.out.rstrip().endswith("NOT proved.")
    *before, last = answered.json["steps"]
    assert all(step["passed"] for step in before)
    assert not last["passed"]
    assert f"FAIL  {last['name']}" in told.out
    assert last["detail"] in told.out
    return str(last["name"]), str(last["detail"])


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes in place, as somebody with an editor and the rights would."""
    data = path.read_bytes()
    assert old in data
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(data.replace(old, new, 1))
    path.chmod(mode)


def stored(home: Path) -> Path:
    (path,) = (one for one in (home / "vault" / "objects").rglob("*") if one.is_file())
    return path


def test_an_untouched_row_says_each_step(proved: tuple[Locard, str]) -> None:
    locard, event = proved
    told = locard("prove", event)
    assert told.status == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["pass"] * len(STEPS) + [
        "Proved."
    ]


@pytest.mark.parametrize(("old", "new"), [(b"bucket-3", b"bucket-4"), (b"}]}", b"}]]")])
def test_one_byte_of_the_evidence(
    proved: tuple[Locard, str], home: Path, old: bytes, new: bytes
) -> None:
    locard, event = proved
    overwrite(stored(home), old, new)
    name, detail = failing(locard, event)
    assert name == "Stored bytes"
    assert "were changed" in detail
    verbs = [one["verb"] for one in locard("custody", "c", "--json").json]
    assert verbs[0] == "verification-failed"


def test_evidence_that_is_gone(proved: tuple[Locard, str], home: Path) -> None:
    locard, event = proved
    stored(home).unlink()
    assert failing(locard, event)[0] == "Stored bytes"


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "'mallory'"), ("raw", "concat(raw, ' ')"), ("src_ip", "'203.0.113.9'")],
)
def test_one_row(proved: tuple[Locard, str], store: Client, column: str, value: str) -> None:
    locard, event = proved
    store.command(
        f"ALTER TABLE {schema.DATABASE}.events UPDATE {column} = {value} "
        f"WHERE hex(id) = '{event.upper()}' SETTINGS mutations_sync = 2"
    )
    name, detail = failing(locard, event)
    assert (name, detail) == ("Comparison", f"the row differs from the evidence in: {column}")
    (difference,) = locard("prove", event, "--json").json["steps"][-1]["differences"]
    assert difference[0] == column
    assert difference[1] != difference[2]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b'"actor":"ana"', b'"actor":"bob"', "its hash does not fit its text"),
        (b'"verb":"acquired"', b'"verb":"exported"', "its hash does not fit its text"),
        (b"\n", b"\n\n", "is not a custody entry"),
    ],
)
def test_one_custody_entry(
    proved: tuple[Locard, str], home: Path, old: bytes, new: bytes, fault: str
) -> None:
    locard, event = proved
    overwrite(home / "vault" / "ledger.jsonl", old, new)
    name, detail = failing(locard, event)
    assert name == "Custody ledger"
    assert fault in detail
    checked = locard("custody", "c", "--check")
    assert checked.status == 1
    assert fault in checked.err


def test_a_custody_entry_that_was_taken_out(proved: tuple[Locard, str], home: Path) -> None:
    locard, event = proved
    ledger = home / "vault" / "ledger.jsonl"
    first, _, *rest = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(first + b"".join(rest))
    name, detail = failing(locard, event)
    assert name == "Custody ledger"
    assert "removed or swapped" in detail


def test_a_cut_tail_is_not_hidden_by_what_comes_after(
    proved: tuple[Locard, str], home: Path
) -> None:
    locard, event = proved
    ledger = home / "vault" / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:1]))
    refused = locard("export", "c", "--format", "csv")
    assert refused.status == 1
    assert "cut off" in refused.err
    assert "cut off" in failing(locard, event)[1]
