# SPDX-License-Identifier: Apache-2.0
"""The tree that `luqum` parses, compiled into one condition in ClickHouse SQL."""

import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse

from locard.model.errors import BadQuery
from locard.model.event import Kind
from locard.timeline import schema
from locard.timeline.query import times
from locard.timeline.query.doubts import doubts
from locard.timeline.query.fields import MARKS, Field, resolve, unquoted
from locard.timeline.query.needed import needed
from locard.timeline.query.parts import (
    backwards,
    canonical,
    ends,
    literal,
    misread,
    number,
    truth,
    value_of,
)
from locard.timeline.query.text import Prepared, prepare, unescape
from locard.timeline.query.values import (
    Bound,
    Pattern,
    alone,
    as_ipv6,
    lowered,
    matching,
    network,
    pattern,
    tokens,
)
from locard.timeline.search import Search

TERMS = 500
"""Terms of one query."""
EXPRESSION = 1000
"""Characters of one regular expression."""

_WORDS = ("message", "raw")


@dataclass
class Compiled:
    """A condition with its parameters; `expressions` are checked by the engine before it runs."""

    sql: str
    bound: Bound
    expressions: list[tuple[str, int, int]]
    """Regular expressions with their position and length."""
    ids: dict[str, Collection[str]]
    """Sets of event ids by the name that stands for them in `sql`, as `__name__`."""
    scans: bool
    """Whether the text index cannot answer a part of it."""
    words: bool
    """Whether a part of it asks the text index."""
    doubts: list[str]
    """What it says that was hardly meant."""


def compile_query(search: Search) -> Compiled:
    """The condition of a query. Raises `BadQuery`."""
    prepared = prepare(search.query)
    compiler = _Compiler(search, prepared)
    if not prepared.text.strip():
        return compiler.result("1")
    try:
        parsed = parse(prepared.text)
    except ParseError as error:
        raise misread(error, prepared, search.query) from error
    try:
        return replace(compiler.result(compiler.node(parsed, None)), doubts=doubts(parsed))
    except RecursionError:
        raise BadQuery("The query is too deeply nested.", 0, len(search.query)) from None


@dataclass
class _Compiler:
    search: Search
    prepared: Prepared
    bound: Bound = field(default_factory=Bound)
    expressions: list[tuple[str, int, int]] = field(default_factory=list)
    ids: dict[str, Collection[str]] = field(default_factory=dict)
    scans: bool = False
    words: bool = False
    terms: int = 0

    def result(self, sql: str) -> Compiled:
        return Compiled(sql, self.bound, self.expressions, self.ids, self.scans, self.words, [])

    def place(self, item: tree.Item) -> tuple[int, int]:
        """Position and length of an item in what was typed."""
        start, end = item.span()
        if start is None:
            return 0, max(1, len(self.search.query))
        first, last = self.prepared.place(start), self.prepared.place(max(start, end - 1))
        return first, max(1, last - first + 1)

    def bad(self, item: tree.Item, message: str, suggestion: str = "") -> BadQuery:
        return BadQuery(message, *self.place(item), suggestion)

    def node(self, item: tree.Item, of: Field | None) -> str:
        """The SQL of an item; `of` is the field that it stands under."""
        match item:
            case tree.AndOperation() | tree.UnknownOperation():
                return self.joined(item, of, " AND ")
            case tree.OrOperation():
                return self.joined(item, of, " OR ")
            case tree.Not() | tree.Prohibit():
                return f"NOT ({self.node(item.children[0], of)})"
            case tree.Plus():
                return self.node(item.children[0], of)
            case tree.Group() | tree.FieldGroup():
                return self.node(item.expr, of)
            case tree.SearchField():
                return self.searched(item, of)
        self.terms += 1
        if self.terms > TERMS:
            raise self.bad(item, f"A query has at most {TERMS} terms.")
        found = self.term(item, of)
        return self.held(found) if of is not None and of.name == "evidence" else found

    def held(self, sql: str) -> str:
        """Rows that stand on the evidence, and those of which it holds a further place."""
        places = f"SELECT `case`, id FROM {schema.DATABASE}.sightings WHERE {sql}"
        if not self.search.case:
            return f"({sql} OR (`case`, id) IN ({places}))"
        case = f"`case` = {self.bound.add(self.search.case)}"
        places = places.replace("`case`, id", "id", 1)
        return f"({sql} OR ({case} AND id IN ({places} AND {case})))"

    def joined(self, item: tree.Item, of: Field | None, word: str) -> str:
        return "(" + word.join(self.node(child, of) for child in item.children) + ")"

    def searched(self, item: tree.SearchField, of: Field | None) -> str:
        name = unescape(item.name)
        first = self.place(item)[0]
        if of is not None:
            raise BadQuery("A field cannot stand inside another.", first, len(item.name))
        if name == "_exists_":
            if not isinstance(item.expr, tree.Word | tree.Phrase):
                raise self.bad(item, "_exists_ takes the name of one field.")
            named = self.resolve(literal(item.expr), *self.place(item.expr))
            return self.exists(named)
        typed = self.search.query[first : first + self.place(item)[1]].rstrip()
        if whole := unquoted(typed):
            message = f"{name[:80]!r} is no field; text with a colon stands in quotes."
            raise BadQuery(message, first, len(typed), whole)
        return self.node(item.expr, self.resolve(name, first, len(item.name)))

    def resolve(self, name: str, position: int, length: int) -> Field:
        return resolve(name, position, length, self.bound.add)

    def term(self, item: tree.Item, of: Field | None) -> str:
        match item:
            case tree.Range() | tree.From() | tree.To():
                if of is None:
                    raise self.bad(item, "A range or a comparison needs a field before it.")
                return self.ranged(item, of)
            case tree.Regex():
                return self.matched(item, of)
            case tree.Word():
                wanted = pattern(item.value)
            case tree.Phrase():
                wanted = Pattern((literal(item),))
            case _:
                raise self.bad(item, "This is not supported.")
        if of is None:
            if wanted.anything:
                return "1"
            return self.found(item, wanted, _WORDS)
        if wanted.anything:
            return self.exists(of)
        if wanted.plain and not wanted.text and not of.attribute:
            return f"NOT ({self.exists(of)})"
        if of.name in MARKS:
            return self.marked(item, of, wanted)
        if of.name in _WORDS:
            return self.found(item, wanted, (of.name,))
        return self.equals(item, of, wanted)

    def exists(self, of: Field) -> str:
        """Whether a field has a value."""
        if of.name in MARKS:
            return self.marked(None, of, pattern("*"))
        if of.attribute:
            return f"mapContains(attributes, {self.bound.add(of.attribute)})"
        if of.kind is Kind.TIME:
            return f"toUnixTimestamp64Nano(time) != {schema.UNDATED}"
        if of.kind is Kind.PORT:
            return f"{of.sql} != 0"
        if of.kind is Kind.MAP:
            return "notEmpty(attributes)"
        return "1" if of.name == "id" else f"{of.sql} != ''"

    def found(self, item: tree.Item, wanted: Pattern, columns: tuple[str, ...]) -> str:
        """Words and phrases in `message` and `raw`: the text index first, then exactly."""
        if not wanted.longest:
            raise self.bad(item, "A search needs a character that is no wildcard.", "*")
        return "(" + " OR ".join(self.within(c, wanted) for c in columns) + ")"

    def within(self, column: str, wanted: Pattern) -> str:
        text = wanted.text if wanted.plain else ""
        keys = tokens(text)
        if keys:
            self.words = True
            variants = {tuple(tokens(v)) for v in (text, text.lower(), text.upper())}
            every = " OR ".join(
                f"hasAllTokens({column}, {self.bound.add(list(v), 'Array(String)')})"
                for v in sorted(variants)
            )
            if len(variants) > 1:
                every = f"({every})"
            if len(keys) == 1 and len(keys[0]) == len(text):
                return every
            exact = alone(text)
            return f"({every} AND match({column}, {self.bound.add('(?is)' + exact)}))"
        if wanted.plain:
            self.scans = True
            return f"position({column}, {self.bound.add(text)}) > 0"
        return self.partly(column, wanted)

    def partly(self, column: str, wanted: Pattern) -> str:
        """A pattern with wildcards, anywhere in the text."""
        self.scans = True
        inner = wanted.longest
        simple = len([p for p in wanted.parts[::2] if p]) == 1 and "?" not in wanted.parts
        open_both = wanted.parts[0] == "" and wanted.parts[-1] == ""
        contains = Pattern(("", "*", inner, "*", ""))
        part = f"{column} ILIKE {self.bound.add(contains.like())}"
        if simple and open_both:
            return part
        return f"({part} AND match({column}, {self.bound.add('(?is)' + wanted.expression())}))"

    def equals(self, item: tree.Item, of: Field, wanted: Pattern) -> str:
        """A field that is a value, in any case of letters, or fits wildcards."""
        if of.kind is Kind.TIME:
            start, end = self.instant(item, wanted)
            return self.between(start, end)
        if of.kind is Kind.PORT and wanted.plain:
            return f"{of.sql} = {self.bound.add(self.port(item, wanted.text), 'UInt16')}"
        if of.kind is Kind.ADDRESS and wanted.plain and "/" in wanted.text:
            return self.in_network(item, of, wanted.text)
        if of.kind is Kind.MAP:
            return f"arrayExists(v -> {self.fits('v', wanted)}, mapValues(attributes))"
        if of.name == "id":
            return self.identified(wanted)
        if of.kind is Kind.PORT:
            return self.fits(f"toString({of.sql})", wanted)
        if of.kind is Kind.ADDRESS and wanted.plain and wanted.text:
            wanted = Pattern((canonical(self.address(item)),))
        if of.attribute and wanted.plain and not wanted.text:
            return f"({self.exists(of)} AND {of.sql} = '')"
        return self.fits(of.sql, wanted)

    def fits(self, expression: str, wanted: Pattern) -> str:
        if wanted.plain:
            column, text = lowered(expression, wanted.text)
            return f"{column} = {self.bound.add(text)}"
        column, text = lowered(expression, wanted.like())
        return f"{column} LIKE {self.bound.add(text)}"

    def identified(self, wanted: Pattern) -> str:
        if not wanted.plain:
            return f"lower(hex(id)) LIKE {self.bound.add(wanted.like().lower())}"
        text = wanted.text.lower()
        if len(text) == 32 and set(text) <= set("0123456789abcdef"):
            return f"id = unhex({self.bound.add(text)})"
        return "0"

    def marked(self, item: tree.Item | None, of: Field, wanted: Pattern) -> str:
        if self.search.marks is None:
            raise BadQuery(f"Nothing here knows of {of.name}.", 0, max(1, len(self.search.query)))
        name = f"ids{len(self.ids)}"
        self.ids[name] = self.search.marks(of.name, wanted.typed)
        held = f"id IN (__{name}__)"
        if of.name != "starred" or item is None or wanted.anything:
            return held
        said = truth(wanted.text)
        if said is None:
            raise self.bad(item, "starred is true or false.", "true")
        return held if said else f"NOT ({held})"

    def matched(self, item: tree.Regex, of: Field | None) -> str:
        """A regular expression, found anywhere in the value, in any case of letters."""
        body = item.value[1:-1].replace("\\/", "/")
        if len(body) > EXPRESSION:
            raise self.bad(item, f"A regular expression has at most {EXPRESSION} characters.")
        self.expressions.append((body, *self.place(item)))
        if of is not None and (of.name in MARKS or of.kind is Kind.TIME):
            raise self.bad(item, f"{of.name} takes no regular expression.")
        text = self.bound.add("(?is)" + body)
        if of is None or of.name in _WORDS:
            self.scans = True
            columns = _WORDS if of is None else (of.name,)
            parts = [self.bound.add(f"%{part}%") for part in needed(body)]
            return "(" + " OR ".join(matching(c, text, parts) for c in columns) + ")"
        if of.kind is Kind.MAP:
            return f"arrayExists(v -> match(v, {text}), mapValues(attributes))"
        if of.name == "id":
            return f"match(lower(hex(id)), {text})"
        return f"match({f'toString({of.sql})' if of.kind is Kind.PORT else of.sql}, {text})"

    def ranged(self, item: tree.Item, of: Field) -> str:
        """A range; an open end is `*`."""
        if of.name in MARKS or of.kind is Kind.MAP or of.name == "id":
            raise self.bad(item, f"{of.name} takes no range.")
        low, high, with_low, with_high = ends(item)
        if of.kind is Kind.TIME:
            start = times.SMALLEST
            end = None
            if low is not None:
                start = self.instant(low, value_of(low))[0 if with_low else 1]
            if high is not None:
                end = self.instant(high, value_of(high))[1 if with_high else 0]
            if end is not None and low is not None and end <= start:
                raise self.bad(item, "The range ends before it begins.")
            return self.between(start, end)
        if low is not None and high is not None and backwards(of.kind, literal(low), literal(high)):
            raise self.bad(item, "The range ends before it begins.")
        clauses = [self.exists(of)]
        convert = self.comparing(of, [e for e in (low, high) if e is not None])
        for end_item, sign in (
            (low, ">=" if with_low else ">"),
            (high, "<=" if with_high else "<"),
        ):
            if end_item is not None:
                left, right = convert(end_item)
                clauses.append(f"{left} {sign} {right}")
        return "(" + " AND ".join(clauses) + ")"

    def comparing(self, of: Field, ends: list[tree.Item]) -> Callable[[tree.Item], tuple[str, str]]:
        """How the field and an end of a range are compared."""
        if of.kind is Kind.PORT:
            return lambda e: (of.sql, self.bound.add(self.port(e, literal(e)), "UInt16"))
        if of.kind is Kind.ADDRESS:
            return lambda e: (
                f"toIPv6OrDefault({of.sql})",
                self.bound.add(as_ipv6(self.address(e)), "IPv6"),
            )
        if of.attribute and ends and all(number(literal(e)) is not None for e in ends):
            value = f"toFloat64OrNull({of.sql})"
            return lambda e: (
                f"ifNull({value}, nan)",
                self.bound.add(number(literal(e)), "Float64"),
            )
        return lambda e: (of.sql, self.bound.add(literal(e)))

    def instant(self, item: tree.Item, wanted: Pattern) -> tuple[int, int]:
        text = wanted.text if wanted.plain else "".join(wanted.parts)
        try:
            zone = times.zone_named(self.search.zone)
            return times.span(text, self.search.now, zone)
        except times.NotATime as error:
            raise self.bad(item, f"{text[:80]!r} is no time: {error}.", "now-24h") from error

    def between(self, start: int, end: int | None) -> str:
        first = f"fromUnixTimestamp64Nano({self.bound.add(start, 'Int64')}, 'UTC')"
        if end is None:
            return f"time >= {first}"
        last = f"fromUnixTimestamp64Nano({self.bound.add(end, 'Int64')}, 'UTC')"
        return f"(time >= {first} AND time < {last})"

    def port(self, item: tree.Item, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 65536:
            return int(text)
        raise self.bad(item, f"{text[:40]!r} is no port; a port is 0 to 65535.")

    def address(self, item: tree.Item) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        text = literal(item)
        try:
            return ipaddress.ip_address(text.partition("%")[0])
        except ValueError as error:
            begun = re.fullmatch(r"(?:\d{1,3}\.){0,2}\d{1,3}\.?", text, re.ASCII)
            near = f"{text.rstrip('.')}.*" if begun else "10.0.0.0/8"
            raise self.bad(item, f"{text[:80]!r} is no whole address.", near) from error

    def in_network(self, item: tree.Item, of: Field, text: str) -> str:
        try:
            first, last = network(text)
        except ValueError as error:
            raise self.bad(item, f"{text[:80]!r} is no address range.", "10.0.0.0/8") from error
        low, high = (self.bound.add(as_ipv6(a), "IPv6") for a in (first, last))
        return (
            f"({of.sql} != '' AND toIPv6OrDefault({of.sql}) >= {low} "
            f"AND toIPv6OrDefault({of.sql}) <= {high})"
        )
