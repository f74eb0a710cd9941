# SPDX-License-Identifier: Apache-2.0
"""One judge for all parsers, found by looking: a new folder is judged without any edit here."""

import json
import random
from pathlib import Path

import pytest

from locard.model.errors import Unreadable
from locard.model.event import COLUMNS
from locard.parsers.catalogue import Source, code, load
from locard.parsers.contract import Head, Limits
from locard.parsers.frames import IMAGE
from locard.parsers.recognise import claim_of
from tests.contracts import golden

PARSERS = [source for source in load() if source.kind != IMAGE]
"""Images are judged in tests/parsers, on images: they give files and not only rows."""
SAMPLES = [(source, sample) for source in PARSERS for sample in golden.samples(source)]
by_sample = pytest.mark.parametrize(
    ("source", "sample"), SAMPLES, ids=[f"{s.id}:{golden.name_of(s, p)}" for s, p in SAMPLES]
)
by_parser = pytest.mark.parametrize("source", PARSERS, ids=[s.id for s in PARSERS])


def read(source: Source, sample: Path, only: str | None = None) -> golden.Reading:
    return golden.read(source, sample.read_bytes(), golden.name_of(source, sample), only=only)


@by_parser
def test_a_parser_has_a_sample(source: Source) -> None:
    assert golden.samples(source), f"{source.id} has no file in samples/"


@by_sample
def test_a_sample_gives_the_rows_beside_it(source: Source, sample: Path) -> None:
    beside = golden.expected(sample)
    assert beside.is_file(), f"write it: python -m tests.contracts.golden {source.id}"
    wanted = [json.loads(line) for line in beside.read_text("utf-8").splitlines()]
    found = [json.loads(line) for line in golden.lines(read(source, sample).rows).splitlines()]
    assert found == wanted
    names = {column.name for column in COLUMNS}
    assert all(row.keys() <= names for row in wanted)
    assert not any(row.keys() & set(golden.NOT_DECIDED) for row in wanted)


@by_sample
def test_records_are_rows_or_counted_problems(source: Source, sample: Path) -> None:
    found = read(source, sample)
    assert found.seen == found.written == len(found.rows) > 0
    assert found.problems == sum(1 for row in found.rows if row["problem"])
    assert {row["source"] for row in found.rows} == {source.id}
    assert {row["source_version"] for row in found.rows} == {source.version}


@by_sample
def test_a_row_has_a_place_of_its_own_and_a_proof(source: Source, sample: Path) -> None:
    found = read(source, sample)
    places = [row["locator"] for row in found.rows]
    assert all(places)
    assert len(set(zip(places, (row["id"] for row in found.rows), strict=True))) == len(places)
    for row in found.rows:
        again = read(source, sample, only=row["locator"]).rows
        assert [r for r in again if r["id"] == row["id"]] == [row]
        assert {r["locator"] for r in again} == {row["locator"]}


@by_sample
def test_raw_is_what_stands_at_a_byte_locator(source: Source, sample: Path) -> None:
    found = read(source, sample)
    for row in found.rows:
        if row["locator"].startswith("byte=") and "+" in row["locator"]:
            start, length = (int(n) for n in row["locator"].removeprefix("byte=").split("+"))
            assert found.decoded[start : start + length][: len(row["raw"])] == row["raw"]


@by_sample
def test_a_sample_is_recognised_by_its_content(source: Source, sample: Path) -> None:
    data = sample.read_bytes()
    found = golden.read(source, data, golden.name_of(source, sample)).decoded
    head = Head(found[:65536], data[-4096:], len(data), golden.name_of(source, sample))
    assert claim_of(source)(head).score > 0


@by_sample
def test_damage_never_raises_anything_but_unreadable(source: Source, sample: Path) -> None:
    dice = random.Random(f"{source.id}{sample.name}")
    whole = sample.read_bytes()[: 64 << 10]
    name = golden.name_of(source, sample)
    for attempt in range(30):
        data = bytearray(whole)
        if attempt % 3 == 0:
            del data[dice.randrange(len(data) + 1) :]
        for _ in range(dice.choice((1, 3, 40))):
            if data:
                data[dice.randrange(len(data))] = dice.choice((0, 10, 34, 92, 123, 125, 255))
        _survives(source, bytes(data), name)


@by_parser
def test_random_bytes_never_raise_anything_but_unreadable(source: Source) -> None:
    dice = random.Random(source.id)
    for size in (0, 1, 2, 7, 100, 5000):
        _survives(source, dice.randbytes(size), "sample")
    for data in (b"\0" * 300, b"\n" * 300, b"{" * 3000, b"[" * 3000, b'"' * 301, b"\\" * 301):
        _survives(source, data, "sample")


def _survives(source: Source, data: bytes, name: str) -> None:
    module = code(source)
    if module is not None and hasattr(module, "recognise"):
        assert 0 <= module.recognise(Head(data[:65536], data[-4096:], len(data), name)).score <= 100
    try:
        found = golden.read(source, data, name, limits=Limits(record_bytes=1 << 16))
    except Unreadable:
        return
    assert found.seen == found.written == len(found.rows)
    assert all(len(row["raw"]) <= 1 << 16 for row in found.rows)
