# SPDX-License-Identifier: Apache-2.0
"""Images that are parsed while they come in: rows are seen early, and in the end are the same."""

import gzip
import lzma
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from locard.cases import ahead, scout
from locard.cases.adding import Added
from locard.cases.demo import SEED, disk
from locard.cases.desk import Desk
from locard.evidence import Arrival
from locard.model.errors import Conflict, Unreadable
from locard.parsers.decode import zstd
from locard.parsers.pool import Task
from locard.settings import Settings
from locard.timeline import STILL_COMING, Search
from tests.conftest import stop_store
from tests.parsers.test_disk import tool
from tests.waiting import eventually

SIZE = 96 << 20
Look = Callable[[Desk], None]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated disk, followed by zeros: large enough to be parsed ahead."""
    path = disk.write(tmp_path_factory.mktemp("image") / "disk.raw", SEED)
    os.truncate(path, SIZE)
    return path


def rows(desk: Desk) -> dict[str, dict[str, Any]]:
    """All rows of the case by their ids; none of them twice."""
    found: dict[str, dict[str, Any]] = {}
    for batch in desk.timeline.export(Search("c")):
        for row in batch.to_pylist():
            assert found.setdefault(row["id"], row) is row
    return found


def outcome(desk: Desk) -> list[tuple[Any, ...]]:
    """What became of the evidence of the case, and what its ledger tells."""
    held = [
        (one.id, one.name, one.parent, one.stage, one.reason, one.parser, one.seen, one.rows)
        for one in desk.evidence("c")[0]
    ]
    told = [
        (str(entry.verb), entry.evidence, entry.reason)
        for entry in desk.vault.ledger.entries(case="c")
        if str(entry.verb) not in ("searched", "viewed")
    ]
    return [*held, *sorted(told)]


def seen(desk: Desk, query: str = "") -> int:
    """How many rows somebody sees who searches now."""
    return desk.timeline.count(desk.search("c", query, who="bob")).rows


def wait_for(desk: Desk, least: int) -> None:
    """Wait until somebody sees so many rows."""
    eventually(lambda: seen(desk) >= least, f"{least} rows are not seen")


def nothing_is_left(desk: Desk) -> None:
    """No file on its way, no arrival, and no row that stands apart."""
    assert not list(desk.vault.incoming.iterdir())
    assert not list((desk.settings.home / "arriving" / "c").glob("*"))
    apart = "SELECT count() AS n FROM system.parts WHERE active AND position(partition, '/') > 0"
    assert desk.timeline._client.table(apart).to_pylist() == [{"n": 0}]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Desk]:
    """A second installation, which parses nothing ahead."""
    desk = Desk(Settings(home=tmp_path / "other", workers=2))
    yield desk
    desk.close()
    stop_store(desk.settings.home)


def plainly(desk: Desk, path: Path, monkeypatch: pytest.MonkeyPatch) -> Added:
    """Add as if nothing were ever parsed ahead."""
    with monkeypatch.context() as patch:
        patch.setattr(ahead.Ahead, "length", lambda *_: None)
        return desk.add("c", [path], who="ana")


def before_the_hash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, look: Look, *, inside: bool = False
) -> None:
    """Have `look` called while the bytes come in: before the pass, or before its last byte."""

    def first(self: Arrival) -> Any:
        if self.anywhere:
            look(desk)
        return fill(self)

    def last(self: Any, size: int, /) -> bytes:
        data = read(self, size)
        self.length = getattr(self, "length", 0) + len(data)
        if self.length == SIZE and data:
            look(desk)
        return data

    fill, read = Arrival.fill, scout.Members.read
    if inside:
        monkeypatch.setattr(scout.Members, "read", last)
    else:
        monkeypatch.setattr(Arrival, "fill", first)


def packed(image: Path, folder: Path, form: str) -> Path:
    """The image inside a compression, larger than what is too small to bother."""
    path, data = folder / f"disk.raw.{form}", image.read_bytes()
    noise = os.urandom(1 << 20)
    data = data[: SIZE - len(noise)] + noise
    if form == "zst":
        path.write_bytes(zstd.compress(data, 1))
    elif form == "xz":
        path.write_bytes(lzma.compress(data, preset=0))
    else:
        path.write_bytes(gzip.compress(data, 1))
    return path


def test_rows_of_an_image_are_seen_before_its_first_byte_was_hashed(
    desk: Desk, other: Desk, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def look(desk: Desk) -> None:
        wait_for(desk, 100)
        asked = desk.search("c", "source:linux.*", who="bob")
        page = desk.timeline.page(asked, 1)
        (row,) = page.rows
        assert (row["evidence"], row["case"]) == (STILL_COMING, "c")
        assert any("still being taken in" in note for note in page.notes)
        assert desk.event("c", row["id"], who="bob").values["evidence"] == STILL_COMING
        assert desk.context("c", row["id"], 60, 10, who="bob").rows
        for refused in (
            lambda: desk.known("c", [row["id"]]),
            lambda: desk.prove(row["id"], who="bob"),
        ):
            with pytest.raises(Conflict, match="still being taken in"):
                refused()
        assert not rows(desk), "nothing of it is in what is kept"
        assert not desk.timeline.summaries()
        looked.append(row["locator"])

    before_the_hash(desk, monkeypatch, look)
    added = desk.add("c", [image], who="ana")
    assert looked
    assert added.whole
    assert added.events == seen(desk)
    plainly(other, image, monkeypatch)
    assert rows(desk) == rows(other)
    assert outcome(desk) == outcome(other)
    nothing_is_left(desk)


@pytest.mark.parametrize("form", ["zst", "gz", "xz"])
def test_rows_of_a_compressed_image_are_seen_before_its_last_byte_is_there(
    desk: Desk,
    other: Desk,
    image: Path,
    tmp_path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, looked = packed(image, tmp_path, form), []

    def look(desk: Desk) -> None:
        wait_for(desk, 100)
        looked.append(seen(desk))

    before_the_hash(desk, monkeypatch, look, inside=True)
    desk.add("c", [path], who="ana")
    assert looked
    plainly(other, path, monkeypatch)
    assert rows(desk) == rows(other)
    assert outcome(desk) == outcome(other)
    nothing_is_left(desk)


def test_a_source_that_breaks_leaves_no_row(
    desk: Desk, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(desk: Desk) -> None:
        wait_for(desk, 100)
        raise Unreadable("The source cannot be read to its end: Input/output error.")

    before_the_hash(desk, monkeypatch, look)
    added = desk.add("c", [image], who="ana")
    assert ["Input/output error" in line for line in added.unread] == [True]
    assert (seen(desk), rows(desk)) == (0, {})
    assert desk.evidence("c") == ([], 0)
    nothing_is_left(desk)


def test_a_source_that_becomes_shorter_gives_the_rows_of_what_was_kept(
    desk: Desk, other: Desk, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(image.read_bytes())

    def look(desk: Desk) -> None:
        wait_for(desk, 100)
        os.truncate(path, SIZE // 2)

    before_the_hash(desk, monkeypatch, look)
    added = desk.add("c", [path], who="ana")
    assert ["became shorter while it was read" in line for line in added.changed] == [True]
    assert not added.whole
    assert path.stat().st_size == desk.evidence("c")[0][0].size == SIZE // 2
    plainly(other, path, monkeypatch)
    assert rows(desk) == rows(other)
    assert outcome(desk) == outcome(other)
    nothing_is_left(desk)


def test_rows_are_proved_from_the_bytes_that_were_read_whatever_the_source_says_now(
    desk: Desk, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(image.read_bytes())

    def look(desk: Desk) -> None:
        wait_for(desk, 100)
        with path.open("r+b") as file:  # all that was read is something else now
            file.write(b"\xff" * (8 << 20))

    before_the_hash(desk, monkeypatch, look)
    added = desk.add("c", [path], who="ana")
    assert added.events > 100
    found = rows(desk)
    for one in [*found][:: max(1, len(found) // 5)]:
        assert desk.prove(one, who="ana").passed


def test_what_the_end_shows_to_be_something_else_is_parsed_as_that(
    desk: Desk, other: Desk, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vhd = tmp_path / "disk.vhd"
    command = [tool("qemu-img"), "convert", "-f", "raw", "-O", "vpc", "-o"]
    subprocess.run([*command, "subformat=fixed,force_size=on", image, vhd], check=True)
    data = vhd.read_bytes()
    assert data[-512:].startswith(b"conectix")
    noise = os.urandom(2 << 20)  # so that it is not packed into nearly nothing
    data = data[: -len(noise) - 512] + noise + data[-512:]
    path = tmp_path / "disk.vhd.zst"
    path.write_bytes(zstd.compress(data, 1))
    fits, judged = scout.Scout.fits, list[bool]()

    def spied(self: scout.Scout, task: Task) -> bool:
        judged.append(fits(self, task))
        return judged[-1]

    monkeypatch.setattr(scout.Scout, "fits", spied)
    desk.add("c", [path], who="ana")
    assert judged == [True, False], "the compression is what it seemed, the image in it is not"
    plainly(other, path, monkeypatch)
    assert rows(desk) == rows(other)
    assert outcome(desk) == outcome(other)
    nothing_is_left(desk)


def test_added_again_it_is_not_seen_twice_meanwhile(
    desk: Desk, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, counts = desk.add("c", [image], who="ana"), []

    def look(desk: Desk) -> None:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            counts.append(seen(desk))
            time.sleep(0.1)

    before_the_hash(desk, monkeypatch, look)
    again = desk.add("c", [image], who="ana")
    assert (again.events, again.known_files) == (0, 1)
    assert set(counts) == {first.events}
    nothing_is_left(desk)


KILLED = """
import os, signal, sys, time
from pathlib import Path
from locard.cases.desk import Desk
from locard.evidence import Arrival
from locard.settings import Settings

desk = Desk(Settings(home=Path(sys.argv[1]), workers=2))
fill = Arrival.fill

def slow(self):
    until = time.monotonic() + 120
    while desk.timeline.count(desk.search("c", who="bob")).rows < 100:
        assert time.monotonic() < until
        time.sleep(0.05)
    print("seen", flush=True)
    time.sleep(600)

Arrival.fill = slow
desk.add("c", [Path(sys.argv[2])], who="ana")
"""


def test_killed_while_its_rows_are_seen_it_goes_on_and_ends_the_same(
    desk: Desk, other: Desk, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(desk.settings.home), str(image)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"seen\n"
        assert seen(desk) >= 100, "another process sees them"
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert seen(desk) == 0, "they belong to nothing now"
    assert desk.add("c", [image], who="ana").whole
    plainly(other, image, monkeypatch)
    assert rows(desk) == rows(other)
    nothing_is_left(desk)
