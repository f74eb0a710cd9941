# SPDX-License-Identifier: Apache-2.0
"""The judgement on a vault in a folder: its ledger, and every byte that it says it holds.

ledger/            see `ledger.py`
objects/ab/cdef…   the bytes of evidence by their SHA-256
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from cryptography import x509

from locard_verify.facts import Facts
from locard_verify.keys import Key
from locard_verify.ledger import clauses, gather
from locard_verify.stretches import cores
from locard_verify.verdict import Clause, State, Verdict

CHUNK = 1 << 20


def _silent(_done: int, _whole: int) -> None:
    pass


def verify_vault(
    folder: Path,
    trusted: Sequence[Key] = (),
    roots: Sequence[x509.Certificate] | None = None,
    kept: Sequence[bytes] = (),
    *,
    case: str = "",
    processes: int = 0,
    progress: Callable[[int, int], None] = _silent,
) -> Verdict:
    """The verdict on a vault; of its evidence only that of one case, when `case` is given.

    The ledger is always judged whole. `progress` is told bytes done and in all, of the ledger first
    and then of the evidence.
    """
    facts = gather(folder / "ledger", trusted, processes=processes, progress=progress)
    found = clauses(facts, trusted, roots, kept)
    found.append(_evidence(facts, folder, case, processes or cores(), progress))
    return Verdict(tuple(found))


def _evidence(
    facts: Facts, folder: Path, case: str, processes: int, progress: Callable[[int, int], None]
) -> Clause:
    """The bytes of every exhibit that was not disposed of hash to what its record says."""
    if not (folder / "objects").is_dir():
        detail = f"{folder.name} holds no folder of evidence; its bytes lie elsewhere"
        return Clause("evidence", State.NOT_CHECKED, detail)
    disposed = {one["evidence"] for one in facts.about("disposed")}
    numbers: dict[str, str] = {}
    for record in facts.records:
        if not case or record.case == case:
            numbers.setdefault(record.evidence, record.number)
    sizes: dict[str, int] = {}
    for evidence, number in numbers.items():
        path = _path(folder, evidence)
        if path.is_file():
            sizes[evidence] = path.stat().st_size
        elif evidence not in disposed:
            detail = f"the bytes of {number} ({evidence}) are missing"
            facts.fault("evidence", detail, _where(evidence))
    whole, done = sum(sizes.values()), 0
    with ThreadPoolExecutor(processes) as threads:
        for evidence, digest in zip(
            sizes, threads.map(lambda one: _digest(_path(folder, one)), sizes), strict=True
        ):
            done += sizes[evidence]
            progress(done, whole)
            if digest != evidence:
                detail = f"the bytes of {numbers[evidence]} were changed: they hash to {digest}"
                facts.fault("evidence", detail, _where(evidence))
    gone = len(numbers.keys() & disposed)
    said = f"{len(sizes):,} pieces of evidence, {whole:,} bytes, hash to what their records say"
    if gone:
        said += f"; {gone:,} were disposed of"
    if not case and (others := _others(folder, numbers)):
        said += f"; {others:,} files in the vault are no exhibit (taken in and never entered)"
    return facts.judged("evidence", said)


def _others(folder: Path, numbers: dict[str, str]) -> int:
    """Files among the evidence that no entry made an exhibit: a crash leaves such."""
    return sum(
        path.parent.name + path.name not in numbers for path in (folder / "objects").glob("??/*")
    )


def _where(evidence: str) -> str:
    return f"objects/{evidence[:2]}/{evidence[2:]}"


def _path(folder: Path, evidence: str) -> Path:
    """Where bytes lie; an id that is none is nowhere, since it is the ledger's word."""
    if len(evidence) != 64 or not set(evidence) <= set("0123456789abcdef"):
        return folder / "objects" / "none"
    return folder / "objects" / evidence[:2] / evidence[2:]


def _digest(path: Path) -> str:
    digest = sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        return f"nothing: they cannot be read ({error.strerror})"
    return digest.hexdigest()
