"""The three public ports of an instance, checked before anything starts."""

import errno
import random
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from headrace.errors import CannotListen, PortTaken, StartFailed

TRIES: Final = 50
CANDIDATES: Final = range(10_000, 32_000)
"""Below the range of outgoing connections, which could take one between the check and its use."""


@dataclass(frozen=True)
class Ports:
    """Three ports in a row: console, inference over HTTP, inference over gRPC."""

    host: str
    base: int

    @property
    def console(self) -> int:
        return self.base

    @property
    def inference(self) -> int:
        return self.base + 1

    @property
    def grpc(self) -> int:
        return self.base + 2


def choose_ports(host: str, base: int) -> Ports:
    """`base` and the two after it, or three free ones for base 0. Raises PortTaken or CannotListen."""
    if base:
        ports = Ports(host, base)
        _check(ports)
        return ports
    for _ in range(TRIES):
        candidate = Ports(host, random.choice(CANDIDATES))  # noqa: S311
        with suppress(PortTaken):
            _check(candidate)
            return candidate
    raise StartFailed(f"found no three free ports in a row on {host}")


def _check(ports: Ports) -> None:
    for port in (ports.console, ports.inference, ports.grpc):
        with _bound(ports.host, port):
            pass


@contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(port, host) from error
            raise CannotListen(port, host, error.strerror or str(error)) from error
        yield probe
