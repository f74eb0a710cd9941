# SPDX-License-Identifier: Apache-2.0
"""The file of entries in stretches, examined by as many processes as there are cores.

The processes are this module run by itself (`python -m locard_verify.stretches`), so that a server
with threads need not fork, and nothing of the program that asked is loaded again.
"""

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import BinaryIO

from locard_verify.examine import Stretch, examine
from locard_verify.keys import Key, read_key

STRETCH = 8 << 20
"""Bytes that one process takes at a time."""
ALONE = 4 << 20
"""A file up to this size is examined in this process: others would take longer to start."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stretches(path: Path, whole: int, size: int = STRETCH) -> list[tuple[int, int]]:
    """Where the stretches of the file begin and end, each after the end of a line."""
    found: list[tuple[int, int]] = []
    start = 0
    with path.open("rb") as file:
        while start < whole:
            file.seek(min(start + size, whole) - 1)
            file.readline()
            end = min(file.tell(), whole)
            found.append((start, end))
            start = end
    return found


def examined(
    path: Path,
    keys: Sequence[Key],
    whole: int,
    processes: int,
    progress: Callable[[int, int], None],
) -> list[Stretch]:
    """All stretches of the first `whole` bytes. `progress` is told bytes done and in all."""
    places = stretches(path, whole)
    done, counting = 0, Lock()

    def told(place: tuple[int, int]) -> None:
        nonlocal done
        with counting:
            done += place[1] - place[0]
            progress(done, whole)

    if processes < 2 or whole <= ALONE:
        known = {key.keyid: key for key in keys}
        found = []
        for place in places:
            found.append(examine(path, *place, known))
            told(place)
        return found
    todo: SimpleQueue[int | None] = SimpleQueue()
    for number in [*range(len(places)), *[None] * processes]:
        todo.put(number)
    results: dict[int, Stretch] = {}

    def drive() -> None:
        with _process(path, keys) as child:
            assert child.stdin is not None and child.stdout is not None
            while (number := todo.get()) is not None:
                child.stdin.write(struct.pack("<QQ", *places[number]))
                child.stdin.flush()
                results[number] = pickle.load(child.stdout)  # noqa: S301 (our own process)
                told(places[number])
            child.stdin.close()

    with ThreadPoolExecutor(min(processes, len(places))) as threads:
        for future in [threads.submit(drive) for _ in range(min(processes, len(places)))]:
            future.result()
    return [results[number] for number in range(len(places))]


def _process(path: Path, keys: Sequence[Key]) -> "subprocess.Popen[bytes]":
    vkeys = "\n".join(key.vkey for key in keys)
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(path), vkeys],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
    )


def _asked(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    while len(place := stream.read(16)) == 16:
        yield struct.unpack("<QQ", place)


def serve(path: Path, vkeys: str) -> None:
    """Examine the stretches that standard input names, one after the other."""
    keys = {key.keyid: key for key in map(read_key, vkeys.splitlines())}
    for start, end in _asked(sys.stdin.buffer):
        pickle.dump(examine(path, start, end, keys), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
