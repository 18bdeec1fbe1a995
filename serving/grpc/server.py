"""The listening side: a gRPC server on the event loop, and its end."""

import asyncio
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc
from msgspec import Struct

from serving.errors import GrpcPortTaken
from serving.grpc.health import Health
from serving.grpc.hosts import Host
from serving.grpc.reflection import Reflection
from serving.grpc.service import Service
from serving.tls import Tls

MAX_STREAMS: Final = 1024
"""RPCs of one connection at once; a client with more waits."""
PINGS_NOT_BEFORE_MS: Final = 500
"""Clients may ping this often; grpc's own default takes a ping every five minutes for an attack."""
PING_AFTER_MS: Final = 60_000
"""A connection that is silent for so long is asked whether it still lives."""
PING_TIMEOUT_MS: Final = 20_000
IDLE_MS: Final = 600_000
"""A connection without an RPC for so long is told to go; clients connect again by themselves."""


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one server."""

    max_message_bytes: int = 64 * 1024**2
    """A larger message is refused, by its size before and after decompression."""
    max_connections: int = 10_000
    max_rpcs: int = 10_000
    """Under way at once, of all connections; further ones are refused."""
    handshake_timeout_s: float = 10.0
    """How long a client may take from connecting to its first HTTP/2 settings."""


class GrpcServer:
    """A server that has started. `port` is the one it listens on."""

    def __init__(self, server: grpc.aio.Server, service: Service, health: Health, reflection: Reflection, port: int) -> None:
        self._server, self._service, self._health, self._reflection, self.port = server, service, health, reflection, port

    async def drain(self, timeout_s: float) -> None:
        """Accept no more, answer what has begun, and close; after `timeout_s` close without answering."""
        self._service.end_streams()
        self._health.end()
        self._reflection.end()
        async with self._service.farewell():
            stopping = asyncio.create_task(self._server.stop(timeout_s), name="gRPC server's end")
            await asyncio.sleep(0)  # now it tells its clients
        await stopping


async def listen_grpc(
    host: Host,
    limits: Limits,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    shares_port: bool = False,
    tls: Tls | None = None,
) -> GrpcServer:
    """Serve the protocol for `host` on `address` and `port` (0: any free one). Raises GrpcPortTaken.

    `shares_port`: other processes may listen on the port too, and the kernel spreads clients among them.
    """
    server = grpc.aio.server(options=_options(limits, shares_port), maximum_concurrent_rpcs=limits.max_rpcs)
    service = Service(host)
    server.add_generic_rpc_handlers((service,))
    health = Health(service.is_ready)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection = Reflection()
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection, server)
    place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        port = server.add_insecure_port(place) if tls is None else server.add_secure_port(place, _credentials(tls))
    except RuntimeError as error:
        raise GrpcPortTaken(f"gRPC cannot listen on {place}; stop what listens there, or set HEADRACE_GRPC_PORT") from error
    await server.start()
    return GrpcServer(server, service, health, reflection, port)


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    """The certificate `tls` has at the time, for each client that connects."""
    told = tls.pair

    def renewed() -> Any:
        """The new certificate, or None if the last is good still; gRPC calls this in a thread of its own."""
        nonlocal told
        if tls.pair is told:
            return None
        told = tls.pair
        return grpc.ssl_server_certificate_configuration([told])

    return grpc.dynamic_ssl_server_credentials(grpc.ssl_server_certificate_configuration([told]), renewed)


def _options(limits: Limits, shares_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_allowed_incoming_connections", limits.max_connections),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.server_handshake_timeout_ms", round(limits.handshake_timeout_s * 1000)),
        ("grpc.max_connection_idle_ms", IDLE_MS),
        ("grpc.http2.min_ping_interval_without_data_ms", PINGS_NOT_BEFORE_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", PING_AFTER_MS),
        ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
        ("grpc.so_reuseport", int(shares_port)),
    ]
