"""Requests that end before they are whole, or whose values are not quite what they should be."""

from typing import Any

import pytest
from litestar import Litestar

from tests.control.conftest import Account


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


async def test_a_value_that_is_only_nearly_of_its_type_is_refused(account: Account):
    keys = f"/api/v1/projects/{account.project_id}/keys"
    made = await account.client.post(keys, json={"name": "checkout", "scopes": ["infer"]})
    refused = await account.client.post(f"{keys}/{made.json()['key']['id']}/rotate", json={"overlap_s": "60"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "Expected `int`, got `str` - at `$.overlap_s`")
