# SPDX-License-Identifier: Apache-2.0
"""`locard search` and `locard export`: what the timeline says."""

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from locard.cli.terminal import (
    BEYOND,
    Json,
    Who,
    desk,
    emit,
    errors,
    hand,
    moment,
    out,
    pointing,
    visible,
)
from locard.model.errors import Error, Missing
from locard.model.event import COLUMNS, Format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locard.cases.desk import Desk
    from locard.timeline import Row, Search

EXAMPLES = """Examples:

    locard search intrusion 'actor:*alice* AND outcome:failure'

    locard search intrusion 'src_ip:203.0.113.0/24' --from now-7d --count

    locard search intrusion '"StopLogging"' --columns time,actor,resource --json
"""
EXPORTS = """Examples:

    locard export intrusion 'tag:keep' --output keep.csv

    locard export intrusion --output all.parquet
"""
SHOWN = "time,source,actor,action,outcome,message"
PAGE = 1000

Case = Annotated[str, typer.Argument(help="The case.")]
Query = Annotated[str, typer.Argument(help="Lucene syntax (docs/query.md); empty is everything.")]
From = Annotated[
    str, typer.Option("--from", help="First time: 2023-07-10, 2023-07-10T12:00, now-1d.")
]
To = Annotated[str, typer.Option("--to", help="Last time; 2023-07-12 includes that day.")]
Zone = Annotated[str, typer.Option(help="Zone of times that name none, in query and options.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=EXAMPLES)(search)
    app.command(epilog=EXPORTS)(export)


def search(
    case: Case,
    query: Query = "",
    start: From = "",
    end: To = "",
    zone: Zone = "UTC",
    limit: Annotated[int, typer.Option(min=1, max=BEYOND, help="Most events to show.")] = 50,
    count: Annotated[bool, typer.Option("--count", help="Only say how many match.")] = False,
    newest: Annotated[bool, typer.Option("--newest", help="Newest first.")] = False,
    columns: Annotated[str, typer.Option(help="Columns to show, with commas.")] = SHOWN,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Search the timeline of a case.

    With --json each event is one JSON object on one line, all columns included.
    """
    shown = _columns(columns)
    with desk() as at, pointing(query):
        wanted = _search(at, case, query, start, end, zone, who)
        found = at.timeline.count(wanted)
        if not found.rows:
            at.require_rows(case)
        for note in found.notes:
            errors.print(note, markup=False)
        if count:
            emit({"count": found.rows}) if as_json else out.print(f"{found.rows}")
            return
        left, cursor = limit, None
        while left > 0:
            page = at.timeline.page(
                wanted, min(left, PAGE), cursor=cursor, order="desc" if newest else "asc"
            )
            for row in _tagged(at, case, page.rows):
                emit(_plain(row)) if as_json else _print(row, shown)
            left, cursor = left - len(page.rows), page.next
            if cursor is None:
                break
        if not as_json and found.rows > limit:
            errors.print(f"{found.rows - limit:,} more: --limit, or locard export {case}")
        if not as_json and not found.rows:
            errors.print(_nothing(at, case, query, start, end), markup=False)


def export(
    case: Case,
    query: Query = "",
    output: Annotated[
        Path | None, typer.Option(help="File to write; its ending says the form.")
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="csv, jsonl or parquet.")] = None,
    start: From = "",
    end: To = "",
    zone: Zone = "UTC",
    columns: Annotated[str, typer.Option(help="Columns, with commas; all unless named.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Write everything that matches, without a limit of rows, as CSV, JSON lines or Parquet."""
    kind = form or _form(output)
    if output is not None and output.is_dir():
        raise Error(f"{output} is a folder.", f"Name a file in it, such as {output}/events.csv.")
    with desk() as at, pointing(query):
        stream = at.export(
            _search(at, case, query, start, end, zone, who),
            kind,
            [name.strip() for name in columns.split(",")] if columns else None,
            who=hand(who),
        )
        if output is None:
            for chunk in stream:
                sys.stdout.buffer.write(chunk)
            return
        try:
            _write(stream, output)
        except OSError as error:
            raise Error(
                f"{output} cannot be written: {error.strerror}.", "Nothing half-written was left."
            ) from error
    if as_json:
        emit({"file": str(output), "format": kind.value, "bytes": output.stat().st_size})
    else:
        errors.print(f"Wrote {output}.", markup=False)


def _write(stream: "Iterator[bytes]", output: Path) -> None:
    """Write a file that is there as a whole or as it was; a pipe or a device takes what comes."""
    if output.exists() and not output.is_file():
        with output.open("wb") as file:
            file.writelines(stream)
        return
    whole = output.resolve()
    part = whole.with_name(f"{whole.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(stream)
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)


def _columns(names: str) -> list[str]:
    """The columns that are named with commas. Raises `Missing` for an unknown one."""
    chosen = [name.strip() for name in names.split(",")]
    known = [*(column.name for column in COLUMNS), "case", "tag"]
    for name in chosen:
        if name not in known:
            raise Missing(f"There is no column {name!r}.", f"There are: {', '.join(known)}.")
    return chosen


def _form(output: Path | None) -> Format:
    if output is None:
        return Format.JSONL
    try:
        return Format(output.suffix.lstrip(".").lower())
    except ValueError:
        raise Error(
            f"The ending of {output.name} names no form.", "Use .csv, .jsonl, .parquet or --format."
        ) from None


def _search(
    at: "Desk", case: str, query: str, start: str, end: str, zone: str, who: str | None
) -> "Search":
    from locard.timeline import bounds

    first, after = bounds(start, end, zone)
    return at.search(
        case,
        query,
        start=first,
        end=after,
        zone=zone,
        who=hand(who),
    )


def _tagged(at: "Desk", case: str, rows: "list[Row]") -> "list[Row]":
    """The rows with what people tagged them, under the word that queries and exports use."""
    from locard.state import marks

    with at.state.session() as session:
        known = marks.marks_of(session, case, [row["id"] for row in rows])
    return [
        {**row, "tag": "; ".join(known[row["id"]].tags) if row["id"] in known else ""}
        for row in rows
    ]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    raw = row.get("raw")
    time = row["time"]
    shaped = {**row, "time": iso(time)}
    if isinstance(raw, bytes):
        try:
            shaped["raw"] = raw.decode()
        except UnicodeDecodeError:
            shaped["raw"] = raw.decode("utf-8", "replace")
            shaped["raw_base64"] = base64.b64encode(raw).decode()
    return shaped


def iso(nanoseconds: int | None) -> str | None:
    """ISO 8601 in UTC with all nine digits."""
    if nanoseconds is None:
        return None
    return f"{moment(nanoseconds)[:19]}.{nanoseconds % 1_000_000_000:09d}Z"


def _print(row: dict[str, Any], columns: list[str]) -> None:
    cells = []
    for name in columns:
        value = row[name]
        cells.append(moment(value) if name == "time" else visible(_text(value)))
    out.print(f"{row['id']}  " + "  ".join(cell or "-" for cell in cells), markup=False)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _nothing(at: "Desk", case: str, query: str, start: str, end: str) -> str:
    total = at.timeline.summary(case).rows
    if not total:
        return f"Case {case} has no event yet: locard add {case} PATH"
    matches = f"matches {visible(query)!r}" if query.strip() else "has a time"
    for word, bound in (("from", start), ("to", end)):
        if bound.strip():
            matches += f" {word} {visible(bound.strip())}"
    return f"None of the {total:,} events of {case} {matches}."
