# SPDX-License-Identifier: Apache-2.0
"""Evidence of a case: what is held, adding more, and taking a copy out."""

import re
import time
from collections.abc import Iterator
from typing import Annotated, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from locard.api.allowed import MayAcquire, MayDownload
from locard.api.door import TheDoor
from locard.api.inflow import inflow
from locard.api.places import TheCase
from locard.api.routes.cases import Entry, shown_entries
from locard.api.times import iso
from locard.cases.holdings import Item
from locard.cases.intake import Wish
from locard.cases.wishes import LONGEST_HOST
from locard.model.errors import Error
from locard.state.investigations import Stage

router = APIRouter(prefix="/api/cases/{case}/evidence", tags=["evidence"])

CHUNK = 1 << 20
ENDLESS = 1 << 62
"""Evidence may be of any size: it is never gathered in memory."""
LATEST = (1 << 63) // 1_000_000 - 1
"""Milliseconds whose nanoseconds have 63 bits: the year 2262."""

EvidenceId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]

_ARCHIVE = "archive"
"""What the page calls evidence that was unpacked."""


class AForm(Error):
    """Evidence that was sent inside of a form."""

    http_status = 415


class Evidence(BaseModel):
    """A piece of evidence. Records seen = rows + problems. `id` is the SHA-256 of its bytes.

    `copy_of_it` of a disk's triage is the id of the full copy, once that has its rows.
    """

    id: str
    name: str
    places: list[str]
    parent: str | None
    member: str | None
    size: int
    kind: str
    layers: str
    copy_of_it: str | None
    parser: str | None
    parser_version: str | None
    state: str
    reason: str | None
    attempts: int
    seen: int
    rows: int
    problems: int
    troubles: list[str]
    passed: list[str]
    check: str
    sha256: str
    blake2b: str
    added: str
    added_by: str
    confinement: str | None


class EvidenceList(BaseModel):
    """A page of evidence, and how much there is in all."""

    evidence: list[Evidence]
    total: int


class Received(BaseModel):
    """An upload that is in the vault; `job` parses it, null when a running one will.

    `known` says that the case held the same bytes before: nothing is added twice.
    """

    job: str | None
    known: bool
    evidence: Evidence


@router.get("")
def evidence(
    case: TheCase,
    door: TheDoor,
    state: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> EvidenceList:
    """The evidence of the case in the order it was added."""
    stage = Stage.UNPACKED.value if state == _ARCHIVE else state
    found, total = door.desk.evidence(case, stage=stage, text=q, limit=limit, offset=offset)
    return EvidenceList(evidence=[_shown(one) for one in found], total=total)


@router.post("", status_code=202, max_body_size=ENDLESS)
async def receive(
    case: TheCase,
    request: Request,
    who: MayAcquire,
    door: TheDoor,
    name: Annotated[str, Query(min_length=1, max_length=4096)],
    parser: Annotated[str, Query(alias="as", max_length=200)] = "",
    zone: Annotated[str, Query(max_length=64)] = "",
    host: Annotated[str, Query(max_length=LONGEST_HOST)] = "",
    mapping: Annotated[str, Query(max_length=64)] = "",
    modified: Annotated[int | None, Query(ge=0, le=LATEST)] = None,
) -> Received:
    """Add evidence: the body is the file itself, of any size, and goes straight into the vault.

    `modified` is when the file was changed where it was, in milliseconds since 1970 (UTC), as
    browsers say it: logs that write no year have theirs from it.
    """
    if request.headers.get("content-type", "").strip().lower().startswith("multipart/"):
        raise AForm(
            "The body is a form with a file in it, and would be kept as that: not the file itself.",
            "Send the bytes of the file as the body: curl --data-binary @FILE ADDRESS?name=FILE",
        )
    wish = Wish(parser=parser, zone=zone, host=host, mapping=mapping)
    begun = time.time_ns()

    said = request.headers.get("content-length", "")
    size = int(said) if said.isascii() and said.isdigit() else None

    def take() -> Item:
        changed = None if modified is None else modified * 1_000_000
        return door.desk.receive(
            case, inflow(request), name, who=who.hand, wish=wish, size=size, modified=changed
        )

    item = await run_in_threadpool(take)
    jobs = await run_in_threadpool(door.desk.progress, case, limit=1)
    running = [str(job.job) for job in jobs if job.state == "running"]
    job = running[0] if running else None
    return Received(job=job, known=item.added < begun, evidence=_shown(item))


@router.get("/{evidence}")
def evidence_item(case: TheCase, evidence: EvidenceId, door: TheDoor) -> Evidence:
    """One piece of evidence."""
    return _shown(door.desk.evidence_item(case, evidence))


@router.get("/{evidence}/custody")
def evidence_custody(case: TheCase, evidence: EvidenceId, door: TheDoor) -> list[Entry]:
    """What happened to this evidence in this case, the newest first."""
    door.desk.evidence_item(case, evidence)
    return shown_entries(door, case, door.desk.custody(case, evidence, limit=1000))


@router.get(
    "/{evidence}/download",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The bytes"}},
)
def download(
    case: TheCase,
    evidence: EvidenceId,
    who: MayDownload,
    door: TheDoor,
    reason: Annotated[str, Query(min_length=1, max_length=500)],
) -> StreamingResponse:
    """The bytes of the evidence; the ledger says who took them and why."""
    item = door.desk.evidence_item(case, evidence)
    file = door.desk.download(case, evidence, who=who.hand, reason=reason)
    headers = {
        "content-disposition": attachment(item.name),
        "content-length": str(item.size),
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    }
    return StreamingResponse(chunks(file), 200, headers, "application/octet-stream")


def attachment(name: str) -> str:
    """A `Content-Disposition` that no name can break out of (RFC 6266)."""
    leaf = name.replace("\\", "/").rpartition("/")[2] or "evidence"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", leaf)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(leaf, safe='')}"


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, which is closed at its end."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _shown(one: Item) -> Evidence:
    return Evidence(
        id=one.id,
        name=one.name,
        places=list(one.places),
        parent=one.parent or None,
        member=one.member or None,
        size=one.size,
        kind=one.kind,
        layers=one.layers,
        copy_of_it=one.copy or None,
        parser=one.parser or None,
        parser_version=one.parser_version or None,
        state=_ARCHIVE if one.stage == Stage.UNPACKED else one.stage,
        reason=one.reason or None,
        attempts=one.attempts,
        seen=one.seen,
        rows=one.rows,
        problems=one.problems,
        troubles=list(one.troubles),
        passed=list(one.passed),
        check=one.check,
        sha256=one.id,
        blake2b=one.blake2b,
        added=iso(one.added),
        added_by=one.added_by,
        confinement=None,
    )
