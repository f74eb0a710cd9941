# SPDX-License-Identifier: Apache-2.0
"""Who gets a file, and what is said of a file that nobody takes."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from locard.model.action import FORMAT
from locard.model.errors import Error, Missing
from locard.parsers.catalogue import Catalogue, load
from locard.parsers.contract import Head
from locard.parsers.recognise import Recogniser
from tests.parsers.confined_pool import TOYS

PARSER = """
from locard.parsers.contract import Match
def recognise(head):
    {body}
def parse(opened, rows, context):
    pass
"""


def a_catalogue(folder: Path, **bodies: str) -> Catalogue:
    """Parsers `x.NAME` (`generic.NAME` for names that begin with it) with these recognitions."""
    for name, body in bodies.items():
        group, _, own = name.rpartition("__")
        place = folder / (group or "x") / own
        place.mkdir(parents=True)
        (place / "source.yaml").write_text(f'title: {name}\nversion: "1"\n')
        (place / "parse.py").write_text(PARSER.format(body=body))
    everything = load(folder)
    own = {one.id: one for one in everything if folder in one.folder.parents}
    return Catalogue(own)


def a_head(first: bytes, name: str = "file", layers: tuple[str, ...] = ()) -> Head:
    return Head(first, first[-4096:], len(first), name, layers)


def test_the_highest_claim_wins(tmp_path: Path) -> None:
    some = a_catalogue(tmp_path, a="return Match(40)", b="return Match(60)", c="return Match(50)")
    assert Recogniser(some).judge(a_head(b"text")).told.parser == "x.b"


def test_ties_go_to_the_first_id_and_generic_parsers_yield(tmp_path: Path) -> None:
    some = a_catalogue(
        tmp_path, b="return Match(40)", a="return Match(40)", generic__a="return Match(40)"
    )
    assert Recogniser(some).judge(a_head(b"text")).told.parser == "x.a"


def test_a_certain_claim_ends_the_asking(tmp_path: Path) -> None:
    some = a_catalogue(tmp_path, a="return Match(95)", b="raise RuntimeError('was asked')")
    assert Recogniser(some).judge(a_head(b"text")).faults == ()


def test_a_recognition_that_breaks_is_a_fault_and_no_obstacle(tmp_path: Path) -> None:
    some = a_catalogue(tmp_path, a="raise RuntimeError('oh')", b="return Match(10)")
    verdict = Recogniser(some).judge(a_head(b"text"))
    assert verdict.told.parser == "x.b"
    assert verdict.faults == ("x.a broke while recognising (RuntimeError('oh'))",)


def test_being_told_overrides_and_a_wrong_name_gets_the_nearest() -> None:
    recogniser = Recogniser(load(TOYS))
    assert recogniser.judge(a_head(b"whatever"), "toy.lines").told.parser == "toy.lines"
    assert recogniser.judge(a_head(b"whatever"), "archive.tar").told.kind == "archive"
    with pytest.raises(Missing) as caught:
        recogniser.judge(a_head(b"whatever"), "lines")
    assert "toy.lines" in caught.value.advice


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"", "empty file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "PNG image"),
        (b"\x7fELF\x02\x01", "ELF program or core"),
        (b"some words\nof no kind\n", "text that no parser knows"),
        ("Wörter\n".encode(), "text that no parser knows"),
        (b"\x01\x02\x03\xff\xfe\x00\x07", "unknown binary data"),
        (bytes(100), "zeros"),
        (
            json.dumps({"format": FORMAT, "run": "r"}, indent=1).encode(),
            "receipt of a run of Locard",
        ),
        (b"block,sha256-base64,problem\n0,gnE+1ja3,\n", "checksums of a disk's blocks"),
    ],
)
def test_what_nobody_takes_has_a_name(tmp_path: Path, first: bytes, reason: str) -> None:
    told = Recogniser(Catalogue({})).judge(a_head(first)).told
    assert (told.parser, told.kind, told.reason) == ("", "", reason)


def test_layers_are_named_with_what_is_inside() -> None:
    told = Recogniser(Catalogue({})).judge(a_head(b"%PDF-1", layers=("zstd", "gzip"))).told
    assert told.reason == "PDF document inside gzip in zstd"


def test_what_must_be_read_at_will_is_taken_out_of_its_layer() -> None:
    recogniser = Recogniser(load())
    told = recogniser.judge(a_head(b"QFI\xfb\0\0\0\3" + bytes(600), layers=("gzip",))).told
    assert (told.parser, told.kind) == ("archive.layer", "archive")


def test_old_and_new_tars_are_known_by_their_checksum() -> None:
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            archive.addfile(tarfile.TarInfo("ä" * 40))
        told = Recogniser(Catalogue({})).judge(a_head(out.getvalue())).told
        assert told.parser == "archive.tar"
    wrong = bytearray(out.getvalue())
    wrong[0] ^= 1
    assert Recogniser(Catalogue({})).judge(a_head(bytes(wrong))).told.parser == ""


def test_all_faults_of_descriptions_are_named_with_their_lines(tmp_path: Path) -> None:
    for name, text in {
        "a": "version: 1\nkind: other\ncolums: {}\n",
        "b": "title: [\n",
        "c": "- a list\n",
        "d": 'title: fine\nversion: "1"\n',
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "source.yaml").write_text(text)
    with pytest.raises(Error) as caught:
        load(tmp_path)
    message = caught.value.message
    for part in (
        "a/source.yaml:1: title is missing",
        "a/source.yaml:1: version must be text",
        "a/source.yaml:2: kind must be one of",
        "a/source.yaml:3: colums means nothing here; did you mean columns?",
        "b/source.yaml",
        "c/source.yaml:1: not a mapping",
        "d/source.yaml:1: neither columns nor a parse.py",
    ):
        assert part in message


def test_gzip_is_not_taken_for_content() -> None:
    told = Recogniser(Catalogue({})).judge(a_head(gzip.compress(b"x"))).told
    assert told.reason == "gzip data"
