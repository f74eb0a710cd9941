# SPDX-License-Identifier: Apache-2.0
"""Custody as people read it: exhibits and their lives, entries with their proof, verifying now."""

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from locard.api.allowed import MayManagePeople, MayView, Who, visible
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.api.routes.cases import Entry, shown_entries
from locard.api.routes.evidence import EvidenceId
from locard.api.times import iso, iso_or_none
from locard.cases.records import Proved, Shown, Stamped, statement
from locard.model.custody import Verb
from locard.model.errors import Missing, Tampered
from locard.state.keeping import Standing
from locard.state.verifications import Verification

router = APIRouter(prefix="/api", tags=["custody"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(description="the number of an entry")]
Verbs = Annotated[list[Verb], Query(max_length=60, description="only these; may be repeated")]
Actor = Annotated[str, Query(max_length=300)]
Whole = Annotated[bool, Query(description="what happened to all of the case, too")]


class LastEntry(BaseModel):
    """The newest entry about an exhibit."""

    sequence: int
    time: str
    verb: str
    actor: str


class ExhibitShown(BaseModel):
    """An exhibit in a list. `state` is kept, held, disposal asked or disposed; `parent` is the
    number of the exhibit that it was taken out of; `entries` are those about it alone."""

    number: str
    evidence: str
    name: str
    size: int
    taken: str
    taken_by: str
    parent: str
    member: str
    method: str
    storage: str
    authority: str
    state: str
    entries: int
    last: LastEntry | None


class ExhibitList(BaseModel):
    """A page of exhibits, and how many there are in all."""

    exhibits: list[ExhibitShown]
    total: int


class ExhibitWhole(ExhibitShown):
    """An exhibit with its record as it was signed, and the evidence that it was taken out of.
    `copy_of_it` of a disk's triage is the id of the full copy, once that has its rows."""

    record: dict[str, Any]
    parent_evidence: str
    copy_of_it: str | None


class TallyShown(BaseModel):
    """How often each thing happened in a case, and how much each person did."""

    verbs: dict[str, int]
    actors: dict[str, int]


class StampedShown(BaseModel):
    """A checkpoint (a signed note) and the time that an authority attests, or why there is none."""

    size: int
    note: str
    time: str
    authority: str
    gap: str


class EntryProved(BaseModel):
    """An entry as it was signed, with the hashes that lead from it to the head of the ledger."""

    entry: Entry
    envelope: str
    statement: str
    key: str
    fingerprint: str
    leaf: str
    size: int
    path: list[str]
    root: str
    head: str
    checkpoint: StampedShown | None


class SigningShown(BaseModel):
    """By which key the ledger is signed; `pinned` says whether it is the one kept outside of it."""

    key: str
    fingerprint: str
    pinned: bool
    entries: int
    authority: str
    stamped: StampedShown | None
    waiting: int
    why: str


class ClauseShown(BaseModel):
    """One thing that was looked at: pass, fail or not checked."""

    name: str
    state: str
    detail: str
    where: str


class VerificationShown(BaseModel):
    """A verification that came to its end. What was not checked is no pass."""

    begun: str
    ended: str
    by: str
    passed: bool
    clauses: list[ClauseShown]


class CustodyState(BaseModel):
    """The last verification of a case, and the key and time stamps of the ledger.

    `broken` says why the latter cannot be read when the ledger was changed.
    """

    verification: VerificationShown | None
    signing: SigningShown | None
    broken: str = ""


class CaseCustody(BaseModel):
    """Custody of one case in numbers; `waiting` are disposals that wait for a second person."""

    name: str
    title: str
    exhibits: int
    entries: int
    last: str | None
    held: bool
    until: str | None
    waiting: int
    verified: str | None
    passed: bool | None


class CustodyOverview(BaseModel):
    """Custody of every case that whoever asks may see. `installation` counts entries about none."""

    cases: list[CaseCustody]
    signing: SigningShown
    installation: int


@router.get("/custody")
def custody_overview(who: Who, door: TheDoor) -> CustodyOverview:
    """Custody of all cases."""
    desk = door.desk
    extents = desk.records.extents()
    seen = set(visible(who, [one.name for one in desk.cases()]))
    found = []
    for case in desk.cases():
        if case.name not in seen:
            continue
        kept, extent = desk.keeping.of(case.name), extents.get(case.name)
        verified = desk.verifying.latest(case.name)
        found.append(
            CaseCustody(
                name=case.name,
                title=case.title,
                exhibits=extent.exhibits if extent else 0,
                entries=extent.entries if extent else 0,
                last=iso(extent.last) if extent else None,
                held=kept.held,
                until=iso_or_none(kept.until),
                waiting=sum(one.standing is Standing.ASKED for one in kept.disposals),
                verified=iso(verified.ended) if verified else None,
                passed=verified.passed if verified else None,
            )
        )
    about_none = extents.get("")
    return CustodyOverview(
        cases=found,
        signing=_signing(door),
        installation=about_none.entries if about_none else 0,
    )


@router.get("/custody/entries")
def installation_entries(
    _who: MayManagePeople,
    door: TheDoor,
    verb: Verbs = [],  # noqa: B006 (FastAPI copies it)
    actor: Actor = "",
    before: Before = None,
    limit: Limit = 200,
) -> list[Entry]:
    """Entries about no case, the newest first: sign-ins, grants, refusals, keys, time stamps."""
    found = door.desk.records.entries("", verbs=verb, actor=actor, before=before, limit=limit)
    return shown_entries(door, "", found)


@router.get("/custody/tally")
def installation_tally(_who: MayManagePeople, door: TheDoor) -> TallyShown:
    """How often each thing happened to the installation."""
    return TallyShown(**asdict(door.desk.records.tally("")))


@router.get("/custody/entries/{sequence}")
def installation_entry(sequence: int, _who: MayManagePeople, door: TheDoor) -> EntryProved:
    """One entry about no case, with its proof."""
    return _proved(door, "", door.desk.records.entry("", sequence))


@router.get("/cases/{case}/custody/tally")
def tally(case: TheCase, door: TheDoor) -> TallyShown:
    """How often each thing happened in the case, and how much each person did."""
    return TallyShown(**asdict(door.desk.records.tally(case)))


@router.get("/cases/{case}/custody/entries")
def entries(
    case: TheCase,
    door: TheDoor,
    evidence: Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$")] = "",
    whole: Whole = False,
    verb: Verbs = [],  # noqa: B006 (FastAPI copies it)
    actor: Actor = "",
    before: Before = None,
    limit: Limit = 200,
) -> list[Entry]:
    """Entries about the case or one exhibit of it, the newest first."""
    found = door.desk.records.entries(
        case, evidence=evidence, whole=whole, verbs=verb, actor=actor, before=before, limit=limit
    )
    return shown_entries(door, case, found)


@router.get("/cases/{case}/custody/entries/{sequence}")
def entry(case: TheCase, sequence: int, door: TheDoor) -> EntryProved:
    """One entry with its signature, its place in the ledger, and the checkpoint that has it."""
    return _proved(door, case, door.desk.records.entry(case, sequence))


@router.get("/cases/{case}/exhibits")
def exhibits(
    case: TheCase,
    door: TheDoor,
    q: Annotated[str, Query(max_length=500)] = "",
    only: Literal["", "acquired", "derived", "disposed"] = "",
    limit: Limit = 200,
    offset: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
) -> ExhibitList:
    """The exhibits of the case by number."""
    found, total = door.desk.records.exhibits(case, text=q, only=only, limit=limit, offset=offset)
    return ExhibitList(exhibits=[ExhibitShown(**_exhibit(one)) for one in found], total=total)


@router.get("/cases/{case}/exhibits/{evidence}")
def exhibit(case: TheCase, evidence: EvidenceId, door: TheDoor) -> ExhibitWhole:
    """One exhibit with its whole record."""
    found, copy = door.desk.records.exhibit(case, evidence), ""
    with suppress(Missing):  # an exhibit that the case does not hold itself, such as a member
        copy = door.desk.evidence_item(case, evidence).copy
    return ExhibitWhole(
        **_exhibit(found),
        record=found.exhibit.record(),
        parent_evidence=found.exhibit.derived_from.evidence,
        copy_of_it=copy or None,
    )


@router.get("/cases/{case}/verification")
def verification(case: TheCase, door: TheDoor) -> CustodyState:
    """The last verification of the case, and the key and time stamps of the ledger."""
    found = door.desk.verifying.latest(case)
    verdict = _verdict(found) if found else None
    try:
        door.desk.custody(case, limit=1)  # which reads the end of the ledger, and not an index
        return CustodyState(verification=verdict, signing=_signing(door))
    except Tampered as error:  # the verdict says what is wrong, so it must be seen
        return CustodyState(verification=verdict, signing=None, broken=error.message)


@router.post("/cases/{case}/verification", status_code=202)
def verify(case: TheCase, who: MayView, door: TheDoor) -> CustodyState:
    """Begin to verify the custody of the case, as a job of it."""
    door.desk.begin_verifying(case, who=who.hand)
    return verification(case, door)


def _exhibit(one: Shown) -> dict[str, Any]:
    record, last = one.exhibit, one.last
    authority = record.authority
    return {
        "number": record.number,
        "evidence": record.evidence,
        "name": one.name,
        "size": record.size,
        "taken": record.time.end,
        "taken_by": record.operator.name,
        "parent": record.derived_from.number,
        "member": record.derived_from.member,
        "method": record.method.id,
        "storage": record.storage.kind,
        "authority": f"{authority.kind} {authority.reference}".strip(),
        "state": one.state,
        "entries": last.entries if last else 0,
        "last": LastEntry(
            sequence=last.sequence, time=iso(last.time), verb=last.verb, actor=last.actor
        )
        if last
        else None,
    }


def _proved(door: TheDoor, case: str, found: Proved) -> EntryProved:
    one = found.inclusion
    (entry,) = shown_entries(door, case, [one.entry])
    return EntryProved(
        entry=entry,
        envelope=one.envelope.decode(),
        statement=statement(one.envelope),
        key=one.key.keyid,
        fingerprint=one.key.fingerprint,
        leaf=one.entry.hash,
        size=one.size,
        path=[each.hex() for each in one.path],
        root=one.root.hex(),
        head=one.head.decode("utf-8", "replace"),
        checkpoint=_stamped(found.checkpoint),
    )


def _stamped(one: Stamped | None) -> StampedShown | None:
    return StampedShown(**asdict(one)) if one else None


def _signing(door: TheDoor) -> SigningShown:
    found = door.desk.records.signing()
    return SigningShown(**{**asdict(found), "stamped": _stamped(found.stamped)})


def _verdict(one: Verification) -> VerificationShown:
    return VerificationShown(
        begun=iso(one.begun),
        ended=iso(one.ended),
        by=one.by,
        passed=one.passed,
        clauses=[ClauseShown(**asdict(clause)) for clause in one.clauses],
    )
