"""A seccomp filter that makes some system calls fail for this process, for good.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import platform
import struct
from typing import Final

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_OFFSET, ARCHITECTURE_OFFSET = 0, 4
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
FIRST_X32_CALL: Final = 0x40000000
"""From here on x86-64 counts its calls a second time."""

ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FORBIDDEN: Final = {
    "socket": {"x86_64": 41, "aarch64": 198},
    "execve": {"x86_64": 59, "aarch64": 221},
    "execveat": {"x86_64": 322, "aarch64": 281},
    "kill": {"x86_64": 62, "aarch64": 129},
    "ptrace": {"x86_64": 101, "aarch64": 117},
    "process_vm_readv": {"x86_64": 310, "aarch64": 270},
    "process_vm_writev": {"x86_64": 311, "aarch64": 271},
    "unshare": {"x86_64": 272, "aarch64": 97},
    "mount": {"x86_64": 165, "aarch64": 40},
    "keyctl": {"x86_64": 250, "aarch64": 219},
    "bpf": {"x86_64": 321, "aarch64": 280},
    "perf_event_open": {"x86_64": 298, "aarch64": 241},
    "io_uring_setup": {"x86_64": 425, "aarch64": 425},
    "pidfd_send_signal": {"x86_64": 424, "aarch64": 424},
}
"""What would reach beyond this process: sockets (connecting to a Unix socket is no matter of files to Landlock), other
programs, other processes, the kernel's inside."""


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def forbid() -> bool:
    """From now on the FORBIDDEN calls fail with EPERM in this thread and its children; whether the kernel could do it."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    instructions = _instructions(ARCHITECTURES[machine], sorted(it[machine] for it in FORBIDDEN.values()))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = _Program(len(instructions), b"".join(struct.pack("=HBBI", *it) for it in instructions))
    return libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) == 0


def _instructions(architecture: int, numbers: list[int]) -> list[tuple[int, int, int, int]]:
    """Berkeley packet filter: operation, how far to jump if true, if false, operand."""
    count = len(numbers)
    checks = [(JUMP_IF_EQUAL, count - index, 0, number) for index, number in enumerate(numbers)]
    return [
        (LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET),
        (JUMP_IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD_WORD, 0, 0, NUMBER_OFFSET),
        (JUMP_IF_AT_LEAST, count + 1, 0, FIRST_X32_CALL),
        *checks,
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, FAIL | errno.EPERM),
    ]
