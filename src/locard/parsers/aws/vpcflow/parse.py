# SPDX-License-Identifier: Apache-2.0
"""AWS VPC flow logs: text with or without a header, as CloudWatch Logs exports it, and Parquet.

What carries such records in JSON or in a table is read in `carried`. Flow logs of transit gateways
have the same form and other fields.
"""

import json
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from math import isnan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from locard.model.errors import Unreadable
from locard.parsers.aws.vpcflow import carried
from locard.parsers.aws.vpcflow.flows import DEFAULT, FIELDS, NUMBERS, TRANSIT, put
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.records import Piece, lines, wanted
from locard.parsers.rows import Rows
from locard.parsers.tables import distinct

_KNOWN = frozenset(FIELDS)
_TRANSIT = ("tgw-", "packets-lost-")
_STAMP = (
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)[ \t]"
    rb"(?:[A-Za-z]\S*[ \t])?"
)
"""The time, and the name of a stream, that CloudWatch Logs writes before each record."""
_STAMPED = re.compile(_STAMP)
_LINE = re.compile(
    rb"(?:" + _STAMP + rb")?\d{1,2} (?:\d{12}|unknown|-) \S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ "
    rb"\d+ \d+ (?:ACCEPT|REJECT|-) (?:OK|NODATA|SKIPDATA)\s*"
)
_TRANSIT_LINE = re.compile(
    rb"(?:" + _STAMP + rb")?\d{1,2} TransitGateway (?:\d{12}|unknown|-) tgw-\S+(?: \S+){32}\s*"
)
_HINTS = (b"addr", b"interface-id", b"log-status", b"account-id", b"_id")
"""One of these is in every header that is worth a closer look."""
_FIELD = re.compile(rb"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_PARQUET = b"PAR1"
_COLUMNS = (
    (b"srcaddr", b"dstaddr"),
    (b"log_status",),
    (b"sourceaddress", b"destinationaddress", b"numbytes"),
)
"""One of these sets of columns is in every Parquet file of flows, the last Athena's."""
_BLOCK = 65_536


def recognise(head: Head) -> Match:
    """By a header of field names, by the shape of the default format, or by Parquet's columns."""
    if head.first.startswith(_PARQUET):
        both = (head.first + head.last).lower()
        if any(all(name in both for name in names) for names in _COLUMNS):
            return Match(92, "Parquet with the columns of flow logs")
        return Match(60, "Parquet named like flow logs") if "vpcflow" in head.name.lower() else NO
    line = _first_line(head.first)
    if _header(line):
        return Match(95, "a header of flow log fields")
    if _LINE.fullmatch(line):
        return Match(90, "lines in the default format of flow logs")
    if _TRANSIT_LINE.fullmatch(line):
        return Match(90, "lines in the default format of a transit gateway's flow logs")
    return carried.recognise(head.first)


def _first_line(first: bytes) -> bytes:
    return first.lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0].rstrip()


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each flow record; see `contract`."""
    with opened.stream() as stream:
        try:
            magic = stream.read(4)
        except (Unreadable, EOFError):
            magic = b""
    if magic == _PARQUET:
        _parquet(opened, rows, context)
        return
    if carried.recognise(opened.first).score:
        carried.parse(opened, rows, context)
        return
    transit = _TRANSIT_LINE.fullmatch(_first_line(opened.first))
    fields: tuple[str, ...] = TRANSIT if transit else DEFAULT
    place = wanted(context.only, "byte")
    for pieces in lines(opened.stream(), context.limits.record_bytes):
        for named, part in _parts(pieces, fields):
            fields = named
            if context.only is not None:
                part = [p for p in part if place and (p.offset, p.length) == place]
            for start in range(0, len(part), _BLOCK):
                _block(rows, part[start : start + _BLOCK], fields)
    rows.facts["fields"] = " ".join(fields)


def _parts(
    pieces: list[Piece], fields: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[Piece]]]:
    """Runs of records with the fields of the header above them: logs that were put together."""
    begin = 0
    for at, piece in enumerate(pieces):
        if any(hint in piece.raw for hint in _HINTS) and (found := _header(piece.raw)):
            yield fields, pieces[begin:at]
            begin, fields = at + 1, found
    yield fields, pieces[begin:]


def _header(line: bytes) -> tuple[str, ...] | None:
    """The fields that a header names, or None when the line is no header."""
    words = line.replace(b"${", b"").replace(b"}", b"").split()
    if len(words) < 2 or not all(_FIELD.fullmatch(word) for word in words):
        return None
    names = tuple(word.decode().replace("_", "-") for word in words)
    known = sum(name in _KNOWN or name.startswith(_TRANSIT) for name in names)
    return (
        names if known >= 2 and known * 2 >= len(names) and len(set(names)) == len(names) else None
    )


def _block(rows: Rows, pieces: list[Piece], fields: tuple[str, ...]) -> None:
    """Columns for the lines that have as many words as there are fields, problems for the rest."""
    good: list[Piece] = []
    texts: list[bytes] = []
    stamps: list[str] = []
    spaces = len(fields) - 1
    for piece in pieces:
        line = piece.raw
        count = line.count(b" ")
        stamp = ""
        if count != spaces or b"\t" in line:
            match = _STAMPED.match(line)
            if match:
                stamp, line = match[0].decode().strip(), line[match.end() :]
            line = b" ".join(line.split())
            count = line.count(b" ")
        fault = piece.fault
        if not fault and not line.isascii():
            fault = "the line is not plain text"
        if not fault and (b"\r" in line or b"\0" in line):
            fault = "the line holds a NUL byte or a carriage return"
        if not fault and count != spaces:
            words = "word" if count == 0 else "words"
            fault = f"{count + 1} {words} where {len(fields)} fields were expected"
        if fault:
            rows.problem(fault, piece.raw, piece.locator, provider="aws")
            continue
        good.append(piece)
        texts.append(line)
        stamps.append(stamp)
    if not good:
        return
    table = pacsv.read_csv(
        pa.py_buffer(b"\n".join(texts) + b"\n"),
        read_options=pacsv.ReadOptions(
            column_names=list(fields), use_threads=False, block_size=1 << 26
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=" ", quote_char=False, double_quote=False, ignore_empty_lines=False
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(fields, pa.string()), strings_can_be_null=False
        ),
    ).combine_chunks()
    columns = {name: table.column(name).chunk(0) for name in fields}
    raws = [piece.raw for piece in good]
    put(rows, columns, raws, [piece.locator for piece in good], stamps)


def _parquet(opened: Opened, rows: Rows, context: Context) -> None:
    """Rows of a Parquet file. A row has no text of its own there: `raw` spells it as JSON."""
    place = wanted(context.only, "row")
    number = 0
    try:
        file = pq.ParquetFile(_random(opened))
        for batch in file.iter_batches(_BLOCK, use_threads=False):
            first, number = number, number + batch.num_rows
            if place is not None:
                if not first < place[0] <= number:
                    continue
                batch, first = batch.slice(place[0] - first - 1, 1), place[0] - 1
            _put_batch(rows, batch, first)
    except (pa.ArrowException, OSError, ValueError, Unreadable) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        locator = f"row={number + 1}"
        if context.only is None or context.only == locator:
            rows.problem(f"Parquet cannot be read further: {reason}", b"", locator, provider="aws")


def _random(opened: Opened) -> Any:
    if not opened.layers:
        return pa.PythonFile(opened.seekable(), mode="r")
    data = opened.whole(1 << 30)
    if data is None:
        raise OSError("a compressed Parquet file of more than 1 GiB")
    return BytesIO(data)


def _put_batch(rows: Rows, batch: pa.RecordBatch, first: int) -> None:
    names = distinct(_columns(batch.schema.names))
    texts = dict(zip(names, map(_texts, batch.columns), strict=True))
    spelled = [
        _spelled(array, texts[name]) for name, array in zip(names, batch.columns, strict=True)
    ]
    titles = distinct(batch.schema.names)
    raws = [
        json.dumps(
            dict(zip(titles, row, strict=True)),
            default=str, separators=(",", ":"), ensure_ascii=False,
        ).encode()
        for row in zip(*spelled, strict=True)
    ]  # fmt: skip
    for name in ("start", "end"):
        if name in texts and pa.types.is_timestamp(batch.column(names.index(name)).type):
            moments = batch.column(names.index(name))
            seconds = pc.floor_temporal(
                moments.cast(pa.timestamp(moments.type.unit)), unit="second"
            )
            texts[name] = (
                seconds.cast(pa.timestamp("s"), safe=False).cast(pa.int64()).cast("string")
            )
    columns = {
        name: _whole(text.fill_null("-")) if name in NUMBERS else text.fill_null("-")
        for name, text in texts.items()
    }
    locators = [f"row={first + n}" for n in range(1, batch.num_rows + 1)]
    put(rows, columns, raws, locators)


def _columns(titles: Sequence[str]) -> list[str]:
    """Fields by the titles of columns; another spelling yields to a column of the very name."""
    names = [title.replace("_", "-") for title in titles]
    known = [carried.field(name) or name for name in names]
    return [
        name if name == other or other in names or known.count(other) > 1 else other
        for name, other in zip(names, known, strict=True)
    ]


def _texts(array: pa.Array) -> pa.Array:
    """A text for each value, null for none, whatever the type: Arrow's own spelling at the last."""
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array(
            [
                None if v is None else v.decode("utf-8", "backslashreplace")
                for v in array.to_pylist()
            ],
            pa.string(),
        )
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        array = array.cast(pa.timestamp(kind.unit))  # stored in UTC; the zone may be any text
    if pa.types.is_floating(kind):
        return pa.array([_fraction(value) for value in array.to_pylist()], pa.string())
    try:
        return array.cast(pa.string())
    except pa.ArrowException:
        return pa.array([_text(array, at) for at in range(len(array))], pa.string())


def _fraction(value: float | None) -> str | None:
    """A whole number with all its digits, as pandas keeps a column in which some are missing."""
    if value is None or isnan(value):
        return None
    return str(int(value)) if value.is_integer() else str(value)


def _whole(texts: pa.Array) -> pa.Array:
    """Numbers without the `.0` of a column that once held fractions."""
    return pc.replace_substring_regex(texts, r"^([0-9]+)\.0$", r"\1")


def _text(array: pa.Array, at: int) -> str | None:
    """A nested value as Python writes it, or as Arrow does where Python holds no such time."""
    try:
        value = array[at].as_py()
    except ValueError:
        return " ".join(array.slice(at, 1).to_string().split())
    return None if value is None else str(value)


def _spelled(array: pa.Array, texts: pa.Array) -> list[Any]:
    """Values as the raw record shows them."""
    kind = array.type
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    values: list[Any] = (array if plain else texts).to_pylist()
    return values
