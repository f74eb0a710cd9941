# SPDX-License-Identifier: Apache-2.0
"""Seccomp: system calls that a parser has no business with are refused by the kernel.

A list of what is denied, not of what is allowed: libraries differ in what they call between
versions, and files are held by Landlock already. What is denied is every way to another process,
to the network, to the kernel's machinery, and to the evidence's own attributes (Landlock does not
hold `chmod`). The filter is classic BPF, assembled here; linux/seccomp.h, linux/filter.h.
"""

import ctypes
import errno
import os
import platform
import struct

_SET_MODE_FILTER = 1
_TSYNC = 1

_LOAD, _EQUAL, _GREATER, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _ARGS = 0, 4, 16
_X32 = 0x40000000

_CLONE_THREAD = 0x10000
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x80081272, 0x1260, 0x1268)
"""Terminal size and kind, bytes waiting, blocking, close-on-exec, size of a block device."""

_ARCHITECTURES = {"x86_64": (0xC000003E, 317, 0), "aarch64": (0xC00000B7, 277, 1)}
"""Audit number, number of `seccomp` itself, column in the table below."""

_DENIED: dict[str, tuple[int | None, int | None]] = {
    # network, and descriptors out of the process
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242), "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    # other programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130), "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # attributes of files, the evidence's among them
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "link": (86, None), "linkat": (265, 37),
    "mknod": (133, None), "mknodat": (259, 33), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428),
    "open_tree_attr": (467, 467), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # machinery of the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "personality": (135, 92), "vhangup": (153, 58), "syslog": (103, 116),
    "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180),
    # its own bounds and identity
    "setrlimit": (160, 164), "setpriority": (141, 140), "capset": (126, 91), "setuid": (105, 146),
    "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152),
}  # fmt: skip
_CLONE, _CLONE3 = (56, 220), (435, 435)
_KILL_CALL, _TGKILL = (62, 129), (234, 131)
_PRLIMIT, _IOCTL = (302, 261), (16, 29)


class Refused(OSError):
    """The kernel does not take the filter, or the architecture is not known here."""


def restrict() -> None:
    """From now on the denied system calls fail with EPERM in every thread of this process.

    `no_new_privs` must be set before. Raises `Refused`.
    """
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        raise Refused(f"no table of system calls for {platform.machine()}")
    audit, own, column = known
    program = assemble(audit, column, os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    libc = ctypes.CDLL(None, use_errno=True)
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    if libc.syscall(own, _SET_MODE_FILTER, _TSYNC, filter_):
        number = ctypes.get_errno()
        raise Refused(number, f"seccomp did not take the filter: {os.strerror(number)}")


def assemble(audit: int, column: int, pid: int) -> bytes:
    """The filter as BPF instructions for one architecture."""
    deny, absent, allow = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS, _ALLOW
    code = [
        _op(_LOAD, _ARCH), _op(_EQUAL, audit, 1, 0), _op(_RETURN, _KILL),
        _op(_LOAD, _NR), _op(_GREATER, _X32, 0, 1), _op(_RETURN, deny),
    ]  # fmt: skip
    for numbers in _DENIED.values():
        number = numbers[column]
        if number is not None:
            code += [_op(_EQUAL, number, 0, 1), _op(_RETURN, deny)]
    code += [_op(_EQUAL, _CLONE3[column], 0, 1), _op(_RETURN, absent)]
    # A thread may be made, a process not. glibc falls back from clone3 to clone.
    code += _case(_CLONE[column], [
        _op(_LOAD, _ARGS), _op(_BITS, _CLONE_THREAD, 1, 0), _op(_RETURN, deny), _op(_RETURN, allow),
    ])  # fmt: skip
    for call in (_KILL_CALL, _TGKILL):
        code += _case(call[column], [
            _op(_LOAD, _ARGS), _op(_EQUAL, pid, 1, 0), _op(_RETURN, deny), _op(_RETURN, allow),
        ])  # fmt: skip
    # prlimit64 may look (no new limit given) and not change.
    code += _case(_PRLIMIT[column], [
        _op(_LOAD, _ARGS + 16), _op(_EQUAL, 0, 1, 0), _op(_RETURN, deny),
        _op(_LOAD, _ARGS + 20), _op(_EQUAL, 0, 1, 0), _op(_RETURN, deny), _op(_RETURN, allow),
    ])  # fmt: skip
    allowed = [_op(_LOAD, _ARGS + 8)]
    for request in _IOCTLS:
        allowed += [_op(_EQUAL, request, 0, 1), _op(_RETURN, allow)]
    code += _case(_IOCTL[column], [*allowed, _op(_RETURN, deny)])
    code.append(_op(_RETURN, allow))
    return b"".join(code)


def _case(number: int, body: list[bytes]) -> list[bytes]:
    """`body`, which always returns, for one system call."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
