# SPDX-License-Identifier: Apache-2.0
"""Timesketch's interchange and Plaso's outputs."""

import json
from pathlib import Path

import pytest

from locard.parsers.catalogue import load
from locard.parsers.contract import Head
from locard.parsers.recognise import Recogniser
from tests.contracts.golden import read

T = 1_709_632_800_000_000_000


def test_datetime_goes_before_timestamp_and_keeps_nanoseconds() -> None:
    data = (
        b'{"message":"m","datetime":"2024-03-05T10:00:00.000000001Z","timestamp":1,'
        b'"timestamp_desc":"d"}\n'
    )
    (row,) = read("timesketch", data).rows
    assert (row["time"], row["time_meaning"]) == (T + 1, "d")


@pytest.mark.parametrize("count", ["1709632800000000", 1709632800000000])
def test_timestamp_counts_microseconds(count: object) -> None:
    text = f'"{count}"' if isinstance(count, str) else count
    data = f'{{"message":"m","timestamp":{text},"timestamp_desc":"d"}}\n'.encode()
    assert [row["time"] for row in read("timesketch", data).rows] == [T]


def test_small_timestamps_are_microseconds_too() -> None:
    (row,) = read("timesketch", b'{"message":"m","timestamp":5,"timestamp_desc":"d"}\n').rows
    assert row["time"] == 5000


def test_an_event_that_says_it_has_no_time_is_no_problem() -> None:
    data = b'{"message":"m","datetime":"Not a time","timestamp":0,"timestamp_desc":"Not a time"}\n'
    (row,) = read("timesketch", data).rows
    assert (row["time"], row["problem"]) == (None, "")


def test_a_time_out_of_range_is_a_problem_with_its_message() -> None:
    data = b'{"message":"m","datetime":"3000-01-01T00:00:00Z","timestamp_desc":"d"}\n'
    (row,) = read("timesketch", data).rows
    assert row["time"] is None and row["message"] == "m"
    assert "out of range" in row["problem"]


@pytest.mark.evidence
def test_the_history_of_sshd_has_2002_events(evidence: Path) -> None:
    folder = evidence / "linux/timesketch_history/test_tools/test_events"
    found = read("timesketch", (folder / "centos_sshd_events.jsonl").read_bytes())
    assert (found.seen, found.problems) == (2002, 0)
    assert {row["host"] for row in found.rows} == {"centos9-stream"}


@pytest.mark.parametrize(
    ("first", "between", "last"),
    [("{", "\n, ", "\n}"), ("{", ",\n", "}"), ("\ufeff{", ",\r\n ", "\r\n}\r\n")],
)
def test_the_one_object_that_psort_writes_as_json(first: str, between: str, last: str) -> None:
    events = [
        {
            "__container_type__": "event", "__type__": "AttributeContainer", "message": f"m{n}",
            "timestamp": 1_709_632_800_123_456 + n, "timestamp_desc": "Last Access", "pathspec": {},
        }
        for n in range(3)
    ]  # fmt: skip
    texts = [f'"event_{n}": {json.dumps(event)}' for n, event in enumerate(events)]
    texts.insert(2, '"event_2": {"message": "cut')
    data = (first + between.join(texts) + last).encode()
    head = Head(data, data, len(data), "x.json")
    assert Recogniser(load()).judge(head).told.parser == "timesketch"
    found = read("timesketch", data)
    assert [(row["time"], row["message"]) for row in found.rows if not row["problem"]] == [
        (event["timestamp"] * 1000, event["message"]) for event in events
    ]
    assert (found.seen, found.problems) == (4, 1)
    for row in found.rows:
        assert read("timesketch", data, only=row["locator"]).rows == [row]
        start, length = map(int, row["locator"][5:].split("+"))
        assert data[start : start + length] == row["raw"]
