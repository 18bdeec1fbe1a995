"""Requests that end before they are whole."""

from typing import Any

import pytest
from litestar import Litestar


async def test_a_client_that_leaves_in_mid_request_is_no_failure_of_ours(app: Litestar, caplog: pytest.LogCaptureFixture):
    arriving = [{"type": "http.request", "body": b'{"email": ', "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return arriving.pop() if arriving else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/auth/login",
        "raw_path": b"/api/v1/auth/login",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert not [it for it in caplog.records if it.levelname == "ERROR"]
