# SPDX-License-Identifier: Apache-2.0
"""Files of no known source: which field is what."""

import gzip
import json
import os

import pytest

from locard.parsers.catalogue import load
from locard.parsers.contract import Head, Limits
from locard.parsers.generic import guess
from locard.parsers.opened import Evidence
from locard.parsers.recognise import Recogniser
from tests.contracts.golden import Reading, read

T = 1_709_632_800_000_000_000


@pytest.mark.parametrize(
    "name",
    ["time", "@timestamp", "Timestamp", "eventTime", "TimeGenerated", "Start Time", "my_date_x"],
)
@pytest.mark.parametrize(
    "value", ["2024-03-05T10:00:00Z", 1709632800, "1709632800000", "05/Mar/2024:10:00:00 +0000"]
)
def test_a_time_is_found_by_name_and_value(name: str, value: object) -> None:
    found = read("generic.jsonl", json.dumps({"n": 1, name: value}).encode())
    assert [row["time"] for row in found.rows] == [T]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"time":"2024-03-05T10:00:00Z"},{"time":"2024-03-05T10:00:00Z"}]',
        b'{"time":"2024-03-05T10:00:00Z"}\n{"time":"2024-03-05T10:00:00Z"}',
        b'{\n "time":"2024-03-05T10:00:00Z"\n}\n{\n "time":"2024-03-05T10:00:00Z"\n}',
        b'{"value":[{"time":"2024-03-05T10:00:00Z"},{"time":"2024-03-05T10:00:00Z"}]}',
        b'{"count":2,"events":[{"time":"2024-03-05T10:00:00Z"},{"time":"2024-03-05T10:00:00Z"}]}',
    ],
)
def test_forms_of_json(data: bytes) -> None:
    found = read("generic.jsonl", data)
    assert [row["time"] for row in found.rows] == [T, T]
    assert found.problems == 0
    for row in found.rows:
        assert read("generic.jsonl", data, only=row["locator"]).rows == [row]


@pytest.mark.parametrize("between", ["", " "])
def test_a_number_with_more_digits_than_a_float_holds_loses_none(between: str) -> None:
    data = f'{{"time":{between}1709632800.123456789,"lat":{between}52.51627,"x":1e6}}'.encode()
    (row,) = read("generic.jsonl", data).rows
    assert (row["time"], row["problem"]) == (T + 123_456_789, "")
    assert dict(row["attributes"]) == {"lat": "52.51627", "x": "1000000.0"}


@pytest.mark.parametrize(
    ("between", "marks"), [(b"", b""), (b" ", b""), (b"\n\xef\xbb\xbf", b"\xef\xbb\xbf")]
)
def test_records_on_one_line_and_files_put_together(between: bytes, marks: bytes) -> None:
    one = b'{"time":"2024-03-05T10:00:00Z"}'
    data = marks + one + b"\n" + one + between + one + b"\n" + marks
    found = read("generic.jsonl", data)
    assert [row["time"] for row in found.rows] == [T, T, T]
    assert found.problems == 0
    for row in found.rows:
        assert read("generic.jsonl", data, only=row["locator"]).rows == [row]


@pytest.mark.parametrize("value", ['"Z\xfcrich"', "NaN"])
def test_a_file_with_a_fault_in_each_record_is_known(value: str) -> None:
    data = f'{{"time":"2024-03-05T10:00:00Z","place":{value}}}\n'.encode("latin-1") * 3
    assert guess.recognise(Head(data, data, len(data), "x.json"), "json").score
    found = read("generic.jsonl", data)
    assert [row["time"] for row in found.rows] == [T, T, T]
    assert found.problems == 3


def test_times_of_which_most_are_odd_are_read_as_far_as_they_can_be() -> None:
    values = ["soon", "31/31/2024", "", None, "2024-03-05T10:00:00Z", "later", 1709632800]
    data = b"".join(json.dumps({"n": n, "time": v}).encode() + b"\n" for n, v in enumerate(values))
    found = read("generic.jsonl", data)
    assert [row["time"] for row in found.rows if not row["problem"]] == [T, T]
    assert found.problems == 5
    assert all("time" in row["problem"] for row in found.rows if row["problem"])


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1}\n',
        b'{"size":1709,"count":12345678}\n',
        b'{"time":"soon"}\n',
        b"a,b\n1,2\n",
        b"just, some text\nwith, commas\n",
        b"",
    ],
)
def test_what_has_no_time_is_not_claimed(data: bytes) -> None:
    head = Head(data, data, len(data), "x.json")
    assert guess.recognise(head, "json").score == 0
    assert guess.recognise(head, "csv").score == 0


@pytest.mark.parametrize(
    "path",
    [
        path
        for source in load()
        if source.id.startswith(("aws.", "timesketch", "generic."))
        for path in sorted((source.folder / "samples").iterdir())
        if not path.name.endswith((".expected.jsonl", ".gz"))
    ],
    ids=lambda path: f"{path.parent.parent.name}-{path.name}",
)
def test_a_sample_goes_to_its_own_parser_although_others_see_it(path: object) -> None:
    """All parsers judge it; the one whose sample it is has the highest claim."""
    from pathlib import Path

    assert isinstance(path, Path)
    owner = next(s.id for s in load() if s.folder == path.parent.parent)
    data = path.read_bytes()
    verdict = Recogniser(load()).judge(Head(data[:65536], data[-4096:], len(data), path.name))
    assert verdict.told.parser == owner


def recognised_and_proved(data: bytes, name: str = "sample") -> tuple[str, Reading]:
    """Who takes it, and its rows: each of them comes out alike when it is asked for alone."""
    fd = os.memfd_create("sample")
    try:
        os.write(fd, data)
        verdict = Recogniser(load()).judge(Evidence(fd, len(data), name, Limits()).head)
    finally:
        os.close(fd)
    parser = verdict.told.parser
    assert parser, verdict.told.reason
    found = read(parser, data, name)
    assert found.seen == len(found.rows) == len({row["locator"] for row in found.rows})
    for row in found.rows:
        assert read(parser, data, name, only=row["locator"]).rows == [row]
        if row["locator"].startswith("byte="):
            start, length = map(int, row["locator"][5:].split("+"))
            assert found.decoded[start : start + length] == row["raw"]
    return parser, found


VISITS = [
    "When;User;Note",
    "2024-03-05 10:00:00;J\u00fcrgen;a,b",
    "soon;bob;",
    '2024-03-05 10:00:00;c;"x;y"',
]
LINES = [
    '{"time": "2024-03-05T10:00:00Z", "user": "J\u00fcrgen"}',
    '{"time": 1709632800, "user": "bob"}',
    '{"user"',
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("above", [[], ["sep=;"], ["# exported by alice", ""]])
@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff"),
        ("utf-16-le", ""), ("utf-16-be", ""), ("utf-32-le", "\ufeff"), ("utf-32-be", "\ufeff"),
    ],
)  # fmt: skip
def test_a_table_in_every_spelling(end: str, above: list[str], codec: str, mark: str) -> None:
    data = (mark + end.join([*above, *VISITS, ""])).encode(codec)
    parser, found = recognised_and_proved(gzip.compress(data) if len(data) % 2 else data)
    assert parser == "generic.csv"
    assert [(row["time"], row["actor"], row["problem"][:4]) for row in found.rows] == [
        (T, "J\u00fcrgen", ""), (None, "bob", "When"), (T, "c", ""),
    ]  # fmt: skip
    assert [row["raw"].decode() for row in found.rows] == VISITS[1:]


@pytest.mark.parametrize(
    ("codec", "mark"),
    [("utf-16-le", ""), ("utf-16-be", ""), ("utf-32-le", "\ufeff"), ("utf-32-be", "\ufeff")],
)
def test_lines_of_wide_letters(codec: str, mark: str) -> None:
    parser, found = recognised_and_proved((mark + "\r\n".join(LINES)).encode(codec))
    assert parser == "generic.jsonl"
    assert [(row["time"], row["actor"]) for row in found.rows] == [
        (T, "J\u00fcrgen"), (T, "bob"), (None, ""),
    ]  # fmt: skip
    assert found.problems == 1


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "data",
    [
        f'[{{"note":"{LONG}","time":1709632800}},{{"time":1709632800}}]',
        f'{{"note":"{LONG}","time":1709632800}}\n{{"time":1709632800}}\n',
        f'{{"events":[{{"a":["{LONG}"],"time":1709632800}},{{"time":1709632800}}]}}',
        f'note,time\n"{LONG}\n{LONG}",1709632800\nb,1709632800\n',
        f"# by alice\rnote,time\r{LONG * 2},1709632800\rb,1709632800\r",
    ],
    ids=["list", "lines", "named list", "table", "table below a comment"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_first_record_that_is_long(data: str, packed: bool) -> None:
    stored = gzip.compress(data.encode()) if packed else data.encode()
    parser, found = recognised_and_proved(stored)
    assert parser in ("generic.jsonl", "generic.csv")
    assert [(row["time"], row["problem"]) for row in found.rows] == [(T, ""), (T, "")]


def test_a_first_record_that_is_too_long_is_not_read_without_end() -> None:
    data = b'{"note":"' + b"x" * (9 << 20)
    fd = os.memfd_create("sample")
    try:
        os.write(fd, data)
        opened = Evidence(fd, len(data), "sample", Limits())
        assert len(opened.more()) == Limits().record_bytes
        assert Recogniser(load()).judge(opened.head).told.parser == ""
    finally:
        os.close(fd)


def test_the_user_s_mapping_overrides_the_guess() -> None:
    data = b"when;who;other\n2024-03-05 10:00:00;alice;1709632801\n"
    saved = {"columns": {"time": {"from": "other", "as": "epoch_s"}, "actor": "who"}}
    (row,) = read("generic.csv", data, saved=saved).rows
    assert (row["time"], row["actor"]) == (T + 10**9, "alice")
    assert dict(row["attributes"]) == {"when": "2024-03-05 10:00:00"}
