# SPDX-License-Identifier: Apache-2.0
"""Files in which runs of zeros are holes, so that sparse images stay sparse."""

import errno
import os
from hashlib import sha256
from io import FileIO

CHUNK = 1 << 20
_ZEROS = bytes(CHUNK)


def blank(chunk: bytes) -> bool:
    """Whether it is a whole chunk of zeros, which becomes a hole."""
    return len(chunk) == CHUNK and chunk == _ZEROS


def zeros(chunk: bytes) -> bool:
    """Whether there is nothing but zeros in at most a chunk."""
    return _ZEROS.startswith(chunk)


def is_hole(descriptor: int, at: int, count: int) -> bool:
    """Whether nothing was ever written there, as the file system of a file of ours says.

    Reading a hole to see its zeros takes longer than hashing them.
    """
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA) >= at + count
    except OSError as error:
        if error.errno == errno.ENXIO:
            return True
        raise


def put(file: FileIO, chunk: bytes) -> bool:
    """Write a chunk where the file stands, or pass over it when it is blank; whether it wrote."""
    if blank(chunk):
        file.seek(CHUNK, os.SEEK_CUR)
        return False
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]
    return True


def copy(source: FileIO, target: FileIO) -> str:
    """Copy a file from where both stand to its end; SHA-256 of what was copied."""
    digest = sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        put(target, chunk)
    target.truncate()
    return digest.hexdigest()
