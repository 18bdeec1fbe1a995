"""Trying a deployment from the console: the person's request, sent to the gateway under the project's hidden key."""

import ssl
import time
from typing import Final
from urllib.parse import quote
from uuid import UUID

import httpx
from msgspec import Struct

from control.deployments.errors import AnswerTooLarge, GatewayUnavailable
from control.keys.secrets import console_key

MAX_REQUEST_BYTES: Final = 8 << 20
"""Room for a photograph as JSON numbers."""
MAX_ANSWER_BYTES: Final = 16 << 20
TIMEOUT: Final = httpx.Timeout(35.0, connect=3.0, pool=3.0)
"""Longer than the gateway's own 30 s, so that its answer to a slow model arrives."""
CONNECTIONS: Final = httpx.Limits(max_connections=32, max_keepalive_connections=4)
PASSED_ON: Final = ("Server-Timing", "X-Headrace-Cache")
"""Where the gateway's time went, and whether its cache had the answer."""
KEY_REFUSALS: Final = frozenset({401, 403})


class Answer(Struct, frozen=True):
    """What the gateway said, and after how many milliseconds."""

    status: int
    content_type: str
    body: bytes
    elapsed_ms: float
    headers: dict[str, str]
    """What else the gateway said, of `PASSED_ON`."""


def open_gateway(inference_url: str) -> httpx.AsyncClient:
    """A client of the gateway; paths are relative to its root. Over TLS it trusts whom the machine trusts."""
    trust = ssl.create_default_context()
    return httpx.AsyncClient(base_url=inference_url, timeout=TIMEOUT, limits=CONNECTIONS, trust_env=False, verify=trust)


async def infer(gateway: httpx.AsyncClient, secret: str, project_id: UUID, deployment_name: str, body: bytes) -> Answer:
    """Send one request of the protocol; whatever the gateway answers to it is the answer.

    Raises GatewayUnavailable or AnswerTooLarge.
    """
    key = console_key(secret, project_id)
    headers = {"Authorization": f"Bearer {key.text}", "Content-Type": "application/json", "X-Headrace-Timing": "1"}
    started = time.perf_counter()
    try:
        async with gateway.stream(
            "POST", f"/v2/models/{quote(deployment_name)}/infer", content=body, headers=headers
        ) as response:
            answer = await _read(response)
    except httpx.HTTPError as error:
        raise GatewayUnavailable("the gateway does not answer; try again") from error
    if response.status_code in KEY_REFUSALS:  # the console's key is no business of the person's, so this is not their 401
        raise GatewayUnavailable("the gateway does not know this project yet; try again")
    content_type = response.headers.get("Content-Type", "application/json")
    elapsed_ms = (time.perf_counter() - started) * 1000
    said = {name: response.headers[name] for name in PASSED_ON if name in response.headers}
    return Answer(response.status_code, content_type, answer, elapsed_ms, said)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge(f"the answer has more than {MAX_ANSWER_BYTES >> 20} MiB; call the gateway itself for this one")
    return bytes(body)
