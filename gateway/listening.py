"""The ports of the inference API, claimed before anything else starts."""

import errno
import socket

from contracts.errors import HeadraceError


class ListenFailed(HeadraceError):
    """The address cannot be listened on."""

    title = "Cannot listen"


class PortTaken(ListenFailed):
    """Somebody else listens on the port."""

    def __init__(self, host: str, port: int, setting: str) -> None:
        super().__init__(f"port {port} is taken; stop what listens on {host}:{port}, or set {setting}")


def claim(host: str, port: int, is_shared: bool = False, setting: str = "HEADRACE_INFERENCE_PORT") -> socket.socket:
    """A socket bound to the port, which others may `join` if it `is_shared`. Raises ListenFailed, PortTaken.

    `setting` is where the port comes from. To share is to be let in beside any stranger who shares as well, so it is tried
    without first.
    """
    alone = _bound(host, port, setting, is_shared=False)
    if not is_shared:
        return alone
    port = alone.getsockname()[1]
    alone.close()
    return _bound(host, port, setting, is_shared=True)


def join(host: str, port: int) -> socket.socket:
    """A socket of our own on a port that our parent has claimed. Raises ListenFailed."""
    return _bound(host, port, "HEADRACE_INFERENCE_PORT", is_shared=True)


def _bound(host: str, port: int, setting: str, is_shared: bool) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port, setting) from error
        raise ListenFailed(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound
