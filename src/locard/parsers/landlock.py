# SPDX-License-Identifier: Apache-2.0
"""Landlock: a process gives up the file system and TCP, for itself and for good.

Through bare system calls, because no kept-up wheel wraps them and there are but three. Numbers and
structures: linux/landlock.h; the numbers of the calls are the same on every architecture.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_CHAR, _MAKE_DIR, _MAKE_REG = (1 << bit for bit in range(4, 9))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FIRST = (1 << 13) - 1
"""What the first version handles."""

READ = READ_FILE | READ_DIR
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
_SCRATCH = READ | WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE

_TCP = 0b11
HOLDS_TCP = 4
"""The first version that keeps a process off TCP."""
_SCOPES = 0b11
"""Abstract Unix sockets and signals of processes outside."""


class Refused(OSError):
    """The kernel does not give what was asked."""


def version() -> int:
    """The version of Landlock that this kernel speaks; 0 for none."""
    return max(int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)), 0)


def restrict(readable: Iterable[Path], writable: Iterable[Path], scratch: Path) -> int:
    """From now on this process may read below `readable` and work below `scratch`, no more.

    Returns the version in force. `writable` names devices such as /dev/null. Paths that do not
    exist are left out. Raises `Refused` when the kernel has no Landlock.
    """
    spoken = version()
    if not spoken:
        raise Refused("the kernel has no Landlock, or it is switched off")
    handled = _FIRST
    handled |= _REFER if spoken >= 2 else 0
    handled |= _TRUNCATE if spoken >= 3 else 0
    handled |= _IOCTL_DEV if spoken >= 5 else 0
    attribute = struct.pack(
        "=QQQ", handled, _TCP if spoken >= HOLDS_TCP else 0, _SCOPES if spoken >= 6 else 0
    )
    size = 24 if spoken >= 6 else 16 if spoken >= HOLDS_TCP else 8
    libc = _libc()
    ruleset = libc.syscall(_CREATE, attribute, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        raise _error("create a ruleset")
    try:
        for path in readable:
            _allow(libc, ruleset, path, READ & handled)
        for path in writable:
            _allow(libc, ruleset, path, (READ_FILE | WRITE_FILE) & handled)
        _allow(libc, ruleset, scratch, _SCRATCH & handled)
        if libc.syscall(_RESTRICT, ruleset, 0):
            raise _error("restrict the process")
    finally:
        os.close(ruleset)
    return spoken


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            access &= _OF_FILES
        rule = struct.pack("=Qi", access, fd)
        if libc.syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0):
            raise _error(f"allow {path}")
    finally:
        os.close(fd)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _error(what: str) -> Refused:
    number = ctypes.get_errno()
    return Refused(number, f"Landlock did not {what}: {os.strerror(number)}")
