"""What is taken away from a process before it opens a stranger's file: files, network, processes, memory, time.

Several layers, each by itself enough against most: limits of the kernel (setrlimit), a filter of system calls
(seccomp), and namespaces without a network where the kernel lets an ordinary user make them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass

NOBODY = 65534
"""The user that a gateway started as root opens files as."""

STACK = 8 * 1024 * 1024
"""Bytes of stack; C code that recurses deeper has lost its way."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_PR_SET_CHILD_SUBREAPER = 36
_SECCOMP_MODE_FILTER = 2
_NEW_USER, _NEW_NET, _NEW_IPC, _NEW_UTS = 0x10000000, 0x40000000, 0x08000000, 0x04000000

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000  # x86_64's second table of system calls
_PROT_EXEC = 4

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "recvfrom": (45, 207),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "ppoll": (271, 73),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
"""Numbers on x86_64 and aarch64 of what a reader needs: what is open already, memory, time and its own end."""

_MMAP, _MPROTECT, _SENDTO, _TGKILL = (9, 222), (10, 226), (44, 206), (234, 131)

_TOOL_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "socketpair": (53, 199),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kill": (62, 129),
    "tkill": (200, 130),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "userfaultfd": (323, 282),
    "creat": (85, None),
    "unlink": (87, None),
    "rename": (82, None),
    "mkdir": (83, None),
    "link": (86, None),
    "symlink": (88, None),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdirat": (258, 34),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchownat": (260, 54),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
}
"""What a program for recognition is refused besides opening files to write; it may start, and read its own files."""

_OPENAT, _OPEN = (257, 56), (2, None)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Strength:
    """What holds a reader on this machine: `seccomp` and `namespace` (a network of its own, with nothing in it)."""

    seccomp: bool
    namespace: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """For one process: `memory` in bytes beyond what it had, `seconds` of the processor."""

    memory: int
    seconds: float


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends. A change of user undoes it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def leave_network() -> bool:
    """Give up root, new privileges, and the network where that is possible; True for the last. For the warm process."""
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):  # a container's root that may not change its user
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    _prctl(_PR_SET_DUMPABLE, 0)
    die_with_parent()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what a killed child leaves behind is ours to reap
    return bool(_libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC | _NEW_UTS) == 0)


def seccomp_works() -> bool:
    """True if this kernel takes our filter; tried in a process that ends at once."""
    pid = os.fork()
    if pid == 0:
        try:
            _install(_reader_filter())
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def confine_reader(bounds: Bounds, held: int, *, seccomp: bool) -> None:
    """For a process that reads: nothing can be opened or started any more. `held` is its address space in bytes."""
    die_with_parent()
    _limit(bounds, held)
    # Nothing new can be opened, whatever the kernel knows of filters: each descriptor would have a number too high.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if seccomp:
        _install(_reader_filter())


def confine_tool(bounds: Bounds, held: int, *, seccomp: bool) -> None:
    """For a process that becomes another program (recognition of pictures): no network, and no file is written."""
    die_with_parent()
    _limit(bounds, held)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if seccomp:
        _install(_tool_filter())


def address_space() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _limit(bounds: Bounds, held: int) -> None:
    space = held + bounds.memory
    seconds = max(1, round(bounds.seconds + 0.5))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # a lower hard limit is as good
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def _argument(number: int, *, high: bool = False) -> bytes:
    return _step(_LOAD, _ARGUMENTS + 8 * number + (4 if high else 0))


def _head(architecture: int) -> list[bytes]:
    return [
        _step(_LOAD, _ARCHITECTURE),
        _step(_JUMP_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_JUMP_GREATER_OR_EQUAL, _X32, 0, 1),
        _step(_RETURN, _KILL),
    ]


def _case(number: int | None, *body: bytes) -> list[bytes]:
    """Do `body`, which ends in a return, if this system call was made."""
    return [] if number is None else [_step(_JUMP_EQUAL, number, 0, len(body)), *body]


def _reader_filter() -> list[bytes]:
    architecture, column = _here()
    allow, refuse = _step(_RETURN, _ALLOW), _step(_RETURN, _REFUSE | errno.EPERM)
    steps = _head(architecture)
    for numbers in _ALLOWED.values():
        steps += _case(numbers[column], allow)
    for numbers in (_MMAP, _MPROTECT):
        steps += _case(numbers[column], _argument(2), _step(_JUMP_SET, _PROT_EXEC, 1, 0), allow, refuse)
    # To the other end of what is connected already, not to an address.
    to_nobody = (_argument(4), _step(_JUMP_EQUAL, 0, 0, 3), _argument(4, high=True), _step(_JUMP_EQUAL, 0, 0, 1))
    steps += _case(_SENDTO[column], *to_nobody, allow, refuse)
    steps += _case(_TGKILL[column], _argument(0), _step(_JUMP_EQUAL, os.getpid(), 0, 1), allow, refuse)
    return [*steps, refuse]


def _tool_filter() -> list[bytes]:
    architecture, column = _here()
    allow, refuse = _step(_RETURN, _ALLOW), _step(_RETURN, _REFUSE | errno.EPERM)
    steps = _head(architecture)
    for numbers in _TOOL_REFUSED.values():
        steps += _case(numbers[column], refuse)
    for numbers, flags in ((_OPEN, 1), (_OPENAT, 2)):
        steps += _case(numbers[column], _argument(flags), _step(_JUMP_SET, _WRITING, 0, 1), refuse, allow)
    return [*steps, allow]


def _here() -> tuple[int, int]:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter of system calls for {machine}")
    return _ARCHITECTURES[machine]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _install(steps: list[bytes]) -> None:
    """Put the filter in force for this process and its children, for ever. Raises OSError."""
    program = _Program(len(steps), b"".join(steps))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if _libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")
