"""Other people's packages for the tests of this folder: each set in an environment of its own, since they do not go with ours.

The sets are `packages/*.txt`. An environment is made once and kept in `.tools/clients`, under the digest of its set.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OWN_UV: Final = ROOT / ".tools" / "uv" / "bin" / "uv"


def environment(name: str) -> Path:
    """The Python of an environment with the packages of `name`."""
    folder = _made(name, lambda path: _make(path, name))
    return folder / "bin" / "python"


def unpacked(name: str) -> Path:
    """A folder with the files of the wheels of `name`, without what those depend on."""
    return _made(name, lambda path: _uv("pip", "install", "-q", "--no-deps", "--target", path, "-r", _packages(name)))


def _make(path: Path, name: str) -> None:
    _uv("venv", "-q", "--python", sys.executable, path)
    _uv("pip", "install", "-q", "--python", path / "bin" / "python", "-r", _packages(name))


def _made(name: str, make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(_packages(name).read_bytes()).hexdigest()[:16]
    folder = ROOT / ".tools" / "clients" / f"{name}-{digest}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
        (folder / "complete").touch()
    return folder


def _packages(name: str) -> Path:
    return Path(__file__).parent / "packages" / f"{name}.txt"


def _uv(*arguments: str | Path) -> None:
    uv = OWN_UV if OWN_UV.exists() else shutil.which("uv")
    assert uv is not None, "these tests need uv: make setup installs it"
    done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False, env=os.environ | {"UV_NO_PROGRESS": "1"})
    assert done.returncode == 0, done.stderr


def debian_library(package: str, name: str) -> Path:
    """The folder of the shared library `name`, out of Debian's `package` where the system does not have it."""
    for folder in (Path("/lib/x86_64-linux-gnu"), Path("/usr/lib/x86_64-linux-gnu")):
        if (folder / name).exists():
            return folder
    kept = ROOT / ".tools" / "clients" / package
    if not kept.exists():
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
            (file,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", file, kept], check=True)
    (library,) = kept.rglob(name)
    return library.parent
