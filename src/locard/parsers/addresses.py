# SPDX-License-Identifier: Apache-2.0
"""Network addresses in the one text form that the timeline compares."""

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=65536)
def address(text: str) -> str:
    """The canonical text of an IPv4 or IPv6 address, or "" when `text` is none.

    An IPv4 address that was written inside an IPv6 one (`::ffff:10.0.0.1`, as dual-stack sockets
    log it) is the same address; the zone behind `%` belongs to one host and not to the address.
    """
    text = text.partition("%")[0]
    if not text or len(text) > 45 or not (text[0].isdigit() or ":" in text):
        return ""
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
