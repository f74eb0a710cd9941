# SPDX-License-Identifier: Apache-2.0
"""JSON of strangers: nothing that it says twice is hidden, and nothing that it says is lost."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from locard.parsers.strict_json import BadRecord, in_order, read
from tests.contracts.golden import read as rows_of

FLOATS = ["1e6", "1e7", "1e15", "123456789012345678901234", "1.5"]


def told(raw: bytes) -> tuple[Any, list[str]]:
    faults: list[str] = []
    return read(raw, faults), faults


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "user"]), st.sampled_from([*FLOATS, "1", '"x"'])),
        max_size=6,
    )
)
@example([("a", "1"), ("b", "1e6"), ("a", "1")])
def test_a_key_that_is_there_twice_is_told_whatever_the_numbers_are(
    pairs: list[tuple[str, str]],
) -> None:
    raw = "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"
    twice = len({name for name, _ in pairs}) < len(pairs)
    assert any("duplicate key" in fault for fault in told(raw.encode())[1]) == twice


def test_a_key_that_is_there_twice_in_a_trail_is_told() -> None:
    record = {"eventTime": "2024-03-05T10:00:00Z", "eventSource": "s", "eventName": "E"}
    texts = ['{"a":1,"b":2}', '{"a":1,"b":1e6,"a":2}', '{"a":1,"b":2}']
    records = ",".join(
        json.dumps(record)[:-1] + f',"requestParameters":{text}}}' for text in texts
    ).replace(" ", "")
    found = rows_of("aws.cloudtrail", f'{{"Records":[{records}]}}'.encode())
    assert ["duplicate key 'a'" in row["problem"] for row in found.rows] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("1e999", "1e999", ""),
        ("-1e999", "-1e999", ""),
        ("9" * 5000, "9" * 5000, ""),
        ("NaN", "NaN", "NaN is not JSON"),
        ("[-Infinity,-Infinity]", ["-Infinity"] * 2, "-Infinity is not JSON"),
        ('"a\x00b\tc"', "a\x00b\tc", "control characters"),
        ('"\\ud800"', "\\ud800", ""),
    ],
)
def test_what_others_cannot_hold_is_shown(text: str, value: object, fault: str) -> None:
    found, faults = told(b'{"v":%s}' % text.encode())
    assert found == {"v": value}
    assert [fault in one for one in faults] == [True] * bool(fault)


@pytest.mark.parametrize("text", ["1.", "+1", "01", '"\n', '{"a":}', '"\t\\x"', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        told(text.encode())


def test_halves_of_characters_tell_records_apart() -> None:
    one, other = (json.loads(f'"\\ud80{n}"') for n in (0, 1))
    assert in_order(one) != in_order(other)
    assert json.loads(in_order({"a": one})) == {"a": "\\ud800"}
