# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way: written to a private file and measured in the same pass.

What comes in is spooled before a store gets it, because its name is known only when the last byte
was hashed. What a worker reads from a store that is no folder is spooled again, because it needs a
file descriptor; such a file has no name, so it ends with whoever holds it open.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b, sha256
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Protocol

from locard.evidence import sparse
from locard.evidence.flushing import Flushing
from locard.evidence.local import refused
from locard.evidence.own import named
from locard.evidence.sparse import CHUNK
from locard.evidence.store import Content, Watch, unwatched
from locard.model.errors import Tampered, Unreadable
from locard.model.evidence import Evidence

DURABLE_ALONE = 8 << 20
"""Files from this size on are flushed as soon as they are written."""
LONG = 16 << 20
"""Evidence of so many bytes is worth a second thread."""


class Readable(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""


class Meter:
    """Digests and size of the bytes that pass.

    Of long evidence the second digest, which is the slower one, is computed in a thread of its own,
    up to a chunk behind: meanwhile the next one is read and written.
    """

    def __init__(self) -> None:
        self._first, self._second, self.size = sha256(), blake2b(digest_size=32), 0
        self._aside: ThreadPoolExecutor | None = None
        self._behind: Future[None] | None = None

    def take(self, chunk: bytes) -> None:
        """Count and hash a chunk."""
        self.size += len(chunk)
        if self._behind is not None:
            self._behind.result()
            self._behind = None
        if self.size < LONG or len(chunk) < CHUNK // 4:
            self._first.update(chunk)
            self._second.update(chunk)
            return
        if self._aside is None:
            self._aside = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._behind = self._aside.submit(self._second.update, chunk)
        self._first.update(chunk)

    def evidence(self) -> Evidence:
        """What passed so far, as evidence."""
        if self._aside is not None:
            self._aside.shutdown()
            self._aside = self._behind = None
        return Evidence(self._first.hexdigest(), self.size, self._second.hexdigest())


def chunks(stream: Readable) -> Iterator[bytes]:
    """The chunks of a source. Raises `Unreadable` when it breaks."""
    while chunk := guarded(lambda: stream.read(CHUNK)):
        yield chunk


def guarded(read: Callable[[], bytes]) -> bytes:
    """What `read` gives. Raises `Unreadable` when the source breaks."""
    try:
        return read()
    except OSError as error:
        raise Unreadable(
            f"The source cannot be read to its end: {error.strerror or error}.",
            "Check the medium, then add it again; what was read so far was not kept.",
        ) from error


def write(source: Iterable[bytes], path: Path, watch: Watch = unwatched) -> Evidence:
    """Write chunks to a new read-only file at `path` and say what they are."""
    with path.open("xb", buffering=0) as file:
        return fill(file, source, watch)


def fill(file: FileIO, source: Iterable[bytes], watch: Watch = unwatched) -> Evidence:
    """Write chunks to a new file, make it read-only and say what they are."""
    meter = Meter()
    with Flushing(file.fileno()) as disk:
        for chunk in source:
            meter.take(chunk)
            if sparse.put(file, chunk):
                disk.wrote(len(chunk))
            watch(len(chunk))
        return finished(file, meter, disk)


def finished(file: FileIO, meter: Meter, disk: Flushing) -> Evidence:
    """Make a file that has all its bytes as long as they are, read-only and, if large, durable."""
    if os.fstat(file.fileno()).st_size != meter.size:
        file.truncate(meter.size)
    os.fchmod(file.fileno(), 0o444)
    if meter.size >= DURABLE_ALONE:
        disk.finish()
    return meter.evidence()


def private(folder: Path) -> Path:
    """The path of a new file that nobody else uses, and that a crash does not leave for long."""
    return folder / named(token_hex(8))


def fetched(source: Iterable[bytes], folder: Path, evidence: str) -> BinaryIO:
    """A private file of the chunks, which are hashed while they come in.

    Raises `Tampered` when they are not the evidence of that id, and `Storage` when the disk is
    full; in both cases nothing stays.
    """
    path = private(folder)
    try:
        found = write(source, path)
        if found.id != evidence:
            raise altered(evidence, found.id)
        return path.open("rb")
    except OSError as error:
        raise refused(folder, error) from error
    finally:
        path.unlink(missing_ok=True)


def measured(source: Iterable[bytes], watch: Watch = unwatched) -> Evidence:
    """What the chunks are."""
    meter = Meter()
    for chunk in source:
        meter.take(chunk)
        watch(len(chunk))
    return meter.evidence()


def altered(evidence: str, found: str) -> Tampered:
    """The error of stored bytes that are not what was taken in."""
    return Tampered(
        f"The stored bytes of evidence {evidence[:16]}… were changed: "
        f"the bytes now hash to {found}.",
        "Restore the bytes from a copy; the ledger keeps this failure.",
    )


class Reread:
    """A spooled file read once more, on its way into a store: hashed while it moves.

    The last read raises `Tampered` when the file is not what was written, so that a store which
    finishes only what was read to its end never keeps other bytes.
    """

    def __init__(self, path: Path, content: Content, watch: Watch = unwatched) -> None:
        self._file, self._path = path.open("rb"), path
        self._content, self._watch = content, watch
        self._hash, self.read_bytes = sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, or none at the end."""
        chunk = self._file.read(size)
        self._hash.update(chunk)
        self.read_bytes += len(chunk)
        self._watch(len(chunk))
        over = not chunk or self.read_bytes >= self._content.size
        if over and (
            self.read_bytes != self._content.size or self._hash.hexdigest() != self._content.sha256
        ):
            raise Tampered(
                f"The spooled file {self._path.name} changed on its way into the store.",
                "Check the disk that LOCARD_HOME is on; nothing was stored.",
            )
        return chunk

    def tell(self) -> int:
        """How much was read so far."""
        return self.read_bytes

    def __enter__(self) -> "Reread":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
