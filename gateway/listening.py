"""The inference port, claimed before anything else starts."""

import errno
import socket

from contracts.errors import HeadraceError


class PortTaken(HeadraceError):
    """Somebody else listens on the port."""

    title = "Port taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} is taken; stop what listens on {host}:{port}, or set HEADRACE_INFERENCE_PORT")


def claim(host: str, port: int) -> socket.socket:
    """A socket bound to the port and not yet listening, which later sockets may share (SO_REUSEPORT). Raises PortTaken.

    It is bound twice: sharing would let us in beside a stranger who shares as well, so the first try does not offer it.
    """
    with _bound(host, port, is_shared=False) as probe:
        port = probe.getsockname()[1]
    return _bound(host, port, is_shared=True)


def _bound(host: str, port: int, is_shared: bool) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    return bound
