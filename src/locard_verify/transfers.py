# SPDX-License-Identifier: Apache-2.0
"""Release and acceptance: two entries about an exhibit that name one transfer.

A release that waits is nobody's fault yet, and copies may go to several receivers at once. An
acceptance of what was never released is a fault, unless it took in a bundle of another ledger,
which has the release.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from locard_verify.verdict import Clause, Fault, State, judged

SHOWN = 3


def judge(entries: Iterable[Mapping[str, Any]], where: str) -> Clause:
    """The clause on the releases and acceptances among these entries; `where` is their file."""
    released: dict[tuple[str, str], Mapping[str, Any]] = {}
    accepted: set[tuple[str, str]] = set()
    faults: list[Fault] = []
    for one in entries:
        details, exhibit = one["details"], one["exhibit"]
        pair = (details.get("transfer", ""), exhibit)
        if one["verb"] == "transferred-out":
            released[pair] = one
        elif one["verb"] == "transferred-in":
            accepted.add(pair)
            if pair not in released and "bundle" not in details:
                detail = f"entry {one['sequence']} accepts {exhibit}, which no entry released"
                faults.append(Fault(detail, f"{where}, entry {one['sequence']}"))
    waiting = [
        f"{exhibit} to {one['details'].get('to') or 'somebody who is not named'}"
        for (transfer, exhibit), one in released.items()
        if (transfer, exhibit) not in accepted
    ]
    if faults or not waiting:
        return judged("transfers", faults, f"{len(released):,} releases, each accepted")
    more = f" and {len(waiting) - SHOWN:,} more" if len(waiting) > SHOWN else ""
    detail = f"released and not yet accepted: {', '.join(waiting[:SHOWN])}{more}"
    return Clause("transfers", State.NOT_CHECKED, detail)
