# SPDX-License-Identifier: Apache-2.0
"""Records seen = rows + problems, for each file, whatever a parser says of itself."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from locard.cases.adding import Adding
from locard.cases.desk import Desk
from locard.cases.holdings import Item
from locard.cases.intake import Wish
from locard.cases.parsing import Parsing
from locard.cases.progress import Behind, Progress
from locard.cases.writing import Writer
from locard.model.custody import Hand
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool
from tests.cases.trails import trail
from tests.parsers.confined_pool import TOYS

Parse = Callable[[Path], Item]


@pytest.fixture
def parse(desk: Desk) -> Parse:
    """Takes one file into a case and parses it in a real worker that knows the toy parsers too."""

    def parsed(path: Path) -> Item:
        limits = Limits()
        desk.create("c", who="ana")
        progress = Progress(desk.state, "c", "Adding", "ana")
        with Adding(
            desk.settings,
            desk.state,
            desk.vault,
            lambda: desk.timeline,
            "c",
            Hand("ana"),
            limits,
            {},
        ) as adding:
            feed = adding.feed([path], Wish(), progress)
            feed.here()
        writer = Writer(desk.timeline, desk.state, "c")
        with Pool(1, desk.settings.scratch, limits, (TOYS,)) as pool:
            behind = Behind(progress, "Parsing", "bytes")
            Parsing(desk.state, desk.vault, pool, writer, behind, "c", Hand("ana"), limits, {}).run(
                1, sorted(feed.taken.holdings)
            )
        writer.close()
        progress.finish("done")
        return next(item for item in desk.evidence("c")[0] if item.name == path.name)

    return parsed


def counts(item: Item) -> tuple[int, int, int]:
    """Seen, rows and problems of a file, which must add up."""
    assert item.seen == item.rows + item.problems, item
    return item.seen, item.rows, item.problems


def test_an_honest_parser_adds_up(parse: Parse, tmp_path: Path) -> None:
    path = tmp_path / "honest"
    path.write_bytes(b"liar tells-the-truth\n")
    item = parse(path)
    assert (item.stage, item.parser) == ("parsed", "toy.liar")
    assert counts(item) == (2, 1, 1)


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ("seen", "5 records where 2 arrived"),
        ("problems", "0 problems where 1 arrived"),
        ("hidden", "2 problems where 1 arrived"),
        ("lost", "3 records where 0 arrived"),
    ],
)
def test_counts_that_do_not_add_up_fail_the_file(
    parse: Parse, tmp_path: Path, lie: str, words: str
) -> None:
    path = tmp_path / "liar"
    path.write_bytes(f"liar {lie}\n".encode())
    item = parse(path)
    assert (item.stage, item.parser) == ("failed", "toy.liar")
    assert "counts do not add up" in item.reason
    assert words in item.reason
    assert counts(item) == ((0, 0, 0) if lie == "lost" else (2, 1, 1))


def test_a_parser_that_breaks_off_keeps_the_counts_of_its_rows(
    parse: Parse, tmp_path: Path
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"probe raise reasons\n")
    item = parse(path)
    assert (item.stage, item.attempts) == ("failed", 2)
    assert counts(item) == (1, 1, 0)


def test_members_of_an_archive_are_its_records(parse: Parse, tmp_path: Path) -> None:
    trail(tmp_path / "a.json.gz", range(3))
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.json.gz", "a.json.gz")
        archive.writestr("/notes.txt", "nothing that we know\n")
        archive.writestr("b.txt", "toy\n" * 50)
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"toy\ntoy\n")] ^= 1
    path.write_bytes(whole)
    item = parse(path)
    assert item.stage == "unpacked"
    assert counts(item) == (3, 2, 1)
    assert item.reason == item.troubles[0] and item.reason.startswith("b.txt: ")
    assert item.troubles[1:] == ("/notes.txt: the name is absolute",), "odd, and no problem"


def test_damage_of_a_file_that_nothing_recognises_is_a_problem(
    parse: Parse, tmp_path: Path
) -> None:
    path = tmp_path / "picture.gz"
    path.write_bytes(gzip.compress(b"\x89PNG\r\n\x1a\n" * 100)[:-4])
    item = parse(path)
    assert item.stage == "not parsed"
    assert counts(item) == (1, 0, 1)
