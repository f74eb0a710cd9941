# SPDX-License-Identifier: Apache-2.0
"""All requests by which an exhibit was taken, where its record names only the first of them.

What comes in thousands of pages takes thousands of requests. The record names as many as an entry
of the ledger has room for and says how many more there were; the list of all is an exhibit too.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from locard.evidence import Vault, lives
from locard.model.custody import Acquisition, Exhibit, Hand, Method, Request
from locard.model.errors import Missing

OF = "requests of"
"""Names in the source of such a list the evidence that it is about."""
COLUMNS = ("call", "id", "time", "status")


def name_of(name: str) -> str:
    """What the list of the requests of a piece of evidence is called."""
    return f"{name}-requests.csv"


def written(requests: Sequence[Request]) -> io.BytesIO:
    """The list as CSV, in the order of the requests."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([getattr(one, column) for column in COLUMNS] for one in requests)
    return io.BytesIO(text.getvalue().encode("utf-8", "backslashreplace"))


def acquisition(known: Acquisition, evidence: str) -> Acquisition:
    """How the list came to be, of evidence that was got so."""
    return Acquisition(
        source={**known.source, OF: evidence},
        method=Method(consistency="complete"),
        covers=f"all {len(known.requests):,} requests by which the evidence {evidence} was taken",
    )


def every(vault: Vault, exhibit: Exhibit, who: Hand, reason: str) -> Iterator[Request]:
    """All requests of an exhibit, in their order: those of its record, if its list is gone."""
    lists: list[Exhibit] = []
    if exhibit.further_requests:
        found, _ = lives.exhibits(vault.ledger, exhibit.case, text=exhibit.evidence)
        lists = [one for one in found if one.source.get(OF) == exhibit.evidence]
    try:
        case, list_ = exhibit.case, lists[-1].evidence
        file = vault.open(list_, case=case, actor=who, reason=reason)
    except (IndexError, Missing):
        yield from exhibit.requests
        return
    with io.TextIOWrapper(file, "utf-8") as text:
        for one in csv.DictReader(text):
            yield Request(*(one[column] for column in COLUMNS))
