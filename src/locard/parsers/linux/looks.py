# SPDX-License-Identifier: Apache-2.0
"""What recognition of loose Linux files has in common: lines of text, and words of a name."""

import re

from locard.parsers.contract import Head

_MOST = 200
_LONGEST = 4096
_SAMPLE = 4096
_ZEROS = re.compile(rb"\0+")
_ODD = re.compile(rb"[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def lines_of(head: Head) -> list[bytes]:
    """The first whole lines that are not empty; none when the bytes are not text.

    NUL bytes make no log unreadable: a crash leaves them behind, and so may whoever wants that.
    """
    first = head.first
    sample = first[:_SAMPLE]
    if b"\0" in sample:
        runs, left = len(_ZEROS.findall(sample)), sample.replace(b"\0", b"")
        if runs > 1 + 2 * sample.count(b"\n") or len(_ODD.findall(left)) * 50 >= len(left):
            return []
        first = first.replace(b"\0", b"")
    found = first.split(b"\n")
    if len(head.first) >= 65_536:
        found.pop()
    return [line.rstrip(b"\r")[:_LONGEST] for line in found[: _MOST * 2] if line.strip()][:_MOST]


def all_match(lines: list[bytes], pattern: re.Pattern[bytes], share: float = 1.0) -> bool:
    """Whether `share` of the lines match; below 1, one of three or more may always miss."""
    hits = sum(1 for line in lines if pattern.match(line))
    spared = share < 1 and hits > 1 and hits + 1 >= len(lines)
    return hits > 0 and (spared or hits >= share * len(lines))


def uncommented(lines: list[bytes]) -> list[bytes]:
    """The lines that are no `#` comment."""
    return [line for line in lines if not line.lstrip().startswith(b"#")]


def base_name(head: Head) -> str:
    """The last part of the name, in lower case, without what rotation and compression add."""
    name = head.name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return re.sub(r"(?:\.(?:gz|bz2|xz|zst|\d+|old|bak))+\Z", "", name)
