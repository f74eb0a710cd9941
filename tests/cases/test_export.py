# SPDX-License-Identifier: Apache-2.0
"""What an export writes: cells that no spreadsheet runs, and columns of one type always."""

import csv
import io

import pyarrow as pa
import pytest

from locard.cases.export import export
from locard.model.event import Format


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff20"]
)
def test_no_cell_of_a_csv_begins_a_formula(begin: str) -> None:
    dangerous = f"{begin}cmd|' /C calc'!A0"
    cells = [dangerous, f"a{dangerous}", 'say "x", y\nz', "'quoted'", f"'{dangerous}"]
    batch = pa.RecordBatch.from_pydict({"id": list("12345"), "message": cells})
    text = b"".join(export([batch], Format.CSV, ["message"], lambda _ids: {})).decode()
    read = [row["message"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    # One apostrophe more than there was: whoever takes one off has the cell again.
    assert read == [f"'{dangerous}", *cells[1:4], f"''{dangerous}"]
