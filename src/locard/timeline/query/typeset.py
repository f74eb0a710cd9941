# SPDX-License-Identifier: Apache-2.0
"""What chats, documents and input methods make of a query before it is pasted.

Curly quotes, dashes for minus and characters that nobody sees would be searched for as text, which
nothing matches: an answer of nothing that looks like one. So they are refused with what was meant.
In quotes, or with a backslash before it, each of them is text.
"""

import re

from locard.model.errors import BadQuery

_QUOTES = "\u201c\u201d\u201e\u201f"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_UNSEEN = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
"""Without the joiners U+200C and U+200D, which belong to words and to emoji."""
_UNSEEN_ONE = re.compile(rf"(?<!\\)[{_UNSEEN}]")
_CURLY = re.compile(rf"[{_QUOTES}]([^{_QUOTES}\"]*)[{_QUOTES}]")


def refuse(query: str, start: int, end: int) -> None:
    """Raise `BadQuery` when the term that begins at `start` was changed so on its way here."""
    if query[start] in _QUOTES:
        phrase = _CURLY.match(query, start)
        last = phrase.end() if phrase else start + 1
        raise BadQuery(
            "A phrase stands in straight quotes; a curly one that is text has a \\ before it.",
            start, last - start, f'"{phrase[1]}"' if phrase else '"',
        )  # fmt: skip
    if query[start] in _DASHES and query[start + 1 : end].strip(_DASHES):
        raise BadQuery(
            "This dash is no minus: write - or NOT; a dash that is text has a \\ before it.",
            start, 1, "-",
        )  # fmt: skip
    unseen = _UNSEEN_ONE.search(query[start:end])
    if unseen:
        raise BadQuery(
            f"Something unseen stands in this word (U+{ord(unseen[0]):04X}); in quotes it is text.",
            start, end - start, _UNSEEN_ONE.sub("", query[start:end]),
        )  # fmt: skip
