# SPDX-License-Identifier: Apache-2.0
"""The names of further attributes that events of a case have: `attributes.NAME` in a query.

A name that no event has is no mistake of the query, since the next evidence may bring it; so it is
told beside the answer and not instead of it.
"""

import re
from difflib import get_close_matches

from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.search import Search

PREFIX = "attributes."
MOST = 2000
"""Names that are looked at; the most frequent ones when a case has more."""
_ASKED = re.compile(r"(?<![\w.\"])attributes\.((?:[^\s:\\\"()]|\\.)+):")


def names(client: Client, case: str, prefix: str = "", size: int = MOST) -> list[tuple[str, int]]:
    """Names that begin with a prefix, in any case of letters, and how many events have them."""
    table = client.table(
        "SELECT arrayJoin(attributes.keys) AS name, count() AS n "
        f"FROM {schema.DATABASE}.events WHERE `case` = {{case:String}} "
        "AND startsWith(lowerUTF8(name), lowerUTF8({prefix:String})) "
        "GROUP BY name ORDER BY n DESC, name LIMIT {size:UInt32}",
        {"case": case, "prefix": prefix, "size": size},
    )
    return [(row["name"], row["n"]) for row in table.to_pylist()]


def unknown(client: Client, search: Search) -> list[str]:
    """A sentence for each name in the query that no event of the case has."""
    asked = dict.fromkeys(re.sub(r"\\(.)", r"\1", name) for name in _ASKED.findall(search.query))
    if not asked or not search.case:
        return []
    known = [name for name, _ in names(client, search.case)]
    if not known or len(known) == MOST:
        return []
    folded = {name.casefold(): name for name in reversed(known)}
    notes = []
    for name in asked:
        if name in known:
            continue
        near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
        meant = f" Did you mean {PREFIX}{folded[near[0]]}?" if near else ""
        notes.append(f"No event of this case has {PREFIX}{name}.{meant}")
    return notes
