# SPDX-License-Identifier: Apache-2.0
"""The seal of a bundle: the ledger's entry that names its manifest, proved to be in the ledger.

It stands outside `data/`, because it was made when everything there was written. Its checkpoint is
later than those in the bundle; a proof of consistency leads from the last of them to it.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from locard_verify.bag import MANIFEST
from locard_verify.container import Container, Refused, whole
from locard_verify.extract import opened
from locard_verify.keys import Key
from locard_verify.malformed import Malformed
from locard_verify.merkle import consistent, included, leaf_hash
from locard_verify.note import Checkpoint, open_checkpoint
from locard_verify.verdict import Fault

NAME = "seal.json"
SEALED = (MANIFEST, "bag-info.txt", "bagit.txt")
"""The members that the entry names by their SHA-256."""
LARGEST = 4 << 20


@dataclass(slots=True)
class Seal:
    """What is known of a seal, and what is wrong with it."""

    faults: list[Fault] = field(default_factory=list)
    good: str = ""
    point: Checkpoint | None = None
    since: int = 0
    """The size of the ledger from which its proof of consistency leads on."""
    path: list[bytes] = field(default_factory=list)
    note: bytes = b""
    """Its checkpoint as it was signed, and the response of the authority that stamped it."""
    token: bytes = b""

    def fault(self, detail: str) -> None:
        """Note something wrong."""
        self.faults.append(Fault(detail, NAME))

    def follows(self, head: Checkpoint | None) -> None:
        """The ledger that the seal is in has to begin with the one that the bundle shows."""
        if self.point is None or head is None:
            return
        if head.origin != self.point.origin:
            self.fault(f"it is of another ledger, {self.point.origin}")
        elif self.since != head.size or not consistent(
            head.size, self.point.size, head.root, self.point.root, self.path
        ):
            self.fault("the ledger that it is in does not go on from the one in the bundle")


def judge(container: Container, digests: dict[str, str], keys: dict[str, Key]) -> tuple[Seal, str]:
    """The seal of a bundle whose members have these digests, and the case that it names."""
    seal = Seal()
    try:
        found: Any = json.loads(whole(container, NAME, LARGEST))
        envelope = json.dumps(found["envelope"], separators=(",", ":")).encode()
        said, _, wrong = opened(envelope, keys)
        if wrong:
            seal.fault(f"its entry {wrong}")
        _names(seal, said, digests)
        _included(seal, found, said, envelope, keys)
    except (Refused, Malformed) as error:
        seal.fault(str(error))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        seal.fault("it cannot be read")
    else:
        seal.good = (
            f"entry {said['sequence']} names the manifest; {said['actor']} sealed it at "
            f"{said['time'][:19]}Z"
        )
        return seal, str(said["case"])
    return seal, _case(container)


def _names(seal: Seal, said: dict[str, Any], digests: dict[str, str]) -> None:
    if said["verb"] != "exported":
        seal.fault(f"its entry says {said['verb']!r} and not that a bundle was exported")
    for name in SEALED:
        named, now = said["details"].get(name, ""), digests.get(name, "")
        if named != now:
            seal.fault(
                f"it names another {name} (SHA-256 {named or 'none'}, here {now or 'none'}): "
                "it is the seal of another bundle, or the bundle was changed after sealing"
            )


def _included(
    seal: Seal, found: Any, said: dict[str, Any], envelope: bytes, keys: dict[str, Key]
) -> None:
    seal.note = found["checkpoint"].encode()
    seal.token = base64.b64decode(found.get("token", ""), validate=True)
    point, _ = open_checkpoint(seal.note, list(keys.values()))
    path = [base64.b64decode(one, validate=True) for one in found["inclusion"]]
    if not included(leaf_hash(envelope), said["sequence"] - 1, point.size, path, point.root):
        seal.fault(f"entry {said['sequence']} is not in the tree of its checkpoint")
    seal.point, seal.since = point, int(found["consistency"]["from"])
    seal.path = [base64.b64decode(one, validate=True) for one in found["consistency"]["path"]]


def _case(container: Container) -> str:
    """The case as the tags of the bag name it, when no seal does."""
    try:
        for line in (
            whole(container, "bag-info.txt", 1 << 20).decode("utf-8", "replace").split("\n")
        ):
            if line.startswith("External-Identifier: "):
                return line.partition(": ")[2].strip()
    except Refused:
        pass
    return ""
