# SPDX-License-Identifier: Apache-2.0
"""Archives without an end: what holds itself, two that hold each other, and what is nested deep."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

from locard.cases.desk import Desk
from locard.cases.intake import Wish
from locard.parsers.contract import Limits
from tests.cases.test_adding import ids, sums_hold
from tests.cases.trails import trail
from tests.quines import gzip_quine, zip_pair, zip_quine

SAME = "same bytes as the archive"
DEPTH = Limits().depth


def only(archive: bytes) -> bytes:
    """The only member of a ZIP archive, its checksum checked."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        (name,) = opened.namelist()
        return opened.read(name)


def test_an_archive_that_holds_itself_ends(desk: Desk, tmp_path: Path) -> None:
    quine = zip_quine()
    assert only(quine) == quine
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "self.zip").write_bytes(quine)
    trail(tmp_path / "in" / "a.json.gz", range(30))
    assert desk.add("c", [tmp_path / "in"], who="ana").events == 30
    by_stage = {item.stage: item for item in desk.evidence("c")[0]}
    held = by_stage["unpacked"]
    assert len(desk.evidence("c")[0]) == 2
    assert (held.seen, held.rows, held.problems) == (1, 1, 0)
    assert SAME in held.reason
    assert len(held.places) == 2, "the place inside itself is a place of it"
    assert desk.add("c", [tmp_path / "in"], who="ana").known_files == 2
    assert [item.id for item in desk.evidence("c")[0]].count(held.id) == 1
    sums_hold(desk)


def test_two_archives_that_hold_each_other_end(desk: Desk, tmp_path: Path) -> None:
    one, other = zip_pair()
    assert (only(one), only(other)) == (other, one)
    (tmp_path / "one.zip").write_bytes(one)
    (tmp_path / "other.zip").write_bytes(other)
    with tarfile.open(tmp_path / "around.tar", "w") as around:
        around.add(tmp_path / "one.zip", "one.zip")
    desk.add("c", [tmp_path / "around.tar"], who="ana")
    assert [(i.name, SAME in i.reason, i.stage) for i in desk.evidence("c")[0]] == [
        ("around.tar", False, "unpacked"),
        ("around.tar/one.zip", False, "unpacked"),
        ("around.tar/one.zip/that_______.zip", True, "unpacked"),
    ]
    again = desk.add("c", [tmp_path / "one.zip", tmp_path / "other.zip"], who="ana")
    assert (again.new_files, again.known_files) == (0, 2)


def test_a_compression_of_itself_ends_at_the_limit(desk: Desk, tmp_path: Path) -> None:
    quine = gzip_quine()
    assert gzip.decompress(quine) == quine
    (tmp_path / "self.gz").write_bytes(quine)
    desk.add("c", [tmp_path / "self.gz"], who="ana")
    (item,) = desk.evidence("c")[0]
    assert (item.stage, item.seen, item.rows, item.problems) == ("not parsed", 1, 0, 1)
    assert item.reason == (
        f"There are more than {DEPTH} compression layers. "
        "Raise the limit 'depth' if you trust this file."
    )


def test_what_is_nested_too_deep_stays_packed_and_nothing_else_is_lost(
    desk: Desk, tmp_path: Path
) -> None:
    """Two kinds in turns, with a log at each depth: all logs above the limit are read."""
    inner = b""
    for depth in range(DEPTH + 2, -1, -1):
        log = trail(tmp_path / f"{depth}.json", range(depth * 10, depth * 10 + 10)).read_bytes()
        held = {f"{depth}.json": log, **({"inner": inner} if inner else {})}
        made = io.BytesIO()
        if depth % 2:
            with zipfile.ZipFile(made, "w") as archive:
                for name, content in held.items():
                    archive.writestr(name, content)
        else:
            with tarfile.open(fileobj=made, mode="w") as archive:
                for name, content in held.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        inner = made.getvalue()
    (tmp_path / "outer").write_bytes(inner)
    assert desk.add("c", [tmp_path / "outer"], who="ana").events == DEPTH * 10
    packed = [item for item in desk.evidence("c")[0] if item.reason]
    (deepest,) = packed
    assert deepest.name == "outer" + "/inner" * DEPTH
    assert deepest.reason == (
        f"Archives are nested more than {DEPTH} deep; this one stays packed. "
        "Raise the limit 'depth' if you trust this file."
    )
    assert deepest.problems == 1
    assert len(desk.evidence("c")[0]) == 2 * DEPTH + 1
    sums_hold(desk)
    again = desk.add("c", [tmp_path / "outer"], who="ana", wish=Wish(limits={"depth": DEPTH + 3}))
    assert len(ids(desk)) == (DEPTH + 3) * 10, again
    assert not [item.reason for item in desk.evidence("c")[0] if item.reason]
