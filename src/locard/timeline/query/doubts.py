# SPDX-License-Identifier: Apache-2.0
"""What a query says that its author hardly meant: no mistake, so it is told beside the answer.

Whoever comes from KQL, SQL or Splunk writes `and`, `=` and `>=`, which Lucene takes for words to be
found. The answer would be nothing or something else, and nobody would know why.
"""

import re
from collections.abc import Iterator

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


def doubts(parsed: tree.Item) -> list[str]:
    """A sentence for each thing that was hardly meant."""
    found: dict[str, None] = {}
    open_: list[tree.Item] = [parsed]
    while open_ and len(found) < _MOST:
        item = open_.pop()
        if isinstance(item, tree.SearchField):
            if isinstance(item.expr, tree.FieldGroup):
                found.update(dict.fromkeys(_both(item.name, item.expr.expr)))
            continue
        if isinstance(item, _JOINED):
            found.update(dict.fromkeys(_words(item)))
            found.update(dict.fromkeys(_twice(item)))
        elif isinstance(item, tree.Word):
            found.update(dict.fromkeys(_equation(unescape(item.value))))
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
