"""gRPC over TLS, with a certificate that is renewed while the server runs."""

from pathlib import Path

import grpc
import pytest

from serving.grpc.messages import SERVICE
from serving.grpc.server import GrpcServer
from serving.tls import Tls
from tests.certificates import AUTHORITY, issue
from tests.serving.grpc.conftest import ListenGrpc
from tests.serving.grpc.hosts import Holding, unary


async def is_live(server: GrpcServer, name: str) -> bool:
    """Asked over a new connection, by a client that expects the certificate to be for `name`."""
    trusted = grpc.ssl_channel_credentials(AUTHORITY.cert_pem.bytes())
    options = [("grpc.ssl_target_name_override", name), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", trusted, options) as channel:
        try:
            return (await unary(channel, "ServerLive", timeout=20)).live
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False


async def test_a_renewed_certificate_is_what_new_clients_see(listen: ListenGrpc, tmp_path: Path) -> None:
    tls = Tls(*issue(tmp_path, "old.test"))
    server = await listen(Holding(), tls=tls)
    assert await is_live(server, "old.test")
    assert not await is_live(server, "new.test")
    issue(tmp_path, "new.test")
    assert await tls.renew()
    assert await is_live(server, "new.test")
    assert not await is_live(server, "old.test")


async def test_a_client_without_tls_is_not_served(listen: ListenGrpc, tmp_path: Path) -> None:
    server = await listen(Holding(), tls=Tls(*issue(tmp_path)))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(f"/{SERVICE}/ServerLive")(b"", timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
