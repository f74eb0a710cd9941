# SPDX-License-Identifier: Apache-2.0
"""The store process, `python -m locard.timeline.serve FOLDER`: owns chDB's folder and answers.

It holds an exclusive lock on the folder, writes `store.json` (mode 0600: port, secret, process,
version of the tables, and which file it locked), and ends by itself when nobody asked anything for
`IDLE_SECONDS`. Exit status: 0 ended, 3 another process owns the folder, 4 the folder cannot be used
(the reason is the last line of `store.log`).
"""

import fcntl
import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from locard.timeline import schema
from locard.timeline.process import OWNED, UNUSABLE, identity

IDLE_SECONDS = 15 * 60.0
_LOCK_SECONDS = 20.0
"""For how long a new process waits for one that is just ending."""
_END_SECONDS = 15.0
"""For how long running requests are waited for when the process is asked to end."""


def main(folder: Path, idle_seconds: float = IDLE_SECONDS) -> int:
    """Serve until idle or told to end; returns the exit status."""
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
        if not _take(lock.fileno(), folder):
            return OWNED
        return _serve(folder, idle_seconds)
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename or folder}", file=sys.stderr)
        return UNUSABLE


def _take(lock: int, folder: Path) -> bool:
    """Take the lock, or say that somebody who answers has it."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if (folder / "store.json").exists() or time.monotonic() > until:
                return False
            time.sleep(0.05)


def _serve(folder: Path, idle_seconds: float) -> int:
    # Imported here, since loading the engine takes most of a second and the lock comes first.
    from locard.timeline.engine import Engine, EngineError
    from locard.timeline.protocol import StoreServer

    told = folder / "store.json"
    told.unlink(missing_ok=True)
    try:
        engine = Engine(folder / "chdb")
    except (EngineError, RuntimeError) as error:
        print(str(error).splitlines()[0][:500], file=sys.stderr)
        return UNUSABLE
    secret = secrets.token_urlsafe(32)
    server = StoreServer(engine, secret)
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    _tell(
        told,
        {
            "port": server.port, "secret": secret, "pid": os.getpid(), "version": schema.VERSION,
            "lock": identity(folder / "lock"),
        },
    )  # fmt: skip
    while not ending.wait(min(1.0, idle_seconds / 4)) and server.idle_seconds < idle_seconds:
        if not told.exists():
            break  # the folder was removed: nobody finds this store any more
    told.unlink(missing_ok=True)
    server.shutdown()
    until = time.monotonic() + _END_SECONDS
    while server.busy and time.monotonic() < until:
        time.sleep(0.02)
    engine.close()
    return 0


def _tell(path: Path, content: dict[str, object]) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m locard.timeline.serve FOLDER [IDLE_SECONDS]")
    sys.exit(main(Path(sys.argv[1]), *map(float, sys.argv[2:])))
