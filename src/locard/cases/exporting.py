# SPDX-License-Identifier: Apache-2.0
"""What leaves the house: an export of the timeline, and its entry in the custody ledger.

The entry is about the case and not about one piece of evidence, so its evidence is empty. It is
written when the export ends, with the rows that were handed over; one that broke off says so.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from locard.cases.export import Labels, export
from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
from locard.model.errors import Missing
from locard.model.event import COLUMNS, Format
from locard.timeline import Search, Timeline


def columns_of(wanted: Sequence[str] | None) -> list[str]:
    """The columns of an export, all unless some are wanted. Raises `Missing` for an unknown one."""
    known = [column.name for column in COLUMNS]
    known += ["case", "tag"]
    chosen = list(dict.fromkeys(wanted or ["time", *known]))
    for name in chosen:
        if name not in known:
            raise Missing(f"There is no column {name!r}.", f"There are: {', '.join(known)}.")
    return chosen


def exported(
    timeline: Timeline,
    vault: Vault,
    search: Search,
    form: Format,
    columns: list[str],
    labels: Labels,
    who: Hand | str,
) -> Iterator[bytes]:
    """Everything that matches, chunk by chunk; the ledger then says who took how many rows."""
    needed = list(dict.fromkeys([*(name for name in columns if name != "tag"), "id"]))
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in timeline.export(search, needed):
            rows += batch.num_rows
            yield batch

    ended = "broke off"
    try:
        yield from export(counted(), form, columns, labels)
        ended = "complete"
    finally:
        details = {
            "query": search.query,
            "format": form.value,
            "rows": str(rows),
            "columns": ",".join(columns),
            "outcome": ended,
        }
        for name, bound in (("from", search.start), ("to", search.end)):
            if bound is not None:
                details[name] = str(bound)
        reason = f"{rows:,} rows exported as {form.value}"
        vault.ledger.append([Draft(Hand.of(who), Verb.EXPORTED, "", search.case, reason, details)])
