"""Takes rights away from this process, for good, before it looks into a file of unknown origin (Linux).

Limits on memory, processor time, open files and written bytes hold everywhere; Landlock (kernel 5.13 and newer) leaves it the
reading of the file and of what Python and onnxruntime need, and no network. Where the kernel has no Landlock, what remains is
that the process holds no secrets in its environment, can write next to nothing, and is killed when its time is up.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PR_SET_NO_NEW_PRIVS: Final = 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System call numbers, the same on every architecture."""
RULESET_VERSION: Final = 1
RULE_PATH_BENEATH: Final = 1
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
FILE_RIGHTS_BY_VERSION: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_RIGHTS: Final = 0b11
"""Binding and connecting TCP sockets; from version 4."""
MAX_OPEN_FILES: Final = 64
MAX_WRITTEN_BYTES: Final = 1 << 20
"""For the answer, should standard output be a file."""

_libc: Final = ctypes.CDLL(None, use_errno=True)


def limit_resources(memory_bytes: int, timeout_s: float) -> None:
    """Bound address space and processor time, and what may be written; no core dumps."""
    seconds = max(1, int(timeout_s))
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        resource.setrlimit(kind, (limit, limit))


def confine(readable: Path) -> bool:
    """Allow nothing but reading `readable` and the runtime's own files; whether the kernel could do it."""
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = _libc.syscall(CREATE_RULESET, None, 0, RULESET_VERSION)
    if version < 1:
        return False
    rights = FILE_RIGHTS_BY_VERSION[min(version, max(FILE_RIGHTS_BY_VERSION))]
    attributes = struct.pack("QQ", rights, NETWORK_RIGHTS)[: 16 if version >= 4 else 8]
    ruleset = _libc.syscall(CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        _allow(ruleset, [readable], READ_FILE)
        _allow(ruleset, _runtime_folders(), EXECUTE | READ_FILE | READ_DIR)
        return _libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _runtime_folders() -> list[Path]:
    """Where Python, its packages and the system's libraries lie, and where onnxruntime reads what processor this is."""
    packages = [Path(it) for it in sys.path if it.endswith(("site-packages", "dist-packages"))]
    python = [Path(sys.base_prefix) / "lib", Path(sys.prefix) / "lib"]
    return [*packages, *python, *map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/proc", "/sys/devices/system/cpu"))]


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        if not path.exists():
            continue
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            allowed = rights if path.is_dir() else rights & (EXECUTE | READ_FILE)
            _libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", allowed, handle), 0)
        finally:
            os.close(handle)
