# SPDX-License-Identifier: Apache-2.0
"""Files of no known source: which field is what."""

import json

import pytest

from locard.parsers.catalogue import load
from locard.parsers.contract import Head
from locard.parsers.generic import guess
from locard.parsers.recognise import Recogniser
from tests.contracts.golden import read

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


def test_the_user_s_mapping_overrides_the_guess() -> None:
    data = b"when;who;other\n2024-03-05 10:00:00;alice;1709632801\n"
    saved = {"columns": {"time": {"from": "other", "as": "epoch_s"}, "actor": "who"}}
    (row,) = read("generic.csv", data, saved=saved).rows
    assert (row["time"], row["actor"]) == (T + 10**9, "alice")
    assert dict(row["attributes"]) == {"when": "2024-03-05 10:00:00"}
