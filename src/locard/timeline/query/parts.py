# SPDX-License-Identifier: Apache-2.0
"""Small readings of the tree that `luqum` parses, and of what it could not parse."""

import ipaddress
from ipaddress import ip_address

from luqum import tree
from luqum.exceptions import ParseError

from locard.model.errors import BadQuery
from locard.model.event import Kind
from locard.timeline.query.text import Prepared, unescape
from locard.timeline.query.values import Pattern, as_ipv6


def ends(item: tree.Item) -> tuple[tree.Item | None, tree.Item | None, bool, bool]:
    """Low and high end of a range, None where it is open, and whether they are in it."""
    if isinstance(item, tree.Range):
        low, high = unless_open(item.low), unless_open(item.high)
        return low, high, bool(item.include_low), bool(item.include_high)
    if isinstance(item, tree.From):
        return unless_open(item.a), None, bool(item.include), True
    return None, unless_open(item.a), True, bool(item.include)


def unless_open(item: tree.Item) -> tree.Item | None:
    """An end of a range, None when it is open."""
    return None if isinstance(item, tree.Word) and item.value == "*" else item


def literal(item: tree.Item) -> str:
    """The text of a word or phrase, wildcards taken as they are."""
    value = str(getattr(item, "value", ""))
    return unescape(value[1:-1] if isinstance(item, tree.Phrase) else value)


def value_of(item: tree.Item) -> Pattern:
    """A word or phrase as a pattern without wildcards."""
    return Pattern((literal(item),))


def number(text: str) -> float | None:
    """A text as a number, None when it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def truth(text: str) -> bool | None:
    """A text as yes or no, None when it is neither."""
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        text.lower()
    )


def backwards(kind: Kind | None, low: str, high: str) -> bool:
    """Whether a range surely ends before it begins; what is no value at all is refused later."""
    try:
        if kind is Kind.PORT:
            return int(low) > int(high)
        if kind is Kind.ADDRESS:
            first, last = (ipaddress.IPv6Address(as_ipv6(ip_address(end))) for end in (low, high))
            return first > last
    except ValueError:
        return False
    numbers = number(low), number(high)
    if kind is None and numbers[0] is not None and numbers[1] is not None:
        return numbers[0] > numbers[1]
    return low > high


def canonical(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as the store writes it."""
    return str(getattr(address, "ipv4_mapped", None) or address)


def misread(error: ParseError, prepared: Prepared, query: str) -> BadQuery:
    """What `luqum` could not parse, at its place."""
    text = str(error)
    _, _, tail = text.rpartition(" at position ")
    digits = tail.rstrip("!")
    if digits.isdigit():
        at = prepared.place(int(digits))
        word = query[at:].split(maxsplit=1)[0] if query[at:].strip() else query[at : at + 1]
        name = word.strip("()")
        if name in ("AND", "OR", "NOT", "&&", "||", "!"):
            return BadQuery(f"{name} joins nothing here.", at, len(name), f'"{name}"')
        return BadQuery("This is not expected here.", at, max(1, len(word)))
    stripped = query.rstrip()
    last = stripped.rsplit(maxsplit=1)[-1] if stripped else ""
    return BadQuery(
        "The query ends too soon.", max(0, len(stripped) - len(last)), max(1, len(last))
    )
