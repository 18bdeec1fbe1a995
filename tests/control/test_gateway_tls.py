"""Control reaches a gateway that speaks TLS, if the machine trusts its certificate."""

from pathlib import Path

import httpx
import pytest

from control.deployments.trial import open_gateway
from serving.http import Limits, listen
from serving.tls import Tls
from tests.certificates import AUTHORITY, issue


async def test_a_certificate_is_trusted_if_the_machine_trusts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await listen(lambda it: it.respond(200, b"{}"), Limits(), tls=Tls(*issue(tmp_path)).context)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    async with open_gateway(f"https://127.0.0.1:{server.port}") as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get("/v2")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with open_gateway(f"https://127.0.0.1:{server.port}") as gateway:
        assert (await gateway.get("/v2")).status_code == 200
    await server.drain(1.0)
