"""The socket telemetry listens on: a Unix socket that only its owner may use, or a TCP port."""

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Final

from contracts.errors import HeadraceError, SettingInvalid

BACKLOG: Final = 512


class AddressTaken(HeadraceError):
    """Another process listens there."""

    title = "Address taken"


def bind(address: str) -> socket.socket:
    """Bind `unix:/path` (mode 0600; a dead process's socket is replaced) or `host:port`. Raises AddressTaken, SettingInvalid."""
    try:
        return _bind_unix(Path(address.removeprefix("unix:"))) if address.startswith("unix:") else _bind_tcp(address)
    except OSError as error:
        raise AddressTaken(f"cannot listen on {address}: {error.strerror or error}") from error


def _bind_unix(path: Path) -> socket.socket:
    if path.is_socket():
        if _is_served(path):
            raise AddressTaken(f"{path} is taken; another telemetry process serves it")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(previous)
    return listener


def _bind_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingInvalid(f"HEADRACE_TELEMETRY_LISTEN is {address!r}; it must be `host:port` or `unix:/path`")
    return socket.create_server((host, int(port)), backlog=BACKLOG)


def _is_served(path: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(str(path)) == 0
