# SPDX-License-Identifier: Apache-2.0
"""The walls around a parsing worker, raised by the worker itself before it sees any evidence.

Evidence is written by attackers, and parsers have defects; a parser that is taken over must find
nothing: no network, no files but Python's own, no other process, no more memory than its share.
Where the kernel lacks a wall the worker goes on with the others, and says which one is missing.
Only the standard library is imported here (`worker.py` says why).
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from locard.parsers import landlock, seccomp
from locard.parsers.memory import Memory

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
_NEWUSER, _NEWNET, _NEWIPC = 0x10000000, 0x40000000, 0x08000000

OPEN_FILES = 4096
LARGEST_FILE = 16 << 30
"""Bytes of one scratch file."""
LIBRARIES = 1 << 30
"""Address space for code that is loaded later; memory itself is capped apart from it."""

_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store",
    "/usr/share/zoneinfo", "/usr/share/locale", "/etc/ld.so.cache", "/etc/localtime",
    "/dev/urandom", "/dev/random", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu",
)  # fmt: skip
_WRITABLE = (Path("/dev/null"),)


@dataclass(frozen=True, slots=True)
class Confinement:
    """Which walls stand around a worker; what the kernel lacks is empty, and `gaps` says so."""

    landlock: int = 0
    """Version of the kernel's Landlock that holds the file system; 0 for none."""
    network: tuple[str, ...] = ()
    """What keeps it off the network: `namespace`, `landlock`, `seccomp`."""
    seccomp: bool = False
    memory: bool = False
    capabilities: bool = False
    """Whether all privileges were given up."""
    gaps: tuple[str, ...] = ()
    """One sentence for each wall that could not be raised."""

    @property
    def whole(self) -> bool:
        """Whether files, network, system calls and memory are all held."""
        return bool(self.landlock and self.network and self.seccomp and self.memory)

    def describe(self) -> str:
        """One line for the command line and the page."""
        return "; ".join(
            (
                f"files: {f'Landlock {self.landlock}' if self.landlock else 'not confined'}",
                f"network: {', '.join(self.network) or 'not confined'}",
                f"system calls: {'seccomp' if self.seccomp else 'not confined'}",
                f"memory: {'capped' if self.memory else 'not capped'}",
            )
        )


def confine(
    scratch: Path, memory_bytes: int, more: Sequence[Path] = ()
) -> tuple[Confinement, Memory]:
    """Raise every wall there is around this process, for good.

    Returns what is in force, and a watch on memory. `more`
    names folders that may be read besides (a user's own parsers). Must be called while the process
    has one thread.
    """
    gaps: list[str] = []
    memory = Memory()
    capped = _bound(memory, memory_bytes, gaps)
    if sys.platform != "linux":
        gaps.append(f"{sys.platform} has neither Landlock nor seccomp; workers are not confined")
        return Confinement(memory=capped, gaps=tuple(gaps)), memory
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        gaps.append("the kernel does not know no_new_privs")
    network = ["namespace"] if _leave_network(libc, gaps) else []
    spoken, filtered = 0, False
    try:
        spoken = landlock.restrict([*_readable(), *more], _WRITABLE, scratch)
    except OSError as error:
        gaps.append(f"files are not confined: {error}")
    if spoken >= landlock.HOLDS_TCP:
        network.append("landlock")
    dropped = _drop_capabilities(libc, gaps)
    try:
        seccomp.restrict()
        filtered = True
        network.append("seccomp")
    except OSError as error:
        gaps.append(f"system calls are not confined: {error}")
    walls = Confinement(spoken, tuple(network), filtered, capped, dropped, tuple(gaps))
    return walls, memory


def _bound(memory: Memory, memory_bytes: int, gaps: list[str]) -> bool:
    """Limits of the process. RLIMIT_DATA counts private memory, which is what evidence inflates."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_DATA: memory.private + memory_bytes,
        resource.RLIMIT_AS: memory.mapped + memory_bytes + LIBRARIES,
    }
    whole = True
    for what, most in wanted.items():
        _, hard = resource.getrlimit(what)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (value, value))
        except (OSError, ValueError) as error:
            whole = False
            gaps.append(f"a limit of the process could not be set: {error}")
    return whole


def _leave_network(libc: ctypes.CDLL, gaps: list[str]) -> bool:
    """An empty network of one's own, where the kernel gives one."""
    if not libc.unshare(_NEWNET | _NEWIPC):
        return True
    if not libc.unshare(_NEWUSER | _NEWNET | _NEWIPC):
        return True
    number = ctypes.get_errno()
    gaps.append(f"no network namespace of its own: {os.strerror(number)}")
    return False


def _drop_capabilities(libc: ctypes.CDLL, gaps: list[str]) -> bool:
    """Give up every privilege, so that root inside is nobody."""
    number = _CAPSET.get(os.uname().machine)
    if number is None:
        gaps.append(f"privileges are kept: {os.uname().machine} is not known here")
        return False
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    if libc.syscall(number, header, bytes(24)):
        gaps.append(f"privileges are kept: {os.strerror(ctypes.get_errno())}")
        return False
    return True


def _readable() -> Iterator[Path]:
    """Where Python, its libraries and the system's are. Nothing of the user's."""
    for name in _SYSTEM:
        yield Path(name)
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        for part in ("lib", "lib64", "pyvenv.cfg"):
            yield Path(prefix) / part
    yield Path(os.__file__).parent
    for entry in sys.path:
        if entry and Path(entry).is_absolute() and entry != "/":
            yield Path(entry)
    for entry in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if entry and Path(entry).is_absolute() and entry != "/":
            yield Path(entry)
    yield Path(__file__).parents[1]
