# SPDX-License-Identifier: Apache-2.0
"""Tables as text: what their header is, and every row of them once."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.parsers.tables import FIRST_MOST, Row, Table, csv_rows, line_end, table

LIMIT = 1 << 20


def rows_of(data: bytes, limit: int = LIMIT) -> list[Row]:
    shape = table(data)
    assert shape is not None
    return [row for batch in csv_rows(BytesIO(data), shape, limit) for row in batch]


def test_csv_rows_keep_quoted_line_ends() -> None:
    data = b'a,b\n1,"x\ny, ""z"""\n2,w\n'
    assert [row.cells for row in rows_of(data)] == [["1", 'x\ny, "z"'], ["2", "w"]]
    assert [row.locator for row in rows_of(data)] == ["row=1", "row=2"]
    assert [row.raw for row in rows_of(data)] == [b'1,"x\ny, ""z"""', b"2,w"]


def test_a_quote_that_never_closes_gives_its_lines_back() -> None:
    found = rows_of(b'a,b\n1,2\n3,"open\n5,6\n')
    assert found[0].cells == ["1", "2"]
    assert [row.fault for row in found[1:]] == ["a quote is never closed", ""]
    assert [row.raw for row in found[1:]] == [b'3,"open', b"5,6"]


def test_a_stray_quote_costs_its_own_line() -> None:
    lines = [b'%d,"%d"' % (n, n) for n in range(100)]
    lines[1], lines[60] = b'1,5" disk', b'60,6" disk'
    found = rows_of(b"a,b\n" + b"\n".join(lines))
    assert [row.raw for row in found] == lines
    assert [row.number for row in found if row.fault] == [2, 61]


def test_raw_of_a_row_is_exact_whatever_its_line_ends() -> None:
    raw = b'1,"x\r\n\r\n  \ny"'
    found = rows_of(b"a,b\r\n" + raw + b"\r\n\r\n2,w\r\n")
    assert [row.raw for row in found] == [raw, b"2,w"]
    assert found[0].cells == ["1", "x\r\n\r\n  \ny"]


@given(st.lists(st.sampled_from([b"1,2", b'"', b'1,"', b'",2', b'"a","b"', b"", b" ", b'x"y,"z"'])))
def test_no_line_of_a_table_is_lost_or_there_twice(lines: list[bytes]) -> None:
    data, shape = b"a,b\n" + b"\n".join(lines), Table(",", ("a", "b"))
    found = [row for batch in csv_rows(BytesIO(data), shape, 40) for row in batch]
    told = [line for row in found for line in row.raw.split(b"\n") if line.strip()]
    assert told == [line for line in lines if line.strip()]


def test_a_row_that_is_no_utf8_says_so_and_keeps_its_cells() -> None:
    bad, good = rows_of(b"a,b\nM\xfcller,1\nx,2\n")
    assert (bad.cells, bad.fault, bad.oddity) == (
        ["M\ufffdller", "1"], "", "the row is not valid UTF-8",
    )  # fmt: skip
    assert good.oddity == ""


def test_columns_of_the_same_name_stay_apart() -> None:
    shape = table(b"a.3,a,a,,a\n1,2,3,4,5\n")
    assert shape is not None and shape.header == ("a.3", "a", "a.3'", "column.4", "a.5")


def test_a_header_that_is_not_seen_whole_is_none() -> None:
    assert table(b",".join(b"n%d" % n for n in range(20_000))[:FIRST_MOST]) is None


def test_a_row_of_another_width_is_a_fault() -> None:
    assert "3 cells where the header has 2" in rows_of(b"a,b\n1,2,3\n")[0].fault


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(sign: str) -> None:
    text = "\n".join(sign.join(row) for row in (["when", "who"], ["1", "a.b"], ["2", "c"]))
    shape = table(text.encode())
    assert shape is not None
    assert (shape.delimiter, shape.header) == (sign, ("when", "who"))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"one word\n", b"1,2,3\n4,5,6\n", b"\0\1\2"])
def test_what_has_no_header_is_no_table(data: bytes) -> None:
    assert table(data) is None


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_that_end_with_a_carriage_return_alone(mark: bytes) -> None:
    rows = [b'1,"x\ny"', b'2,"say ""a\rb"""', b"3,c"]
    data = mark + b"\r".join([b"a,b", *rows]) + b"\r"
    found = rows_of(data)
    assert [row.raw for row in found] == rows
    assert [row.cells for row in found] == [["1", "x\ny"], ["2", 'say "a\rb"'], ["3", "c"]]
    assert [row.locator for row in found] == ["row=1", "row=2", "row=3"]
    assert not [row.fault for row in found if row.fault]


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"a,b\n1,2\r\n", b"\n"),
        (b"a,b\r\n1,2\r\n", b"\n"),
        (b"a,b\r1,2\n", b"\n"),
        (b"a,b", b"\n"),
        (b'a,b\r1,"2\n"\r', b"\r"),
        (b"a" * (FIRST_MOST - 1) + b"\r", b"\n"),
    ],
)
def test_what_ends_a_row(data: bytes, end: bytes) -> None:
    assert line_end(data) == end


@given(st.lists(st.sampled_from([b"1,2", b'"', b'1,"', b'",2', b'"a","b"', b"", b'x"y,"z"'])))
def test_no_line_of_an_old_table_is_lost_or_there_twice(lines: list[bytes]) -> None:
    data, shape = b"a,b\r" + b"\r".join(lines), Table(",", ("a", "b"), b"\r")
    found = [row for batch in csv_rows(BytesIO(data), shape, 40) for row in batch]
    told = [line for row in found for line in row.raw.split(b"\r") if line.strip()]
    assert told == [line for line in lines if line.strip()]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    "above",
    [
        [b"sep=;"],
        [b"SEP=;"],
        [b'"sep=;"'],
        [b"# exported by a tool, version 2"],
        [b"#", b'# of "alice', b"# 2024-03-05", b""],
        [b"", b"# exported by a tool", b"", b""],
    ],
)
def test_what_stands_above_a_header(above: list[bytes], mark: bytes, end: bytes) -> None:
    rows = [b"2024-03-05 10:00:00;a", b"2024-03-05 11:00:00;b,c"]
    data = mark + end.join([*above, b"when;who", *rows]) + end
    shape = table(data)
    assert shape is not None
    assert (shape.delimiter, shape.header) == (";", ("when", "who"))
    assert [(row.locator, row.raw) for row in rows_of(data)] == [
        ("row=1", rows[0]),
        ("row=2", rows[1]),
    ]


@pytest.mark.parametrize("sign", ["\t", "^", "~", ":"])
def test_any_sign_that_excel_is_told_delimits(sign: str) -> None:
    data = f"sep={sign}\nwhen{sign}who, and where\n1{sign}a\n"
    shape = table(data.encode())
    assert shape is not None
    assert (shape.delimiter, shape.header) == (sign, ("when", "who, and where"))


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (b"#time,who\n1,a\n2,b\n", "#time"),
        (b"# time,who\nalice,bob\ncarol,dave\n", "# time"),
        (b"#,time\n1,2024-03-05\n", "#"),
        (b"# a note, with a comma\nwho,when\nalice,10\n", "# a note"),
        (b"sep=xy,b\n1,2\n", "sep=xy"),
        (b"sep=a,b\nwhen,who\n", "sep=a"),
    ],
)
def test_a_first_line_that_may_be_the_header_is_the_header(data: bytes, header: str) -> None:
    shape = table(data)
    assert shape is not None
    assert shape.header[0] == header


@pytest.mark.parametrize(
    "data",
    [
        b"# Zeek\n#fields\tts\tuid\n1591367999.3\tCMdzit1\n1591368000.0\tCMdzit2\n",
        b"# a note\nalice,10\nbob,11\n",
        b"# a note\nwho,when\n",
        b"# a note\nwho,who\na,b\n",
        b"# a note\n" * 200 + b"who,when\na,b\n",
    ],
)
def test_below_comments_what_is_not_surely_a_header_is_none(data: bytes) -> None:
    shape = table(data)
    assert shape is None or shape.begin == 0
