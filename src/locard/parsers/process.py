# SPDX-License-Identifier: Apache-2.0
"""One worker process as its parent holds it: started, spoken with, watched, ended."""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

import msgspec
import pyarrow as pa

from locard.model.errors import Error
from locard.parsers.confinement import Confinement
from locard.parsers.contract import Limits
from locard.parsers.frames import (
    BATCH,
    BATCH_MOST,
    BYTES,
    BYTES_MOST,
    HEAD,
    JSON,
    JSON_MOST,
    Hello,
    Order,
)
from locard.parsers.wire import send_order

START_SECONDS = 60.0
END_SECONDS = 2.0
_MOST = {JSON: JSON_MOST, BATCH: BATCH_MOST, BYTES: BYTES_MOST}
_SOCKET_BUFFER = 1 << 20
_KEPT = ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT")
"""All that a worker is given of the environment: cloud credentials live there."""


def unserved() -> float:
    """Seconds for which a worker waited for us when there is nothing that it could wait for."""
    return 0.0


class WorkerLost(Error):
    """The worker died, hung, or broke the rules; `message` says which."""


class Process:
    """A running worker."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        connection: socket.socket,
        folder: Path,
        said: IO[bytes],
    ) -> None:
        self._child = child
        self._socket = connection
        self._folder = folder
        self._said = said
        self.confinement = Confinement()

    @classmethod
    def start(cls, scratch: Path, limits: Limits, more: Sequence[Path]) -> Self:
        """Start a worker; it is of use once it was greeted."""
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=scratch))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for end in (ours, theirs):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER)
        said = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  (lives as long as the worker)
        command = [sys.executable, "-P", "-m", "locard.parsers.worker", str(theirs.fileno())]
        with theirs:
            child = subprocess.Popen(
                [*command, str(folder), str(limits.memory_bytes), *map(str, more)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                pass_fds=[theirs.fileno()],
                env=_environment(folder),
                start_new_session=True,
            )
        return cls(child, ours, folder, said)

    def is_alive(self) -> bool:
        """Whether the worker still runs."""
        return self._child.poll() is None

    def send(self, order: Order, fds: Sequence[int]) -> None:
        """Hand over a task."""
        try:
            send_order(self._socket, order, fds)
        except OSError:
            raise self._lost() from None

    def receive(
        self, waited: float, limits: Limits, served: Callable[[], float] = unserved
    ) -> tuple[bytes, memoryview, float]:
        """Kind and payload of the next frame, and the seconds it took.

        `waited` seconds of the task's time are gone already; those for which the worker waits for
        us, in all so far `served()`, are not the worker's. Raises `WorkerLost` and kills the worker
        when it dies, or when time is up.
        """
        began = clock.monotonic() - served()

        def until() -> float:
            return began + served() + min(limits.idle_seconds, limits.seconds - waited)

        kind, length = HEAD.unpack(self._exactly(HEAD.size, until, limits))
        most = _MOST.get(kind)
        if most is None or length > most:
            raise self.distrust("a frame that is too large or of unknown kind")
        payload = self._exactly(length, until, limits)
        return kind, payload, clock.monotonic() - served() - began

    def distrust(self, why: str) -> WorkerLost:
        """Kill a worker that does not keep the rules; the error to raise."""
        self.kill()
        return WorkerLost(f"The parsing worker was ended because it sent {why}.")

    def end(self) -> None:
        """End the worker; whoever waits for it finds it lost, and cleans up."""
        if self._child.poll() is None:
            self._child.kill()

    def retire(self) -> None:
        """Let the worker end by itself; kill it when it does not."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the worker now and remove its folder."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        self._socket.close()
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def greet(self) -> None:
        """Wait until it is confined. Raises `WorkerLost` when it cannot."""
        limits = Limits(seconds=START_SECONDS, idle_seconds=START_SECONDS)
        try:
            _, payload, _ = self.receive(0.0, limits)
            self.confinement = msgspec.json.decode(payload, type=Hello).confinement
        except msgspec.DecodeError as error:
            raise self.distrust(f"a greeting that cannot be read ({error})") from None

    def _exactly(self, count: int, until: Callable[[], float], limits: Limits) -> memoryview:
        # Memory of the system's allocator is not emptied before use, and kept after it: pages that
        # the kernel hands out anew cost more than what is written into them.
        whole = view = memoryview(pa.allocate_buffer(count, memory_pool=pa.system_memory_pool()))
        while view:
            try:
                got = self._socket.recv_into(view, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait(until, limits)
                continue
            except OSError:
                got = 0
            if not got:
                raise self._lost()
            view = view[got:]
        return whole

    def _wait(self, until: Callable[[], float], limits: Limits) -> None:
        left = until() - clock.monotonic()
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if left > 0 and poll.poll(left * 1000):
            return
        if clock.monotonic() < until():
            return
        self.kill()
        raise WorkerLost(
            f"The parsing worker was ended: no progress for {limits.idle_seconds:g} seconds, "
            f"or more than {limits.seconds:g} seconds for one file.",
            "Raise the limit 'seconds' or 'idle_seconds' if the file is only large.",
        )

    def _lost(self) -> WorkerLost:
        """The error for a worker that is gone, with what is known of its end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(END_SECONDS)
        status = self._child.poll()
        said = self._last_words()
        self.kill()
        return WorkerLost(f"The parsing worker {_end(status)}{': ' + said if said else ''}.")

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            end = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(end - 2000, 0))
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        return ""


def _end(status: int | None) -> str:
    if status is None:
        return "closed its connection"
    if status >= 0:
        return f"ended by itself (status {status})"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "was killed (SIGKILL: out of memory, or by someone)"
    if name == "SIGSYS":
        return "was killed for a system call that it may not make (SIGSYS)"
    return f"crashed ({name})"


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PATH": "/nonexistent",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "MALLOC_ARENA_MAX": "2",
        # What a batch gave back serves the next one: pages that the kernel hands out anew cost more
        # than what is written into them.
        "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
