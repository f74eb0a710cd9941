# SPDX-License-Identifier: Apache-2.0
"""Text out of evidence, made safe to look at: nothing in it may act on the reader's screen."""

import unicodedata


def visible(text: str, width: int = 0) -> str:
    """`text` with control, direction and other invisible characters shown as escapes.

    Escape sequences in evidence must not reach the terminal or the page of whoever reads it.
    What is longer than `width` (0: any length) ends in an ellipsis.
    """
    if width and len(text) > width * 2:
        text = text[: width * 2]
    shown = "".join(
        letter if letter == " " or unicodedata.category(letter)[0] not in "CZ" else _escaped(letter)
        for letter in text
    )
    return shown if not width or len(shown) <= width else shown[: width - 1] + "…"


def _escaped(letter: str) -> str:
    return (
        letter.encode("unicode_escape", "backslashreplace").decode() if ord(letter) != 160 else " "
    )
