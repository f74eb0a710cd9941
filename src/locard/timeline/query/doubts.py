# SPDX-License-Identifier: Apache-2.0
"""What a query says that its author hardly meant: no mistake, so it is told beside the answer.

Whoever comes from KQL, SQL or Splunk writes `and`, `=` and `>=`, which Lucene takes for words to be
found; wildcards in quotes and quotes of the shell, which it takes for text; one backslash in
`CORP\\alice`, which it takes off; and a time with a blank and no quotes. The answer would be
nothing or something else, and nobody would know why.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from luqum import tree

from locard.model.event import Kind
from locard.timeline import schema
from locard.timeline.query.fields import FIELDS
from locard.timeline.query.parts import literal
from locard.timeline.query.text import unescape

_JOINED = (tree.AndOperation, tree.OrOperation, tree.UnknownOperation)
_SIGN = r"==?|!=|[<>]=?|\uff1a"
_EQUALS = re.compile(rf"([\w.@]+)({_SIGN})(.*)", re.DOTALL)
_SIGNS = re.compile(_SIGN)
_SEVERAL = ("message", "raw", "evidence")
"""Fields in which two values can both be found."""
_ONE = (Kind.WORD, Kind.TEXT, Kind.PORT)
_MOST = 5
_WILD = re.compile(r"\*+\w.*|.*\w\*+", re.DOTALL)
"""Text with a star where somebody wants a wildcard; `bucket/*` may be the name of a resource."""
_TAKEN_OFF = re.compile(r"\\([A-Za-z0-9])|\\(.)", re.DOTALL)
_JOINS = (r"\AND", r"\OR", r"\NOT", r"\TO")
"""Words that a backslash makes text of."""
_BOUND = re.compile(r"[<>]=?.")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?Z?", re.ASCII)


def doubts(parsed: tree.Item) -> list[str]:
    """A sentence for each thing that was hardly meant."""
    found: dict[str, None] = {}
    open_: list[tree.Item] = [parsed]
    while open_ and len(found) < _MOST:
        item = open_.pop()
        if isinstance(item, tree.SearchField):
            if isinstance(item.expr, tree.FieldGroup):
                found.update(dict.fromkeys(_both(item.name, item.expr.expr)))
            elif isinstance(item.expr, tree.Word):
                found.update(dict.fromkeys(_sign(item.name, unescape(item.expr.value))))
            for value in _values(item.expr):
                found.update(dict.fromkeys(_text(value)))
            continue
        if isinstance(item, _JOINED):
            found.update(dict.fromkeys(_words(item)))
            found.update(dict.fromkeys(_twice(item)))
            found.update(dict.fromkeys(_left_over(item)))
        elif isinstance(item, tree.Word | tree.Phrase):
            if isinstance(item, tree.Word):
                found.update(dict.fromkeys(_equation(unescape(item.value))))
            found.update(dict.fromkeys(_text(item)))
        open_.extend(reversed(item.children))
    return list(found)


def _words(item: tree.Item) -> Iterator[str]:
    """Words side by side that join, or that compare."""
    words = [unescape(c.value) if isinstance(c, tree.Word) else "" for c in item.children]
    for before, word in zip(("", *words), words, strict=False):
        if word in ("and", "or", "not"):
            capital = word.upper()
            yield f"'{word}' was searched for as a word; what joins stands in capitals: {capital}."
        elif _SIGNS.fullmatch(word) and before in FIELDS:
            yield f"'{before} {word}' was searched for as words; {_written(before, word)}."


def _equation(word: str) -> Iterator[str]:
    """A field and its value in one word, without the colon."""
    equation = _EQUALS.fullmatch(word)
    if equation and (equation[1] in FIELDS or equation[1].startswith("attributes.")):
        name, sign, value = equation.groups()
        yield f"'{word[:80]}' was searched for as text; {_written(name, sign, value[:60])}."


def _sign(name: str, value: str) -> Iterator[str]:
    """A value behind one sign more than the colon."""
    signs = re.match(r"!=|=+|!", value)
    if signs and value[signs.end() :]:
        meant = _written(name, "!=" if "!" in signs[0] else "=", value[signs.end() :][:60])
        yield f"'{value[:80]}' was searched for with its {signs[0]}; {meant}."


def _values(item: tree.Item) -> Iterator[tree.Word | tree.Phrase]:
    """The words and phrases in the value of a field, ends of ranges left out."""
    if isinstance(item, tree.Word | tree.Phrase):
        yield item
    elif not isinstance(item, tree.Range | tree.From | tree.To):
        for child in item.children:
            yield from _values(child)


def _text(item: tree.Word | tree.Phrase) -> Iterator[str]:
    """Signs in a word or phrase that are text, or are none, and were hardly meant to be."""
    quoted = isinstance(item, tree.Phrase)
    typed = item.value[1:-1] if quoted else item.value
    text = literal(item)
    if quoted and _WILD.fullmatch(typed):
        yield f'In quotes * is text, as in "{typed[:80]}"; what has wildcards is not quoted.'
    if not quoted and len(text) > 2 and text[0] == text[-1] == "'":
        yield _single(text)
    if typed not in _JOINS and any(match[1] for match in _TAKEN_OFF.finditer(typed)):
        meant = _TAKEN_OFF.sub(lambda m: rf"\\{m[1]}" if m[1] else m[0], typed)
        yield (
            rf"'{text[:80]}' was searched for, since \ takes the meaning off what follows; "
            rf"a \ that is text is written twice: {meant[:80]}"
        )


def _single(text: str) -> str:
    return f"{text[:80]} was searched for with its quotes; a phrase stands in double ones."


def _left_over(item: tree.Item) -> Iterator[str]:
    """What stands behind a value, and was meant to be a part of it."""
    if isinstance(item, tree.OrOperation):
        return
    for before, after in pairwise(item.children):
        field = isinstance(before, tree.SearchField)
        if not isinstance(after, tree.Word) or not (field or isinstance(before, tree.Word)):
            continue
        typed = unescape(str(before.expr if field else before).strip())
        word = unescape(after.value)
        if typed[0] == "'" and word[-1] == "'":
            yield _single(f"{typed} {word}")
        elif field and before.name == "time" and _CLOCK.fullmatch(word):
            date = typed.lstrip("<>=")
            yield (
                f"'{word}' was searched for as a word; a time with a blank stands in quotes: "
                f'time:{typed.removesuffix(date)}"{date} {word}".'
            )
        elif field and isinstance(before.expr, tree.From | tree.To) and _BOUND.match(word):
            yield (
                f"'{word[:80]}' was searched for as a word; two bounds of one field stand in "
                f"parentheses: {before.name}:({typed[:80]} AND {word[:60]})."
            )


def _written(name: str, sign: str, value: str = "") -> str:
    kept = sign if sign[0] in "<>" else ""
    return f"a field is written {'NOT ' * (sign == '!=')}{name}:{kept}{value or 'value'}"


def _twice(item: tree.Item) -> Iterator[str]:
    """One field that must have two values."""
    if isinstance(item, tree.OrOperation):
        return
    values: dict[str, list[str]] = {}
    for child in item.children:
        child = child.children[0] if isinstance(child, tree.Plus) else child
        if isinstance(child, tree.SearchField) and (value := _plain(child.name, child.expr)):
            values.setdefault(child.name, []).append(value)
    for name, several in values.items():
        yield from _never(name, several)


def _both(name: str, group: tree.Item) -> Iterator[str]:
    if isinstance(group, tree.AndOperation | tree.UnknownOperation):
        plain = [value for child in group.children if (value := _plain(name, child))]
        yield from _never(name, plain)


def _never(name: str, values: list[str]) -> Iterator[str]:
    if len({value.lower() for value in values}) > 1:
        shown = " OR ".join(value if value.isalnum() else f'"{value}"' for value in values[:4])
        yield f"No event has two values of {name}: one of them is {name}:({shown[:160]})."


def _plain(name: str, item: tree.Item) -> str:
    """The value, when the field has one at most and this is a whole one."""
    if name in _SEVERAL or schema.KINDS.get(name, Kind.MAP) not in _ONE:
        return ""
    if isinstance(item, tree.Phrase):
        return literal(item)
    return (
        literal(item) if isinstance(item, tree.Word) and not re.search(r"[*?]", item.value) else ""
    )
