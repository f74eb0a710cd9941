# SPDX-License-Identifier: Apache-2.0
"""Samples of parsers and the rows expected of them.

`python -m tests.contracts.golden [PARSER...]` writes the expected rows anew. Look at the difference
before it is committed: it is the whole point of the file.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from locard.model.errors import Unreadable
from locard.parsers import mapping
from locard.parsers.catalogue import Source, code, load
from locard.parsers.contract import Context, Limits
from locard.parsers.opened import Evidence
from locard.parsers.rows import SCHEMA, Rows
from locard.parsers.times import text

SUFFIX = ".expected.jsonl"
MODIFIED = 1_717_200_000_000_000_000
"""2024-06-01, the modification time that samples are given."""
NOT_DECIDED = ("id", "source", "source_version", "evidence", "raw")
"""Columns that follow from the bytes and the parser's name, and are judged in other ways."""


@dataclass(frozen=True)
class Reading:
    """What a parser made of some bytes."""

    rows: list[dict[str, Any]]
    seen: int
    written: int
    problems: int
    facts: dict[str, str]
    decoded: bytes


def read(
    parser: str | Source,
    data: bytes,
    name: str = "sample",
    *,
    only: str | None = None,
    saved: Mapping[str, object] | None = None,
    limits: Limits | None = None,
    zone: str = "UTC",
) -> Reading:
    """Parse `data` in this process, with the `Opened` of the real workers."""
    source = load().get(parser) if isinstance(parser, str) else parser
    limits = limits or Limits()
    digest = hashlib.sha256(data).hexdigest()
    batches: list[pa.RecordBatch] = []
    rows = Rows(batches.append, digest, source.id, source.version)
    context = Context(digest, modified=MODIFIED, only=only, mapping=saved, limits=limits, zone=zone)
    fd = os.memfd_create("sample")
    try:
        os.write(fd, data)
        opened = Evidence(fd, len(data), name, limits)
        module = code(source)
        if module is None:
            mapping.parse(source.data, opened, rows, context)
        else:
            module.parse(opened, rows, context)
        rows.close()
        try:
            whole = opened.whole(1 << 30) or b""
        except Unreadable:
            whole = b""
    finally:
        os.close(fd)
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema.equals(SCHEMA)
    table = pa.Table.from_batches(batches, SCHEMA)
    columns = {c: table.column(c).to_pylist() for c in table.column_names if c != "time"}
    columns["time"] = table.column("time").cast(pa.int64()).to_pylist()
    found = [{c: columns[c][n] for c in table.column_names} for n in range(table.num_rows)]
    return Reading(found, rows.seen, rows.written, rows.problems, rows.facts, whole)


def samples(source: Source) -> list[Path]:
    """The sample files of a parser."""
    folder = source.folder / "samples"
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(SUFFIX))


def name_of(source: Source, sample: Path) -> str:
    """The name that a sample is read under: its path below `samples`."""
    return str(sample.relative_to(source.folder / "samples"))


def expected(sample: Path) -> Path:
    """The file of rows beside a sample."""
    return sample.with_name(sample.name + SUFFIX)


def decided(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row that its parser decided, empty ones left out."""
    kept: dict[str, Any] = {}
    for name, value in row.items():
        if name in NOT_DECIDED or value in (None, "", 0, []):
            continue
        kept[name] = dict(value) if name == "attributes" else value
    if row["time"] is not None:
        kept["time"] = text(row["time"])
    return kept


def lines(rows: list[dict[str, Any]]) -> str:
    """Rows as the text of an expected file."""
    return "".join(json.dumps(decided(row), ensure_ascii=False) + "\n" for row in rows)


def main(wanted: list[str]) -> None:
    """Write the expected rows of the parsers named, or of all."""
    for source in load():
        if wanted and not any(source.id.startswith(name) for name in wanted):
            continue
        for sample in samples(source):
            found = read(source, sample.read_bytes(), name_of(source, sample))
            expected(sample).write_text(lines(found.rows), "utf-8")
            print(f"{source.id}: {sample.name}: {found.seen} records, {found.problems} problems")


if __name__ == "__main__":
    main(sys.argv[1:])
