# SPDX-License-Identifier: Apache-2.0
"""The judgement on a bundle: what somebody handed over, from its own files and public keys alone.

bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt   the members (RFC 8493)
seal.json                         the entry that names the manifest, proved to be in the ledger
data/evidence/                    the bytes by their SHA-256, or references.json that says where
data/exhibits/NUMBER.json         the record of each exhibit
data/ledger/                      the entries of the case, keys, tiles, checkpoints, time stamps

Nothing in it is believed because it stands there: a member by its digest, the digests by the seal,
the seal by a signature, the entries by theirs and by the tree, the tree by its checkpoints, those
by an authority's time. What all of it hangs on is the key, so give the one that you got elsewhere.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509

from locard_verify import extract, losses, note, stamp, transfers
from locard_verify.bag import MANIFEST, Members, hashed
from locard_verify.container import Container, Refused, opened, whole
from locard_verify.examine import canonical
from locard_verify.extract import Extract
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed
from locard_verify.merkle import consistency_path, consistent, included, inclusion_path
from locard_verify.note import Checkpoint, open_checkpoint
from locard_verify.seal import NAME as SEAL
from locard_verify.seal import Seal
from locard_verify.seal import judge as judge_seal
from locard_verify.tiles import reader
from locard_verify.verdict import Clause, Fault, State, Verdict, judged

LARGEST_RECORD = 64 << 20
"""Bytes of an exhibit's record; the largest ones list every request of an acquisition."""
LARGEST_REFERENCES = 256 << 20
LARGEST_TILE = 256 * 32
MOST_FILES = 100_000
"""Checkpoints, keys or root certificates that are looked at."""
_NOTE = re.compile(r"data/ledger/checkpoints/(\d{12,15})\.note")


def _silent(_done: int, _whole: int) -> None:
    pass


@dataclass(slots=True)
class Bundle:
    """What is known of a bundle while it is judged."""

    container: Container
    members: Members
    keys: dict[str, Key]
    extract: Extract
    head: Checkpoint | None = None
    """The last checkpoint, in whose tree everything is proved."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    def fault(self, clause: str, detail: str, where: str = "") -> None:
        """Note something wrong."""
        self.faults.setdefault(clause, []).append(Fault(detail, where))

    def judged(self, clause: str, good: str) -> Clause:
        """The clause, as the faults noted so far say."""
        found = [*self.faults.get(clause, ()), *self.extract.faults.get(clause, ())]
        return judged(clause, found, good)

    def under(self, folder: str, end: str) -> list[str]:
        """The names of members in a folder."""
        found = [one for one in self.container.members if one.startswith(folder)]
        return sorted(one for one in found if one.endswith(end))[:MOST_FILES]


def verify_bundle(
    path: Path,
    trusted: Sequence[Key] = (),
    roots: Sequence[x509.Certificate] | None = None,
    *,
    progress: Callable[[int, int], None] = _silent,
) -> Verdict:
    """The verdict on the bundle at `path`, a folder, a zip or a tar.

    `trusted` are keys that the reader got elsewhere, `roots` the certificates of time-stamping
    authorities that they trust (those in the bundle when None). `progress` is told bytes done and
    in all. What is no bundle, or out of all bounds, fails the clause "format".
    """
    try:
        with opened(path) as container:
            return Verdict(tuple(_clauses(container, trusted, roots, progress)))
    except Refused as error:
        detail = f"{error.message} {error.advice}".strip()
        return Verdict((Clause("format", State.FAIL, detail, str(path)),))


def _clauses(
    container: Container,
    trusted: Sequence[Key],
    roots: Sequence[x509.Certificate] | None,
    progress: Callable[[int, int], None],
) -> list[Clause]:
    if MANIFEST not in container.members and extract.NAME not in container.members:
        raise Refused("This is no bundle: it has neither a manifest nor entries of a ledger.")
    members = hashed(container, progress)
    keys = _keys(container, trusted)
    seal, case = judge_seal(container, members.digests, keys)
    bundle = Bundle(container, members, keys, Extract(case, keys))
    if extract.NAME in container.members:
        with container.open(extract.NAME) as file:
            bundle.extract = extract.read(file, case, keys)
    else:
        bundle.fault("format", "the entries of the ledger are missing", extract.NAME)
    notes = _notes(bundle)
    _tree(bundle, notes)
    seal.follows(bundle.head)
    number = f"{len(bundle.extract.leaves):,}"
    evidence = _evidence(bundle)
    return [
        bundle.judged("format", f"{number} entries of case {case}, each a signed statement"),
        judged(
            "members",
            [Fault(detail, name) for detail, name in members.faults],
            f"{len(members.digests):,} members, as the manifests name them",
        ),
        judged("seal", seal.faults, seal.good),
        bundle.judged("sequence", "no entry about an exhibit is missing between two others"),
        bundle.judged("signatures", f"{number} signatures hold"),
        bundle.judged("keys", f"{len(bundle.extract.used):,} signed, each introduced"),
        _identity(bundle, trusted),
        bundle.judged("tree", f"{number} entries are in the tree of the last checkpoint"),
        bundle.judged("consistency", f"{len(notes):,} checkpoints are of one ledger as it grew"),
        _stamps(bundle, notes, seal, roots),
        bundle.judged("clock", "no entry is older than the one before it"),
        losses.judge(bundle.extract.losses, extract.NAME),
        _exhibits(bundle),
        evidence,
        transfers.judge(bundle.extract.transfers, extract.NAME),
    ]


def _keys(container: Container, trusted: Sequence[Key]) -> dict[str, Key]:
    """The keys in the bundle and those of the reader, by their ids."""
    found: dict[str, Key] = {}
    for name in sorted(container.members):
        if name.startswith("data/ledger/keys/") and len(found) < MOST_FILES:
            with suppress(Malformed, Refused, UnicodeDecodeError):
                key = read_key(whole(container, name, 4096).decode())
                found[key.keyid] = key
    for key in trusted:
        found.setdefault(key.keyid, key)
    return found


def _notes(bundle: Bundle) -> dict[str, Checkpoint]:
    """The checkpoints by the names of their files, the smallest first."""
    found: dict[str, Checkpoint] = {}
    first = bundle.keys.get(bundle.extract.first_key)
    for name in bundle.under("data/ledger/checkpoints/", ".note"):
        try:
            content = whole(bundle.container, name, note.LARGEST)
            point, _ = open_checkpoint(content, list(bundle.keys.values()))
        except (Malformed, Refused) as error:
            detail = f"a checkpoint of another log, or a changed one: {error}"
            bundle.fault("consistency", detail, name)
            continue
        number = _NOTE.fullmatch(name)
        if first is not None and point.origin != first.name:
            detail = f"it is a checkpoint of another log, {point.origin}"
            bundle.fault("consistency", detail, name)
        elif number is None or int(number[1]) != point.size:
            detail = f"it is the checkpoint of {point.size:,} entries under another name"
            bundle.fault("consistency", detail, name)
        else:
            found[name] = point
    return dict(sorted(found.items(), key=lambda one: one[1].size))


def _tree(bundle: Bundle, notes: dict[str, Checkpoint]) -> None:
    """Every entry is in the tree of the last checkpoint, and every earlier one leads to it."""
    if not notes:
        bundle.fault("tree", "there is no checkpoint that could prove an entry", "data/ledger")
        return
    bundle.head = head = list(notes.values())[-1]

    def read(name: str) -> bytes:
        return whole(bundle.container, f"data/ledger/{name}", LARGEST_TILE)

    at = reader(head.size, read)
    for name, point in list(notes.items())[:-1]:
        try:
            path = consistency_path(point.size, head.size, at)
            if not consistent(point.size, head.size, point.root, head.root, path):
                detail = f"the ledger of {head.size:,} entries does not begin with its entries"
                bundle.fault("consistency", detail, name)
        except (Malformed, Refused) as error:
            bundle.fault("consistency", f"it cannot be followed to the last one: {error}", name)
    for sequence, leaf in bundle.extract.leaves.items():
        where = f"{extract.NAME}, entry {sequence}"
        try:
            proved = 0 < sequence <= head.size and included(
                leaf,
                sequence - 1,
                head.size,
                inclusion_path(sequence - 1, head.size, at),
                head.root,
            )
        except (Malformed, Refused) as error:
            bundle.fault("tree", f"entry {sequence} cannot be proved: {error}", where)
            continue
        if not proved:
            bundle.fault("tree", f"entry {sequence} is not in the tree that is signed", where)


def _identity(bundle: Bundle, trusted: Sequence[Key]) -> Clause:
    """Whether this is the ledger that the reader thinks it is, and not one that looks like it."""
    key = bundle.keys.get(bundle.extract.first_key)
    if key is None:
        detail = "no first key is introduced, so nobody can say whose ledger it is"
        return Clause("identity", State.FAIL, detail, extract.NAME)
    said = f"{key.keyid}, fingerprint {key.fingerprint}"
    if not trusted:
        detail = f"the ledger was begun with the key {said}; it was not compared with any"
        return Clause("identity", State.NOT_CHECKED, detail)
    if any(one.vkey == key.vkey for one in trusted):
        return Clause("identity", State.PASS, f"the ledger was begun with the trusted key {said}")
    detail = f"the ledger was begun with another key than the trusted one: {said}"
    return Clause("identity", State.FAIL, detail, "data/ledger/keys")


def _stamps(
    bundle: Bundle,
    notes: dict[str, Checkpoint],
    seal: Seal,
    roots: Sequence[x509.Certificate] | None,
) -> Clause:
    trusted = list(roots) if roots is not None else _roots(bundle)
    held, gaps, latest = 0, 0, datetime.min
    for name, text, response in _stamped(bundle, notes, seal):
        if not response:
            gaps += 1
            continue
        try:
            found = stamp.check(response, text, trusted)
            held, latest = held + 1, max(latest, found.time.replace(tzinfo=None))
        except Malformed as error:
            detail = f"the token does not stamp this checkpoint: {error}"
            bundle.fault("time stamps", detail, name)
    if not held and not bundle.faults.get("time stamps"):
        detail = "no checkpoint in the bundle bears a time stamp"
        return Clause("time stamps", State.NOT_CHECKED, detail)
    whose = "the reader's roots" if roots is not None else "roots that the bundle itself carries"
    said = f"{held:,} hold under {whose}, the latest of {latest:%Y-%m-%d %H:%M:%S} UTC"
    return bundle.judged("time stamps", said + (f"; {gaps:,} checkpoints have none" * bool(gaps)))


def _stamped(
    bundle: Bundle, notes: dict[str, Checkpoint], seal: Seal
) -> Iterator[tuple[str, bytes, bytes]]:
    """The checkpoints with their tokens, the seal's last; an empty token where there is none."""
    members = bundle.container.members
    for name in notes:
        token = name.removesuffix(".note") + ".tsr"
        text = whole(bundle.container, name, note.LARGEST)
        try:
            response = whole(bundle.container, token, stamp.LARGEST) if token in members else b""
        except Refused as error:
            bundle.fault("time stamps", error.message, token)
            continue
        yield token, text, response
    if seal.note:
        yield f"{SEAL}, token", seal.note, seal.token


def _roots(bundle: Bundle) -> list[x509.Certificate]:
    """The root certificates in the bundle, as far as entries of the ledger name them."""
    found: list[x509.Certificate] = []
    for name in bundle.under("data/ledger/authorities/", ".pem"):
        data = whole(bundle.container, name, 1 << 20)
        if sha256(data).hexdigest() not in bundle.extract.authorities:
            bundle.fault("time stamps", "no entry names this root certificate", name)
            continue
        try:
            found += stamp.certificates(data)
        except Malformed as error:
            bundle.fault("time stamps", str(error), name)
    return found


def _exhibits(bundle: Bundle) -> Clause:
    """Each record in a file is the one that an entry made, and each of those has its file."""
    known = bundle.extract.exhibits
    for name in bundle.under("data/exhibits/", ".json"):
        number = name.removeprefix("data/exhibits/").removesuffix(".json")
        if number not in known:
            bundle.fault("exhibits", f"no entry made an exhibit {number}", name)
            continue
        try:
            content = json.loads(whole(bundle.container, name, LARGEST_RECORD))
            same = sha256(canonical(content)).digest() == known[number].record
        except (ValueError, RecursionError, Refused):
            same = False
        if not same:
            sequence = known[number].sequence
            bundle.fault("exhibits", f"it is not the record that entry {sequence} made", name)
    for number in known:
        if f"data/exhibits/{number}.json" not in bundle.container.members:
            bundle.fault("exhibits", f"the record of {number} is missing", "data/exhibits")
    return bundle.judged("exhibits", f"{len(known):,} records are those that entries made")


def _evidence(bundle: Bundle) -> Clause:
    """The bytes have the digests and sizes that the records say, or are referred to."""
    referred, held = _references(bundle), 0
    members = bundle.members
    known = {one.evidence: (number, one) for number, one in bundle.extract.exhibits.items()}
    for evidence, (number, one) in known.items():
        name = f"data/evidence/{evidence}"
        found = members.digests.get(name)
        if found is None:
            if evidence not in referred:
                detail = f"the bytes of {number} are neither there nor referred to"
                bundle.fault("evidence", detail, name)
            continue
        held += 1
        size = bundle.container.members[name]
        if found != evidence:
            bundle.fault("evidence", f"{number} was changed: its SHA-256 is {found}", name)
        elif size != one.size:
            bundle.fault("evidence", f"{number} has {size:,} bytes, not {one.size:,}", name)
        elif one.blake2b and members.blake2b[name] != one.blake2b:
            bundle.fault("evidence", f"{number} has another BLAKE2b digest", name)
    for name in bundle.under("data/evidence/", ""):
        evidence = name.removeprefix("data/evidence/")
        if evidence not in known and evidence != "references.json":
            bundle.fault("evidence", "no exhibit has these bytes", name)
    said = f"{held:,} of {len(known):,} have the digests that their records say"
    clause = bundle.judged("evidence", said)
    left = len(known) - held
    if clause.state is State.PASS and left:
        detail = f"{said}; {left:,} are only referred to and were not looked at"
        return Clause("evidence", State.NOT_CHECKED, detail, "data/evidence/references.json")
    return clause


def _references(bundle: Bundle) -> set[str]:
    name = "data/evidence/references.json"
    if name not in bundle.container.members:
        return set()
    try:
        found: Any = json.loads(whole(bundle.container, name, LARGEST_REFERENCES))
        return {str(one["sha256"]) for one in found}
    except (ValueError, RecursionError, KeyError, TypeError, Refused):
        bundle.fault("evidence", "the references cannot be read", name)
        return set()
