# SPDX-License-Identifier: Apache-2.0
"""A search as one condition: case, span of time and query, all text bound as parameters."""

import re
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from locard.model.errors import BadQuery
from locard.timeline import arriving, schema, words
from locard.timeline.client import Client, EngineRefused
from locard.timeline.packing import packed_ids
from locard.timeline.query.compiler import Compiled, compile_query
from locard.timeline.search import Search
from locard.timeline.staging import staged

_LARGEST = (1 << 63) - 1
_FEW_IDS = 1000
"""Up to so many ids travel as a parameter; more are put into a table in memory."""
_NO_EXPRESSION = 427
_RE2_SAYS = re.compile(r"error: (.+?)(?:\. Look at|$)", re.DOTALL)
_HEX = frozenset("0123456789abcdef")


@dataclass
class Condition:
    """SQL for WHERE with its parameters, and what a person should know about it."""

    sql: str
    parameters: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    scans: bool = False
    """Whether it reads the raw records, which costs far more than any index."""
    lasting: bool = True
    """Whether SQL and parameters say all of it, and no table that is gone after the `with`."""


@contextmanager
def condition(client: Client, search: Search) -> Iterator[Condition]:
    """The condition of a search, valid inside the `with`. Raises `BadQuery`."""
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    if search.case:
        clauses.append(arriving.scope(search.case, search.arriving, parameters))
    else:
        clauses.append(f"NOT {arriving.APART}")
    notes = [arriving.NOTE] if search.arriving else []
    if search.start is not None or search.end is not None:
        start = schema.UNDATED + 1 if search.start is None else search.start
        parameters["start"] = max(schema.UNDATED + 1, min(start, _LARGEST))
        clauses.append("time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')")
    if search.end is not None:
        parameters["end"] = max(schema.UNDATED + 1, min(search.end, _LARGEST))
        clauses.append("time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')")
    if not search.query.strip():
        yield Condition(" AND ".join(clauses), parameters, notes)
        return
    _encodable(search.query)
    compiled = compile_query(search)
    _check(client, compiled)
    parameters.update(compiled.bound.values)
    with ExitStack() as stack:
        sql = compiled.sql
        for name, ids in compiled.ids.items():
            sql = sql.replace(f"__{name}__", _set(client, name, ids, parameters, stack))
        clauses.append(sql)
        unbuilt = compiled.words and not words.covered(client, search.case)
        yield Condition(
            " AND ".join(clauses),
            parameters,
            [*_notes(compiled, unbuilt), *notes],
            compiled.scans or unbuilt,
            all(name in parameters for name in compiled.ids),
        )


def _encodable(query: str) -> None:
    try:
        query.encode()
    except UnicodeEncodeError as error:
        raise BadQuery("This character is not text.", error.start, 1) from error


def _check(client: Client, compiled: Compiled) -> None:
    """Let the engine read the regular expressions, so that a mistake is told with its place."""
    for text, position, length in compiled.expressions:
        try:
            client.table("SELECT match('', {text:String}) AS fits", {"text": "(?is)" + text})
        except EngineRefused as error:
            if error.code != _NO_EXPRESSION:
                raise
            raise _misread(text, position, length, error.message) from error


def _misread(text: str, position: int, length: int, said: str) -> BadQuery:
    """What RE2 says is wrong, and where in the expression, which stands between two slashes."""
    found = _RE2_SAYS.search(said)
    if found is None:
        return BadQuery("This is no regular expression that RE2 understands.", position, length)
    words, _, part = found[1].partition(": ")
    at = text.find(part.removeprefix("(?is)")) if part and length == len(text) + 2 else -1
    if at >= 0 and (part := part.removeprefix("(?is)")):
        position, length = position + 1 + at, len(part)
    return BadQuery(f"RE2 does not understand this regular expression: {words}.", position, length)


def _set(
    client: Client,
    name: str,
    ids: Collection[str],
    parameters: dict[str, Any],
    stack: ExitStack,
) -> str:
    """A subquery that gives the ids."""
    good = sorted({i for i in ids if len(i) == 32 and set(i) <= _HEX})
    if len(good) <= _FEW_IDS:
        parameters[name] = good
        return (
            f"SELECT toFixedString(unhex(one), 16) FROM "
            f"(SELECT arrayJoin({{{name}:Array(String)}}) AS one)"
        )
    table = stack.enter_context(staged(client, packed_ids(pa.array(good, pa.string()))))
    return f"SELECT id FROM {table}"


def _notes(compiled: Compiled, unbuilt: bool) -> list[str]:
    notes = [*compiled.doubts]
    if unbuilt:
        notes.append("The text index is not built yet: rows were read one by one.")
    if compiled.scans:
        notes.append("Part of the query cannot be answered by the text index: rows were read.")
    return notes
