# SPDX-License-Identifier: Apache-2.0
"""What every match of a regular expression holds, so that the text index can leave out records.

Reading is cautious: what is not surely in each match is no part of the answer. Letters and digits
alone, since the index has no others; and neither `k` nor `s`, which have relatives beyond ASCII
(the Kelvin sign, the long s) that RE2 takes for the same letter and the index does not.
"""

import re

LEAST = 3
"""Characters; fewer stand in nearly every record."""
MOST = 8
"""Alternatives of one expression."""

_PLAIN = frozenset("abcdefghijlmnopqrtuvwxyzABCDEFGHIJLMNOPQRTUVWXYZ0123456789")
_CLASSES = frozenset("dDwWsSbBAzntrfv")
"""What stands alone behind a backslash. Other letters and digits there begin something longer."""
_BRACKETS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_COUNT = re.compile(r"\{\d*,?\d*\}")


def needed(expression: str) -> list[str]:
    """Texts in lower case of which every match has one at least; none when that is not known."""
    branches: list[list[str]] = [[""]]
    depth = at = 0
    while at < len(expression):
        char = expression[at]
        runs = branches[-1]
        if char == "\\":
            following = expression[at + 1 : at + 2]
            if following.isalnum() and following not in _CLASSES:
                return []
            runs.append("")
            at += 2
            continue
        if char == "[":
            found = _BRACKETS.match(expression, at)
            if found is None:
                return []
            runs.append("")
            at = found.end()
            continue
        if char in "()":
            depth += 1 if char == "(" else -1
            runs.append("")
        elif depth == 0 and char == "|":
            branches.append([""])
        elif depth == 0 and char in _PLAIN:
            runs[-1] += char
        elif depth == 0:
            if char in "*?{":
                runs[-1] = runs[-1][:-1]
                if found := _COUNT.match(expression, at):
                    at = found.end() - 1
            runs.append("")
        at += 1
    texts = list(dict.fromkeys(max(runs, key=len).lower() for runs in branches))
    return texts if len(texts) <= MOST and all(len(text) >= LEAST for text in texts) else []
