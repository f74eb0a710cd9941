# SPDX-License-Identifier: Apache-2.0
"""Times: exact to the nanosecond, refused when the timeline cannot hold them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.parsers import times
from locard.parsers.times import NotATime

T = 1_709_632_800_000_000_000
"""2024-03-05T10:00:00Z"""


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2024-03-05T10:00:00Z", 0),
        ("2024-03-05T10:00:00", 0),
        ("2024-03-05 10:00:00 UTC", 0),
        ("2024-03-05T11:30:00+01:30", 0),
        ("2024-03-05T05:00:00-0500", 0),
        ("2024-03-05t10:00Z", 0),
        ("2024/03/05 10:00:00", 0),
        ("20240305T100000Z", 0),
        ("2024-03-05T10:00:00.5Z", 500_000_000),
        ("2024-03-05T10:00:00,123456789Z", 123_456_789),
        ("2024-03-05T10:00:00.1234567899Z", 123_456_789),
        ("2024-03-05T09:59:60Z", 0),
        ("05/Mar/2024:10:00:00 +0000", 0),
        ("Tue, 5 Mar 2024 10:00:00 GMT", 0),
        ("Mar 5, 2024 @ 10:00:00.250", 250_000_000),
        ("Tue Mar  5 10:00:00 2024", 0),
        ("3/5/2024 10:00:00 AM", 0),
        ("3/5/2024, 10:00 pm", 12 * 3600 * 10**9),
        ("1709632800", 0),
        ("1709632800.000000001", 1),
        ("1709632800123", 123_000_000),
        ("1709632800123456", 123_456_000),
        ("1709632800123456789", 123_456_789),
    ],
)
def test_forms_of_one_time(text: str, offset: int) -> None:
    assert times.any_time(text) == T + offset


@pytest.mark.parametrize("value", [1709632800, 1709632800.0, 1709632800000])
def test_numbers_are_epochs(value: float) -> None:
    assert times.any_time(value) == T


@pytest.mark.parametrize(
    "text",
    [
        "1899-12-31T23:59:59Z",
        "2262-04-11T23:47:16.854775808Z",
        "9999-12-31T23:59:59Z",
        "99999999999999999999999",
        "-2208988801",
        "0001-01-01T00:00:00Z",
    ],
)
def test_out_of_range_says_so(text: str) -> None:
    with pytest.raises(NotATime, match="out of range"):
        times.any_time(text)


def test_the_ends_of_the_range_fit() -> None:
    assert times.any_time("1900-01-01T00:00:00Z") == times.EARLIEST
    assert times.any_time("2262-04-11T23:47:16.854775807Z") == times.LATEST


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "soon", "2024-13-01", "2024-02-30T00:00:00Z", "2024-03-05T25:00:00Z",
        "2024-03-05T10:61:00Z", "03/04/2024", "03/04/2024 10:00", "13:00 PM", None, True, False,
        float("nan"), float("inf"), "٢٠٢٤-03-05T10:00:00Z", "x" * 1000,
        "3/5/2024 13:00:00 PM",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(NotATime):
        times.any_time(value)


def test_four_digits_are_seconds_and_an_odd_zone_is_taken_at_its_word() -> None:
    assert times.any_time("2024") == 2024 * times.SECOND
    assert times.any_time("2024-03-05T10:00:00+99") == T - 99 * 3600 * times.SECOND


def test_a_zone_counts_only_where_the_text_names_none() -> None:
    assert times.any_time("2024-03-05 11:00:00", "Europe/Berlin") == T
    assert times.any_time("2024-07-05 12:00:00", "Europe/Berlin") == times.any_time(
        "2024-07-05T10:00:00Z"
    )
    assert times.any_time("2024-03-05T10:00:00Z", "Europe/Berlin") == T
    with pytest.raises(times.NoSuchZone, match="Mars/Olympus"):
        times.any_time("2024-03-05 11:00:00", "Mars/Olympus")


@settings(deadline=None)
@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2262, 4, 10)),
    st.integers(0, 999),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_is_exact_for_any_offset(when: datetime, nanos: int, minutes: int) -> None:
    shifted = when.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    text = shifted.strftime("%Y-%m-%dT%H:%M:%S.") + f"{shifted.microsecond:06d}{nanos:03d}"
    text = text.rjust(29, "0") + shifted.strftime("%z")
    since = when - datetime(1970, 1, 1)
    exact = (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000 + nanos
    assert times.any_time(text) == exact


@settings(deadline=None)
@given(st.integers(times.EARLIEST, times.LATEST))
def test_text_and_back(nanoseconds: int) -> None:
    assert times.any_time(times.text(nanoseconds)) == nanoseconds


@settings(deadline=None)
@given(st.text(max_size=40) | st.integers() | st.floats())
def test_anything_is_a_time_or_refused(value: object) -> None:
    try:
        found = times.any_time(value)
    except NotATime:
        return
    assert times.EARLIEST <= found <= times.LATEST
