# SPDX-License-Identifier: Apache-2.0
"""The access trail: whoever sees evidence leaves an entry in the custody ledger, and first.

The entry is in the file before the answer is given, so no crash of ours can lose it; that the disk
has it follows within a second and nobody waits for that. When it cannot be written, there is no
answer. One question of one person is one entry within `WINDOW`: a page asks for rows, figures and
facets of the same search, and asks again when it is scrolled.
"""

import logging
import time
from collections import OrderedDict
from threading import Lock, Timer

from locard.evidence import Draft, Ledger
from locard.evidence.entries import rfc3339
from locard.model.custody import Hand, Verb
from locard.model.errors import Error
from locard.model.evidence import printable
from locard.timeline import Search

WINDOW = 600.0
"""Seconds within which the same question of the same person is one entry."""
MOST = 20_000
"""Questions that are remembered; a forgotten one that is asked again is a further entry."""
SOON = 1.0
"""Seconds until the disk has what was written."""
LONGEST = 10_000
"""Characters of a query that the ledger keeps; no door takes a longer one."""

EDGES = ("from", "to")

log = logging.getLogger("locard.cases")

_Key = tuple[object, ...]


class Trail:
    """Who saw what of one installation. Safe between threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = Lock()
        self._told: OrderedDict[_Key, float] = OrderedDict()
        self._settling: Timer | None = None

    def searched(self, search: Search, who: Hand) -> None:
        """Somebody looks for rows of a case.

        A span that moves with the clock (the last hour) is the same question a minute later.
        """
        asked = (Verb.SEARCHED, who, search.case, search.query, search.zone)
        edges = (search.start, search.end)
        moving = [None if one is None else (search.now - one) // 10**9 for one in edges]
        details = {name: _time(at) for name, at in zip(EDGES, edges, strict=True) if at is not None}
        reason = "looked at all events"
        if search.query:
            query = printable(search.query)
            details["query"] = query[:LONGEST]
            reason = f"looked for {query[:200]}" + ("…" if len(query) > 200 else "")
        if search.zone != "UTC":
            details["zone"] = search.zone
        self._tell(
            [(*asked, "at", *edges), (*asked, "ago", *moving)],
            Draft(who, Verb.SEARCHED, "", search.case, reason, details),
        )

    def completed(self, case: str, field: str, who: Hand) -> None:
        """Somebody is shown values of a field while they type."""
        reason = f"looked up values of {printable(field)[:200]}"
        draft = Draft(who, Verb.SEARCHED, "", case, reason, {"field": printable(field)[:200]})
        self._tell([(Verb.SEARCHED, who, case, "values", field)], draft)

    def viewed(self, case: str, evidence: str, event: str, locator: str, who: Hand) -> None:
        """Somebody sees one event whole, with its record."""
        details = {"event": event, "locator": locator[:1000]}
        draft = Draft(who, Verb.VIEWED, evidence, case, f"event {event}", details)
        self._tell([(Verb.VIEWED, who, case, evidence, event)], draft)

    def around(self, case: str, event: str, minutes: float, who: Hand) -> None:
        """Somebody sees what happened around an event, in all sources of the case."""
        details = {"event": event, "minutes": f"{minutes:g}"}
        reason = f"looked at what happened within {minutes:g} minutes of event {event}"
        draft = Draft(who, Verb.SEARCHED, "", case, reason, details)
        self._tell([(Verb.SEARCHED, who, case, "around", event, minutes)], draft)

    def settle(self) -> None:
        """Wait until the disk has every entry that was written here."""
        with self._lock:
            timer, self._settling = self._settling, None
        if timer is not None:
            timer.cancel()
            self._ledger.settle()

    def _tell(self, keys: list[_Key], draft: Draft) -> None:
        """Write the entry unless it was written a while ago. Raises what the ledger says.

        The lock is held while it is written: of ten requests that come at once the first writes,
        and the others do not answer before it has.
        """
        with self._lock:
            now = time.monotonic()
            self._forget(now)
            if any(key in self._told for key in keys):
                return
            self._ledger.append([draft], durable=False)
            for key in keys:
                self._told[key] = now
            if self._settling is None:
                self._settling = Timer(SOON, self._settled)
                self._settling.daemon = True
                self._settling.start()

    def _forget(self, now: float) -> None:
        while self._told:
            key, at = next(iter(self._told.items()))
            if now - at < WINDOW and len(self._told) < MOST:
                return
            del self._told[key]

    def _settled(self) -> None:
        with self._lock:
            self._settling = None
        try:
            self._ledger.settle()
        except Error:
            log.exception("the disk does not take the custody ledger")


def _time(nanoseconds: int) -> str:
    """A time as RFC 3339, or the number when no calendar has it."""
    try:
        return rfc3339(nanoseconds)
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)
