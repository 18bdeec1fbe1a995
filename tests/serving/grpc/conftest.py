"""Servers and channels for the tests of the protocol over gRPC."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from serving.grpc.hosts import Host
from serving.grpc.server import GrpcServer, Limits, listen_grpc

ListenGrpc = Callable[..., Awaitable[GrpcServer]]
Channels = Callable[..., grpc.aio.Channel]


@pytest.fixture
async def listen() -> AsyncGenerator[ListenGrpc]:
    """Starts servers: `await listen(host, max_message_bytes=…)`; the keywords are those of Limits, and `tls`."""
    servers: list[GrpcServer] = []

    async def start(host: Host, **options: Any) -> GrpcServer:
        tls = options.pop("tls", None)
        servers.append(await listen_grpc(host, Limits(**options), tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        await server.drain(0.1)


@pytest.fixture
async def dial_grpc() -> AsyncGenerator[Channels]:
    """Opens channels: `dial_grpc(server)`, with channel options as keywords, `__` for each dot."""
    channels: list[grpc.aio.Channel] = []

    def open_channel(server: GrpcServer, **options: Any) -> grpc.aio.Channel:
        named = [(f"grpc.{name.replace('__', '.')}", value) for name, value in options.items()]
        named.append(("grpc.use_local_subchannel_pool", 1))  # or channels to one port share a connection
        channels.append(grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=named))
        return channels[-1]

    yield open_channel
    for channel in channels:
        await channel.close()
