# SPDX-License-Identifier: Apache-2.0
"""The provider's own events, named at each exhibit that they bear out.

An exhibit carries the ids of the requests by which it was taken; the provider's log carries them
too, and a number of its own for each event. Who wants to know whether the calls were really made
asks the provider for these events, and need not believe us.
"""

from collections.abc import Iterator, Mapping

from locard.cases.response import requested
from locard.cases.response.record import Record
from locard.evidence import Draft, lives
from locard.model.action import Json
from locard.model.custody import MOST_REQUESTS, Exhibit, Request, Verb

EVENTS = "event ids by request"
"""What an outcome calls the events that it found."""
RUN = "run"
NAMED = 3
"""Events that the reason of an entry names; more are in its details, all in the log it names."""
PAGE = 500


def corroborate(record: Record, outcome: Json, kept: list[str]) -> Json:
    """An entry for each exhibit of the run that `outcome` found events of; the outcome, with how
    many exhibits these are.

    An exhibit of which the ledger says so already gets no second entry.
    """
    if not isinstance(outcome, Mapping) or not isinstance(outcome.get(EVENTS), Mapping):
        return outcome
    events = {str(one): str(event) for one, event in outcome[EVENTS].items() if one}
    drafts, borne_out, others = [], 0, 0
    for exhibit in _exhibits(record, str(outcome[RUN])):
        requests = requested.every(
            record.vault, exhibit, record.hand, f"events of {exhibit.number}"
        )
        found = [(one, events[one.id]) for one in requests if one.id in events]
        others += not found
        borne_out += bool(found)
        details = {_named(one): event for one, event in found[:MOST_REQUESTS]}
        if found[MOST_REQUESTS:]:
            details["further events, in the log"] = f"{len(found) - MOST_REQUESTS:,}"
        if found and not _said(record, exhibit.evidence, details):
            log = {"run": str(outcome[RUN]), "log": kept[-1] if kept else ""}
            made = len(exhibit.requests) + exhibit.further_requests
            reason = _reason(found, made)
            drafts.append(
                Draft(record.hand, Verb.CORROBORATED, exhibit.evidence, record.case, reason,
                      log | details)
            )  # fmt: skip
    record.vault.ledger.append(drafts)
    return {**outcome, "exhibits borne out": borne_out, "exhibits without an event": others}


def _exhibits(record: Record, run: str) -> Iterator[Exhibit]:
    """The exhibits of a run in the case."""
    offset, total = 0, 1
    while offset < total:
        found, total = lives.exhibits(
            record.vault.ledger, record.case, text=run, limit=PAGE, offset=offset
        )
        yield from (one for one in found if one.source.get("run") == run and one.requests)
        offset += PAGE


def _said(record: Record, evidence: str, details: Mapping[str, str]) -> bool:
    """Whether an entry names all of these events already."""
    known = lives.entries(
        record.vault.ledger, record.case, evidence=evidence, verbs=[Verb.CORROBORATED]
    )
    return any(details.items() <= one.details.items() for one in known)


def _named(request: Request) -> str:
    return f"{request.call} {request.id}"


def _reason(found: list[tuple[Request, str]], requests: int) -> str:
    told = [f"{one.call} is event {event}" for one, event in found[:NAMED]]
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    count = "" if len(found) == requests else f" ({len(found):,} of {requests:,} requests)"
    return f"the provider's own log has it{count}: {', '.join(told)}{more}"
