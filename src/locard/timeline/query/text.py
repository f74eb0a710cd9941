# SPDX-License-Identifier: Apache-2.0
"""From what a person typed to what `luqum` parses, with every character's place kept.

Lucene's grammar makes operators of characters that evidence is full of: `arn:aws:iam::1`,
`/usr/bin`, `2001:db8::1`. So the text is read once here, where a colon ends a field only at the
start of a term, and a slash begins a regular expression only when a second one ends it. What is no
operator is escaped. Unbalanced quotes, brackets and ranges are found here, with their place.
"""

import re
from dataclasses import dataclass, field

from locard.model.errors import BadQuery
from locard.timeline.query import typeset

LONGEST = 10_000
"""Characters of a query; a longer one is refused."""
DEEPEST = 50
"""Groups inside each other."""

_SPECIAL = frozenset(":^~(){}[]/\"'+-<>!\\")
_END = frozenset(' \t\r\n\f\v()"[]{}')
_FIELD = re.compile(r"[A-Za-z_@](?:[^\s:()\[\]{}\"\\]|\\.)*\Z", re.DOTALL)
_FUZZY = re.compile(r"(?<!\\)[~^][0-9.]*\Z")
_COMPARED = re.compile(r"[<>]=?")
_FLAGS = re.compile(r"(?:[gimsux]{0,3}i[gimsux]{0,3}|[gms])(?=[\s)]|\Z)")


@dataclass
class Prepared:
    """Text for `luqum`; `places[i]` is where its character `i` stands in what was typed."""

    text: str = ""
    places: list[int] = field(default_factory=list)

    def place(self, position: int) -> int:
        """Where a position of the prepared text stands in what was typed."""
        if not self.places:
            return 0
        if position >= len(self.places):
            return self.places[-1] + 1
        return self.places[max(0, position)]


def prepare(query: str) -> Prepared:
    """The text that `luqum` parses. Raises `BadQuery`."""
    if len(query) > LONGEST:
        raise BadQuery(f"The query is longer than {LONGEST:,} characters.", LONGEST, 1)
    return _Reader(query).read()


def unescape(text: str) -> str:
    """The text that escapes stand for."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Reader:
    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0
        self.out: list[str] = []
        self.places: list[int] = []
        self.open: list[tuple[int, bool]] = []
        """Groups that are not closed: where each began, and whether it is the value of a field."""

    def read(self) -> Prepared:
        while self.at < len(self.query):
            char = self.query[self.at]
            if char.isspace():
                self._emit(" ")
                self.at += 1
            elif char == ")":
                if not self.open:
                    raise BadQuery("This parenthesis closes nothing.", self.at, 1)
                self.open.pop()
                self._emit(")")
                self.at += 1
                self._after_group("group")
            elif self.query.startswith(("&&", "||"), self.at):
                self._emit(" AND " if char == "&" else " OR ")
                self.at += 2
            elif char in "+-!" and self._prefix():
                self._emit({"+": "+", "-": "-", "!": "NOT "}[char])
                self.at += 1
            else:
                self._clause()
        if self.open:
            raise BadQuery("This parenthesis is never closed.", self.open[-1][0], 1, "")
        return Prepared("".join(self.out), self.places)

    def _emit(self, text: str, at: int | None = None) -> None:
        self.out.append(text)
        self.places.extend([self.at if at is None else at] * len(text))

    def _copy(self, start: int, end: int) -> None:
        self.out.append(self.query[start:end])
        self.places.extend(range(start, end))

    def _literal(self, start: int, end: int) -> None:
        """Copy a term with everything escaped that `luqum` would take for an operator."""
        index = start
        reserved = self.query[start:end] == "TO"
        while index < end:
            char = self.query[index]
            if char == "\\":
                following = self.query[index + 1] if index + 1 < end else "\\"
                self.out.append("\\" + following)
                self.places.extend([index, index])
                index += 2
                continue
            if char in _SPECIAL or reserved:
                self._emit("\\", index)
                reserved = False
            self._emit(char, index)
            index += 1

    def _prefix(self) -> bool:
        """Whether the sign here is an operator, which it is before what it works on."""
        following = self.query[self.at + 1 : self.at + 2]
        if self.query[self.at] == "!":
            return following != "=" and self.query[self.at + 1 :].strip()[:1] not in ("", ")")
        return bool(following) and not following.isspace() and following != ")"

    def _clause(self) -> None:
        """A term, or a field with its value."""
        start = self.at
        char = self.query[start]
        if self._valued() and self._compares():
            self._operand()
            return
        if char not in '"(/[{':
            end, colon = self._word(start)
            if colon is None:
                colon = self._later_colon(start, end)
            if colon == start + 1 and char == "*":
                self.at = colon + 1
                self._value(start)
                return
            if colon is not None and _FIELD.match(self.query[start : min(end, colon)]):
                self._literal(start, min(end, colon))
                self._emit(":", colon)
                self.at = colon + 1
                self._value(start)
                return
            if end == start:
                raise BadQuery(f"Nothing can begin with {char}.", start, 1, f"\\{char}")
            self._term(start, end)
            return
        self._operand()

    def _later_colon(self, start: int, end: int) -> int | None:
        """The colon of `field : value`, as Kibana writes it; `::1` behind a word is an address."""
        if self.query[start:end] in ("AND", "OR", "NOT"):
            return None
        found = re.match(r"\s+:(?!:)", self.query[end:])
        return end + found.end() - 1 if found else None

    def _valued(self) -> bool:
        """Whether what stands here is inside the value of a field."""
        return bool(self.open) and self.open[-1][1]

    def _compares(self) -> bool:
        """Copy the sign of a comparison, when one stands here."""
        sign = _COMPARED.match(self.query, self.at)
        if sign:
            self._copy(self.at, sign.end())
            self.at = sign.end()
            self._blanks()
            if self.query[self.at : self.at + 1] in ("", *"([{/)"):
                raise BadQuery("A comparison needs one value.", sign.start(), len(sign[0]))
        return sign is not None

    def _value(self, start: int) -> None:
        """What follows the colon of a field."""
        end = self.at
        self._blanks()
        if self.at >= len(self.query) or self.query[self.at] == ")":
            raise BadQuery(
                "The field has no value.", start, end - start, f"{self.query[start:end]}*"
            )
        self._compares()
        self._operand(valued=True)

    def _operand(self, valued: bool = False) -> None:
        """A phrase, a group, a range, a regular expression or a word; of a field when `valued`."""
        start = self.at
        char = self.query[start]
        if char == '"':
            end = self._quoted(start)
            self._copy(start, end)
            self.at = end
            self._after_group("phrase")
        elif char == "(":
            self.open.append((start, valued or self._valued()))
            if len(self.open) > DEEPEST:
                raise BadQuery(f"More than {DEEPEST} groups stand in each other.", start, 1)
            if re.match(r"\(\s*\)", self.query[start:]):
                raise BadQuery("The group is empty.", start, 2)
            self._emit("(")
            self.at += 1
        elif char in "[{":
            self._range(start)
        else:
            expression = self._expression(start) if char == "/" else None
            if expression is not None:
                self._copy(start, expression)
                self.at = expression
            else:
                self._term(start, self._word(start)[0])

    def _term(self, start: int, end: int) -> None:
        if end == start:
            char = self.query[start]
            raise BadQuery(f"Nothing can begin with {char}.", start, 1, f"\\{char}")
        typeset.refuse(self.query, start, end)
        fuzzy = _FUZZY.search(self.query[start:end])
        if fuzzy and fuzzy.start():
            raise BadQuery(
                "Fuzzy search and boosts are not supported.",
                start + fuzzy.start(), end - start - fuzzy.start(),
                self.query[start : start + fuzzy.start()]
                + ("*" if fuzzy.group() == "~" else "\\" + fuzzy.group()),
            )  # fmt: skip
        if self.query[start:end] in ("AND", "OR", "NOT"):
            self._copy(start, end)
        else:
            self._literal(start, end)
        self.at = end

    def _word(self, start: int) -> tuple[int, int | None]:
        """Where a word ends, and where its first colon is."""
        index, colon = start, None
        while index < len(self.query) and self.query[index] not in _END:
            if self.query[index].isspace():
                break
            if self.query[index] == "\\":
                index += 1
            elif self.query[index] == ":" and colon is None:
                colon = index
            index += 1
        return min(index, len(self.query)), colon

    def _quoted(self, start: int) -> int:
        index = start + 1
        while index < len(self.query):
            if self.query[index] == "\\":
                index += 1
            elif self.query[index] == '"':
                return index + 1
            index += 1
        raise BadQuery("This quote is never closed.", start, 1, self.query[start:] + '"')

    def _expression(self, start: int) -> int | None:
        """Where a regular expression ends, or None when the slash is one of a path."""
        index = start + 1
        while index < len(self.query):
            if self.query[index] == "\\":
                index += 1
            elif self.query[index] == "/":
                following = self.query[index + 1 : index + 2]
                ends = not following or following.isspace() or following == ")"
                self._no_flags(start, index + 1)
                return index + 1 if ends and index > start + 1 else None
            index += 1
        return None

    def _no_flags(self, start: int, end: int) -> None:
        """Refuse `/expression/i`; `/bin/i` is a path, since nothing in it is an expression."""
        flags = _FLAGS.match(self.query, end)
        if flags and re.search(r"[\\()\[\]{}|*+?^$]", self.query[start:end]):
            raise BadQuery(
                "Nothing follows the last slash: a regular expression finds any case of letters.",
                start, flags.end() - start, self.query[start:end],
            )  # fmt: skip

    def _range(self, start: int) -> None:
        """`[a TO b]` with either bracket at either end."""
        self._copy(start, start + 1)
        self.at = start + 1
        wrong = BadQuery(
            "A range is written [from TO to]; write a bracket that is text with a \\ before it.",
            start, 1, "[* TO *]",
        )  # fmt: skip
        for end_of_part in ("TO", "]}"):
            self._blanks()
            begin = self.at
            if self.query[begin : begin + 1] == '"':
                self.at = self._quoted(begin)
                self._copy(begin, self.at)
            else:
                end = self._word(begin)[0]
                if end == begin or self.query[begin:end] == "TO":
                    raise wrong
                self._literal(begin, end)
                self.at = end
            self._blanks()
            here = self.query[self.at : self.at + 2]
            if end_of_part == "TO":
                if here != "TO" or not self.query[self.at + 2 : self.at + 3].isspace():
                    raise wrong
                self._emit(" TO ")
                self.at += 2
            elif here[:1] and here[0] in "]}":
                self._copy(self.at, self.at + 1)
                self.at += 1
            else:
                raise wrong

    def _blanks(self) -> None:
        while self.at < len(self.query) and self.query[self.at].isspace():
            self.at += 1

    def _after_group(self, kind: str) -> None:
        if self.query[self.at : self.at + 1] in ("~", "^"):
            raise BadQuery(
                f"Nothing can follow this {kind} directly: no distance of words, no boost.",
                self.at,
                1,
            )
