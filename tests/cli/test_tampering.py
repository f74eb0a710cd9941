# SPDX-License-Identifier: Apache-2.0
"""A byte, a row or an entry changed by hand: `locard prove` names the step and exits 1."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.timeline import schema
from locard.timeline.client import Client
from locard_verify import dsse
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


def test_a_copy_that_still_holds_the_record_is_said(
    locard: Locard, home: Path, tmp_path: Path
) -> None:
    locard("add", "c", trail(tmp_path / "a.json", range(5)))
    other = trail(tmp_path / "b.json", range(3))
    locard("add", "c", other)
    event = str(locard("search", "c", "action:DeleteObject", "--limit", 1, "--json").json["id"])
    whole = locard("prove", event, "--json").json
    assert (whole["passed"], whole["steps"][-1]["name"]) == (True, "Further place 1")
    assert "holds the same record" in whole["steps"][-1]["detail"]
    named = whole["steps"][-1]["detail"][:16]
    first, second = sorted(
        (one for one in (home / "vault" / "objects").rglob("*") if one.is_file()),
        key=lambda one: (one.parent.name + one.name).startswith(named),
    )
    overwrite(first, b"bucket-0", b"bucket-1")
    damaged = locard("prove", event)
    assert (damaged.status, "FAIL  Stored bytes" in damaged.out) == (1, True)
    assert "pass  Further place 1" in damaged.out
    assert damaged.out.rstrip().endswith("The record is still held by 1 further place.")
    overwrite(first, b"bucket-1", b"bucket-0")
    overwrite(second, b"bucket-0", b"bucket-1")
    told = locard("prove", event)
    assert (told.status, "FAIL  Further place 1" in told.out) == (0, True)
    assert told.out.rstrip().endswith("1 further place of the record did not hold.")


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


def entry_of(home: Path, number: int) -> tuple[Path, list[bytes]]:
    ledger = home / "vault" / "ledger" / "entries"
    lines = ledger.read_bytes().splitlines(keepends=True)
    assert len(lines) >= number
    return ledger, lines


def checked(locard: Locard) -> str:
    """What `custody --check` says is wrong."""
    found = locard("custody", "c", "--check")
    assert found.status == 1
    return str(found.err)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"actor":"ana"', b'"actor":"bob"'), (b'"verb":"acquired"', b'"verb":"exported"')],
)
def test_the_entry_of_the_evidence(
    proved: tuple[Locard, str], home: Path, old: bytes, new: bytes
) -> None:
    locard, event = proved
    ledger, lines = entry_of(home, 2)
    found = dsse.read_line(lines[1][:-1])
    assert old in found.payload
    line = dsse.line_of(found.payload.replace(old, new), found.keyid, found.signature)
    ledger.write_bytes(b"".join([lines[0], line + b"\n", *lines[2:]]))
    name, detail = failing(locard, event)
    assert name == "Custody ledger"
    assert "entry 2: its signature does not fit its text" in detail
    assert "entry 2 was changed: its signature does not fit (entries, line 2)" in checked(locard)


def test_another_custody_entry_is_named_by_the_check(
    proved: tuple[Locard, str], home: Path
) -> None:
    locard, _ = proved
    ledger, lines = entry_of(home, 3)
    found = dsse.read_line(lines[2][:-1])
    payload = found.payload.replace(b'"actor":"ana"', b'"actor":"bob"')
    line = dsse.line_of(payload, found.keyid, found.signature)
    ledger.write_bytes(b"".join([*lines[:2], line + b"\n", *lines[3:]]))
    assert "entry 3 was changed" in checked(locard)


def test_a_line_that_was_put_in(proved: tuple[Locard, str], home: Path) -> None:
    locard, event = proved
    ledger, lines = entry_of(home, 2)
    ledger.write_bytes(lines[0] + b"\n" + b"".join(lines[1:]))
    assert failing(locard, event)[0] == "Custody ledger"
    assert "it is not a custody entry: it is not an envelope (entries, line 2)" in checked(locard)


def test_a_custody_entry_that_was_taken_out(proved: tuple[Locard, str], home: Path) -> None:
    locard, event = proved
    ledger, (first, _, *rest) = entry_of(home, 3)
    ledger.write_bytes(first + b"".join(rest))
    assert failing(locard, event)[0] == "Custody ledger"
    assert "entry 2 is missing here: entry 3 stands in its place" in checked(locard)


def test_a_cut_tail_is_not_hidden_by_what_comes_after(
    proved: tuple[Locard, str], home: Path
) -> None:
    locard, event = proved
    ledger, lines = entry_of(home, 3)
    ledger.write_bytes(b"".join(lines[:2]))
    refused = locard("export", "c", "--format", "csv")
    assert refused.status == 1
    assert "cut off" in refused.err
    assert "cut off" in failing(locard, event)[1]
