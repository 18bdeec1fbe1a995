"""Takes rights away from this process, for good, before it looks into a file of unknown origin (Linux).

Limits on memory, processor time, open files and written bytes hold everywhere. Landlock (kernel 5.13 and newer) leaves it the
reading of the file and of what Python and onnxruntime need; a seccomp filter takes sockets, new programs and other processes out
of its reach. Where a kernel has neither, what remains is that the process holds no secrets in its environment, can write next to
nothing, and is killed when its time is up. Both bind the calling thread and those it starts: enter before any library does.
"""

import resource
import sys
from pathlib import Path
from typing import Final

from serving import landlock, seccomp

MAX_OPEN_FILES: Final = 64
MAX_WRITTEN_BYTES: Final = 1 << 20
"""For the answer, should standard output be a file."""
SYSTEM_PATHS: Final = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom")
DEVICE_PATHS: Final = ("/sys/devices", "/sys/bus/pci/devices", "/sys/class/drm")
"""Where onnxruntime looks what hardware this is."""
PROCESS_PATHS: Final = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo")


def enter(readable: Path, memory_bytes: int, timeout_s: float) -> None:
    """Bound what this process may use, and leave it nothing but reading `readable` and the runtime's own files."""
    limit_resources(memory_bytes, timeout_s)
    if sys.platform == "linux":
        landlock.allow_reading([readable, *_runtime_paths()])
        seccomp.forbid()


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


def _runtime_paths() -> list[Path]:
    """Where Python, its packages, this program and the system's libraries lie."""
    packages = [Path(it) for it in sys.path if it.endswith(("site-packages", "dist-packages"))]
    python = [Path(sys.base_prefix) / "lib", Path(sys.prefix) / "lib"]
    program = [Path(__file__).parent, Path(__file__).parent.parent / "contracts"]
    return [*packages, *python, *program, *map(Path, (*SYSTEM_PATHS, *DEVICE_PATHS, *PROCESS_PATHS))]
