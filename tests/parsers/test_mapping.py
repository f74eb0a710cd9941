# SPDX-License-Identifier: Apache-2.0
"""The mapping language: what it can say, and that it refuses everything else at once."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.parsers import mapping
from locard.parsers.catalogue import load
from locard.parsers.contract import Head
from locard.parsers.mapping import BadMapping, compile_columns
from locard.parsers.times import NotATime, written
from locard.parsers.times import text as time_text
from tests.contracts.golden import read


def rows(records: list[Any], columns: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    data = "\n".join(json.dumps(record) for record in records).encode()
    return read("generic.jsonl", data, saved=columns, **more).rows


def test_every_word_of_the_language() -> None:
    (row,) = rows(
        [{"a": {"b": "X"}, "ms": 1709632800123, "ip": " 2001:DB8::1 ", "ok": False, "p": 22}],
        {
            "time": {"from": ["none", "ms"], "as": "epoch_ms"},
            "action": "a.b",
            "actor": {"from": "a.b", "as": "lower"},
            "provider": {"const": "ours"},
            "region": {"from": "nowhere", "default": "eu"},
            "outcome": {"from": "ok", "values": {"true": "success", "false": "failure"}},
            "src_ip": "ip",
            "src_port": "p",
        },
    )
    assert row["time"] == 1_709_632_800_123_000_000
    names = ("action", "actor", "provider", "region", "outcome", "src_ip", "src_port")
    assert [row[name] for name in names] == [
        "X", "x", "ours", "eu", "failure", "2001:db8::1", 22,
    ]  # fmt: skip
    assert row["problem"] == ""


def test_a_name_with_dots_is_found_before_a_path() -> None:
    (row,) = rows(
        [{"a.b": "flat", "a": {"b": "deep"}, "t": 1709632800}], {"time": "t", "action": "a.b"}
    )
    assert row["action"] == "flat"


def test_what_is_no_address_or_port_is_kept_as_attribute() -> None:
    (row,) = rows(
        [{"t": 1709632800, "ip": "localhost", "p": "many"}],
        {"time": "t", "src_ip": "ip", "src_port": "p"},
    )
    assert (row["src_ip"], row["src_port"]) == ("", 0)
    assert dict(row["attributes"]) == {"ip": "localhost", "p": "many"}


def test_what_further_alternatives_say_is_kept_as_attributes() -> None:
    columns = {"time": "t", "hash": {"from": ["sha256", "md5", "sha1"]}}
    columns |= {"src_ip": {"from": ["client", "peer"]}, "resource": "sha1"}
    first, second, third = rows(
        [
            {"t": 1709632800, "sha256": "aa", "md5": "bb", "sha1": "cc", "client": "10.0.0.1"},
            {"t": 1709632800, "md5": "bb", "client": "", "peer": "gone"},
            {"t": 1709632800, "client": "10.0.0.1", "peer": "10.0.0.1", "sha256": "aa"},
        ],
        columns,
    )
    assert (first["hash"], first["resource"], dict(first["attributes"])) == (
        "aa", "cc", {"md5": "bb"},
    )  # fmt: skip
    assert (second["hash"], second["src_ip"], dict(second["attributes"])) == (
        "bb", "", {"peer": "gone"},
    )  # fmt: skip
    assert dict(third["attributes"]) == {}


def test_a_time_that_is_missing_or_wrong_is_a_problem_with_all_else() -> None:
    found = rows(
        [{"who": "a"}, {"t": "9999-01-01T00:00:00Z", "who": "b"}], {"time": "t", "actor": "who"}
    )
    assert [row["actor"] for row in found] == ["a", "b"]
    assert "no time in 't'" in found[0]["problem"]
    assert "out of range" in found[1]["problem"]


def test_a_zone_is_used_for_times_that_name_none() -> None:
    (row,) = rows([{"t": "2024-03-05 11:00:00"}], {"time": "t"}, zone="Europe/Berlin")
    assert row["time"] == 1_709_632_800_000_000_000


@pytest.mark.parametrize(
    ("form", "text", "wanted"),
    [
        ("%d.%m.%Y %H:%M:%S", "05.03.2024 11:00:00", "2024-03-05T10:00:00Z"),
        ("%m/%d/%y %I:%M %p", "03/05/24 11:00 PM", "2024-03-05T22:00:00Z"),
        ("%d/%b/%Y:%H:%M:%S %z", "05/Mar/2024:11:00:00 -0500", "2024-03-05T16:00:00Z"),
        ("%Y-%j %H:%M:%S.%f", "2024-065 11:00:00.25", "2024-03-05T10:00:00.25Z"),
        ("%Y%m%d%H%M", 202403051100, "2024-03-05T10:00:00Z"),
    ],
)
def test_a_time_is_read_in_the_form_that_the_mapping_names(
    form: str, text: object, wanted: str
) -> None:
    found = rows(
        [{"t": text}, {"t": "something else"}],
        {"time": {"from": "t", "form": form}},
        zone="Europe/Berlin",
    )
    assert time_text(found[0]["time"]) == wanted
    assert found[1]["time"] is None
    assert f"not a time of the form {form}" in found[1]["problem"]


def test_several_fields_make_one_value() -> None:
    found = rows(
        [{"d": "03/05/24", "h": "11:00 AM", "a": "x", "b": 7}, {"d": "03/06/24"}],
        {
            "time": {"join": ["d", "h"], "form": "%m/%d/%y %I:%M %p"},
            "resource": {"join": ["a", "b"]},
        },
    )
    assert time_text(found[0]["time"]) == "2024-03-05T11:00:00Z"
    assert (found[0]["resource"], dict(found[0]["attributes"])) == ("x 7", {})
    assert found[1]["time"] is None
    assert "d '03/06/24'" in found[1]["problem"]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"from": "t", "form": "%H:%M"}, "names no year, month and day"),
        ({"from": "t", "form": "%d.%m. %H:%M"}, "names no year, month and day"),
        ({"from": "t", "form": "%Y-%m-%d %I:%M"}, "morning or evening"),
        ({"from": "t", "form": "%Y-%m-%d %Q"}, "%Q is none of"),
        ({"from": "t", "form": "%Y-%m-%d %Y"}, "%Y stands there twice"),
        ({"from": "t", "form": "%Y-%m-%d", "as": "epoch_s"}, "stands without `as`"),
        ({"from": "t", "form": 7}, "must be text"),
        ({"from": "t", "as": "%d.%m.%Y"}, "said with `form: '%d.%m.%Y'`"),
        ({"join": [], "form": "%Y-%m-%d"}, "names no field"),
        ({"join": ["a"], "from": "b"}, "needs one of `from`, `join` and `const`"),
    ],
)
def test_a_form_that_says_no_time_is_a_fault(rule: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadMapping) as caught:
        compile_columns({"time": rule})
    assert fault in caught.value.message


def test_a_form_is_for_times_alone() -> None:
    with pytest.raises(BadMapping, match="actor: `form` says how a time is written"):
        compile_columns({"actor": {"from": "a", "form": "%Y"}})


@given(st.text(max_size=20), st.text(max_size=30))
def test_any_form_is_read_or_refused(form: str, text: str) -> None:
    try:
        plan = compile_columns({"time": {"from": "t", "form": form}})
    except BadMapping:
        return
    assert plan.rules[0].form == form
    with suppress(NotATime):
        written(text, form)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(BadMapping) as caught:
        compile_columns(
            {
                "tiem": "t",
                "raw": "x",
                "time": {"from": "t", "as": "address"},
                "actor": {"from": "a", "upper": True},
                "action": {"default": "x"},
                "region": {"from": 7},
                "host": ["a"],
                "account": {"from": "a", "const": "b"},
                "outcome": {"from": "a", "values": "yes"},
                "error": {"from": "a", "as": "json"},
            }
        )
    for name in ("tiem", "raw", "time", "actor", "action", "region", "host", "account", "outcome"):
        assert f"{name}: " in caught.value.message
    assert "error: `as: json`" in caught.value.message
    assert "faults" in caught.value.message and caught.value.advice


@pytest.mark.parametrize(
    ("column", "rule", "fault"),
    [
        ("time", {"from": "t", "as": "lower"}, "time: is read as timestamp or epoch_s"),
        ("actor", {"from": "t", "as": "epoch_s"}, "actor: is read as text or lower or address"),
        ("actor", {"from": "t", "as": "port"}, "actor: is read as text"),
        ("src_port", {"from": "t", "as": "text"}, "src_port: is read as port, not as text"),
        ("src_ip", {"from": "t", "as": "text"}, "src_ip: is read as address"),
        ("src_ip", {"const": "localhost"}, "src_ip: 'localhost' is no address"),
        ("dst_port", {"const": 70000}, "dst_port: '70000' is no port"),
    ],
)
def test_a_reading_that_does_not_fit_the_column_is_a_fault(
    column: str, rule: dict[str, Any], fault: str
) -> None:
    with pytest.raises(BadMapping) as caught:
        compile_columns({column: rule})
    assert fault in caught.value.message


def test_a_constant_that_fits_its_column_is_taken() -> None:
    (row,) = rows(
        [{"t": 1709632800}], {"time": "t", "dst_port": {"const": 22}, "dst_ip": {"const": "::1"}}
    )
    assert (row["dst_port"], row["dst_ip"]) == (22, "::1")


@pytest.mark.parametrize("columns", [None, {}, [], "time", 7])
def test_no_columns_is_a_fault(columns: object) -> None:
    with pytest.raises(BadMapping, match="no columns"):
        compile_columns(columns)


def test_more_names_than_anybody_needs_are_kept_together() -> None:
    (row,) = rows([{"t": 1709632800, **{f"n{i}": i for i in range(1000)}}], {"time": "t"})
    attributes = dict(row["attributes"])
    assert len(attributes) == 513
    assert len(json.loads(attributes["further"])) == 1000 - 512


SOURCE = {
    "title": "Ours",
    "version": "1",
    "recognise": {"format": "json", "fields": ["kind", "at.time"], "score": 77},
    "columns": {"time": {"from": "at.time", "as": "epoch_s"}, "action": "kind"},
}


def test_a_parser_of_data_alone_recognises_by_its_fields() -> None:
    data = b'{"kind":"a","at":{"time":1}}\n'
    assert mapping.recognise(SOURCE, Head(data, data, len(data), "x")).score == 77
    for other in (b'{"kind":"a"}\n', b"kind,at.time\na,1\n", b"", b"\0"):
        assert mapping.recognise(SOURCE, Head(other, other, len(other), "x")).score == 0


def test_every_source_of_data_compiles() -> None:
    for source in load():
        if not source.has_code:
            assert compile_columns(source.data["columns"]).rules


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["time", "actor", "src_ip", "src_port", "raw", "x"]),
        st.recursive(
            st.none() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["from", "as", "default", "const", "values", "y"]), inner
                )
            ),
            max_leaves=5,
        ),
    )
)
def test_any_mapping_is_a_plan_or_refused(columns: dict[str, Any]) -> None:
    try:
        plan = compile_columns(columns)
    except BadMapping as error:
        assert error.message
        return
    data = b'{"time":1709632800,"x":[1]}\n7\n'
    saved = {"columns": columns}
    assert plan.rules and read("generic.jsonl", data, saved=saved).seen == 2


@pytest.mark.parametrize(
    ("text", "form", "rest"),
    [
        ("05.03.2024 10:00:00,123456789", "%d.%m.%Y %H:%M:%S,%f", 123_456_789),
        ("20240305100000123456789", "%Y%m%d%H%M%S%f", 123_456_789),
        ("05/03/2024 10:00:00.1234567", "%d/%m/%Y %H:%M:%S.%f", 123_456_700),
        ("05/03/2024 10:00:00.1234567891", "%d/%m/%Y %H:%M:%S.%f", 123_456_789),
        ("05/03/2024 10:00:00.5", "%d/%m/%Y %H:%M:%S.%f", 500_000_000),
    ],
)
def test_a_written_form_keeps_nanoseconds(text: str, form: str, rest: int) -> None:
    assert written(text, form) == 1_709_632_800_000_000_000 + rest
