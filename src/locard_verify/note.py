# SPDX-License-Identifier: Apache-2.0
"""Signed notes and checkpoints of a log, as C2SP writes them.

A checkpoint says: this log had so many entries, and this was the root over them.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from locard_verify.keys import Key
from locard_verify.malformed import Malformed

LARGEST = 1 << 20
"""Bytes of a note that are looked at."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one size."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


def sign_line(key: Key, signature: bytes) -> bytes:
    """The line that a signature adds to a note."""
    return f"— {key.name} {base64.b64encode(key.id + signature).decode()}\n".encode()


def signed_note(text: bytes, key: Key, signature: bytes) -> bytes:
    """A note: its text, a blank line, its signature."""
    return text + b"\n" + sign_line(key, signature)


def open_note(note: bytes, keys: Iterable[Key]) -> tuple[bytes, Key]:
    """The text of a note and the key that signed it.

    Signatures by unknown keys are passed over. Raises `Malformed` for what is no note, for a wrong
    signature by a known key, and when no known key signed.
    """
    if len(note) > LARGEST:
        raise Malformed("it is too long for a note")
    body, blank, lines = note.rpartition(b"\n\n")
    if not blank or not lines.endswith(b"\n"):
        raise Malformed("it is no signed note")
    text = body + b"\n"
    known = {(key.name, key.id): key for key in keys}
    signer: Key | None = None
    for line in lines.splitlines():
        name, data = _signature(line)
        key = known.get((name, data[:4]))
        if key is None:
            continue
        if not key.signed(text, data[4:]):
            raise Malformed(f"the signature of {key.keyid} does not fit its text")
        signer = signer or key
    if signer is None:
        raise Malformed("no known key signed it")
    return text, signer


def _signature(line: bytes) -> tuple[str, bytes]:
    try:
        dash, name, encoded = line.decode().split(" ")
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Malformed("a signature line of the note cannot be read") from error
    if dash != "—" or len(data) < 5:
        raise Malformed("a signature line of the note cannot be read")
    return name, data


def read_checkpoint(text: bytes) -> Checkpoint:
    """The checkpoint in the text of a note. Raises `Malformed`."""
    try:
        origin, size, root = text.decode().split("\n")[:3]
        if not origin or size != str(int(size)) or int(size) < 0:
            raise Malformed("the note is no checkpoint")
        found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error) as error:
        raise Malformed("the note is no checkpoint") from error
    if len(found.root) != 32 or found.text() != text:
        raise Malformed("the note is no checkpoint")
    return found


def open_checkpoint(note: bytes, keys: Sequence[Key]) -> tuple[Checkpoint, Key]:
    """The checkpoint in a signed note, and the key that signed it. Raises `Malformed`."""
    text, key = open_note(note, keys)
    return read_checkpoint(text), key
