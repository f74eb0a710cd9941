# SPDX-License-Identifier: Apache-2.0
"""One row for each file that belongs to the evidence."""

from locard.parsers.contract import Context, Opened
from locard.parsers.rows import Rows


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    for name, reader in opened.siblings().items():
        rows.row(message=reader.read().decode(), locator=name)
