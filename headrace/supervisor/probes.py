"""How to ask each process whether it is ready."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx

PROBE_TIMEOUT_S: Final = 2.0
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each probe its 20 ms of loading certificates that it has no use for."""


def postgres_probe(data: Path) -> Callable[[int], Awaitable[bool]]:
    """Ready once `postmaster.pid` says so, and says so of this very process (a killed one leaves its file behind)."""

    async def is_ready(pid: int) -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return bool(lines) and lines[0] == str(pid) and lines[-1] == "ready"

    return is_ready


def valkey_probe(socket: Path) -> Callable[[int], Awaitable[bool]]:
    """Ready once it answers PING (while it loads its file it answers LOADING)."""

    async def is_ready(_pid: int) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(str(socket))
                try:
                    writer.write(b"PING\r\n")
                    return await reader.readline() == b"+PONG\r\n"
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return is_ready


def http_probe(url: str, socket: Path | None = None) -> Callable[[int], Awaitable[bool]]:
    """Ready once `GET url` answers 200, over the Unix socket `socket` if given."""

    async def is_ready(_pid: int) -> bool:
        transport = httpx.AsyncHTTPTransport(verify=NO_TLS, uds=str(socket) if socket else None)
        try:
            async with httpx.AsyncClient(transport=transport, timeout=PROBE_TIMEOUT_S, trust_env=False) as client:
                return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False

    return is_ready
