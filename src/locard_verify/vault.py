# SPDX-License-Identifier: Apache-2.0
"""The judgement on a vault in a folder: its ledger, and every byte that it says it holds.

ledger/            see `ledger.py`
objects/ab/cdef…   the bytes of evidence by their SHA-256
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
MISSING, ENCRYPTED = "missing", "encrypted"
Read = Callable[[str], Iterable[bytes]]
"""The bytes of evidence by its SHA-256. Raises `FileNotFoundError` or another `OSError`."""


def _silent(_done: int, _whole: int) -> None:
    pass


def verify_vault(
    folder: Path,
    trusted: Sequence[Key] = (),
    roots: Sequence[x509.Certificate] | None = None,
    kept: Sequence[bytes] = (),
    *,
    case: str = "",
    read: Read | None = None,
    processes: int = 0,
    progress: Callable[[int, int], None] = _silent,
) -> Verdict:
    """The verdict on a vault; of its evidence only that of one case, when `case` is given.

    The ledger is always judged whole. `read` gives the bytes of evidence that do not lie in the
    folder as they are: in a store elsewhere, or encrypted. `progress` is told bytes of the ledger
    done and in all, and then pieces of evidence.
    """
    facts = gather(folder / "ledger", trusted, processes=processes, progress=progress)
    found = clauses(facts, trusted, roots, kept)
    if read is None and not (folder / "objects").is_dir():
        detail = f"{folder.name} holds no folder of evidence; its bytes lie elsewhere"
        found.append(Clause("evidence", State.NOT_CHECKED, detail))
    else:
        read = read or Objects(folder).read
        found.append(_evidence(facts, case, read, processes or cores(), progress))
        if not case and (others := _others(facts, folder)):
            detail = f"{others:,} files in the vault are no exhibit: taken in and never entered"
            found.append(Clause("leftovers", State.NOT_CHECKED, detail))
    return Verdict(tuple(found))


class Encrypted(Exception):
    """The bytes are kept in a form that cannot be read here."""


class Objects:
    """The evidence below `objects/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, evidence: str) -> Iterator[bytes]:
        """The bytes. Raises `FileNotFoundError`, and `Encrypted` for what lies there encrypted."""
        path = self.folder / _where(evidence)
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            if any(path.parent.glob(f"{path.name}.*")):
                raise Encrypted from None
            raise
        with file:
            while chunk := file.read(CHUNK):
                yield chunk


def _evidence(
    facts: Facts, case: str, read: Read, processes: int, progress: Callable[[int, int], None]
) -> Clause:
    """The bytes of every exhibit that was not disposed of hash to what its record says."""
    disposed = {one["evidence"] for one in facts.about("disposed")}
    numbers: dict[str, str] = {}
    for record in facts.records:
        if not case or record.case == case:
            numbers.setdefault(record.evidence, record.number)
    done, moved, gone, unread = 0, 0, 0, 0
    with ThreadPoolExecutor(processes) as threads:
        for evidence, (digest, size) in zip(
            numbers, threads.map(lambda one: _digest(read, one), numbers), strict=True
        ):
            done, moved, number = done + 1, moved + size, numbers[evidence]
            progress(done, len(numbers))
            if digest == MISSING and evidence in disposed:
                gone += 1
            elif digest == ENCRYPTED:
                unread += 1
            elif digest != evidence:
                detail = (
                    f"the bytes of {number} ({evidence}) are missing" if digest == MISSING
                    else f"the bytes of {number} were changed: they hash to {digest}"
                )  # fmt: skip
                facts.fault("evidence", detail, _where(evidence))
    read_here = len(numbers) - gone - unread
    said = f"{read_here:,} pieces of evidence, {moved:,} bytes, hash to what their records say"
    if gone:
        said += f"; {gone:,} were disposed of"
    if unread:
        said += f"; {unread:,} are encrypted and were not read"
        if unread == len(numbers) - gone and not facts.faults.get("evidence"):
            return Clause("evidence", State.NOT_CHECKED, said)
    return facts.judged("evidence", said)


def _others(facts: Facts, folder: Path) -> int:
    """Files among the evidence that no entry made an exhibit: a crash leaves such."""
    known = {record.evidence for record in facts.records}
    found = (folder / "objects").glob("??/*")
    return sum((path.parent.name + path.name)[:64] not in known for path in found)


def _where(evidence: str) -> str:
    """Where bytes lie; an id that is none is nowhere, since it is the ledger's word."""
    if len(evidence) != 64 or not set(evidence) <= set("0123456789abcdef"):
        return "objects/none"
    return f"objects/{evidence[:2]}/{evidence[2:]}"


def _digest(read: Read, evidence: str) -> tuple[str, int]:
    digest, size = sha256(), 0
    try:
        for chunk in read(evidence):
            digest.update(chunk)
            size += len(chunk)
    except FileNotFoundError:
        return MISSING, 0
    except Encrypted:
        return ENCRYPTED, 0
    except OSError as error:
        return f"nothing: they cannot be read ({error.strerror})", size
    return digest.hexdigest(), size
