# SPDX-License-Identifier: Apache-2.0
"""The members of a bundle against its manifests (BagIt 1.0, RFC 8493)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256

from locard_verify.container import Container, Refused, lines, whole

MANIFEST = "manifest-sha256.txt"
TAGS = ("bagit.txt", "bag-info.txt", MANIFEST, "seal.json")
"""What the list of tags names; with that list itself these are all members outside `data/`."""
TAGMANIFEST = "tagmanifest-sha256.txt"
CHUNK = 1 << 20
_LINE = re.compile(rb"([0-9a-f]{64})  ([!-~]{1,255})")
_DECLARED = (b"BagIt-Version: 1.0", b"Tag-File-Character-Encoding: UTF-8")


@dataclass(slots=True)
class Members:
    """What the members of a bundle were found to be."""

    digests: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every member, as it was hashed now."""
    blake2b: dict[str, str] = field(default_factory=dict)
    """BLAKE2b-256 of the evidence."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """What is wrong, and with which member."""


def hashed(container: Container, progress: Callable[[int, int], None]) -> Members:
    """Hash every member and compare with the manifests. Raises `Refused` for one out of bounds."""
    found = Members(faults=[(fault, "") for fault in container.faults])
    total = sum(container.members.values())
    done = 0
    for name in container.members:
        first = sha256()
        second = blake2b(digest_size=32) if name.startswith("data/evidence/") else None
        try:
            for chunk in _chunks(container, name):
                first.update(chunk)
                if second is not None:
                    second.update(chunk)
                done += len(chunk)
                progress(done, total)
        except OSError as error:
            found.faults.append((f"it cannot be read to its end: {error}", name))
            continue
        found.digests[name] = first.hexdigest()
        if second is not None:
            found.blake2b[name] = second.hexdigest()
    _compared(container, found)
    return found


def _chunks(container: Container, name: str) -> Iterator[bytes]:
    with container.open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _compared(container: Container, found: Members) -> None:
    try:
        if tuple(whole(container, "bagit.txt", 1000).splitlines()) != _DECLARED:
            found.faults.append(("it does not declare BagIt 1.0", "bagit.txt"))
    except Refused as error:
        found.faults.append((error.message, "bagit.txt"))
    payload = _manifest(container, MANIFEST, found)
    tags = _manifest(container, TAGMANIFEST, found)
    for name in payload:
        if not name.startswith("data/"):
            found.faults.append(("the manifest names what is no payload", name))
    for name in tags.keys() - set(TAGS):
        found.faults.append(("it does not belong to a bundle", name))
    for name in set(TAGS) - tags.keys():
        found.faults.append((f"{TAGMANIFEST} does not name it", name))
    listed = {**payload, **tags}
    for name, digest in listed.items():
        now = found.digests.get(name)
        if now is not None and now != digest:
            found.faults.append((f"it was changed: its SHA-256 is {now}, not {digest}", name))
    _moved(listed, found)


def _moved(listed: dict[str, str], found: Members) -> None:
    """Members that are missing, were added, or stand under another name."""
    missing = sorted(listed.keys() - found.digests.keys())
    added = sorted(found.digests.keys() - listed.keys() - {TAGMANIFEST})
    by_digest = {found.digests[name]: name for name in added}
    renamed: set[str] = set()
    for name in missing:
        other = by_digest.pop(listed[name], "")
        if other:
            renamed.add(other)
            found.faults.append((f"it was renamed to {other}", name))
        else:
            found.faults.append(("it is missing", name))
    for name in added:
        if name not in renamed:
            found.faults.append(("it was added: no manifest names it", name))


def _manifest(container: Container, name: str, found: Members) -> dict[str, str]:
    """The digests that a manifest names."""
    listed: dict[str, str] = {}
    if name not in container.members:
        found.faults.append(("it is missing", name))
        return listed
    with container.open(name) as file:
        for number, line in enumerate(lines(file, 400, name), 1):
            parts = _LINE.fullmatch(line)
            if parts is None:
                found.faults.append((f"line {number} names no member in the form of BagIt", name))
                return listed
            digest, member = parts[1].decode(), parts[2].decode()
            if member in listed:
                found.faults.append((f"line {number} names {member} again", name))
            listed[member] = digest
    return listed
