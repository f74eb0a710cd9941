# SPDX-License-Identifier: Apache-2.0
"""A parser that has been taken over: it tries what the first word of the evidence names."""

import ctypes
import fcntl
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import SCHEMA, Rows

Try = Callable[[str, Opened, Context], object]


def recognise(head: Head) -> Match:
    return Match(90, "a probe") if head.first.startswith(b"probe ") else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    _, what, argument = (opened.whole(4096) or b"").decode().strip().split(" ", 2)
    rows.row(message="begun", locator="0")
    if what == "lie":
        lie(argument, rows)
        return
    if what == "die":
        rows.close()
        os.kill(os.getpid(), getattr(signal, argument))
    if what == "raise":
        raise RuntimeError(argument)
    try:
        outcome = f"done: {TRIES[what](argument, opened, context)}"
    except OSError as error:
        outcome = f"refused: {type(error).__name__} {error.errno}"
    rows.row(message=outcome, locator="1")


def lie(what: str, rows: Rows) -> None:
    """Hand over what an honest parser never would."""
    rows.close()
    columns = {name: pa.array([""]) for name in SCHEMA.names}
    if what == "evidence":
        rows.evidence = "0" * 64
        rows.row(message="mine", locator="2")
    elif what == "utf8":
        broken = pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
        )
        rows.columns(1, {"locator": ["2"], "message": broken})
    elif what == "null":
        rows.columns(1, {"locator": ["2"], "message": [None]})
    elif what == "schema":
        rows.sink(pa.RecordBatch.from_pydict(dict(list(columns.items())[:4])))
    elif what == "compressed":
        rows.row(message="x" * 100_000, locator="2")
        original = rows.sink
        options = pa.ipc.IpcWriteOptions(compression="zstd")

        class Squeezed:
            def __init__(self, batch: pa.RecordBatch) -> None:
                self.batch, self.num_rows, self.nbytes = batch, batch.num_rows, 10

            def serialize(self) -> pa.Buffer:
                return squeeze(self.batch)

        def squeeze(batch: pa.RecordBatch) -> pa.Buffer:
            out = pa.BufferOutputStream()
            with pa.ipc.new_stream(out, batch.schema, options=options) as writer:
                writer.write_batch(batch)
            reader = pa.ipc.MessageReader.open_stream(out.getvalue())
            reader.read_next_message()
            return reader.read_next_message().serialize()

        rows.sink = lambda batch: original(Squeezed(batch))  # type: ignore[arg-type]
    rows.close()


def grow(argument: str, opened: Opened, context: Context) -> object:
    return len([bytearray(b"x" * (16 << 20)) for _ in range(int(argument))])


def connect(argument: str, opened: Opened, context: Context) -> object:
    host, port = argument.split(":")
    return socket.create_connection((host, int(port)), 2)


def fork(argument: str, opened: Opened, context: Context) -> object:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return child


def system_call(argument: str, opened: Opened, context: Context) -> object:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*(int(number) for number in argument.split())) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "it went through"


def evidence_fd(change: Callable[[int], object]) -> Try:
    def attempt(argument: str, opened: Opened, context: Context) -> object:
        return change(opened.seekable().raw._source._fd)  # type: ignore[attr-defined]

    return attempt


def thread(argument: str, opened: Opened, context: Context) -> object:
    found: list[object] = []

    def inside() -> None:
        try:
            found.append(Path("/etc/passwd").read_text())
        except OSError as error:
            found.append(type(error).__name__)

    one = threading.Thread(target=inside)
    one.start()
    one.join()
    return found[0]


def scratch(argument: str, opened: Opened, context: Context) -> object:
    assert context.scratch is not None
    before = sorted(path.name for path in context.scratch.iterdir())
    (context.scratch / "deep").mkdir()
    (context.scratch / "deep" / "file").write_text(argument)
    return before, (context.scratch / "deep" / "file").read_text()


TRIES: dict[str, Try] = {
    "read": lambda a, o, c: Path(a).read_bytes()[:10],
    "list": lambda a, o, c: list(Path(a).iterdir()),
    "write": lambda a, o, c: Path(a).write_text("x"),
    "remove": lambda a, o, c: Path(a).unlink(),
    "chmod": lambda a, o, c: Path(a).chmod(0o777),
    "socket": lambda a, o, c: socket.socket(getattr(socket, a)),
    "pair": lambda a, o, c: socket.socketpair(),
    "connect": connect,
    "exec": lambda a, o, c: subprocess.run([a], check=False),
    "fork": fork,
    "kill": lambda a, o, c: os.kill(int(a), signal.SIGKILL),
    "ptrace": lambda a, o, c: system_call(f"101 16 {a} 0 0", o, c),
    "syscall": system_call,
    "unlimit": lambda a, o, c: resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40)),
    "grow": grow,
    "sleep": lambda a, o, c: time.sleep(float(a)),
    "environment": lambda a, o, c: sorted(os.environ),
    "evidence-write": evidence_fd(lambda fd: os.write(fd, b"x")),
    "evidence-chmod": evidence_fd(lambda fd: os.fchmod(fd, 0o666)),
    "evidence-time": evidence_fd(lambda fd: os.utime(fd, (0, 0))),
    "evidence-flags": evidence_fd(lambda fd: fcntl.ioctl(fd, 0x40086602, b"\0" * 8)),
    "thread": thread,
    "scratch": scratch,
}
