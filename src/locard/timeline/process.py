# SPDX-License-Identifier: Apache-2.0
"""The store process as others start it, and as it says how it ended."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from locard.model.errors import Storage

OWNED, UNUSABLE = 3, 4
"""Exit status of a store process: another one owns the folder; the folder cannot be used."""

KEPT = {
    "JE_MALLOC_CONF": "dirty_decay_ms:10000,muzzy_decay_ms:10000",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Of the environment of the store process: for how long its engine keeps memory that it let go.

The next batch comes soon, and pages that the kernel hands out anew are a fifth of its work. And
numpy, which the engine loads, starts no threads of its own."""


_begun: dict[Path, "subprocess.Popen[bytes]"] = {}


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Have the store process of the folder start, unless it runs, and do not wait for it.

    Starting takes a second, in which a command that will need the store loads its code. A process
    that nobody asked for by the end, because the command was a mistake, is ended.
    """
    folder = folder.absolute()
    if not (folder / "store.json").exists():
        with suppress(Storage):  # whoever needs the store hears why there is none
            _begun[folder] = start(folder)
    try:
        yield
    finally:
        process = begun(folder)
        if process is not None:
            process.terminate()


def begun(folder: Path) -> "subprocess.Popen[bytes] | None":
    """What `starting` started for the folder, told once."""
    return _begun.pop(folder, None)


def identity(lock: Path) -> list[int]:
    """Which file a lock is: that of a copied folder is another one, whatever stands beside it."""
    found = lock.stat()
    return [found.st_dev, found.st_ino]


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a store process for the folder. Raises `Storage` where it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "store.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "locard.timeline.serve", str(folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=folder, env={**KEPT, **os.environ},
            )  # fmt: skip
        # It outlives us; when it ends first, it leaves no zombie.
        threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()
        return process
    except OSError as error:
        raise Storage(
            f"The timeline store cannot use {folder}: {error.strerror}.",
            "Free space or make the folder writable, and try again.",
        ) from error
