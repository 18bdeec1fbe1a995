"""Landlock: the Linux security module by which a process gives up access to files for itself.

Source: https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System call numbers, the same on every architecture."""
RULESET_VERSION: Final = 1
RULE_PATH_BENEATH: Final = 1
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
FILE_RIGHTS_BY_VERSION: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_RIGHTS: Final = 0b11
"""Binding and connecting TCP sockets; from version 4."""
SCOPES: Final = 0b11
"""Abstract Unix sockets and signals of other processes; from version 6."""
PR_SET_NO_NEW_PRIVS: Final = 38

_libc: Final = ctypes.CDLL(None, use_errno=True)


def allow_reading(paths: Iterable[Path]) -> bool:
    """From now on this thread may do nothing to files but read and load `paths`; whether the kernel could do it."""
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = _libc.syscall(CREATE_RULESET, None, 0, RULESET_VERSION)
    if version < 1:
        return False
    rights = FILE_RIGHTS_BY_VERSION[min(version, max(FILE_RIGHTS_BY_VERSION))]
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", rights, NETWORK_RIGHTS, SCOPES)[:size]
    ruleset = _libc.syscall(CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for path in paths:
            _allow(ruleset, path)
        return _libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path) -> None:
    if not path.exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = EXECUTE | READ_FILE | READ_DIR if path.is_dir() else READ_FILE
        _libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)
