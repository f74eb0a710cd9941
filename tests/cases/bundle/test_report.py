# SPDX-License-Identifier: Apache-2.0
"""The report as a court gets it: HTML and PDF are read back with other programs."""

import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.cases.bundle import report
from locard.cases.bundle.life import deed, lives, ranges
from locard.cases.bundle.told import Checked, Told
from locard.model.custody import CustodyEntry, Verb
from tests.cases.bundle.telling import HOSTILE, told


class _Words(HTMLParser):
    """The text of a page, and the tags it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(case: Told) -> tuple[str, set[str]]:
    parser = _Words()
    parser.feed(report.html(case).decode())
    return " ".join("".join(parser.text).split()), parser.tags


def paper(case: Told, folder: Path) -> str:
    path = folder / "report.pdf"
    path.write_bytes(report.pdf(case).content)
    found = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return found.stdout.decode().replace("\u200b", "")


def test_both_forms_say_who_did_what_when_and_why(tmp_path: Path) -> None:
    case = told()
    for text in (page(case)[0], " ".join(paper(case, tmp_path).split())):
        assert "bo (in the web page, from 192.0.2.7) took a copy of its bytes." in text
        assert "Reason: asked for by the defence." in text
        assert "released it to state laboratory" in text
        assert "NIGHT-0002 to NIGHT-0004 (3 exhibits with the same life)" in text
        assert "warrant 4 Gs 112/26, issued by Amtsgericht Köln" in text
        assert "as the bytes came in" in text
        assert "No clause of the verification failed, 1 could not be checked." in text
        assert "902(13)" in text and "902(14)" in text and "ISO/IEC 27037" in text
        assert "That the evidence is admissible." in text
        assert case.keys[0].fingerprint in text
        assert case.exhibits[0].evidence in text


def test_a_failed_clause_stands_on_the_cover(tmp_path: Path) -> None:
    case = replace(told(), verdict=[Checked("evidence bytes", "fail", "NIGHT-0001 was changed")])
    assert "1 clause of the verification FAILED." in page(case)[0]
    assert "1 clause of the verification FAILED." in " ".join(paper(case, tmp_path).split())


def test_text_of_evidence_does_nothing_in_the_page() -> None:
    text, tags = page(told())
    assert "script" not in tags
    assert "<script>alert(1)</script>" in text
    for letter in ("\x1b", "\u202e"):
        assert letter not in text
    assert r"\u202e" in text


def test_text_of_evidence_does_nothing_in_the_pdf(tmp_path: Path) -> None:
    text = paper(told(), tmp_path)
    assert "#let a = 1.log" in " ".join(text.split())
    assert "\u202e" not in text and "\x1b" not in text


def test_the_page_needs_nothing_else() -> None:
    source = report.html(told()).decode()
    assert not re.search(r"(src|href)=\"(?!#)", source)
    assert "url(" not in source and "@import" not in source


def test_the_pdf_says_that_it_is_pdf_a(tmp_path: Path) -> None:
    content = report.pdf(told()).content
    assert content.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in content


def test_letters_without_a_font_are_written_as_code_points(tmp_path: Path) -> None:
    said = dict[int, int]()
    for count in (1, 3):
        case = replace(told(), title=f"{chr(0x12000) * count} cuneiform, Привет")
        assert report.pdf(case).unshown
        (folder := tmp_path / f"{count}").mkdir()
        text = " ".join(paper(case, folder).split())
        assert "Привет" in text and "[U+12000]" in text
        found = re.search(r"(\d+) different letters, (\d+) times in all, could not be shown", text)
        assert found
        said[count] = int(found[2])
    assert said[3] > said[1] > 0 and (said[3] - said[1]) % 2 == 0


def test_the_same_case_gives_the_same_pdf() -> None:
    assert report.pdf(told()).content == report.pdf(told()).content


def test_ten_thousand_exhibits_stay_readable() -> None:
    case = told(10_000)
    found = report.contents(case, report.MOST_ROWS["pdf"])
    assert len(found["rows"]) == 2_000 and found["more_rows"] == 8_001
    assert [one["count"] for one in found["lives"]] == [1, 10_000]
    assert len(report.html(case)) < 8 << 20
    assert len(report.pdf(case).content) < 16 << 20


def test_what_exhibits_have_in_common_is_said_once(tmp_path: Path) -> None:
    case = told(0)
    other = replace(case.exhibits[0], number="NIGHT-0002", evidence="e" * 64)
    case = replace(case, exhibits=[case.exhibits[0], other])
    found = report.contents(case, 10)
    assert ["Hashed", "as the bytes came in"] in found["common"]
    assert [[name for name, _ in card["facts"]] for card in found["cards"]] == [
        ["Name at the source", "SHA-256"],
        ["SHA-256"],
    ]
    for text in (page(case)[0], " ".join(paper(case, tmp_path).split())):
        assert text.count("as the bytes came in") == 1


def test_ten_thousand_different_lives_are_bounded() -> None:
    case = told(1)
    number, evidence = case.exhibits[1].number, case.exhibits[1].evidence
    entries = [
        CustodyEntry(n, n, f"actor {n}", Verb.VIEWED, f"{n:064x}", "night", "because")
        for n in range(10_000)
    ]
    parts = [(number, f"{n:064x}", evidence) for n in range(10_000)]
    found, left = lives(parts, entries, 200)
    assert (len(found), left) == (200, 9_800)


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_makes_a_sentence(verb: Verb) -> None:
    entry = CustodyEntry(1, 1, "ana", verb, "", "night", "")
    assert re.fullmatch(r"ana [a-zA-Z :]+\.", deed(entry)), deed(entry)


def test_numbers_are_said_as_ranges() -> None:
    assert ranges(["A-0001", "A-0002", "A-0004"]) == "A-0001 to A-0002, A-0004"
    assert ranges([str(n) for n in range(0, 100, 2)], most=2) == "0, 2, and 48 more ranges"


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_any_title_can_be_set(text: str) -> None:
    case = replace(told(0), title=text, names={told(0).exhibits[0].evidence: text + HOSTILE})
    assert "script" not in page(case)[1]
    assert report.pdf(case).content.startswith(b"%PDF-")
