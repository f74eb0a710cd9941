# SPDX-License-Identifier: Apache-2.0
"""Small files read without trusting their size: who is judged may have written them."""

from pathlib import Path

SMALL = 1 << 20
"""Bytes of a key, note, token or certificate that are read; nothing real comes near."""


def beginning(path: Path, most: int = SMALL) -> bytes:
    """The first bytes of a file, at most so many. What is cut fits no signature."""
    with path.open("rb") as file:
        return file.read(most)
