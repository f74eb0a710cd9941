# SPDX-License-Identifier: Apache-2.0
"""Bound parameters and the small pieces of SQL that values become."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

_LOWER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_EDGE = r"[^0-9A-Za-z\x{80}-\x{10ffff}]"
_ADDRESS = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass
class Bound:
    """Collects parameters; what a person typed reaches the SQL in no other way."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any, kind: str = "String") -> str:
        """The placeholder of a value of a ClickHouse type."""
        name = f"q{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


@dataclass(frozen=True)
class Pattern:
    """A word or phrase of the query: literal parts between wildcards."""

    parts: tuple[str, ...]
    """Literal text and the wildcards `*` and `?`, in turn: even places are literal."""

    @property
    def plain(self) -> bool:
        """Whether it has no wildcard."""
        return len(self.parts) == 1

    @property
    def text(self) -> str:
        """The literal text of a plain pattern."""
        return self.parts[0]

    @property
    def anything(self) -> bool:
        """Whether it is nothing but `*`."""
        return len(self.parts) > 1 and all(p in ("", "*") for p in self.parts)

    @property
    def longest(self) -> str:
        """The longest literal part."""
        return max(self.parts[::2], key=len)

    @property
    def typed(self) -> str:
        """As a word is typed: a backslash takes their meaning off signs that are text."""
        return "".join(
            re.sub(r"([\\*?])", r"\\\1", part) if index % 2 == 0 else part
            for index, part in enumerate(self.parts)
        )

    def like(self) -> str:
        """As the pattern of a LIKE."""
        return "".join(
            re.sub(r"([\\%_])", r"\\\1", part) if index % 2 == 0 else {"*": "%", "?": "_"}[part]
            for index, part in enumerate(self.parts)
        )

    def expression(self) -> str:
        """As a regular expression (RE2) over whole words: `*` stops at white space and quotes."""
        inner = "".join(
            quoted(part) if index % 2 == 0 else {"*": r'[^\s"]*', "?": r'[^\s"]'}[part]
            for index, part in enumerate(self.parts)
        )
        first = f"(?:^|{_EDGE})" if self.parts[0] else ""
        return first + inner + (f"(?:$|{_EDGE})" if self.parts[-1] else "")


def pattern(text: str) -> Pattern:
    """A word as typed: escapes are undone, `*` and `?` without one are wildcards."""
    parts, current = [], []
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text):
            current.append(text[index + 1])
            index += 1
        elif char in "*?":
            parts += ["".join(current), char]
            current = []
        else:
            current.append(char)
        index += 1
    return Pattern((*parts, "".join(current)))


def quoted(text: str) -> str:
    """Text as a regular expression that matches just it."""
    return (
        re.sub(r"([^\w\s])", r"\\\1", text, flags=re.ASCII)
        if text.isascii()
        else "".join(
            f"\\{char}"
            if char.isascii() and not (char.isalnum() or char == "_" or char.isspace())
            else char
            for char in text
        )
    )


def alone(text: str) -> str:
    """Text as a regular expression that matches it where it is no part of a longer word."""
    first, last = (end.isalnum() or not end.isascii() for end in (text[:1], text[-1:]))
    begin, end = f"(?:^|{_EDGE})" if first else "", f"(?:$|{_EDGE})" if last else ""
    return begin + quoted(text) + end


def tokens(text: str) -> list[str]:
    """The tokens of the text index: runs of ASCII letters and digits and of all beyond ASCII.

    As in the index, only ASCII letters are put into lower case.
    """
    lower = text.translate(_LOWER)
    return list(dict.fromkeys(re.findall(r"[0-9A-Za-z\u0080-\U0010ffff]+", lower)))


def lowered(expression: str, text: str) -> tuple[str, str]:
    """The SQL of an expression, and a text, both in lower case."""
    return (f"lower({expression})" if text.isascii() else f"lowerUTF8({expression})"), text.lower()


def network(text: str) -> tuple[_ADDRESS, _ADDRESS]:
    """First and last address of a CIDR range. Raises ValueError."""
    found = ipaddress.ip_network(text, strict=False)
    return found[0], found[-1]


def as_ipv6(address: _ADDRESS) -> str:
    """An address as ClickHouse's IPv6 writes it; IPv4 is mapped."""
    return f"::ffff:{address}" if address.version == 4 else str(address)


def matching(column: str, text: str, parts: list[str]) -> str:
    """A regular expression in a column that has the text index, which finds parts of words."""
    some = " OR ".join(f"{column} ILIKE {part}" for part in parts)
    return f"(({some}) AND match({column}, {text}))" if some else f"match({column}, {text})"
