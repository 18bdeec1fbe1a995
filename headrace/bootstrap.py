"""Installs what a checkout needs, then starts what was asked for: `python3 headrace/bootstrap.py up|develop`.

Runs on the bare system Python, before any package is there, so it imports the standard library alone; and it is written so that
a Python too old to run Headrace can still read it and say so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_VERSION = "0.13.9"
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
VENV = ROOT / ".venv"
FRONTEND = ROOT / "frontend"
STAMPS = ROOT / ".tools" / "stamps"
MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = (20, 19)
FIRST_INSTALL_BYTES = 4 * 1024**3
CHROMIUM = Path("/usr/bin/chromium")
PROMTOOL = ROOT / ".tools" / "promtool"


class SetupFailed(Exception):
    """`str(error)` is the one line shown to the person."""


def main(arguments):  # type: (list[str]) -> None
    """`up [ARGS…]` installs and becomes `headrace up --demo ARGS…`; `develop` installs what tests and checks need as well."""
    try:
        check_python()
        check_disk()
        command, rest = arguments[0], arguments[1:]
        if command == "up":
            install_python_packages("--no-dev")
            build_console()
            os.execv(str(VENV / "bin" / "headrace"), ["headrace", "up", "--demo", *rest])  # noqa: S606
        install_python_packages("--group", "dev")
        build_console()
        install_chromium()
        install_promtool()
    except (SetupFailed, OSError) as error:  # OSError: a full or read-only disk, a folder of somebody else
        sys.exit("headrace: {}".format(error))
    except KeyboardInterrupt:
        sys.exit(130)


def check_python():  # type: () -> None
    """Refuse a Python that is too old."""
    if sys.version_info < MINIMUM_PYTHON:
        found = "{}.{}".format(*sys.version_info[:2])
        raise SetupFailed("Python {} is too old; install 3.11 or newer, or name one: make up PYTHON=python3.12".format(found))


def check_disk():  # type: () -> None
    """Refuse to begin a first install that will not fit."""
    free = shutil.disk_usage(str(ROOT)).free
    if not VENV.exists() and free < FIRST_INSTALL_BYTES:
        raise SetupFailed(
            "the first install needs about {:.0f} GB on this disk, {:.1f} GB are free; free some space".format(
                FIRST_INSTALL_BYTES / 1024**3, free / 1024**3
            )
        )


def install_python_packages(*groups):  # type: (*str) -> None
    """Bring `.venv` to what `uv.lock` says, with the project's own uv."""
    if not UV.exists():
        bootstrap_uv()
    is_first = not (VENV / "bin" / "headrace").exists()
    if is_first:
        say("installing the Python packages (about 1.3 GB the first time; a minute or two)")
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_PROJECT_ENVIRONMENT=str(VENV))
    environment.pop("VIRTUAL_ENV", None)
    quiet = [] if is_first else ["--quiet"]
    run(
        [str(UV), "sync", "--frozen", "--inexact", "--python", sys.executable, *quiet, *groups],
        "installing the packages",
        environment,
    )


def bootstrap_uv():  # type: () -> None
    """Install uv with pip into the project's own folder, or make do with one that is on the PATH."""
    say("installing uv {} into .tools".format(UV_VERSION))
    UV.parent.parent.parent.mkdir(parents=True, exist_ok=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-warn-script-location",
        "--target",
    ]
    has_pip = (
        subprocess.call([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    )
    if not has_pip:
        raise SetupFailed("this Python has no pip; install it (Debian: apt install python3-pip) and try again")
    environment = dict(os.environ, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PIP_ROOT_USER_ACTION="ignore")
    run([*pip, str(UV.parent.parent), "uv=={}".format(UV_VERSION)], "installing uv", environment)


def build_console():  # type: () -> None
    """Install the console's packages and build it, each only if what it is made from has changed."""
    packages = digest([FRONTEND / "package-lock.json", FRONTEND / "package.json"])
    sources = digest(sorted(path for path in source_files() if path.is_file())) + packages
    if is_current("packages", packages, FRONTEND / "node_modules") and is_current("console", sources, FRONTEND / "dist"):
        return
    check_node()
    if not is_current("packages", packages, FRONTEND / "node_modules"):
        say("installing the console's packages (about 400 MB; half a minute)")
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(FRONTEND)], "npm ci")
        keep_stamp("packages", packages)
    say("building the console")
    run(["npm", "run", "build", "--silent", "--prefix", str(FRONTEND)], "building the console")
    keep_stamp("console", sources)


def source_files():  # type: () -> list[Path]
    """Every file that the built console is made from."""
    folders = [FRONTEND / "src", FRONTEND / "public"]
    return [path for folder in folders for path in folder.rglob("*")] + [FRONTEND / "index.html", FRONTEND / "vite.config.ts"]


def check_node():  # type: () -> None
    """Refuse a Node that is missing or too old."""
    try:
        text = subprocess.check_output(["node", "--version"], universal_newlines=True).strip()
        subprocess.check_call(["npm", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise SetupFailed("Node.js 20.19 or newer with npm is needed to build the console; install it and try again") from None
    found = tuple(int(part) for part in text.lstrip("v").split(".")[:2])
    if found < MINIMUM_NODE:
        raise SetupFailed("Node.js {} is too old to build the console; install 20.19 or newer".format(text))


def install_chromium():  # type: () -> None
    """The browser that the end-to-end tests drive: installed from Debian's packages where that is possible."""
    if CHROMIUM.exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed("the end-to-end tests need Chromium at {}; as root: apt-get install chromium".format(CHROMIUM))
    say("installing Chromium from Debian's packages")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run(["apt-get", "update", "-qq"], "apt-get update", environment)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], "apt-get install chromium", environment)


def install_promtool():  # type: () -> None
    """Prometheus' checker of metrics, out of Debian's package: to install that would start a Prometheus as well."""
    if PROMTOOL.exists() or shutil.which("promtool") is not None:
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise SetupFailed("the tests of the metrics need promtool, which is part of Prometheus, on the PATH")
    say("fetching promtool from Debian's package of Prometheus")
    if os.geteuid() == 0:
        run(["apt-get", "update", "-qq"], "apt-get update")
    with tempfile.TemporaryDirectory() as folder:
        run(["apt-get", "download", "-qq", "prometheus"], "apt-get download prometheus", directory=folder)
        (package,) = Path(folder).glob("prometheus_*.deb")
        run(["dpkg-deb", "-x", str(package), folder], "unpacking prometheus")
        PROMTOOL.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(str(Path(folder) / "usr" / "bin" / "promtool"), str(PROMTOOL))


def digest(paths):  # type: (list[Path]) -> str
    """One digest of all these files' names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def is_current(name, wanted, product):  # type: (str, str, Path) -> bool
    """Whether `product` is there and was made from what has the digest `wanted`."""
    stamp = STAMPS / name
    return product.exists() and stamp.exists() and stamp.read_text() == wanted


def keep_stamp(name, value):  # type: (str, str) -> None
    """Remember what the product `name` was made from."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(value)


def run(command, what, environment=None, directory=ROOT):  # type: (list[str], str, dict[str, str] | None, Path | str) -> None
    """Run a long step; raises SetupFailed naming it if it fails."""
    started = time.monotonic()
    if subprocess.call(command, env=environment, cwd=str(directory)) != 0:
        full = shutil.disk_usage(str(ROOT)).free < 50 * 1024**2
        raise SetupFailed("the disk is full; free some space and try again" if full else "{} failed; see above".format(what))
    if time.monotonic() - started > 1:
        say("{} took {:.0f} s".format(what, time.monotonic() - started))


def say(text):  # type: (str) -> None
    """Tell the person how far we are."""
    sys.stderr.write("· {}\n".format(text))
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
