# SPDX-License-Identifier: Apache-2.0
"""Network addresses in the one text form that the timeline compares."""

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=65536)
def address(text: str) -> str:
    """The canonical text of an IPv4 or IPv6 address, or "" when `text` is none."""
    if not text or len(text) > 45 or not (text[0].isdigit() or ":" in text):
        return ""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
